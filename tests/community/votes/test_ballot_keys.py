"""The client's own key: a lost answer is no second ballot."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from community.database import work
from community.errors import (
    KeyReused,
)
from community.signals import Signal
from community.votes.casting import AlreadyCast, Answered, UnknownChoice
from community.votes.counting import counted_ballots
from community.votes.models import (
    Ballot,
    BallotChoice,
    BallotText,
)
from community.votes.recount import recount

DAY = timedelta(days=1)


async def test_the_same_key_gives_the_first_receipt_again(poll: Any, told: list[Signal]) -> None:
    home, other = await poll.household(), await poll.household()
    vote = await poll.opened()
    first = await poll.cast(home.viewer, vote, key="k")
    before, news = await poll.written(), list(told)
    for terms in ({}, {"party": home.party}, {"at": poll.closes_at}):
        assert await poll.cast(home.viewer, vote, **({"key": "k"} | terms)) == first
    assert (await poll.written(), told) == (before, news)
    assert await poll.cast(other.viewer, vote, key="k") != first
    await poll.refuses(poll.cast(home.viewer, vote, key="l"), AlreadyCast)


async def test_the_receipt_outlives_the_closing_count(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened()
    first = await poll.cast(home.viewer, vote, key="k")
    await poll.closed(vote)
    assert await poll.cast(home.viewer, vote, key="k", at=poll.closes_at + DAY) == first


async def test_a_key_is_for_one_ballot(poll: Any) -> None:
    home, other = await poll.household(), await poll.household()
    await poll.joins(home.viewer, other)
    vote, next_vote = await poll.opened(), await poll.opened()
    await poll.cast(home.viewer, vote, party=home.party, key="k")
    action = poll.cast(home.viewer, next_vote, party=home.party, key="k")
    await poll.refuses(action, KeyReused)
    await poll.refuses(poll.cast(home.viewer, vote, party=other.party, key="k"), KeyReused)


async def test_a_refused_ballot_leaves_its_key_free(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened()
    with pytest.raises(UnknownChoice):
        await poll.cast(home.viewer, vote, "NO", key="k")
    assert await poll.cast(home.viewer, vote, key="k")


@pytest.mark.parametrize("revisable", [False, True])
async def test_a_retry_beside_its_first_try_gives_one_ballot(
    poll: Any, told: list[Signal], revisable: bool
) -> None:
    home = await poll.household()
    vote = await poll.opened(revisable=revisable)
    told.clear()
    receipts = await asyncio.gather(*(poll.cast(home.viewer, vote, key="k") for _ in range(8)))
    assert len(set(receipts)) == 1
    assert await poll.sequences(vote) == [1]
    assert told == [Signal("tally", vote), Signal("board", poll.estate.community)]


async def test_one_key_for_two_votes_at_once_is_refused_once(poll: Any) -> None:
    home = await poll.household()
    votes = [await poll.opened(), await poll.opened()]
    actions = (poll.cast(home.viewer, vote, key="k") for vote in votes)
    outcomes = await asyncio.gather(*actions, return_exceptions=True)
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, KeyReused) for outcome in outcomes) == 1


async def test_a_caller_who_hangs_up_leaves_a_whole_ballot_or_none(poll: Any, told: list[Signal]) -> None:
    chance = random.Random(20260606)  # noqa: S311 - only the times
    homes = await poll.households(30)
    vote = await poll.opened(poll.resolution(), poll.resolution(accepts_text=True))
    one, two = (question.id for question in await poll.questions(vote))
    answers = [Answered(one, ["FOR"]), Answered(two, ["AGAINST"], "再议")]
    told.clear()
    cut = 0
    for home in homes:
        caller = asyncio.create_task(poll.cast(home.viewer, vote, answers=answers, key="k"))
        for _ in range(chance.randrange(80)):
            await asyncio.sleep(0)
        caller.cancel()
        (outcome,) = await asyncio.gather(caller, return_exceptions=True)
        cut += isinstance(outcome, asyncio.CancelledError)
        await asyncio.wait_for(work.all_done(), 30)
        ballots = list(await Ballot.filter(party_id=home.party).values_list("id", flat=True))
        assert len(ballots) <= 1
        assert list((await counted_ballots(vote, [home.party])).values()) == ballots
        assert await BallotChoice.filter(ballot_id__in=ballots).count() == 2 * len(ballots)
        assert await BallotText.filter(ballot_id__in=ballots).count() == len(ballots)
        again = await poll.cast(home.viewer, vote, answers=answers, key="k")
        assert not ballots or ballots == [again]
    assert cut > 5  # otherwise nobody hung up in time
    assert await poll.sequences(vote) == list(range(1, 31))
    assert told == [Signal("tally", vote), Signal("board", poll.estate.community)] * 30
    await poll.closed(vote)
    assert await recount(vote) == []
