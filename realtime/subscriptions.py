"""What a group of operations is shown: one execution a step, encoded once for all."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from typing import Any, NamedTuple

from community.permissions import Viewer
from realtime.authorization import Access
from realtime.bounds import Counted
from realtime.documents import Document
from realtime.executable import Executable
from realtime.execution import Errors, encoded, execute
from realtime.fields import SubscribeRequest
from realtime.journals import KEPT
from realtime.pacing import Turn
from realtime.request_id import request_id
from realtime.sources import LiveSources
from realtime.watched import After, Begin, Reader, Start

Count = Callable[[Errors], None]
"""Called with the errors beside the data of a step."""


class Step(NamedTuple):
    """`number` grows from step to step; `text` is what every member is sent after its own prefix, with the
    brace that ends the message.
    """

    number: int
    text: bytes


class BoundDocument(NamedTuple):
    """A document with its variables by their names in its text, the key that they name, and for whom it is
    executed.
    """

    document: Document
    variables: dict[str, Any]
    key: int
    viewer: Viewer


class SharedSubscription:
    """A document executed for all who may see the same. Its viewer has the rights of the members, and an
    account only if there is one member, `alone`. That one begins where it says; several begin with the newest
    items, so that each finds its position among them.
    """

    kept: int
    """How many steps a group keeps; one of a state."""

    counted: Counted
    """Under what the bounds count it."""

    opened: asyncio.Event
    """Set once it is read from, or has ended."""

    start: int
    """Once it is read from, the number of the step behind which it began."""

    _reader: Reader[Any]

    def __init__(
        self,
        executable: Executable,
        sources: LiveSources,
        count: Count,
        bound: BoundDocument,
        counted: Counted = (),
        *,
        alone: bool = False,
        begin: Start = Begin.RECENT,
    ) -> None:
        self.document, self._variables, self._key, self._viewer = bound
        self.request = SubscribeRequest(self.document.text, self._variables, None)
        self.access = Access(self.document.live.declaration, self._key)
        self.kept = KEPT if self.document.is_journal else 1
        self.counted, self.alone, self._begin = counted, alone, begin
        self.opened, self.start = asyncio.Event(), 0
        self._executable, self._sources, self._count = executable, sources, count

    async def _text_of(self, value: Any) -> bytes:
        shown = self.document.live.show(value)
        result = await execute(self._executable, self.document.node, self._variables, shown, self._viewer)
        payload, errors = encoded(self._executable, result)
        if errors:
            self._count(errors)
        return payload + b"}"

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        """Each made within a turn. The newest of a state comes again when a read found nothing newer, for
        those who came meanwhile. Raises Ended.
        """
        request_id.set(secrets.token_hex(4))  # not that of whoever came first
        watched = self._sources.watch(self.document.live.declaration, self._key, self._begin)
        try:
            async with watched as reader:
                self._reader, self.start = reader, reader.number
                self.opened.set()
                while True:
                    await reader.until_read()
                    await turn.begin()
                    if reader.has_next:  # as it always has at first
                        text = await self._text_of(reader.take())
                        step = Step(reader.number, text)
                    turn.end()
                    yield step
        finally:
            turn.end()

    def is_newest(self, number: int) -> bool:
        """Whether the step of this number is the newest, as far as is known here."""
        return not self.opened.is_set() or self._reader.is_newest(number)

    async def start_of(self, after: After) -> int:
        """The number of the last step that is not new after that, once it is open. Raises CursorInvalid."""
        return self.start if self.alone else await self._reader.number_after(after)

    def fault(self, error: Exception) -> Errors:
        """The errors that members get after a fault of the server, which is logged."""
        return [self._executable.formatted(error)]
