"""Jobs that become due: planned in the action that makes them necessary, claimed by one process.

A job that fails is tried again after a growing pause, and given up in the end until a server starts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.expressions import F
from tortoise.queryset import QuerySet

from community.database.models import Due
from community.database.sql import instant, select
from community.database.work import UnitOfWork, atomic
from community.errors import TryAgain
from community.permissions import SYSTEM

MOST_ATTEMPTS = 20
"""Two hours of them. Only what fails by itself counts, never a database that is busy or away."""

LONGEST_PAUSE = timedelta(minutes=10)

_doubts: list[Callable[[], bool]] = []


def pause_while(doubtful: Callable[[], bool]) -> Callable[[], None]:
    """Stops this process from claiming jobs while time is `doubtful`; call the result to stop asking."""
    _doubts.append(doubtful)
    return lambda: _doubts.remove(doubtful)


def in_doubt() -> bool:
    return any(doubtful() for doubtful in _doubts)


@dataclass(frozen=True, slots=True)
class DueRow:
    """`attempts`: how often it failed."""

    id: int
    job: str
    subject: int
    at: datetime
    attempts: int


async def plan(job: str, subject: int, at: datetime) -> None:
    """Plans a job; to be called inside an action, so that both are committed or neither."""
    await Due.create(deed=job, subject=subject, at=at)


_DUE = """
SELECT id, deed AS job, subject, at, attempts FROM due
 WHERE done_at IS NULL AND attempts < ? AND at <= ?
   AND (next_at IS NULL OR next_at <= ? OR next_at > ?)
 ORDER BY COALESCE(next_at, at), id LIMIT ?
"""


async def due_now(now: datetime, most: int = 100) -> list[DueRow]:
    """The jobs that are due, neither claimed nor given up, whose pause is over; the longest waiting first.

    A pause that ends later than any pause could was begun by a clock that ran ahead: it is over.
    """
    rows = await select(_DUE, [MOST_ATTEMPTS, now, now, now + 2 * LONGEST_PAUSE, most])
    return [DueRow(**row | {"at": instant(row["at"])}) for row in rows]


async def claim(job: str, subject: int, now: datetime) -> bool:
    """Whether this process is to run the job; to be called in the transaction that runs it.

    Raises TryAgain while time is in doubt: what a job does cannot be undone.
    """
    if in_doubt():
        raise TryAgain
    return await Due.filter(deed=job, subject=subject, done_at=None).update(done_at=now) == 1


async def reschedule(job: str, subject: int, until: datetime) -> None:
    """Postpones a job that was planned too early; to be called in the transaction that found out."""
    await Due.filter(deed=job, subject=subject, done_at=None).update(next_at=until)


async def keep(subject: int, until: datetime) -> None:
    """Plans anew what would come before; to be called in the action that knows why."""
    await Due.filter(subject=subject, done_at=None, at__lt=until).update(at=until)


async def postpone(row: DueRow, until: datetime) -> None:
    """Postpones a job that could not be tried now."""

    async def record(_: UnitOfWork) -> None:
        await _as_it_was(row).update(next_at=until)

    await atomic(record, SYSTEM, until)


async def fail(row: DueRow, now: datetime) -> bool:
    """Records a failure; False if another process recorded it first, or ran the job."""
    then = now + pause(row.attempts)

    async def record(_: UnitOfWork) -> bool:
        return await _as_it_was(row).update(attempts=F("attempts") + 1, next_at=then) == 1

    return await atomic(record, SYSTEM, now)


def _as_it_was(row: DueRow) -> QuerySet[Due]:
    return Due.filter(id=row.id, attempts=row.attempts, done_at=None)


def pause(attempts: int) -> timedelta:
    """After so many failures before this one."""
    return min(LONGEST_PAUSE, timedelta(seconds=1 << min(attempts, 10)))


async def given_up() -> int:
    """How many jobs are not tried any more."""
    return await Due.filter(done_at=None, attempts__gte=MOST_ATTEMPTS).count()


async def take_up_again(now: datetime) -> None:
    """Tries given-up jobs anew: the cause may be mended since."""

    async def record(_: UnitOfWork) -> None:
        await Due.filter(done_at=None, attempts__gte=MOST_ATTEMPTS).update(attempts=0, next_at=None)

    if await given_up():
        await atomic(record, SYSTEM, now)
