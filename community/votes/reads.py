"""Votes as a viewer may see them, their questions, and who stands on a roll."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from tortoise.exceptions import DoesNotExist

from community.database.paging import Page, page
from community.database.rows import Run, Shape, first_of_each
from community.database.sql import as_json, instant, placeholders, select, select_rows
from community.errors import NotFound
from community.members.reads import PartySeat, seats_in
from community.permissions import Permission, Scope, Tie, Viewer, account_of, may_see_own
from community.places.reads import newest_state, permitted_rows, scope_where, scopes_of
from community.votes.casting import QuestionKind, QuestionTerms, VoteForm
from community.votes.lifecycle import BY_THE_CLOCK, LIFE, VoteStatus, VoteStep, status_of, status_then
from community.votes.models import Ballot, RollEntry, VoteScopePart
from community.votes.rules import CountingRules, FollowMajority, Matter, Silence, Weight
from community.votes.scope import VoteScope


class VoteRow(NamedTuple):
    """`building_id`: where its scope is one building and nothing else."""

    id: int
    community_id: int
    number: int
    convener_id: int
    title: str
    description: str
    form: VoteForm
    scope_id: int
    building_id: int | None
    profile_version: int
    parking_counts: bool
    follow_majority: FollowMajority | None
    silence: Silence
    silence_floor: bool
    revisable: bool
    announced_at: datetime
    opens_at: datetime
    closes_at: datetime
    last_step: VoteStep | None
    steps: int
    roll_id: int | None

    def status(self, now: datetime) -> VoteStatus:
        return status_of(self.last_step, now, self.opens_at, self.closes_at)

    @property
    def opened(self) -> bool:
        return self.roll_id is not None

    @property
    def counting(self) -> CountingRules:
        return CountingRules(
            parking_counts=self.parking_counts,
            follow_majority=self.follow_majority or FollowMajority.RESOLVE,
            silence=self.silence,
            silence_floor=self.silence_floor,
        )


class ChoiceRow(NamedTuple):
    code: str
    label: str


class QuestionRow(NamedTuple):
    """`building_id`: where its scope is one building and nothing else."""

    id: int
    vote_id: int
    title: str
    description: str
    kind: QuestionKind
    matter: Matter
    scope_id: int
    building_id: int | None
    min_choices: int
    max_choices: int
    accepts_text: bool
    roll_id: int | None
    choices: tuple[ChoiceRow, ...]


_ONE_BUILDING = """
(SELECT CASE WHEN COUNT(*) = 1 THEN MAX(p.building_id) END FROM vote_scope_part p WHERE p.scope_id = {scope})
"""
_VOTES = Shape(VoteRow, "vote", {"building_id": _ONE_BUILDING.format(scope="t.scope_id")})
_ASKED = Shape(
    QuestionRow,
    "question",
    {"building_id": _ONE_BUILDING.format(scope="t.scope_id"), "choices": "{choices}"},
)


IN_SCOPE = """
EXISTS (SELECT 1 FROM vote_scope_part p WHERE p.scope_id = {scope} AND (
  p.community_id = {unit}.community_id OR p.building_id = {unit}.building_id OR p.unit_id = {unit}.id))
"""
"""SQL for whether a unit of the vote's community is in a scope."""


async def scopes_by_id(scopes: Collection[int]) -> dict[int, VoteScope]:
    rows = await VoteScopePart.filter(scope_id__in=list(scopes)).values("scope_id", "building_id", "unit_id")
    return {
        scope: VoteScope(
            buildings=frozenset(row["building_id"] for row in own if row["building_id"] is not None),
            units=frozenset(row["unit_id"] for row in own if row["unit_id"] is not None),
        )
        for scope in scopes
        if (own := [row for row in rows if row["scope_id"] == scope])
    }


async def scope_of_vote(vote: int) -> Scope:
    """Raises NotFound."""
    return await scope_where("JOIN vote v ON v.community_id = c.id WHERE v.id = ?", vote)


async def vote_row(vote: int) -> VoteRow:
    """For actions and the system, whoever asks. Raises NotFound."""
    rows = await _VOTES.with_ids([vote])
    if not rows:
        raise NotFound
    return rows[0]


