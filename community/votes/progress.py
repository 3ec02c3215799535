"""How a vote stands: the sums of its ballots, read in one statement, through the one count."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from tortoise.expressions import Q

from community.database.sql import day_of, instant, placeholders, select
from community.errors import NotFound
from community.members.models import OwnerParty, Ownership
from community.members.rules import PartyKind
from community.places.models import Unit
from community.votes.casting import QuestionKind
from community.votes.reads import QuestionRow, VoteRow, questions_of, vote_rows
from community.votes.roll import RollUnit
from community.votes.rules import ZERO, Outcome, Sums, Tally, Weight, count


@dataclass(frozen=True, slots=True)
class QuestionProgress:
    """`sequence`: the number of the newest ballot within these sums."""

    question: int
    kind: QuestionKind
    sequence: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class DayTurnout:
    """How many of those who take part came on `day` (Asia/Shanghai): a head comes with its first ballot, so
    that a changed one moves nobody.
    """

    day: date
    heads: int


@dataclass(frozen=True, slots=True)
class Progress:
    """`days`: those on which somebody came, in order; together they are the heads of `participating`.

    `version` grows with every ballot, at the opening, at the closing count and at an annulment."""

    vote: int
    version: int
    eligible: Weight
    participating: Weight
    last_ballot_at: datetime | None
    days: tuple[DayTurnout, ...]
    questions: tuple[QuestionProgress, ...]


# One statement, so that stages, turnout and choices belong to one snapshot. A ballot on which nothing
# stands, as was taken once, is nobody's turnout: no question knows of it, and no day. In a survey a text is
# an answer.
_SAYS = """(EXISTS (SELECT 1 FROM ballot_choice c WHERE c.ballot_id = {ballot})
        OR EXISTS (SELECT 1 FROM ballot_text t JOIN question q ON q.id = t.question_id
                    WHERE t.ballot_id = {ballot} AND q.kind = 'SURVEY'))"""
_SUMS = """
WITH counted AS (SELECT vote_id, party_id, ballot_id FROM counted_ballot WHERE vote_id IN ({votes}))
SELECT 'vote' AS part, v.id AS vote, 0 AS key, '' AS choice, COALESCE(b.sequence, 0) AS heads,
       CAST(0 AS BIGINT) AS area, b.cast_at AS at, v.opened_at AS opened_at, v.counted_at AS counted_at,
       v.annulled_at AS annulled_at
  FROM vote v LEFT JOIN ballot b ON b.vote_id = v.id
       AND b.sequence = (SELECT MAX(n.sequence) FROM ballot n WHERE n.vote_id = v.id)
 WHERE v.id IN ({votes})
UNION ALL
SELECT 'roll', r.vote, r.building_id, '', r.heads, r.area, NULL, NULL, NULL, NULL
  FROM roll r WHERE r.vote IN ({votes})
UNION ALL
SELECT 'choice', k.vote_id, b.question_id, b.choice, COUNT(*), CAST(SUM(r.area) AS BIGINT),
       NULL, NULL, NULL, NULL
  FROM counted k JOIN ballot_choice b ON b.ballot_id = k.ballot_id JOIN question q ON q.id = b.question_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = k.party_id
 GROUP BY k.vote_id, b.question_id, b.choice
UNION ALL
SELECT 'question', a.vote_id, a.question_id, '', COUNT(*), CAST(SUM(r.area) AS BIGINT),
       NULL, NULL, NULL, NULL
  FROM (SELECT k.vote_id, b.question_id, k.party_id, q.roll_id
          FROM question q JOIN counted k ON k.vote_id = q.vote_id
          JOIN ballot_choice b ON b.ballot_id = k.ballot_id AND b.question_id = q.id
         WHERE q.vote_id IN ({votes}) AND (q.max_choices > 1 OR q.accepts_text)
        UNION
        SELECT k.vote_id, t.question_id, k.party_id, q.roll_id
          FROM question q JOIN counted k ON k.vote_id = q.vote_id
          JOIN ballot_text t ON t.ballot_id = k.ballot_id AND t.question_id = q.id
         WHERE q.vote_id IN ({votes}) AND q.kind = 'SURVEY') a
  JOIN roll_entry r ON r.roll_id = a.roll_id AND r.party_id = a.party_id
 GROUP BY a.vote_id, a.question_id
