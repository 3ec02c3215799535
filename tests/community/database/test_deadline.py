"""What waits too long is undone and says so, each from its own start; of a COMMIT nobody guesses."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from tortoise import connections

from community.database import deadline, work
from community.database.deadline import unhurried
from community.database.engine import opened, pool
from community.database.ids import new_id
from community.database.models import Due
from community.database.outcomes import ENDED, WRITES
from community.database.sql import is_postgres, select
from community.database.sqlite import Writer
from community.database.work import DEADLINE, UnitOfWork, all_done, atomic
from community.errors import Late, OutcomeUnknown
from community.members.facts import RIGHTS_CHANGED
from community.permissions import SYSTEM
from community.signals import Signal

SHORT = 0.4
MANY = 8


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "_deadline", ContextVar("deadline", default=SHORT))
    monkeypatch.setattr(work, "GRACE", SHORT)


@pytest.fixture(autouse=True)
def counted() -> Callable[[], dict[str, int]]:
    """How many ended in which way since."""
    before = dict(ENDED)
    return lambda: {end: more for end, n in ENDED.items() if (more := n - before[end])}


async def write(doing: UnitOfWork, name: str = "deed") -> None:
    await Due.create(job=name, subject=new_id(), at=doing.now)
    doing.record(RIGHTS_CHANGED, 1)


async def written(name: str = "deed") -> int:
    return await Due.filter(job=name).count()


@asynccontextmanager
async def held_elsewhere(url: str) -> AsyncIterator[None]:
    """Another process is inside its transaction, and holds what every write needs."""
    if is_postgres():
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE journal_head")
                yield
        finally:
            await connection.close()
    else:
        other = sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()


async def all_is_well(now: datetime) -> None:
    await asyncio.wait_for(all_done(), 20)
    with unhurried():
        for _ in range(MANY):
            await atomic(lambda doing: write(doing, "after"), SYSTEM, now)
    assert await written("after") == MANY
    open_, free = pool()
    assert open_ == free
    assert WRITES.word == "ok"


async def asleep(_: UnitOfWork) -> None:
    await asyncio.sleep(60)


async def in_a_statement(_: UnitOfWork) -> None:
    if is_postgres():
        await select("SELECT pg_sleep(60)")
    else:
        await select("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")


async def frozen(_: UnitOfWork) -> None:
    """As a process that is stopped and goes on later."""
    time.sleep(2 * SHORT)  # noqa: ASYNC251 - that nothing else runs is the point


async def frozen_before_the_commit(doing: UnitOfWork) -> None:
    """Nothing comes between its last statement and the COMMIT but the freeze."""
    write_journal = doing.write_journal

    async def slowly() -> tuple[Signal, ...]:
        signals = await write_journal()
        time.sleep(2 * SHORT)  # noqa: ASYNC251
        return signals

    doing.write_journal = slowly  # type: ignore[method-assign]


@pytest.mark.parametrize("waiting", [asleep, in_a_statement, frozen, frozen_before_the_commit])
async def test_what_takes_too_long_is_undone_whole(
    database: str, now: datetime, told: list[Signal], counted: Any, waiting: Any
) -> None:
    async def body(doing: UnitOfWork) -> None:
        await write(doing)
        await waiting(doing)

    with pytest.raises(Late):
        await atomic(body, SYSTEM, now)
    await all_done()
    assert (await written(), told, WRITES.word, counted()) == (0, [], "late", {"late": 1})
    await all_is_well(now)


async def test_those_who_wait_for_another_process_give_up_each_at_its_own_time(
    database: str, now: datetime, told: list[Signal]
) -> None:
    """All at about the same time, not one deadline after the other."""
    started = asyncio.get_running_loop().time()
    ends: list[float] = []

    async def one() -> None:
        with pytest.raises(Late):
            await atomic(write, SYSTEM, now)
        ends.append(asyncio.get_running_loop().time() - started)

    async with held_elsewhere(database):
        await asyncio.gather(*(one() for _ in range(MANY)))
        assert max(ends) < MANY / 2 * min(ends)  # in turn it would be as often as there are many
    assert (await written(), told) == (0, [])
    await all_is_well(now)


async def test_whoever_comes_while_it_is_held_and_still_has_time_gets_through(
    database: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_deadline", ContextVar("deadline", default=20.0))
    async with held_elsewhere(database):
        waiting = [asyncio.create_task(atomic(write, SYSTEM, now)) for _ in range(3)]
        await asyncio.sleep(0.3)
    await asyncio.gather(*waiting)
    assert await written() == 3
    assert WRITES.word == "ok"


async def test_its_turn_is_part_of_the_time(database: str, now: datetime) -> None:
    """More than there are connections, behind actions that hold all of them for longer than that."""
    longer = deadline._deadline.set(3 * SHORT)
    holders = [asyncio.create_task(atomic(asleep, SYSTEM, now)) for _ in range(MANY)]
    deadline._deadline.reset(longer)
    await asyncio.sleep(0)
    outcomes = await asyncio.gather(
        *holders, *(atomic(write, SYSTEM, now) for _ in range(MANY)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {Late}
    assert await written() == 0
    await all_is_well(now)


async def test_a_caller_who_hangs_up_leaves_the_deadline_in_force(database: str, now: datetime) -> None:
    async def body(doing: UnitOfWork) -> None:
        await write(doing)
        await asleep(doing)

    caller = asyncio.create_task(atomic(body, SYSTEM, now))
    await asyncio.sleep(SHORT / 4)
    caller.cancel()
    await asyncio.wait([caller])
    await asyncio.wait_for(all_done(), 20)
    assert await written() == 0
    await all_is_well(now)


async def test_a_statement_that_does_not_let_go_keeps_nobody_waiting(
    sqlite_url: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that hangs: its caller and those behind it are answered, it is undone when it can be."""
    hung = threading.Event()

    async def body(doing: UnitOfWork) -> None:
        await write(doing)
        client: Any = connections.get("default")
        await client.writer.create_function("hang", 0, hung.wait)
        await client.writer.execute_fetchall("SELECT hang()")

    async with opened(sqlite_url):
        outcomes = await asyncio.gather(
            atomic(body, SYSTEM, now), atomic(write, SYSTEM, now), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [Late, Late]
        assert await written() == 0  # reading goes on meanwhile
        hung.set()
        await all_done()
        assert await written() == 0
        await all_is_well(now)


@pytest.mark.parametrize("hangs", ["before", "after"])
async def test_a_commit_without_an_answer_is_not_guessed_at(
    sqlite_url: str,
    now: datetime,
    told: list[Signal],
    monkeypatch: pytest.MonkeyPatch,
    hangs: str,
    counted: Any,
) -> None:
    """It goes on to its end, and is told when it comes."""
    hung, real = threading.Event(), Writer.commit

    def commit(self: Writer) -> None:
        if hangs == "before":
            hung.wait(20)
        real(self)
        if hangs == "after":
            hung.wait(20)

    monkeypatch.setattr(Writer, "commit", commit)
    async with opened(sqlite_url):
        with pytest.raises(OutcomeUnknown):
            await atomic(write, SYSTEM, now)
        assert (told, WRITES.word) == ([], "late")
        with pytest.raises(Late):  # behind it
            await atomic(write, SYSTEM, now)
        hung.set()
        await all_done()
        assert (await written(), told) == (1, [Signal("rights", 1)])
        assert counted() == {"committed": 1, "late": 1}
        await all_is_well(now)


async def test_who_is_in_no_hurry_takes_the_time_it_takes(database: str, now: datetime) -> None:
    async def body(doing: UnitOfWork) -> list[str]:
        await write(doing)
        await asyncio.sleep(3 * SHORT)
        if not is_postgres():
            return []
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        return [(await select(f"SHOW {name}"))[0][name] for name in names]

    with unhurried():
        assert await atomic(body, SYSTEM, now) in ([], ["0", "0", "0"])
    assert await written() == 1
    with pytest.raises(Late):
        await atomic(asleep, SYSTEM, now)


async def test_how_long_the_oldest_has_been_waiting(database: str, now: datetime) -> None:
    assert work.longest_under_way() == 0
    first = asyncio.create_task(atomic(asleep, SYSTEM, now))
    await asyncio.sleep(SHORT / 2)
    second = asyncio.create_task(atomic(asleep, SYSTEM, now))
    await asyncio.sleep(0)
    assert work.longest_under_way() >= SHORT / 2
    await asyncio.wait([first, second])
    await all_done()
    assert work.longest_under_way() == 0


def test_the_closing_count_relies_on_this() -> None:
    assert DEADLINE == 10
    assert work.GRACE <= 1 or work.GRACE == SHORT
