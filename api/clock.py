"""The one clock: rules and actions get their instant from their caller.

Between two looks at the time of day it goes on by a clock that nobody sets and that counts suspend. A time
of day that jumps moves nothing here: until a minute has passed without another jump, time goes on as it was
last agreed, and what cannot be undone rests. Then the time of day is believed again, whatever it says.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from community.database import journal
from community.database.sql import server_time
from community.repeat import repeat

TOLERANCE = 2.0
"""Seconds by which the time of day may differ from the monotonic clock, within AGREEMENT."""

AGREEMENT = 60.0
"""Seconds without a difference after which the time of day is believed again."""

EVERY = 1.0

QUICK = 1.0
"""Seconds that a comparison may take; a slower answer may be too old."""

log = logging.getLogger(__name__)


def unset() -> float:
    """Seconds of a monotonic clock that goes on in suspend (CLOCK_BOOTTIME on Linux)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def time_of_day() -> float:
    """Seconds since 1970, as the machine has them."""
    return time.time()


class Clock:
    """Gives the machine's time until it is first compared."""

    def __init__(
        self, time_of_day: Callable[[], float] = time_of_day, unset: Callable[[], float] = unset
    ) -> None:
        self.time_of_day, self.unset = time_of_day, unset
        self.forget()

    def forget(self) -> None:
        """Starts anew, as before the first comparison."""
        self._offset: float | None = None
        self._seen: deque[tuple[float, float]] = deque()
        self._differed_at: float | None = None

    def now(self) -> datetime:
        seconds = self.time_of_day() if self._offset is None else self._offset + self.unset()
        return datetime.fromtimestamp(seconds, UTC)

    @property
    def compared(self) -> bool:
        return self._offset is not None

    @property
    def doubtful(self) -> bool:
        """Whether the time is in doubt; then nothing irrevocable is done."""
        return not self.compared or self._differed_at is not None

    def compare(self, seconds: float, at: float, unsure: float = 0.0, newest: float = 0.0) -> None:
        """Records that the time of day was `seconds`, give or take `unsure`, at `at` of the monotonic clock.

        `newest`: the latest instant that was written before the first comparison. A time of day behind it is
        in doubt from the beginning, and until it is believed time goes on from `newest`.
        """
        offset = seconds - at
        if self._offset is None:
            self._offset = max(offset, newest - at)
            self._seen.append((at, self._offset))
        while len(self._seen) > 1 and self._seen[0][0] < at - AGREEMENT:
            self._seen.popleft()
        if max(abs(offset - seen) for _, seen in self._seen) > TOLERANCE:
            self._doubt(at, offset - self._offset)
        self._seen.append((at, offset))
        if self._differed_at is None:
            self._offset = min(max(self._offset, offset - unsure), offset + unsure)
        elif at - self._differed_at >= AGREEMENT:
            self._settle(offset, offset - self._offset)

    def _doubt(self, at: float, off: float) -> None:
        if self._differed_at is None:
            log.warning("the time of day is off by %+.1f s: openings and closings rest", off)
        self._differed_at = at
        self._seen.clear()

    def _settle(self, offset: float, moved: float) -> None:
        log.warning("the time of day is agreed on, %+.1f s: openings and closings go on", moved)
        self._offset, self._differed_at = offset, None


clock = Clock()
"""The clock of this process."""


def utc_now() -> datetime:
    return clock.now()


async def look(clock: Clock) -> None:
    """Compares it once: with PostgreSQL's own clock, which all who use it share, else with the machine's."""
    newest = None if clock.compared else await journal.newest_at()
    began = clock.unset()
    said = await server_time()
    if said is None:
        began = clock.unset()
    seconds = clock.time_of_day() if said is None else said.timestamp()
    took = clock.unset() - began
    if took <= QUICK:
        clock.compare(seconds, began + took / 2, took / 2, newest.timestamp() if newest else 0.0)


async def keep_looking(clock: Clock) -> None:
    """Compares until cancelled. While the database is away time goes on as it is."""
    await repeat(lambda: look(clock), EVERY, log, "could not compare the clock")
