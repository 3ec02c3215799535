from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import pytest

from community.database.rows import EVERY, NULL, Maker, NotRead, Run, Shape, Unread, day, first_of_each
from community.database.sql import select, select_rows
from community.events.models import Event
from community.ledger.actions import record_entry
from community.ledger.rules import Category, Direction
from community.permissions import SYSTEM
from compiled.classes import is_ordinary

NOON = datetime(2026, 6, 1, 12, microsecond=5, tzinfo=UTC)


class Gathering(NamedTuple):
    key: int
    title: str
    starts_at: datetime
    capacity: int | None
    potluck: bool


GATHERINGS = Shape(Gathering, "event", key="id")


async def gather(community: int, title: str, starts_at: datetime = NOON, **more: Any) -> int:
    made = await Event.create(
        community_id=community, title=title, description="", place="x", starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1), sign_up_closes_at=starts_at, max_party_size=1,
        published_at=NOON, **more,
    )  # fmt: skip
    return int(made.id)


async def test_a_row_is_as_its_type_says_on_both_engines(estate: Any) -> None:
    key = await gather(estate.community, "茶", potluck=True)
    (row,) = await GATHERINGS.with_ids([key, 1])
    assert row == Gathering(key, "茶", NOON, None, True)
    assert (row.potluck is True, row.starts_at.utcoffset()) == (True, timedelta())
    assert await GATHERINGS.where("t.title = ? ORDER BY t.id", ["茶"]) == [row]
    assert await GATHERINGS.with_ids([]) == []


class Line(NamedTuple):
    date: date
    category: Category
    item: str
    voucher: str | None


async def test_days_and_words_too(estate: Any, now: datetime) -> None:
    key = await record_entry(
        SYSTEM, now, estate.community, date=date(2026, 1, 31), direction=Direction.EXPENSE,
        category=Category.AUDIT, item="审计", amount=1,
    )  # fmt: skip
    (row,) = await Shape(Line, "entry").with_ids([key])
    assert row == Line(date(2026, 1, 31), Category.AUDIT, "审计", None)
    assert isinstance(row.category, Category)
    (found,) = await select("SELECT date FROM entry")
    assert day(found["date"]) == date(2026, 1, 31)


class Sort(StrEnum):
    TEA = "tea"
    FEAST = "feast"


class Everything(NamedTuple):
    """A column of each kind, each with a twin that may be empty."""

    at: datetime
    maybe_at: datetime | None
    on: date
    maybe_on: date | None
    truth: bool
    maybe_truth: bool | None
    sort: Sort
    maybe_sort: Sort | None
    text: str
    number: int | None
    either: int | str | None
    several: tuple[int, ...]


MAKE = Maker(Everything)
DAY = date(2026, 1, 31)
AS_SQLITE = (
    "2026-06-01 12:00:00.000005+00:00", None, "2026-01-31", None, 1, None, "tea", None, "字", None, "x",
    (1, 2),
)  # fmt: skip
AS_POSTGRES = (NOON, None, DAY, None, True, None, "tea", None, "字", None, "x", (1, 2))
MADE = Everything(NOON, None, DAY, None, True, None, Sort.TEA, None, "字", None, "x", (1, 2))


@pytest.mark.parametrize("row", [AS_SQLITE, AS_POSTGRES], ids=["sqlite", "postgres"])
def test_a_column_of_each_kind_is_as_its_type_says(row: tuple[Any, ...]) -> None:
    (made,) = MAKE([row])
    assert made == MADE
    assert list(map(type, made)) == list(map(type, MADE))
    assert made.sort is Sort.TEA
    assert made.truth is True


@pytest.mark.parametrize("row", [AS_SQLITE, AS_POSTGRES], ids=["sqlite", "postgres"])
def test_what_may_be_empty_and_is_not_is_read_too(row: tuple[Any, ...]) -> None:
    full = list(row)
    full[1::2] = [row[0], row[2], 0, "feast", 7, (3,)]
    made = MAKE([full, row])
    sorts = Everything(NOON, NOON, DAY, DAY, True, False, Sort.TEA, Sort.FEAST, "字", 7, "x", (3,))
    assert made == [sorts, MADE]
    assert made[0].maybe_truth is False


def test_of_no_rows_none_are_made() -> None:
    assert MAKE([]) == []
    assert MAKE([], skipped=3) == []


def test_columns_before_those_of_the_row_are_passed_over() -> None:
    assert MAKE([(9, "owner", *AS_SQLITE), (8, "other", *AS_POSTGRES)], skipped=2) == [MADE, MADE]


@pytest.mark.parametrize("row", [AS_SQLITE[:-1], (*AS_SQLITE, 1)], ids=["short", "long"])
def test_rows_of_another_width_are_a_fault(row: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError)):
        MAKE([AS_SQLITE, row])
    with pytest.raises((TypeError, ValueError)):
        MAKE([row, row])


def test_a_word_that_the_type_does_not_know_is_a_fault() -> None:
    with pytest.raises(KeyError):
        MAKE([(*AS_SQLITE[:6], "dinner", *AS_SQLITE[7:])])
    with pytest.raises(KeyError):
        MAKE([(*AS_SQLITE[:4], 2, *AS_SQLITE[5:])])


class Counted(NamedTuple):
    key: int
    letters: int | None
    loud: bool | None
    title: str


