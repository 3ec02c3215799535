"""Votes as a viewer may see them, their questions, and who stands on a roll."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.exceptions import DoesNotExist
from tortoise.expressions import Q

from community.database.paging import Page, page
from community.database.sql import instant, marks, select
from community.errors import NotFound
from community.members.reads import seats_of
from community.permissions import Permission, Place, Viewer, may
from community.places.models import Unit
from community.places.reads import place_where, places_of
from community.votes.casting import Asked, QuestionKind, VoteForm, VoteStatus, status_of
from community.votes.models import (
    Ballot,
    Choice,
    CountedBallot,
    Question,
    RollEntry,
    RollUnit,
    Vote,
)
from community.votes.rules import CountingRules, FollowMajority, Matter, Silence, Weight


@dataclass(frozen=True, slots=True)
class VoteRow:
    id: int
    community_id: int
    convener_id: int
    title: str
    description: str
    form: VoteForm
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
    opened_at: datetime | None
    counted_at: datetime | None
    annulled_at: datetime | None
    roll_id: int | None

    def status(self, now: datetime) -> VoteStatus:
        return status_of(now, self.opens_at, self.closes_at, self.counted_at, self.annulled_at)

    @property
    def counting(self) -> CountingRules:
        return CountingRules(
            parking_counts=self.parking_counts,
            follow_majority=self.follow_majority or FollowMajority.RESOLVE,
            silence=self.silence,
            silence_floor=self.silence_floor,
        )


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    id: int
    vote_id: int
    title: str
    description: str
    kind: QuestionKind
    matter: Matter
    building_id: int | None
    min_choices: int
    max_choices: int
    accepts_text: bool
    roll_id: int | None
    choices: tuple[ChoiceRow, ...]


_VOTE = tuple(VoteRow.__dataclass_fields__)
_QUESTION = tuple(name for name in QuestionRow.__dataclass_fields__ if name != "choices")


async def place_of_vote(vote: int) -> Place:
    """Raises NotFound."""
    return await place_where("JOIN vote v ON v.community_id = c.id WHERE v.id = ?", vote)


async def vote_row(vote: int) -> VoteRow:
    """For actions and the system, whoever asks. Raises NotFound."""
    rows = await Vote.filter(id=vote).values(*_VOTE)
    if not rows:
        raise NotFound
    return VoteRow(**rows[0])


@dataclass(frozen=True, slots=True)
class BallotBox:
    """A vote, as far as taking a ballot goes."""

    vote: int
    community: int
    roll: int | None
    revisable: bool
    opens_at: datetime
    closes_at: datetime
    opened_at: datetime | None
    counted_at: datetime | None
    annulled_at: datetime | None

    def status(self, now: datetime) -> VoteStatus:
        return status_of(now, self.opens_at, self.closes_at, self.counted_at, self.annulled_at)


_BOX = """
SELECT id AS vote, community_id AS community, roll_id AS roll, revisable,
       opens_at, closes_at, opened_at, counted_at, annulled_at
  FROM vote WHERE id = ?
