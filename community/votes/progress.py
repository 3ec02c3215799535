"""How a vote stands: the kept sums of its ballots, read in one statement, through the one count."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from tortoise.expressions import Q

from community.database.sql import instant, placeholders, select
from community.errors import NotFound
from community.members.models import OwnerParty, Ownership
from community.members.rules import PartyKind
from community.places.reads import newest_state
from community.places.rules import DeliveryStatus, UnitKind
from community.votes.casting import QuestionKind
from community.votes.counting import NEWEST
from community.votes.reads import IN_SCOPE, QuestionRow, VoteRow, questions_of, vote_rows
from community.votes.roll import RollUnit
from community.votes.rules import ZERO, Outcome, Part, Sums, Tally, Weight, count


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

    `version` grows with every ballot, ruling and step.
    """

    vote: int
    version: int
    eligible: Weight
    participating: Weight
    last_ballot_at: datetime | None
    days: tuple[DayTurnout, ...]
    questions: tuple[QuestionProgress, ...]


# One statement, so that steps, turnout and choices belong to one snapshot. The totals are kept
# (community/votes/totals.py), so that it takes the same time whatever the number of ballots.
_SUMS = f"""
SELECT 'vote' AS part, v.id AS vote, 0 AS key, '' AS label,
       COALESCE({NEWEST.format(vote="v.id")}, 0) AS heads, CAST(0 AS BIGINT) AS area,
       (SELECT b.cast_at FROM ballot b WHERE b.vote_id = v.id ORDER BY b.sequence DESC LIMIT 1) AS at,
       v.steps AS steps, v.roll_id AS roll,
       (SELECT n.sequence FROM count n WHERE n.vote_id = v.id ORDER BY n.number DESC LIMIT 1) AS counted
  FROM vote v WHERE v.id IN ({{votes}})
UNION ALL
SELECT 'roll', r.vote, r.scope_id, '', r.heads, r.area, NULL, NULL, NULL, NULL
  FROM roll r WHERE r.vote IN ({{votes}})
UNION ALL
SELECT t.part, t.vote_id, t.key, t.label, t.heads, t.area, NULL, NULL, NULL, NULL
  FROM total t WHERE t.vote_id IN ({{votes}}) AND t.part <> 'BUILDING'
"""  # noqa: S608 - our own text

# What the rolls would be if they were formed now: who owned what at the announcement, and what the units will
# be at the opening, as far as anybody knows.
_REGISTERED = """
WITH scope AS (
  SELECT v.id AS vote, v.scope_id AS id FROM vote v WHERE v.id IN ({votes})
  UNION SELECT q.vote_id, q.scope_id FROM question q WHERE q.vote_id IN ({votes})
),
developer AS (
  SELECT community_id, MIN(id) AS party FROM owner_party WHERE kind = 'DEVELOPER' GROUP BY community_id
)
SELECT s.vote AS vote, s.id AS key,
       COUNT(DISTINCT s.party) + MAX(CASE WHEN s.party IS NULL THEN 1 ELSE 0 END) AS heads,
       CAST(SUM(s.area) AS BIGINT) AS area
  FROM (
    SELECT s.vote, s.id, t.area, COALESCE(
             CASE WHEN t.status = 'DELIVERED' THEN (
               SELECT MAX(o.party_id) FROM ownership o WHERE o.unit_id = u.id
                  AND o.since <= v.announced_at AND (o.until IS NULL OR o.until > v.announced_at)) END,
             d.party) AS party
      FROM scope s JOIN vote v ON v.id = s.vote
      JOIN unit u ON u.community_id = v.community_id AND {in_scope}
       AND (v.parking_counts OR u.kind <> 'PARKING')
      JOIN unit_state t ON t.unit_id = u.id AND t.since = {newest}
      LEFT JOIN developer d ON d.community_id = v.community_id
  ) s
 GROUP BY s.vote, s.id
"""


