"""What comes over a socket at random: messages of graphql-transport-ws, in order or not, in frames that keep
to RFC 6455 or do not.
"""

import base64
import json
import random
from collections.abc import Callable
from typing import Any

from tests.stranger.documents import SHAPES, Request, Writer
from tests.stranger.town import Asker
from tests.stranger.wire import MASK, Drip, Expect, HalfClose, Pause, Reset, Script, Send, Step, under_mask

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
ACK = b"connection_ack"


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    masked: bool = True,
    reserved: int = 0,
    width: int = 0,
) -> bytes:
    """`width`: bytes in which the length stands, where it should not be the shortest."""
    size = len(payload)
    width = width or (0 if size < 126 else 2 if size < 2**16 else 8)
    short = size if width == 0 else 126 if width == 2 else 127
    head = bytes([fin << 7 | reserved << 4 | opcode, masked << 7 | short])
    head += size.to_bytes(width) if width else b""
    if not masked:
        return head + payload
    return head + MASK + under_mask(payload)


def message(**parts: Any) -> bytes:
    return frame(json.dumps(parts, ensure_ascii=False).encode(errors="surrogatepass"))


def handshake(asker: Asker, host: str, **headers: str) -> bytes:
    given = {
        "Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
        "Sec-WebSocket-Protocol": "graphql-transport-ws",
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**given, **asker.headers, **headers}.items())
    return f"GET /graphql HTTP/1.1\r\n{lines}\r\n".encode()


