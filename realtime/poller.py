"""Polls the journal each second, so that changes written elsewhere show within two, also without Redis."""

import logging
from collections.abc import Callable, Iterable

from community.database import journal
from community.repeat import repeat
from community.signals import Signal

EVERY = 1.0
"""Seconds between two polls."""

log = logging.getLogger(__name__)


class JournalPoller:
    """`seen` is how far this process has read, in each community; None before the first poll."""

    def __init__(self, handle: Callable[[Iterable[Signal]], None]) -> None:
        self._handle = handle
        self.seen: journal.Heads | None = None

    async def poll(self) -> None:
        """Runs until cancelled. `handle` is the broker's for this process only: every other one polls itself.

        A signal handled twice, from here and from the broker, costs one read.
        """
        await repeat(self._read_on, EVERY, log, "could not read the journal's heads")

    async def _read_on(self) -> None:
        if self.seen is None:
            self.seen = await journal.heads()
        further = True
        while further:
            before = self.seen
            self.seen, signals = await journal.signals_after(before)
            self._handle(signals)
            further = self.seen != before
