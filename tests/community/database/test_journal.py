import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from community.catalogue import Fact
from community.database import journal
from community.database.journal import News
from community.database.models import JournalHead, JournalRow
from community.database.work import UnitOfWork, atomic
from community.members.facts import ACCOUNT, RIGHTS_CHANGED
from community.permissions import SYSTEM
from community.signals import Signal
from community.votes.facts import BALLOT_CAST, VOTE_OPENED
from tests.facts import written


def rights(account: int) -> News:
    return News(RIGHTS_CHANGED, account, None)


async def numbers(community: int | None = None) -> list[int]:
    rows = JournalRow.filter(community_id=community)
    return [row["number"] for row in await rows.order_by("number").values("number")]


async def test_each_community_counts_from_one_and_so_does_the_city(
    estate: Any, build: Any, now: datetime
) -> None:
    here, elsewhere = estate.community, await build.community()
    await journal.write([rights(5), News(BALLOT_CAST, 1, here), rights(6), News(BALLOT_CAST, 2, here)], now)
    await journal.write([News(BALLOT_CAST, 3, elsewhere), rights(7)], now)
    assert await journal.heads() == {None: 3, here: 2, elsewhere: 1}
    assert [await journal.head(each) for each in (None, here, elsewhere, 1)] == [3, 2, 1, 0]
    assert [await numbers(each) for each in (None, here, elsewhere)] == [[1, 2, 3], [1, 2], [1]]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_number_is_given_once_and_there_is_one_city(estate: Any, now: datetime, times: int) -> None:
    await journal.write([rights(5), News(BALLOT_CAST, 1, estate.community)], now)
    for community in (None, estate.community):
        row = {"fact": "X", "subject_kind": "Y", "subject": 1, "at": now, "community_id": community}
        with pytest.raises(IntegrityError):
            await JournalRow.create(number=1, **row)
        with pytest.raises(IntegrityError):
            await JournalHead.create(number=times, community_id=community)


async def test_a_row_says_what_happened_and_to_what(estate: Any, now: datetime) -> None:
    community = estate.community
    await journal.write([News(BALLOT_CAST, 7, community), News(VOTE_OPENED, 7, community), rights(5)], now)
    columns = ("community_id", "fact", "subject_kind", "subject", "at")
    assert await JournalRow.all().order_by("id").values_list(*columns) == [
        (community, "BALLOT_CAST", "Vote", 7, now),
        (community, "VOTE_OPENED", "Vote", 7, now),
        (None, "RIGHTS_CHANGED", "Account", 5, now),
    ]


async def test_later_facts_as_the_signals_that_were_told(estate: Any, now: datetime) -> None:
    community = estate.community
    await journal.write([rights(5), News(VOTE_OPENED, 7, community), rights(6)], now)
    opened = [Signal("tally", 7), Signal("bulletin", community), Signal("board", community)]
    first, last = Signal("rights", 5), Signal("rights", 6)
    there, signals = await journal.signals_after({})
    assert (there, sorted(signals)) == ({None: 2, community: 1}, sorted([first, *opened, last]))
    assert await journal.signals_after({None: 1}, most=9) == (there, _without(signals, first))
    assert await journal.signals_after({None: 1, community: 1}) == (there, [last])
    assert await journal.signals_after(there) == (there, [])


def _without(signals: list[Signal], one: Signal) -> list[Signal]:
    return [signal for signal in signals if signal != one]


async def test_what_is_too_much_at_once_is_read_on(estate: Any, build: Any, now: datetime) -> None:
    communities = [estate.community, *[await build.community() for _ in range(3)]]
    for community in communities:
        await journal.write([News(BALLOT_CAST, number, community) for number in range(5)], now)
    seen: journal.Heads = {}
    told: list[Signal] = []
    for _ in range(12):
        seen, signals = await journal.signals_after(seen, most=2)
        told += signals
    assert seen == dict.fromkeys(communities, 5)
    cast = [News(BALLOT_CAST, number, community) for community in communities for number in range(5)]
    assert sorted(told) == sorted(signal for news in cast for signal in news.signals)


