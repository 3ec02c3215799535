"""What becomes due: jobs, planned in the action that makes them necessary, and the messages of the outbox.

One process claims each. What fails is tried again after a growing pause, and given up in the end: then it is
a dead letter, which stays until somebody retries it (`community/database/actions.py`).
"""

import os
import traceback
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tortoise.expressions import F
from tortoise.queryset import QuerySet

from community.database.models import Due
from community.database.sql import instant, placeholders, select
from community.database.work import UnitOfWork, atomic
from community.errors import Refused, TryAgain
from community.permissions import SYSTEM

MOST_ATTEMPTS = 20
"""Two hours of them. Only what fails by itself counts, never a database that is busy or away."""

LONGEST_PAUSE = timedelta(minutes=10)

LEASE = timedelta(minutes=1)
"""For which one process sends a message, and no other does. Sending must give up sooner."""

_doubts: list[Callable[[], bool]] = []


def pause_while(doubtful: Callable[[], bool]) -> Callable[[], None]:
    """Stops this process from claiming jobs while time is `doubtful`; call the result to stop asking."""
    _doubts.append(doubtful)
    return lambda: _doubts.remove(doubtful)


def in_doubt() -> bool:
    return any(doubtful() for doubtful in _doubts)


@dataclass(frozen=True, slots=True)
class DueRow:
    """`attempts`: how often it failed; `payload`: of a message, JSON; `retries`: by somebody."""

    id: int
    job: str
    subject: int
    at: datetime
    attempts: int
    next_at: datetime | None = None
    payload: str | None = None
    retries: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Given up. What it failed by is null where an older version gave it up."""

    id: int
    job: str
    subject: int
    at: datetime
    attempts: int
    retries: int
    error: str | None
    error_text: str | None
    failed_at: datetime | None


async def plan(job: str, subject: int, at: datetime) -> None:
    """Plans a job; to be called inside an action, so that both are committed or neither."""
    await Due.create(job=job, subject=subject, at=at)


_DUE = """
SELECT id, job, subject, at, attempts, next_at, payload, retries FROM due
 WHERE done_at IS NULL AND attempts < ? AND at <= ?
   AND (next_at IS NULL OR next_at <= ? OR next_at > ?) AND (payload IS NOT NULL) = ?
 ORDER BY COALESCE(next_at, at), id LIMIT ?
