"""The one door for writing: whole or not at all, told only after the commit, whoever hangs up."""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from contextvars import Context
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.context import TortoiseContext

from community.bulletin.facts import BULLETIN, NOTICE
from community.catalogue import Fact
from community.database import journal, work
from community.database.engine import config, opened
from community.database.models import Due, JournalRow
from community.database.work import WROTE, UnitOfWork, all_done, atomic, requires
from community.errors import Forbidden, NotFound, Refused, Unauthenticated
from community.members.facts import RIGHTS_CHANGED
from community.permissions import NOBODY, SYSTEM, Permission, Person, Viewer
from community.places.facts import REGISTER_CHANGED
from community.places.reads import scope_of
from community.signals import Signal
from tests import facts
from tests.leftovers import leftovers

TOY = Fact(name="TOY", subject=NOTICE, touches=(BULLETIN,), meaning="A toy. 玩具。")


async def count() -> int:
    return await Due.all().count()


async def write(doing: UnitOfWork, name: str, times: int = 1) -> None:
    for subject in range(times):
        await Due.create(job=name, subject=subject, at=doing.now)
        doing.record(RIGHTS_CHANGED, subject)


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An action that writes, and then is refused if it is told to; not in the house's own list."""
    monkeypatch.setattr(work, "ACTIONS", {})

    @requires(Permission.PUBLISH_NOTICE, within=scope_of)
    async def toy(doing: UnitOfWork, community: int, refusal: type[BaseException] | None = None) -> int:
        await write(doing, "toy")
        doing.record(TOY, 7)
        if refusal:
            raise refusal
        return community

    assert set(work.ACTIONS.values()) == {Permission.PUBLISH_NOTICE}
    return toy


async def test_an_action_is_written_with_its_journal_and_then_told(
    estate: Any, now: datetime, told: list[Signal], refusing: Any
) -> None:
    assert await refusing(estate.chair, now, estate.community) == estate.community
    assert await count() == 1
    assert told == [Signal("rights", 0), Signal("bulletin", estate.community)]
    rows = (
        await JournalRow.all()
        .order_by("number")
        .values_list("number", "community_id", "fact", "subject_kind", "subject", "at")
    )
    assert rows == [
        (1, estate.community, "TOY", "Notice", 7, now),
        (1, None, "RIGHTS_CHANGED", "Account", 0, now),
    ]


@pytest.mark.parametrize("written", [False, True])
async def test_an_action_stands_with_its_journal_or_not_at_all(
    estate: Any,
    now: datetime,
    told: list[Signal],
    refusing: Any,
    monkeypatch: pytest.MonkeyPatch,
    written: bool,
) -> None:
    """One transaction: what the journal could not take was never done, and its row goes with the action."""
    write_it = journal.write

    async def failing(news: Any, at: datetime) -> None:
        if written:
            await write_it(news, at)
        raise ZeroDivisionError

    monkeypatch.setattr(journal, "write", failing)
    with pytest.raises(ZeroDivisionError):
        await refusing(estate.chair, now, estate.community)
    assert (await count(), await facts.written(), told) == (0, 0, [])


