"""The journal: every change as a numbered row, written in the transaction that made it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from community.database.models import Change
from community.database.sql import instant, is_postgres, select
from community.signals import Signal, Topic

_ADVISORY_LOCK = 7_410_001


class News(NamedTuple):
    """A change about to be written. `kind` and `subject` make it an item of the bulletin."""

    signal: Signal
    community: int | None
    kind: str | None = None
    subject: int | None = None


async def lock_number() -> None:
    """Locks the numbers until this transaction ends. SQLite has a single writer anyway."""
    if is_postgres():
        await select("SELECT pg_advisory_xact_lock(?)", [_ADVISORY_LOCK])


async def take_number() -> int:
    """Returns the next number, and locks the numbers until this transaction ends: they are in commit order.

    To be called last in a transaction.
    """
    await lock_number()
    return await head() + 1


async def head() -> int:
    """The number of the newest change; 0 if there is none."""
    (row,) = await select("SELECT MAX(number) AS newest FROM change")
    return int(row["newest"] or 0)


_NEWEST = (
    "SELECT at FROM change WHERE number > (SELECT MAX(number) FROM change) - 100 ORDER BY at DESC LIMIT 1"
)


async def newest_at() -> datetime | None:
    """The latest instant among the newest changes; None if there is no change."""
    rows = await select(_NEWEST)
    return instant(rows[0]["at"]) if rows else None


async def write(news: Sequence[News], now: datetime) -> None:
    number = await take_number()
    await Change.bulk_create(
        Change(
            number=number + offset,
            community_id=item.community,
            topic=item.signal.topic,
            key=item.signal.key if item.subject is None else item.subject,
            kind=item.kind,
            audience="account" if item.signal.topic is Topic.RIGHTS else "community",
            at=now,
        )
        for offset, item in enumerate(news)
    )


async def signals_after(number: int, most: int = 1000) -> tuple[int, list[Signal]]:
    """The signals of up to `most` later changes, and the number of the last of them."""
    rows = (
        await Change.filter(number__gt=number)
        .order_by("number")
        .limit(most)
        .values_list("number", "topic", "key", "community_id")
    )
    signals = [
        Signal(topic, community if topic is Topic.BULLETIN else key) for _, topic, key, community in rows
    ]
    return (rows[-1][0] if rows else number), signals
