"""Several processes are one house: what one is told all show, what is due is done once, some may die."""

import asyncio
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.timers import EVERY
from community.database.engine import sqlite_file
from community.permissions import SYSTEM
from community.votes.actions import open_vote

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(120)]

DAY = timedelta(days=1)


async def all_are_told_of(scene: Any, server: Any, watchers: int) -> None:
    """Whichever worker is asked: each answers some of ten."""

    async def told() -> bool:
        return {await server.watchers() for _ in range(10)} == {watchers}

    await scene.until(told, f"{watchers} watchers in every scrape")


mostly_postgres = pytest.mark.parametrize(
    "database_url", ["postgres", pytest.param("sqlite", marks=pytest.mark.soak)], indirect=True
)
"""Many processes are slow to start; two on one SQLite file are in test_kills."""


def lines_lost(scene: Any) -> int:
    return sum(watcher.codes.total() for watcher in (*scene.screens, *scene.boards))


@mostly_postgres
async def test_four_processes_in_two_groups_are_one_house(scene: Any, redis: Any) -> None:
    voting = await scene(20, groups=2, workers=2, redis=redis)
    await voting.watch(screens=4, boards=4)
    await what_is_due_is_done_once(voting)
    await voting.neighbours.cast(voting.estate.parties)
    await voting.whole()


async def what_is_due_is_done_once(scene: Any) -> None:
    now, estate = datetime.now(UTC), scene.estate
    soon = now + timedelta(seconds=2)
    async with estate.opened():
        opening = [await estate.announce(f"将开 {n}", soon, soon + 8 * DAY) for n in range(8)]
        closing = [await estate.announce(f"将止 {n}", now - 8 * DAY, soon) for n in range(8)]
        for vote in closing:
            await open_vote(SYSTEM, now - 8 * DAY, vote)

    async def done() -> bool:
        left = await estate.rows("SELECT subject, job FROM due WHERE done_at IS NULL")
        return {subject for subject, action in left if action == "open_vote"} == set() and len(left) == 9

    await scene.until(done, "all are opened or counted, but for nine that close later")
    await asyncio.sleep(2 * EVERY)  # time for whoever would do it again
    these = "fact IN ('VOTE_OPENED', 'VOTE_CLOSED')"
    times = await estate.rows(
        f"SELECT fact, subject, count(*) FROM journal WHERE {these} GROUP BY fact, subject"
    )
    expected = [("VOTE_OPENED", vote, 1) for vote in (estate.vote, *opening, *closing)]
    expected += [("VOTE_CLOSED", vote, 1) for vote in closing]
    assert sorted(times) == sorted(expected)
    assert await estate.rows("SELECT count(*), count(DISTINCT vote) FROM roll") == [(17, 17)]
    assert await estate.rows("SELECT count(*) FROM count_result") == [(8,)]


@mostly_postgres
async def test_processes_that_are_killed_with_their_watchers(scene: Any, redis: Any) -> None:
    voting = await scene(65, redis=redis)
    (alone,) = voting.servers
    await voting.serve(redis=redis, workers=2)
    group = voting.servers[-1]
    parties = voting.estate.parties
    await voting.watch(screens=4, boards=2, where=[group])
    await voting.watch(screens=1, boards=1, where=[alone])

    # One worker after the other; the group replaces them.
    for index, worker in enumerate(group.workers):
        casting = voting.go(voting.neighbours.cast(parties[20 * index : 20 * index + 20]))
        group.signal(signal.SIGKILL, [worker])
        await casting
        await voting.chair.post_one()
        await voting.whole()
        await all_are_told_of(voting, group, 6)
        death = f"Child process [{worker}] died"
        await voting.until(lambda death=death: death in group.log(), death)
    assert lines_lost(voting) >= 6  # each that watched there, at least once

    # The other server for good: whoever was there finds the group.
    for watcher in (*voting.screens, *voting.boards):
        watcher.servers = voting.servers
    alone.kill()
    await voting.neighbours.cast(parties[40:50])
    await voting.chair.post_one()
    await voting.whole()

    # The group ends in good order, and is there again.
    voting.log(f"a group of two ended after {await group.stop():.1f} s")
    await group.up()
    await voting.neighbours.cast(parties[50:])
    await voting.whole()
    assert sum(watcher.codes[1012] for watcher in (*voting.screens, *voting.boards)) >= 8
    await voting.close_and_recount()