async def test_where_nothing_is_new_one_statement_says_so(
    estate: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.write([rights(5), News(VOTE_OPENED, 7, estate.community)], now)
    seen, asked = await journal.heads(), []
    read = journal.select

    async def counted(query: str, *values: Any) -> list[dict[str, Any]]:
        asked.append(query)
        return await read(query, *values)

    monkeypatch.setattr(journal, "select", counted)
    await journal.signals_after(seen)
    assert len(asked) == 1
    await journal.signals_after({})
    assert len(asked) == 3


async def test_a_fact_that_only_a_newer_process_knows_tells_nobody_here(estate: Any, now: datetime) -> None:
    newer = Fact(name="NEWER", subject=ACCOUNT, touches=(), meaning="")
    await journal.write([News(newer, 5, None), rights(6)], now)
    assert await journal.signals_after({}) == ({None: 2}, [Signal("rights", 6)])


async def test_many_writers_at_once_leave_no_gap_though_some_fail(database: str, now: datetime) -> None:
    def body(index: int) -> Callable[..., Awaitable[None]]:
        async def write(work: UnitOfWork) -> None:
            for account in range(index % 3 + 1):
                work.record(RIGHTS_CHANGED, account)
            await journal.take_numbers(None, 0)
            if index % 5 == 0:
                raise ZeroDivisionError

        return write

    outcomes = await asyncio.gather(
        *(atomic(body(index), SYSTEM, now) for index in range(40)), return_exceptions=True
    )
    assert sum(isinstance(outcome, ZeroDivisionError) for outcome in outcomes) == 8
    written = sum(index % 3 + 1 for index in range(40) if index % 5)
    assert await numbers() == list(range(1, written + 1))


async def _until_somebody_waits(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("counted", [False, True])
async def test_numbers_are_seen_in_the_order_of_commits(database: str, now: datetime, counted: bool) -> None:
    """The second writer waits with its number until the first has committed, so no reader skips one."""
    if counted:
        await journal.write([rights(4)], now)
    before = await journal.head(None)
    taken, may_commit = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with in_transaction():
            await journal.write([rights(5)], now)
            taken.set()
            await may_commit.wait()

    async def second() -> None:
        await taken.wait()
        async with in_transaction():
            await journal.write([rights(6)], now)

    watcher = await asyncpg.connect(database)
    async with asyncio.timeout(30):
        writers = [asyncio.create_task(first()), asyncio.create_task(second())]
        await _until_somebody_waits(watcher)
        assert not any(writer.done() for writer in writers)
        assert await journal.head(None) == before
        may_commit.set()
        await asyncio.gather(*writers)
        signals = (await journal.signals_after({None: before}))[1]
        assert [signal.key for signal in signals] == [5, 6]
    await watcher.close()


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_two_that_write_in_the_same_communities_do_not_wait_for_each_other_for_ever(
    estate: Any, build: Any, now: datetime
) -> None:
    communities = [estate.community, await build.community()]

    async def write(index: int) -> None:
        order = communities if index % 2 else communities[::-1]
        async with in_transaction():
            await journal.write([rights(1), *(News(BALLOT_CAST, index, each) for each in order)], now)

    await asyncio.gather(*(asyncio.create_task(write(index)) for index in range(30)))
    assert await journal.heads() == {None: 30} | dict.fromkeys(communities, 30)


@pytest.mark.parametrize("news", [[], [rights(5)]])
async def test_an_action_without_news_takes_no_number(database: str, now: datetime, news: list[News]) -> None:
    async def body(work: UnitOfWork) -> None:
        for item in news:
            work.record(item.fact, item.subject)

    await atomic(body, SYSTEM, now)
    assert await written() == len(news)


async def test_the_latest_moment_is_the_latest_among_the_newest_changes(database: str, now: datetime) -> None:
    assert await journal.newest_at() is None
    for minutes in (0, 5, 3):  # a clock went back
        await journal.write([rights(1)], now + timedelta(minutes=minutes))
    assert await journal.newest_at() == now + timedelta(minutes=5)
    for _ in range(100):
        await journal.write([rights(1)], now)
    assert await journal.newest_at() == now