class _Parts:
    """The rows of the sums of one vote, found again by what they are."""

    def __init__(self) -> None:
        self._weights: defaultdict[tuple[str, int | None], Weight] = defaultdict(lambda: ZERO)
        self._choices: defaultdict[int, dict[str, Weight]] = defaultdict(dict)
        self._days: dict[date, int] = {}
        self.last_ballot_at: datetime | None = None
        self.steps = 0
        self.opened = self.counted = False

    def add(self, row: Mapping[str, Any]) -> None:
        if row["part"] == Part.DAY:
            if row["heads"]:  # else those who came on it were ruled void
                self._days[date.fromisoformat(row["label"])] = row["heads"]
            return
        weight = Weight(row["heads"], row["area"])
        if row["part"] == Part.CHOICE:
            self._choices[row["key"]][row["label"]] = weight
            return
        self._weights[row["part"], row["key"]] = weight
        if row["part"] == "vote":
            self.steps, self.last_ballot_at = row["steps"], instant(row["at"])
            self.opened = row["roll"] is not None
            self.counted = row["counted"] == row["heads"]  # a ruling since waits for the next count

    @property
    def ballots(self) -> Weight:
        return self._weights[Part.BALLOTS, 0]

    @property
    def days(self) -> tuple[DayTurnout, ...]:
        return tuple(DayTurnout(day, heads) for day, heads in sorted(self._days.items()))

    @property
    def sequence(self) -> int:
        return self._weights["vote", 0].heads

    @property
    def version(self) -> int:
        """How many ballots were cast, rulings made and steps taken since the first, with which it began."""
        return self.sequence + self.steps - 1

    def eligible(self, scope: int) -> Weight:
        """Of the roll of a scope, frozen or as it would be."""
        return self._weights["roll", scope]

    def sums(self, question: QuestionRow) -> Sums:
        marked = self._choices[question.id]
        return Sums(
            eligible=self.eligible(question.scope_id),
            choices={choice.code: marked.get(choice.code, ZERO) for choice in question.choices},
            silent_served=self._weights[Part.SILENT, question.id],
            participating=self._weights[Part.QUESTION, question.id],
        )


async def progress_of(vote: int) -> Progress:
    """Exact at one instant during the call; outcomes are PENDING until all is counted. Raises NotFound."""
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
    sums = _SUMS.format(votes=placeholders(votes))
    for row in await select(sums, [*votes] * _SUMS.count("{votes}")):
        parts[row["vote"]].add(row)
    if announced := [vote for vote, own in parts.items() if not own.opened]:
        query = _REGISTERED.format(
            votes=placeholders(announced),
            in_scope=IN_SCOPE.format(unit="u", scope="s.id"),
            newest=newest_state("u.id", "v.opens_at"),
        )
        for row in await select(query, [*announced] * 2):
            parts[row["vote"]].add({"part": "roll", **row})
    return parts


def _progress(vote: VoteRow, questions: Sequence[QuestionRow], parts: _Parts) -> Progress:
    return Progress(
        vote=vote.id,
        version=parts.version,
        eligible=parts.eligible(vote.scope_id),
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
    if not parts.counted and tally.outcome is not None:
        return replace(tally, outcome=Outcome.PENDING)
    return tally


def scopes(vote: VoteRow, questions: Sequence[QuestionRow]) -> list[int]:
    """Those that need a roll of their own."""
    return list(dict.fromkeys([vote.scope_id, *(question.scope_id for question in questions)]))


@dataclass(frozen=True, slots=True)
class Register:
    """The units of a community with their owner parties, as they are before a roll is formed."""

    units: list[RollUnit[int, int]]
    developer: int


# A unit that came later is not there yet.
_UNITS = """
SELECT u.id AS id, u.building_id AS building, u.kind AS kind, t.area AS area, t.status AS status
  FROM unit u JOIN unit_state t ON t.unit_id = u.id AND t.since = {newest}
 WHERE u.community_id = ? ORDER BY u.id
"""


async def developer_of(community: int) -> int:
    """The developer's party. Raises NotFound where there is no such community."""
    developers = OwnerParty.filter(community_id=community, kind=PartyKind.DEVELOPER).order_by("id").limit(1)
    found = await developers.values("id")
    if not found:
        raise NotFound
    return int(found[0]["id"])


async def read_register(community: int, at: datetime) -> Register:
    """What the land register would say at `at`; a unit nobody owns is the developer's. Raises NotFound."""
    developer = await developer_of(community)
    held = Ownership.filter(Q(until=None) | Q(until__gt=at), since__lte=at, unit__community_id=community)
    owners = {row["unit_id"]: row["party_id"] for row in await held.values("unit_id", "party_id")}
    rows = await select(_UNITS.format(newest=newest_state("u.id", "?")), [at, community])
    units = [
        RollUnit(
            row["id"],
            owners.get(row["id"], developer),
            row["area"],
            UnitKind(row["kind"]),
            DeliveryStatus(row["status"]),
            row["building"],
        )
        for row in rows
    ]
    return Register(units, developer)
