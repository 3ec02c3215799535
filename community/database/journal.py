"""The journal: every fact as a numbered row, written in the transaction that made it.

Each community counts for itself, densely and in the order of commits, and so does the city: none waits
for the disk of another one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

from community.catalogue import Fact, catalogue
from community.database.ids import new_id
from community.database.locks import Lock, taking
from community.database.models import JournalRow
from community.database.sql import instant, select
from community.signals import Signal

Heads: TypeAlias = dict[int | None, int]
"""The newest number of each community, and under None that of the city itself; of one without facts none."""

Written: TypeAlias = Mapping[int | None, range]
"""The numbers of the rows of one transaction, in each community."""

AT_ONCE = 100
"""Communities whose new rows are read in one statement."""


class News(NamedTuple):
    """A fact about to be written; `community` is None for what happens in the city itself."""

    fact: Fact
    subject: int
    community: int | None

    @property
    def signals(self) -> list[Signal]:
        return self.fact.signals(self.subject, self.community)


def _in(community: int | None, column: str = "community_id") -> tuple[str, list[int]]:
    return (f"{column} IS NULL", []) if community is None else (f"{column} = ?", [community])


async def heads() -> Heads:
    rows = await select("SELECT community_id, number FROM journal_head")
    return {row["community_id"]: row["number"] for row in rows}


async def head(community: int | None) -> int:
    """The number of the newest fact there; 0 if there is none."""
    where, values = _in(community)
    rows = await select(f"SELECT number FROM journal_head WHERE {where}", values)  # noqa: S608 - our own text
    return int(rows[0]["number"]) if rows else 0


async def take_numbers(community: int | None, count: int) -> int:
    """Returns the first of the next `count` numbers, and locks them until this transaction ends.

    To be called last in a transaction: nobody else in the community commits meanwhile.
    """
    taking(Lock.JOURNAL)
    where, values = _in(community)
    update = f"UPDATE journal_head SET number = number + ? WHERE {where} RETURNING number"  # noqa: S608
    rows = await select(update, [count, *values])
    if not rows:
        first = "INSERT INTO journal_head (id, community_id, number) VALUES (?, ?, 0) ON CONFLICT DO NOTHING"
        await select(first, [new_id(), community])
        rows = await select(update, [count, *values])
    return int(rows[0]["number"]) - count + 1


def _in_order(item: News) -> tuple[int, ...]:
    """The same for everybody, so that no two wait for each other; the city last."""
    return (1,) if item.community is None else (0, item.community)


async def write(news: Sequence[News], now: datetime) -> Written:
    written = {}
    for _, of_one in groupby(sorted(news, key=_in_order), key=_in_order):
        items = list(of_one)
        community, first = items[0].community, await take_numbers(items[0].community, len(items))
        written[community] = range(first, first + len(items))
        await JournalRow.bulk_create(
            JournalRow(
                number=number,
                community_id=community,
                fact=item.fact.name,
                subject_kind=item.fact.subject.kind,
                subject=item.subject,
                at=now,
            )
            for number, item in zip(written[community], items, strict=True)
        )
    return written


_NEWEST = """
SELECT MAX(at) AS at FROM (
  SELECT j.at FROM journal_head h
    JOIN journal j ON j.community_id = h.community_id AND j.number > h.number - 100
  UNION ALL
  SELECT j.at FROM journal_head h JOIN journal j ON j.community_id IS NULL AND j.number > h.number - 100
   WHERE h.community_id IS NULL
) newest
"""


async def newest_at() -> datetime | None:
    """The latest instant among the newest facts of each community; None if there is no fact."""
    (row,) = await select(_NEWEST)
    newest: datetime | None = instant(row["at"])
    return newest


async def signals_after(seen: Heads, most: int = 1000) -> tuple[Heads, list[Signal]]:
    """The signals of up to `most` facts beyond what was `seen`, and what is seen then.

    One statement where nothing is new.
    """
    there = await heads()
    behind = [community for community, number in there.items() if number > seen.get(community, 0)][:AT_ONCE]
    if not behind:
        return seen, []
    rows = await _rows_of(behind, seen, most)
    now_seen = dict(seen)
    if len(rows) < most:  # these are read to their heads, or further
        now_seen |= {community: there[community] for community in behind}
    for row in rows:
        now_seen[row["community_id"]] = max(row["number"], now_seen.get(row["community_id"], 0))
    known = catalogue().facts
    return now_seen, [
        signal
        for row in rows
        if (fact := known.get(row["fact"]))  # a newer process may write what this one does not know
        for signal in fact.signals(row["subject"], row["community_id"])
    ]


async def _rows_of(communities: Sequence[int | None], seen: Heads, most: int) -> list[dict[str, Any]]:
    terms, values = [], []
    for community in communities:
        where, own = _in(community)
        terms.append(f"({where} AND number > ?)")
        values += [*own, seen.get(community, 0)]
    return await select(
        "SELECT number, community_id, fact, subject FROM journal"  # noqa: S608 - our own text
        f" WHERE {' OR '.join(terms)} ORDER BY community_id, number LIMIT ?",
        [*values, most],
    )
