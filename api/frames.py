"""Sockets by RFC 6455: asyncio towards the network, ASGI towards the app, and between them the sans-I/O
`ServerProtocol` of the websockets library.

Of uvicorn this module asks for these names, each of which has a test:

    Config.loaded_app           the app
    Config.ws_max_size          bytes of a message, in however many frames
    Config.ws_ping_interval     seconds between two pings
    Config.ws_ping_timeout      seconds for a pong
    ServerState.connections     on each of these `shutdown` is called when the server ends
    ServerState.tasks           which the server awaits before it ends

Of websockets it asks for what is documented, and in `connection_lost` for two names more.
"""

import asyncio
import logging
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, cast

from starlette.types import Message, Scope
from uvicorn import Config
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from api.handshake import Handshake
from realtime.writer import STALLED, text_frame

EXTENSION = "meilin.writer"
"""The extension of the ASGI scope that holds the protocol, as a Writer."""

UNREAD = 4 * 1024
"""Bytes that may wait for a client that does not read; with more its writer is busy."""

UNSENT = 4 * 1024
"""Bytes that the system takes beyond what is under way (TCP_NOTSENT_LOWAT); left alone it takes megabytes."""

SLICE = 2 * 1024
"""Bytes from a client that are parsed in one step of the loop; they may hold 300 frames."""

CLOSING = 10.0
"""Seconds in which a client answers a close frame, or takes what is left to be sent."""

log = logging.getLogger(__name__)


class ClientGone(OSError):
    """Raised by `send` when the client is gone, as ASGI asks."""


