"""The embedded engine under many hands: nothing is locked out, nothing is left locked."""

import asyncio
import random
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiosqlite
import pytest
from tortoise import connections
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from community.database import sqlite
from community.database.engine import look_at_the_files, opened, sqlite_file
from community.database.ids import new_id
from community.database.models import Due
from community.database.outcomes import WRITES
from community.database.sql import placeholders, select_rows
from community.database.sqlite import BRIEF, FEW, Brief
from community.database.work import UnitOfWork, atomic
from community.errors import OutcomeUnknown, Unwritable
from community.members.facts import RIGHTS_CHANGED
from community.permissions import SYSTEM
from community.signals import Signal
from tests.community.conftest import all_told
from tests.leftovers import leftovers

WRITER = """
import asyncio, sys
from tortoise.transactions import in_transaction
from community.database.engine import opened
from community.database.models import Due

async def main():
    async with opened(sys.argv[1]):
        for _ in range(int(sys.argv[2])):
            async with in_transaction():
                due = await Due.get(job="counter")
                await Due.filter(id=due.id).update(subject=due.subject + 1)

asyncio.run(main())
"""


@pytest.fixture
async def file(sqlite_url: str) -> AsyncIterator[Path]:
    async with opened(sqlite_url):
        found = sqlite_file(sqlite_url)
        assert found is not None
        yield found


async def counted() -> int:
    return int((await Due.get(job="counter").values("subject"))["subject"])


async def count_up() -> None:
    """Reads and then writes: what a deferred transaction fails at when another writes meanwhile."""
    async with in_transaction():
        before = await counted()
        await asyncio.sleep(0)
        await Due.filter(job="counter").update(subject=before + 1)


@pytest.fixture
async def counter(file: Path, now: datetime) -> None:
    await Due.create(job="counter", subject=0, at=now)


async def test_many_tasks_of_one_process_write_one_after_the_other(counter: None) -> None:
    await asyncio.gather(*(count_up() for _ in range(50)))
    assert await counted() == 50


async def test_two_processes_and_this_one_write_and_none_is_locked_out(file: Path, counter: None) -> None:
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, f"sqlite:///{file}", "40", stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    for _ in range(40):
        await count_up()
    ends = await asyncio.wait_for(asyncio.gather(*(writer.communicate() for writer in writers)), 60)
    assert [writer.returncode for writer in writers] == [0, 0], ends
    assert await counted() == 120


async def test_a_reader_does_not_wait_for_a_writer_and_sees_what_is_committed(counter: None) -> None:
    written, may_commit = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with in_transaction():
            await Due.filter(job="counter").update(subject=7)
            assert await counted() == 7  # the transaction reads its own writing
            written.set()
            await may_commit.wait()

    writer = asyncio.create_task(write())
    await written.wait()
    assert await asyncio.wait_for(counted(), 60) == 0
    assert await asyncio.wait_for(asyncio.gather(*(counted() for _ in range(20))), 60) == [0] * 20
    may_commit.set()
    await writer
    assert await counted() == 7


async def test_a_reader_sees_at_once_what_was_committed_before_it(counter: None) -> None:
    for expected in range(1, 30):
        await count_up()
        assert await counted() == expected


async def test_a_reading_connection_writes_nothing(counter: None) -> None:
    client = connections.get("default")
    with pytest.raises(OperationalError, match=r"readonly|query_only"):
        await client.execute_query("WITH gone AS (SELECT 1) DELETE FROM due")
    assert await counted() == 0


async def get_in_and_out() -> None:
    async with in_transaction():
        await counted()


async def test_a_task_cancelled_while_it_waits_for_its_turn_leaves_the_lock_free(counter: None) -> None:
    entered, may_leave = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with in_transaction():
            entered.set()
            await may_leave.wait()

    holder = asyncio.create_task(hold())
    await entered.wait()
    waiting = [asyncio.create_task(count_up()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    may_leave.set()
    await holder
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 60)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True, False] * 2 + [True]
    assert await counted() == 2


LONG = """
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300000) SELECT MAX(n) FROM c
"""


