"""The book as residents read it: entries, months that add up, and the balance. Amounts in fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tortoise.functions import Count, Sum
from tortoise.queryset import QuerySet

from community.database.paging import Page, page
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
    month_in,
)
from community.ledger.rules import CategoryTotal as CategoryTotal
from community.ledger.rules import MonthRow as MonthRow
from community.permissions import Permission, Place, Viewer, may
from community.places.reads import place_of, places_of


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


async def _entries(query: QuerySet[Entry]) -> list[EntryRow]:
    rows: list[dict[str, Any]] = await query.values(
        "id", "number", "date", "direction", "category", "item", "counterparty", "voucher", "amount",
        "balance", "authority_clause", "recorded_at",
        community="community_id", authority_vote="authority_vote_id", reverses="reverses_id",
    )  # fmt: skip
    return [EntryRow(**row) for row in rows]


async def entries_page(
    community: int, first: int, after: int | None = None, month: str | None = None
) -> Page[EntryRow]:
    """Newest first; `after` is the number of the last one seen. Raises InvalidInput for no such month."""
    query = Entry.filter(community_id=community)
    if after is not None:
        query = query.filter(number__lt=after)
    if month is not None:
        start, end = days_of(month)
        query = query.filter(date__gte=start, date__lte=end)
    return page(await _entries(query.order_by("-number").limit(first + 1)), first)


async def entry_row(entry: int) -> EntryRow:
    """For actions, whoever asks. Raises NotFound."""
    rows = await _entries(Entry.filter(id=entry))
    if not rows:
        raise NotFound
    return rows[0]


async def entries_by_id(viewer: Viewer, ids: Sequence[int]) -> dict[int, EntryRow]:
    """Those of communities whose ledger the viewer may read."""
    rows = await _entries(Entry.filter(id__in=ids))
    places = await places_of({row.community for row in rows})
    return {row.id: row for row in rows if may(viewer, Permission.READ_LEDGER, places[row.community])}


async def place_of_entry(entry: int) -> Place:
    """Raises NotFound."""
    return await place_of((await entry_row(entry)).community)


async def last_line(community: int) -> tuple[int, int]:
    """The number and the balance of the last entry; zeros before the first."""
    newest = Entry.filter(community_id=community).order_by("-number").limit(1)
    rows = await newest.values_list("number", "balance")
    return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)


async def balance_of(community: int) -> int:
    return (await last_line(community))[1]


async def _months(community: int) -> list[MonthRow]:
    sums = (
        await Entry.filter(community_id=community)
        .annotate(total=Sum("amount"), count=Count("id"))
        .group_by("date", "direction", "category")
        .values_list("date", "direction", "category", "total", "count")
    )
    return fold_months(
        DaySum(on, direction, category, int(total), count) for on, direction, category, total, count in sums
    )


async def months_of(community: int, first: int) -> list[MonthRow]:
    """Newest first: every month from the first entry's to the latest one's, by the dates of the entries."""
    return (await _months(community))[::-1][:first]


async def month_of(community: int, month: str) -> MonthRow | None:
    """None before the first entry; after the latest one the balance stands. Raises InvalidInput."""
    return month_in(await _months(community), month)


async def check_books(community: int) -> list[str]:
    """Every difference found when the whole book is added up again; none when it is right."""
    entries = await _entries(Entry.filter(community_id=community).order_by("number"))
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
    return check_chain(lines, await _months(community))
