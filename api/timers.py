"""What happens by itself: things that are due, each done once whatever number of processes look."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

from api.clock import utc_now
from community.database import due
from community.database.due import DueRow
from community.database.work import UnitOfWork
from community.errors import OutcomeUnknown, TryAgain
from community.permissions import SYSTEM
from community.repeat import repeat
from community.votes.actions import CLOSE, OPEN, close_vote, open_vote
from community.votes.casting import VoteNotOpen

EVERY = 0.5
"""Seconds between two looks."""

COUNTED_EVERY = 20
"""Looks between two counts of what was given up."""

REMINDED_EVERY = 360 * COUNTED_EVERY
"""Looks between two reminders in the log of what was given up: an hour of them, the first at the start."""

AT_ONCE = 4

POSTPONED = timedelta(seconds=2)
"""For what could not be tried."""

JOBS: dict[str, Callable[..., Awaitable[None]]] = {OPEN: open_vote, CLOSE: close_vote}
"""Actions that do nothing when another process was first."""

NOT_NOW = (TryAgain, OutcomeUnknown, VoteNotOpen)
"""No failure: the database is busy or away, time is in doubt, or it went back meanwhile."""

OPERATOR_MAIL = "operator_mail"
"""The message to the operator. It is not sent about itself."""

log = logging.getLogger(__name__)


class DueLoop:
    """Looks for what is due and runs it, a few at once; one that fails or waits stops no other.

    `given_up`: how many this process gave up, by what they are; `mails_operator`: about each of them.
    """

    def __init__(self, *, mails_operator: bool = False) -> None:
        self.given_up = Counter[str]()
        self._mails_operator = mails_operator

    async def keep_running(self) -> None:
        """Runs until cancelled."""
        await repeat(self._look, EVERY, log, "could not run what is due")

    async def _look(self) -> None:
        await self.run_due()

    async def _due_now(self) -> list[DueRow]:
        raise NotImplementedError

    async def _run(self, row: DueRow) -> None:
        raise NotImplementedError

    async def run_due(self) -> None:
        """Runs what is due now, nothing while time is in doubt; one that fails stops no other.

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

        ends = await asyncio.gather(*map(in_turn, await self._due_now()), return_exceptions=True)
        if failed:  # one traceback, however many
            names = ", ".join(f"{row.job} of {row.subject}" for row, _ in failed[:10])
            log.error("%d failed: %s", len(failed), names, exc_info=failed[0][1])
        for end in ends:
            if end:
                raise end

    async def _try(self, row: DueRow) -> Exception | None:
        """Returns the error it failed by, unless another process recorded the failure first."""
        if row.retries and not row.attempts:
            log.info("tries %s of %s again, which was given up", row.job, row.subject)
        try:
            await self._run(row)
        except NOT_NOW:
            await due.postpone(row, utc_now() + POSTPONED)
        except Exception as error:
            if await due.fail(row, utc_now(), error, self._giving_up(row, error)):
                if row.attempts + 1 == due.MOST_ATTEMPTS:
                    self.given_up[row.job] += 1
                    log.error("gave up %s of %s until `meilin due retry %d`", row.job, row.subject, row.id)
                return error
        return None

    def _giving_up(self, row: DueRow, error: Exception) -> due.GivingUp | None:
        if not self._mails_operator or row.job == OPERATOR_MAIL:
            return None
        name, text = due.described(error)

        async def mail(work: UnitOfWork) -> None:
            await work.send(
                OPERATOR_MAIL,
                title=f"given up: {row.job} of {row.subject}",
                text=f"{row.job} of {row.subject} failed {due.MOST_ATTEMPTS} times and is tried no more.\n"
                f"The last time by {name} {text}\n"
                f"Once the cause is mended: meilin due retry {row.id}\n",
            )

        return mail


class Timers(DueLoop):
    """Runs the jobs. `given_up` is what stands in the database, messages too; `overdue`: what waits."""

    def __init__(self, *, mails_operator: bool = False) -> None:
        super().__init__(mails_operator=mails_operator)
        self.overdue = 0
        self._looks = 0

    async def _look(self) -> None:
        await self.run_due()
        if self._looks % COUNTED_EVERY == 0:
            self.given_up = Counter(await due.given_up())
            self.overdue = await due.overdue(utc_now())
        if self._looks % REMINDED_EVERY == 0 and self.given_up:
            log.error("given up: %s; see `meilin due list`", dict(self.given_up))
        self._looks += 1

    async def _due_now(self) -> list[DueRow]:
        return await due.due_now(utc_now())

    async def _run(self, row: DueRow) -> None:
        await JOBS[row.job](SYSTEM, utc_now(), row.subject)
