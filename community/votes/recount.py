"""The recount: every ballot read again one by one, against what stands written."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from community.votes.casting import QuestionKind, Validity, VoteStatus, status_of
from community.votes.counting import Box, Step, box_as_of, newest_sequence, recounted
from community.votes.models import (
    Ballot,
    BallotChoice,
    BallotText,
    QuestionResult,
    Roll,
    RollEntry,
    RollUnit,
    Ruling,
    Served,
    Vote,
)
from community.votes.reads import QuestionRow, VoteRow, questions_of, vote_row
from community.votes.results import result_of
from community.votes.rules import ANONYMOUS, ZERO, Sums, Tally, Weight, count
from community.votes.totals import differences_of

Marks = dict[int, list[str]]
"""By ballot, what it marks of a question."""


async def closed_votes() -> list[int]:
    rows = await Vote.filter(counted_at__isnull=False).order_by("id").values("id")
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True)
class Uncounted:
    """The votes that no recount can look at yet. `waiting`: past their close, each with that instant."""

    announced: int
    open: int
    waiting: list[tuple[int, datetime]]


async def uncounted_votes(now: datetime) -> Uncounted:
    votes = Vote.filter(counted_at=None, annulled_at=None).order_by("closes_at", "id")
    stands: defaultdict[VoteStatus, list[tuple[int, datetime]]] = defaultdict(list)
    for row in await votes.values("id", "opens_at", "closes_at"):
        stands[status_of(now, row["opens_at"], row["closes_at"])].append((row["id"], row["closes_at"]))
    return Uncounted(
        announced=len(stands[VoteStatus.ANNOUNCED]),
        open=len(stands[VoteStatus.OPEN]),
        waiting=stands[VoteStatus.CLOSED],
    )


async def open_boxes() -> list[int]:
    """The votes whose box was opened and has not been counted: their totals can be looked at already."""
    rows = await Vote.filter(opened_at__isnull=False, counted_at=None).order_by("id").values("id")
    return [row["id"] for row in rows]


async def totals_differ(vote: int) -> list[str]:
    """Every difference between the kept totals of a vote and what its rows add up to."""
    return [f"vote {vote}: {difference}" for difference in (await differences_of(vote))[0]]


async def recount(vote: int) -> list[str]:
    """Every difference between the ballots, the kept totals and the closing count of a vote; empty where
    there is none.
    """
    row = await vote_row(vote)
    questions = (await questions_of([vote]))[vote]
    steps, differences = await _steps(row)
    box, sequence = recounted(steps.values()), await newest_sequence(vote)
    differences += _boxes_differ(box, await box_as_of(vote, sequence))
    differences += await _rolls_differ(row, questions)
    differences += (await differences_of(vote))[0]
    marks, served = await _marks(box), await _served(vote)
    for question in questions:
        marked = marks.get(question.id, {})
        answered = await _written(question, box) | marked
        sums, strange = await _sums(question, box, answered, served)
        differences += [f"question {question.id}: {what}" for what in strange]
        # A text alone was no answer once; what was written then is no less true.
        once = sums if answered == marked else (await _sums(question, box, marked, served))[0]
        tallies = [count(question.matter, row.counting, each) for each in (sums, once)]
        differences += await _result_differs(question, tallies, sequence)
    return [f"vote {vote}: {difference}" for difference in differences]


async def _steps(vote: VoteRow) -> tuple[dict[int, Step], list[str]]:
    """The valid ballots and the rulings by number, in order, and what is wrong with them."""
    ballots = {
        ballot["id"]: ballot
        for ballot in await Ballot.filter(vote_id=vote.id)
        .order_by("sequence")
        .values("id", "party_id", "sequence", "validity", "cast_at")
    }
    rulings = await Ruling.filter(vote_id=vote.id).values("sequence", "ballot_id", "counts")
    numbers = sorted([*(b["sequence"] for b in ballots.values()), *(r["sequence"] for r in rulings)])
    differences = [
        f"ballot number {number} out of order"
        for position, number in enumerate(numbers, start=1)
        if number != position
    ]
    differences += [
        f"ballot number {b['sequence']} cast outside the window"
        for b in ballots.values()
        if not vote.opens_at <= b["cast_at"] < vote.closes_at
    ]
    steps = {
        b["sequence"]: Step(b["id"], b["party_id"])
        for b in ballots.values()
        if b["validity"] is Validity.VALID
    }
    for ruling in rulings:
        if (ballot := ballots.get(ruling["ballot_id"])) is None:
            differences.append(f"ruling number {ruling['sequence']} on a ballot of another vote")
        else:
            steps[ruling["sequence"]] = Step(ballot["id"], ballot["party_id"], ruling["counts"])
    return dict(sorted(steps.items())), differences


def _boxes_differ(box: Box, pointers: Box) -> list[str]:
    """Where what counts is not what the ballots and rulings come to."""
    should, counted = box.of_parties, pointers.of_parties
    return [
        f"party {party}: counts {counted.get(party)}, should count {should.get(party)}"
        for party in sorted(should.keys() | counted.keys())
        if should.get(party) != counted.get(party)
    ] + [
        f"anonymous ballot {ballot}: counts {ballot in pointers.anonymous}"
        for ballot in sorted(box.anonymous ^ pointers.anonymous)
    ]


async def _marks(box: Box) -> dict[int, Marks]:
    """By question, what the counted ballots mark."""
    marks: defaultdict[int, Marks] = defaultdict(dict)
    ids = sorted(box.ballots)
    for start in range(0, len(ids), 500):
        rows = BallotChoice.filter(ballot_id__in=ids[start : start + 500])
        for row in await rows.values("ballot_id", "question_id", "choice"):
            marks[row["question_id"]].setdefault(row["ballot_id"], []).append(row["choice"])
    return marks


async def _written(question: QuestionRow, box: Box) -> Marks:
    """The ballots that say something to a question of a survey, as if they marked nothing."""
    if question.kind is not QuestionKind.SURVEY:
        return {}
    texts = await BallotText.filter(question_id=question.id).values("ballot_id")
    return {text["ballot_id"]: [] for text in texts if text["ballot_id"] in box.ballots}


async def _served(vote: int) -> set[int]:
    return {row["party_id"] for row in await Served.filter(vote_id=vote).values("party_id")}


async def _sums(question: QuestionRow, box: Box, marks: Marks, served: set[int]) -> tuple[Sums, list[str]]:
    """What the ballots add up to, and what of them the question does not allow."""
    entries = await RollEntry.filter(roll_id=question.roll_id).values("party_id", "heads", "area")
    weights = {entry["party_id"]: Weight(entry["heads"], entry["area"]) for entry in entries}
    of_ballots = {ballot: weights.get(party) for party, ballot in box.of_parties.items()}
    of_ballots |= dict.fromkeys(box.anonymous, ANONYMOUS)
    choices = {choice.code: ZERO for choice in question.choices}
    participating, strange = ZERO, []
    for ballot, codes in marks.items():
        weight = of_ballots[ballot]
        if weight is None or not set(codes) <= set(choices) or len(codes) > question.max_choices:
            strange.append(f"ballot {ballot} may not mark {', '.join(sorted(codes))}")
            continue
        participating += weight
        for code in codes:
            choices[code] += weight
    silent = sum((weights[party] for party in served - set(box.of_parties) if party in weights), ZERO)
    return Sums(sum(weights.values(), ZERO), choices, silent, participating), strange


async def _rolls_differ(vote: VoteRow, questions: list[QuestionRow]) -> list[str]:
    """The vote uses its own rolls; a roll's total is the sum of its entries, each the sum of its units."""
    rolls = await Roll.filter(vote=vote.id).values("id", "building_id", "heads", "area")
    frozen = {(roll["building_id"], roll["id"]) for roll in rolls}
    used = {(vote.building_id, vote.roll_id), *((q.building_id, q.roll_id) for q in questions)}
    differences = [] if used == frozen else ["the vote does not use the rolls that were frozen for it"]
    for roll in rolls:
        entries = await RollEntry.filter(roll_id=roll["id"]).values("party_id", "heads", "area")
        areas: defaultdict[int, int] = defaultdict(int)
        for unit in await RollUnit.filter(roll_id=roll["id"]).values("party_id", "area"):
            areas[unit["party_id"]] += unit["area"]
        if {entry["party_id"]: entry["area"] for entry in entries} != areas:
            differences.append(f"roll {roll['id']}: entries are not the sums of their units")
        total = Weight(sum(e["heads"] for e in entries), sum(e["area"] for e in entries))
        if total != Weight(roll["heads"], roll["area"]):
            differences.append(f"roll {roll['id']}: its total is not the sum of its entries")
    return differences


async def _result_differs(question: QuestionRow, tallies: Sequence[Tally], sequence: int) -> list[str]:
    """From each of `tallies`; the first is what is counted today."""
    counted = [result_of(tally, sequence) for tally in tallies]
    written = await QuestionResult.filter(question_id=question.id).values(*counted[0])
    if written in ([each] for each in counted):
        return []
    return [f"question {question.id}: written {written}, counted {counted[0]}"]
