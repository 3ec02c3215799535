"""Polls the journal each second, so that changes written elsewhere show within two, also without Redis."""

import logging
import time
from collections.abc import Callable, Iterable

from community.database import journal
from community.repeat import repeat
from community.signals import Signal
from realtime.versions import Versions

EVERY = 1.0
"""Seconds between two polls."""

log = logging.getLogger(__name__)


class JournalPoller:
    """`seen` is how far this process has read, in each community; None before the first poll."""

    def __init__(self, handle: Callable[[Iterable[Signal]], None], versions: Versions | None = None) -> None:
        self._handle, self._versions = handle, versions or Versions()
        self.seen: journal.Heads | None = None

    async def poll(self) -> None:
        """Runs until cancelled. `handle` is the broker's for this process only: every other one polls itself.

        A signal handled twice, from here and from the broker, costs one read.
        """
        await repeat(self._read_on, EVERY, log, "could not read the journal's heads")

    async def _read_on(self) -> None:
        begun = time.monotonic()
        if self.seen is None:
            self.seen = await journal.heads()
            self._versions.saw(self.seen)
        further = True
        while further:
            before = self.seen
            self.seen, signals = await journal.signals_after(before)
            self._versions.saw(self.seen)
            self._handle(signals)
            further = self.seen != before
        self._versions.looked(begun)