@mostly_postgres
async def test_workers_end_with_their_supervisor_and_leave_the_port(scene: Any, redis: Any) -> None:
    voting = await scene(10, workers=2, redis=redis)
    (group,) = voting.servers
    await voting.watch(screens=2, boards=2)
    workers = group.workers
    group.signal(signal.SIGKILL, [group.process.pid])
    await voting.until(lambda: not any(map(lives, workers)), "its workers end")
    await group.up()
    await voting.neighbours.cast(voting.estate.parties)
    await voting.chair.post_one()
    await voting.whole()
    watchers = (*voting.screens, *voting.boards)
    assert sum(watcher.codes[1012] for watcher in watchers) >= len(watchers)  # told to come back


@mostly_postgres
@pytest.mark.parametrize(
    "watchers",
    [
        pytest.param(300, id="hundreds"),
        pytest.param(5_000, id="thousands", marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
async def test_all_who_watched_a_process_that_is_killed_come_to_the_other(
    scene: Any, redis: Any, watchers: int
) -> None:
    """All at once, in the midst of the ballots."""
    many = {f"MEILIN_{what}_PER_ADDRESS": "20000" for what in ("SOCKETS", "CONNECTIONS")}
    voting = await scene(120, groups=2, redis=redis, **many)
    killed, other = voting.servers
    for _ in range(watchers // 100):
        await voting.watch(screens=95, boards=5, where=[killed], patience=60)
    await voting.watch(screens=2, boards=1, where=[other])
    voting.neighbours.slowly = 0.2
    casting = voting.go(voting.neighbours.cast(voting.estate.parties[:80], at_once=4))
    await voting.until(lambda: len(voting.neighbours.acknowledged) >= 20, "some have voted")
    for watcher in (*voting.screens, *voting.boards):
        watcher.servers = [other]
    killed.kill()
    voting.servers.remove(killed)
    start = time.monotonic()

    async def all_are_there() -> bool:
        return bool(await other.watchers() == watchers + 3)

    await voting.until(all_are_there, "all have come to the other")
    there = time.monotonic() - start
    await casting
    await voting.chair.post_one()
    await voting.whole(kills=1)
    voting.log(f"{watchers} watchers came to the other process within {there:.1f} s of the kill")

    # Everybody is still there, and is shown what is new.
    await voting.neighbours.cast(voting.estate.parties[80:])
    shown = await voting.whole(kills=1)
    voting.log(f"and had the last ballot {shown:.2f} s after it was written")
    assert lines_lost(voting) >= watchers
    assert other.faults() == []
    await voting.close_and_recount()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_group_that_cannot_go_on_says_so_with_its_exit_code(scene: Any, redis: Any) -> None:
    """A newer Meilin migrated the database, and then a worker has to be replaced."""
    voting = await scene(1, workers=2, redis=redis)
    (group,) = voting.servers
    newer = "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('meilin', '9001_newer', '')"
    with closing(sqlite3.connect(sqlite_file(voting.estate.url))) as connection, connection:
        connection.execute(newer)
    group.signal(signal.SIGKILL, group.workers[:1])
    await voting.until(lambda: group.process.poll() is not None, "the group ends")
    assert group.process.returncode == 3
    assert "was migrated by a newer Meilin (9001_newer)" in group.log()


def lives(pid: int) -> bool:
    """Also where nobody asked yet how it ended, it does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