async def vote_rows(votes: Collection[int]) -> list[VoteRow]:
    """The same of many, without those that are unknown."""
    return await _VOTES.with_ids(votes)


@dataclass(frozen=True, slots=True)
class BallotBox:
    """A vote, as far as taking a ballot goes."""

    vote: int
    community: int
    form: VoteForm
    roll: int | None
    revisable: bool
    opens_at: datetime
    closes_at: datetime
    last_step: VoteStep | None

    def status(self, now: datetime) -> VoteStatus:
        return status_of(self.last_step, now, self.opens_at, self.closes_at)

    def status_then(self, at: datetime) -> VoteStatus:
        return status_then(self.last_step, at, self.opens_at, self.closes_at)


_BOX = """
SELECT id AS vote, community_id AS community, form, roll_id AS roll, revisable, opens_at, closes_at, last_step
  FROM vote WHERE id = ?
"""


async def ballot_box(vote: int) -> BallotBox:
    """As it stands now. Raises NotFound."""
    rows = await select(_BOX, [vote])
    if not rows:
        raise NotFound
    row = {name: instant(value) if name.endswith("_at") else value for name, value in rows[0].items()}
    last = None if row["last_step"] is None else VoteStep(row["last_step"])
    form, revisable = VoteForm(row["form"]), bool(row["revisable"])
    return BallotBox(**row | {"form": form, "revisable": revisable, "last_step": last})


async def votes_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, VoteRow]:
    rows = await permitted_rows(viewer, Permission.READ_BULLETIN, _VOTES, ids)
    return {row.id: row for row in rows}


async def votes_by_number(communities: Collection[int], number: int) -> dict[int, VoteRow]:
    """By community."""
    return {row.community_id: row for row in await _VOTES.with_number(number, communities)}


def _after(*statuses: VoteStatus) -> tuple[str, list[Any]]:
    """SQL for the votes whose last step leads to one of these, with its values."""
    steps = [step for status in statuses for step in LIFE.leading_to(status)]
    return f"t.last_step IN ({placeholders(steps)})", [*steps]


def _has_status(status: VoteStatus, now: datetime) -> tuple[str, list[Any]]:
    """What `status_of` says, as SQL with its values."""
    timed, steps = _after(*BY_THE_CLOCK)
    if status is VoteStatus.ANNOUNCED:
        return f"{timed} AND t.opens_at > ?", [*steps, now]
    if status is VoteStatus.OPEN:
        return f"{timed} AND t.opens_at <= ? AND t.closes_at > ?", [*steps, now, now]
    if status is VoteStatus.CLOSED:
        closed, closing = _after(status)
        return f"({closed} OR ({timed} AND t.closes_at <= ?))", [*closing, *steps, now]
    return _after(status)


_NONE = "1 = 0"


async def votes_pages(
    communities: Collection[int],
    now: datetime,
    first: int,
    after: tuple[datetime, int] | None = None,
    statuses: Collection[VoteStatus] | None = None,
    columns: frozenset[str] | None = None,
) -> dict[int, Page[VoteRow]]:
    """Of each community, newest opening first; `after`: opening and id of the last row seen. `columns`: those
    that are used, None where all may be.
    """
    where, values = "", list[Any]()
    if after is not None:
        where += " AND (t.opens_at < ? OR (t.opens_at = ? AND t.id < ?))"
        values += [after[0], *after]
    if statuses is not None:
        asked = [_has_status(status, now) for status in statuses]
        where += f" AND ({' OR '.join(f'({text})' for text, _ in asked) or _NONE})"
        values += [value for _, given in asked for value in given]
    run = Run("t.opens_at DESC, t.id DESC", where, values)
    found = await first_of_each(
        _VOTES.only(columns, "id", "opens_at"), "community", communities, first + 1, run
    )
    return {community: page(rows, first) for community, rows in found.items()}


async def votes_page(community: int, *terms: Any) -> Page[VoteRow]:
    return (await votes_pages([community], *terms))[community]


async def questions_of(
    votes: Collection[int], columns: frozenset[str] | None = None
) -> dict[int, list[QuestionRow]]:
    """By vote, in order, each with its choices in order. `columns`: those that are used, None where all may
    be.
    """
    questions: dict[int, list[QuestionRow]] = {vote: [] for vote in votes}
    for question in await _questions("vote_id", votes, columns):
        questions[question.vote_id].append(question)
    return questions


