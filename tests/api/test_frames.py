"""Frames by raw bytes, without a server or a network: what comes in, what goes out, what is called."""

import ast
import asyncio
import gc
import logging
import re
import socket
import struct
import weakref
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send
from uvicorn.lifespan.off import LifespanOff
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol, State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from api import frames
from api.frames import PARTING, SLICE, STALLED, UNREAD, UNSENT, ClientGone, FrameProtocol
from api.handshake import EXTENSION
from api.inbox import RECEIVED_AT
from tests.api.conftest import Clock, settle

MOST = 1000
INTERVAL, TIMEOUT = 45.0, 20.0
HEADERS = [
    (b"host", b"localhost"),
    (b"upgrade", b"websocket"),
    (b"connection", b"Upgrade"),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"sec-websocket-protocol", b"graphql-transport-ws, other"),
    (b"cookie", b"a=b"),
]
REQUEST = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "server": ("127.0.0.1", 8000),
    "client": ("127.0.0.1", 4711),
    "root_path": "/root",
    "headers": HEADERS,
    "state": {"a": 1},
}


class Wire(asyncio.Transport):
    """A transport without a network. `unread`: bytes that the client has not read; `calls`: what ended it."""

    def __init__(self, end: Any = None) -> None:
        super().__init__({"socket": end} if end else None)
        self.protocol: Any = None
        self.written = b""
        self.calls: list[str] = []
        self.reading = True
        self.unread = self.limit = 0

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limit = high or 0

    def get_write_buffer_size(self) -> int:
        return self.unread

    def write(self, data: Any) -> None:
        assert isinstance(data, bytes)
        self.written += data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.calls
        self.reading = True

    def is_closing(self) -> bool:
        return bool(self.calls)

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")

    def take(self) -> bytes:
        written, self.written = self.written, b""
        return written

    def frames(self) -> list[Frame]:
        """What was written since, as a client reads it."""
        client = Protocol(CLIENT, state=OPEN, max_size=None)
        client.receive_data(self.take())
        assert client.parser_exc is None
        return [frame for frame in client.events_received() if isinstance(frame, Frame)]


