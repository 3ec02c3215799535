"""Sockets by RFC 6455: asyncio towards the network, ASGI towards the app, and between them the sans-I/O
`ServerProtocol` of the websockets library. This file goes through the life of a connection:

    HANDSHAKE ── accepted ──► OPEN ── a close frame, ours or theirs ──► CLOSING ── 10 s at most ──► LOST
        └──────── refused ─────┴───────── the client is gone ─────────────┴────────────────────────┘

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
from enum import Enum
from typing import Any, cast

from starlette.types import Message, Scope
from uvicorn import Config
from uvicorn.server import ServerState
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from api.clock import utc_now
from api.handshake import EXTENSION, Handshake
from api.inbox import Inbox
from realtime.writer import STALLED, text_frame

UNREAD = UNSENT = 4 * 1024
"""Bytes that may wait here for a client that does not read, until its writer is busy; and that the system
takes beyond what is under way (TCP_NOTSENT_LOWAT): left alone it takes megabytes.
"""

SLICE = 2 * 1024
"""Bytes from a client that are parsed in one step of the loop; they may hold 300 frames."""

PARTING = 10.0
"""Seconds in which a client answers a close frame, or takes what is left to be sent."""

log = logging.getLogger(__name__)


class ClientGone(OSError):
    """Raised by `send` when the client is gone, as ASGI asks."""


class Stage(Enum):
    HANDSHAKE, OPEN, CLOSING, LOST = range(4)


HANDSHAKE, OPEN, CLOSING, LOST = Stage  # an attribute of an enum takes as long as a frame
CONT, TEXT, BINARY, _CLOSE, PING, PONG = Opcode


class FrameProtocol(asyncio.Protocol):
    """One socket, and its Writer. It is small: ten thousand of them wait at once.

    What a client sent waits as bytes in `_unparsed` until the app has taken what was parsed before, and then
    in `_inbox`; what we write waits in the transport.
    """

    __slots__ = (
        "_awaited_pong", "_config", "_handshake", "_inbox", "_on_lost", "_owed_pong", "_received_at",
        "_server", "_stage", "_stall_timer", "_timer", "_transport", "_unparsed", "_until_free",
        "_ws", "busy", "drained",
    )  # fmt: skip

    def __init__(self, config: Config, server: ServerState, on_lost: Callable[[], None]) -> None:
        self._config, self._server, self._on_lost, self._stage = config, server, on_lost, HANDSHAKE
        self._ws = ServerProtocol(state=State.OPEN, max_size=config.ws_max_size)
        self._handshake: Handshake | None = None  # until it is answered
        self._unparsed = self._owed_pong = b""
        self._inbox = Inbox()
        self.busy = False
        self.drained: Callable[[], None] | None = None
        self._until_free: asyncio.Future[None] | None = None
        self._awaited_pong: bytes | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None  # what comes next: a ping, its pong, or the end

    # Handshake

    def take_over(self, transport: asyncio.Transport, request: Mapping[str, Any], target: bytes) -> None:
        """Continues a connection behind the head of a handshake, which is not parsed again."""
        self._transport: asyncio.Transport = transport
        self._server.connections.add(cast(Any, self))
        transport.set_protocol(self)
        transport.set_write_buffer_limits(high=UNREAD)
        if (end := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):  # not every socket is one of TCP
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        self._handshake = handshake = Handshake(self._ws, request, target)
        if handshake.refusal:
            self._hang_up(handshake.refusal)
            return
        handshake.scope["extensions"][EXTENSION] = self
        self._inbox.put({"type": "websocket.connect"})
        self._server.tasks.add(task := asyncio.create_task(self._run_app(handshake.scope)))
        task.add_done_callback(self._server.tasks.discard)

    async def _run_app(self, scope: Scope) -> None:
        try:
            await self._config.loaded_app(scope, self.receive, self.send)
        except ClientGone:
            pass
        except Exception:
            log.exception("a socket ended in a fault")
        finally:
            if self._stage in (HANDSHAKE, OPEN):
                self._break_off(500, CloseCode.INTERNAL_ERROR)

    def _answer_handshake(self, handshake: Handshake, message: Message) -> None:
        answer = handshake.answer(message)
        if handshake.accepted:
            self._handshake, self._stage = None, OPEN
            self._transport.write(answer)
            self._ping_later()
            self._parse_more()
        elif answer:
            self._hang_up(answer)

    # Open: what the client says

    def data_received(self, data: bytes) -> None:
        if not self._unparsed:  # else these bytes came just behind them: what is unparsed stops the reading
            self._received_at = utc_now()
        self._unparsed += data
        self._parse_more()

    @property
    def _takes_more(self) -> bool:
        """The app took what there was; what comes while closing is thrown away."""
        return not self._inbox if self._stage is OPEN else self._stage is CLOSING

    def _parse_more(self) -> None:
        """One slice in a step of the loop; when all are parsed the transport reads again."""
        if self._takes_more and not self._transport.is_closing():
            data, self._unparsed = self._unparsed[:SLICE], self._unparsed[SLICE:]
            self._parse(data)
        self._read_on()

    def _read_on(self) -> None:
        if self._transport.is_closing():
            self._unparsed = b""
        elif not self._takes_more:
            self._transport.pause_reading()
        elif not self._unparsed:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._parse_more)

    def _parse(self, data: bytes) -> None:
        self._ws.receive_data(data)
        frames: list[Frame] = self._ws.events_received()  # type: ignore[assignment] # no handshake
        closing = self._answer_pings(frames, self._ws.data_to_send())
        for frame in frames:
            if frame.opcode is PONG and frame.data == self._awaited_pong:
                self._ping_later()
            elif frame.opcode in (TEXT, BINARY, CONT) and self._stage is OPEN:
                try:
                    self._inbox.add_frame(frame, self._received_at)
                except UnicodeDecodeError:
                    self.close(CloseCode.INVALID_DATA, "A text is UTF-8")  # §8.1
        if closing:
            self._answer_close(closing)

    def _answer_pings(self, frames: list[Frame], output: list[bytes]) -> list[bytes]:
        """Writes the pongs, which come first in `output`; returns the rest."""
        pongs = sum(frame.opcode is PING for frame in frames) if output else 0
        if pongs and self.busy:  # it is owed the last pong only (§5.5.3); the others would pile up
            self._owed_pong = output[pongs - 1]
        elif pongs:
            self._transport.write(b"".join(output[:pongs]))
        return output[pongs:]

    # Open: what the app hears and says

    async def receive(self) -> Message:
        message = await self._inbox.take()
        self._read_on()
        return message

    async def send(self, message: Message) -> None:
        """Raises ClientGone, or RuntimeError if ASGI does not allow `message` now."""
        await self.drain()
        if self._transport.is_closing():
            raise ClientGone
        match self._stage, message["type"]:
            case Stage.HANDSHAKE, _:
                self._answer_handshake(cast(Handshake, self._handshake), message)
            case Stage.OPEN, "websocket.close":
                self.close(message.get("code", CloseCode.NORMAL_CLOSURE), message.get("reason") or "")
            case Stage.OPEN, "websocket.send" if (data := message.get("bytes")) is not None:
                self._ws.send_binary(data)
                self._flush()
            case Stage.OPEN, "websocket.send":
                self.write(message["text"].encode())
            case _, kind:
                raise RuntimeError(f"{kind} is not expected now")

    def write(self, text: bytes) -> None:
        if self._stage is OPEN and not self._transport.is_closing():
            self._transport.write(text_frame(text))

    def _flush(self) -> None:
        self._transport.write(b"".join(self._ws.data_to_send()))

    # Open: whether the client reads, and is there

    async def drain(self) -> None:
        if self._until_free is not None:
            await asyncio.shield(self._until_free)

    def pause_writing(self) -> None:
        self.busy = True
        self._until_free = asyncio.get_running_loop().create_future()
        self._cut_off_stalled(sys.maxsize)
        if self._stage is OPEN and self._timer is not None:
            self._timer.cancel()

    def resume_writing(self) -> None:
        self.busy = False
        self._wake_writers()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        self._ping_later()
        if self._owed_pong:
            self._transport.write(self._owed_pong)
            self._owed_pong = b""
        if self.drained is not None:
            self.drained()

    def _wake_writers(self) -> None:
        if self._until_free is not None:
            self._until_free.set_result(None)
            self._until_free = None

    def _cut_off_stalled(self, before: int) -> None:
        """Cuts off a client that reads nothing, not one that reads slowly: a long text may take minutes."""
        if (unread := self._transport.get_write_buffer_size()) < before:
            self._stall_timer = asyncio.get_running_loop().call_later(STALLED, self._cut_off_stalled, unread)
        else:
            self._transport.abort()

    def _ping_later(self) -> None:
        """Not while text is unread, as a ping would wait behind it: whoever reads is there."""
        self._awaited_pong = None
        if self._stage is OPEN and not self.busy and (interval := self._config.ws_ping_interval):
            self._call_later(interval, self._ping)

    def _ping(self) -> None:
        if not self._transport.is_closing():
            data, timeout = secrets.token_bytes(4), self._config.ws_ping_timeout
            self._ping_later()
            if timeout is not None:
                self._awaited_pong = data
                self._call_later(timeout, self._miss_pong)
            self._ws.send_ping(data)
            self._flush()  # may be more than the client reads, which stops the timer

    def _miss_pong(self) -> None:
        if not self._takes_more:  # it may have come, and is not parsed
            self._ping_later()
            return
        self.close(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
        self._hang_up()

    # Closing

    def close(self, code: int, reason: str) -> None:
        if self._stage is OPEN and self._ws.state is State.OPEN and not self._transport.is_closing():
            self._ws.send_close(code, reason)
            self._flush()
            self._begin_closing(code, reason)
            self._read_on()

    def _answer_close(self, output: list[bytes]) -> None:
        """`output`: their close frame back, or one that says what is wrong; nothing if we sent one before."""
        if self._stage is OPEN:
            closing = Close.parse(output[0][2:])  # behind the head of the frame (§5.5.1)
            self._begin_closing(closing.code, closing.reason)
        self._hang_up(b"".join(output))

    def eof_received(self) -> None:
        self._hang_up()

    def shutdown(self) -> None:
        """Called by uvicorn when the server ends."""
        self._break_off(503, CloseCode.SERVICE_RESTART)

    def _break_off(self, status: int, code: int) -> None:
        self.close(code, "")
        self._hang_up(self._handshake.refuse(status) if self._handshake else b"")

    def _hang_up(self, last: bytes = b"") -> None:
        """Closes once `last` is sent, and what waits before it."""
        if last:
            self._transport.write(last)
        self._begin_closing(CloseCode.ABNORMAL_CLOSURE)
        self._transport.close()

    def _begin_closing(self, code: int, reason: str = "") -> None:
        """Tells the app once, and gives the client its time."""
        if self._stage in (HANDSHAKE, OPEN):
            self._stage, self._handshake = CLOSING, None
            self._inbox.put({"type": "websocket.disconnect", "code": code, "reason": reason})
            self._call_later(PARTING, self._transport.abort)

    def _call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Instead of what was to come next."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, call)

    # Lost

    def connection_lost(self, exc: Exception | None) -> None:
        self._begin_closing(CloseCode.ABNORMAL_CLOSURE)
        self._stage, self._unparsed = LOST, b""
        self._server.connections.discard(cast(Any, self))
        self._on_lost()
        self._wake_writers()
        for timer in (self._stall_timer, self._timer):
            if timer is not None:
                timer.cancel()
        # No circle may stay, as the collector looks rarely: the frames of its parser, and of what went wrong
        # in it, hold the ServerProtocol that holds them (websockets#1749). No documented call parts them.
        self._ws.parser.close()
        self._ws.parser_exc = self.drained = None