async def questions_by_id(ids: Collection[int]) -> dict[int, QuestionRow]:
    return {question.id: question for question in await _questions("id", ids)}


async def questions_seen_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, QuestionRow]:
    """Those of votes that the viewer may see."""
    questions = await questions_by_id(ids)
    votes = await votes_by_id(viewer, {row.vote_id for row in questions.values()}) if questions else {}
    return {key: row for key, row in questions.items() if row.vote_id in votes}


async def scope_of_question(question: int) -> Scope:
    """Raises NotFound."""
    return await scope_where(
        "JOIN vote v ON v.community_id = c.id JOIN question q ON q.vote_id = v.id WHERE q.id = ?", question
    )


async def scope_of_ballot(ballot: int) -> Scope:
    """Raises NotFound."""
    return await scope_where(
        "JOIN vote v ON v.community_id = c.id JOIN ballot b ON b.vote_id = v.id WHERE b.id = ?", ballot
    )


_ASKED_IN = "SELECT {columns} FROM question t WHERE t.{column} IN ({keys}) ORDER BY t.vote_id, t.position"


async def _questions(
    column: str, keys: Collection[int], columns: frozenset[str] | None = None
) -> list[QuestionRow]:
    """Those with one of `keys` in a column, the ones of a vote in order."""
    shape = _ASKED.only(columns, "vote_id")
    offered = as_json("c.code, c.label", "choice c WHERE c.question_id = t.id", "c.position")
    query = _ASKED_IN.format(
        columns=shape.columns.format(choices=offered), column=column, keys=placeholders(keys)
    )
    return shape.all_of(await select_rows(query, list(keys)))


@dataclass(frozen=True, slots=True)
class RollQuestion:
    """A question as far as taking a ballot needs it; only parties on `roll` may answer it."""

    roll: int | None
    terms: QuestionTerms


_ON_ROLL = """
SELECT q.id AS id, q.roll_id AS roll, q.min_choices AS least, q.max_choices AS most,
       q.accepts_text AS accepts_text, q.kind AS kind, c.code AS code
  FROM question q LEFT JOIN choice c ON c.question_id = q.id
 WHERE q.vote_id = ? ORDER BY q.position
"""


async def questions_on_roll(vote: int) -> dict[int, RollQuestion]:
    """The questions of the vote, by id, in order."""
    rows = await select(_ON_ROLL, [vote])
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for row in rows:
        if row["code"] is not None:
            codes[row["id"]].append(row["code"])
    return {
        row["id"]: RollQuestion(
            row["roll"],
            QuestionTerms(
                codes[row["id"]],
                row["least"],
                row["most"],
                bool(row["accepts_text"]),
                survey=row["kind"] == QuestionKind.SURVEY,
            ),
        )
        for row in rows
    }


Entries = set[tuple[int | None, int]]
"""Pairs of a roll and a party that is on it."""


async def on_roll(rolls: Collection[int | None], parties: Sequence[int]) -> Entries:
    """Which of `parties` are on which of `rolls`."""
    rows = await select(
        f"SELECT roll_id, party_id FROM roll_entry WHERE roll_id IN ({placeholders(rolls)})"  # noqa: S608 - only placeholders
        f" AND party_id IN ({placeholders(parties)})",
        [*rolls, *parties],
    )
    return {(row["roll_id"], row["party_id"]) for row in rows}


async def roll_parties(vote: int) -> list[int]:
    """The parties on the roll of an opened vote, in a stable order."""
    rows = await RollEntry.filter(roll_id=(await vote_row(vote)).roll_id).order_by("id").values("party_id")
    return [row["party_id"] for row in rows]


class AnswerRow(NamedTuple):
    question_id: int
    choices: tuple[str, ...]
    text: str | None


