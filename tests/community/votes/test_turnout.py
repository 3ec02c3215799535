"""A ballot says something, and then it is turnout: of the vote, and of each question that it answers."""

import random
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from community.database.ids import new_id
from community.errors import InvalidInput
from community.permissions import SYSTEM
from community.votes.actions import NewQuestion, RecordedBallot, cast_ballot, mend_totals, record_ballots
from community.votes.casting import Answered, Channel, EmptyBallot, NotOnRoll, TooFewChoices, Validity
from community.votes.counting import counted_ballots
from community.votes.known import tallies_of
from community.votes.models import Ballot, BallotText, Counting, Question, QuestionResult
from community.votes.progress import DayTurnout, progress_of
from community.votes.recount import recount
from community.votes.rules import ZERO, Matter, Weight


async def an_empty_ballot(vote: int, home: Any, at: Any, sequence: int, text: str | None = None) -> None:
    """As was taken once."""
    ballot = await Ballot.create(
        id=new_id(), vote_id=vote, party_id=home.party, sequence=sequence, channel=Channel.ONLINE,
        recorded_by_id=home.viewer.account, cast_at=at, validity=Validity.VALID,
    )  # fmt: skip
    await Counting.create(vote_id=vote, sequence=sequence, party_id=home.party, ballot_id=ballot.id)
    if text:
        question = await Question.get(vote_id=vote)
        await BallotText.create(ballot_id=ballot.id, question_id=question.id, text=text)
    await mend_totals(SYSTEM, at, vote)


@pytest.mark.parametrize("text", [None, "", " \n\t\u3000"])
@pytest.mark.parametrize("questions", [1, 2])
async def test_a_ballot_that_says_nothing_is_refused(poll: Any, questions: int, text: str | None) -> None:
    home = await poll.household()
    optional = [poll.survey(min_choices=0, max_choices=2, accepts_text=True) for _ in range(questions)]
    vote = await poll.opened(*optional)
    asked = await poll.questions(vote)
    for answers in ([], [poll.answer(one, text=text) for one in asked], [poll.answer(asked[0], text=text)]):
        await poll.refuses(cast_ballot(home.viewer, poll.during, vote, answers=answers), EmptyBallot)
        paper = RecordedBallot(home.party, poll.during, answers, Channel.PAPER, "票箱 1-7")
        await poll.refuses(record_ballots(SYSTEM, poll.during, vote, [paper]), EmptyBallot)
    await poll.cast(home.viewer, vote, "B")  # the party's ballot was not spent