class App:
    """Stays until it is let go; the test receives and sends in its stead."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.kept: Scope = {}
        self.receive: Receive
        self.send: Send
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.kept, self.scope, self.send = scope, dict(scope), send
        self.receive, self.received_at = self._without_times(receive), list[datetime]()
        await self.end

    def _without_times(self, receive: Receive) -> Receive:
        """They stand in `received_at`."""

        async def without() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                self.received_at.append(message.pop(RECEIVED_AT))
            return message

        return without

    async def heard(self) -> list[Message]:
        """Whatever waits for it."""
        messages = []
        while True:
            next_ = asyncio.ensure_future(self.receive())
            await settle()
            if not next_.done():
                next_.cancel()
                return messages
            messages.append(next_.result())


class Socket:
    """One that has shaken hands, and what stands on either side of it."""

    def __init__(
        self, app: Any, wire: Wire | None = None, kind: type[FrameProtocol] = FrameProtocol, **options: Any
    ) -> None:
        given = {"ws_max_size": MOST, "ws_ping_interval": INTERVAL, "ws_ping_timeout": TIMEOUT} | options
        config = uvicorn.Config(app, log_config=None, proxy_headers=False, **given)
        config.load()
        self.app, self.wire, self.state = app, wire or Wire(), ServerState()
        self.lost = 0
        self.protocol = kind(config, self.state, self._count)

    def _count(self) -> None:
        self.lost += 1

    async def shake(self, target: bytes = b"/graphql", **request: Any) -> "Socket":
        self.protocol.take_over(self.wire, REQUEST | request, target)
        await settle()
        return self

    async def accept(self) -> "Socket":
        assert await self.app.receive() == {"type": "websocket.connect"}
        await self.app.send({"type": "websocket.accept"})
        self.wire.take()
        return self

    def say(self, data: bytes | str, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> None:
        self.raw(client_frame(data, opcode, fin))

    def raw(self, data: bytes) -> None:
        self.protocol.data_received(data)

    def lose(self, exc: Exception | None = None) -> None:
        self.protocol.connection_lost(exc)


def client_frame(data: bytes | str, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    return Frame(opcode, data.encode() if isinstance(data, str) else data, fin).serialize(mask=True)


@pytest.fixture
def opened() -> Callable[..., Awaitable[Socket]]:
    async def open_(**options: Any) -> Socket:
        return await (await Socket(App(), **options).shake()).accept()

    return open_


Opened = Callable[..., Awaitable[Socket]]


def text(data: str) -> Message:
    return {"type": "websocket.receive", "text": data}


def closed(frame: Frame) -> Close:
    assert frame.opcode is Opcode.CLOSE
    return Close.parse(frame.data)


# The handshake


async def test_a_handshake_is_handed_to_the_app_and_answered_as_it_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    socket = await Socket(App()).shake(b"/gr%20aph?a=%C3%9F&b")
    app, wire = socket.app, socket.wire
    assert wire.protocol is socket.protocol
    assert wire.limit == UNREAD
    assert wire.written == b""
    assert app.scope.pop("extensions") == {"websocket.http.response": {}, EXTENSION: socket.protocol}
    assert app.scope == {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 4711),
        "root_path": "/root",
        "path": "/root/gr aph",
        "raw_path": b"/root/gr%20aph",
        "query_string": b"a=%C3%9F&b",
        "headers": HEADERS,
        "subprotocols": ["graphql-transport-ws", "other"],
        "state": {"a": 1},
    }
    assert await app.receive() == {"type": "websocket.connect"}
    await app.send({"type": "websocket.accept", "subprotocol": "other", "headers": [(b"x-a", b"\xe4")]})
    head, body = wire.take().split(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    assert (first, body) == ("HTTP/1.1 101 Switching Protocols", b"")
    assert sorted(line for line in lines if not line.startswith("Date: ")) == [
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",  # the example of RFC 6455 §1.3
        "Sec-WebSocket-Protocol: other",
        "Upgrade: websocket",
        "x-a: ä",
    ]
    assert app.kept == {}  # what came with the handshake is let go
    assert not wire.calls
    assert caplog.records == []


@pytest.mark.parametrize(
    ("target", "secure", "path"), [(b"/", True, "/root/"), (b"ws://x/a", False, "/rootws://x/a")]
)
async def test_the_scope_says_how_and_where(target: bytes, secure: bool, path: str) -> None:
    headers = [header for header in HEADERS if header[0] != b"sec-websocket-protocol"]
    socket = await Socket(App()).shake(target, scheme="https" if secure else "http", headers=headers)
    assert (socket.app.scope["scheme"], socket.app.scope["path"]) == ("wss" if secure else "ws", path)
    assert socket.app.scope["subprotocols"] == []


async def test_a_head_that_is_no_handshake_is_refused_without_the_app() -> None:
    socket = await Socket(App()).shake(headers=HEADERS[:4])
    assert socket.wire.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert socket.wire.calls == ["close"]
    assert socket.app.scope == {}
    assert not socket.state.tasks
    socket.lose()
    assert socket.lost == 1
    assert not socket.state.connections


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("wrong", [(b"sec-websocket-version", b"8"), (b"sec-websocket-key", b"x")])
async def test_a_handshake_that_is_refused_leaves_nothing_to_the_collector(
    wrong: tuple[bytes, bytes],
) -> None:
    headers = [wrong if name == wrong[0] else (name, value) for name, value in HEADERS]
    socket = await Socket(App(), kind=Watched).shake(headers=headers)
    assert socket.wire.written.startswith(b"HTTP/1.1 4")
    left = weakref.ref(socket.protocol), weakref.ref(socket.protocol._ws)
    socket.lose()
    socket.wire.protocol = socket.protocol = None
    del socket
    await settle()
    assert [ref() for ref in left] == [None, None]


async def test_what_comes_before_the_answer_waits_for_it() -> None:
    socket = await Socket(App()).shake()
    socket.say(b"a", Opcode.PING)
    socket.say("b")
    assert not socket.wire.reading
    assert await socket.app.receive() == {"type": "websocket.connect"}
    assert socket.wire.written == b""
    await socket.app.send({"type": "websocket.accept"})
    assert socket.wire.take().endswith(b"\r\n\r\n\x8a\x01a")
    assert await socket.app.receive() == text("b")
    assert socket.wire.reading


async def test_who_says_nothing_before_the_answer_is_still_read() -> None:
    socket = await (await Socket(App()).shake()).accept()
    assert socket.wire.reading


async def test_an_app_may_answer_as_it_answers_a_request() -> None:
    socket = await Socket(App()).shake()
    send = socket.app.send
    await socket.app.receive()
    await send({"type": "websocket.http.response.start", "status": 404, "headers": [(b"x-a", b"b")]})
    await send({"type": "websocket.http.response.body", "body": b"no", "more_body": True})
    assert socket.wire.written == b""
    await send({"type": "websocket.http.response.body", "body": b"thing"})
    assert socket.wire.take() == (
        b"HTTP/1.1 404 Not Found\r\nx-a: b\r\nConnection: close\r\nContent-Length: 7\r\n\r\nnothing"
    )
    assert socket.wire.calls == ["close"]
    assert await socket.app.heard() == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]
    with pytest.raises(ClientGone):
        await send({"type": "websocket.accept"})


async def test_an_app_may_refuse_a_socket_in_a_word() -> None:
    socket = await Socket(App()).shake()
    await socket.app.send({"type": "websocket.close"})
    assert socket.wire.take().startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert socket.wire.calls == ["close"]


@pytest.mark.parametrize("fault", [None, ZeroDivisionError()])
async def test_an_app_that_answers_nothing_has_failed(
    fault: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await Socket(App()).shake()
    socket.app.end.set_exception(fault) if fault else socket.app.end.set_result(None)
    await settle()
    assert socket.wire.take().startswith(b"HTTP/1.1 500 ")
    assert socket.wire.calls == ["close"]
    assert [bool(record.exc_info) for record in caplog.records] == [True] * bool(fault)


ALLOWED = {
    "before": {"websocket.accept", "websocket.close", "websocket.http.response.start"},
    "denying": {"websocket.http.response.body"},
    "open": {"websocket.send", "websocket.close"},
    "closing": set(),
}
MESSAGES: dict[str, Message] = {
    "websocket.accept": {},
    "websocket.send": {"text": "a"},
    "websocket.close": {},
    "websocket.http.response.start": {"status": 403, "headers": []},
    "websocket.http.response.body": {"body": b""},
    "nothing": {},
}


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("step", ALLOWED)
async def test_an_app_may_say_only_what_its_turn_allows(step: str, kind: str) -> None:
    socket = await Socket(App()).shake()
    send = socket.app.send
    if step == "denying":
        await send({"type": "websocket.http.response.start", "status": 400, "headers": []})
    elif step != "before":
        await send({"type": "websocket.accept"})
    if step == "closing":
        await send({"type": "websocket.close"})
    if kind in ALLOWED[step]:
        await send({"type": kind} | MESSAGES[kind])
    else:
        with pytest.raises(RuntimeError, match=kind):
            await send({"type": kind} | MESSAGES[kind])


async def test_little_is_left_to_the_system() -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        for end in (tcp, unix):
            await Socket(App(), Wire(end)).shake()
        assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == UNSENT


# What the client says


@pytest.mark.parametrize("data", ["", "a", "票" * 100, "x" * MOST])
async def test_a_text_arrives_at_the_app(opened: Opened, data: str) -> None:
    socket = await opened()
    socket.say(data)
    assert await socket.app.heard() == [text(data)]


@pytest.mark.parametrize("data", [b"", b"\xff\x00", b"x" * MOST])
async def test_bytes_arrive_at_the_app(opened: Opened, data: bytes) -> None:
    socket = await opened()
    socket.say(data, Opcode.BINARY)
    assert await socket.app.heard() == [{"type": "websocket.receive", "bytes": data}]


async def test_fragments_are_one_message_whatever_stands_between_them(opened: Opened) -> None:
    socket = await opened()
    whole = "票🏠".encode()
    given = {"type": "websocket.receive", "bytes": whole}
    for first, message in ((Opcode.TEXT, text("票🏠")), (Opcode.BINARY, given)):
        for cut in range(len(whole) + 1):
            socket.say(whole[:cut], first, fin=False)
            socket.say(b"", Opcode.CONT, fin=False)
            socket.say(b"p", Opcode.PING)
            socket.say(whole[cut:], Opcode.CONT)
            assert await socket.app.heard() == [message]
            assert socket.wire.take() == b"\x8a\x01p"
    socket.say("next")
    assert await socket.app.heard() == [text("next")]


async def test_it_matters_not_how_bytes_arrive(opened: Opened) -> None:
    data = client_frame("a") + client_frame(b"b", Opcode.PING) + client_frame("票" * 50)
    socket = await opened()
    for byte in data:
        socket.raw(bytes((byte,)))
    assert await socket.app.heard() == [text("a"), text("票" * 50)]
    assert socket.wire.take() == b"\x8a\x01b"


async def test_nothing_more_is_read_until_the_app_took_what_was_said(opened: Opened) -> None:
    socket = await opened()
    socket.raw(client_frame("a") + client_frame("b"))
    assert not socket.wire.reading
    await socket.app.receive()
    assert not socket.wire.reading
    await socket.app.receive()
    assert socket.wire.reading


async def test_what_was_on_its_way_waits_too(opened: Opened) -> None:
    """A transport may hand over what it had read before it was told to pause."""
    socket = await opened()
    socket.say("a")
    socket.raw(client_frame("b" * 900) * 3)
    assert len(socket.protocol._inbox) == 1
    assert await socket.app.heard() == [text("a"), *[text("b" * 900)] * 3]


async def test_a_message_counts_from_when_it_came_however_long_it_waits(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while it is not parsed; and one in fragments, from its last."""
    times = [datetime(2026, 1, 1, second=second, tzinfo=UTC) for second in range(5)]
    now = iter(times)
    monkeypatch.setattr(frames, "utc_now", lambda: next(now))
    socket = await opened()
    socket.say("a", fin=False)
    socket.say("b", Opcode.CONT)
    for late in "cde":  # a transport may hand over what it had read before it was told to pause
        socket.say(late)
    assert await socket.app.heard() == [text("ab"), text("c"), text("d"), text("e")]
    socket.say("f")
    assert await socket.app.heard() == [text("f")]
    assert socket.app.received_at == [times[1], times[2], times[2], times[2], times[3]]


