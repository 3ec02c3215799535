"""Looks at the journal's head each second, so that changes written elsewhere show within two."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from community.signals import Signal

EVERY = 1.0

log = logging.getLogger(__name__)


class JournalPoller:
    """`seen`: the number of the last change this process looked at; None before the first look."""

    def __init__(
        self,
        head: Callable[[], Awaitable[int]],
        signals_after: Callable[[int], Awaitable[tuple[int, list[Signal]]]],
        handle: Callable[[Iterable[Signal]], None],
    ) -> None:
        self._head, self._signals_after, self._handle = head, signals_after, handle
        self.seen: int | None = None

    async def poll(self) -> None:
        """Runs until cancelled; `handle` is for this process, as every other one looks for itself.

        An outage is told once. A signal heard twice, here and from the broker, costs one read.
        """
        away = False
        while True:
            try:
                if self.seen is None:
                    self.seen = await self._head()
                while await self._further(self.seen):
                    pass
                away = False
            except Exception:
                if not away:
                    log.exception("could not read the journal's head")
                away = True
            await asyncio.sleep(EVERY)

    async def _further(self, seen: int) -> bool:
        """Whether there was anything beyond `seen`."""
        self.seen, signals = await self._signals_after(seen)
        self._handle(signals)
        return self.seen > seen