class FrameProtocol(asyncio.Protocol):
    """One socket, and its Writer. It is small: ten thousand of them wait at once."""

    __slots__ = (
        "_awaited_pong", "_close_timer", "_config", "_connections", "_emptied", "_fragments", "_handshake",
        "_inbox", "_is_text", "_on_lost", "_open", "_owed_pong", "_ping_timer", "_reader", "_stall_timer",
        "_tasks", "_transport", "_unparsed", "_untaken", "_ws", "busy", "drained",
    )  # fmt: skip

    def __init__(self, config: Config, server: ServerState, on_lost: Callable[[], None]) -> None:
        self._config, self._on_lost = config, on_lost
        self._connections, self._tasks = cast(set[Any], server.connections), server.tasks
        self._ws = ServerProtocol(state=State.OPEN, max_size=config.ws_max_size)
        self._transport: asyncio.Transport
        self._handshake: Handshake | None = None  # until it is answered
        self._open = self._is_text = self._untaken = False
        self._unparsed = self._owed_pong = b""
        self._fragments: bytearray | None = None
        self._inbox: list[Message] = []
        self._reader: asyncio.Future[None] | None = None
        self.busy = False
        self.drained: Callable[[], None] | None = None
        self._emptied: asyncio.Future[None] | None = None
        self._awaited_pong: bytes | None = None
        self._ping_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._close_timer: asyncio.TimerHandle | None = None

    # The handshake

    def take_over(self, transport: asyncio.Transport, request: Mapping[str, Any], target: bytes) -> None:
        """Continues a connection behind the head of a handshake, which is not parsed again."""
        self._transport = transport
        self._connections.add(self)
        transport.set_protocol(self)
        transport.set_write_buffer_limits(high=UNREAD)
        if (end := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):  # not every socket is one of TCP
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        self._handshake = handshake = Handshake(self._ws, request, target)
        if handshake.refusal:
            self._refuse(handshake.refusal)
            return
        handshake.scope["extensions"][EXTENSION] = self
        self._put({"type": "websocket.connect"})
        task = asyncio.get_running_loop().create_task(self._run_app(handshake.scope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_app(self, scope: Scope) -> None:
        try:
            await self._config.loaded_app(scope, self.receive, self.send)
        except ClientGone:
            pass
        except Exception:
            log.exception("a socket ended in a fault")
        finally:
            if self._handshake is not None:
                self._refuse(self._handshake.refuse(500))
            if self._close_timer is None:
                self._hang_up()

    def _refuse(self, answer: bytes) -> None:
        self._transport.write(answer)
        self._handshake = None
        self._put({"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE})
        self._hang_up()

    # From the network

    def data_received(self, data: bytes) -> None:
        if self._unparsed:
            self._unparsed += data
            self._transport.pause_reading()
        elif len(data) > SLICE or self._handshake is not None:
            self._unparsed = data
            self._transport.pause_reading()
            self._parse_more()
        else:
            self._parse(data)

    def _parse_more(self) -> None:
        """One slice, unless the app has yet to take what the last one said."""
        if self._transport.is_closing():
            self._unparsed = b""
        elif self._unparsed and not self._untaken and self._handshake is None:
            data, self._unparsed = self._unparsed[:SLICE], self._unparsed[SLICE:]
            self._parse(data)
            if not self._untaken:
                self._read_on()

    def _read_on(self) -> None:
        if self._unparsed:
            asyncio.get_running_loop().call_soon(self._parse_more)
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    def _parse(self, data: bytes) -> None:
        self._ws.receive_data(data)
        frames, output = cast(list[Frame], self._ws.events_received()), self._ws.data_to_send()
        if pongs := sum(frame.opcode is Opcode.PING for frame in frames):
            if self.busy:  # it is owed the last pong only (§5.5.3); the others would pile up
                self._owed_pong = output[pongs - 1]
            else:
                self._transport.write(b"".join(output[:pongs]))
        for frame in frames:
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._receive_frame(frame)
            elif frame.opcode is Opcode.PONG:
                self._receive_pong(frame.data)
        if last := output[pongs:]:
            # The same close frame as came, or one that says what is wrong, or none if one was sent before.
            self._finish(last)

    def _finish(self, output: list[bytes]) -> None:
        if self._open:
            self._open, closing = False, output[0][2:]  # the code, and the reason (§5.5.1)
            code = int.from_bytes(closing[:2], "big") if closing else CloseCode.NO_STATUS_RCVD
            self._put({"type": "websocket.disconnect", "code": code, "reason": closing[2:].decode()})
            self._transport.write(b"".join(output))
        self._hang_up()

    def _receive_frame(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        message = self._fragments or bytearray()
        message += frame.data
        frame.data = b""  # the parser keeps its last frame until the next one
        self._fragments = None if frame.fin else message
        if not (frame.fin and self._open):
            return
        try:
            given = {"text": message.decode()} if self._is_text else {"bytes": bytes(message)}
        except UnicodeDecodeError:
            self.close(CloseCode.INVALID_DATA, "A text is UTF-8")  # §8.1
            return
        self._put({"type": "websocket.receive", **given})
        if not self._untaken:
            self._untaken = True  # until the app takes it, no more is read
            self._transport.pause_reading()

    def eof_received(self) -> None:
        self._hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._on_lost()
        if self._open or self._handshake is not None:
            self._put({"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE})
        self._open, self._handshake, self._unparsed = False, None, b""
        self._free_writers()
        for timer in (self._stall_timer, self._ping_timer, self._close_timer):
            if timer is not None:
                timer.cancel()
        # No circle may stay, as the collector looks rarely: the frames of its parser, and of what went wrong
        # in it, hold the ServerProtocol that holds them (websockets#1749). No documented call parts them.
        self._ws.parser.close()
        self._ws.parser_exc = self.drained = None

    # ASGI

    def _put(self, message: Message) -> None:
        self._inbox.append(message)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def receive(self) -> Message:
        while not self._inbox:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        message = self._inbox.pop(0)
        if self._untaken and not self._inbox:
            self._untaken = False
            self._read_on()
        return message

    async def send(self, message: Message) -> None:
        """Raises ClientGone, or RuntimeError if ASGI does not allow `message` now."""
        await self.drain()
        if self._transport.is_closing():
            raise ClientGone
        kind = message["type"]
        if (handshake := self._handshake) is not None:
            answer = handshake.answer(message)
            if handshake.accepted:
                handshake.scope.clear()
                self._handshake, self._open = None, True
                self._transport.write(answer)
                self._ping_later()
                self._parse_more()
            elif answer:
                self._refuse(answer)
        elif self._open and kind == "websocket.close":
            self.close(message.get("code", CloseCode.NORMAL_CLOSURE), message.get("reason") or "")
        elif not self._open or kind != "websocket.send":
            raise RuntimeError(f"{kind} is not expected now")
        elif (data := message.get("bytes")) is not None:
            self._ws.send_binary(data)
            self._transport.write(b"".join(self._ws.data_to_send()))
        else:
            self.write(message["text"].encode())

    # To the network

    def write(self, text: bytes) -> None:
        if self._open and not self._transport.is_closing():
            self._transport.write(text_frame(text))

    def close(self, code: int, reason: str) -> None:
        if not self._open or self._ws.state is not State.OPEN or self._transport.is_closing():
            return
        self._open = False
        self._put({"type": "websocket.disconnect", "code": code, "reason": reason})
        self._ws.send_close(code, reason)
        self._transport.write(b"".join(self._ws.data_to_send()))
        self._abort_later()
        self._untaken = False  # what the client says until it answers is thrown away
        self._read_on()

    def shutdown(self) -> None:
        """Called by uvicorn when the server ends."""
        if self._handshake is not None:
            self._refuse(self._handshake.refuse(503))
        self.close(CloseCode.SERVICE_RESTART, "")
        self._hang_up()

    def _hang_up(self) -> None:
        """Closes after the rest is sent."""
        self._transport.close()
        self._abort_later()

    def _abort_later(self) -> None:
        if self._close_timer is None and self in self._connections:
            self._close_timer = asyncio.get_running_loop().call_later(CLOSING, self._transport.abort)

    async def drain(self) -> None:
        while self._emptied is not None:
            await asyncio.shield(self._emptied)

    def _free_writers(self) -> None:
        if self._emptied is not None:
            self._emptied.set_result(None)
            self._emptied = None

    def pause_writing(self) -> None:
        self.busy = True
        self._emptied = asyncio.get_running_loop().create_future()
        self._cut_off_stalled(sys.maxsize)

    def resume_writing(self) -> None:
        self.busy = False
        self._free_writers()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        if self._owed_pong:
            self._transport.write(self._owed_pong)
            self._owed_pong = b""
        if self.drained is not None:
            self.drained()

    def _cut_off_stalled(self, before: int) -> None:
        """Cuts off a client that reads nothing, not one that reads slowly: a long text may take minutes."""
        if (unread := self._transport.get_write_buffer_size()) < before:
            self._stall_timer = asyncio.get_running_loop().call_later(STALLED, self._cut_off_stalled, unread)
        else:
            self._transport.abort()

    # Pings

    def _ping_later(self) -> None:
        if interval := self._config.ws_ping_interval:
            self._ping_timer = asyncio.get_running_loop().call_later(interval, self._ping)

    def _ping(self) -> None:
        if not self._open or self._transport.is_closing():
            return
        self._awaited_pong = secrets.token_bytes(4)
        self._ws.send_ping(self._awaited_pong)
        self._transport.write(b"".join(self._ws.data_to_send()))
        if (timeout := self._config.ws_ping_timeout) is None:
            self._ping_later()
        else:
            self._ping_timer = asyncio.get_running_loop().call_later(timeout, self._miss_pong)

    def _receive_pong(self, data: bytes | bytearray | memoryview) -> None:
        if data == self._awaited_pong and self._ping_timer and self._config.ws_ping_timeout is not None:
            self._awaited_pong = None
            self._ping_timer.cancel()
            self._ping_later()

    def _miss_pong(self) -> None:
        self._ws.fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
        self._finish(self._ws.data_to_send())