async def test_the_parser_keeps_nothing_of_what_was_said(opened: Opened) -> None:
    socket = await opened()
    socket.say("x" * MOST)
    await socket.app.receive()
    assert socket.protocol._ws.parser.gi_yieldfrom.gi_frame.f_locals["frame"].data == b""


async def test_much_is_parsed_slice_by_slice(opened: Opened) -> None:
    """Of pings at once, of messages as the app takes them; and what comes meanwhile waits behind them."""
    socket = await opened()
    ping = client_frame(b"", Opcode.PING)
    socket.raw(ping * (3 * SLICE // len(ping)))
    assert len(socket.wire.take()) // 2 == SLICE // len(ping)
    socket.say("last")
    assert not socket.wire.reading
    await settle()
    assert len(socket.wire.take()) // 2 == 3 * SLICE // len(ping) - SLICE // len(ping)
    assert await socket.app.heard() == [text("last")]
    assert socket.wire.reading

    word = client_frame("x" * 500)
    socket.raw(word * 20)
    taken = []
    for _ in range(20):
        await settle()
        assert len(socket.protocol._inbox) <= SLICE // len(word) + 1
        assert not socket.wire.reading
        taken.append(await socket.app.receive())
    await settle()
    assert taken == [text("x" * 500)] * 20
    assert socket.wire.reading


@pytest.mark.parametrize("end", ["abort", "lost", "lost while closing"])
async def test_slices_stop_where_the_socket_ends(
    opened: Opened, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await opened()
    socket.raw(client_frame(b"", Opcode.PING) * 1000)
    if end == "abort":
        socket.wire.abort()
    else:
        if end == "lost while closing":
            socket.protocol.close(1000, "")
        socket.lose()
    socket.wire.take()
    await settle()
    assert socket.wire.written == b""
    assert socket.protocol._unparsed == b""
    assert not socket.wire.reading
    assert caplog.records == []


async def test_a_reader_that_waits_is_woken(opened: Opened) -> None:
    socket = await opened()
    waiting = asyncio.create_task(socket.app.receive())  # type: ignore[arg-type]
    await settle()
    socket.say("a")
    assert await waiting == text("a")


BAD_CLOSE = struct.pack("!H", 1000) + b"\xff"
WRONG = {
    "text that is not UTF-8": (client_frame(b"\xff"), 1007),
    "text cut in a character": (client_frame("票".encode()[:2]), 1007),
    "fragments that are not UTF-8": (
        client_frame("票".encode()[:2], fin=False) + client_frame(b"a", Opcode.CONT),
        1007,
    ),
    "no mask": (Frame(Opcode.TEXT, b"a").serialize(mask=False), 1002),
    "no mask on a ping": (Frame(Opcode.PING, b"").serialize(mask=False), 1002),
    **{f"reserved bit {bit:02x}": (bytes((0x81 | bit, 0x80)) + b"AAAA", 1002) for bit in (0x10, 0x20, 0x40)},
    **{f"opcode {code}": (bytes((0x80 | code, 0x80)) + b"AAAA", 1002) for code in (3, 7, 11, 15)},
    "a fragment of nothing": (client_frame("a", Opcode.CONT), 1002),
    "a message in the middle of another": (client_frame("a", fin=False) + client_frame("b"), 1002),
    "a close in the middle of a message": (
        client_frame("a", fin=False) + client_frame(struct.pack("!H", 1000), Opcode.CLOSE),
        1002,
    ),
    "a ping of 126 bytes": (b"\x89\xfe\x00\x7eAAAA" + b"x" * 126, 1002),
    "a ping in fragments": (b"\x09\x80AAAA", 1002),
    "a close in fragments": (b"\x08\x80AAAA", 1002),
    "a close of one byte": (client_frame(b"\x03", Opcode.CLOSE), 1002),
    **{
        f"a close with {code}": (client_frame(struct.pack("!H", code), Opcode.CLOSE), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)
    },
    "a reason that is not UTF-8": (client_frame(BAD_CLOSE, Opcode.CLOSE), 1007),
    "too long": (client_frame("x" * (MOST + 1)), 1009),
    "too long, in 64 bits": (b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"AAAA", 1009),
    "too long in fragments": (
        client_frame("x" * MOST, fin=False) + client_frame("x", Opcode.CONT),
        1009,
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_frame_that_breaks_the_protocol_ends_the_socket(opened: Opened, wrong: str) -> None:
    """After what was right before it, and without what comes behind it."""
    data, code = WRONG[wrong]
    socket = await opened()
    socket.raw(client_frame("before") + data + client_frame("behind") + client_frame(b"", Opcode.PING))
    (frame,) = [frame for frame in socket.wire.frames() if frame.opcode is not Opcode.PONG]
    assert closed(frame).code == code
    if code != 1007 or "reason" in wrong:
        assert socket.wire.calls == ["close"]
    before, gone = await socket.app.heard()
    assert before == text("before")
    assert (gone["type"], gone["code"]) == ("websocket.disconnect", code)
    assert gone["reason"] == closed(frame).reason
    socket.lose()
    assert await socket.app.heard() == []


async def test_empty_fragments_without_end_cost_nothing(opened: Opened) -> None:
    socket = await opened()
    socket.say("", fin=False)
    for _ in range(1000):
        socket.say("", Opcode.CONT, fin=False)
    assert len(gc.get_referents(socket.protocol._inbox._fragments)) == 0
    assert socket.protocol._inbox._fragments == b""
    socket.say("a", Opcode.CONT)
    assert await socket.app.heard() == [text("a")]


# What we say


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536])
async def test_each_text_is_one_frame(opened: Opened, length: int) -> None:
    socket = await opened()
    socket.protocol.write(b"x" * length)
    await socket.app.send({"type": "websocket.send", "text": "票"})
    await socket.app.send({"type": "websocket.send", "bytes": b"\xff"})
    assert socket.wire.frames() == [
        Frame(Opcode.TEXT, b"x" * length),
        Frame(Opcode.TEXT, "票".encode()),
        Frame(Opcode.BINARY, b"\xff"),
    ]


async def test_nothing_is_written_before_the_handshake_is_answered_or_after_the_end(opened: Opened) -> None:
    early = await Socket(App()).shake()
    early.protocol.write(b"a")
    early.protocol.close(4400, "no")
    assert early.wire.written == b""
    late = await opened()
    late.protocol.close(4400, "no")
    assert closed(*late.wire.frames()) == Close(4400, "no")
    late.protocol.write(b"a")
    late.protocol.close(4401, "again")
    gone = await opened()
    gone.wire.abort()
    gone.protocol.write(b"a")
    gone.protocol.close(4400, "no")
    gone.lose()
    gone.protocol.write(b"a")
    gone.protocol.close(4400, "no")
    assert late.wire.written == gone.wire.written == b""


async def test_a_client_that_does_not_read_makes_us_busy_until_it_does(opened: Opened) -> None:
    socket = await opened()
    calls: list[bool] = []
    writer = socket.protocol
    writer.drained = lambda: calls.append(writer.busy)
    await asyncio.wait_for(writer.drain(), 0.1)
    writer.pause_writing()
    assert writer.busy
    waiting = [asyncio.create_task(writer.drain()) for _ in range(2)]
    sending = asyncio.create_task(socket.app.send({"type": "websocket.send", "text": "a"}))  # type: ignore[arg-type]
    await settle()
    assert not any(task.done() for task in (*waiting, sending))
    assert socket.wire.written == b""
    waiting[0].cancel()  # one who waits no longer takes nothing from the others
    await settle()
    writer.resume_writing()
    assert (writer.busy, calls) == (False, [False])
    await asyncio.gather(waiting[1], sending)
    assert socket.wire.frames() == [Frame(Opcode.TEXT, b"a")]


async def test_who_waits_for_room_has_it_once_though_it_is_taken_again(opened: Opened) -> None:
    """As by the subscriptions of a slow connection, which have something new each time."""
    socket = await opened()
    writer = socket.protocol
    writer.drained = writer.pause_writing
    writer.pause_writing()
    waiting = asyncio.create_task(writer.drain())
    await settle()
    writer.resume_writing()
    await settle()
    assert waiting.done()
    assert writer.busy


async def test_who_waits_for_a_client_that_is_gone_waits_no_longer(opened: Opened) -> None:
    socket = await opened()
    socket.protocol.pause_writing()
    waiting = asyncio.create_task(socket.protocol.drain())
    sending = asyncio.create_task(socket.app.send({"type": "websocket.send", "text": "a"}))  # type: ignore[arg-type]
    await settle()
    socket.wire.abort()
    socket.lose(ConnectionResetError())
    await waiting
    with pytest.raises(ClientGone):
        await sending


async def test_a_client_that_reads_nothing_is_cut_off(opened: Opened, clock: Clock) -> None:
    socket = await opened(ws_ping_interval=None)
    socket.wire.unread = 10_000
    socket.protocol.pause_writing()
    for unread in (9_000, 8_999):
        await clock.pass_(STALLED - 1)
        assert not socket.wire.calls
        socket.wire.unread = unread
        await clock.pass_(1)
        assert not socket.wire.calls
    await clock.pass_(STALLED)
    assert socket.wire.calls == ["abort"]


@pytest.mark.parametrize("ends", ["reads", "is gone"])
async def test_nobody_else_is_cut_off(opened: Opened, clock: Clock, ends: str) -> None:
    socket = await opened(ws_ping_interval=None)
    socket.wire.unread = 10_000
    socket.protocol.pause_writing()
    await clock.pass_(STALLED - 1)
    if ends == "reads":
        socket.protocol.resume_writing()
    else:
        socket.lose()
    await clock.pass_(10 * STALLED)
    assert not socket.wire.calls


# Pings


async def test_who_pings_and_does_not_read_is_owed_the_last_pong_only(opened: Opened) -> None:
    socket = await opened()

    def ping(*words: bytes) -> bytes:
        socket.raw(b"".join(client_frame(word, Opcode.PING) for word in words))
        return socket.wire.take()

    assert ping(b"a", b"b") == b"\x8a\x01a\x8a\x01b"
    socket.protocol.pause_writing()
    assert ping(b"c", b"d") == ping(b"e", b"f") == b""
    socket.protocol.resume_writing()
    assert socket.wire.take() == b"\x8a\x01f"
    assert ping(b"g") == b"\x8a\x01g"
    socket.protocol.pause_writing()
    socket.protocol.resume_writing()
    assert socket.wire.take() == b""


async def test_a_client_is_pinged_and_ends_if_it_does_not_answer(opened: Opened, clock: Clock) -> None:
    socket = await opened()
    await clock.pass_(INTERVAL - 1)
    assert socket.wire.written == b""
    for _ in range(3):
        await clock.pass_(1)
        (ping,) = socket.wire.frames()
        assert (ping.opcode, len(ping.data)) == (Opcode.PING, 4)
        socket.say(b"", Opcode.PONG)  # of nobody's ping
        await clock.pass_(TIMEOUT - 1)
        socket.say(bytes(ping.data), Opcode.PONG)
        await clock.pass_(INTERVAL - 1)
        socket.say(bytes(ping.data), Opcode.PONG)  # once more
        assert socket.wire.written == b""
    await clock.pass_(1)
    assert len(socket.wire.frames()) == 1
    socket.say(b"", Opcode.PONG)
    await clock.pass_(TIMEOUT)
    assert closed(*socket.wire.frames()) == Close(1011, "keepalive ping timeout")
    assert socket.wire.calls == ["close"]
    assert (await socket.app.heard())[0]["type"] == "websocket.disconnect"


async def test_pings_go_on_where_nobody_waits_for_an_answer(opened: Opened, clock: Clock) -> None:
    socket = await opened(ws_ping_timeout=None)
    for _ in range(3):
        await clock.pass_(INTERVAL - 1)
        assert socket.wire.written == b""
        await clock.pass_(1)
        (ping,) = socket.wire.frames()
    await clock.pass_(INTERVAL - 1)
    socket.say(bytes(ping.data), Opcode.PONG)
    await clock.pass_(1)
    assert len(socket.wire.frames()) == 1
    assert not socket.wire.calls


@pytest.mark.parametrize(("pinged", "answered"), [(False, False), (True, False), (True, True)])
async def test_a_client_that_reads_slowly_is_not_asked_whether_it_is_there(
    opened: Opened, clock: Clock, pinged: bool, answered: bool
) -> None:
    """A ping would wait behind the text; whoever reads is there."""
    socket = await opened()
    await clock.pass_(INTERVAL if pinged else INTERVAL - 1)
    pings = socket.wire.frames()
    assert len(pings) == pinged
    socket.wire.unread = 200_000
    socket.protocol.pause_writing()
    for ping in pings if answered else ():
        socket.say(bytes(ping.data), Opcode.PONG)
    for _ in range(10):
        await clock.pass_(STALLED - 1)
        socket.wire.unread -= 1_000
        await clock.pass_(1)
    assert (socket.wire.written, socket.wire.calls) == (b"", [])
    socket.protocol.resume_writing()
    await clock.pass_(INTERVAL - 1)
    assert socket.wire.written == b""
    await clock.pass_(1)
    assert [frame.opcode for frame in socket.wire.frames()] == [Opcode.PING]
    await clock.pass_(TIMEOUT)
    assert closed(*socket.wire.frames()) == Close(1011, "keepalive ping timeout")


async def test_a_ping_that_finds_the_client_not_reading_is_not_waited_for(
    opened: Opened, clock: Clock
) -> None:
    socket = await opened()
    write = Wire.write

    def full(wire: Wire, data: Any) -> None:
        write(wire, data)
        wire.unread = 200_000
        socket.protocol.pause_writing()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wire, "write", full)
        await clock.pass_(INTERVAL)
    assert socket.wire.take()
    await clock.pass_(TIMEOUT)
    assert (socket.wire.written, socket.wire.calls) == (b"", [])


async def test_a_pong_that_the_app_keeps_us_from_reading_is_not_missed(opened: Opened, clock: Clock) -> None:
    socket = await opened()
    await clock.pass_(INTERVAL)
    (ping,) = socket.wire.frames()
    socket.say("not taken yet")
    socket.say(bytes(ping.data), Opcode.PONG)
    await clock.pass_(TIMEOUT)
    assert (socket.wire.written, socket.wire.calls) == (b"", [])
    assert await socket.app.heard() == [text("not taken yet")]
    await clock.pass_(INTERVAL)
    assert [frame.opcode for frame in socket.wire.frames()] == [Opcode.PING]


@pytest.mark.parametrize("interval", [None, 0])
async def test_nobody_is_pinged_where_none_is_wanted(
    opened: Opened, clock: Clock, interval: float | None
) -> None:
    socket = await opened(ws_ping_interval=interval)
    await clock.pass_(1000)
    assert socket.wire.written == b""


@pytest.mark.parametrize("before", [2, 0])
async def test_a_socket_that_closes_is_not_pinged_any_more(
    opened: Opened, clock: Clock, before: float
) -> None:
    socket = await opened(ws_ping_interval=2, ws_ping_timeout=3)
    await clock.pass_(before)
    socket.protocol.close(1000, "")
    socket.wire.take()
    await clock.pass_(PARTING - 1)
    assert socket.wire.frames() == []
    socket.lose()
    await clock.pass_(1000)
    assert socket.wire.written == b""


# The end


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1011, 3000, 4400, 4999, None])
async def test_a_client_that_closes_hears_the_same(opened: Opened, code: int | None) -> None:
    socket = await opened()
    said = b"" if code is None else struct.pack("!H", code) + "再见".encode()
    socket.raw(client_frame("before") + client_frame(said, Opcode.CLOSE) + client_frame("behind"))
    assert socket.wire.frames() == [Frame(Opcode.CLOSE, said)]
    assert socket.wire.calls == ["close"]
    assert await socket.app.heard() == [
        text("before"),
        {"type": "websocket.disconnect", "code": code or 1005, "reason": "再见" if code else ""},
    ]
    with pytest.raises(ClientGone):
        await socket.app.send({"type": "websocket.send", "text": "a"})
    socket.lose()
    assert await socket.app.heard() == []