COUNTED = Shape(
    Counted, "event", {"letters": "length(t.title)", "loud": "t.potluck OR t.max_party_size > 1"}, key="id"
)


async def test_what_is_computed_may_be_left_out(estate: Any) -> None:
    key = await gather(estate.community, "茶会")
    whole = Counted(key, 2, False, "茶会")
    assert await COUNTED.with_ids([key]) == [whole]
    for names in (("letters",), ("loud",), ("letters", "loud"), ()):
        shape = COUNTED.without(*names)
        assert shape.columns.count(NULL) == len(names)
        assert await shape.with_ids([key]) == [whole._replace(**dict.fromkeys(names))]
        assert await COUNTED.with_ids([key]) == [whole], "the whole shape is as before"
        found_of = await first_of_each(shape, "community", [estate.community], 1, Run("t.id"))
        assert found_of == {estate.community: [whole._replace(**dict.fromkeys(names))]}


@pytest.mark.parametrize(
    ("names", "needed", "read"),
    [
        ({"title"}, [], {"title"}),
        ({"title"}, ["key"], {"title", "key"}),
        ({"letters", "loud", "other"}, [], {"letters", "loud"}),
        ({EVERY}, [], {"key", "title"}),
        ({EVERY, "loud"}, [], {"key", "title", "loud"}),
    ],
)
async def test_only_some_columns_are_read(
    estate: Any, names: set[str], needed: list[str], read: set[str]
) -> None:
    key = await gather(estate.community, "茶会")
    shape = COUNTED.only(frozenset(names), *needed)
    assert all((f" AS {name}" in shape.columns) == (name in read) for name in Counted._fields)
    (row,) = await shape.where("t.id = ?", [key])
    whole = Counted(key, 2, False, "茶会")
    for name in Counted._fields:
        value = getattr(row, name)
        assert value == getattr(whole, name) if name in read else type(value) is Unread
    assert await COUNTED.only(None).with_ids([key]) == [whole], "the whole shape is as before"


@pytest.mark.parametrize("use", [bool, str, len, lambda value: value == 5, lambda value: value.year])
def test_what_was_not_read_cannot_be_used(use: Any) -> None:
    ((_, unread),) = MAKER_OF_ONE([(1,)])
    with pytest.raises((NotRead, TypeError)):
        use(unread)
    assert not is_ordinary(type(unread)), "nor completed by what is generated"
    assert dict.fromkeys(MAKER_OF_ONE([(1,), (2,)]), "found")[MAKER_OF_ONE([(2,)])[0]] == "found"


def test_a_row_of_which_not_all_was_read_is_a_key_of_its_own() -> None:
    part, same, other = MAKER_OF_ONE([(1,), (1,), (2,)])
    assert {part: "part", Pair(1, "whole"): "whole"}[same] == "part"
    assert other not in {part}


class Pair(NamedTuple):
    first: int
    second: str


MAKER_OF_ONE = Maker(Pair, {"first"})


async def test_rows_come_as_their_columns_in_order(estate: Any) -> None:
    key = await gather(estate.community, "茶", potluck=True)
    asked = "SELECT t.title, t.id, t.capacity FROM event t WHERE t.starts_at = ?"
    assert [tuple(row) for row in await select_rows(asked, [NOON.astimezone()])] == [("茶", key, None)]
    assert [list(row.values()) for row in await select(asked, [NOON])] == [["茶", key, None]]
    assert list(await select_rows(asked, [NOON + timedelta(days=1)])) == []


@pytest.fixture
async def owners(estate: Any, build: Any) -> list[int]:
    """A community with four gatherings, one with one, one with none."""
    one, none = await build.community(), await build.community()
    for hours in (2, 1, 3, 0):
        await gather(estate.community, f"+{hours}", NOON + timedelta(hours=hours))
    await gather(one, "alone")
    return [estate.community, one, none]


EARLY, LATE = Run("t.starts_at, t.id"), Run("t.starts_at DESC, t.id DESC")


@pytest.mark.parametrize(
    ("most", "run", "titles"),
    [
        (0, EARLY, []),
        (1, EARLY, ["+0"]),
        (2, LATE, ["+3", "+2"]),
        (9, EARLY, ["+0", "+1", "+2", "+3"]),
        (9, LATE._replace(where=" AND t.starts_at < ?", values=[NOON + timedelta(hours=2)]), ["+1", "+0"]),
    ],
)
async def test_the_first_rows_of_each_owner_in_order(
    owners: list[int], most: int, run: Run, titles: list[str]
) -> None:
    found = await first_of_each(GATHERINGS, "community", owners, most, run)
    assert [[row.title for row in found[owner]] for owner in owners] == [titles, ["alone"][:most], []]
    for owner in owners:
        assert await first_of_each(GATHERINGS, "community", [owner], most, run) == {owner: found[owner]}


async def test_several_runs_are_cut_each_for_itself(owners: list[int]) -> None:
    found = await first_of_each(GATHERINGS, "community", owners, 1, EARLY, LATE)
    assert sorted(row.title for row in found[owners[0]]) == ["+0", "+3"]
    assert {row.title for row in found[owners[1]]} == {"alone"}


async def test_of_nobody_there_is_nothing(database: str) -> None:
    assert await first_of_each(GATHERINGS, "community", [], 5, EARLY) == {}
    assert await first_of_each(GATHERINGS, "community", [5], 5, EARLY) == {5: []}
