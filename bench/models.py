"""What most people write: Tortoise models with prefetch, and Strawberry types that are made of them.

One statement a level, over the tables of the demonstration, as far as the reads of the bench go. Types and
no models are given to Strawberry: a model can be awaited, and graphql-core would await each, at three times
the cost.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from tortoise import Tortoise, fields
from tortoise.models import Model

from api.settings import Settings
from bench.page import page_schema


class CommunityRow(Model):
    id = fields.BigIntField(primary_key=True)
    slug = fields.CharField(64)
    name = fields.CharField(64)

    class Meta:
        table = "community"


class OrganizationRow(Model):
    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(32)
    name = fields.CharField(64)

    class Meta:
        table = "organization"


class VoteRow(Model):
    id = fields.BigIntField(primary_key=True)
    community: Any = fields.ForeignKeyField("bench.CommunityRow", related_name="votes")
    convener: Any = fields.ForeignKeyField("bench.OrganizationRow", related_name="votes")
    number = fields.IntField()
    title = fields.CharField(120)
    form = fields.CharField(32)
    announced_at = fields.DatetimeField()
    opens_at = fields.DatetimeField()
    closes_at = fields.DatetimeField()
    revisable = fields.BooleanField()
    questions: Any

    class Meta:
        table = "vote"


class QuestionRow(Model):
    id = fields.BigIntField(primary_key=True)
    vote: Any = fields.ForeignKeyField("bench.VoteRow", related_name="questions")
    position = fields.IntField()
    title = fields.CharField(200)
    kind = fields.CharField(32)
    matter = fields.CharField(32)
    min_choices = fields.IntField()
    max_choices = fields.IntField()
    choices: Any

    class Meta:
        table = "question"
        ordering = ("position",)


class ChoiceRow(Model):
    id = fields.BigIntField(primary_key=True)
    question: Any = fields.ForeignKeyField("bench.QuestionRow", related_name="choices")
    position = fields.IntField()
    code = fields.CharField(32)
    label = fields.CharField(120)

    class Meta:
        table = "choice"
        ordering = ("position",)


class EntryRow(Model):
    id = fields.BigIntField(primary_key=True)
    community: Any = fields.ForeignKeyField("bench.CommunityRow", related_name="entries")
    number = fields.IntField()
    date = fields.DateField()
    direction = fields.CharField(32)
    category = fields.CharField(32)
    item = fields.CharField(120)
    counterparty = fields.CharField(120, null=True)
    voucher = fields.CharField(64, null=True)
    amount = fields.BigIntField()
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "entry"


@strawberry.type
class Organization:
    id: strawberry.ID
    kind: str
    name: str

    @classmethod
    def of(cls, row: Any) -> "Organization":
        return cls(id=row.id, kind=row.kind, name=row.name)


@strawberry.type
class Choice:
    code: str
    label: str


@strawberry.type
class Question:
    id: strawberry.ID
    title: str
    kind: str
    matter: str
    min_choices: int
    max_choices: int
    choices: list[Choice]

    @classmethod
    def of(cls, row: Any) -> "Question":
        return cls(
            id=row.id,
            title=row.title,
            kind=row.kind,
            matter=row.matter,
            min_choices=row.min_choices,
            max_choices=row.max_choices,
            choices=[Choice(code=each.code, label=each.label) for each in row.choices],
        )


@strawberry.type
class Vote:
    id: strawberry.ID
    number: int
    title: str
    form: str
    announced_at: datetime
    opens_at: datetime
    closes_at: datetime
    revisable: bool
    convener: Organization
    community: "Community"
    questions: list[Question]

    @classmethod
    def of(cls, row: Any) -> "Vote":
        return cls(
            id=row.id,
            number=row.number,
            title=row.title,
            form=row.form,
            announced_at=row.announced_at,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            revisable=row.revisable,
            convener=Organization.of(row.convener),
            community=Community.of(row.community),
            questions=[Question.of(each) for each in row.questions],
        )


@strawberry.type
class VoteEdge:
    node: Vote


@strawberry.type
class VoteConnection:
    edges: list[VoteEdge]


@strawberry.type
class Entry:
    id: strawberry.ID
    number: int
    date: date
    direction: str
    category: str
    item: str
    counterparty: str | None
    voucher: str | None
    amount: str
    recorded_at: datetime

    @classmethod
    def of(cls, row: Any) -> "Entry":
        return cls(
            id=row.id,
            number=row.number,
            date=row.date,
            direction=row.direction,
            category=row.category,
            item=row.item,
            counterparty=row.counterparty,
            voucher=row.voucher,
            amount=f"{row.amount / 100:.2f}",
            recorded_at=row.recorded_at,
        )


@strawberry.type
class EntryEdge:
    node: Entry


@strawberry.type
class EntryConnection:
    edges: list[EntryEdge]


@strawberry.type
class Ledger:
    community: strawberry.Private["Community"]

    @strawberry.field
    async def entries(self, first: int) -> EntryConnection:
        rows: Any = (
            await EntryRow.filter(community_id=self.community.id).order_by("-date", "-number").limit(first)
        )
        return EntryConnection(edges=[EntryEdge(node=Entry.of(row)) for row in rows])


@strawberry.type
class Community:
    id: strawberry.ID
    slug: str
    name: str

    @classmethod
    def of(cls, row: Any) -> "Community":
        return cls(id=row.id, slug=row.slug, name=row.name)

    @strawberry.field
    async def votes(self, first: int) -> VoteConnection:
        rows: Any = (
            await VoteRow.filter(community_id=self.id)
            .order_by("-opens_at", "-id")
            .limit(first)
            .prefetch_related("convener", "community", "questions__choices")
        )
        return VoteConnection(edges=[VoteEdge(node=Vote.of(row)) for row in rows])

    @strawberry.field
    def ledger(self) -> Ledger:
        return Ledger(community=self)


@strawberry.type
class Query:
    @strawberry.field
    async def community(self, slug: str) -> Community | None:
        found: Any = await CommunityRow.get_or_none(slug=slug)
        return Community.of(found) if found else None


def models_app(settings: Settings) -> Starlette:
    """`/graphql` of the two lists, `/page` of the page's own documents."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        url = settings.database_url.replace("sqlite:///", "sqlite://")
        apps = {"bench": ["bench.models"], "page": ["bench.page"]}
        await Tortoise.init(
            config={
                "connections": {"default": url},
                "apps": {name: {"models": models} for name, models in apps.items()},
                "use_tz": True,
            },
            _enable_global_fallback=True,
        )
        yield
        await Tortoise.close_connections()

    schemas: dict[str, Any] = {"/graphql": strawberry.Schema(Query), "/page": page_schema}
    routes = [Route(path, GraphQL(schema, graphql_ide=None)) for path, schema in schemas.items()]
    return Starlette(routes=routes, lifespan=lifespan)
