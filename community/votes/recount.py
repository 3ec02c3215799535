"""The recount: every ballot read again one by one, against what stands written."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from community.database.steps import steps_of
from community.steps import Step
from community.votes.casting import QuestionKind, Validity
from community.votes.lifecycle import LIFE, VoteStatus, VoteStep, status_of
from community.votes.models import (
    Ballot,
    BallotChoice,
    BallotText,
    Count,
    CountedBallot,
    CountResult,
    Roll,
    RollEntry,
    RollUnit,
    Vote,
    VoteStepRecord,
)
from community.votes.reads import QuestionRow, VoteRow, questions_of, vote_row
from community.votes.results import result_of
from community.votes.rules import ZERO, Sums, Tally, Weight
from community.votes.rules import count as tally


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


async def recount(vote: int) -> list[str]:
    """Every difference between the ballots of a vote and its newest count; empty where there is none."""
    row = await vote_row(vote)
    questions = (await questions_of([vote]))[vote]
    count = await Count.filter(vote_id=vote).order_by("-number").first()
    last, differences = await _last_ballots(row)
    differences += await _rolls_differ(row, questions)
    differences += await _history_differs(row)
    marks = await _marks(last)
    for question in questions:
        marked = marks.get(question.id, {})
        answered = await _written(question, last) | marked
        sums, strange = await _sums(question, answered)
        differences += [f"question {question.id}: {what}" for what in strange]
        # A text alone was no answer once; what was written then is no less true.
        once = sums if answered == marked else (await _sums(question, marked))[0]
        tallies = [tally(question.matter, row.counting, each) for each in (sums, once)]
        differences += await _result_differs(question, tallies, None if count is None else count.id)
    return [f"vote {vote}: {difference}" for difference in differences]


async def misstepped() -> list[str]:
    """Every difference between the steps of the votes that were not counted and what they show of them."""
    votes = Vote.exclude(id__in=await closed_votes()).order_by("id")
    rows = [await vote_row(row["id"]) for row in await votes.values("id")]
    return [f"vote {vote.id}: {line}" for vote in rows for line in await _history_differs(vote)]


async def _last_ballots(vote: VoteRow) -> tuple[dict[int, int], list[str]]:
    """Each party's last valid ballot, found without the pointers, and where the pointers disagree."""
    ballots = (
        await Ballot.filter(vote_id=vote.id)
        .order_by("sequence")
        .values("id", "party_id", "sequence", "validity", "cast_at")
    )
    gaps = [b["sequence"] for position, b in enumerate(ballots, start=1) if b["sequence"] != position]
    last = {b["party_id"]: b["id"] for b in ballots if b["validity"] is Validity.VALID}
    late = [b["sequence"] for b in ballots if not vote.opens_at <= b["cast_at"] < vote.closes_at]
    pointers = await CountedBallot.filter(vote_id=vote.id).values("party_id", "ballot_id")
    counted = {pointer["party_id"]: pointer["ballot_id"] for pointer in pointers}
    differences = [f"ballot number {gap} out of order" for gap in gaps]
    differences += [f"ballot number {number} cast outside the window" for number in late]
    differences += [
        f"party {party}: counts {counted.get(party)}, should count {last.get(party)}"
        for party in sorted(set(last) | set(counted))
        if last.get(party) != counted.get(party)
    ]
    return last, differences


async def _marks(last: dict[int, int]) -> dict[int, dict[int, list[str]]]:
    """By question and party, what the counted ballots mark."""
    party_of = {ballot: party for party, ballot in last.items()}
    marks: defaultdict[int, dict[int, list[str]]] = defaultdict(dict)
    ids = sorted(party_of)
    for start in range(0, len(ids), 500):
        rows = BallotChoice.filter(ballot_id__in=ids[start : start + 500])
        for row in await rows.values("ballot_id", "question_id", "choice"):
            marks[row["question_id"]].setdefault(party_of[row["ballot_id"]], []).append(row["choice"])
    return marks


async def _written(question: QuestionRow, last: dict[int, int]) -> dict[int, list[str]]:
    """By party, where it wrote something for a question of a survey, that it marked nothing."""
    if question.kind is not QuestionKind.SURVEY:
        return {}
    texts = await BallotText.filter(question_id=question.id).values("ballot_id")
    ballots = {text["ballot_id"] for text in texts}
    return {party: [] for party, ballot in last.items() if ballot in ballots}


async def _sums(question: QuestionRow, marks: dict[int, list[str]]) -> tuple[Sums, list[str]]:
    """What the ballots of each party add up to, and what of them the question does not allow."""
    entries = await RollEntry.filter(roll_id=question.roll_id).values("party_id", "heads", "area")
    weights = {entry["party_id"]: Weight(entry["heads"], entry["area"]) for entry in entries}
    choices = {choice.code: ZERO for choice in question.choices}
    participating, strange = ZERO, []
    for party, codes in marks.items():
        if party not in weights or not set(codes) <= set(choices) or len(codes) > question.max_choices:
            strange.append(f"party {party} may not mark {', '.join(sorted(codes))}")
            continue
        participating += weights[party]
        for code in codes:
            choices[code] += weights[party]
    return Sums(sum(weights.values(), ZERO), choices, participating=participating), strange


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
    sequence = await Ballot.filter(vote_id=vote.id).count()
    differences += [
        f"count {count['number']}: of {count['sequence']} ballots, there are {sequence}"
        for count in counts
        if count["sequence"] != sequence
    ]
    return differences


def _of(steps: Sequence[Step[VoteStep]], kind: VoteStep) -> list[Step[VoteStep]]:
    return [step for step in steps if step.step is kind]
