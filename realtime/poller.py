"""Polls the journal each second, so that changes written elsewhere show within two, also without Redis."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from community.repeat import repeat
from community.signals import Signal

EVERY = 1.0
"""Seconds between two polls."""

log = logging.getLogger(__name__)


class JournalPoller:
    """`seen` is the number of the last change that this process has read, None before the first poll."""

    def __init__(
        self,
        head: Callable[[], Awaitable[int]],
        signals_after: Callable[[int], Awaitable[tuple[int, list[Signal]]]],
        handle: Callable[[Iterable[Signal]], None],
    ) -> None:
        self._head, self._signals_after, self._handle = head, signals_after, handle
        self.seen: int | None = None

    async def poll(self) -> None:
        """Runs until cancelled. `handle` is the broker's for this process only: every other one polls itself.

        A signal handled twice, from here and from the broker, costs one read.
        """
        await repeat(self._read_on, EVERY, log, "could not read the journal's head")

    async def _read_on(self) -> None:
        if self.seen is None:
            self.seen = await self._head()
        further = True
        while further:
            before = self.seen
            self.seen, signals = await self._signals_after(before)
            self._handle(signals)
            further = self.seen > before
