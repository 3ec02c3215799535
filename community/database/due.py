"""What is to be done once at a time: planned in the deed that makes it due, claimed by one process.

What fails is tried again after a pause that grows, and at last given up until a server starts anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.expressions import F
from tortoise.queryset import QuerySet

from community.database.models import Due
from community.database.sql import instant, select
from community.database.work import Work, in_one_piece
from community.errors import TryAgain
from community.permissions import SYSTEM

MOST_ATTEMPTS = 20
"""Two hours of them. Only what fails by itself counts, never a database that is busy or away."""

LONGEST_PAUSE = timedelta(minutes=10)

_doubts: list[Callable[[], bool]] = []


def rest_while(doubtful: Callable[[], bool]) -> Callable[[], None]:
    """Nothing is claimed in this process while time is `doubtful`; call the result to ask no more."""
    _doubts.append(doubtful)
    return lambda: _doubts.remove(doubtful)


def in_doubt() -> bool:
    return any(doubtful() for doubtful in _doubts)


@dataclass(frozen=True, slots=True)
class DueRow:
    """`attempts`: how often it failed."""

    id: int
    deed: str
    subject: int
    at: datetime
    attempts: int


async def plan(deed: str, subject: int, at: datetime) -> None:
    """To be called inside an action, so that the plan stands or falls with it."""
    await Due.create(deed=deed, subject=subject, at=at)


_DUE = """
SELECT id, deed, subject, at, attempts FROM due
 WHERE done_at IS NULL AND attempts < ? AND at <= ?
   AND (next_at IS NULL OR next_at <= ? OR next_at > ?)
 ORDER BY COALESCE(next_at, at), id LIMIT ?
"""


async def due_now(now: datetime, most: int = 100) -> list[DueRow]:
    """What is due, neither claimed nor given up, whose pause is over; the longest waiting first.

    A pause that ends later than any pause could was begun by a clock that ran ahead: it is over.
    """
    rows = await select(_DUE, [MOST_ATTEMPTS, now, now, now + 2 * LONGEST_PAUSE, most])
    return [DueRow(**row | {"at": instant(row["at"])}) for row in rows]


async def claim(deed: str, subject: int, now: datetime) -> bool:
    """True for the one who gets to do it; to be called in the transaction that does it.

    Raises TryAgain while nobody can tell what time it is: what is done here cannot be undone.
    """
    if in_doubt():
        raise TryAgain
    return await Due.filter(deed=deed, subject=subject, done_at=None).update(done_at=now) == 1


async def put_off(deed: str, subject: int, until: datetime) -> None:
    """It was planned too early; to be called in the transaction that found out."""
    await Due.filter(deed=deed, subject=subject, done_at=None).update(next_at=until)


async def rest(row: DueRow, until: datetime) -> None:
    """It could not be tried just now."""

    async def put_down(_: Work) -> None:
        await _as_it_was(row).update(next_at=until)

    await in_one_piece(put_down, SYSTEM, until)


async def fail(row: DueRow, now: datetime) -> bool:
    """It failed; false where another process noted that first, or did it."""
    then = now + pause(row.attempts)

    async def put_down(_: Work) -> bool:
        return await _as_it_was(row).update(attempts=F("attempts") + 1, next_at=then) == 1

    return await in_one_piece(put_down, SYSTEM, now)


def _as_it_was(row: DueRow) -> QuerySet[Due]:
    return Due.filter(id=row.id, attempts=row.attempts, done_at=None)


def pause(attempts: int) -> timedelta:
    """After so many failures before this one."""
    return min(LONGEST_PAUSE, timedelta(seconds=1 << min(attempts, 10)))


async def given_up() -> int:
    """How many are tried no more."""
    return await Due.filter(done_at=None, attempts__gte=MOST_ATTEMPTS).count()


async def take_up_again(now: datetime) -> None:
    """What was given up is tried anew: whoever starts may have mended what it failed by."""

    async def put_down(_: Work) -> None:
        await Due.filter(done_at=None, attempts__gte=MOST_ATTEMPTS).update(attempts=0, next_at=None)

    if await given_up():
        await in_one_piece(put_down, SYSTEM, now)
