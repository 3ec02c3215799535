"""Paces deliveries, so that thousands of screens do not keep a ballot waiting.

All work for screens is done in turns of a few milliseconds: an execution, or writing to some hundred
connections. One turn is held at a time, and between two of them the loop does what else waits:

    asked for ──► given ──► held ──► over ──► the next one is given

- *Who is next?* Turns come in rounds. In a round the largest group goes first, and after its turn a group
  asks for the next round, so that none waits for ever.
- *When may it be?* At `_due`, which each turn puts off by the time it took, divided by the share of the time
  that screens may have. So under load the pause between two rounds of a key grows by itself. After quiet
  `_due` lies `BURST` seconds back: a lone change reaches all at once.
- *When is it over?* When its holder says so. Who waits for something else in its turn, such as the database,
  holds it for `LOOP_STEPS` of the loop; then the others go on.
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
"""Seconds of quiet that may be made up for: so long a lone change reaches as many as it can at once."""

LONGEST = 0.005
"""Seconds that a turn of several steps of the loop counts at most: a part of them was other work."""

LOOP_STEPS = 16
"""Steps of the loop after which a turn is over, whoever holds it."""


class Turn:
    """The turns of one group, which are `size` at that time. `round` is that of the last one.

    `begin` and `end` are a turn in the next round: it is over with the `end`. `async with` is one more in the
    same round, as for the rest of the same members: it is over once the loop has sent what was written.
    """

    __slots__ = ("_pacer", "round", "size")

    def __init__(self, pacer: "WritePacer", size: Callable[[], int]) -> None:
        self._pacer, self.size, self.round = pacer, size, pacer.round + 1

    async def begin(self) -> None:
        """Waits for a turn in the next round."""
        self.round = self._pacer.round + 1
        await self._go_on()

    def end(self) -> None:
        """Does nothing if it is over."""
        self._pacer.over(self)

    async def __aenter__(self) -> None:
        await self._go_on()

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.sleep(0)
        finally:
            self.end()

    async def _go_on(self) -> None:
        try:
            await self._pacer.ask(self)
        except BaseException:
            self.end()
            raise
        self._pacer.held()

    def release(self) -> None:
        """Forgets whose turns they are, which would keep it: `size` is 0 from now on."""
        self.size = int


class WritePacer:
    """Gives the groups of a process one `Turn` at a time. `round` is that of the last one given."""

    _counting: asyncio.Handle

    def __init__(self, share: float = SHARE) -> None:
        self._share, self.round = share, 0
        self._waiting: list[tuple[int, int, int, Turn, asyncio.Future[None]]] = []
        self._tickets = count()  # of equal ones the first goes first
        self._giving: asyncio.Handle | None = None
        self._holder: Turn | None = None
        self._due = self._began_at = 0.0
        self._in_one_step = False

    def turn(self, size: Callable[[], int] = lambda: 0) -> Turn:
        return Turn(self, size)

    # What a `Turn` says, and nobody else: it asks, it is held, and it is over

    def ask(self, turn: Turn) -> asyncio.Future[None]:
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (turn.round, -turn.size(), next(self._tickets), turn, given))
        self._give_soon()
        return given

    def held(self) -> None:
        self._in_one_step, self._began_at = True, time.thread_time()

    def over(self, turn: Turn) -> None:
        if self._holder is not turn:
            return
        took = time.thread_time() - self._began_at
        took = took if self._in_one_step else min(took, LONGEST)
        self._due = max(self._due, time.perf_counter() - BURST) + took / self._share
        self._holder = None
        self._counting.cancel()
        self._give_soon()

    # Which turn is given, and when

    def _give_soon(self) -> None:
        """Not at once: another group that asks in this step may be larger, and the loop has other work."""
        if self._holder is None and self._giving is None:
            self._giving = asyncio.get_running_loop().call_soon(self._give)

    def _give(self) -> None:
        loop = asyncio.get_running_loop()
        self._giving = None
        while self._waiting and self._waiting[0][-1].done():
            heapq.heappop(self._waiting)  # cancelled
        if not self._waiting:
            return
        if (early := self._due - time.perf_counter()) > 0:
            self._giving = loop.call_later(early, self._give)
            return
        *_, turn, given = heapq.heappop(self._waiting)
        self._holder, self.round = turn, max(self.round, turn.round)
        self._in_one_step, self._began_at = False, time.thread_time()  # in case it is cancelled meanwhile
        given.set_result(None)
        self._counting = loop.call_soon(self._count_step, turn, LOOP_STEPS)

    def _count_step(self, turn: Turn, left: int) -> None:
        """Called once in each step of the loop in which the turn is held."""
        self._in_one_step = False
        if left:
            self._counting = asyncio.get_running_loop().call_soon(self._count_step, turn, left - 1)
        else:
            self.over(turn)
