"""The box as of any number, and the rulings that change what counts."""

from datetime import timedelta
from typing import Any

from community.errors import Forbidden, InvalidInput, KeyReused, NotFound, ResultGone
from community.permissions import CITY, SYSTEM, Person, Role
from community.signals import Signal
from community.steps import StepRefused
from community.votes.actions import RecordedBallot, record_ballots, rule_ballot, void_ballot
from community.votes.casting import ByName, Channel, Validity
from community.votes.counting import box_as_of, counted_ballots, newest_of, newest_sequence
from community.votes.known import tallies_of
from community.votes.lifecycle import VoteClosed, VoteStep
from community.votes.models import Ballot, Ruling
from community.votes.progress import progress_of
from community.votes.recount import recount
from community.votes.rules import ZERO, Weight
from community.votes.scope import of_buildings
from tests.steps import take

TICK = timedelta(microseconds=1)


async def test_the_newest_ballot_of_a_vote_and_what_counts_for_a_party(poll: Any) -> None:
    home, other = await poll.households(2)
    vote = await poll.opened()
    assert (await newest_of(vote, home.party), await newest_sequence(vote)) == ((0, None), 0)
    first = await poll.cast(home.viewer, vote)
    second = await poll.cast(other.viewer, vote)
    assert await newest_of(vote, home.party) == (2, first)
    assert await newest_of(vote, other.party) == (2, second)
    assert await newest_of(vote, 5) == (2, None)
    assert await newest_sequence(vote) == 2


async def test_only_the_counted_ballots_of_those_asked_for(poll: Any) -> None:
    home, other = await poll.households(2)
    vote, another = await poll.opened(), await poll.opened()
    ballot = await poll.cast(home.viewer, vote)
    await poll.cast(other.viewer, vote)
    assert await counted_ballots(vote, [home.party]) == {home.party: ballot}
    assert await counted_ballots(another, [home.party, other.party]) == {}
    assert await counted_ballots(vote, []) == {}


async def test_the_box_is_read_as_of_any_number(poll: Any) -> None:
    home, other = await poll.households(2)
    vote = await poll.opened(revisable=True)
    first = await poll.cast(home.viewer, vote)
    second = await poll.cast(other.viewer, vote)
    third = await poll.cast(home.viewer, vote, "AGAINST")
    await void_ballot(poll.estate.chair, poll.during, second, reason="签名不是业主本人")
    boxes = [(await box_as_of(vote, number)).of_parties for number in range(5)]
    assert boxes == [
        {},
        {home.party: first},
        {home.party: first, other.party: second},
        {home.party: third, other.party: second},
        {home.party: third},
    ]


async def test_nothing_counts_for_a_party_whose_ballot_is_void_until_it_casts_another(
    poll: Any, told: list[Signal]
) -> None:
    home, other = await poll.households(2)
    vote = await poll.opened()
    first = await poll.cast(home.viewer, vote, key="a")
    await poll.cast(other.viewer, vote, "AGAINST")
    before = (await tallies_of([vote]))[vote]
    told.clear()
    await void_ballot(poll.estate.chair, poll.during, first, reason=" 伪造 ")
    assert told == [Signal("tally", vote), Signal("board", poll.estate.community)]
    ruling = await Ruling.get(vote_id=vote)
    assert (ruling.sequence, ruling.ballot_id, ruling.counts, ruling.reason) == (3, first, False, "伪造")
    assert (ruling.ruled_by_id, ruling.ruled_at) == (poll.estate.chair.account, poll.during)
    progress = await progress_of(vote)
    assert (await tallies_of([vote]))[vote] == progress
    assert (progress.version, progress.participating) == (before.version + 1, Weight(1, 9_001))
    assert progress.questions[0].tally.choices["FOR"] == ZERO
    assert [day.heads for day in progress.days] == [1]
    await poll.refuses(poll.cast(home.viewer, vote, key="a"), ResultGone)
    again = await poll.cast(home.viewer, vote, "AGAINST", at=poll.during + timedelta(days=1))
    assert await counted_ballots(vote, [home.party]) == {home.party: again}
    assert (await progress_of(vote)).questions[0].tally.choices["AGAINST"] == Weight(2, 18_001)
    await poll.closed(vote)
    assert await recount(vote) == []


async def test_another_ballot_is_ruled_to_count(poll: Any) -> None:
    """Also one that was recorded as invalid, and one that was replaced."""
    (home,) = await poll.households(1)
    vote = await poll.opened(revisable=True)
    first = await poll.cast(home.viewer, vote, "FOR")
    await poll.cast(home.viewer, vote, "AGAINST")
    invalid = await Ballot.create(
        vote_id=vote, party_id=home.party, sequence=3, channel=Channel.PAPER, cast_at=poll.during,
        validity=Validity.INVALID,
    )  # fmt: skip
    await rule_ballot(poll.estate.chair, poll.during, first, reason="后一张不是本人投的")
    assert (await progress_of(vote)).questions[0].tally.choices["FOR"] == Weight(1, 9_000)
    await rule_ballot(poll.estate.chair, poll.during, invalid.id, reason="签名可认")
    assert await counted_ballots(vote, [home.party]) == {home.party: invalid.id}
    assert (await progress_of(vote)).participating == ZERO  # nothing is marked on it
    await rule_ballot(poll.estate.chair, poll.during, first, reason="仍以首张为准")
    await poll.closed(vote)
    assert await recount(vote) == []
    assert await newest_sequence(vote) == 6


