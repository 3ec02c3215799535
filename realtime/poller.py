"""Polls the journal each second, so that changes written elsewhere show within two, also without Redis."""

import logging
import time
from collections.abc import Callable, Iterable

from community.database import journal
from community.repeat import repeat
from community.signals import Signal
from realtime.broker import call_each
from realtime.versions import Versions

EVERY = 1.0
"""Seconds between two polls."""

log = logging.getLogger(__name__)


class JournalPoller:
    """`seen` is how far this process has read, in each community; None before the first resync.

    `dispatch` is the broker's for this process only: every other one polls itself. `resyncs` are called when
    the heads are first known: nobody tells of what was written before, maybe after what is shown was read.
    """

    def __init__(self, dispatch: Callable[[Iterable[Signal]], None], *resyncs: Callable[[], None]) -> None:
        self._dispatch, self._resyncs = dispatch, resyncs
        self.versions = Versions()
        self.seen: journal.Heads | None = None

    async def poll(self) -> None:
        """Runs until cancelled."""
        await repeat(self._poll_once, EVERY, log, "could not read the journal's heads")

    def pass_over(self, written: journal.Written) -> None:
        """Called with rows whose signals this process has published. Where they come next they are not read:
        for one change rights are read once, and so is what is watched.
        """
        self.versions.saw({community: numbers[-1] for community, numbers in written.items()})
        if self.seen is None:
            return
        for community, numbers in written.items():
            next_here = self.seen.get(community, 0) + 1
            if numbers[0] == next_here:
                self.seen = {**self.seen, community: numbers[-1]}  # whoever looks just now has his own

    async def _poll_once(self) -> None:
        begun = time.monotonic()
        if self.seen is None:
            heads = await journal.heads()
            self.versions.saw(heads)
            call_each(self._resyncs)
            self.seen = heads
        further = True
        while further:
            before = self.seen
            self.seen, signals = await journal.signals_after(before)
            self.versions.saw(self.seen)
            self._dispatch(signals)
            further = self.seen != before
        self.versions.looked(begun)
