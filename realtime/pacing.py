"""Paces deliveries, so that thousands of screens do not keep a ballot waiting."""

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count

PAUSE = 0.1
"""Seconds between two rounds of one key, so that a burst of changes becomes one."""

SHARE = 0.5
"""Of the loop's time that may go into executing for screens and writing to them."""

BURST = 0.25
"""Seconds of work after quiet before the share is enforced: a lone change reaches all at once."""

LONGEST = 0.005
"""Seconds that a turn of several steps counts at most: the loop also does other work meanwhile."""

HOPS = 16
"""Steps of the loop after which a turn that is not over waits for something else, and others go on."""


class WritePacer:
    """Gives the groups of a process one `Turn` at a time.

    Turns come in rounds. In a round the largest group goes first, and after its turn a group asks for the
    next round, so that none waits for ever. A turn ends when the loop has sent what was written and done what
    else waited. Beyond `BURST` turns come so far apart that they take no more than `share` of the time, so
    that under load the pause between two rounds of a key grows by itself.
    """

    def __init__(self, share: float = SHARE) -> None:
        self._share = share
        self._tickets = count()
        self._waiting: list[tuple[int, int, int, Turn]] = []
        self._holder: Turn | None = None
        self._grants: asyncio.Handle | None = None
        self._due = self._start = 0.0
        self._unbroken = False
        self.round = 0
        """The round of the turn that was begun last."""

    def turn(self, size: Callable[[], int] = lambda: 0) -> "Turn":
        """Makes the turn of a group; `size`: how many it works for."""
        return Turn(self, size)

    def _ask(self, turn: "Turn", *, new: bool) -> None:
        if new:
            turn.round = self.round + 1
        heapq.heappush(self._waiting, (turn.round, -turn.size(), next(self._tickets), turn))
        if self._holder is None and self._grants is None:
            # Not at once: another group that asks in the same step may be larger.
            self._grants = asyncio.get_running_loop().call_soon(self._grant)

    def _grant(self) -> None:
        loop = asyncio.get_running_loop()
        self._grants = None
        while self._waiting and not self._waiting[0][3].waits:
            heapq.heappop(self._waiting)  # cancelled
        if not self._waiting:
            return
        if (early := self._due - time.perf_counter()) > 0:
            self._grants = loop.call_later(early, self._grant)
            return
        *_, turn = heapq.heappop(self._waiting)
        self._holder, self.round = turn, max(self.round, turn.round)
        self._unbroken, self._start = False, time.thread_time()  # also where it is cancelled before it begins
        turn.let_in()
        loop.call_soon(self._look, turn, turn.count, HOPS)

    def _begin(self) -> None:
        self._unbroken, self._start = True, time.thread_time()

    def _look(self, turn: "Turn", number: int, hops: int) -> None:
        """Ends the turn if it is still held after `hops` more steps of the loop: then it waits for something
        else.
        """
        if self._holder is not turn or turn.count != number:
            return
        self._unbroken = False
        if hops:
            asyncio.get_running_loop().call_soon(self._look, turn, number, hops - 1)
        else:
            self._end(turn)

    def _end(self, turn: "Turn") -> None:
        if self._holder is turn:
            took = time.thread_time() - self._start
            took = took if self._unbroken else min(took, LONGEST)
            self._due = max(self._due, time.perf_counter() - BURST) + took / self._share
            self._holder = None
            if self._grants is None:  # the next one in another step of the loop
                self._grants = asyncio.get_running_loop().call_soon(self._grant)


class Turn:
    """The turn of one group, begun again and again; `async with` lasts until the loop did what else waited.

    `round` is that of the last turn begun. Waiting for something else within a turn delays no other group.
    """

    __slots__ = ("_granted", "_pacer", "count", "round", "size")

    def __init__(self, pacer: WritePacer, size: Callable[[], int]) -> None:
        self._pacer, self.size = pacer, size
        self.round, self.count = pacer.round + 1, 0
        self._granted: asyncio.Future[None] | None = None

    @property
    def waits(self) -> bool:
        return self._granted is not None and not self._granted.done()

    def let_in(self) -> None:
        assert self._granted is not None  # noqa: S101 - it waits
        self.count += 1
        self._granted.set_result(None)

    async def begin(self, *, new: bool = True) -> None:
        """Waits for a turn. Unless `new`, it goes on with the last one, in the same round."""
        self._granted = asyncio.get_running_loop().create_future()
        try:
            self._pacer._ask(self, new=new)
            await self._granted
            self._pacer._begin()
        except BaseException:
            self.end()
            raise
        finally:
            self._granted = None

    def end(self) -> None:
        """Ends the turn; does nothing if it is over."""
        self._pacer._end(self)

    async def __aenter__(self) -> None:
        await self.begin()

    async def __aexit__(self, *_: object) -> None:
        await self.settle()

    async def settle(self) -> None:
        """Ends it once the loop has sent what was written."""
        try:
            await asyncio.sleep(0)
        finally:
            self.end()
