from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from community.database.sql import is_postgres, select
from community.errors import CursorInvalid, InvalidInput, NotFound
from community.ledger.actions import NewEntry, record_entries, record_entry, reverse_entry
from community.ledger.reads import (
    Balance,
    EntryRow,
    balance_of,
    balances_at,
    balances_of,
    check_books,
    check_number,
    entries_by_id,
    entries_by_number,
    entries_page,
    entries_pages,
    entry_row,
    months_of,
    scope_of_entry,
)
from community.ledger.rules import (
    Category,
    CategoryTotal,
    Direction,
    MonthRow,
    Undone,
    fold_years,
    month_in,
    month_of_day,
    signed,
)
from community.permissions import NOBODY, SYSTEM, Permission, Person, Role, Scope, Viewer
from community.places.rules import OrganizationKind

INCOME, EXPENSE = Direction.INCOME, Direction.EXPENSE
PARKING, LOCKER, AUDIT = Category.PARKING_COMMON, Category.PARCEL_LOCKER, Category.AUDIT

BOOK = [  # written down late and out of order, as it happens
    NewEntry(date(2026, 1, 31), INCOME, PARKING, "一月停车费", 3_000),
    NewEntry(date(2026, 3, 1), EXPENSE, AUDIT, "审计", 1_000),
    NewEntry(date(2026, 1, 2), INCOME, LOCKER, "快递柜", 4_000),
    NewEntry(date(2026, 1, 3), INCOME, PARKING, "补记停车费", 2_000),
    NewEntry(date(2026, 5, 20), INCOME, PARKING, "五月停车费", 100),
]


@pytest.fixture
async def book(estate: Any, build: Any, now: datetime) -> int:
    elsewhere = await build.community()
    await record_entries(SYSTEM, now, elsewhere, BOOK[:1])
    await record_entries(SYSTEM, now, estate.community, BOOK)
    return int(estate.community)


async def fen_in(community: int) -> int:
    return (await balance_of(community)).balance


async def month_of(community: int, month: str) -> MonthRow | None:
    return month_in((await months_of([community]))[community], month)


async def test_an_empty_book(estate: Any) -> None:
    assert await balance_of(estate.community) == Balance(estate.community, version=0, balance=0)
    assert await months_of([estate.community]) == {estate.community: []}
    assert await month_of(estate.community, "2026-05") is None
    assert list((await entries_page(estate.community, 20)).rows) == []
    assert await check_books(estate.community) == []


async def test_months_are_those_of_the_dates_and_reconcile(book: int) -> None:
    months = (await months_of([book]))[book][::-1]
    assert [month.month for month in months] == ["2026-05", "2026-04", "2026-03", "2026-02", "2026-01"]
    assert [month.closing for month in months] == [8_100, 8_000, 8_000, 9_000, 9_000]
    assert [month.opening for month in months] == [8_000, 8_000, 9_000, 9_000, 0]
    assert months[-1] == MonthRow(
        "2026-01", 0, 9_000, 0, 9_000, 3,
        [CategoryTotal(INCOME, PARKING, 5_000), CategoryTotal(INCOME, LOCKER, 4_000)],
    )  # fmt: skip
    assert await balance_of(book) == Balance(book, version=len(BOOK), balance=months[0].closing)


async def test_many_books_are_read_as_each_alone(book: int, estate: Any, build: Any, now: datetime) -> None:
    empty, other = await build.community(), await build.community()
    await record_entries(SYSTEM, now, other, BOOK[1:4])
    books = [book, empty, other]
    assert await balances_of(books) == {key: await balance_of(key) for key in books}
    assert await months_of(books) == {key: (await months_of([key]))[key] for key in books}
    for first, *terms in ((1,), (2,), (9,), (2, 3), (2, None, "2026-01")):
        pages = await entries_pages(books, first, *terms)
        assert pages == {key: await entries_page(key, first, *terms) for key in books}
    assert [row.number for row in (await entries_pages(books, 2))[other].rows] == [1, 3]
    assert await entries_pages([], 2) == await balances_of([]) == await months_of([]) == {}