@pytest.mark.parametrize("way", ["writer", "app"])
async def test_a_client_is_given_time_to_close_too(opened: Opened, clock: Clock, way: str) -> None:
    socket = await opened()
    socket.say("not taken yet")
    if way == "writer":
        socket.protocol.close(4400, "no")
    else:
        await socket.app.send({"type": "websocket.close", "code": 4400, "reason": "no"})
    assert closed(*socket.wire.frames()) == Close(4400, "no")
    assert socket.wire.reading
    socket.say("thrown away")
    socket.say(b"a", Opcode.PING)
    assert socket.wire.take() == b"\x8a\x01a"
    socket.app.end.set_result(None)
    await clock.pass_(PARTING - 1)
    assert not socket.wire.calls
    socket.say(struct.pack("!H", 4400), Opcode.CLOSE)
    assert socket.wire.calls == ["close"]
    assert socket.wire.written == b""
    assert await socket.app.heard() == [
        text("not taken yet"),
        {"type": "websocket.disconnect", "code": 4400, "reason": "no"},
    ]


async def test_a_close_without_a_code_is_the_normal_one(opened: Opened) -> None:
    socket = await opened()
    await socket.app.send({"type": "websocket.close"})
    assert closed(*socket.wire.frames()) == Close(1000, "")


