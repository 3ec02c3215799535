"""The page's own documents as most people would answer them: as in `bench/models.py`.

It answers less than we do. Nobody has signed in, so that viewer, entries of the viewer and permissions are
empty; a tally is the kept sums, without conditions, agreement, leader and outcome; of the book nothing is
said to be reversed, and an entry's balance is that of its number.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields as fields_of
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import strawberry
from tortoise import Tortoise, fields
from tortoise.expressions import Q
from tortoise.models import Model

from community.bulletin.rules import BULLETIN_TOPIC
from community.catalogue import catalogue
from community.votes.lifecycle import BY_THE_CLOCK, LIFE, VoteStatus, VoteStep, status_of
from community.votes.rules import Part


def _to(model: str, **given: Any) -> Any:
    return fields.ForeignKeyField(f"page.{model}", **{"related_name": False, "null": True} | given)


class CommunityRow(Model):
    id = fields.BigIntField(primary_key=True)
    slug = fields.CharField(64)
    name = fields.CharField(64)
    address = fields.CharField(200)
    households = fields.IntField()

    class Meta:
        table = "community"


class OrganizationRow(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(64)

    class Meta:
        table = "organization"


class RollRow(Model):
    id = fields.BigIntField(primary_key=True)
    heads = fields.IntField()
    area = fields.BigIntField()

    class Meta:
        table = "roll"


class VoteRow(Model):
    id = fields.BigIntField(primary_key=True)
    community: Any = _to("CommunityRow")
    convener: Any = _to("OrganizationRow")
    number = fields.IntField()
    title = fields.CharField(120)
    description = fields.TextField()
    form = fields.CharField(32)
    opens_at = fields.DatetimeField()
    closes_at = fields.DatetimeField()
    revisable = fields.BooleanField()
    parking_counts = fields.BooleanField()
    follow_majority = fields.CharField(32, null=True)
    last_step = fields.CharField(32)
    steps = fields.IntField()
    roll: Any = _to("RollRow")
    questions: Any
    totals: Any

    class Meta:
        table = "vote"


class QuestionRow(Model):
    id = fields.BigIntField(primary_key=True)
    vote: Any = _to("VoteRow", related_name="questions")
    position = fields.IntField()
    title = fields.CharField(200)
    description = fields.TextField()
    kind = fields.CharField(32)
    matter = fields.CharField(32)
    min_choices = fields.IntField()
    max_choices = fields.IntField()
    accepts_text = fields.BooleanField()
    roll: Any = _to("RollRow")
    choices: Any

    class Meta:
        table = "question"
        ordering: ClassVar = ("position",)


class ChoiceRow(Model):
    id = fields.BigIntField(primary_key=True)
    question: Any = _to("QuestionRow", related_name="choices")
    position = fields.IntField()
    code = fields.CharField(32)
    label = fields.CharField(120)

    class Meta:
        table = "choice"
        ordering: ClassVar = ("position",)


class TotalRow(Model):
    id = fields.BigIntField(primary_key=True)
    vote: Any = _to("VoteRow", related_name="totals")
    part = fields.CharField(32)
    key = fields.BigIntField()
    label = fields.CharField(32)
    heads = fields.IntField()
    area = fields.BigIntField()

    class Meta:
        table = "total"


class EventRow(Model):
    id = fields.BigIntField(primary_key=True)
    community: Any = _to("CommunityRow")
    number = fields.IntField()
    title = fields.CharField(120)
    place = fields.CharField(120)
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    sign_up_closes_at = fields.DatetimeField()
    capacity = fields.IntField(null=True)
    max_party_size = fields.IntField()
    potluck = fields.BooleanField()
    signed_up = fields.IntField()
    version = fields.IntField()

    class Meta:
        table = "event"


class NoticeRow(Model):
    id = fields.BigIntField(primary_key=True)
    community: Any = _to("CommunityRow")
    organization: Any = _to("OrganizationRow")
    number = fields.IntField()
    kind = fields.CharField(32)
    title = fields.CharField(120)
    body = fields.TextField()
    effective_from = fields.DatetimeField(null=True)
    effective_until = fields.DatetimeField(null=True)
    published_at = fields.DatetimeField()

    class Meta:
        table = "notice"


class EntryRow(Model):
    id = fields.BigIntField(primary_key=True)
    community: Any = _to("CommunityRow")
    number = fields.IntField()
    date = fields.DateField()
    direction = fields.CharField(32)
    category = fields.CharField(32)
    item = fields.CharField(120)
    counterparty = fields.CharField(120, null=True)
    voucher = fields.CharField(64, null=True)
    amount = fields.BigIntField()
    balance = fields.BigIntField()
    authority_vote: Any = _to("VoteRow")
    authority_clause = fields.CharField(200, null=True)
    reverses: Any = _to("EntryRow")
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "entry"


class JournalRow(Model):
    id = fields.BigIntField(primary_key=True)
    number = fields.BigIntField()
    community: Any = _to("CommunityRow")
    fact = fields.CharField(32)
    subject_kind = fields.CharField(32)
    subject = fields.BigIntField()
    at = fields.DatetimeField()

    class Meta:
        table = "journal"


def decimal(hundredths: int) -> str:
    return f"{hundredths / 100:.2f}"


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Organization:
    id: strawberry.ID
    name: str


@strawberry.type
class Weight:
    heads: int
    area: str

    @classmethod
    def of(cls, row: Any) -> "Weight":
        return cls(heads=row.heads, area=decimal(row.area)) if row else cls(heads=0, area="0.00")


@strawberry.type
class Condition:
    gate: str
    measure: str
    need: str
    clause: str
    have: str
    of: str
    missing: str
    met: bool


@strawberry.type
class ChoiceTally:
    choice: str
    weight: Weight


@strawberry.type
class QuestionTally:
    question_id: strawberry.ID
    eligible: Weight
    participating: Weight
    agreeing: Weight | None
    choices: list[ChoiceTally]
    conditions: list[Condition]
    leader: str | None
    outcome: str | None


@strawberry.type
class DayTurnout:
    day: str
    heads: int


@strawberry.type
class VoteProgress:
    vote_id: strawberry.ID
    version: str
    eligible: Weight
    participating: Weight
    last_ballot_at: datetime | None
    questions: list[QuestionTally]
    turnout_by_day: list[DayTurnout]

    @classmethod
    def of(cls, row: Any) -> "VoteProgress":
        sums = {(total.part, total.key, total.label): total for total in row.totals}
        return cls(
            vote_id=row.id,
            version=str(row.steps),
            eligible=Weight.of(row.roll),
            participating=Weight.of(sums.get((Part.BALLOTS, 0, ""))),
            last_ballot_at=None,
            questions=[
                QuestionTally(
                    question_id=question.id,
                    eligible=Weight.of(question.roll),
                    participating=Weight.of(sums.get((Part.QUESTION, question.id, ""))),
                    agreeing=None,
                    choices=[
                        ChoiceTally(
                            choice=choice.code,
                            weight=Weight.of(sums.get((Part.CHOICE, question.id, choice.code))),
                        )
                        for choice in question.choices
                    ],
                    conditions=[],
                    leader=None,
                    outcome=None,
                )
                for question in row.questions
            ],
            turnout_by_day=[
                DayTurnout(day=label, heads=total.heads)
                for (part, _, label), total in sums.items()
                if part == Part.DAY
            ],
        )


@strawberry.type
class Choice:
    code: str
    label: str


@strawberry.type
class VoteScope:
    id: strawberry.ID
    name: str
    units: int


@strawberry.type
class Question:
    id: strawberry.ID
    title: str
    description: str
    kind: str
    matter: str
    scope: VoteScope | None
    choices: list[Choice]
    min_choices: int
    max_choices: int
    accepts_text: bool

    @classmethod
    def of(cls, row: Any) -> "Question":
        return cls(
            id=row.id,
            title=row.title,
            description=row.description,
            kind=row.kind,
            matter=row.matter,
            scope=None,
            choices=[Choice(code=each.code, label=each.label) for each in row.choices],
            min_choices=row.min_choices,
            max_choices=row.max_choices,
            accepts_text=row.accepts_text,
        )


@strawberry.type
class Answer:
    question_id: strawberry.ID
    choices: list[str]
    text: str | None


@strawberry.type
class BallotReceipt:
    id: strawberry.ID
    cast_at: datetime
    code: str
    replaced_codes: list[str]
    answers: list[Answer]


@strawberry.type
class ViewerEntry:
    party: str
    units: list[str]
    weight: Weight
    may_cast: bool
    ballot: BallotReceipt | None


@strawberry.type
class Rules:
    parking_counts: bool
    follow_majority: str | None


@strawberry.type
class Vote(Node):
    number: int
    title: str
    description: str
    form: str
    status: VoteStatus
    convener: Organization
    opens_at: datetime
    closes_at: datetime
    revisable: bool
    rules: Rules
    scope: list[VoteScope]
    questions: list[Question]
    tally: VoteProgress
    viewer_entries: list[ViewerEntry]

    @classmethod
    def of(cls, row: Any) -> "Vote":
        now = datetime.now(UTC)
        return cls(
            id=row.id,
            number=row.number,
            title=row.title,
            description=row.description,
            form=row.form,
            status=status_of(VoteStep(row.last_step), now, row.opens_at, row.closes_at),
            convener=Organization(id=row.convener.id, name=row.convener.name),
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            revisable=row.revisable,
            rules=Rules(parking_counts=row.parking_counts, follow_majority=row.follow_majority),
            scope=[],
            questions=[Question.of(each) for each in row.questions],
            tally=VoteProgress.of(row),
            viewer_entries=[],
        )


ALL_OF_A_VOTE = ("convener", "roll", "totals", "questions__roll", "questions__choices")


def _has_status(status: VoteStatus, now: datetime) -> Q:
    timed = Q(last_step__in=[step for each in BY_THE_CLOCK for step in LIFE.leading_to(each)])
    if status is VoteStatus.ANNOUNCED:
        return timed & Q(opens_at__gt=now)
    if status is VoteStatus.OPEN:
        return timed & Q(opens_at__lte=now, closes_at__gt=now)
    ended = Q(last_step__in=list(LIFE.leading_to(status)))
    return ended | (timed & Q(closes_at__lte=now)) if status is VoteStatus.CLOSED else ended


@strawberry.type
class VoteEdge:
    node: Vote


@strawberry.type
class VoteConnection:
    edges: list[VoteEdge]


@strawberry.type
class EventAttendance:
    event_id: strawberry.ID
    version: str
    capacity: int | None
    signed_up: int
    places_left: int | None


@strawberry.type
class SignUp:
    id: strawberry.ID
    made_by_viewer: bool
    party_size: int
    dish: str | None
    cancelled_at: datetime | None


@strawberry.type
class Event(Node):
    number: int
    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    sign_up_closes_at: datetime
    max_party_size: int
    potluck: bool
    attendance: EventAttendance
    viewer_sign_up: SignUp | None
    corrected_at: datetime | None = None

    @classmethod
    def of(cls, row: Any) -> "Event":
        return cls(
            id=row.id,
            number=row.number,
            title=row.title,
            place=row.place,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            sign_up_closes_at=row.sign_up_closes_at,
            max_party_size=row.max_party_size,
            potluck=row.potluck,
            attendance=EventAttendance(
                event_id=row.id,
                version=str(row.version),
                capacity=row.capacity,
                signed_up=row.signed_up,
                places_left=None if row.capacity is None else row.capacity - row.signed_up,
            ),
            viewer_sign_up=None,
        )


@strawberry.type
class EventEdge:
    node: Event


@strawberry.type
class EventConnection:
    edges: list[EventEdge]


@strawberry.type
class Notice(Node):
    number: int
    kind: str
    title: str
    body: str
    organization: Organization
    effective_from: datetime | None
    effective_until: datetime | None
    published_at: datetime
    status: str = "PUBLISHED"
    corrected_at: datetime | None = None
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None

    @classmethod
    def of(cls, row: Any) -> "Notice":
        return cls(
            id=row.id,
            number=row.number,
            kind=row.kind,
            title=row.title,
            body=row.body,
            organization=Organization(id=row.organization.id, name=row.organization.name),
            effective_from=row.effective_from,
            effective_until=row.effective_until,
            published_at=row.published_at,
        )


@strawberry.type
class NoticeEdge:
    node: Notice


@strawberry.type
class NoticeConnection:
    edges: list[NoticeEdge]


@strawberry.type
class EntryRef:
    number: int
    date: date


@strawberry.type
class Entry(Node):
    number: int
    date: date
    direction: str
    category: str
    item: str
    counterparty: str | None
    voucher: str | None
    amount: str
    balance: str
    authority_vote: "VoteRef | None"
    authority_clause: str | None
    authority_fault: str | None
    reverses: EntryRef | None
    reversed_by: EntryRef | None
    recorded_at: datetime
    recorded_by: str | None

    @classmethod
    def of(cls, row: Any) -> "Entry":
        vote, reverses = row.authority_vote, row.reverses
        return cls(
            id=row.id,
            number=row.number,
            date=row.date,
            direction=row.direction,
            category=row.category,
            item=row.item,
            counterparty=row.counterparty,
            voucher=row.voucher,
            amount=decimal(row.amount),
            balance=decimal(row.balance),
            authority_vote=VoteRef(id=vote.id, number=vote.number, title=vote.title) if vote else None,
            authority_clause=row.authority_clause,
            authority_fault=None,
            reverses=EntryRef(number=reverses.number, date=reverses.date) if reverses else None,
            reversed_by=None,
            recorded_at=row.recorded_at,
            recorded_by=None,
        )


@strawberry.type
class VoteRef:
    id: strawberry.ID
    number: int
    title: str


@strawberry.type
class EntryEdge:
    node: Entry


@strawberry.type
class EntryConnection:
    edges: list[EntryEdge]
    page_info: PageInfo


@strawberry.type
class CategoryTotal:
    direction: str
    category: str
    amount: str
    reversed: str = "0.00"
    reversals: int = 0


@strawberry.type
class LedgerMonth:
    month: str
    opening: str
    income: str
    expense: str
    closing: str
    entry_count: int
    categories: list[CategoryTotal]
    income_reversed: str = "0.00"
    income_reversals: int = 0
    expense_reversed: str = "0.00"
    expense_reversals: int = 0


@strawberry.type
class LedgerYear:
    year: int
    first_month: str
    last_month: str
    income: str
    expense: str
    closing: str
    income_reversed: str = "0.00"
    income_reversals: int = 0
    expense_reversed: str = "0.00"
    expense_reversals: int = 0


SUMS = """SELECT substr(CAST(date AS TEXT), 1, 7) AS month, direction, category,
 SUM(amount) AS amount, COUNT(*) AS count FROM entry WHERE community_id = {community}
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def _months(rows: Iterable[Any]) -> list[LedgerMonth]:
    """Newest first."""
    by_month: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_month[row["month"]].append(row)
    balance, months = 0, []
    for month, sums in by_month.items():
        income = sum(int(row["amount"]) for row in sums if row["direction"] == "INCOME")
        expense = sum(int(row["amount"]) for row in sums if row["direction"] != "INCOME")
        opening, balance = balance, balance + income - expense
        months.append(
            LedgerMonth(
                month=month,
                opening=decimal(opening),
                income=decimal(income),
                expense=decimal(expense),
                closing=decimal(balance),
                entry_count=sum(row["count"] for row in sums),
                categories=[
                    CategoryTotal(
                        direction=row["direction"],
                        category=row["category"],
                        amount=decimal(int(row["amount"])),
                    )
                    for row in sums
                ],
            )
        )
    return months[::-1]