class BallotRow(NamedTuple):
    """A ballot of a party, as one of its co-owners may see it. `answers`: None for all but the one who cast
    it, so that co-owners learn *that* it counts, and not how another one marked it. `replaced_at`: when a
    later one of the party took its place. `replaced`: those before it that the account cast, newest first.
    """

    id: int
    vote_id: int
    party_id: int | None
    cast_at: datetime
    answers: tuple[AnswerRow, ...] | None
    replaced_at: datetime | None = None
    replaced: tuple[int, ...] = ()


MOST_REPLACED = 10
MOST_OWN = 1_000
"""Of one account in one vote, the newest, among which a receipt is looked for."""

# Who wrote a ballot down is who cast it only if it came online, and from one of the party: paper is written
# down by whoever takes it over, who may own here as well.
_CAST_BY = """
  (b.recorded_by_id = ? AND b.channel = 'ONLINE' AND EXISTS (
    SELECT 1 FROM co_owner w WHERE w.account_id = b.recorded_by_id AND w.party_id = b.party_id
       AND w.since <= b.cast_at AND (w.until IS NULL OR w.until >= b.cast_at)))
"""

# A vote has many ballots, a party few: `+ 0` keeps the engines from walking the former.
_BALLOTS = """
WITH own AS (SELECT b.id FROM ballot b WHERE b.id IN ({these}) AND {cast})
SELECT b.id AS id, b.vote_id AS vote_id, b.party_id AS party_id, b.cast_at AS cast_at,
       CASE WHEN b.id IN (SELECT id FROM own) THEN 1 ELSE 0 END AS own,
       (SELECT l.cast_at FROM ballot l
         WHERE l.party_id = b.party_id AND l.vote_id + 0 = b.vote_id AND l.sequence > b.sequence
           AND l.validity = 'VALID'
         ORDER BY l.sequence LIMIT 1) AS replaced_at,
       a.question_id AS question, a.choice AS choice, a.text AS text, a.earlier AS earlier
  FROM ballot b LEFT JOIN (
    SELECT id, ballot_id, question_id, choice, NULL AS text, CAST(NULL AS BIGINT) AS earlier
      FROM ballot_choice WHERE ballot_id IN (SELECT id FROM own)
    UNION ALL
    SELECT id, ballot_id, question_id, NULL, text, NULL FROM ballot_text
     WHERE ballot_id IN (SELECT id FROM own)
    UNION ALL
    SELECT e.sequence, e.later, NULL, NULL, NULL, e.id FROM (
      SELECT b.id, b.sequence, n.id AS later,
             ROW_NUMBER() OVER (PARTITION BY n.id ORDER BY b.sequence DESC) AS position
        FROM ballot n JOIN ballot b
          ON b.party_id = n.party_id AND b.vote_id + 0 = n.vote_id AND b.sequence < n.sequence
       WHERE n.id IN ({these}) AND {cast}
    ) e WHERE e.position <= ?
  ) a ON a.ballot_id = b.id
 WHERE b.id IN ({these}) ORDER BY b.id, a.text IS NOT NULL, a.id
"""


async def ballots_by_id(account: int | None, ballots: Collection[int]) -> dict[int, BallotRow]:
    """As the account sees them that may speak for their parties."""
    values = [*ballots, account, *ballots, account, MOST_REPLACED, *ballots]
    rows = await select(_BALLOTS.format(these=placeholders(ballots), cast=_CAST_BY), values)
    return {ballot: _ballot(list(own)) for ballot, own in groupby(rows, key=lambda row: int(row["id"]))}


_OWN_BALLOTS = """
SELECT b.id AS id, v.community_id AS community
  FROM ballot b JOIN vote v ON v.id = b.vote_id
 WHERE b.id IN ({ballots}) AND ({cast} OR b.party_id IN (
    SELECT party_id FROM co_owner WHERE account_id = ? AND since <= ? AND (until IS NULL OR until > ?)
  ))
"""


async def own_ballots_by_id(viewer: Viewer, ballots: Collection[int], now: datetime) -> dict[int, BallotRow]:
    """Those that the viewer cast, or that one of its parties did, as far as its token shows them."""
    if (account := account_of(viewer)) is None:
        return {}
    query = _OWN_BALLOTS.format(ballots=placeholders(ballots), cast=_CAST_BY)
    rows = await select(query, [*ballots, account, account, now, now])
    scopes = await scopes_of({row["community"] for row in rows}) if rows else {}
    own = [
        row["id"]
        for row in rows
        if may_see_own(viewer, Permission.CAST_BALLOT, scopes[row["community"]], Tie.OF_PARTY)
    ]
    return await ballots_by_id(account, own) if own else {}


