"""No estate waits for another one: neither for its locks nor for its disk."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from bench.estates import cast_by, started
from community.database.deadline import unhurried
from community.database.engine import opened
from community.database.models import JournalRow
from community.database.work import UnitOfWork, all_done
from community.members.reads import person_of
from community.votes.actions import cast_ballot
from community.votes.casting import Answered

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


async def test_while_one_estate_is_held_a_hundred_ballots_of_another_commit(
    town: Any, town_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not town.engine.postgres:
        pytest.skip("SQLite has one writer")
    wrote, may_commit, write = asyncio.Event(), asyncio.Event(), UnitOfWork.write_journal

    async def held(work: UnitOfWork) -> Any:
        signals = await write(work)
        wrote.set()
        await may_commit.wait()
        return signals

    monkeypatch.setattr(UnitOfWork, "write_journal", held)
    elsewhere = await started(
        town_url, town.key("Vote", "survey"), town.key("Account", "spring/resident-1"), 100, 60.0
    )
    watcher = await asyncpg.connect(town_url)
    async with opened(town_url):
        before = await JournalRow.filter(fact="BALLOT_CAST").count()
        account, now = town.key("Account", "quiet/resident-1"), datetime.now(UTC)
        own = await person_of(account, now)
        answers = [Answered(town.key("Question", "quiet/0"), ("FOR",))]
        with unhurried():
            open_ = asyncio.create_task(cast_ballot(own, now, town.key("Vote", "quiet"), answers=answers))
            await asyncio.wait([open_, asyncio.create_task(wrote.wait())], return_when="FIRST_COMPLETED")
            assert not open_.done()
            casting, waited = asyncio.create_task(cast_by([elsewhere])), 0
            while not casting.done():
                waited += await watcher.fetchval(WAITING)
                await asyncio.sleep(0.002)
            assert await casting == [100]
            assert await JournalRow.filter(fact="BALLOT_CAST").count() == before + 100
            assert waited == 0
            assert not open_.done()
            may_commit.set()
            await open_
        await all_done()
        assert await JournalRow.filter(fact="BALLOT_CAST").count() == before + 101
    await watcher.close()