@pytest.mark.parametrize("answers", ["nothing", "pings", "pongs", "wrong", "reads nothing"])
async def test_a_client_that_does_not_close_is_cut_off(opened: Opened, clock: Clock, answers: str) -> None:
    socket = await opened()
    await clock.pass_(INTERVAL)
    (ping,) = socket.wire.frames()
    socket.protocol.close(1000, "")
    if answers == "pings":
        socket.say(b"", Opcode.PING)
    elif answers == "pongs":
        socket.say(bytes(ping.data), Opcode.PONG)
    elif answers == "wrong":
        socket.raw(b"\xff" * 100)
    elif answers == "reads nothing":
        socket.protocol.pause_writing()
    await clock.pass_(PARTING)
    assert socket.wire.calls[-1] == "abort"


async def test_much_that_was_unparsed_at_a_close_is_parsed_until_the_answer(opened: Opened) -> None:
    socket = await opened()
    socket.raw(client_frame("x" * 900) * 20 + client_frame(struct.pack("!H", 1000), Opcode.CLOSE))
    socket.protocol.close(1000, "")
    await settle()
    for _ in range(10):
        await settle()
    assert socket.wire.calls == ["close"]
    *_, gone = await socket.app.heard()
    assert gone == {"type": "websocket.disconnect", "code": 1000, "reason": ""}