def _ballot(rows: Sequence[dict[str, Any]]) -> BallotRow:
    row = rows[0]
    answers = _answers(rows) if row["own"] else None
    return BallotRow(
        row["id"],
        row["vote_id"],
        row["party_id"],
        instant(row["cast_at"]),
        answers,
        instant(row["replaced_at"]),
        tuple(row["earlier"] for row in reversed(rows) if row["earlier"] is not None),
    )


def _answers(rows: Sequence[Mapping[str, Any]]) -> tuple[AnswerRow, ...]:
    choices: defaultdict[int, list[str]] = defaultdict(list)
    texts: dict[int, str] = {}
    for row in rows:
        if row["choice"] is not None:
            choices[row["question"]].append(row["choice"])
        if row["text"] is not None:
            texts[row["question"]] = row["text"]
    return tuple(
        AnswerRow(question, tuple(choices[question]), texts.get(question))
        for question in dict.fromkeys([*choices, *texts])
    )


async def ballot_row(account: int | None, ballot: int) -> BallotRow:
    found = await ballots_by_id(account, [ballot])
    if not found:
        raise DoesNotExist(Ballot)
    return found[ballot]


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """An owner party on a roll, as one of its own sees it. `asked`: whether any question is put to it, which
    is not so where a vote of all asks other buildings only.
    """

    party: int
    units: tuple[str, ...]
    weight: Weight
    may_cast: bool
    ballot: int | None
    asked: bool


# Of the frozen roll. Where the opening is late, whoever casts first freezes it as the register stood at the
# opening: so that is what stands there already, for `cast_ballot` as for whoever asks whether it may be.
_ENTRIES = """
SELECT v.id AS vote, r.party_id AS party, r.heads AS heads, r.area AS area, k.ballot_id AS ballot,
       n.name AS unit, n.id AS unit_id,
       CASE WHEN EXISTS (SELECT 1 FROM question q JOIN roll_entry e
                             ON e.roll_id = q.roll_id AND e.party_id = r.party_id
                          WHERE q.vote_id = v.id) THEN 1 ELSE 0 END AS asked
  FROM vote v JOIN roll_entry r ON r.roll_id = v.roll_id
  LEFT JOIN counting k ON k.vote_id = v.id AND k.party_id = r.party_id AND k.sequence = (
       SELECT MAX(n.sequence) FROM counting n WHERE n.vote_id = v.id AND n.party_id = r.party_id)
  LEFT JOIN roll_unit u ON u.roll_id = r.roll_id AND u.party_id = r.party_id
  LEFT JOIN unit n ON n.id = u.unit_id
 WHERE v.id IN ({votes}) AND r.party_id IN ({parties})
UNION ALL
SELECT v.id, h.party, 1, CAST(SUM(t.area) OVER (PARTITION BY v.id, h.party) AS BIGINT), NULL, u.name, u.id,
       MAX(CASE WHEN EXISTS (SELECT 1 FROM question q WHERE q.vote_id = v.id
                                AND {in_question})
                THEN 1 ELSE 0 END) OVER (PARTITION BY v.id, h.party)
  FROM vote v JOIN (
    SELECT w.id AS vote, o.party_id AS party, o.unit_id AS unit
      FROM ownership o JOIN unit n ON n.id = o.unit_id
      JOIN vote w ON w.community_id = n.community_id AND {late}
      JOIN unit_state t ON t.unit_id = n.id AND t.since = {held} AND t.status = 'DELIVERED'
     WHERE w.id IN ({votes}) AND o.party_id IN ({parties})
       AND o.since <= w.opens_at AND (o.until IS NULL OR o.until > w.opens_at)
    UNION
    SELECT w.id, p.id, n.id
      FROM owner_party p JOIN vote w ON w.community_id = p.community_id AND {late}
      JOIN unit n ON n.community_id = p.community_id
      JOIN unit_state t ON t.unit_id = n.id AND t.since = {held}
     WHERE w.id IN ({votes}) AND p.id IN ({parties}) AND p.id = (
             SELECT MIN(d.id) FROM owner_party d
              WHERE d.community_id = p.community_id AND d.kind = 'DEVELOPER')
       AND (t.status <> 'DELIVERED' OR NOT EXISTS (
             SELECT 1 FROM ownership o WHERE o.unit_id = n.id
                AND o.since <= w.opens_at AND (o.until IS NULL OR o.until > w.opens_at)))
  ) h ON h.vote = v.id
  JOIN unit u ON u.id = h.unit AND {in_vote} AND (v.parking_counts OR u.kind <> 'PARKING')
  JOIN unit_state t ON t.unit_id = u.id AND t.since = {counted}
 ORDER BY vote, party, unit_id
"""
_LATE = "w.roll_id IS NULL AND w.opens_at <= ?"