UNION ALL
SELECT 'silent', q.vote_id, q.id, '', COUNT(*), CAST(SUM(r.area) AS BIGINT), NULL, NULL, NULL, NULL
  FROM served s JOIN question q ON q.vote_id = s.vote_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = s.party_id
 WHERE s.vote_id IN ({votes})
   AND NOT EXISTS (SELECT 1 FROM counted k WHERE k.vote_id = s.vote_id AND k.party_id = s.party_id)
 GROUP BY q.vote_id, q.id
UNION ALL
SELECT 'ballots', v.id, 0, '', COUNT(*), CAST(SUM(r.area) AS BIGINT), NULL, NULL, NULL, NULL
  FROM counted k JOIN vote v ON v.id = k.vote_id
  JOIN roll_entry r ON r.roll_id = v.roll_id AND r.party_id = k.party_id
 WHERE {counts}
 GROUP BY v.id
UNION ALL
SELECT 'day', f.vote_id, 0, f.day, COUNT(*), CAST(0 AS BIGINT), NULL, NULL, NULL, NULL
  FROM (SELECT b.vote_id, b.party_id, {day} AS day
          FROM counted k JOIN vote v ON v.id = k.vote_id
          JOIN roll_entry r ON r.roll_id = v.roll_id AND r.party_id = k.party_id
          JOIN ballot b ON b.vote_id = k.vote_id AND b.party_id = k.party_id AND b.validity = 'VALID'
         WHERE {counts} AND {says}
         GROUP BY b.vote_id, b.party_id) f
 GROUP BY f.vote_id, f.day
"""

# What the rolls would be if they were formed now, as the register stood at the announcement.
_REGISTERED = """
WITH scope AS (
  SELECT v.id AS vote, v.building_id AS building FROM vote v WHERE v.id IN ({votes})
  UNION SELECT q.vote_id, q.building_id FROM question q WHERE q.vote_id IN ({votes})
),
developer AS (
  SELECT community_id, MIN(id) AS party FROM owner_party WHERE kind = 'DEVELOPER' GROUP BY community_id
)
SELECT s.vote AS vote, s.building AS key,
       COUNT(DISTINCT s.party) + MAX(CASE WHEN s.party IS NULL THEN 1 ELSE 0 END) AS heads,
       CAST(SUM(s.area) AS BIGINT) AS area
  FROM (
    SELECT s.vote, s.building, u.area, COALESCE(
             CASE WHEN u.status = 'DELIVERED' THEN (
               SELECT MAX(o.party_id) FROM ownership o WHERE o.unit_id = u.id
                  AND o.since <= v.announced_at AND (o.until IS NULL OR o.until > v.announced_at)) END,
             d.party) AS party
      FROM scope s JOIN vote v ON v.id = s.vote
      JOIN unit u ON u.community_id = v.community_id AND (s.building IS NULL OR u.building_id = s.building)
       AND (v.parking_counts OR u.kind <> 'PARKING')
      LEFT JOIN developer d ON d.community_id = v.community_id
  ) s
 GROUP BY s.vote, s.building
