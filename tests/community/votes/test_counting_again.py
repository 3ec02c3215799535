"""Another count of a closed vote: numbered, beside the ones before it, and the one that is shown."""

from datetime import timedelta
from typing import Any

import pytest

from community.database.due import LONGEST_PAUSE, due_now
from community.database.steps import steps_of
from community.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from community.ledger.reads import resolutions_of
from community.permissions import NOBODY, SYSTEM
from community.signals import Signal
from community.steps import StepRefused
from community.votes.actions import (
    RecordedBallot,
    close_vote,
    open_vote,
    record_ballots,
    recount_vote,
    rule_ballot,
    void_ballot,
)
from community.votes.casting import Answered, Channel
from community.votes.known import tallies_of
from community.votes.lifecycle import VoteClosed, VoteNotOpen, VoteStatus, VoteStep
from community.votes.models import Ballot, Count, CountResult, VoteStepRecord
from community.votes.progress import progress_of
from community.votes.reads import vote_row
from community.votes.recount import recount
from community.votes.rules import Outcome, Weight
from tests.steps import take, taken, when

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
WHY = "有业主对计票提出异议"


@pytest.fixture
async def vote(poll: Any) -> int:
    homes = await poll.households(3)
    vote = await poll.opened()
    for home in homes:
        await poll.cast(home.viewer, vote)
    await poll.closed(vote)
    return int(vote)


async def test_a_second_count_stands_beside_the_first(poll: Any, vote: int, told: list[Signal]) -> None:
    before, version = await CountResult.all().values(), (await progress_of(vote)).version
    at = poll.counted_at + DAY
    told.clear()
    assert await recount_vote(poll.estate.chair, at, vote, reason=f" {WHY}\t") == 2
    assert told == [Signal("tally", vote), Signal("board", poll.estate.community)]
    counts = await Count.filter(vote_id=vote).order_by("number").values("number", "sequence", "at")
    assert counts == [
        {"number": 1, "sequence": 3, "at": poll.counted_at},
        {"number": 2, "sequence": 3, "at": at},
    ]
    assert await CountResult.exclude(count__number=2).values() == before
    assert await CountResult.filter(count__number=2).count() == 1
    assert await taken(vote) == [
        VoteStep.ANNOUNCED, VoteStep.OPENED, VoteStep.CLOSED, VoteStep.COUNTED, VoteStep.COUNTED,
    ]  # fmt: skip
    step = (await steps_of(VoteStepRecord, [vote]))[vote][-1]
    assert (step.actor, step.reason, step.at) == (poll.estate.chair.account, WHY, at)
    assert (await progress_of(vote)).version == version + 1
    assert (await vote_row(vote)).status(poll.during) is VoteStatus.CLOSED
    assert await recount(vote) == []
    assert await recount_vote(SYSTEM, at, vote, reason=WHY) == 3


async def test_the_newest_count_is_the_one_that_holds(poll: Any, vote: int) -> None:
    await recount_vote(poll.estate.chair, poll.counted_at + DAY, vote, reason=WHY)
    await poll.tamper(
        "UPDATE count_result SET outcome = 'NO_QUORUM'"
        " WHERE count_id = (SELECT id FROM count WHERE number = 1)"
    )
    (decided,) = (await resolutions_of([vote]))[vote].decided
    assert (decided.outcome, await recount(vote)) == (Outcome.ADOPTED, [])
    await poll.tamper(
        "UPDATE count_result SET outcome = 'NO_QUORUM'"
        " WHERE count_id = (SELECT id FROM count WHERE number = 2)"
    )
    (decided,) = (await resolutions_of([vote]))[vote].decided
    assert decided.outcome is Outcome.NO_QUORUM
    assert len(await recount(vote)) == 1


