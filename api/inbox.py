"""What a client said on a socket: frames, put together to messages, until the app takes them."""

import asyncio
from datetime import datetime

from starlette.types import Message
from websockets.frames import Frame, Opcode

RECEIVED_AT = "meilin.received_at"
"""Where a message for the app says when it came off the wire, however long it waited for the app."""


class Inbox:
    """`_fragments` is what there is of a message that is not whole yet."""

    __slots__ = ("_app_waits", "_fragments", "_is_text", "_messages")

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._fragments: bytearray | None = None
        self._is_text = False
        self._app_waits: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._messages)

    def add_frame(self, frame: Frame, at: datetime) -> None:
        """Raises UnicodeDecodeError if it ends a text that is not UTF-8 (RFC 6455 §8.1)."""
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        message = self._fragments or bytearray()
        message += frame.data
        frame.data = b""  # the parser keeps its last frame until the next one
        self._fragments = None if frame.fin else message
        if frame.fin:
            given = {"text": message.decode()} if self._is_text else {"bytes": bytes(message)}
            self.put({"type": "websocket.receive", RECEIVED_AT: at, **given})

    def put(self, message: Message) -> None:
        self._messages.append(message)
        if self._app_waits is not None and not self._app_waits.done():
            self._app_waits.set_result(None)

    async def take(self) -> Message:
        while not self._messages:
            self._app_waits = asyncio.get_running_loop().create_future()
            await self._app_waits
        return self._messages.pop(0)
