"""Paces deliveries, so that thousands of screens do not keep a ballot waiting.

All work for screens is done in turns of a few milliseconds: an execution, or writing to some hundred
connections. A `WritePacer` gives one turn at a time, and between two of them the loop does what else waits:

    _ask ──► waiting, a heap ──► _grant ──► Turn.begin goes on ──► the work ──► _end ──► _grant, the next

- *Who is next?* Turns come in rounds. In a round the largest group goes first, and after its turn a group
  asks for the next round, so that none waits for ever.
- *When may it be?* At `_due`, which each turn puts off by the time it took, divided by the share of the time
  that screens may have. So under load the pause between two rounds of a key grows by itself. After quiet
  `_due` lies `BURST` seconds back: a lone change reaches all at once.
- *When is it over?* When its holder says so. Who waits for something else in its turn, such as the database,
  holds it for `HOPS` steps of the loop; then the others go on.
- *How long did it take?* Measured is what the thread computed. Of a turn that began and ended in one step of
  the loop that is exact; of a longer one a part was other work, so it counts `LONGEST` at most.
"""

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
LONGEST = 0.005
HOPS = 16


class WritePacer:
    """Gives the groups of a process one `Turn` at a time. `round` is that of the last one given."""

    def __init__(self, share: float = SHARE) -> None:
        self._share, self.round = share, 0
        self._waiting: list[tuple[int, int, int, Turn, asyncio.Future[None]]] = []
        self._tickets = count()  # of equal ones the first goes first
        self._next: asyncio.Handle | None = None
        self._holder: Turn | None = None
        self._patience: asyncio.Handle | None = None
        self._due = self._began_at = 0.0
        self._in_one_step = False

    def turn(self, size: Callable[[], int] = lambda: 0) -> "Turn":
        """Makes the turn of a group; `size`: how many it works for."""
        return Turn(self, size)

    def _ask(self, turn: "Turn") -> asyncio.Future[None]:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (turn.round, -turn.size(), next(self._tickets), turn, granted))
        self._grant_soon()
        return granted

    def _grant_soon(self) -> None:
        """Not at once: another group that asks in this step may be larger, and the loop has other work."""
        if self._holder is None and self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._grant)

    def _grant(self) -> None:
        loop = asyncio.get_running_loop()
        self._next = None
        while self._waiting and self._waiting[0][-1].done():
            heapq.heappop(self._waiting)  # cancelled
        if not self._waiting:
            return
        if (early := self._due - time.perf_counter()) > 0:
            self._next = loop.call_later(early, self._grant)
            return
        *_, turn, granted = heapq.heappop(self._waiting)
        self._holder, self.round = turn, max(self.round, turn.round)
        self._in_one_step, self._began_at = False, time.thread_time()  # in case it is cancelled meanwhile
        granted.set_result(None)
        self._patience = loop.call_soon(self._hop, turn, HOPS)

    def _begin(self) -> None:
        self._in_one_step, self._began_at = True, time.thread_time()

    def _hop(self, turn: "Turn", hops: int) -> None:
        """Called once in each step of the loop in which the turn is held."""
        self._in_one_step = False
        if hops:
            self._patience = asyncio.get_running_loop().call_soon(self._hop, turn, hops - 1)
        else:
            self._end(turn)

    def _end(self, turn: "Turn") -> None:
        if self._holder is not turn:
            return
        took = time.thread_time() - self._began_at
        took = took if self._in_one_step else min(took, LONGEST)
        self._due = max(self._due, time.perf_counter() - BURST) + took / self._share
        self._holder = None
        if self._patience is not None:
            self._patience.cancel()
        self._grant_soon()


class Turn:
    """The turn of one group, begun again and again; `async with` lasts until the loop did what else waited.
    `round` is that of the turn begun last.
    """

    __slots__ = ("_pacer", "round", "size")

    def __init__(self, pacer: WritePacer, size: Callable[[], int]) -> None:
        self._pacer, self.size, self.round = pacer, size, pacer.round + 1

    async def begin(self, *, new: bool = True) -> None:
        """Waits for a turn. Unless `new`, it goes on with the last one, in the same round."""
        if new:
            self.round = self._pacer.round + 1
        try:
            await self._pacer._ask(self)
        except BaseException:
            self.end()
            raise
        self._pacer._begin()

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