async def test_one_month(book: int) -> None:
    march = await month_of(book, "2026-03")
    assert march == MonthRow("2026-03", 9_000, 0, 1_000, 8_000, 1, [CategoryTotal(EXPENSE, AUDIT, 1_000)])
    assert await month_of(book, "2026-06") == MonthRow("2026-06", 8_100, 0, 0, 8_100, 0, [])
    assert await month_of(book, "2025-12") is None
    with pytest.raises(InvalidInput):
        await month_of(book, "2026-5")


async def test_a_reversal_counts_where_it_is_dated_and_the_months_still_reconcile(
    estate: Any, book: int, now: datetime
) -> None:
    audit = (await entries_page(book, 10, month="2026-03")).rows[0]
    await reverse_entry(estate.chair, now, audit.id, reason="重复")
    may = await month_of(book, "2026-05")
    assert may is not None
    assert (may.income, may.expense, may.closing, may.entries) == (100, -1_000, 9_100, 2)
    assert may.closing == await fen_in(book)
    of_march, of_may = CategoryTotal(EXPENSE, AUDIT, 1_000, Undone(1_000, 0)), Undone(0, -1_000)
    march = await month_of(book, "2026-03")
    assert march == MonthRow("2026-03", 9_000, 0, 1_000, 8_000, 1, [of_march])
    assert (may.undone(EXPENSE), may.undone(INCOME)) == (of_may, Undone())
    (year,) = fold_years((await months_of([book]))[book])
    assert (year.undone(EXPENSE), year.expense, year.closing) == (Undone(1_000, -1_000), 0, 9_100)


@pytest.mark.parametrize("first", [1, 2, 5, 10])
async def test_entries_newest_first(book: int, first: int) -> None:
    numbers: list[int] = []
    after = None
    while True:
        page = await entries_page(book, first, after)
        numbers += [row.number for row in page.rows]
        if not page.more:
            break
        after = page.rows[-1].number
    assert numbers == [5, 2, 1, 4, 3]


async def test_entries_of_a_month(book: int) -> None:
    page = await entries_page(book, 2, month="2026-01")
    assert ([row.number for row in page.rows], page.more) == ([1, 4], True)
    rest = await entries_page(book, 2, after=4, month="2026-01")
    assert ([row.item for row in rest.rows], rest.more) == (["快递柜"], False)
    with pytest.raises(InvalidInput):
        await entries_page(book, 2, month="January")


async def everything(book: int, size: int, month: str | None = None) -> list[EntryRow]:
    found: list[EntryRow] = []
    page = await entries_page(book, size, month=month)
    while True:
        found += page.rows
        if not page.more:
            return found
        page = await entries_page(book, size, found[-1].number, month)


