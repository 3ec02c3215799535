from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.types import Message

from api import bodies


def request_of(*chunks: bytes) -> tuple[Request, list[bytes]]:
    """A request that comes in pieces, and those that were not asked for yet."""
    left = list(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive), left


@pytest.mark.parametrize("chunks", [[b""], [b"ab"], [b"a", b"", b"b"], [b"a" * bodies.LARGEST]])
async def test_a_body_is_read_whole_and_can_be_asked_for_again(chunks: Sequence[bytes]) -> None:
    request, _ = request_of(*chunks)
    assert await bodies.read(request) == b"".join(chunks)
    assert await request.body() == b"".join(chunks)


async def test_reading_stops_where_it_becomes_too_large() -> None:
    request, left = request_of(b"a" * bodies.LARGEST, b"a", b"never read")
    with pytest.raises(bodies.TooLarge):
        await bodies.read(request)
    assert left == [b"never read"]