async def test_a_read_that_is_cancelled_leaves_nothing_to_the_collector(counter: None) -> None:
    async def cut() -> None:
        task = asyncio.create_task(select_rows(LONG))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    await cut()
    with leftovers() as left:
        await cut()
        await asyncio.sleep(0)
    assert left == []


async def test_a_task_cancelled_while_another_process_keeps_it_waiting_leaves_the_lock_free(
    file: Path, counter: None
) -> None:
    """BEGIN succeeds after the cancellation; whoever began must still give it back."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    cut = asyncio.create_task(count_up())
    while not connections.get("default").turn.locked():  # noqa: ASYNC110
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    cut.cancel()
    await asyncio.sleep(0)
    assert not cut.done()  # it is still entering
    other.execute("COMMIT")
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(cut, 20)
    await asyncio.wait_for(count_up(), 20)
    assert await counted() == 1
    other.execute("BEGIN IMMEDIATE")  # another process gets in as well
    other.execute("ROLLBACK")
    other.close()


async def test_tasks_cancelled_at_any_moment_leave_nothing_half_done_and_nothing_locked(
    counter: None,
) -> None:
    chance = random.Random(20260520)  # noqa: S311 - only the times
    done = cut = 0
    for _ in range(150):
        task = asyncio.create_task(count_up())
        for _ in range(chance.randrange(40)):
            await asyncio.sleep(0)
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() / 500)
        task.cancel()
        (outcome,) = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 20)
        assert outcome is None or isinstance(outcome, asyncio.CancelledError)
        done += outcome is None
        cut += outcome is not None
        await asyncio.wait_for(get_in_and_out(), 20)
    assert cut > 20
    assert done <= await counted() <= done + cut  # one cut after its commit has counted


async def test_whoever_is_cancelled_while_it_is_opened_leaves_it_whole(sqlite_url: str) -> None:
    for steps in range(12):
        async with opened(sqlite_url):
            first = asyncio.ensure_future(Due.all().count())
            client = connections.get("default")
            while not client.opening.locked():  # noqa: ASYNC110
                await asyncio.sleep(0)
            await asyncio.sleep(steps / 5000)
            first.cancel()
            await asyncio.wait([first])
            reads = asyncio.gather(*(Due.all().count() for _ in range(5)))
            assert await asyncio.wait_for(reads, 20) == [0] * 5
            (pragma,) = await client.execute_query_dict("PRAGMA foreign_keys")
            assert pragma["foreign_keys"] == 1
            assert client.pool == (3, 3)


async def test_a_lock_that_another_process_never_gives_back_is_an_error_and_not_for_ever(
    file: Path, counter: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LONGEST", 0.02)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        await asyncio.wait_for(count_up(), 20)
    other.execute("ROLLBACK")
    other.close()
    await asyncio.wait_for(count_up(), 20)
    assert await counted() == 1


async def test_a_failed_transaction_leaves_nothing(counter: None) -> None:
    async def fail() -> None:
        async with in_transaction():
            await Due.filter(job="counter").update(subject=9)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await count_up()
    assert await counted() == 1


async def test_what_is_acknowledged_survives_a_power_cut(file: Path) -> None:
    """WAL for readers beside a writer, FULL so that a commit is on the disk, foreign keys held."""
    client = connections.get("default")

    async def pragma(name: str) -> object:
        # Not a SELECT, so the writer answers: it is the one that commits.
        _, rows = await client.execute_query(f"PRAGMA {name}")
        return rows[0][0]

    full = 2
    assert (await pragma("journal_mode"), await pragma("synchronous")) == ("wal", full)
    assert await pragma("foreign_keys") == 1


async def test_the_writer_waits_for_other_processes_in_slices(file: Path) -> None:
    """Whoever gives up is let go after one of them."""
    (pragma,) = await connections.get("default").execute_query_dict("PRAGMA busy_timeout")
    assert list(pragma.values()) == [sqlite.SLICE * 1000]


async def test_what_cannot_be_opened_leaves_the_turn_free(tmp_path: Path) -> None:
    (tmp_path / "a.db").mkdir()
    async with opened(f"sqlite:///{tmp_path}/a.db"):
        for _ in range(2):
            with pytest.raises(OperationalError, match="unable to open"):
                await asyncio.wait_for(connections.get("default").execute_script("SELECT 1"), 20)


@pytest.fixture
async def unlooked(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """Open, and nobody looks for its files but whoever writes."""
    monkeypatch.setattr(sqlite, "EVERY", 1000.0)
    async with opened(sqlite_url):
        await Due.all().count()
        yield Path(sqlite_url.removeprefix("sqlite://"))


@pytest.fixture
def told(unlooked: Path) -> Iterator[list[Signal]]:
    with all_told() as signals:
        yield signals


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path, by: Path) -> None:
    by.rename(path)


async def one_more(doing: UnitOfWork) -> None:
    await Due.create(job="more", subject=new_id(), at=doing.now)
    doing.record(RIGHTS_CHANGED, 1)


@pytest.mark.parametrize("which", ["", "-wal", "-shm"])
async def test_the_write_that_finds_its_file_gone_does_not_guess_and_the_next_is_refused(
    unlooked: Path, now: datetime, told: list[Signal], which: str
) -> None:
    await atomic(one_more, SYSTEM, now)
    assert len(told) == 1
    remove(Path(f"{unlooked}{which}"))
    with pytest.raises(OutcomeUnknown):
        await atomic(one_more, SYSTEM, now)
    for _ in range(2):
        with pytest.raises(Unwritable):
            await atomic(one_more, SYSTEM, now)
    assert len(told) == 1
    assert WRITES.word == "refused"


async def test_a_commit_into_a_file_that_is_gone_is_not_tried_again(unlooked: Path, now: datetime) -> None:
    async with in_transaction() as transaction:
        await Due.create(job="more", subject=new_id(), at=now)
        remove(unlooked)
        with pytest.raises(OutcomeUnknown):
            await transaction.commit()


async def test_a_write_under_way_when_it_is_noticed_is_undone(unlooked: Path, now: datetime) -> None:
    client = connections.get("default")  # within the action it is another one

    async def body(doing: UnitOfWork) -> None:
        await one_more(doing)
        remove(unlooked)
        assert not await client.look()

    with pytest.raises(Unwritable):
        await atomic(body, SYSTEM, now)
    assert await Due.all().count() == 0


async def test_opened_anew_it_is_written_again(sqlite_url: str, now: datetime) -> None:
    file = Path(sqlite_url.removeprefix("sqlite://"))
    other = Path(shutil.copy(file, file.with_name("other.db")))
    async with opened(sqlite_url):
        await atomic(one_more, SYSTEM, now)
        replace(file, by=other)
        await look_at_the_files()
        with pytest.raises(Unwritable):
            await atomic(one_more, SYSTEM, now)
    async with opened(sqlite_url):
        assert await Due.all().count() == 0  # nothing of the old one came in
        await atomic(one_more, SYSTEM, now)
        assert (await Due.all().count(), WRITES.word) == (1, "ok")


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that were read in another thread."""
    found: list[str] = []
    fetched = aiosqlite.Connection.execute_fetchall

    def fetching(self: aiosqlite.Connection, sql: str, *given: Any) -> Any:
        found.append(sql.strip())
        return fetched(self, sql, *given)

    monkeypatch.setattr(aiosqlite.Connection, "execute_fetchall", fetching)
    return found