class SocketWriter:
    """Writes scripts for one socket each."""

    def __init__(self, writer: Writer, asker: Asker, host: str) -> None:
        self._writer, self._asker, self._host = writer, asker, host
        self.chance: random.Random = writer.chance

    def script(self) -> Script:
        name, make = self.chance.choice(list(WAYS.items()))
        steps = make(self)
        return Script(name, [*steps, *self.end()], self._asker.name)

    def begun(self) -> list[Step]:
        """Open, and told who it is for."""
        payload = {} if self._asker.token is None else {"Authorization": f"Bearer {self._asker.token}"}
        return [
            Send(handshake(Asker(self._asker.name), self._host)),
            Expect(b"\r\n\r\n"),
            Send(message(type="connection_init", payload=payload)),
            Expect(ACK, 1.0),
        ]

    def end(self) -> list[Step]:
        """Whatever is still to be said is read, up to the pong, or not."""
        way = self.chance.choice(("well", "well", "reset", "half"))
        if way == "reset":
            return [Pause(0.05), Reset()]
        if way == "half":
            return [HalfClose(), Expect(b"", 0.2)]
        return [
            Send(message(type="ping")),
            Expect(b'"pong"', 0.3),
            Send(frame(b"\x03\xe8", CLOSE)),
            Expect(b"", 0.2),
        ]

    def request(self) -> Request:
        if self.chance.random() < 0.5:
            return self._writer.shaped("subscription")
        return self._writer.shaped(self.chance.choice([name for name in SHAPES if name != "comments"]))

    def subscribe(self, id_: str, request: Request | None = None) -> bytes:
        return message(type="subscribe", id=id_, payload=(request or self.request()).payload)

    # Ways

    def subscriptions(self) -> list[Step]:
        """Some, which stay for a moment."""
        asked = [Send(self.subscribe(f"s{number}")) for number in range(self.chance.choice((1, 3, 20)))]
        return [*self.begun(), *asked, Pause(self.chance.choice((0.0, 0.1)))]

    def storm(self) -> list[Step]:
        """One document again and again, begun and ended at once, in one piece."""
        request = self._writer.shaped("subscription")
        times = self.chance.choice((10, 50, 200))
        rounds = (self.subscribe("a", request) + message(type="complete", id="a") for _ in range(times))
        return [*self.begun(), Send(b"".join(rounds))]

    def names(self) -> list[Step]:
        """Subscriptions that differ in nothing but their names."""
        ids = self._writer._words.ids
        vote = self.chance.choice(ids.get("Vote", ["x"]))
        queries = [
            f"subscription O{number}($v{number}: ID!) {{voteProgress(voteId: $v{number}) {{version}}}}"
            for number in range(self.chance.choice((5, 50, 60)))
        ]
        asked = [Request("names", query, {f"v{number}": vote}) for number, query in enumerate(queries)]
        return [*self.begun(), Send(b"".join(self.subscribe(f"n{n}", each) for n, each in enumerate(asked)))]

    def disorder(self) -> list[Step]:
        """Good messages in any order, some of them twice."""
        says = [
            message(type="connection_init"), message(type="ping"), message(type="pong", payload={"a": 1}),
            self.subscribe("a"), self.subscribe("a"), message(type="complete", id="a"),
            message(type="complete", id="nobody"),
        ]  # fmt: skip
        picked = self.chance.choices(says, k=self.chance.randint(1, 8))
        return [Send(handshake(self._asker, self._host)), Expect(b"\r\n\r\n"), *map(Send, picked)]

    def wrong_messages(self) -> list[Step]:
        wrong: list[Any] = [
            {}, [], None, 1, "x", {"type": 1}, {"type": "next", "id": "a"}, {"type": "subscribe"},
            {"type": "subscribe", "id": "", "payload": {"query": "{a}"}},
            {"type": "subscribe", "id": 1, "payload": {"query": "{a}"}},
            {"type": "subscribe", "id": "a", "payload": {"query": 1}},
            {"type": "subscribe", "id": "a", "payload": {"query": "{a}", "variables": []}},
            {"type": "subscribe", "id": "i" * 20_000, "payload": {"query": "{a}"}},
            {"type": "complete", "id": None}, {"type": "ping", "payload": []}, {"type": "connection_init"},
            {"type": "connection_init", "payload": {"authorization": ["x"]}},
            {"type": "connection_init", "payload": {"Authorization": "Bearer \u0000"}},
        ]  # fmt: skip
        raw = [
            b"",
            b"{",
            b"[" * 5000,
            b"\xff\xfe",
            b'{"type":"ping"}{"type":"ping"}',
            b"9" * 5000,
            b'"\\ud800"',
        ]
        texts = [json.dumps(each).encode() for each in self.chance.sample(wrong, 2)] + self.chance.sample(
            raw, 1
        )
        begun = self.begun() if self.chance.random() < 0.7 else self.begun()[:2]
        return [*begun, *(Send(frame(text)) for text in texts)]

    def wrong_frames(self) -> list[Step]:
        """What RFC 6455 forbids, or what is rarely seen."""
        ping, long = message(type="ping"), b"x" * 70_000
        wrong = [
            frame(b"{}", masked=False), frame(b"{}", reserved=self.chance.choice((1, 2, 4, 7))),
            frame(b"{}", self.chance.choice((3, 4, 7, 11, 15))), frame(b"{}", BINARY), frame(b"x" * 126,
            PING),
            frame(b"x", PING, fin=False), frame(b"\x00", CLOSE), frame(b"\x03\xed", CLOSE),
            frame(b"\x03\xe8\xff\xfe", CLOSE), frame(long), frame(b"{}", width=8), frame(b"{}", width=2),
            frame(b"x", 0), frame(b"a", fin=False) + frame(b"b"), frame(b"\xff\xff"), frame(b"\xed\xa0\x80"),
            b"\x81\xff" + b"\xff" * 8, b"\x81\xff" + (2**40).to_bytes(8) + b"mask", b"\x81", b"\x81\xfe\x00",
            frame(b'{"type":', fin=False) + frame(b"", PING) + frame(b'"ping"}', 0),
            b"".join(frame(b"", TEXT if not n else 0, fin=False) for n in range(3000)),
            frame(b"", PONG) * 500, frame(b"p" * 125, PING) * 500, ping * 500, b"GET / HTTP/1.1\r\n\r\n",
            self.chance.randbytes(300),
        ]  # fmt: skip
        picked = self.chance.choices(wrong, k=self.chance.randint(1, 3))
        return [*(self.begun() if self.chance.random() < 0.7 else self.begun()[:2]), *map(Send, picked)]

    def pieces(self) -> list[Step]:
        """Good frames that come in small pieces, or cut into fragments."""
        text = json.dumps({"type": "subscribe", "id": "p", "payload": self.request().payload}).encode()[:8000]
        size = self.chance.choice((50, 400))
        cut = [text[start : start + size] for start in range(0, len(text), size)]
        fragments = [
            frame(piece, 0 if index else TEXT, fin=index == len(cut) - 1) for index, piece in enumerate(cut)
        ]
        if self.chance.random() < 0.5:
            return [*self.begun(), Send(b"".join(fragments))]
        return [*self.begun(), Drip(frame(text), max(1, len(text) // 20), 0.01)]

    def deaf(self) -> list[Step]:
        """Asks for much and reads nothing of it."""
        much = [self.subscribe(f"d{number}") for number in range(10)] + [message(type="ping")] * 2000
        return [*self.begun(), Send(b"".join(much)), Pause(self.chance.choice((0.1, 0.4))), Reset()]

    def silent(self) -> list[Step]:
        """Shakes hands, or only begins to, and says nothing."""
        whole = handshake(self._asker, self._host)
        return [Send(whole[: self.chance.choice((10, 80, len(whole)))]), Pause(0.2)]

    def wrong_handshake(self) -> list[Step]:
        wrong: list[dict[str, str]] = [
            {"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Key": "x"},
            {"Sec-WebSocket-Protocol": "graphql-ws"},
            {"Origin": "http://elsewhere.example"}, {"Host": "elsewhere.example"}, {"Connection": "close"},
            {"Upgrade": "h2c"}, {"Cookie": "meilin_session=" + "x" * 4000}, {"Authorization": "Basic eDp4"},
            {"Authorization": "Bearer"}, {"Sec-WebSocket-Extensions": "permessage-deflate; x=" + "y" * 2000},
        ]  # fmt: skip
        return [
            Send(handshake(self._asker, self._host, **self.chance.choice(wrong))),
            Expect(b"\r\n\r\n", 1.0),
        ]


Way = Callable[[SocketWriter], list[Step]]
WAYS: dict[str, Way] = {
    way.__name__: way
    for way in (
        SocketWriter.subscriptions, SocketWriter.storm, SocketWriter.names, SocketWriter.disorder,
        SocketWriter.wrong_messages, SocketWriter.wrong_frames, SocketWriter.pieces, SocketWriter.deaf,
        SocketWriter.silent, SocketWriter.wrong_handshake,
    )
}  # fmt: skip