async def test_both_close_at_once(opened: Opened) -> None:
    """Also where the client closes behind a text that ends the socket."""
    socket = await opened()
    socket.raw(client_frame(b"\xff") + client_frame(struct.pack("!H", 1001), Opcode.CLOSE))
    assert closed(*socket.wire.frames()).code == 1001
    assert socket.wire.calls == ["close"]
    (gone,) = await socket.app.heard()
    assert gone["code"] == 1001


async def test_a_client_that_will_say_nothing_more_is_closed(opened: Opened, clock: Clock) -> None:
    socket = await opened()
    socket.protocol.eof_received()
    assert socket.wire.calls == ["close"]
    await clock.pass_(PARTING)
    assert socket.wire.calls == ["close", "abort"]
    socket.lose()
    assert await socket.app.heard() == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]


@pytest.mark.parametrize("exc", [None, ConnectionResetError()])
async def test_a_client_that_is_gone_without_a_word_is_told_of_once(
    opened: Opened, exc: Exception | None
) -> None:
    socket = await opened()
    assert socket.state.connections == {socket.protocol}
    socket.wire.abort()
    socket.lose(exc)
    assert socket.lost == 1
    assert socket.state.connections == set()
    assert await socket.app.heard() == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]
    with pytest.raises(ClientGone):
        await socket.app.send({"type": "websocket.send", "text": "a"})