async def test_a_required_question_left_out_is_named_first(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened(poll.survey(min_choices=0), poll.survey())
    action = cast_ballot(home.viewer, poll.during, vote, answers=[])
    await poll.refuses(action, TooFewChoices)


async def test_whom_no_question_asks_casts_nothing(poll: Any) -> None:
    """A vote of all whose questions are for one building only."""
    tower = await poll.build.building(poll.estate.community)
    home, away = await poll.household(10_000, building=tower), await poll.household()
    vote = await poll.opened(poll.resolution(building=tower))
    await poll.refuses(cast_ballot(away.viewer, poll.during, vote, answers=[]), NotOnRoll)
    await poll.refuses(poll.cast(away.viewer, vote), NotOnRoll)
    await poll.cast(home.viewer, vote)
    assert (await progress_of(vote)).participating == Weight(1, 10_000)


@pytest.mark.parametrize("changed", [{}, {"max_choices": 3}, {"min_choices": 0, "max_choices": 3}])
async def test_a_text_alone_answers_a_survey(poll: Any, changed: dict[str, Any]) -> None:
    homes = await poll.households(3)
    question = poll.survey(**({"min_choices": 0, "accepts_text": True} | changed | {"min_choices": 0}))
    vote = await poll.opened(question, revisable=True)
    (one,) = await poll.questions(vote)
    for home, answer in zip(
        homes, (poll.answer(one, text="多种树"), poll.answer(one, "A", text="多种树"), poll.answer(one, "B"))
    , strict=True):  # fmt: skip
        await poll.cast(home.viewer, vote, answers=[answer])
    progress = await progress_of(vote)
    (tally,) = [question.tally for question in progress.questions]
    assert progress.participating == tally.participating == Weight(3, 27_003)
    assert tally.choices == {"A": Weight(1, 9_001), "B": Weight(1, 9_002), "C": ZERO}
    await poll.closed(vote)
    assert await recount(vote) == []
    result = await QuestionResult.get(question_id=one.id)
    assert (result.participating_heads, result.participating_area) == (3, 27_003)


async def test_a_text_beside_a_resolution_is_no_vote(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened(poll.resolution(accepts_text=True))
    (one,) = await poll.questions(vote)
    await poll.refuses(poll.cast(home.viewer, vote, answers=[poll.answer(one, text="再想想")]), TooFewChoices)
    await poll.cast(home.viewer, vote, answers=[poll.answer(one, "ABSTAIN", text="再想想")])
    progress = await progress_of(vote)
    assert progress.participating == progress.questions[0].tally.participating == Weight(1, 9_000)


async def test_a_text_beside_a_resolution_of_old_spends_no_ballot(poll: Any) -> None:
    """When a resolution could still be left out."""
    home = await poll.household()
    vote = await poll.opened(poll.resolution(accepts_text=True))
    await Question.filter(vote_id=vote).update(min_choices=0)
    (one,) = await poll.questions(vote)
    answers = [poll.answer(one, text="再想想")]
    await poll.refuses(poll.cast(home.viewer, vote, answers=answers), TooFewChoices)
    paper = RecordedBallot(home.party, poll.during, answers, Channel.PAPER, "票箱 1-7")
    await poll.refuses(record_ballots(SYSTEM, poll.during, vote, [paper]), TooFewChoices)
    await poll.cast(home.viewer, vote, "FOR")
    assert (await progress_of(vote)).participating == Weight(1, 9_000)


@pytest.mark.parametrize("form", ["survey", "resolution"])
async def test_an_empty_ballot_of_old_is_nobodys_turnout(poll: Any, form: str) -> None:
    """Nor is a text alone beside a resolution; both keep their number, and the count stands."""
    first, second, third = await poll.households(3)
    asked: NewQuestion = getattr(poll, form)(accepts_text=True)
    vote = await poll.opened(asked)
    await an_empty_ballot(vote, first, poll.during, 1)
    await poll.cast(second.viewer, vote, {"survey": "A", "resolution": "FOR"}[form])
    await an_empty_ballot(vote, third, poll.during, 3, text="再想想")
    seen = Weight(2, 18_003) if form == "survey" else Weight(1, 9_001)
    for progress in (await progress_of(vote), (await tallies_of([vote]))[vote]):
        assert progress.version == 4
        assert progress.participating == progress.questions[0].tally.participating == seen
        assert sum(day.heads for day in progress.days) == seen.heads
    await poll.closed(vote)
    assert await recount(vote) == []


async def test_who_comes_back_with_an_answer_came_on_the_day_of_the_answer(poll: Any) -> None:
    """Not on that of an empty ballot of old; and whoever takes every answer back never came."""
    first, second = await poll.households(2)
    vote = await poll.opened(poll.survey(min_choices=0), revisable=True)
    await an_empty_ballot(vote, first, poll.during, 1)
    day = timedelta(days=1)
    await poll.cast(first.viewer, vote, "A", at=poll.during + day)
    await poll.cast(first.viewer, vote, "B", at=poll.during + 2 * day)
    await poll.cast(second.viewer, vote, "B", at=poll.during)
    await poll.cast(second.viewer, vote, "A", at=poll.during + day)
    progress = await progress_of(vote)
    there = (poll.during.astimezone(ZoneInfo("Asia/Shanghai")) + n * day for n in range(2))
    assert progress.days == tuple(DayTurnout(at.date(), 1) for at in there)
    ballot = (await counted_ballots(vote, [second.party]))[second.party]
    await poll.tamper(f"DELETE FROM ballot_choice WHERE ballot_id = {ballot}")
    assert await mend_totals(SYSTEM, poll.during, vote) != []
    progress = await progress_of(vote)
    assert sum(one.heads for one in progress.days) == progress.participating.heads == 1


async def test_what_was_counted_before_a_text_was_an_answer_still_stands(poll: Any) -> None:
    first, second = await poll.households(2)
    vote = await poll.opened(poll.survey(min_choices=0, accepts_text=True))
    (one,) = await poll.questions(vote)
    await poll.cast(first.viewer, vote, "A")
    await poll.cast(second.viewer, vote, answers=[poll.answer(one, text="多种树")])
    await poll.closed(vote)
    of_old = "participating_heads = 1, participating_area = 9000"
    await poll.tamper(f"UPDATE question_result SET {of_old}")
    assert await recount(vote) == []
    await poll.tamper("UPDATE question_result SET participating_heads = 0")
    assert await recount(vote) != []


async def test_the_turnout_of_a_vote_is_whoever_answered_any_of_its_questions(poll: Any) -> None:
    """Whatever is asked and whatever is answered, as far as it is taken."""
    chance = random.Random(11)  # noqa: S311
    tower = await poll.build.building(poll.estate.community)
    homes = [await poll.household(9_000 + n, building=tower if n % 2 else None) for n in range(6)]
    for _ in range(6):
        asked = [
            poll.survey(
                min_choices=chance.choice((0, 0, 1)),
                max_choices=chance.choice((1, 3)),
                accepts_text=chance.random() < 0.7,
                building=chance.choice((None, None, tower)),
            )
            for _ in range(chance.choice((1, 2, 3)))
        ]
        vote = await poll.opened(*asked, revisable=True)
        questions = await poll.questions(vote)
        said: dict[int, set[int]] = {}
        for _ in range(12):
            home = chance.choice(homes)
            answers = [
                Answered(
                    question.id,
                    chance.sample(["A", "B", "C"], chance.randint(0, question.max_choices)),
                    "话" if question.accepts_text and chance.random() < 0.5 else None,
                )
                for question in questions
                if chance.random() < 0.8
            ]
            try:
                await poll.cast(home.viewer, vote, answers=answers)
            except (TooFewChoices, NotOnRoll):
                continue
            said[home.party] = {answer.question for answer in answers if answer.choices or answer.text}
        weights = {home.party: Weight(1, 9_000 + n) for n, home in enumerate(homes)}
        progress = await progress_of(vote)
        assert progress.participating == sum((weights[party] for party in said), ZERO)
        assert sum(day.heads for day in progress.days) == len(said)
        for question in progress.questions:
            answered = [party for party, those in said.items() if question.question in those]
            assert question.tally.participating == sum((weights[party] for party in answered), ZERO)
        await poll.closed(vote)
        assert await recount(vote) == []


async def test_a_resolution_wants_one_choice_whatever_else_was_asked_for(poll: Any) -> None:
    for matter in (Matter.CONSULTATION, Matter.USE_FUND):
        await poll.refuses(poll.announced(poll.resolution(matter=matter, min_choices=0)), InvalidInput)