"""


async def ballot_box(vote: int) -> BallotBox:
    """As it stands now. Raises NotFound."""
    rows = await select(_BOX, [vote])
    if not rows:
        raise NotFound
    row = {name: instant(value) if name.endswith("_at") else value for name, value in rows[0].items()}
    return BallotBox(**row | {"revisable": bool(row["revisable"])})


async def votes_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, VoteRow]:
    rows = [VoteRow(**row) for row in await Vote.filter(id__in=ids).values(*_VOTE)]
    places = await places_of({row.community_id for row in rows})
    return {row.id: row for row in rows if may(viewer, Permission.READ_BULLETIN, places[row.community_id])}


def _has_status(status: VoteStatus, now: datetime) -> Q:
    """What `status_of` says, as the database finds it."""
    if status is VoteStatus.ANNULLED:
        return Q(annulled_at__isnull=False)
    standing, uncounted = Q(annulled_at=None), Q(annulled_at=None, counted_at=None)
    if status is VoteStatus.ANNOUNCED:
        return uncounted & Q(opens_at__gt=now)
    if status is VoteStatus.OPEN:
        return uncounted & Q(opens_at__lte=now, closes_at__gt=now)
    if status is VoteStatus.CLOSED:
        return standing & (Q(counted_at__isnull=False) | Q(closes_at__lte=now))
    return Q(id=0)  # drafts, displays and certificates do not exist yet


async def votes_page(
    community: int,
    now: datetime,
    first: int,
    after: tuple[datetime, int] | None,
    statuses: Collection[VoteStatus] | None = None,
) -> Page[VoteRow]:
    """Newest opening first; `after`: opening and id of the last row seen."""
    query = Vote.filter(community_id=community)
    if after is not None:
        query = query.filter(Q(opens_at__lt=after[0]) | Q(opens_at=after[0], id__lt=after[1]))
    if statuses is not None:
        query = query.filter(
            Q(*(_has_status(status, now) for status in statuses), join_type=Q.OR) if statuses else Q(id=0)
        )
    rows = await query.order_by("-opens_at", "-id").limit(first + 1).values(*_VOTE)
    return page([VoteRow(**row) for row in rows], first)


async def questions_of(votes: Collection[int]) -> dict[int, list[QuestionRow]]:
    """By vote, in order, each with its choices in order."""
    rows = await Question.filter(vote_id__in=votes).order_by("vote_id", "position").values(*_QUESTION)
    choices: defaultdict[int, list[ChoiceRow]] = defaultdict(list)
    offered = Choice.filter(question_id__in=[row["id"] for row in rows]).order_by("question_id", "position")
    for choice in await offered.values("question_id", "code", "label"):
        choices[choice["question_id"]].append(ChoiceRow(choice["code"], choice["label"]))
    questions: dict[int, list[QuestionRow]] = {vote: [] for vote in votes}
    for row in rows:
        questions[row["vote_id"]].append(QuestionRow(choices=tuple(choices[row["id"]]), **row))
    return questions


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A question, as far as taking a ballot goes; only who stands on `roll` may answer it."""

    roll: int | None
    terms: Asked


_ASKED = """
SELECT q.id AS id, q.roll_id AS roll, q.min_choices AS least, q.max_choices AS most,
       q.accepts_text AS accepts_text, c.code AS code
  FROM question q LEFT JOIN choice c ON c.question_id = q.id
 WHERE q.vote_id = ? ORDER BY q.position
"""


async def asked_in(vote: int) -> dict[int, AskedRow]:
    """What the vote asks, by question, in order."""
    rows = await select(_ASKED, [vote])
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for row in rows:
        if row["code"] is not None:
            codes[row["id"]].append(row["code"])
    return {
        row["id"]: AskedRow(
            row["roll"], Asked(codes[row["id"]], row["least"], row["most"], bool(row["accepts_text"]))
        )
        for row in rows
    }


Entries = set[tuple[int | None, int]]
"""Pairs of a roll and a party that stands on it."""


async def standing(rolls: Collection[int | None], parties: Sequence[int]) -> Entries:
    """Who of `parties` stands on which of `rolls`."""
    rows = await select(
        f"SELECT roll_id, party_id FROM roll_entry WHERE roll_id IN ({marks(rolls)})"  # noqa: S608 - only marks
        f" AND party_id IN ({marks(parties)})",
        [*rolls, *parties],
    )
    return {(row["roll_id"], row["party_id"]) for row in rows}


async def roll_parties(vote: int) -> list[int]:
    """The parties on the roll of an opened vote, in a stable order."""
    rows = await RollEntry.filter(roll_id=(await vote_row(vote)).roll_id).order_by("id").values("party_id")
    return [row["party_id"] for row in rows]


async def weights_in(roll: int | None, parties: Sequence[int]) -> dict[int, Weight]:
    rows = await RollEntry.filter(roll_id=roll, party_id__in=parties).values("party_id", "heads", "area")
    return {row["party_id"]: Weight(row["heads"], row["area"]) for row in rows}


