"""How a vote stands: the sums of its ballots, read in one statement, through the one count."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tortoise.expressions import Q

from community.database.sql import select
from community.members.models import OwnerParty, Ownership
from community.members.rules import PartyKind
from community.places.models import Unit
from community.votes.casting import QuestionKind
from community.votes.models import Ballot, Roll
from community.votes.reads import QuestionRow, VoteRow, questions_of, vote_row
from community.votes.roll import RollUnit, electorate, form_roll
from community.votes.rules import ZERO, Matter, Outcome, Sums, Tally, Weight, count

NO_DEVELOPER = 0
"""The developer's party where a community has recorded none."""


@dataclass(frozen=True, slots=True)
class QuestionProgress:
    """`moment`: the number of the ballot at which these sums stand."""

    question: int
    kind: QuestionKind
    moment: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class Progress:
    """`version` grows with every ballot, at the opening, at the closing count and at an annulment."""

    vote: int
    version: int
    eligible: Weight
    participating: Weight
    last_ballot_at: datetime | None
    questions: tuple[QuestionProgress, ...]


# One statement, so that turnout and choices belong to the same moment.
_SUMS = """
WITH counted AS (SELECT party_id, ballot_id FROM counted_ballot WHERE vote_id = ?),
answered AS (
  SELECT DISTINCT b.question_id, k.party_id FROM counted k JOIN ballot_choice b ON b.ballot_id = k.ballot_id
)
SELECT 'choice' AS part, b.question_id AS question, b.choice AS choice,
       COUNT(*) AS heads, CAST(SUM(r.area) AS BIGINT) AS area
  FROM counted k JOIN ballot_choice b ON b.ballot_id = k.ballot_id JOIN question q ON q.id = b.question_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = k.party_id
 GROUP BY b.question_id, b.choice
UNION ALL
SELECT 'question', a.question_id, '', COUNT(*), CAST(SUM(r.area) AS BIGINT)
  FROM answered a JOIN question q ON q.id = a.question_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = a.party_id
 GROUP BY a.question_id
UNION ALL
SELECT 'silent', q.id, '', COUNT(*), CAST(SUM(r.area) AS BIGINT)
  FROM served s JOIN question q ON q.vote_id = s.vote_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = s.party_id
 WHERE s.vote_id = ? AND NOT EXISTS (SELECT 1 FROM counted k WHERE k.party_id = s.party_id)
 GROUP BY q.id
UNION ALL
SELECT 'ballots', 0, '', COUNT(*), CAST(COALESCE(SUM(r.area), 0) AS BIGINT)
  FROM counted k JOIN vote v ON v.id = ?
  JOIN roll_entry r ON r.roll_id = v.roll_id AND r.party_id = k.party_id
UNION ALL
SELECT 'sequence', 0, '', COALESCE(MAX(sequence), 0), 0 FROM ballot WHERE vote_id = ?
"""


class _Parts:
    """The rows of the sums, found again by what they are."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._weights: defaultdict[tuple[str, int], Weight] = defaultdict(lambda: ZERO)
        self._choices: defaultdict[int, dict[str, Weight]] = defaultdict(dict)
        for row in rows:
            weight = Weight(row["heads"], row["area"])
            if row["part"] == "choice":
                self._choices[row["question"]][row["choice"]] = weight
            else:
                self._weights[row["part"], row["question"]] = weight

    @property
    def ballots(self) -> Weight:
        return self._weights["ballots", 0]

    @property
    def sequence(self) -> int:
        return self._weights["sequence", 0].heads

    def sums(self, question: QuestionRow, eligible: Weight) -> Sums:
        marked = self._choices[question.id]
        return Sums(
            eligible=eligible,
            choices={choice.code: marked.get(choice.code, ZERO) for choice in question.choices},
            silent_served=self._weights["silent", question.id],
            participating=self._weights["question", question.id],
        )


async def progress_of(vote: int) -> Progress:
    """Exact at one moment during the call; outcomes are PENDING until the closing count. Raises NotFound."""
    row = await vote_row(vote)
    questions = (await questions_of([vote]))[vote]
    eligible = await _eligible(row, questions)
    parts = _Parts(await select(_SUMS, [vote] * 4))
    newest = await Ballot.filter(vote_id=vote).order_by("-sequence").limit(1).values("cast_at")
    stages = (row.opened_at, row.counted_at, row.annulled_at)
    return Progress(
        vote=vote,
        version=parts.sequence + sum(stage is not None for stage in stages),
        eligible=eligible[row.building_id],
        participating=parts.ballots,
        last_ballot_at=newest[0]["cast_at"] if newest else None,
        questions=tuple(
            QuestionProgress(
                question.id,
                question.kind,
                parts.sequence,
                _tally(row, question.matter, parts.sums(question, eligible[question.building_id])),
            )
            for question in questions
        ),
    )


def _tally(vote: VoteRow, matter: Matter, sums: Sums) -> Tally:
    tally = count(matter, vote.counting, sums)
    if vote.counted_at is None and tally.outcome is not None:
        return replace(tally, outcome=Outcome.PENDING)
    return tally


async def _eligible(vote: VoteRow, questions: Sequence[QuestionRow]) -> dict[int | None, Weight]:
    """The denominators by building; before the opening as the roll stood at the announcement."""
    buildings = scopes(vote, questions)
    if vote.opened_at is None:
        register = await read_register(vote.community_id, vote.announced_at)
        return {
            building: electorate(
                form_roll(
                    register.units,
                    register.developer,
                    building=building,
                    parking_counts=vote.parking_counts,
                ).values()
            )
            for building in buildings
        }
    rolls = await Roll.filter(vote=vote.id).values("building_id", "heads", "area")
    return {roll["building_id"]: Weight(roll["heads"], roll["area"]) for roll in rolls}


def scopes(vote: VoteRow, questions: Sequence[QuestionRow]) -> list[int | None]:
    """The buildings that need a roll of their own; None stands for the whole community."""
    return list(dict.fromkeys([vote.building_id, *(question.building_id for question in questions)]))


@dataclass(frozen=True, slots=True)
class Register:
    """The units of a community with their owner parties, as they are before a roll is formed."""

    units: list[RollUnit[int, int]]
    developer: int


async def read_register(community: int, at: datetime) -> Register:
    """What the land register would say at `at`; a unit nobody owns is the developer's."""
    developers = await OwnerParty.filter(community_id=community, kind=PartyKind.DEVELOPER).values("id")
    developer = developers[0]["id"] if developers else NO_DEVELOPER
    held = Ownership.filter(Q(until=None) | Q(until__gt=at), since__lte=at, unit__community_id=community)
    owners = {row["unit_id"]: row["party_id"] for row in await held.values("unit_id", "party_id")}
    columns = ("id", "building_id", "area", "kind", "status")
    units = [
        RollUnit(
            unit["id"],
            owners.get(unit["id"], developer),
            unit["area"],
            unit["kind"],
            unit["status"],
            unit["building_id"],
        )
        for unit in await Unit.filter(community_id=community).order_by("id").values(*columns)
    ]
    return Register(units, developer)
