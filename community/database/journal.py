"""The journal: every fact as a numbered row, written in the transaction that made it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from community.catalogue import Fact, catalogue
from community.database.models import JournalRow
from community.database.sql import instant, is_postgres, select
from community.signals import Signal

_ADVISORY_LOCK = 7_410_001


class News(NamedTuple):
    """A fact about to be written; `community` is None for what happens in the city itself."""

    fact: Fact
    subject: int
    community: int | None

    @property
    def signals(self) -> list[Signal]:
        return self.fact.signals(self.subject, self.community)


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
    """The number of the newest fact; 0 if there is none."""
    (row,) = await select("SELECT MAX(number) AS newest FROM journal")
    return int(row["newest"] or 0)


_NEWEST = (
    "SELECT at FROM journal WHERE number > (SELECT MAX(number) FROM journal) - 100 ORDER BY at DESC LIMIT 1"
)


async def newest_at() -> datetime | None:
    """The latest instant among the newest facts; None if there is no fact."""
    rows = await select(_NEWEST)
    return instant(rows[0]["at"]) if rows else None


async def write(news: Sequence[News], now: datetime) -> None:
    number = await take_number()
    await JournalRow.bulk_create(
        JournalRow(
            number=number + offset,
            community_id=item.community,
            fact=item.fact.name,
            subject_kind=item.fact.subject.kind,
            subject=item.subject,
            at=now,
        )
        for offset, item in enumerate(news)
    )


async def signals_after(number: int, most: int = 1000) -> tuple[int, list[Signal]]:
    """The signals of up to `most` later facts, and the number of the last of them."""
    rows = (
        await JournalRow.filter(number__gt=number)
        .order_by("number")
        .limit(most)
        .values_list("number", "fact", "subject", "community_id")
    )
    known = catalogue().facts
    signals = [
        signal
        for _, name, subject, community in rows
        if (fact := known.get(name))  # a newer process may write what this one does not know
        for signal in fact.signals(subject, community)
    ]
    return (rows[-1][0] if rows else number), signals