async def units_in(roll: int | None, parties: Sequence[int]) -> dict[int, list[str]]:
    """The names of the units with which each party stands on a roll."""
    rows = await RollUnit.filter(roll_id=roll, party_id__in=parties).values("party_id", "unit_id")
    names = {
        row["id"]: row["name"]
        for row in await Unit.filter(id__in=[r["unit_id"] for r in rows]).values("id", "name")
    }
    units: defaultdict[int, list[str]] = defaultdict(list)
    for row in rows:
        units[row["party_id"]].append(names[row["unit_id"]])
    return units


@dataclass(frozen=True, slots=True)
class AnswerRow:
    question_id: int
    choices: tuple[str, ...]
    text: str | None


@dataclass(frozen=True, slots=True)
class BallotRow:
    """Somebody's own ballot; never read for anybody else."""

    id: int
    vote_id: int
    party_id: int
    cast_at: datetime
    answers: tuple[AnswerRow, ...]


_BALLOT = """
SELECT b.id AS id, b.vote_id AS vote_id, b.party_id AS party_id, b.cast_at AS cast_at,
       a.question_id AS question, a.choice AS choice, a.text AS text
  FROM ballot b LEFT JOIN (
    SELECT id, question_id, choice, NULL AS text FROM ballot_choice WHERE ballot_id = ?
    UNION ALL
    SELECT id, question_id, NULL, text FROM ballot_text WHERE ballot_id = ?
  ) a ON 1 = 1
 WHERE b.id = ? ORDER BY a.text IS NOT NULL, a.id
"""


async def ballot_row(ballot: int) -> BallotRow:
    rows = await select(_BALLOT, [ballot] * 3)
    if not rows:
        raise DoesNotExist(Ballot)
    choices: defaultdict[int, list[str]] = defaultdict(list)
    texts: dict[int, str] = {}
    for row in rows:
        if row["choice"] is not None:
            choices[row["question"]].append(row["choice"])
        if row["text"] is not None:
            texts[row["question"]] = row["text"]
    answers = tuple(
        AnswerRow(question, tuple(choices[question]), texts.get(question))
        for question in dict.fromkeys([*choices, *texts])
    )
    row = rows[0]
    return BallotRow(row["id"], row["vote_id"], row["party_id"], instant(row["cast_at"]), answers)


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """An owner party on a roll, as one of its own sees it."""

    party: int
    units: tuple[str, ...]
    weight: Weight
    may_cast: bool
    ballot: int | None


async def own_entries(account: int, vote: VoteRow, now: datetime) -> list[OwnEntry]:
    """The entries of an opened vote for which the account may speak."""
    seats = await seats_of(account, vote.community_id, now)
    parties = [seat.party for seat in seats]
    weights = await weights_in(vote.roll_id, parties)
    units = await units_in(vote.roll_id, parties)
    ballots = await counted_ballots(vote.id, parties)
    return [
        OwnEntry(
            seat.party,
            tuple(units[seat.party]),
            weights[seat.party],
            seat.may_cast(account),
            ballots.get(seat.party),
        )
        for seat in seats
        if seat.party in weights
    ]


async def counted_ballots(vote: int, parties: Sequence[int]) -> dict[int, int]:
    """The ballot that counts for each of `parties`, where there is one."""
    rows = await CountedBallot.filter(vote_id=vote, party_id__in=parties).values("party_id", "ballot_id")
    return {row["party_id"]: row["ballot_id"] for row in rows}


_NEWEST = """
SELECT (SELECT MAX(sequence) FROM ballot WHERE vote_id = ?) AS sequence,
       (SELECT ballot_id FROM counted_ballot WHERE vote_id = ? AND party_id = ?) AS counted
"""


async def newest_of(vote: int, party: int) -> tuple[int, int | None]:
    """The number of the newest ballot, 0 where there is none, and the ballot that counts for `party`."""
    (row,) = await select(_NEWEST, [vote, vote, party])
    return row["sequence"] or 0, row["counted"]


async def newest_sequence(vote: int) -> int:
    """The number of the newest ballot; 0 where there is none."""
    (row,) = await select("SELECT MAX(sequence) AS sequence FROM ballot WHERE vote_id = ?", [vote])
    return row["sequence"] or 0
