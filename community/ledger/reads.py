"""The book as residents read it: entries, months that add up, and the balance. Amounts in fen."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from community.database.paging import Page, page
from community.database.rows import Run, Shape, day, first_of_each
from community.database.sql import marks, select
from community.errors import NotFound
from community.ledger.models import Entry
from community.ledger.rules import (
    BookLine,
    Category,
    DaySum,
    Direction,
    check_chain,
    days_of,
    fold_months,
)
from community.ledger.rules import CategoryTotal as CategoryTotal
from community.ledger.rules import MonthRow as MonthRow
from community.permissions import Permission, Place, Viewer
from community.places.reads import place_of, rows_open_to


@dataclass(frozen=True, slots=True)
class EntryRow:
    id: int
    community: int
    number: int
    date: date
    direction: Direction
    category: Category
    item: str
    counterparty: str | None
    voucher: str | None
    amount: int
    balance: int
    authority_vote: int | None
    authority_clause: str | None
    reverses: int | None
    recorded_at: datetime


_ENTRIES = Shape(
    EntryRow,
    "entry",
    community="community_id",
    authority_vote="authority_vote_id",
    reverses="reverses_id",
)
_NEWEST = "t.number DESC"


async def entries_pages(
    communities: Collection[int], first: int, after: int | None = None, month: str | None = None
) -> dict[int, Page[EntryRow]]:
    """Of each book, newest first; `after` is the number of the last one seen.

    Raises InvalidInput for no such month.
    """
    where, values = "", list[Any]()
    if after is not None:
        where, values = " AND t.number < ?", [after]
    if month is not None:
        where, values = f"{where} AND t.date BETWEEN ? AND ?", [*values, *days_of(month)]
    found = await first_of_each(_ENTRIES, "community", communities, first + 1, Run(_NEWEST, where, values))
    return {community: page(rows, first) for community, rows in found.items()}


async def entries_page(community: int, *terms: Any, **more: Any) -> Page[EntryRow]:
    return (await entries_pages([community], *terms, **more))[community]


async def entry_row(entry: int) -> EntryRow:
    """For actions, whoever asks. Raises NotFound."""
    rows = await _ENTRIES.with_ids([entry])
    if not rows:
        raise NotFound
    return rows[0]


async def entries_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, EntryRow]:
    """Those of communities whose ledger the viewer may read."""
    rows = await rows_open_to(viewer, Permission.READ_LEDGER, _ENTRIES, ids)
    return {row.id: row for row in rows}


async def entries_by_number(communities: Collection[int], number: int) -> dict[int, EntryRow]:
    """By community."""
    return {row.community: row for row in await _ENTRIES.with_number(number, communities)}


async def place_of_entry(entry: int) -> Place:
    """Raises NotFound."""
    return await place_of((await entry_row(entry)).community)


async def span_of(community: int) -> tuple[date, date] | None:
    """The earliest and the latest day of an entry; None before the first."""
    (row,) = await select(
        "SELECT MIN(date) AS first, MAX(date) AS last FROM entry WHERE community_id = ?", [community]
    )
    return None if row["first"] is None else (day(row["first"]), day(row["last"]))


async def last_line(community: int) -> tuple[int, int]:
    """The number and the balance of the last entry; zeros before the first."""
    newest = Entry.filter(community_id=community).order_by("-number").limit(1)
    rows = await newest.values_list("number", "balance")
    return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)


@dataclass(frozen=True, slots=True)
class _BalanceRow:
    balance: int


_BALANCES = Shape(_BalanceRow, "entry")


async def balances_of(communities: Collection[int]) -> dict[int, int]:
    """What is there now; nothing before the first entry."""
    found = await first_of_each(_BALANCES, "community", communities, 1, Run(_NEWEST))
    return {community: rows[0].balance if rows else 0 for community, rows in found.items()}


async def months_of(communities: Collection[int]) -> dict[int, list[MonthRow]]:
    """Of each book every month from the first entry's to the latest one's, by their dates, oldest first."""
    sums: defaultdict[int, list[DaySum]] = defaultdict(list)
    for row in await select(_SUMS % marks(communities), list(communities)):
        sums[row["community"]].append(
            DaySum(
                day(row["date"]),
                Direction(row["direction"]),
                Category(row["category"]),
                int(row["total"]),
                row["entries"],
            )
        )
    return {community: fold_months(sums[community]) for community in communities}


_SUMS = """
SELECT community_id AS community, date, direction, category, SUM(amount) AS total, COUNT(*) AS entries
  FROM entry WHERE community_id IN (%s) GROUP BY community_id, date, direction, category
"""


async def check_books(community: int) -> list[str]:
    """Every difference found when the whole book is added up again; none when it is right."""
    entries = await _ENTRIES.where("t.community_id = ? ORDER BY t.number", [community])
    lines = [
        BookLine(
            entry.id,
            entry.number,
            entry.direction,
            entry.category,
            entry.amount,
            entry.balance,
            entry.reverses,
        )
        for entry in entries
    ]
    return check_chain(lines, (await months_of([community]))[community])