"""


async def due_now(now: datetime, most: int = 100, *, messages: bool = False) -> list[DueRow]:
    """The jobs or `messages` that are due, neither claimed nor given up, whose pause is over; the longest
    waiting first.

    A pause that ends later than any pause could was begun by a clock that ran ahead: it is over.
    """
    rows = await select(_DUE, [MOST_ATTEMPTS, now, now, now + 2 * LONGEST_PAUSE, messages, most])
    return [DueRow(**row | _instants(row, "at", "next_at")) for row in rows]


def _instants(row: dict[str, Any], *columns: str) -> dict[str, Any]:
    return {column: instant(row[column]) for column in columns}


async def claim(job: str, subject: int, now: datetime) -> bool:
    """Whether this process is to run the job; to be called in the transaction that runs it.

    Raises TryAgain while time is in doubt: what a job does cannot be undone.
    """
    if in_doubt():
        raise TryAgain
    return await Due.filter(job=job, subject=subject, done_at=None).update(done_at=now) == 1


async def reschedule(job: str, subject: int, until: datetime) -> None:
    """Postpones a job that was planned too early; to be called in the transaction that found out."""
    await Due.filter(job=job, subject=subject, done_at=None).update(next_at=until)


async def keep(subject: int, until: datetime) -> None:
    """Plans anew what would come before; to be called in the action that knows why."""
    await Due.filter(subject=subject, done_at=None, at__lt=until).update(at=until)


async def postpone(row: DueRow, until: datetime) -> None:
    """Postpones a job that could not be tried now."""

    async def record(_: UnitOfWork) -> None:
        await _as_it_was(row).update(next_at=until)

    await atomic(record, SYSTEM, until)


async def lease(row: DueRow, now: datetime) -> DueRow | None:
    """Keeps every other process from sending the message for LEASE; None if another one was first.

    Whoever dies before it has marked it as sent leaves it to the next one, who sends it again.
    """
    until = now + LEASE

    async def record(_: UnitOfWork) -> bool:
        return await _as_it_was(row).filter(next_at=row.next_at).update(next_at=until) == 1

    return replace(row, next_at=until) if await atomic(record, SYSTEM, now) else None


async def mark_sent(row: DueRow, now: datetime) -> None:
    async def record(_: UnitOfWork) -> None:
        await Due.filter(id=row.id, done_at=None).update(done_at=now, payload=None)

    await atomic(record, SYSTEM, now)


GivingUp = Callable[[UnitOfWork], Awaitable[object]]


async def fail(row: DueRow, now: datetime, error: Exception, giving_up: GivingUp | None = None) -> bool:
    """Records a failure; False if another process recorded it first, or ran the job.

    `giving_up` runs in the transaction that makes it a dead letter.
    """
    name, text = described(error)

    async def record(work: UnitOfWork) -> bool:
        if not await _as_it_was(row).update(
            attempts=F("attempts") + 1,
            next_at=now + pause(row.attempts),
            error=name,
            error_text=text,
            failed_at=now,
        ):
            return False
        if giving_up and row.attempts + 1 == MOST_ATTEMPTS:
            await giving_up(work)
        return True

    return await atomic(record, SYSTEM, now)


def described(error: BaseException) -> tuple[str, str]:
    """Its type and what may be said of it: a code, and the line of ours. Its own text may name somebody."""
    text = ""
    if isinstance(error, Refused):
        text = f"{error.code} "
    elif isinstance(error, OSError) and error.errno:
        text = f"{os.strerror(error.errno)} "
    if frames := traceback.extract_tb(error.__traceback__):
        ours = [frame for frame in frames if _ours(frame.filename)] or frames
        text += f"at {'/'.join(Path(ours[-1].filename).parts[-3:])}:{ours[-1].lineno}"
    return type(error).__qualname__[:100], text.strip()[:200]


_HOME = Path(__file__).parents[2]


def _ours(file: str) -> bool:
    return Path(file).is_relative_to(_HOME) and "site-packages" not in file


def _as_it_was(row: DueRow) -> QuerySet[Due]:
    return Due.filter(id=row.id, attempts=row.attempts, done_at=None)


def pause(attempts: int) -> timedelta:
    """After so many failures before this one."""
    return min(LONGEST_PAUSE, timedelta(seconds=1 << min(attempts, 10)))


_GIVEN_UP = "done_at IS NULL AND attempts >= ?"


async def given_up() -> dict[str, int]:
    """How many are not tried any more, by what they are."""
    counted = f"SELECT job, COUNT(*) AS many FROM due WHERE {_GIVEN_UP} GROUP BY job ORDER BY job"  # noqa: S608 - ours
    return {row["job"]: row["many"] for row in await select(counted, [MOST_ATTEMPTS])}


async def overdue(now: datetime) -> int:
    """How many wait though their time has come, dead letters left out."""
    waiting = "SELECT COUNT(*) AS many FROM due WHERE done_at IS NULL AND attempts < ? AND at <= ?"
    return int((await select(waiting, [MOST_ATTEMPTS, now]))[0]["many"])


async def dead_letters(ids: Collection[int] | None = None) -> list[DeadLetter]:
    """What was given up, of these `ids` or all of it, the oldest first."""
    columns = "id, job, subject, at, attempts, retries, error, error_text, failed_at"
    only = "" if ids is None else f" AND id IN ({placeholders(ids)})"
    found = f"SELECT {columns} FROM due WHERE {_GIVEN_UP}{only} ORDER BY at, id"  # noqa: S608 - ours
    rows = await select(found, [MOST_ATTEMPTS, *(ids or ())])
    return [DeadLetter(**row | _instants(row, "at", "failed_at")) for row in rows]
