import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from tortoise.transactions import in_transaction

from community.catalogue import Fact
from community.database import journal
from community.database.journal import News
from community.database.models import JournalRow
from community.database.work import UnitOfWork, atomic
from community.members.facts import ACCOUNT, RIGHTS_CHANGED
from community.permissions import SYSTEM
from community.signals import Signal
from community.votes.facts import BALLOT_CAST, VOTE_OPENED


def rights(account: int) -> News:
    return News(RIGHTS_CHANGED, account, None)


async def numbers() -> list[int]:
    return [row["number"] for row in await JournalRow.all().order_by("number").values("number")]


async def test_numbers_count_from_one(database: str, now: datetime) -> None:
    assert await journal.head() == 0
    assert await journal.take_number() == 1
    await journal.write([rights(5), rights(6)], now)
    await journal.write([rights(7)], now)
    assert await journal.head() == 3
    assert await numbers() == [1, 2, 3]


async def test_a_row_says_what_happened_and_to_what(estate: Any, now: datetime) -> None:
    community = estate.community
    await journal.write([News(BALLOT_CAST, 7, community), News(VOTE_OPENED, 7, community), rights(5)], now)
    columns = ("community_id", "fact", "subject_kind", "subject", "at")
    assert await JournalRow.all().order_by("number").values_list(*columns) == [
        (community, "BALLOT_CAST", "Vote", 7, now),
        (community, "VOTE_OPENED", "Vote", 7, now),
        (None, "RIGHTS_CHANGED", "Account", 5, now),
    ]


async def test_later_facts_as_the_signals_that_were_told(estate: Any, now: datetime) -> None:
    community = estate.community
    await journal.write([rights(5), News(VOTE_OPENED, 7, community), rights(6)], now)
    opened = [Signal("tally", 7), Signal("bulletin", community)]
    first, last = Signal("rights", 5), Signal("rights", 6)
    assert await journal.signals_after(0) == (3, [first, *opened, last])
    assert await journal.signals_after(0, most=2) == (2, [first, *opened])
    assert await journal.signals_after(2) == (3, [last])
    assert await journal.signals_after(3) == (3, [])


async def test_a_fact_that_only_a_newer_process_knows_tells_nobody_here(estate: Any, now: datetime) -> None:
    newer = Fact(name="NEWER", subject=ACCOUNT, touches=(), meaning="")
    await journal.write([News(newer, 5, None), rights(6)], now)
    assert await journal.signals_after(0) == (2, [Signal("rights", 6)])


async def test_many_writers_at_once_leave_no_gap_though_some_fail(database: str, now: datetime) -> None:
    def body(index: int) -> Callable[..., Awaitable[None]]:
        async def write(work: UnitOfWork) -> None:
            for account in range(index % 3 + 1):
                work.record(RIGHTS_CHANGED, account)
            await journal.take_number()
            if index % 5 == 0:
                raise ZeroDivisionError

        return write

    outcomes = await asyncio.gather(
        *(atomic(body(index), SYSTEM, now) for index in range(40)), return_exceptions=True
    )
    assert sum(isinstance(outcome, ZeroDivisionError) for outcome in outcomes) == 8
    written = sum(index % 3 + 1 for index in range(40) if index % 5)
    assert await numbers() == list(range(1, written + 1))


async def _until_somebody_waits_for_the_journal(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not await connection.fetchval(waiting):  # noqa: ASYNC110 - PostgreSQL tells nobody
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_numbers_are_seen_in_the_order_of_commits(database: str, now: datetime) -> None:
    """The second writer waits with its number until the first has committed, so no reader skips one."""
    taken, may_commit = asyncio.Event(), asyncio.Event()

    async def first() -> int:
        async with in_transaction():
            number = await journal.take_number()
            taken.set()
            await may_commit.wait()
            await journal.write([rights(5)], now)
            return number

    async def second() -> int:
        await taken.wait()
        async with in_transaction():
            number = await journal.take_number()
            await journal.write([rights(6)], now)
            return number

    watcher = await asyncpg.connect(database)
    async with asyncio.timeout(30):
        writers = [asyncio.create_task(first()), asyncio.create_task(second())]
        await _until_somebody_waits_for_the_journal(watcher)
        assert not any(writer.done() for writer in writers)
        assert await journal.head() == 0
        may_commit.set()
        assert await asyncio.gather(*writers) == [1, 2]
        assert [key for _, key in (await journal.signals_after(0))[1]] == [5, 6]
    await watcher.close()


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_who_holds_the_numbers_is_the_next_to_get_one(database: str, now: datetime) -> None:
    async def second() -> None:
        async with in_transaction():
            await journal.write([rights(6)], now)

    watcher = await asyncpg.connect(database)
    async with asyncio.timeout(30):
        async with in_transaction():
            await journal.lock_number()
            writer = asyncio.create_task(second(), context=Context())
            await _until_somebody_waits_for_the_journal(watcher)
            await journal.write([rights(5)], now)
        await writer
    await watcher.close()
    assert [key for _, key in (await journal.signals_after(0))[1]] == [5, 6]


@pytest.mark.parametrize("news", [[], [rights(5)]])
async def test_an_action_without_news_takes_no_number(database: str, now: datetime, news: list[News]) -> None:
    async def body(work: UnitOfWork) -> None:
        for item in news:
            work.record(item.fact, item.subject)

    await atomic(body, SYSTEM, now)
    assert await journal.head() == len(news)


async def test_the_latest_moment_is_the_latest_among_the_newest_changes(database: str, now: datetime) -> None:
    assert await journal.newest_at() is None
    for minutes in (0, 5, 3):  # a clock went back
        await journal.write([rights(1)], now + timedelta(minutes=minutes))
    assert await journal.newest_at() == now + timedelta(minutes=5)
    for _ in range(100):
        await journal.write([rights(1)], now)
    assert await journal.newest_at() == now