async def test_a_ruling_after_the_count_waits_for_the_next_one(
    poll: Any, vote: int, told: list[Signal]
) -> None:
    chair, at = poll.estate.chair, poll.counted_at + DAY
    rows, before = await CountResult.all().values(), await progress_of(vote)
    ballots = await Ballot.filter(vote_id=vote).order_by("sequence").values_list("id", flat=True)
    for ballot in ballots[:2]:
        told.clear()
        await void_ballot(chair, at, ballot, reason="非本人所投")
        assert told == [Signal("tally", vote), Signal("board", poll.estate.community)]
    waiting = await progress_of(vote)
    assert await tallies_of([vote]) == {vote: waiting}
    assert (waiting.version, waiting.participating) == (before.version + 2, Weight(1, 9_002))
    assert waiting.questions[0].tally.outcome is Outcome.PENDING
    assert [each.outcome for each in (await resolutions_of([vote]))[vote].decided] == [None]
    assert (await CountResult.all().values(), await recount(vote)) == (rows, [])

    assert await recount_vote(chair, at, vote, reason=WHY) == 2
    after = await progress_of(vote)
    assert after.questions[0].tally.outcome is Outcome.NO_QUORUM
    assert await tallies_of([vote]) == {vote: after}
    assert [each.outcome for each in (await resolutions_of([vote]))[vote].decided] == [Outcome.NO_QUORUM]
    assert await Count.filter(vote_id=vote).order_by("number").values_list("sequence", flat=True) == [3, 5]
    assert await CountResult.exclude(count__number=2).values() == rows

    for ballot in ballots[:2]:
        await rule_ballot(chair, at, ballot, reason="签名属实")
    assert await recount(vote) == []
    assert await recount_vote(chair, at, vote, reason=WHY) == 3
    assert (await progress_of(vote)).questions[0].tally.outcome is Outcome.ADOPTED
    assert await recount(vote) == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE count SET sequence = 3 WHERE number = 2", "written"),
        ("UPDATE count SET sequence = 5 WHERE number = 1", "count 2: up to number 4, it should be 5 to 4"),
        ("UPDATE ruling SET counts = TRUE", "should count"),
        ("UPDATE count_result SET participating_heads = 3", "written"),
    ],
)
async def test_a_second_count_is_looked_at_as_the_first(
    poll: Any, vote: int, statement: str, found: str
) -> None:
    ballot = await Ballot.get(vote_id=vote, sequence=1)
    await void_ballot(poll.estate.chair, poll.counted_at, ballot.id, reason="非本人所投")
    await recount_vote(poll.estate.chair, poll.counted_at, vote, reason=WHY)
    assert await recount(vote) == []
    await poll.tamper(statement)
    differences = await recount(vote)
    assert any(found in difference for difference in differences), differences


async def test_another_count_sums_the_rows_too(
    poll: Any, vote: int, caplog: pytest.LogCaptureFixture
) -> None:
    await poll.tamper("UPDATE total SET heads = heads + 1 WHERE part = 'QUESTION'")
    await recount_vote(poll.estate.chair, poll.counted_at, vote, reason=WHY)
    assert "are mended" in caplog.text
    assert (await CountResult.get(count__number=2)).participating_heads == 3
    assert await recount(vote) == []


async def test_paper_is_keyed_between_the_closing_and_the_count(poll: Any) -> None:
    (home, late), (before, after) = await poll.households(2), (poll.closes_at - TICK, poll.closes_at)
    vote = await poll.opened()
    await take(vote, VoteStep.CLOSED, at=poll.counted_at)
    answers = await poll.answers(vote, "FOR")
    await poll.refuses(poll.cast(home.viewer, vote, at=before), VoteClosed)
    for at, refusal in ((after, VoteClosed), (poll.opens_at - TICK, VoteNotOpen)):
        paper = RecordedBallot(home.party, at, answers, Channel.PAPER)
        await poll.refuses(record_ballots(SYSTEM, poll.counted_at, vote, [paper]), refusal)
    paper = RecordedBallot(home.party, before, answers, Channel.PAPER)
    await record_ballots(SYSTEM, poll.counted_at, vote, [paper])
    assert (await progress_of(vote)).participating == Weight(1, 9_000)
    await take(vote, VoteStep.COUNTED, at=poll.counted_at)
    paper = RecordedBallot(late.party, before, answers, Channel.PAPER)
    await poll.refuses(record_ballots(SYSTEM, poll.counted_at, vote, [paper]), VoteClosed)


