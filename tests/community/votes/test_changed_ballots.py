"""Ballots that may be changed, and ballots taken over from paper."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from community.errors import (
    Forbidden,
)
from community.permissions import SYSTEM
from community.signals import Signal
from community.votes.actions import (
    RecordedBallot,
    close_vote,
    record_ballots,
)
from community.votes.casting import (
    AlreadyCast,
    Answered,
    Channel,
    NotOnRoll,
    TooFewChoices,
    UnknownChoice,
)
from community.votes.counting import box_as_of, counted_ballots
from community.votes.lifecycle import VoteClosed, VoteNotOpen
from community.votes.models import (
    Ballot,
)
from community.votes.progress import progress_of
from community.votes.reads import ballot_row
from community.votes.recount import recount
from community.votes.rules import Weight

TICK = timedelta(microseconds=1)
A_SHED = Weight(1, 9_000)
"""The estate's own unit belongs to nobody, and so to the developer."""


async def test_a_changed_ballot_is_added_and_the_tally_follows(poll: Any) -> None:
    home, other = await poll.household(10_000), await poll.household(11_000)
    vote = await poll.opened(poll.survey(), revisable=True)

    async def choices() -> dict[str, Weight]:
        return (await progress_of(vote)).questions[0].tally.choices

    none = Weight(0, 0)
    first = await poll.cast(home.viewer, vote, "A")
    await poll.cast(other.viewer, vote, "A")
    assert await choices() == {"A": Weight(2, 21_000), "B": none, "C": none}
    last = await poll.cast(home.viewer, vote, "C")
    assert await choices() == {"A": Weight(1, 11_000), "B": none, "C": Weight(1, 10_000)}
    assert await counted_ballots(vote, [home.party]) == {home.party: last}
    assert await poll.sequences(vote) == [1, 2, 3]
    answers = (await ballot_row(home.viewer.account, first)).answers
    assert {answer.choices for answer in answers or ()} == {("A",)}
    progress = await progress_of(vote)
    assert (progress.participating, progress.version) == (Weight(2, 21_000), 4)
    await poll.closed(vote)
    assert await recount(vote) == []
    with pytest.raises(VoteClosed):
        await poll.cast(home.viewer, vote, "B", at=poll.closes_at)


async def test_co_owners_changing_at_once_leave_one_ballot_that_counts(poll: Any) -> None:
    home = await poll.household(members=3)
    vote = await poll.opened(poll.survey(), revisable=True)
    actions = [poll.cast(member, vote, choice) for member in home.members for choice in "ABC"]
    receipts = await asyncio.gather(*actions)
    last = await Ballot.filter(vote_id=vote).order_by("-sequence").first()
    assert last is not None
    assert await poll.sequences(vote) == list(range(1, 10))
    assert len(set(receipts)) == 9
    assert await counted_ballots(vote, [home.party]) == {home.party: last.id}
    assert (await progress_of(vote)).participating == A_SHED
    await poll.closed(vote)
    assert await recount(vote) == []


def paper(home: Any, answers: list[Answered], at: datetime) -> RecordedBallot:
    return RecordedBallot(home.party, at, answers, Channel.PAPER, "票箱 1-7")


async def test_recorded_ballots_count_like_the_others(poll: Any, told: list[Signal]) -> None:
    homes = await poll.households(5)
    vote = await poll.opened()
    await poll.cast(homes[0].viewer, vote)
    answers = await poll.answers(vote, "AGAINST")
    told.clear()
    await record_ballots(
        SYSTEM, poll.during, vote, [paper(home, answers, poll.opens_at) for home in homes[1:]]
    )
    assert await poll.sequences(vote) == [1, 2, 3, 4, 5]
    assert told == [Signal("tally", vote), Signal("board", poll.estate.community)]
    row = await Ballot.get(vote_id=vote, sequence=2)
    assert (row.party_id, row.channel, row.evidence) == (homes[1].party, Channel.PAPER, "票箱 1-7")
    assert (row.recorded_by_id, row.cast_at) == (None, poll.opens_at)
    assert (await progress_of(vote)).participating == Weight(5, sum(range(9_000, 9_005)))
    await poll.closed(vote)
    assert await recount(vote) == []


async def test_recorded_ballots_are_taken_all_or_none(poll: Any) -> None:
    first, second, cast = await poll.households(3)
    vote = await poll.opened()
    stranger = await poll.household()
    await poll.cast(cast.viewer, vote)
    answers = await poll.answers(vote, "FOR")
    good = paper(first, answers, poll.during)
    wrong = [
        (paper(cast, answers, poll.during), AlreadyCast),
        (paper(first, answers, poll.during), AlreadyCast),
        (paper(stranger, answers, poll.during), NotOnRoll),
        (paper(second, answers, poll.opens_at - TICK), VoteNotOpen),
        (paper(second, answers, poll.closes_at), VoteClosed),
        (paper(second, [], poll.during), TooFewChoices),
        (paper(second, await poll.answers(vote, "YES"), poll.during), UnknownChoice),
    ]
    for bad, refusal in wrong:
        action = record_ballots(SYSTEM, poll.during, vote, [good, bad])
        await poll.refuses(action, refusal)
    action = record_ballots(poll.estate.chair, poll.during, vote, [good])
    await poll.refuses(action, Forbidden)
    await poll.closed(vote)
    await poll.refuses(record_ballots(SYSTEM, poll.during, vote, [good]), VoteClosed)


async def test_recording_beside_the_closing_count_is_whole_or_refused(poll: Any) -> None:
    homes = await poll.households(3)
    for index in range(8):
        vote = await poll.opened()
        answers = await poll.answers(vote, "FOR")
        ballots = [paper(home, answers, poll.during) for home in homes]
        actions = [
            record_ballots(SYSTEM, poll.during, vote, ballots),
            close_vote(SYSTEM, poll.counted_at, vote),
        ]
        outcomes = await asyncio.gather(*(actions if index % 2 else actions[::-1]), return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert all(isinstance(refusal, VoteClosed) for refusal in refused)
        assert len((await box_as_of(vote, 3)).of_parties) == (0 if refused else 3)
        assert await recount(vote) == []
