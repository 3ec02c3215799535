import random
from datetime import date, timedelta
from typing import Any

import pytest

from community.ledger import reads
from community.ledger.actions import record_entry, reverse_entry
from community.ledger.known import months_of
from community.ledger.rules import Category, Direction
from community.permissions import SYSTEM
from tests.engines import opened_alone


@pytest.fixture
def summed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The books that were added up anew."""
    books, real = list[int](), reads.months_of

    async def counting(communities: Any) -> Any:
        books.extend(communities)
        return await real(communities)

    monkeypatch.setattr(reads, "months_of", counting)
    return books


async def record(estate: Any, now: Any, amount: int, day: date) -> int:
    return await record_entry(
        SYSTEM, now, estate.community, direction=Direction.INCOME, category=Category.PARKING_COMMON,
        amount=amount, item="车位", date=day,
    )  # fmt: skip


async def test_a_book_is_added_up_again_only_when_it_has_grown(
    estate: Any, now: Any, summed: list[int]
) -> None:
    here, day = [estate.community], now.date() - timedelta(days=70)
    assert await months_of(here) == await months_of(here) == {estate.community: []}
    entry = await record(estate, now, 5_000, day)
    first = await months_of(here)
    assert await months_of(here) == first == await reads.months_of(here)
    summed.clear()
    await months_of(here)
    assert summed == []
    await reverse_entry(SYSTEM, now, entry, reason="记错了")
    assert (await months_of(here))[estate.community][-1].closing == 0
    assert summed == here


async def test_every_entry_is_seen_whatever_its_day(estate: Any, now: Any) -> None:
    chance = random.Random(5)  # noqa: S311
    for _ in range(12):
        await record(
            estate, now, chance.randint(1, 9_999), now.date() - timedelta(days=chance.randint(0, 90))
        )
        for _ in range(2):
            assert await months_of([estate.community]) == await reads.months_of([estate.community])


async def test_books_are_apart_and_go_with_the_database(
    estate: Any, build: Any, now: Any, database: str, summed: list[int]
) -> None:
    other = await build.community()
    await record(estate, now, 700, now.date())
    both = [estate.community, other]
    assert await months_of(both) == await reads.months_of(both)
    summed.clear()
    await months_of(both)
    assert summed == [other], "of a book without an entry there is nothing to keep"
    async with opened_alone(database):
        await months_of(both)
    assert sorted(summed[1:]) == sorted(both)
