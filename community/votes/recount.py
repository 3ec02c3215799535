"""The recount: every ballot read again one by one, against what stands written."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from community.database.steps import steps_of
from community.steps import Step
from community.votes.casting import QuestionKind, Validity
from community.votes.counting import Box, BoxChange, box_as_of, newest_sequence, recounted
from community.votes.lifecycle import LIFE, VoteStatus, VoteStep, status_of
from community.votes.models import (
    Ballot,
    BallotChoice,
    BallotText,
    Count,
    CountResult,
    Roll,
    RollEntry,
    RollUnit,
    Ruling,
    Served,
    Vote,
    VoteStepRecord,
)
from community.votes.reads import QuestionRow, VoteRow, questions_of, vote_row
from community.votes.results import result_of
from community.votes.rules import ANONYMOUS, ZERO, Sums, Tally, Weight
from community.votes.rules import count as tally
from community.votes.totals import differences_of

Marks = dict[int, list[str]]
"""By ballot, what it marks of a question."""


async def closed_votes() -> list[int]:
    """Those that were counted."""
    steps = VoteStepRecord.filter(step=VoteStep.COUNTED)
    return sorted({row["subject_id"] for row in await steps.values("subject_id")})


@dataclass(frozen=True, slots=True)
class Uncounted:
    """The votes that no recount can look at yet. `waiting`: past their close, each with that instant."""

    announced: int
    open: int
    waiting: list[tuple[int, datetime]]


async def uncounted_votes(now: datetime) -> Uncounted:
    votes = Vote.exclude(last_step=VoteStep.COUNTED).order_by("closes_at", "id")
    stands: defaultdict[VoteStatus, list[tuple[int, datetime]]] = defaultdict(list)
    for row in await votes.values("id", "last_step", "opens_at", "closes_at"):
        status = status_of(row["last_step"], now, row["opens_at"], row["closes_at"])
        stands[status].append((row["id"], row["closes_at"]))
    return Uncounted(
        announced=len(stands[VoteStatus.ANNOUNCED]),
        open=len(stands[VoteStatus.OPEN]),
        waiting=stands[VoteStatus.CLOSED],
    )


async def open_boxes() -> list[int]:
    """The votes whose box was opened and has not been counted: their totals can be looked at already."""
    rows = await Vote.filter(roll_id__isnull=False).order_by("id").values("id")
    counted = set(await closed_votes())
    return [row["id"] for row in rows if row["id"] not in counted]


async def totals_differ(vote: int) -> list[str]:
    """Every difference between the kept totals of a vote and what its rows add up to."""
    return [f"vote {vote}: {difference}" for difference in (await differences_of(vote))[0]]


async def recount(vote: int) -> list[str]:
    """Every difference between the ballots, the kept totals and the newest count of a vote; empty where there
    is none.
    """
    row = await vote_row(vote)
    questions = (await questions_of([vote]))[vote]
    count = await Count.filter(vote_id=vote).order_by("-number").first()
    changes, differences = await _changes(row)
    differences += _boxes_differ(
        recounted(changes.values()), await box_as_of(vote, await newest_sequence(vote))
    )
    differences += await _rolls_differ(row, questions)
    differences += await _history_differs(row)
    differences += (await differences_of(vote))[0]
    # As of the count: a ruling after it waits for the next one.
    box = recounted(change for number, change in changes.items() if count and number <= count.sequence)
    marks, served = await _marks(box), await _served(vote)
    for question in questions:
        marked = marks.get(question.id, {})
        answered = await _written(question, box) | marked
        sums, strange = await _sums(question, box, answered, served)
        differences += [f"question {question.id}: {what}" for what in strange]
        # A text alone was no answer once; what was written then is no less true.
        once = sums if answered == marked else (await _sums(question, box, marked, served))[0]
        tallies = [tally(question.matter, row.counting, each) for each in (sums, once)]
        differences += await _result_differs(question, tallies, None if count is None else count.id)
    return [f"vote {vote}: {difference}" for difference in differences]


async def misstepped() -> list[str]:
    """Every difference between the steps of the votes that were not counted and what they show of them."""
    votes = Vote.exclude(id__in=await closed_votes()).order_by("id")
    rows = [await vote_row(row["id"]) for row in await votes.values("id")]
    return [f"vote {vote.id}: {line}" for vote in rows for line in await _history_differs(vote)]


async def _changes(vote: VoteRow) -> tuple[dict[int, BoxChange], list[str]]:
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
    changes = {
        b["sequence"]: BoxChange(b["id"], b["party_id"])
        for b in ballots.values()
        if b["validity"] is Validity.VALID
    }
    for ruling in rulings:
        if (ballot := ballots.get(ruling["ballot_id"])) is None:
            differences.append(f"ruling number {ruling['sequence']} on a ballot of another vote")
        else:
            changes[ruling["sequence"]] = BoxChange(ballot["id"], ballot["party_id"], ruling["counts"])
    return dict(sorted(changes.items())), differences


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
    rolls = await Roll.filter(vote=vote.id).values("id", "scope_id", "heads", "area")
    frozen = {(roll["scope_id"], roll["id"]) for roll in rolls}
    used = {(vote.scope_id, vote.roll_id), *((q.scope_id, q.roll_id) for q in questions)}
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


async def _result_differs(question: QuestionRow, tallies: Sequence[Tally], count: int | None) -> list[str]:
    """From each of `tallies`; the first is what is counted today."""
    counted = [result_of(tally) for tally in tallies]
    results = CountResult.filter(question_id=question.id, count_id=count)
    written = [] if count is None else await results.values(*counted[0])
    if written in ([each] for each in counted):
        return []
    return [f"question {question.id}: written {written}, counted {counted[0]}"]


async def _history_differs(vote: VoteRow) -> list[str]:
    """The steps may follow each other, the vote shows the last of them, and each count is one of them."""
    steps = (await steps_of(VoteStepRecord, [vote.id]))[vote.id]
    past = [step.step for step in steps]
    differences = LIFE.differences(past)
    last = past[-1] if past else None
    if (vote.last_step, vote.steps, [step.number for step in steps]) != (
        last,
        len(steps),
        list(range(1, len(steps) + 1)),
    ):
        differences.append(f"it shows step {vote.steps}, {vote.last_step}; the last is {len(steps)}, {last}")
    counts = await Count.filter(vote_id=vote.id).order_by("number").values("number", "sequence", "at")
    counted = [(number, step.at) for number, step in enumerate(_of(steps, VoteStep.COUNTED), start=1)]
    if [(count["number"], count["at"]) for count in counts] != counted:
        differences.append("its counts are not those of its steps")
    return differences + await _bounds_differ(vote.id, [count["sequence"] for count in counts])


async def _bounds_differ(vote: int, sequences: list[int]) -> list[str]:
    """Each count holds every ballot, and the rulings up to it that the one before held and maybe more."""
    last = await Ballot.filter(vote_id=vote).order_by("-sequence").first()
    least, most = last.sequence if last else 0, await newest_sequence(vote)
    differences = []
    for number, sequence in enumerate(sequences, start=1):
        if not least <= sequence <= most:
            differences.append(f"count {number}: up to number {sequence}, it should be {least} to {most}")
        least = max(least, sequence)
    return differences


def _of(steps: Sequence[Step[VoteStep]], kind: VoteStep) -> list[Step[VoteStep]]:
    return [step for step in steps if step.step is kind]
