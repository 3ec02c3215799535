"""The closing count: once, and nothing slips in beside it or after it."""

import asyncio
import random
from collections.abc import Awaitable
from contextvars import Context
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from tortoise.transactions import in_transaction

from community.bulletin.reads import items_page
from community.database.due import due_now, pause_while
from community.database.models import Due
from community.database.sql import lock_exclusive
from community.database.steps import take_step
from community.errors import TryAgain
from community.permissions import SYSTEM
from community.signals import Signal
from community.votes.actions import (
    CLOSE,
    close_vote,
    open_vote,
)
from community.votes.counting import box_as_of
from community.votes.lifecycle import LIFE, VoteClosed, VoteStatus, VoteStep
from community.votes.models import (
    Ballot,
    Count,
    CountResult,
    VoteStepRecord,
)
from community.votes.progress import progress_of
from community.votes.reads import vote_row, votes_page
from community.votes.recount import recount
from community.votes.rules import Outcome, Weight
from tests.steps import when

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


async def kinds(community: int) -> list[str]:
    return [item.kind for item in (await items_page(community, 100)).rows]


async def test_the_closing_count_is_written_and_told(poll: Any, told: list[Signal]) -> None:
    homes = [await poll.household(10_000) for _ in range(5)]
    vote = await poll.opened()
    for home, choice in zip(homes, ("FOR", "FOR", "FOR", "AGAINST"), strict=False):
        await poll.cast(home.viewer, vote, choice)
    assert (await progress_of(vote)).questions[0].tally.outcome is Outcome.PENDING
    for early in (poll.closes_at - TICK, poll.closes_at, poll.counted_at - TICK):
        await poll.changes_nothing(close_vote(SYSTEM, early, vote))
    told.clear()
    await close_vote(SYSTEM, poll.counted_at, vote)

    (result,), (count,) = await CountResult.all(), await Count.all()
    assert (result.outcome, result.count_id) == (Outcome.ADOPTED, count.id)
    assert (count.vote_id, count.number, count.sequence, count.at) == (vote, 1, 4, poll.counted_at)
    assert (result.participating_heads, result.participating_area) == (4, 40_000)
    assert (result.agreeing_heads, result.agreeing_area) == (3, 30_000)
    assert await when(vote, VoteStep.CLOSED) == await when(vote, VoteStep.COUNTED) == poll.counted_at
    assert (await progress_of(vote)).questions[0].tally.outcome is Outcome.ADOPTED
    assert told == [
        Signal("tally", vote),
        Signal("bulletin", poll.estate.community),
        Signal("board", poll.estate.community),
    ]
    assert (await kinds(poll.estate.community))[0] == "VOTE_CLOSED"
    assert await due_now(poll.counted_at) == []


async def test_between_the_close_and_the_count_a_vote_is_closed_and_pending(poll: Any) -> None:
    home, late = await poll.households(2)
    vote = await poll.opened()
    await poll.cast(home.viewer, vote)
    for now in (poll.closes_at, poll.counted_at - TICK):
        await close_vote(SYSTEM, now, vote)
        row = await vote_row(vote)
        assert (row.status(now), row.last_step) == (VoteStatus.CLOSED, VoteStep.OPENED)
        assert (await progress_of(vote)).questions[0].tally.outcome is Outcome.PENDING
        await poll.refuses(poll.cast(late.viewer, vote, at=now), VoteClosed)


async def test_a_ballot_that_came_before_the_close_and_waits_in_a_line_is_counted(poll: Any) -> None:
    """Others hold the one writer, or the vote's row, for as long as a write may take."""
    homes = await poll.households(3)
    vote = await poll.opened()
    last = poll.counted_at - timedelta(seconds=1) - TICK
    before = poll.closes_at - TICK
    async with asyncio.timeout(30):
        async with in_transaction():
            await lock_exclusive("vote", vote)
            timer = asyncio.create_task(close_vote(SYSTEM, last, vote), context=Context())
            ballots = [
                asyncio.create_task(poll.cast(home.viewer, vote, at=before), context=Context())
                for home in homes
            ]
            done, _ = await asyncio.wait([*ballots, timer], timeout=0.2)
            assert done == set()
        cast = await asyncio.gather(*ballots)
        await timer
    await poll.closed(vote)
    (result,) = await CountResult.all()
    assert (len(set(cast)), result.participating_heads) == (3, 3)
    assert await recount(vote) == []


async def test_a_count_that_was_planned_for_the_close_is_put_off_to_its_time(poll: Any) -> None:
    """As older versions planned it: no look before has anything to do with it."""
    vote = await poll.opened()
    await Due.filter(job=CLOSE).update(at=poll.closes_at)
    (row,) = await due_now(poll.closes_at)
    await close_vote(SYSTEM, poll.closes_at, vote)
    assert await due_now(poll.counted_at - TICK) == []
    assert await due_now(poll.counted_at) == [replace(row, next_at=poll.counted_at)]
    await poll.closed(vote)
    assert await due_now(poll.counted_at) == []


async def test_while_time_is_in_doubt_nothing_is_counted_or_opened_by_whatever_door(poll: Any) -> None:
    home = await poll.household()
    coming, vote = await poll.announced(), await poll.opened()
    stop = pause_while(lambda: True)
    await poll.refuses(close_vote(SYSTEM, poll.counted_at, vote), TryAgain)
    await poll.refuses(open_vote(SYSTEM, poll.opens_at, coming), TryAgain)
    await poll.refuses(poll.cast(home.viewer, coming), TryAgain)  # it would open a vote whose timer is late
    await poll.cast(home.viewer, vote)
    stop()
    await poll.cast(home.viewer, coming)
    await poll.closed(vote)
    assert await when(vote, VoteStep.CLOSED) == await when(vote, VoteStep.COUNTED) == poll.counted_at