async def test_the_same_key_counts_once(poll: Any, vote: int) -> None:
    chair, at = poll.estate.chair, poll.counted_at + DAY
    assert await recount_vote(chair, at, vote, reason=WHY, key="k") == 2
    await poll.changes_nothing(recount_vote(chair, at + DAY, vote, reason=WHY, key="k"))
    assert await Count.filter(vote_id=vote).count() == 2


async def test_who_convenes_may_have_it_counted_again_and_says_why(poll: Any, vote: int) -> None:
    at = poll.counted_at + DAY
    for viewer in (poll.estate.owner, poll.estate.manager):
        await poll.refuses(recount_vote(viewer, at, vote, reason=WHY), Forbidden)
    await poll.refuses(recount_vote(poll.estate.stranger, at, vote, reason=WHY), NotFound)
    await poll.refuses(recount_vote(NOBODY, at, vote, reason=WHY), Unauthenticated)
    for reason in ("", " ", "异" * 201):
        await poll.refuses(recount_vote(poll.estate.chair, at, vote, reason=reason), InvalidInput)


async def test_only_what_was_counted_and_is_not_certified_is_counted_again(poll: Any, vote: int) -> None:
    chair, at = poll.estate.chair, poll.counted_at + DAY
    closed = await poll.opened()
    await take(closed, VoteStep.CLOSED, at=poll.closes_at)
    for early in (await poll.announced(), await poll.opened(), closed):
        await poll.refuses(recount_vote(chair, at, early, reason=WHY), StepRefused)
    await take(vote, VoteStep.DISPLAYED, at=at)
    assert await recount_vote(chair, at, vote, reason=WHY) == 2
    await take(vote, VoteStep.DISPLAYED, VoteStep.CERTIFIED, at=at)
    await poll.refuses(recount_vote(chair, at, vote, reason=WHY), StepRefused)
    await take(vote, VoteStep.ANNULLED, at=at)
    await poll.refuses(recount_vote(chair, at, vote, reason=WHY), StepRefused)


@pytest.mark.parametrize("undone", [VoteStep.ANNULLED, VoteStep.WITHDRAWN])
async def test_what_was_undone_before_its_close_is_neither_opened_nor_counted(
    poll: Any, undone: VoteStep
) -> None:
    home = await poll.household()
    announced, opened = await poll.announced(), await poll.opened()
    for vote in (announced, opened):
        await take(vote, undone, at=poll.during)
        await poll.refuses(poll.cast(home.viewer, vote), VoteClosed)
        await open_vote(SYSTEM, poll.during, vote)
        await close_vote(SYSTEM, poll.counted_at, vote)
        assert (await vote_row(vote)).status(poll.counted_at) is VoteStatus(undone)
        assert await when(vote, VoteStep.CLOSED) is None
    assert not (await vote_row(announced)).opened
    assert await Count.all().count() == 0


async def test_a_suspended_vote_is_closed_once_it_has_gone_on(poll: Any) -> None:
    vote = await poll.opened()
    await take(vote, VoteStep.SUSPENDED, at=poll.during)
    await poll.closed(vote)
    assert (await vote_row(vote)).status(poll.counted_at) is VoteStatus.SUSPENDED
    assert [row.subject for row in await due_now(poll.counted_at)] == []
    await take(vote, VoteStep.RESUMED, at=poll.counted_at)
    later = poll.counted_at + LONGEST_PAUSE
    assert [row.subject for row in await due_now(later)] == [vote]
    await close_vote(SYSTEM, later, vote)
    assert (await taken(vote))[-2:] == [VoteStep.CLOSED, VoteStep.COUNTED]


async def test_a_suspended_vote_takes_no_ballot_until_it_goes_on(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened()
    await take(vote, VoteStep.SUSPENDED, at=poll.during)
    answers = [Answered(question.id, ("FOR",)) for question in await poll.questions(vote)]
    with pytest.raises(Exception, match="suspended"):
        await poll.cast(home.viewer, vote, answers=answers)
    await take(vote, VoteStep.RESUMED, at=poll.during)
    await poll.cast(home.viewer, vote)