async def test_who_may_not_rule_and_what_is_not_ruled(poll: Any) -> None:
    home, other = await poll.households(2)
    vote = await poll.opened(revisable=True)
    replaced = await poll.cast(home.viewer, vote)
    ballot = await poll.cast(home.viewer, vote)
    chair, during = poll.estate.chair, poll.during
    for viewer in (home.viewer, other.viewer, poll.estate.manager):
        await poll.refuses(void_ballot(viewer, during, ballot, reason="x"), Forbidden)
        await poll.refuses(rule_ballot(viewer, during, replaced, reason="x"), Forbidden)
    await poll.refuses(void_ballot(chair, during, 5, reason="x"), NotFound)
    for reason in ("", " ", "长" * 201):
        await poll.refuses(void_ballot(chair, during, ballot, reason=reason), InvalidInput)
    await poll.refuses(void_ballot(chair, during, replaced, reason="x"), InvalidInput)
    await poll.refuses(rule_ballot(chair, during, ballot, reason="x"), InvalidInput)
    for undone in (VoteStep.ANNULLED, VoteStep.WITHDRAWN):
        gone = await poll.opened()
        another = await poll.cast(home.viewer, gone)
        await take(gone, undone, at=during)
        await poll.refuses(void_ballot(chair, during, another, reason="x"), StepRefused)
        await poll.refuses(poll.serves(gone, home), VoteClosed)
    await poll.closed(vote)
    await poll.refuses(poll.serves(vote, home), VoteClosed)
    await take(vote, VoteStep.DISPLAYED, VoteStep.CERTIFIED, at=poll.counted_at)
    await poll.refuses(void_ballot(chair, poll.counted_at, ballot, reason="x"), StepRefused)
    await poll.refuses(rule_ballot(chair, poll.counted_at, replaced, reason="x"), StepRefused)


async def operator(poll: Any) -> Person:
    return Person(await poll.build.account(), roles={CITY: frozenset({Role.OPERATOR})})


def paper(poll: Any, party: int | None, answers: Any) -> RecordedBallot:
    return RecordedBallot(party, poll.during, answers, Channel.PAPER, "票箱 1-7")


async def test_an_anonymous_ballot_counts_for_itself_and_says_nobodys_name(poll: Any) -> None:
    (home,) = await poll.households(1)
    tower = await poll.build.building(poll.estate.community)
    vote = await poll.opened(poll.survey(), poll.survey(scope=of_buildings(tower)))
    answers = await poll.answers(vote, "A")
    await record_ballots(await operator(poll), poll.during, vote, [
        paper(poll, None, answers), paper(poll, None, answers),
        paper(poll, home.party, answers[:1]),
    ])  # fmt: skip
    box = await box_as_of(vote, 3)
    assert (len(box.anonymous), list(box.of_parties)) == (2, [home.party])
    progress = await progress_of(vote)
    assert progress.participating == Weight(3, 9_000)
    assert [question.tally.choices["A"] for question in progress.questions] == [
        Weight(3, 9_000),
        Weight(2, 0),
    ]
    assert set(await Ballot.filter(party_id=None).values_list("recorded_by_id", flat=True)) == {None}
    for ballot in box.anonymous:
        action = void_ballot(poll.estate.chair, poll.during, ballot, reason="x")
        await poll.refuses(action, InvalidInput)
    await poll.closed(vote)
    assert await recount(vote) == []


async def test_a_statutory_vote_is_by_name(poll: Any) -> None:
    vote = await poll.opened()
    answers = await poll.answers(vote, "FOR")
    action = record_ballots(SYSTEM, poll.during, vote, [paper(poll, None, answers)])
    await poll.refuses(action, ByName)


async def test_recorded_ballots_sent_again_are_the_same_by_a_receipt_that_names_no_ballot(poll: Any) -> None:
    vote = await poll.opened(poll.survey())
    answers = await poll.answers(vote, "A")
    clerk, ballots = await operator(poll), [paper(poll, None, answers)]
    receipt = await record_ballots(clerk, poll.during, vote, ballots, key="box 1")
    again = record_ballots(clerk, poll.during, vote, ballots, key="box 1")
    assert await again == receipt
    assert await newest_sequence(vote) == 1
    assert not await Ballot.exists(id=receipt)
    other = record_ballots(clerk, poll.during, vote, ballots * 2, key="box 1")
    await poll.refuses(other, KeyReused)
