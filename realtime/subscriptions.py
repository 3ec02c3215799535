"""What a group of operations is shown: one execution a step, encoded once for all."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

from community.permissions import Viewer
from realtime.authorization import Access
from realtime.bounds import Counted
from realtime.documents import Document
from realtime.execution import Count, Errors, Executable, encoded, execute, request_id
from realtime.fields import SubscribeRequest
from realtime.journals import KEPT
from realtime.pacing import Turn
from realtime.sources import LiveSources
from realtime.watched import After, Begin, Reader


class Step(NamedTuple):
    """`number` grows from step to step; `text` is what every member is sent after its own prefix, with the
    brace that ends the message.
    """

    number: int
    text: bytes


class SharedSubscription:
    """A document with its variables, executed for all who may see the same.

    `viewer` has the rights of the members, and an account only if there is one member, `alone`. That one
    begins where it says; several begin with the newest items, so that each finds its position among them.
    `opened` is set once it is read from, and then `start` is the number behind which it began. `kept`: how
    many steps a group keeps; one of a state.
    """

    _reader: Reader[Any]

    def __init__(
        self,
        executable: Executable,
        sources: LiveSources,
        count: Count,
        document: Document,
        variables: dict[str, Any],
        key: int,
        viewer: Viewer,
        *,
        alone: bool = False,
        after: After | Begin = Begin.RECENT,
    ) -> None:
        self.document, self.request = document, SubscribeRequest(document.text, variables, None)
        self.access = Access(document.live.declaration, key)
        self.kept = KEPT if document.is_journal else 1
        self.counted: Counted = ()
        self.alone, self.start, self.opened = alone, 0, asyncio.Event()
        self._executable, self._sources, self._count = executable, sources, count
        self._variables, self._key, self._viewer, self._after = variables, key, viewer, after

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        """Each made within a turn. The newest of a state comes again when a read found nothing newer, for
        those who came meanwhile. Raises Ended.
        """
        request_id.set(secrets.token_hex(4))  # not that of whoever came first
        watched = self._sources.watch(self.document.live.declaration, self._key, self._after)
        try:
            async with watched as reader:
                self._reader, self.start = reader, reader.number
                self.opened.set()
                while True:
                    await reader.until_read()
                    await turn.begin()
                    if reader.has_next:
                        text = await self._text_of(reader.take())
                        step = Step(reader.number, text)
                    turn.end()
                    yield step
        finally:
            turn.end()

    async def _text_of(self, value: Any) -> bytes:
        shown = self.document.live.show(value)
        result = await execute(self._executable, self.document.node, self._variables, shown, self._viewer)
        return encoded(self._executable, result, self._count) + b"}"

    def is_newest(self, number: int) -> bool:
        """Whether the step of this number is the newest, as far as is known here."""
        return not self.opened.is_set() or self._reader.is_newest(number)

    async def start_of(self, after: After) -> int:
        """The number of the last step that is not new after that, once it is open. Raises CursorInvalid."""
        return self.start if self.alone else await self._reader.number_after(after)

    def fault(self, error: Exception) -> Errors:
        """The errors that members get after a fault of the server, which is logged."""
        return [self._executable.formatted(error)]
