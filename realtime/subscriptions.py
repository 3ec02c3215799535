"""What a group of operations is shown: one execution a step, encoded once for all."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Hashable
from typing import Any, NamedTuple

from community.live import Journal
from community.permissions import Viewer
from realtime.authorization import Access
from realtime.documents import Document
from realtime.execution import Count, Errors, Executable, encoded, execute, request_id
from realtime.fields import SubscribeRequest
from realtime.journals import KEPT, JournalReader
from realtime.pacing import Turn
from realtime.sources import LiveSources, Reader
from realtime.states import StateReader


class Step(NamedTuple):
    """`number` grows from step to step; `text` is what every member is sent after its own prefix, with the
    brace that ends the message.
    """

    number: int
    text: bytes


class SharedSubscription:
    """A document with its variables, executed for all who may see the same.

    `viewer` has the rights of the members, and an account only if there is one member, `alone`. That one
    begins after `after`, a number or a cursor, or with new items; several members begin with the newest
    items, so that each finds its position among them. `opened` is set once it is read from, `start` is the
    number behind which. `kept`: how many steps a group keeps; one of a state.
    """

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
        after: int | str | None = None,
    ) -> None:
        self.document, self.request = document, SubscribeRequest(document.text, variables, None)
        self.access = Access(document.live.declaration, key)
        self.kept = KEPT if document.is_journal else 1
        self.counted_under: tuple[Hashable, ...] = ()
        self.alone, self.start, self.opened = alone, 0, asyncio.Event()
        self._executable, self._sources, self._count = executable, sources, count
        self._variables, self._key, self._viewer, self._after = variables, key, viewer, after
        self._reader: Reader | None = None

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        """Each made within a turn. The newest of a state comes again when a read found nothing newer, for
        those who came meanwhile. Raises Ended.
        """
        request_id.set(secrets.token_hex(4))  # not that of whoever came first
        declaration, after = self.document.live.declaration, self._after
        try:
            if isinstance(declaration, Journal) and not self.alone:
                after = await declaration.recent(self._key)
            async with self._sources.watch(declaration, self._key, after) as reader:
                self._reader, self.start = reader, reader.number
                self.opened.set()
                while True:
                    await reader.until_read()
                    await turn.begin()
                    if reader.has_more:
                        text = await self._shown(await anext(reader))
                        step = Step(reader.number, text + b"}")
                    turn.end()
                    yield step
        finally:
            turn.end()

    async def _shown(self, value: Any) -> bytes:
        shown = self.document.live.show(value)
        result = await execute(self._executable, self.document.node, self._variables, shown, self._viewer)
        return encoded(self._executable, result, self._count)

    def fault(self, error: Exception) -> Errors:
        """The errors that members get after a fault of the server, which is logged."""
        return [self._executable.formatted(error)]

    def newest(self, number: int) -> bool:
        """Whether the step of this number is the newest, as far as is known here. Of a journal every step
        counts, whatever comes behind it.
        """
        reader = self._reader
        return not isinstance(reader, StateReader) or (reader.newest and number == reader.number)

    async def start_of(self, after: int | str | None) -> int:
        """The number behind which a reader begins who has seen all up to `after`, once it is open. Raises
        CursorInvalid.
        """
        assert isinstance(self._reader, JournalReader)  # noqa: S101 - a state has no cursor
        return self.start if self.alone else await self._reader.shared.number_after(after)
