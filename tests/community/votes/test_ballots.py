"""Which ballots are taken, and that what is refused leaves nothing behind."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from community.database.models import JournalRow
from community.errors import (
    InvalidInput,
    NotFound,
    Refused,
    Unauthenticated,
)
from community.members.rules import NotRepresentative
from community.permissions import NOBODY, SYSTEM, Role
from community.places.rules import UnitKind
from community.signals import Signal
from community.votes.actions import (
    cast_ballot,
)
from community.votes.casting import (
    AlreadyCast,
    Answered,
    Channel,
    NotOnRoll,
    PartyRequired,
    TooFewChoices,
    TooManyChoices,
    UnknownChoice,
    UnknownQuestion,
)
from community.votes.counting import counted_ballots
from community.votes.lifecycle import VoteClosed, VoteNotOpen
from community.votes.models import (
    Ballot,
)
from community.votes.progress import progress_of
from community.votes.reads import ballot_row
from community.votes.recount import recount
from community.votes.rules import FollowMajority, Weight

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
A_SHED = Weight(1, 9_000)
"""The estate's own unit belongs to nobody, and so to the developer."""


async def test_a_ballot_is_written_counted_and_told(poll: Any, told: list[Signal]) -> None:
    home = await poll.household()
    vote = await poll.opened(poll.survey(max_choices=2, accepts_text=True), poll.survey(min_choices=0))
    first, second = await poll.questions(vote)
    told.clear()
    answers = [Answered(first.id, ["C", "A"], "多种树"), Answered(second.id, [])]
    ballot = await cast_ballot(home.viewer, poll.during, vote, answers=answers)

    row = await Ballot.get(id=ballot)
    assert (row.vote_id, row.party_id, row.sequence, row.cast_at) == (vote, home.party, 1, poll.during)
    assert (row.channel, row.recorded_by_id, row.evidence) == (Channel.ONLINE, home.viewer.account, None)
    assert await counted_ballots(vote, [home.party]) == {home.party: ballot}
    read = await ballot_row(home.viewer.account, ballot)
    assert read.answers is not None
    assert {answer.question_id: (set(answer.choices), answer.text) for answer in read.answers} == {
        first.id: ({"A", "C"}, "多种树")
    }
    assert told == [Signal("tally", vote), Signal("board", poll.estate.community)]
    change = await JournalRow.all().order_by("-number").first()
    assert change is not None
    assert (change.fact, change.subject_kind, change.subject) == ("BALLOT_CAST", "Vote", vote)


@pytest.mark.parametrize(
    ("at", "refusal"),
    [
        (-TICK, VoteNotOpen),
        (timedelta(), None),
        (7 * DAY - TICK, None),
        (7 * DAY, VoteClosed),
        (7 * DAY + TICK, VoteClosed),
    ],
)
@pytest.mark.parametrize("timely", [True, False])
async def test_a_ballot_counts_from_the_opening_until_just_before_the_close(
    poll: Any, at: timedelta, refusal: type[Refused] | None, timely: bool
) -> None:
    """Also where the timer that opens the vote did not come."""
    home = await poll.household()
    vote = await (poll.opened() if timely else poll.announced())
    action = poll.cast(home.viewer, vote, at=poll.opens_at + at)
    if refusal:
        await poll.refuses(action, refusal)
    else:
        await action
        assert (await progress_of(vote)).participating == A_SHED


async def test_who_is_not_on_the_roll(poll: Any, build: Any) -> None:
    vote = await poll.opened()
    home = await poll.household()  # moved in after the opening
    staff = await build.staff(poll.estate.community, Role.CLERK, None)
    estate = poll.estate
    landless = (estate.owner, estate.neighbour, home.viewer)
    for viewer in (estate.tenant, estate.chair, estate.manager, staff, SYSTEM, *landless):
        await poll.refuses(poll.cast(viewer, vote), NotOnRoll)
    await poll.refuses(poll.cast(estate.stranger, vote), NotFound)  # it may not know of the vote
    await poll.make_public()
    await poll.refuses(poll.cast(estate.stranger, vote), NotOnRoll)
    await poll.refuses(poll.cast(NOBODY, vote), Unauthenticated)
    owner = await poll.household()
    action = cast_ballot(owner.viewer, poll.during, 5, answers=[])
    await poll.refuses(action, NotFound)


async def test_nobody_casts_for_another_party(poll: Any) -> None:
    home, other = await poll.household(), await poll.household()
    vote = await poll.opened()
    for party in (other.party, 5, -1):
        await poll.refuses(poll.cast(home.viewer, vote, party=party), NotOnRoll)
    await poll.cast(home.viewer, vote, party=home.party)


@pytest.mark.parametrize("choice", ["FOR", "AGAINST"])
async def test_a_party_casts_once(poll: Any, choice: str) -> None:
    home = await poll.household(members=2)
    vote = await poll.opened()
    first = await poll.cast(home.viewer, vote)
    for member in home.members:
        await poll.refuses(poll.cast(member, vote, choice), AlreadyCast)
    assert await counted_ballots(vote, [home.party]) == {home.party: first}