"""


class _Parts:
    """The rows of the sums of one vote, found again by what they are."""

    def __init__(self) -> None:
        self._weights: defaultdict[tuple[str, int | None], Weight] = defaultdict(lambda: ZERO)
        self._choices: defaultdict[int, dict[str, Weight]] = defaultdict(dict)
        self._days: dict[date, int] = {}
        self.last_ballot_at: datetime | None = None
        self.opened_at: Any = None
        self.counted_at: Any = None
        self.annulled_at: Any = None

    def add(self, row: Mapping[str, Any]) -> None:
        if row["part"] == "day":
            self._days[date.fromisoformat(row["choice"])] = row["heads"]
            return
        weight = Weight(row["heads"], row["area"])
        if row["part"] == "choice":
            self._choices[row["key"]][row["choice"]] = weight
            return
        self._weights[row["part"], row["key"]] = weight
        if row["part"] == "vote":
            self.opened_at, self.counted_at = row["opened_at"], row["counted_at"]
            self.annulled_at, self.last_ballot_at = row["annulled_at"], instant(row["at"])

    @property
    def ballots(self) -> Weight:
        return self._weights["ballots", 0]

    @property
    def days(self) -> tuple[DayTurnout, ...]:
        return tuple(DayTurnout(day, heads) for day, heads in sorted(self._days.items()))

    @property
    def sequence(self) -> int:
        return self._weights["vote", 0].heads

    @property
    def stages(self) -> int:
        """How many of its stages the vote has behind it."""
        return sum(at is not None for at in (self.opened_at, self.counted_at, self.annulled_at))

    def eligible(self, building: int | None) -> Weight:
        """Of the roll of a building, frozen or as it would be."""
        return self._weights["roll", building]

    def sums(self, question: QuestionRow) -> Sums:
        """Where each marks one choice and writes nothing, those who take part are the sum of the choices."""
        marked, several = self._choices[question.id], question.max_choices > 1 or question.accepts_text
        return Sums(
            eligible=self.eligible(question.building_id),
            choices={choice.code: marked.get(choice.code, ZERO) for choice in question.choices},
            silent_served=self._weights["silent", question.id],
            participating=self._weights["question", question.id] if several else None,
        )


async def progress_of(vote: int) -> Progress:
    """Exact at one instant during the call; outcomes are PENDING until the closing count. Raises NotFound."""
    found = await progress_of_many([vote])
    if not found:
        raise NotFound
    return found[vote]


async def progress_of_many(votes: Collection[int]) -> dict[int, Progress]:
    """All exact at the same instant, in as many statements as for one. Unknown votes are left out."""
    rows, questions = await vote_rows(votes), await questions_of(votes)
    parts = await _parts(votes)
    return {row.id: _progress(row, questions[row.id], parts[row.id]) for row in rows}


async def _parts(votes: Collection[int]) -> dict[int, _Parts]:
    parts: defaultdict[int, _Parts] = defaultdict(_Parts)
    sums = _SUMS.format(
        votes=placeholders(votes),
        day=day_of("MIN(b.cast_at)"),
        counts=_SAYS.format(ballot="k.ballot_id"),
        says=_SAYS.format(ballot="b.id"),
    )
    for row in await select(sums, [*votes] * _SUMS.count("{votes}")):
        parts[row["vote"]].add(row)
    if announced := [vote for vote, own in parts.items() if own.opened_at is None]:
        for row in await select(_REGISTERED.format(votes=placeholders(announced)), [*announced] * 2):
            parts[row["vote"]].add({"part": "roll", **row})
    return parts


def _progress(vote: VoteRow, questions: Sequence[QuestionRow], parts: _Parts) -> Progress:
    return Progress(
        vote=vote.id,
        version=parts.sequence + parts.stages,
        eligible=parts.eligible(vote.building_id),
        participating=parts.ballots,
        last_ballot_at=parts.last_ballot_at,
        days=parts.days,
        questions=tuple(
            QuestionProgress(question.id, question.kind, parts.sequence, _tally(vote, question, parts))
            for question in questions
        ),
    )


def _tally(vote: VoteRow, question: QuestionRow, parts: _Parts) -> Tally:
    tally = count(question.matter, vote.counting, parts.sums(question))
    if parts.counted_at is None and tally.outcome is not None:
        return replace(tally, outcome=Outcome.PENDING)
    return tally


def scopes(vote: VoteRow, questions: Sequence[QuestionRow]) -> list[int | None]:
    """The buildings that need a roll of their own; None stands for the whole community."""
    return list(dict.fromkeys([vote.building_id, *(question.building_id for question in questions)]))


@dataclass(frozen=True, slots=True)
class Register:
    """The units of a community with their owner parties, as they are before a roll is formed."""

    units: list[RollUnit[int, int]]
    developer: int


async def developer_of(community: int) -> int | None:
    """The developer's party; None if the community has recorded none."""
    developers = OwnerParty.filter(community_id=community, kind=PartyKind.DEVELOPER).order_by("id").limit(1)
    return next((row["id"] for row in await developers.values("id")), None)


async def read_register(community: int, at: datetime, developer: int) -> Register:
    """What the land register would say at `at`; a unit nobody owns is the developer's."""
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