def _years(months: Iterable[LedgerMonth]) -> list[LedgerYear]:
    by_year: dict[str, list[LedgerMonth]] = defaultdict(list)
    for month in months:
        by_year[month.month[:4]].append(month)
    return [
        LedgerYear(
            year=int(year),
            first_month=of[-1].month,
            last_month=of[0].month,
            income=decimal(sum(round(float(each.income) * 100) for each in of)),
            expense=decimal(sum(round(float(each.expense) * 100) for each in of)),
            closing=of[0].closing,
        )
        for year, of in by_year.items()
    ]


@strawberry.type
class Ledger:
    community: strawberry.Private[int]
    all_months: strawberry.Private[list[LedgerMonth]]

    @strawberry.field
    def balance(self) -> str:
        return self.all_months[0].closing

    @strawberry.field
    def month(self, month: str | None = None) -> LedgerMonth | None:
        return next((each for each in self.all_months if month in (None, each.month)), None)

    @strawberry.field
    def months(self, first: int, before: str | None = None) -> list[LedgerMonth]:
        return [each for each in self.all_months if before is None or each.month < before][:first]

    @strawberry.field
    def years(self) -> list[LedgerYear]:
        return _years(self.all_months)

    @strawberry.field
    async def entries(self, first: int, month: str) -> EntryConnection:
        begin = date.fromisoformat(f"{month}-01")
        end = date(begin.year + begin.month // 12, begin.month % 12 + 1, 1)
        rows: Any = (
            await EntryRow.filter(community_id=self.community, date__gte=begin, date__lt=end)
            .order_by("-date", "-number")
            .limit(first + 1)
            .prefetch_related("authority_vote", "reverses")
        )
        info = PageInfo(has_next_page=len(rows) > first, end_cursor=str(rows[:first][-1].number))
        return EntryConnection(edges=[EntryEdge(node=Entry.of(row)) for row in rows[:first]], page_info=info)


@strawberry.type
class BulletinItem:
    cursor: str
    at: datetime
    kind: str
    subject: Node | None


@strawberry.type
class BulletinEdge:
    node: BulletinItem
    cursor: str


@strawberry.type
class BulletinConnection:
    edges: list[BulletinEdge]
    page_info: PageInfo


def _named(type_: Any, row: Any) -> Any:
    """Of which nothing is selected but its number and title."""
    of_type = dict.fromkeys(field.name for field in fields_of(type_))
    return type_(**of_type | {"id": row.id, "number": row.number, "title": row.title})


async def _subjects(rows: Iterable[Any]) -> dict[tuple[str, int], Any]:
    """What the items are about, with one statement a kind."""
    ids: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        ids[row.subject_kind].append(row.subject)
    found: dict[tuple[str, int], Any] = {}
    kinds: tuple[tuple[str, Any, Any], ...] = (
        ("Vote", VoteRow, Vote),
        ("Event", EventRow, Event),
        ("Notice", NoticeRow, Notice),
    )
    for kind, model, type_ in kinds:
        if kind in ids:
            for row in await model.filter(id__in=ids[kind]):
                found[kind, row.id] = _named(type_, row)
    return found


@strawberry.type
class Community:
    id: strawberry.ID
    slug: str
    name: str
    address: str
    households: int
    public_reading: bool = True
    viewer_permissions: list[str] = strawberry.field(default_factory=list)

    @strawberry.field
    async def vote(self, number: int) -> Vote | None:
        row: Any = await VoteRow.get_or_none(community_id=self.id, number=number).prefetch_related(
            *ALL_OF_A_VOTE
        )
        return Vote.of(row) if row else None

    @strawberry.field
    async def votes(self, first: int, status: list[VoteStatus]) -> VoteConnection:
        now = datetime.now(UTC)
        rows: Any = (
            await VoteRow.filter(
                Q(*(_has_status(each, now) for each in status), join_type="OR"), community_id=self.id
            )
            .order_by("-opens_at", "-id")
            .limit(first)
            .prefetch_related(*ALL_OF_A_VOTE)
        )
        return VoteConnection(edges=[VoteEdge(node=Vote.of(row)) for row in rows])

    @strawberry.field
    async def events(self, first: int, coming: bool) -> EventConnection:
        rows: Any = (
            await EventRow.filter(community_id=self.id, ends_at__gt=datetime.now(UTC))
            .order_by("starts_at")
            .limit(first)
        )
        return EventConnection(edges=[EventEdge(node=Event.of(row)) for row in rows])

    @strawberry.field
    async def notices(self, first: int) -> NoticeConnection:
        rows: Any = (
            await NoticeRow.filter(community_id=self.id)
            .order_by("-published_at", "-id")
            .limit(first)
            .prefetch_related("organization")
        )
        return NoticeConnection(edges=[NoticeEdge(node=Notice.of(row)) for row in rows])

    @strawberry.field
    async def ledger(self) -> Ledger:
        database: Any = Tortoise.get_connection("default")
        sums = await database.execute_query_dict(SUMS.format(community=int(self.id)))
        return Ledger(community=int(self.id), all_months=_months(sums))

    @strawberry.field
    async def bulletin(self, first: int) -> BulletinConnection:
        facts = [fact.name for fact in catalogue().touching(BULLETIN_TOPIC)]
        rows: Any = (
            await JournalRow.filter(community_id=self.id, fact__in=facts).order_by("-number").limit(first + 1)
        )
        subjects = await _subjects(rows[:first])
        edges = [
            BulletinEdge(
                cursor=str(row.number),
                node=BulletinItem(
                    cursor=str(row.number),
                    at=row.at,
                    kind=row.fact,
                    subject=subjects.get((row.subject_kind, row.subject)),
                ),
            )
            for row in rows[:first]
        ]
        return BulletinConnection(
            edges=edges, page_info=PageInfo(has_next_page=len(rows) > first, end_cursor=edges[-1].cursor)
        )


@strawberry.type
class CommunityRef:
    id: strawberry.ID


@strawberry.type
class Viewer:
    account: str
    communities: list[CommunityRef]


@strawberry.type
class Limits:
    ballot_text: int


@strawberry.type
class Query:
    @strawberry.field
    def viewer(self) -> Viewer | None:
        return None

    @strawberry.field
    def limits(self) -> Limits:
        return Limits(ballot_text=2_000)

    @strawberry.field
    async def community(self, slug: str) -> Community | None:
        row: Any = await CommunityRow.get_or_none(slug=slug)
        return row and Community(
            id=row.id, slug=row.slug, name=row.name, address=row.address, households=row.households
        )


page_schema = strawberry.Schema(Query)
