"""How fast news may go out, so that thousands of screens do not keep a ballot waiting."""

import asyncio
import time

PAUSE = 0.1
"""Seconds between two moments of one key, so that a burst of changes becomes one."""

SHARE = 0.5
"""Of the loop's time that may go into writing to screens."""

BURST = 0.25
"""Seconds of writing after quiet before the share is asked for: a lone change reaches all at once."""

LONGEST = 0.005
"""Seconds that a turn counts at most: what else the loop did meanwhile is not the screens' doing."""


class Tempo:
    """The one lane through which a process writes to many: `async with tempo` is a turn in it.

    Turns come in the order in which they were asked for. Each ends when the loop has sent what was
    written and done what else waited. Beyond `BURST` they come so far apart that they take no more than
    `share` of the time; so the pause between moments grows by itself.
    """

    def __init__(self, share: float = SHARE) -> None:
        self._share = share
        self._lane = asyncio.Lock()
        self._due = self._start = 0.0

    async def __aenter__(self) -> None:
        await self._lane.acquire()
        try:
            if (early := self._due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
        except BaseException:
            self._lane.release()
            raise
        self._start = time.thread_time()

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.sleep(0)
        finally:
            took = min(time.thread_time() - self._start, LONGEST)
            self._due = max(self._due, time.perf_counter() - BURST) + took / self._share
            self._lane.release()