Answers = Callable[[int, int], list[Answered]]


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        (lambda one, two: [], TooFewChoices),
        (lambda one, two: [Answered(one, ["FOR"])], TooFewChoices),
        (lambda one, two: [Answered(one, []), Answered(two, ["FOR"])], TooFewChoices),
        (lambda one, two: [Answered(one, ["FOR"]), Answered(5, ["FOR"])], UnknownQuestion),
        (lambda one, two: [Answered(one, ["FOR"]), Answered(two, ["YES"])], UnknownChoice),
        (lambda one, two: [Answered(one, ["FOLLOW"]), Answered(two, ["FOR"])], UnknownChoice),
        (lambda one, two: [Answered(one, ["FOR", "AGAINST"]), Answered(two, ["FOR"])], TooManyChoices),
        (lambda one, two: [Answered(one, ["FOR", "FOR"]), Answered(two, ["FOR"])], InvalidInput),
        (lambda one, two: [Answered(one, ["FOR"]), Answered(one, ["FOR"])], InvalidInput),
        (lambda one, two: [Answered(one, ["FOR"], "因为"), Answered(two, ["FOR"])], InvalidInput),
    ],
)
async def test_answers_that_do_not_fit_leave_nothing(
    poll: Any, answers: Answers, refusal: type[Refused]
) -> None:
    home = await poll.household()
    vote = await poll.opened(poll.resolution(), poll.resolution())
    one, two = (question.id for question in await poll.questions(vote))
    action = poll.cast(home.viewer, vote, answers=answers(one, two))
    await poll.refuses(action, refusal)


async def test_a_question_of_another_vote_is_unknown(poll: Any) -> None:
    home = await poll.household()
    vote, other = await poll.opened(), await poll.opened()
    action = poll.cast(home.viewer, vote, answers=await poll.answers(other, "FOR"))
    await poll.refuses(action, UnknownQuestion)


async def test_follow_is_a_choice_only_where_it_is_offered(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened()
    await poll.refuses(poll.cast(home.viewer, vote, "FOLLOW"), UnknownChoice)
    offering = await poll.opened(follow_majority=FollowMajority.RESOLVE)
    assert await poll.cast(home.viewer, offering, "FOLLOW")


async def test_who_acts_for_several_parties_says_for_which(poll: Any) -> None:
    home, other = await poll.household(), await poll.household()
    both = home.viewer
    await poll.joins(both, other)
    vote = await poll.opened()
    await poll.refuses(poll.cast(both, vote), PartyRequired)
    await poll.cast(both, vote, "FOR", party=home.party)
    await poll.cast(both, vote, "AGAINST", party=other.party)
    await poll.refuses(poll.cast(both, vote), PartyRequired)
    await poll.refuses(poll.cast(both, vote, party=home.party), AlreadyCast)
    assert (await progress_of(vote)).participating == Weight(2, 18_000)


async def test_a_party_that_is_not_on_the_roll_makes_nothing_ambiguous(poll: Any) -> None:
    home = await poll.household()
    await poll.joins(home.viewer, await poll.household(kind=UnitKind.PARKING))
    vote = await poll.opened()
    await poll.cast(home.viewer, vote)
    assert await counted_ballots(vote, [home.party])


async def test_where_co_owners_named_one_only_that_one_casts(poll: Any) -> None:
    home = await poll.household(members=2)
    await poll.names(home, 1)
    vote = await poll.opened()
    await poll.refuses(poll.cast(home.members[0], vote), NotRepresentative)
    await poll.cast(home.members[1], vote)


async def test_a_former_co_owner_no_longer_casts(poll: Any) -> None:
    home = await poll.household(members=2)
    vote = await poll.opened()
    await poll.leaves(home, 0, poll.during)
    await poll.refuses(poll.cast(home.members[0], vote), NotOnRoll)
    await poll.cast(home.members[1], vote)


async def test_two_co_owners_at_once_cast_one_ballot(poll: Any, told: list[Signal]) -> None:
    home = await poll.household(members=2)
    for _ in range(5):
        vote = await poll.opened()
        told.clear()
        actions = (
            poll.cast(member, vote, choice)
            for member, choice in zip(home.members, ("FOR", "AGAINST"), strict=True)
        )
        outcomes = await asyncio.gather(*actions, return_exceptions=True)
        cast = [outcome for outcome in outcomes if isinstance(outcome, int)]
        assert len(cast) == 1
        assert sum(isinstance(outcome, AlreadyCast) for outcome in outcomes) == 1
        assert await counted_ballots(vote, [home.party]) == {home.party: cast[0]}
        assert await poll.sequences(vote) == [1]
        assert told == [Signal("tally", vote), Signal("board", poll.estate.community)]


async def test_fifty_at_once_are_all_counted_in_one_row_of_numbers(poll: Any, told: list[Signal]) -> None:
    homes = await poll.households(50)
    vote = await poll.opened()
    told.clear()
    receipts = await asyncio.gather(*(poll.cast(home.viewer, vote) for home in homes))
    assert len(set(receipts)) == 50
    assert await poll.sequences(vote) == list(range(1, 51))
    progress = await progress_of(vote)
    assert progress.participating == Weight(50, sum(range(9_000, 9_050)))
    assert progress.version == 51
    assert told == [Signal("tally", vote), Signal("board", poll.estate.community)] * 50
    numbers = await JournalRow.all().order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, len(numbers) + 1))
    await poll.closed(vote)
    assert await recount(vote) == []