async def test_a_brief_read_takes_no_thread_however_often_it_is_read(
    counter: None, in_threads: list[str]
) -> None:
    await counted()
    in_threads.clear()
    for _ in range(3_000):  # SQLite counts the instructions of all runs of one statement together
        await counted()
    assert in_threads == []


async def test_a_read_that_takes_long_goes_to_a_thread_and_is_known_from_then_on(
    file: Path, in_threads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    read = Brief.read

    def trying(self: Brief, query: str, values: list[Any] | None) -> Any:
        found = read(self, query, values)
        tried.append("gave up" if found is None else "read")
        return found

    monkeypatch.setattr(Brief, "read", trying)
    await select_rows("SELECT 1")  # now all is open
    in_threads.clear()
    tried.clear()
    for _ in range(2):
        ((highest,),) = await select_rows(LONG)
        assert highest == 300_000
    assert (in_threads, tried) == ([LONG.strip()] * 2, ["gave up", "gave up"])
    ((one,),) = await select_rows("SELECT 1")
    assert (one, tried[-1]) == (1, "read")


async def test_a_read_gives_up_long_before_it_is_done(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = count()
    takes_long = Brief._takes_long
    monkeypatch.setattr(Brief, "_takes_long", lambda self: next(asked) < 0 or takes_long(self))
    brief = Brief(f"{file.as_uri()}?mode=ro")
    try:
        assert brief.read(LONG, None) is None
    finally:
        brief.close()
    assert next(asked) == BRIEF + 1


async def test_a_read_that_fails_says_so_as_from_a_thread(file: Path) -> None:
    for _ in range(2):
        with pytest.raises(OperationalError, match="no such table: absent"):
            await select_rows("SELECT 1 FROM absent")


async def test_what_is_slow_without_many_instructions_gives_up_too(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BRIEFLY", -1.0)
    brief = Brief(f"{file.as_uri()}?mode=ro")
    try:
        few = LONG.replace("300000", "1000")
        assert brief.read(few, None) is None
        monkeypatch.setattr(sqlite, "BRIEFLY", 60.0)
        assert brief.read(few.replace("1000", "1001"), None)
    finally:
        brief.close()


async def test_what_was_slow_is_tried_again_after_a_while(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = Brief(f"{file.as_uri()}?mode=ro")
    few, now = LONG.replace("300000", "1000"), 1_000.0
    monkeypatch.setattr(sqlite, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(sqlite, "BRIEFLY", -1.0)
    try:
        assert brief.read(few, None) is None
        monkeypatch.setattr(sqlite, "BRIEFLY", 60.0)
        now += sqlite.TRIED_AGAIN - 0.1
        assert brief.read(few, None) is None
        now += 0.1
        assert brief.read(few, None)
    finally:
        brief.close()


async def test_what_is_long_for_some_keys_is_long_for_any_number_of_them(file: Path) -> None:
    brief = Brief(f"{file.as_uri()}?mode=ro")
    slow = LONG.replace("SELECT MAX(n)", "SELECT MAX(n) + COUNT(n IN ({}))")
    try:
        assert brief.read(slow.format("?, ?"), [1, 2]) is None
        brief._connection.close()  # it is not tried again
        assert brief.read(slow.format("?, ?, ?"), [1, 2, 3]) is None
        assert brief.read("SELECT 1 WHERE 1 IN (?, ?)", [1, 2]) is None
        assert len(brief._long) == 1
    finally:
        brief.close()


async def test_what_python_refuses_is_refused_as_from_a_thread(file: Path) -> None:
    with pytest.raises(OperationalError, match=r"decode|UTF-8"):
        await select_rows("SELECT CAST(x'ff' AS TEXT)")
    with pytest.raises(sqlite3.ProgrammingError, match="bindings"):
        await select_rows("SELECT ?", [1, 2])


async def test_many_values_are_bound_in_a_thread(counter: None, in_threads: list[str]) -> None:
    await counted()
    in_threads.clear()
    asked = f"SELECT 7 WHERE 1 IN ({placeholders(range(FEW + 1))})"
    ((seven,),) = await select_rows(asked, [*range(FEW + 1)])
    assert (seven, len(in_threads)) == (7, 1)


async def test_many_brief_reads_in_a_row_let_others_have_their_turn(counter: None) -> None:
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(turning())
    for _ in range(50):
        await counted()
    other.cancel()
    assert turns >= 50


async def test_a_brief_read_sees_what_was_committed_a_moment_ago(counter: None) -> None:
    for value in range(1, 20):
        await Due.filter(job="counter").update(subject=value)
        assert await counted() == value
