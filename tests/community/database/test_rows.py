from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from community.database.rows import Run, Shape, day, first_of_each
from community.database.sql import select
from community.events.models import Event
from community.ledger.actions import record_entry
from community.ledger.rules import Category, Direction
from community.permissions import SYSTEM

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


async def test_several_runs_are_cut_each_for_itself(owners: list[int]) -> None:
    found = await first_of_each(GATHERINGS, "community", owners, 1, EARLY, LATE)
    assert sorted(row.title for row in found[owners[0]]) == ["+0", "+3"]
    assert {row.title for row in found[owners[1]]} == {"alone"}


async def test_of_nobody_there_is_nothing(database: str) -> None:
    assert await first_of_each(GATHERINGS, "community", [], 5, EARLY) == {}
    assert await first_of_each(GATHERINGS, "community", [5], 5, EARLY) == {5: []}