def scattered(seed: int) -> list[NewEntry]:
    """Ninety entries of half a year in the order in which somebody remembered them, many of one day."""
    rng = Random(seed)  # noqa: S311 - the same each time
    return [
        NewEntry(
            date(2025, rng.randint(7, 12), rng.choice((1, 2, 15, 28))), side,
            PARKING if side is INCOME else AUDIT, "x", rng.randint(1, 10**6),
        )
        for side in rng.choices([INCOME, EXPENSE], k=90)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_balances_never_contradict_each_other_nor_the_months(
    book: int, build: Any, now: datetime, seed: int
) -> None:
    other = await build.community()
    await record_entries(SYSTEM, now, other, scattered(seed))
    rows = await everything(other, 7)
    assert [(row.date, row.number) for row in rows] == sorted(
        ((row.date, row.number) for row in rows), reverse=True
    )
    assert rows[0].balance == await fen_in(other)
    for later, earlier in pairwise(rows):
        assert later.balance == earlier.balance + signed(later.direction, later.amount)
    assert rows[-1].balance == signed(rows[-1].direction, rows[-1].amount)
    for month in (await months_of([other]))[other]:
        own = await everything(other, 5, month.month)
        assert own == [row for row in rows if month_of_day(row.date) == month.month]
        assert (own[0].balance if own else month.opening) == month.closing
    together = await entries_pages([book, other], 3, month="2025-09")
    assert together[other].rows == (await everything(other, 100, "2025-09"))[:3]
    some = rows[5:50:9]
    keys = [row.id for row in some]
    assert await entries_by_id(SYSTEM, keys) == {row.id: row._replace(balance=None) for row in some}
    every = {row.id: row.balance for row in [*rows, *await everything(book, 100)]}
    assert await balances_at(list(every)) == every
    assert await balances_at([*keys, 5]) == {row.id: row.balance for row in some}
    assert await balances_at([]) == {}
    beside = {row.number: row._replace(balance=None) for row in await everything(book, 100)}
    for row in [*some, *(row for row in rows if row.number in (1, 5, 6, 90))]:
        here = {book: beside[row.number]} if row.number in beside else {}
        alone = row._replace(balance=None)
        assert await entries_by_number([book, other], row.number) == here | {other: alone}
    assert await entries_by_number([book, other], 91) == {}


async def test_a_late_entry_stands_at_its_day_and_moves_what_is_behind(book: int, now: datetime) -> None:
    before = {row.number: row.balance for row in await everything(book, 9)}
    await record_entries(SYSTEM, now, book, [NewEntry(date(2026, 1, 3), EXPENSE, AUDIT, "补记", 500)])
    assert [(row.number, row.balance) for row in await everything(book, 2)] == [
        (5, before[5] - 500), (2, before[2] - 500), (1, before[1] - 500), (6, before[4] - 500),
        (4, before[4]), (3, before[3]),
    ]  # fmt: skip
    assert await check_books(book) == []


async def test_who_pages_misses_and_repeats_nothing_while_others_record(book: int, now: datetime) -> None:
    page = await entries_page(book, 2)
    seen = [row.number for row in page.rows]
    more = [(date(2026, 5, 20), "后来"), (date(2026, 3, 1), "同日"), (date(2026, 1, 1), "补记")]
    await record_entries(SYSTEM, now, book, [NewEntry(day, INCOME, PARKING, item, 1) for day, item in more])
    while page.more:
        page = await entries_page(book, 2, seen[-1])
        seen += [row.number for row in page.rows]
    assert seen == [5, 2, 1, 4, 3, 8]  # what came before the place reached is seen by whoever starts anew
    assert [row.number for row in await everything(book, 3)] == [6, 5, 7, 2, 1, 4, 3, 8]


async def test_a_place_behind_no_entry_is_none(book: int) -> None:
    assert list((await entries_page(book, 2, 99)).rows) == []
    with pytest.raises(CursorInvalid):
        await check_number(book, 99)
    await check_number(book, 5)


async def test_who_recorded_is_said_as_the_party_of_that_time(estate: Any, build: Any, now: datetime) -> None:
    async def recorded(viewer: Viewer, at: datetime) -> str | None:
        entry = await record_entry(
            viewer, at, estate.community, date=date(2026, 5, 1), direction=INCOME, category=PARKING,
            item="停车费", amount=1,
        )  # fmt: skip
        return (await entry_row(entry)).recorded_for

    elsewhere = await build.community()
    chair = await build.staff(estate.community, Role.MANAGEMENT_COMMITTEE, None)
    both = await build.staff(estate.community, Role.PROPERTY_MANAGER, None)
    await build.role(both.account, estate.community, Role.COMMITTEE)
    await build.role(both.account, elsewhere, Role.MANAGEMENT_COMMITTEE)
    assert await recorded(estate.chair, now) == OrganizationKind.OWNERS_COMMITTEE
    assert await recorded(estate.manager, now) == OrganizationKind.PROPERTY_SERVICE
    assert await recorded(chair, now) == OrganizationKind.MANAGEMENT_COMMITTEE
    assert await recorded(await build.viewer(both.account), now) == OrganizationKind.OWNERS_COMMITTEE
    offices = {
        Role.COMMITTEE: OrganizationKind.OWNERS_COMMITTEE,
        Role.PROPERTY_MANAGER: OrganizationKind.PROPERTY_SERVICE,
    }
    tomorrow = now + timedelta(days=1)
    for first, then in (tuple(offices), tuple(offices)[::-1]):
        changing = await build.account()
        await build.role(changing, estate.community, first, until=tomorrow)
        await build.role(changing, estate.community, then, since=tomorrow)
        changed = replace(estate.manager, account=changing)
        assert await recorded(changed, now) == offices[first]
        assert await recorded(changed, tomorrow) == offices[then]
    assert await recorded(SYSTEM, now) is None
    kept = NewEntry(date(2026, 5, 1), INCOME, PARKING, "旧账", 1, recorded_by=estate.manager.account)
    await record_entries(SYSTEM, now, estate.community, [kept])
    (old,) = [row for row in (await entries_page(estate.community, 20)).rows if row.item == "旧账"]
    assert old.recorded_for == OrganizationKind.PROPERTY_SERVICE


async def test_an_entry_is_found_by_those_who_may_read_the_ledger(
    estate: Any, build: Any, book: int, now: datetime
) -> None:
    (entry,) = (row._replace(balance=None) for row in (await entries_page(book, 1)).rows)
    open_book = await build.community(public=True)
    await record_entries(SYSTEM, now, open_book, BOOK[:1])
    (public,) = (row._replace(balance=None) for row in (await entries_page(open_book, 1)).rows)
    asked = [entry.id, public.id, 1]
    assert await entries_by_id(estate.owner, asked) == {entry.id: entry, public.id: public}
    for viewer in (estate.stranger, NOBODY):
        assert await entries_by_id(viewer, asked) == {public.id: public}
    narrow = Person(estate.owner.account, "", estate.owner.roles, frozenset({Permission.READ_BULLETIN}))
    assert await entries_by_id(narrow, asked) == {public.id: public}
    reader = Person(estate.owner.account, "", estate.owner.roles, frozenset({Permission.READ_LEDGER}))
    assert set(await entries_by_id(reader, asked)) == {entry.id, public.id}


async def test_the_scope_of_an_entry(book: int) -> None:
    (entry,) = (await entries_page(book, 1)).rows
    assert await scope_of_entry(entry.id) == Scope(book, public_reading=False)
    with pytest.raises(NotFound):
        await scope_of_entry(1)


async def test_sums_beyond_32_bits_stay_exact(estate: Any, now: datetime) -> None:
    amount = 9_999_999_999_999
    for _ in range(3):
        await record_entry(
            estate.chair, now, estate.community, date=date(2026, 5, 1), direction=INCOME, category=PARKING,
            item="停车费", amount=amount,
        )  # fmt: skip
    (month,) = (await months_of([estate.community]))[estate.community]
    assert (month.income, month.closing, await fen_in(estate.community)) == (3 * amount,) * 3
    assert isinstance(month.income, int)


async def test_a_book_altered_behind_our_back_is_found_out(book: int) -> None:
    """Somebody who owns the database can lift its guards; then the sums tell."""
    assert await check_books(book) == []
    await _alter_past_the_guards("UPDATE entry SET amount = 4001 WHERE community_id = ? AND number = 3", book)
    assert await check_books(book) == [
        "entry 3: says balance 6000, adds up to 6001",
        "entry 4: says balance 8000, adds up to 8001",
        "entry 5: says balance 8100, adds up to 8101",
    ]


async def _alter_past_the_guards(statement: str, book: int) -> None:
    if not is_postgres():
        await select("DROP TRIGGER entry_append_only_update")
        await select(statement, [book])
        return
    async with in_transaction():
        await select("SET LOCAL session_replication_role = replica")
        await select(statement, [book])