async def test_a_counted_vote_is_closed_whatever_a_clock_says(poll: Any) -> None:
    """Counted by a clock that ran ahead: with the clock right again it is not open."""
    home = await poll.household()
    vote = await poll.opened()
    await poll.closed(vote)
    for now in (poll.announced_at, poll.opens_at, poll.during, poll.closes_at - TICK):
        assert (await vote_row(vote)).status(now) is VoteStatus.CLOSED
        assert (await votes_page(poll.estate.community, now, 10, None, [VoteStatus.OPEN])).rows == []
        (listed,) = (await votes_page(poll.estate.community, now, 10, None, [VoteStatus.CLOSED])).rows
        assert listed.id == vote
        await poll.refuses(poll.cast(home.viewer, vote, at=now), VoteClosed)


async def test_a_vote_is_counted_once(poll: Any, told: list[Signal]) -> None:
    home = await poll.household()
    vote = await poll.opened(poll.resolution(), poll.resolution())
    await poll.cast(home.viewer, vote)
    told.clear()
    await asyncio.gather(*(close_vote(SYSTEM, poll.counted_at, vote) for _ in range(6)))
    await poll.changes_nothing(close_vote(SYSTEM, poll.counted_at + DAY, vote))
    assert await CountResult.all().count() == 2
    assert told == [
        Signal("tally", vote),
        Signal("bulletin", poll.estate.community),
        Signal("board", poll.estate.community),
    ]


async def test_a_vote_that_nobody_opened_is_closed_with_its_roll(poll: Any) -> None:
    await poll.households(2)
    vote = await poll.announced()
    await close_vote(SYSTEM, poll.counted_at, vote)
    (result,) = await CountResult.all()
    assert (result.outcome, result.participating_heads) == (Outcome.NO_QUORUM, 0)
    assert (await progress_of(vote)).eligible == Weight(3, 9_000 + 9_000 + 9_001)
    assert await recount(vote) == []
    await poll.changes_nothing(open_vote(SYSTEM, poll.counted_at, vote))


async def test_a_timer_that_comes_after_the_close_still_opens_and_then_closes(poll: Any) -> None:
    await poll.households(2)
    vote = await poll.announced()
    await open_vote(SYSTEM, poll.closes_at + DAY, vote)
    await close_vote(SYSTEM, poll.counted_at + DAY, vote)
    assert await recount(vote) == []


async def test_a_consultation_has_no_outcome_open_or_closed(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened(poll.survey())
    await poll.cast(home.viewer, vote, "A")
    for _ in range(2):
        tally = (await progress_of(vote)).questions[0].tally
        assert (tally.outcome, tally.conditions) == (None, ())
        await poll.closed(vote)
    (result,) = await CountResult.all()
    assert (result.outcome, result.participating_heads) == (None, 1)


async def test_after_the_count_no_slow_clock_slips_a_ballot_in(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened()
    await poll.closed(vote)
    await poll.refuses(poll.cast(home.viewer, vote, at=poll.closes_at - TICK), VoteClosed)


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_a_ballot_that_waits_for_the_count_sees_it(url: str, poll: Any) -> None:
    """It found the box open before it waited, and its clock runs behind."""
    home = await poll.household()
    vote = await poll.opened()
    watcher = await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    async with asyncio.timeout(30):
        async with in_transaction():
            await lock_exclusive("vote", vote)
            ballot = asyncio.create_task(
                poll.cast(home.viewer, vote, at=poll.closes_at - TICK), context=Context()
            )
            while not await watcher.fetchval(waiting):  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.01)
            for step in (VoteStep.CLOSED, VoteStep.COUNTED):
                await take_step(VoteStepRecord, LIFE, vote, step, at=poll.closes_at)
        with pytest.raises(VoteClosed):
            await ballot
    await watcher.close()
    assert await poll.sequences(vote) == []


@pytest.mark.parametrize("revisable", [False, True])
async def test_a_ballot_that_races_the_count_is_counted_or_refused(poll: Any, revisable: bool) -> None:
    """Many interleavings of ballots cast at the last moment by the clock with the closing count."""
    chance = random.Random(20260605)  # noqa: S311 - only the order
    homes = await poll.households(4)
    just_before = poll.closes_at - TICK

    async def after(turns: int, action: Awaitable[Any]) -> Any:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await action

    for _ in range(20):
        vote = await poll.opened(revisable=revisable)
        voters = [home.viewer for home in homes] * (2 if revisable else 1)
        actions: list[Awaitable[Any]] = [
            poll.cast(viewer, vote, chance.choice(["FOR", "AGAINST"]), at=just_before) for viewer in voters
        ]
        actions.insert(chance.randrange(len(actions) + 1), close_vote(SYSTEM, poll.counted_at, vote))
        outcomes = await asyncio.gather(
            *(after(chance.randrange(60), action) for action in actions), return_exceptions=True
        )

        assert all(isinstance(outcome, int | VoteClosed | None) for outcome in outcomes), outcomes
        accepted = {outcome for outcome in outcomes if isinstance(outcome, int)}
        assert set(await Ballot.filter(vote_id=vote).values_list("id", flat=True)) == accepted
        (question,) = await poll.questions(vote)
        result, count = await CountResult.get(question_id=question.id), await Count.get(vote_id=vote)
        assert count.sequence == len(accepted)
        assert result.participating_heads == len((await box_as_of(vote, count.sequence)).of_parties)
        assert revisable or result.participating_heads == len(accepted)
        assert (await progress_of(vote)).questions[0].tally.agreeing.heads == result.agreeing_heads
        assert await recount(vote) == []