async def test_nobody_sees_an_action_before_its_journal(
    estate: Any, now: datetime, refusing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked from another connection before the journal is written, before the commit, and after it."""
    seen: list[tuple[int, int]] = []

    async def look() -> None:
        seen.append((await count(), await facts.written()))

    async def elsewhere() -> None:
        await asyncio.get_running_loop().create_task(look(), context=Context())

    async def writing(doing: UnitOfWork) -> tuple[Signal, ...]:
        await elsewhere()
        told = await write_journal(doing)
        await elsewhere()
        return told

    write_journal = UnitOfWork.write_journal
    monkeypatch.setattr(UnitOfWork, "write_journal", writing)
    await refusing(estate.chair, now, estate.community)
    await look()
    assert seen == [(0, 0), (0, 0), (1, 2)]


@pytest.mark.parametrize("refusal", [NotFound, ZeroDivisionError])
async def test_what_is_refused_or_fails_leaves_no_row_and_no_signal(
    estate: Any, now: datetime, told: list[Signal], refusing: Any, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await refusing(estate.chair, now, estate.community, refusal)
    assert (await count(), await facts.written(), told) == (0, 0, [])


async def test_a_refused_action_leaves_nothing_to_the_collector(
    estate: Any, now: datetime, refusing: Any
) -> None:
    """A refusal came through the frames of two tasks, which keep it."""

    async def ask() -> None:
        with suppress(NotFound):
            await refusing(estate.chair, now, estate.community, NotFound)

    await ask()
    with leftovers() as left:
        await ask()
        await asyncio.sleep(0)
    assert left == []


async def test_the_permission_is_asked_before_anything_is_written(
    estate: Any, now: datetime, told: list[Signal], refusing: Any
) -> None:
    narrow = Person(estate.chair.account, "", estate.chair.roles, frozenset({Permission.SIGN_UP}))
    refusals: list[tuple[Viewer, int, type[Refused]]] = [
        (NOBODY, estate.community, Unauthenticated),
        (NOBODY, 1, Unauthenticated),
        (estate.owner, estate.community, Forbidden),
        (estate.stranger, estate.community, NotFound),
        (narrow, estate.community, Forbidden),
        (estate.chair, 1, NotFound),
    ]
    for viewer, community, refusal in refusals:
        with pytest.raises(refusal):
            await refusing(viewer, now, community)
    assert (await count(), await facts.written(), told) == (0, 0, [])


async def test_a_signal_told_is_a_change_committed(sqlite_url: str, now: datetime) -> None:
    """Whoever hears of it finds it, on a connection of their own and at once."""
    read: list[int] = []

    def look(_: object) -> None:
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite://"))) as other:
            read.extend(other.execute("SELECT count(*) FROM due").fetchone())

    async with opened(sqlite_url):
        stop = work.publish_through(look)
        await atomic(lambda doing: write(doing, "deed", 3), SYSTEM, now)
        stop()
    assert read == [3]


async def test_the_same_signal_twice_is_told_once(database: str, now: datetime, told: list[Signal]) -> None:
    async def body(doing: UnitOfWork) -> None:
        for key in (5, 6, 5):
            doing.record(RIGHTS_CHANGED, key)

    await atomic(body, SYSTEM, now)
    assert told == [Signal("rights", 5), Signal("rights", 6)]


async def test_after_its_signals_are_told_so_are_the_rows_in_which_they_stand(
    database: str, now: datetime
) -> None:
    heard: list[object] = []

    async def body(doing: UnitOfWork) -> None:
        for key in (5, 6):
            doing.record(RIGHTS_CHANGED, key)

    stop = work.publish_through(heard.append, heard.append)
    for _ in range(2):
        await atomic(body, SYSTEM, now)
    stop()
    await atomic(body, SYSTEM, now)
    signals = (Signal("rights", 5), Signal("rights", 6))
    assert heard == [signals, {None: range(1, 3)}, signals, {None: range(3, 5)}]


async def test_rows_of_which_no_topic_hears_are_told_too(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    """What was made of them is old."""
    heard: list[object] = []

    async def body(doing: UnitOfWork) -> None:
        doing.community = estate.community
        doing.record(REGISTER_CHANGED, estate.community)

    stop = work.publish_through(heard.append, heard.append)
    await atomic(body, SYSTEM, now)
    stop()
    assert (heard, told) == ([{estate.community: range(1, 2)}], [])


# What somebody has written itself


@pytest.fixture
def wrote() -> Iterator[dict[int | None, int]]:
    """The newest numbers that the test itself has written."""
    kept: dict[int | None, int] = {}
    token = WROTE.set(kept)
    yield kept
    WROTE.reset(token)


async def test_whoever_wants_to_know_finds_the_newest_numbers_that_it_wrote(
    estate: Any, now: datetime, refusing: Any, wrote: dict[int | None, int]
) -> None:
    await refusing(estate.chair, now, estate.community)
    assert wrote == {estate.community: 1, None: 1}
    await atomic(lambda doing: write(doing, "more", 3), SYSTEM, now)
    assert wrote == {estate.community: 1, None: 4}


@pytest.mark.parametrize("refusal", [NotFound, ZeroDivisionError])
async def test_what_is_undone_was_not_written(
    estate: Any, now: datetime, refusing: Any, wrote: dict[int | None, int], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await refusing(estate.chair, now, estate.community, refusal)
    assert wrote == {}


async def test_what_others_write_meanwhile_is_not_ones_own(
    estate: Any, now: datetime, refusing: Any, wrote: dict[int | None, int]
) -> None:
    async def elsewhere() -> None:
        await atomic(lambda doing: write(doing, "theirs"), SYSTEM, now)

    await asyncio.create_task(elsewhere(), context=Context())
    assert wrote == {}
    await atomic(lambda doing: write(doing, "ours"), SYSTEM, now)
    assert wrote == {None: 2}


async def test_a_command_that_is_repeated_says_how_far_its_journals_are(
    estate: Any, now: datetime, monkeypatch: pytest.MonkeyPatch, wrote: dict[int | None, int]
) -> None:
    """Whoever retries does not know that it was done, nor what has happened since; none without a key."""
    monkeypatch.setattr(work, "ACTIONS", {})

    @requires(Permission.PUBLISH_NOTICE, within=scope_of)
    async def keyed(doing: UnitOfWork, community: int, key: str | None = None) -> int:
        command = await doing.command("keyed", key, community=community)
        if command.result is not None:
            return command.again(same=True)
        doing.record(TOY, 7)
        await command.store(7)
        return 7

    assert await keyed(estate.chair, now, estate.community, key="a") == 7
    assert wrote == {estate.community: 1}
    await keyed(estate.chair, now, estate.community, key="b")
    assert wrote == {estate.community: 2}
    wrote.clear()
    assert await keyed(estate.chair, now, estate.community, key="a") == 7
    assert wrote == {estate.community: 2, None: 0}
    assert await facts.written() == 2


async def test_an_action_that_has_begun_is_done_whole_though_its_caller_hangs_up(
    database: str, now: datetime, told: list[Signal]
) -> None:
    """Struck at many times; afterwards the next action gets through, so no lock was left behind."""
    chance = random.Random(20260520)  # noqa: S311 - only the times
    cut, parts = 0, 4
    for index in range(60):
        told.clear()
        name = f"action-{index}"
        caller = asyncio.create_task(atomic(lambda doing, name=name: write(doing, name, parts), SYSTEM, now))
        turns = chance.randrange(30)
        for _ in range(turns):
            await asyncio.sleep(0)
        if turns % 2:
            await asyncio.sleep(chance.random() / 200)
        caller.cancel()
        (outcome,) = await asyncio.gather(caller, return_exceptions=True)
        cut += isinstance(outcome, asyncio.CancelledError)
        await asyncio.wait_for(all_done(), 30)
        written = await Due.filter(job=name).count()
        assert written == (parts if turns else 0)
        assert len(told) == written
    assert cut > 10  # otherwise nothing was struck
    heads = await JournalRow.all().order_by("number").values_list("number", flat=True)
    assert list(heads) == list(range(1, await count() + 1))
    await asyncio.wait_for(atomic(lambda doing: write(doing, "last"), SYSTEM, now), 30)


async def test_a_failed_action_of_a_caller_who_hung_up_is_no_noise(
    database: str, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: UnitOfWork) -> None:
        raise ZeroDivisionError

    caller = asyncio.create_task(atomic(fail, SYSTEM, now))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await asyncio.wait_for(all_done(), 30)
    assert not caplog.records


async def test_calm_shutdown_waits_for_what_is_under_way(database: str, now: datetime) -> None:
    callers = [
        asyncio.create_task(atomic(lambda doing, name=f"action-{n}": write(doing, name), SYSTEM, now))
        for n in range(5)
    ]
    await asyncio.sleep(0)
    await asyncio.wait_for(all_done(), 30)
    assert await count() == 5
    await asyncio.gather(*callers)


def test_nobody_acts_and_the_system_records_as_nobody(now: datetime) -> None:
    with pytest.raises(Unauthenticated):
        _ = UnitOfWork(NOBODY, now).account
    for recorder in (lambda: UnitOfWork(NOBODY, now).recorder, lambda: UnitOfWork(SYSTEM, now).account):
        with pytest.raises(Unauthenticated):
            recorder()
    assert UnitOfWork(SYSTEM, now).recorder is None
    viewer = Person(7, roles={1: frozenset()})
    assert (UnitOfWork(viewer, now).account, UnitOfWork(viewer, now).recorder) == (7, 7)


async def test_an_action_keeps_its_moment(estate: Any, now: datetime, refusing: Any) -> None:
    at = now + timedelta(hours=3)
    await refusing(estate.chair, at, estate.community)
    assert {row["at"] for row in await JournalRow.all().values("at")} == {at}


async def test_two_databases_in_one_process_tell_nobody_of_each_others(
    database: str, sqlite_template: Path, tmp_path: Path, now: datetime, told: list[Signal]
) -> None:
    other = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'other.db')}"
    told_there: list[Signal] = []

    async def tell(doing: UnitOfWork) -> None:
        doing.record(RIGHTS_CHANGED, 1)

    async def elsewhere() -> None:
        EXECUTOR_CACHE.clear()
        async with TortoiseContext() as context:
            await context.init(config=config(other))
            stop = work.publish_through(told_there.extend)
            await atomic(tell, SYSTEM, now)
            stop()
        EXECUTOR_CACHE.clear()

    await asyncio.create_task(elsewhere())
    assert (told, told_there) == ([], [Signal("rights", 1)])
    await atomic(tell, SYSTEM, now)
    assert (told, told_there) == ([Signal("rights", 1)], [Signal("rights", 1)])
