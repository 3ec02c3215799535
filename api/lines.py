"""The two kinds of lines: one whose server takes finished frames, and one over plain ASGI."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send
from uvicorn._types import HTTPScope, WebSocketScope
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import Protocol

from api.frames_tmp import text_frame
from realtime.writer import Writer as Line

EXTENSION = "meilin.line"
"""Under this name the server's protocol lies in the scope's extensions, as a Line."""

UNREAD = 4 * 1024
"""Bytes that may wait for a client that does not read; then its line is busy."""

UNSENT = 4 * 1024
"""Bytes that the system takes beyond what is under way (TCP_NOTSENT_LOWAT): by itself it takes megabytes,
which a slow line would be shown one by one, long after they were true.
"""

SLICE = 2 * 1024
"""Bytes of what a client says that are looked through in one step of the loop: they may be 300 frames."""

STALLED = 30.0
"""Seconds after which a client that reads nothing at all is cut off."""


def line_of(scope: Scope, receive: Receive, send: Send) -> tuple[Line, Receive]:
    """The line of a socket that is about to be accepted, and what is heard on it."""
    if (line := scope.get("extensions", {}).get(EXTENSION)) is not None:
        return cast(Line, line), receive
    plain = AsgiLine(receive, send)
    return plain, plain.receive


class FrameProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which is also a Line: frames go to the transport without a task or a queue.

    What the handshake needed is let go with it, so that ten thousand who only watch stay small.
    """

    busy = False
    drained: Callable[[], None] | None = None
    _stalled: asyncio.TimerHandle | None = None
    _pong = _unheard = b""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue = _Inbox()  # type: ignore[assignment]
        self.writable = _Gate()  # type: ignore[assignment]

    def take_over(self, transport: asyncio.Transport, asked: HTTPScope, target: bytes) -> None:
        """Goes on after the head of a handshake; stock uvicorn writes it out and parses it again."""
        self.connections.add(self)
        self.transport = transport
        self._keep_little_unsent()
        self.conn.parser = Protocol.parse(self.conn)
        next(self.conn.parser)  # it waits for the first frame
        self.request = _handshake(asked, target)
        self.response = self.conn.accept(self.request)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.scope = self._scope(asked)
            self.queue.put_nowait({"type": "websocket.connect"})
            task = self.loop.create_task(self.run_asgi())
            task.add_done_callback(self.on_task_complete)
            self.tasks.add(task)
        else:
            self.handshake_complete = self.close_sent = True
            self.conn.send_response(self.response)
            transport.write(b"".join(self.conn.data_to_send()))
            transport.close()

    def _scope(self, asked: HTTPScope) -> WebSocketScope:
        path, _, query = self.request.path.partition("?")
        offered = ",".join(self.request.headers.get_all("Sec-WebSocket-Protocol"))
        return {
            "type": "websocket",
            "asgi": {"version": self.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if asked["scheme"] == "https" else "ws",
            "server": asked["server"],
            "client": asked["client"],
            "root_path": asked["root_path"],
            "path": asked["root_path"] + unquote(path),
            "raw_path": (asked["root_path"] + path).encode(),
            "query_string": query.encode(),
            "headers": asked["headers"],
            "subprotocols": [name.strip() for name in offered.split(",")] if offered else [],
            "state": asked["state"],
            "extensions": {"websocket.http.response": {}, EXTENSION: self},  # type: ignore[dict-item]
        }

    def _keep_little_unsent(self) -> None:
        self.transport.set_write_buffer_limits(high=UNREAD)
        if (end := self.transport.get_extra_info("socket")) is not None:
            with suppress(OSError):  # not every socket is one of TCP
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)

    def data_received(self, data: bytes) -> None:
        """Slice by slice, and the next one when what the last one said was taken."""
        if self._unheard:
            self._unheard += data
            self.transport.pause_reading()
        elif len(data) > SLICE:
            self._unheard = data
            self.transport.pause_reading()
            self._hear_more()
        else:
            super().data_received(data)

    def _hear_more(self) -> None:
        if self.transport.is_closing():
            self._unheard = b""
        elif self._unheard and not self.read_paused:
            data, self._unheard = self._unheard[:SLICE], self._unheard[SLICE:]
            super().data_received(data)
            if self._unheard:
                self.loop.call_soon(self._hear_more)
            elif not self.read_paused:
                self.transport.resume_reading()

    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            if self._unheard:
                self.loop.call_soon(self._hear_more)
            else:
                self.transport.resume_reading()
        return message

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.accept" and not self.handshake_complete:
            self._accept(message.get("subprotocol"))
        else:
            await super().send(message)
            if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
                self.handshake_complete = True  # else a fault if it is closing already

    def _accept(self, subprotocol: str | None) -> None:
        """As uvicorn does, but for a line of its log, which takes a tenth of all that a handshake does."""
        if self.disconnected:
            raise ClientDisconnected
        if subprotocol:
            self.response.headers["Sec-WebSocket-Protocol"] = subprotocol
        self.handshake_complete = True
        self.conn.send_response(self.response)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.start_keepalive()
        self.scope.clear()  # type: ignore[attr-defined]
        del self.request, self.response

    def handle_text(self, event: Frame) -> None:
        super().handle_text(event)
        event.data = b""  # the parser keeps the last frame until the next one

    def send_receive_event_to_app(self) -> None:
        """Text that is none ends the line (§8.1); stock uvicorn would also fill the log with it."""
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.close(1007, "A text is UTF-8")
        else:
            super().send_receive_event_to_app()

    def write(self, text: bytes) -> None:
        transport = self.transport
        if not (self.close_sent or transport.is_closing()):
            transport.write(text_frame(text))

    async def drain(self) -> None:
        await self.writable.wait()

    def close(self, code: int, reason: str) -> None:
        if self.close_sent or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        try:
            self.conn.send_close(code, reason)
        except InvalidState:  # the client was first
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.loop.call_soon(self._hear_more)
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def handle_ping(self) -> None:
        """Who pings and does not read is owed the last pong only (§5.5.3); the others would pile up."""
        if pongs := self.conn.data_to_send():
            if self.busy:
                self._pong = pongs[-1]
            else:
                self.transport.write(b"".join(pongs))

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.disconnected and self.close_timer is None:
            # What is left to be sent may never be taken.
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.busy = True
        self._rest()
        self._give_time(self.transport.get_write_buffer_size())

    def _give_time(self, unread: int) -> None:
        """As long as it reads at all: on a slow line a long text takes minutes."""
        self._stalled = self.loop.call_later(STALLED, self._look_at, unread)

    def _look_at(self, unread: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left < unread:
            self._give_time(left)
        else:
            self.transport.abort()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._rest()
        self.busy = False
        if self._pong:
            self.transport.write(self._pong)
            self._pong = b""
        if self.drained:
            self.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        self._unheard = b""
        super().connection_lost(exc)
        # What holds itself would wait for the collector, which looks rarely.
        self.conn.parser.close()
        self.drained = None

    def _rest(self) -> None:
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None


def _handshake(asked: HTTPScope, target: bytes) -> Request:
    """With the headers of one: the others may be many."""
    headers = Headers()
    for name, value in asked["headers"]:
        if name.startswith(b"sec-websocket-") or name in (b"connection", b"upgrade"):
            headers[name.decode()] = value.decode("latin-1")
    return Request(target.decode("ascii"), headers, asked["method"])


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Inbox:
    """What uvicorn asks of its queue, for one reader, and empty it is small."""

    __slots__ = ("_messages", "_reader")

    def __init__(self) -> None:
        self._messages: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        self._messages.append(message)
        if self._reader and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Any:
        while not self._messages:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._messages.pop(0)

    def empty(self) -> bool:
        return not self._messages


class _Gate:
    """What uvicorn asks of its event, and open it is small."""

    __slots__ = ("_opening",)

    def __init__(self) -> None:
        self._opening: asyncio.Future[None] | None = None

    def clear(self) -> None:
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_future()

    def set(self) -> None:
        if self._opening is not None:
            if not self._opening.done():
                self._opening.set_result(None)
            self._opening = None

    async def wait(self) -> None:
        while self._opening is not None:
            await asyncio.shield(self._opening)


class AsgiLine:
    """A line on any server: one message under way at a time, the server says when it is through."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._waiting: deque[Any] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._closed = False
        self._stalled: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.drained: Callable[[], None] | None = None

    @property
    def busy(self) -> bool:
        return self._sender is not None

    def write(self, text: bytes) -> None:
        self._put({"type": "websocket.send", "text": text.decode()})

    def close(self, code: int, reason: str) -> None:
        self._put({"type": "websocket.close", "code": code, "reason": reason})
        self._closed = True

    async def receive(self) -> Any:
        """What the client says; who does not read is as good as gone, whatever the server thinks."""
        said: asyncio.Future[Any] = asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait({said, self._stalled}, return_when=asyncio.FIRST_COMPLETED)
            return said.result() if said.done() else {"type": "websocket.disconnect", "code": 1006}
        finally:
            said.cancel()

    def _put(self, message: Any) -> None:
        if not self._closed:
            self._waiting.append(message)
            if self._sender is None:
                self._sender = asyncio.create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        try:
            async with asyncio.timeout(None) as patience:
                while self._waiting:
                    patience.reschedule(asyncio.get_running_loop().time() + STALLED)
                    await self._send(self._waiting.popleft())
        except TimeoutError:
            self._closed = True
            self._stalled.set_result(None)
        except Exception:  # the client is gone; the server says so to whoever receives
            self._closed = True
        finally:
            self._sender = None
        if self.drained and not self._closed:
            self.drained()

    async def drain(self) -> None:
        if self._sender is not None:
            await asyncio.shield(self._sender)
