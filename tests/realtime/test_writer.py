import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from realtime.writer import text_frame

LENGTHS = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 200_000]
"""At the edges of the three ways in which a length is written."""


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_is_the_one_that_another_library_writes(length: int) -> None:
    text = b"x" * length
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_client_reads_each_frame_as_one_whole_text(length: int) -> None:
    client = Protocol(CLIENT, state=OPEN, max_size=None)
    texts = [b"x" * length, "票".encode() * (length // 3), b"{}"]
    for text in texts:
        client.receive_data(text_frame(text))
    assert client.events_received() == [Frame(Opcode.TEXT, text, fin=True) for text in texts]
    assert client.parser_exc is None
