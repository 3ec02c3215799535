"""What is to be done once at a time: planned in the deed that makes it due, claimed by one process."""

from dataclasses import dataclass
from datetime import datetime

from community.database.models import Due


@dataclass(frozen=True, slots=True)
class DueRow:
    id: int
    deed: str
    subject: int
    at: datetime


async def plan(deed: str, subject: int, at: datetime) -> None:
    """To be called inside an action, so that the plan stands or falls with it."""
    await Due.create(deed=deed, subject=subject, at=at)


async def due_now(now: datetime, most: int = 100) -> list[DueRow]:
    """What is due and not yet claimed, the longest waiting first."""
    query = Due.filter(done_at=None, at__lte=now).order_by("at", "id").limit(most)
    return [DueRow(**row) for row in await query.values("id", "deed", "subject", "at")]


async def claim(deed: str, subject: int, now: datetime) -> bool:
    """True for the one who gets to do it; to be called in the transaction that does it."""
    return await Due.filter(deed=deed, subject=subject, done_at=None).update(done_at=now) == 1
