"""What happens by itself: things that are due, each done once whatever number of processes look."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from api.clock import utc_now
from community.database import due
from community.database.due import DueRow
from community.errors import OutcomeUnknown, TryAgain
from community.permissions import SYSTEM
from community.repeat import repeat
from community.votes.actions import CLOSE, OPEN, close_vote, open_vote
from community.votes.lifecycle import VoteNotOpen

EVERY = 0.5
"""Seconds between two looks."""

COUNTED_EVERY = 20
"""Looks between two counts of what was given up."""

AT_ONCE = 4

POSTPONED = timedelta(seconds=2)
"""For what could not be tried."""

JOBS: dict[str, Callable[..., Awaitable[None]]] = {OPEN: open_vote, CLOSE: close_vote}
"""Actions that do nothing when another process was first."""

NOT_NOW = (TryAgain, OutcomeUnknown, VoteNotOpen)
"""No failure: the database is busy or away, time is in doubt, or it went back meanwhile."""

log = logging.getLogger(__name__)


class Timers:
    """Runs the jobs that are due. `given_up`: how many are not tried any more."""

    def __init__(self) -> None:
        self.given_up = 0
        self._looks = 0

    async def keep_running(self) -> None:
        """Runs until cancelled."""
        await repeat(self._look, EVERY, log, "could not run the jobs that are due")

    async def _look(self) -> None:
        if self._looks == 0:
            await due.take_up_again(utc_now())
        await self.run_due()
        if self._looks % COUNTED_EVERY == 0:
            self.given_up = await due.given_up()
        self._looks += 1

    async def run_due(self) -> None:
        """Runs the jobs that are due now, none while time is in doubt; one that fails stops no other.

        Raises, once all were tried, the first error that kept a failure from being recorded.
        """
        if due.in_doubt():
            return
        slots = asyncio.Semaphore(AT_ONCE)
        failed: list[tuple[DueRow, Exception]] = []

        async def in_turn(row: DueRow) -> None:
            async with slots:
                if error := await self._try(row):
                    failed.append((row, error))

        rows = await due.due_now(utc_now())
        ends = await asyncio.gather(*map(in_turn, rows), return_exceptions=True)
        if failed:  # one traceback, however many
            names = ", ".join(f"{row.job} of {row.subject}" for row, _ in failed[:10])
            log.error("%d failed: %s", len(failed), names, exc_info=failed[0][1])
        for end in ends:
            if end:
                raise end

    async def _try(self, row: DueRow) -> Exception | None:
        """Returns the error it failed by, unless another process recorded the failure first."""
        try:
            await JOBS[row.job](SYSTEM, utc_now(), row.subject)
        except NOT_NOW:
            await due.postpone(row, utc_now() + POSTPONED)
        except Exception as error:
            if await due.fail(row, utc_now()):
                if row.attempts + 1 == due.MOST_ATTEMPTS:
                    self.given_up += 1
                    log.error("gave up %s of %s until the next start", row.job, row.subject)
                return error
        return None