async def _showing_own(viewer: Viewer, votes: Collection[VoteRow]) -> list[VoteRow]:
    """Those of which the viewer's token shows what it cast itself."""
    scopes = await scopes_of({vote.community_id for vote in votes})
    return [
        vote
        for vote in votes
        if (scope := scopes.get(vote.community_id))
        and may_see_own(viewer, Permission.CAST_BALLOT, scope, Tie.OF_PARTY)
    ]


_OWN_IN = """
SELECT id, vote FROM (
  SELECT b.id AS id, b.vote_id AS vote,
         ROW_NUMBER() OVER (PARTITION BY b.vote_id ORDER BY b.sequence DESC) AS position
    FROM ballot b WHERE b.vote_id IN ({votes}) AND {cast}
) own WHERE position <= ? ORDER BY position
"""


async def own_ballots_of(viewer: Viewer, votes: Collection[VoteRow], most: int) -> dict[VoteRow, list[int]]:
    """The newest ballots of each vote that the viewer cast, newest first, whether they count still or not, as
    far as the token shows them.
    """
    if (account := account_of(viewer)) is None or not (votes := await _showing_own(viewer, votes)):
        return {}
    query = _OWN_IN.format(votes=placeholders(votes), cast=_CAST_BY)
    rows = await select(query, [*(vote.id for vote in votes), account, most])
    return {vote: [row["id"] for row in rows if row["vote"] == vote.id] for vote in votes}


async def own_entries_of(
    viewer: Viewer, votes: Collection[VoteRow], now: datetime
) -> dict[VoteRow, list[OwnEntry]]:
    """The entries of each vote, once it is time to open it, for which the viewer may speak, as far as its
    token shows them.
    """
    if (account := account_of(viewer)) is None or not (votes := await _showing_own(viewer, votes)):
        return {}
    seats = await seats_in(account, {vote.community_id for vote in votes}, now)
    parties = [seat.party for own in seats.values() for seat in own]
    keys = [vote.id for vote in votes]
    query = _ENTRIES.format(
        votes=placeholders(keys),
        parties=placeholders(parties),
        late=_LATE,
        in_question=IN_SCOPE.format(unit="u", scope="q.scope_id"),
        in_vote=IN_SCOPE.format(unit="u", scope="v.scope_id"),
        held=newest_state("n.id", "w.opens_at"),
        counted=newest_state("u.id", "v.opens_at"),
    )
    rows = await select(query, [*keys, *parties, *(now, *keys, *parties) * 2])
    found: defaultdict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["vote"], row["party"]].append(row)
    return {
        vote: [
            _own_entry(own, seat, account)
            for seat in seats.get(vote.community_id, [])
            if (own := found.get((vote.id, seat.party)))
        ]
        for vote in votes
    }


def _own_entry(rows: Sequence[dict[str, Any]], seat: PartySeat, account: int) -> OwnEntry:
    entry = rows[0]
    return OwnEntry(
        seat.party,
        tuple(row["unit"] for row in rows if row["unit"] is not None),
        Weight(entry["heads"], entry["area"]),
        seat.may_cast(account),
        entry["ballot"],
        asked=bool(entry["asked"]),
    )


async def own_entries(viewer: Viewer, vote: VoteRow, now: datetime) -> list[OwnEntry]:
    return (await own_entries_of(viewer, [vote], now)).get(vote, [])