async def test_a_client_that_is_gone_in_the_handshake_is_told_of_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    socket = await Socket(App()).shake()
    socket.wire.abort()
    socket.lose()
    assert await socket.app.heard() == [
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1006, "reason": ""},
    ]
    with pytest.raises(ClientGone) as gone:
        await socket.app.send({"type": "websocket.accept"})
    socket.app.end.set_exception(gone.value)
    await settle()
    assert not socket.state.tasks
    assert socket.wire.written == b""
    assert caplog.records == []


@pytest.mark.parametrize("fault", [None, ZeroDivisionError()])
async def test_where_the_app_ends_the_socket_ends(
    opened: Opened, clock: Clock, fault: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    """With the code of a fault, as it should have closed it. What is left to be sent may never be taken."""
    socket = await opened()
    socket.app.end.set_exception(fault) if fault else socket.app.end.set_result(None)
    await settle()
    assert not socket.state.tasks
    assert closed(*socket.wire.frames()) == Close(1011, "")
    assert socket.wire.calls == ["close"]
    assert len(caplog.records) == bool(fault)
    await clock.pass_(PARTING)
    assert socket.wire.calls == ["close", "abort"]


async def test_an_app_that_ends_after_the_client_leaves_no_timer(opened: Opened, clock: Clock) -> None:
    socket = await opened()
    socket.lose()
    socket.app.end.set_result(None)
    await settle()
    await clock.pass_(PARTING)
    assert "abort" not in socket.wire.calls


async def test_a_client_that_closes_in_time_leaves_no_timer(opened: Opened, clock: Clock) -> None:
    socket = await opened()
    socket.protocol.close(1000, "")
    await clock.pass_(1)
    socket.say(struct.pack("!H", 1000), Opcode.CLOSE)
    socket.lose()
    await clock.pass_(2 * PARTING)
    assert socket.wire.calls == ["close"]


@pytest.mark.parametrize("before", ["close", "shutdown"])
async def test_an_app_that_fails_behind_a_close_frame_says_no_second_one(
    opened: Opened, caplog: pytest.LogCaptureFixture, before: str
) -> None:
    socket = await opened()
    socket.protocol.close(4400, "") if before == "close" else socket.protocol.shutdown()
    socket.app.end.set_exception(ZeroDivisionError())
    await settle()
    assert closed(*socket.wire.frames()).code == (4400 if before == "close" else 1012)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("step", ["handshake", "open", "closing", "busy"])
async def test_a_server_that_ends_says_so(opened: Opened, clock: Clock, step: str) -> None:
    socket = await Socket(App()).shake() if step == "handshake" else await opened()
    if step == "closing":
        socket.protocol.close(4400, "no")
        socket.wire.take()
    elif step == "busy":
        socket.protocol.pause_writing()
    socket.protocol.shutdown()
    if step == "handshake":
        assert socket.wire.take().startswith(b"HTTP/1.1 503 ")
    else:
        assert [closed(frame).code for frame in socket.wire.frames()] == [1012] * (step != "closing")
        heard = await socket.app.heard()
        assert [message["code"] for message in heard] == [4400 if step == "closing" else 1012]
    assert "close" in socket.wire.calls
    await clock.pass_(PARTING)
    assert socket.wire.calls[-1] == "abort"


class Watched(FrameProtocol):
    """One that can be seen to be gone."""


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


ENDS: dict[str, Callable[[Socket], None]] = {
    "lost": lambda socket: None,
    "closed": lambda socket: socket.say(b"", Opcode.CLOSE),
    "closing": lambda socket: socket.protocol.close(1000, ""),
    "wrong": lambda socket: socket.raw(b"\xff" * 10),
    "busy": lambda socket: socket.protocol.pause_writing(),
    "pending": lambda socket: socket.raw(client_frame("x" * 900) * 20),
    "refused": lambda socket: socket.protocol.shutdown(),
}


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("end", ENDS)
async def test_a_socket_that_ended_leaves_nothing_for_the_collector(end: str, accepted: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        writer = scope["extensions"][EXTENSION]
        writer.drained = partial(writer.write, b"")
        del writer
        if accepted:
            await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    socket = await Socket(app, kind=Watched).shake()
    left = weakref.ref(socket.protocol), weakref.ref(socket.protocol._ws)
    ENDS[end](socket)
    socket.lose()
    for _ in range(10):
        await settle()
    assert not socket.state.tasks
    socket.wire.protocol = socket.protocol = None
    del socket
    await settle()
    assert [ref() for ref in left] == [None, None]


# What is asked of the libraries below


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("wrong", [False, True])
def test_a_server_protocol_still_holds_itself_until_it_is_parted(wrong: bool) -> None:
    """Once it does not, nobody needs to close its parser or to forget its exception (websockets#1749)."""

    def left(part: Callable[[ServerProtocol], None]) -> bool:
        protocol = ServerProtocol(state=OPEN)
        if wrong:
            protocol.receive_data(b"\xff" * 10)
        part(protocol)
        ref = weakref.ref(protocol)
        del protocol
        return ref() is not None

    def forget(protocol: ServerProtocol) -> None:
        protocol.parser_exc = None

    def both(protocol: ServerProtocol) -> None:
        protocol.parser.close()
        forget(protocol)

    assert left(lambda protocol: None)
    assert left(forget)
    assert left(lambda protocol: protocol.parser.close()) is wrong
    assert not left(both)


def test_the_head_names_all_that_is_asked_of_uvicorn() -> None:
    """What each is needed for is seen in the tests above, and in the next one."""
    named = set(re.findall(r"^    (Config|ServerState)\.(\w+) ", frames.__doc__ or "", re.MULTILINE))
    asked = set()
    for node in ast.walk(ast.parse(Path(frames.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = {"self._config": "Config", "self._server": "ServerState", "config": "Config"}
            if kind := owner.get(ast.unparse(node.value)):
                asked.add((kind, node.attr))
    assert asked == named
    assert len(named) <= 8
    config = uvicorn.Config(lambda: None, log_config=None)
    config.load()
    known = {"Config": config, "ServerState": ServerState()}
    assert all(hasattr(known[kind], name) for kind, name in named)


async def test_a_server_tells_its_connections_that_it_ends_and_waits_for_them_and_their_tasks() -> None:
    app = App()
    config = uvicorn.Config(app, log_config=None, proxy_headers=False)
    config.load()
    server = uvicorn.Server(config)
    server.servers, server.lifespan = [], LifespanOff(config)
    wire = Wire()
    protocol = FrameProtocol(config, server.server_state, lambda: None)
    protocol.take_over(wire, REQUEST, b"/")
    await settle()
    await app.receive()
    await app.send({"type": "websocket.accept"})
    wire.take()
    ending = asyncio.create_task(server.shutdown())
    await settle()
    assert closed(*wire.frames()).code == 1012
    protocol.connection_lost(None)
    await asyncio.wait([ending], timeout=0.3)
    assert not ending.done()
    app.end.set_result(None)
    await asyncio.wait_for(ending, 10)


# A client of somebody else's


async def test_a_stock_client_shakes_hands_speaks_and_closes() -> None:
    """The sans-I/O client of websockets, byte for byte; it would compress, and is not followed."""
    client = ClientProtocol(
        parse_uri("ws://localhost/graphql"), extensions=[ClientPerMessageDeflateFactory()]
    )
    asked = client.connect()
    headers = [(name.lower().encode(), value.encode()) for name, value in asked.headers.raw_items()]
    assert any(name == b"sec-websocket-extensions" for name, _ in headers)
    client.send_request(asked)
    client.data_to_send()
    socket = await Socket(App()).shake(headers=headers)
    await socket.app.receive()
    await socket.app.send({"type": "websocket.accept"})
    client.receive_data(socket.wire.take())
    client.events_received()
    assert (client.handshake_exc, client.state, client.extensions) == (None, State.OPEN, [])
    client.send_text("票".encode())
    client.send_ping(b"a")
    socket.raw(b"".join(client.data_to_send()))
    assert await socket.app.heard() == [text("票")]
    socket.protocol.write("票".encode() * 30_000)
    client.receive_data(socket.wire.take())
    pong, frame = client.events_received()
    assert pong == Frame(Opcode.PONG, b"a")
    assert frame == Frame(Opcode.TEXT, "票".encode() * 30_000)
    client.send_close(4000, "bye")
    socket.raw(b"".join(client.data_to_send()))
    client.receive_data(socket.wire.take())
    client.receive_eof()
    assert (client.state, client.close_code) == (State.CLOSED, 4000)
