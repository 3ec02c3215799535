"""The Writer of a socket: the server's own, or one over plain ASGI."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from starlette.types import Message, Receive, Scope, Send

from api.clock import utc_now
from api.handshake import EXTENSION
from api.inbox import RECEIVED_AT
from realtime.writer import STALLED, Writer


def writer_of(scope: Scope, receive: Receive, send: Send) -> tuple[Writer, Receive]:
    """The writer of a socket that is about to be accepted, and what receives from it."""
    if (writer := scope.get("extensions", {}).get(EXTENSION)) is not None:
        return cast(Writer, writer), receive
    plain = AsgiWriter(receive, send)
    return plain, plain.receive


class AsgiWriter:
    """A writer on any server: one message under way at a time, the server says when it is through. It
    receives one ahead, to know when that one came.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._waiting: deque[Message] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._next: asyncio.Task[Message] | None = None
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

    async def receive(self) -> Message:
        """What the client says. One that does not read is as good as gone, whatever the server thinks."""
        next_, self._next = self._next or asyncio.create_task(self._receive_next()), None
        try:
            await asyncio.wait({next_, self._stalled}, return_when=asyncio.FIRST_COMPLETED)
            if not next_.done():
                return {"type": "websocket.disconnect", "code": 1006}
        finally:
            next_.cancel()
        message = next_.result()
        if message["type"] == "websocket.receive":
            self._next = asyncio.create_task(self._receive_next())
        return message

    async def _receive_next(self) -> Message:
        message = await self._receive()
        return {**message, RECEIVED_AT: utc_now()}

    def _put(self, message: Message) -> None:
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
