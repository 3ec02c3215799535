"""Every field of the schema is run alone, before a viewer who notices being looked at."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from inspect import isawaitable
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_object_type,
    parse,
)

from community.bulletin.facts import NOTICE
from community.database.cursors import JournalCursors, mark
from community.permissions import Person, Rights, Viewer, account_of
from realtime.audience import Audience, audience_of, mark_of
from realtime.fields import AUDIENCE
from schema.context import Context, Info
from schema.loaders import Loaders
from schema.marks import BY_RIGHTS, BY_VIEWER, FOR_ALL
from schema.schema import graphql_schema
from tests.examples import demand, every, examples, of_all
from tests.schema.documents import IN_SPRING

Coordinate = tuple[str, str]
"""A type and a field of it."""

WAYS = of_all(lambda topic: topic.ways)
"""Below a community, how each type is come by that computes something. A way may itself depend on the viewer.
"""

ALONE = of_all(lambda topic: topic.ways_to_one)
"""The same of what is not below a community."""

BY_VIEWERS = set(every(lambda topic: topic.by_viewer))

LOOKING: ContextVar[Coordinate | None] = ContextVar("looking", default=None)
"""The field that is being run."""


# The viewer who notices


class Sight:
    """What each field looked at, and which ones were run."""

    def __init__(self) -> None:
        self.found: dict[Coordinate, Audience] = {}

    def ran(self, coordinate: Coordinate) -> None:
        self.found.setdefault(coordinate, Audience.EVERYBODY)

    def looked(self, coordinate: Coordinate | None, audience: Audience) -> None:
        if coordinate is not None:
            self.found[coordinate] = max(self.found[coordinate], audience)


class Account:
    """An account in whose name something is done, or which is compared: more than that there is one."""

    def __init__(self, number: int, sight: Sight) -> None:
        self._number, self._sight, self._coordinate = number, sight, LOOKING.get()

    def _used(self, *_: object) -> int:
        self._sight.looked(self._coordinate, Audience.VIEWER)
        return self._number

    __int__ = __index__ = __conform__ = __hash__ = _used

    def __str__(self) -> str:
        return str(self._used())

    def __eq__(self, other: object) -> bool:
        return self._used() == other


class Noticing:
    """A viewer. Roles, scopes and being of the demonstration are what many have, all else is its own."""

    def __init__(self, viewer: Viewer, sight: Sight) -> None:
        self._viewer, self.sight = viewer, sight

    @property
    def __class__(self) -> Any:
        """Whether it is a person, a visitor or the system."""
        self.sight.looked(LOOKING.get(), Audience.RIGHTS)
        return type(self._viewer)

    @__class__.setter
    def __class__(self, kind: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        own = name not in ("account", "roles", "roles_in", "scopes", "demonstration")
        self.sight.looked(LOOKING.get(), Audience.VIEWER if own else Audience.RIGHTS)
        value = getattr(self._viewer, name)
        return Account(value, self.sight) if name == "account" and value is not None else value


class Viewed:
    """To ask for its viewer is to look at rights: what is public in this town may be hidden elsewhere."""

    _viewer: Any

    @property
    def viewer(self) -> Any:
        self._viewer.sight.looked(LOOKING.get(), Audience.RIGHTS)
        return self._viewer

    @viewer.setter
    def viewer(self, viewer: Any) -> None:
        self._viewer = viewer


class NoticingLoaders(Viewed, Loaders):
    pass


class NoticingContext(Viewed, Context):
    def renew(self) -> None:
        self.loaders = NoticingLoaders(self.viewer, self.clock)

    def __getattribute__(self, name: str) -> Any:
        if name in ("request", "response"):
            self.viewer.sight.looked(LOOKING.get(), Audience.VIEWER)
        return super().__getattribute__(name)


def noticing(context: Context, sight: Sight) -> NoticingContext:
    return NoticingContext(context.clock, context.sources, Noticing(context.viewer, sight))  # type: ignore[arg-type]


# The fields


def reachable(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    """Every object type to which a query, mutation or subscription may come, and that of queries."""
    assert schema.query_type
    found: dict[str, Any] = {schema.query_type.name: schema.query_type}
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    ahead: list[Any] = [field.type for root in roots if root for field in root.fields.values()]
    while ahead:
        kind = get_named_type(ahead.pop())
        if is_abstract_type(kind):
            ahead.extend(schema.get_possible_types(kind))
        elif is_object_type(kind) and kind.name not in found:
            found[kind.name] = kind
            ahead.extend(field.type for field in kind.fields.values())
    return list(found.values())


def fields_of(schema: GraphQLSchema) -> dict[Coordinate, GraphQLField]:
    return {(kind.name, name): field for kind in reachable(schema) for name, field in kind.fields.items()}


def computes(field: GraphQLField) -> bool:
    """What does not is a value that lies ready, the same for whoever comes by it."""
    return not field.extensions["strawberry-definition"].is_basic_field


@contextmanager
def watched(fields: Mapping[Coordinate, GraphQLField], sight: Sight) -> Iterator[None]:
    """Says of each field when it is being run."""

    def saying(coordinate: Coordinate, resolve: Callable[..., Any]) -> Callable[..., Any]:
        async def until(result: Any) -> Any:
            LOOKING.set(coordinate)
            try:
                return await result
            finally:
                LOOKING.set(None)

        def run(root: Any, info: Any, **given: Any) -> Any:
            sight.ran(coordinate)
            LOOKING.set(coordinate)
            try:
                result = resolve(root, info, **given)
            finally:
                LOOKING.set(None)
            return until(result) if isawaitable(result) else result

        return run

    with pytest.MonkeyPatch.context() as patch:
        for coordinate, field in fields.items():
            patch.setattr(field, "resolve", saying(coordinate, field.resolve))  # type: ignore[arg-type]
        yield


def ways() -> dict[str, str]:
    """Documents to each type that computes something."""
    kinds = {kind for (kind, _), field in fields_of(graphql_schema.core).items() if computes(field)}
    demand("ways", kinds, WAYS.keys() | ALONE.keys())
    return {kind: IN_SPRING % WAYS[kind] if kind in WAYS else ALONE[kind] for kind in kinds}


async def looked_at(
    schema: strawberry.Schema,
    ways: Mapping[str, str],
    context: Context,
    arguments: Mapping[str, str] = {},
    **variables: str,
) -> dict[Coordinate, Audience]:
    """What every field that computes something looks at; `arguments` of those that need some."""
    sight = Sight()
    fields = {coordinate: field for coordinate, field in fields_of(schema._schema).items() if computes(field)}
    assert {kind for kind, _ in fields} == set(ways)

    async def first(document: str) -> Any:
        if not document.startswith("subscription"):
            return await schema.execute(document, variables, noticing(context, sight))
        stream: Any = await schema.subscribe(document, variables, noticing(context, sight))
        async with aclosing(stream):
            return await anext(stream)

    with watched(fields, sight):
        for (kind, name), field in fields.items():
            one = f"{name}{arguments.get(f'{kind}.{name}', '')}"
            one += " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
            result = await first(ways[kind] % one)
            assert not result.errors, result.errors
            assert (kind, name) in sight.found, "there is nothing in this town of which to ask it"
    return {coordinate: sight.found[coordinate] for coordinate in fields}


async def untrue(
    schema: strawberry.Schema,
    ways: Mapping[str, str],
    context: Context,
    arguments: Mapping[str, str] = {},
    **variables: str,
) -> dict[Coordinate, tuple[Audience, Audience]]:
    """The mark of each field that says another than what it looks at, and that. A query may begin with one
    that has no mark: that is the viewer's.
    """
    found = await looked_at(schema, ways, context, arguments, **variables)
    root = schema._schema.query_type
    assert root
    return {
        (kind, name): (mark_of(field), seen)
        for (kind, name), field in fields_of(schema._schema).items()
        if mark_of(field) != (seen := found.get((kind, name), Audience.EVERYBODY))
        and not (kind == root.name and AUDIENCE not in field.extensions)
    }


@pytest.fixture
async def lively(house: Any) -> Any:
    """The town, in which resident-1 has a part in everything."""
    for topic in examples().values():
        await topic.participate(house)
    return house


def arguments(house: Any) -> dict[str, str]:
    """Of each field that cannot be asked without."""
    return {name: given(house.town) for name, given in of_all(lambda topic: topic.arguments).items()}


async def asked_for(house: Any) -> dict[str, str]:
    """The variables of the ways."""
    town = house.town
    return {
        "party": town.id("OwnerParty", "spring/resident-1"),
        "spring": town.id("Community", "spring"),
        "start": JournalCursors(await mark(), town.key("Community", "spring")).cursor(0),
    }


async def test_every_mark_is_true(lively: Any) -> None:
    context = await lively.context("spring/resident-1")
    assert await untrue(graphql_schema, ways(), context, arguments(lively), **await asked_for(lively)) == {}


async def test_the_way_of_looking_sees_what_there_is(lively: Any) -> None:
    """Not everything is for everybody; else nothing was noticed."""
    context = await lively.context("spring/resident-1")
    found = await looked_at(graphql_schema, ways(), context, arguments(lively), **await asked_for(lively))
    marked = {f"{kind}.{name}" for (kind, name), audience in found.items() if audience is Audience.VIEWER}
    demand("by_viewer", marked, BY_VIEWERS)
    assert marked >= BY_VIEWERS
    assert {"Vote.viewerEntries", "Event.viewerSignUp"} <= marked
    assert {("BulletinItem", "subject"), ("Community", "ledger"), ("Entry", "authorityVote")} <= {
        coordinate for coordinate, audience in found.items() if audience is Audience.RIGHTS
    }


# Marks that are not true


@strawberry.interface
class Thing:
    @strawberry.field
    def secret(self, info: Info) -> str:
        return ""


@strawberry.type
class Plant(Thing):
    ready: str = "the same"

    @strawberry.field
    def same(self, info: Info) -> str:
        return str(info.context.now)

    @strawberry.field(metadata=BY_RIGHTS)
    def by_rights(self, info: Info) -> bool:
        return not isinstance(info.context.viewer, Person | Rights) or 1 in info.context.viewer.roles

    @strawberry.field(metadata=BY_VIEWER)
    def by_viewer(self, info: Info) -> str:
        return info.context.viewer.name

    @strawberry.field(metadata=BY_VIEWER)
    def secret(self, info: Info) -> str:
        return str(info.context.request or "")

    @strawberry.field
    def unmarked(self, info: Info) -> bool:
        return account_of(info.context.viewer) is None

    @strawberry.field
    async def unmarked_through_a_loader(self, info: Info) -> bool:
        return await info.context.loaders.rows(NOTICE).load(1) is None

    @strawberry.field(metadata=BY_RIGHTS)
    async def own_though_marked_by_rights(self, info: Info) -> bool:
        return await info.context.loaders.own_sign_ups.load(1) is None

    @strawberry.field(metadata=BY_RIGHTS)
    def compares(self, info: Info) -> bool:
        return account_of(info.context.viewer) == 7

    @strawberry.field(metadata=BY_RIGHTS)
    def marked_for_nothing(self) -> str:
        return "the same"

    @strawberry.field(metadata=BY_VIEWER)
    def marked_too_much(self, info: Info) -> bool:
        return bool(info.context.viewer.scopes)

    @strawberry.field
    def thing(self) -> Thing:
        return self


@strawberry.type
class Query:
    @strawberry.field
    def plant(self) -> Plant:
        return Plant()

    @strawberry.field(metadata=BY_RIGHTS)
    def shared(self, info: Info) -> Plant:
        assert info.context.viewer
        return Plant()

    @strawberry.field(metadata=FOR_ALL)
    def always(self) -> str:
        return "the same"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def plant(self) -> AsyncGenerator[Plant, None]:
        yield Plant()


planted = type(graphql_schema)(query=Query, subscription=Subscription)  # a stock one would change ours


async def test_a_mark_that_is_not_true_is_found(house: Any) -> None:
    ways = {"Plant": "{ plant { %s } }", "Query": "{ %s }"}
    found = await untrue(planted, ways, await house.context("spring/resident-1"))
    everybody, rights, viewer = Audience
    assert {name: seen for (_, name), seen in found.items()} == {
        "unmarked": (everybody, rights),
        "unmarkedThroughALoader": (everybody, rights),
        "ownThoughMarkedByRights": (rights, viewer),
        "compares": (rights, viewer),
        "markedForNothing": (rights, everybody),
        "markedTooMuch": (viewer, rights),
    }


async def test_a_field_that_could_not_be_asked_is_found(house: Any) -> None:
    """Here nobody has voted or signed up yet."""
    context = await house.context("spring/resident-1")
    with pytest.raises(AssertionError, match="nothing in this town"):
        await untrue(graphql_schema, ways(), context, arguments(house), **await asked_for(house))


# Documents


@pytest.mark.parametrize(
    ("document", "audience"),
    [
        ("{ plant { ready same } }", Audience.EVERYBODY),
        ("{ plant { __typename thing { __typename } } }", Audience.EVERYBODY),
        ("{ plant { ready byRights } }", Audience.RIGHTS),
        ("{ plant { byViewer byRights } }", Audience.VIEWER),
        ("{ plant { more: byRights @skip(if: true) } }", Audience.RIGHTS),
        ("{ plant { thing { ... { ...A } } } } fragment A on Plant { byRights }", Audience.RIGHTS),
        ("{ plant { ...A } } fragment A on Plant { ...B } fragment B on Plant { byViewer }", Audience.VIEWER),
        ("{ plant { thing { secret } } }", Audience.VIEWER),
        ("{ plant { thing { ... on Thing { secret } } } }", Audience.VIEWER),
    ],
)  # fmt: skip
def test_a_document_is_for_those_of_its_widest_mark(document: str, audience: Audience) -> None:
    """Of an interface's field: of what may stand there."""
    assert audience_of(planted._schema, parse(f"subscription {document}")) is audience


@pytest.mark.parametrize(
    ("document", "audience"),
    [
        ("{ plant { ready } }", Audience.VIEWER),
        ("{ shared { ready } }", Audience.RIGHTS),
        ("{ shared { ready } always }", Audience.RIGHTS),
        ("{ always }", Audience.EVERYBODY),
        ("{ always plant { ready } }", Audience.VIEWER),
        ("{ shared { byViewer } }", Audience.VIEWER),
        ("{ ...A } fragment A on Query { plant { ready } }", Audience.VIEWER),
        ("{ always __schema { description } }", Audience.VIEWER),
        ("{ always __typename }", Audience.VIEWER),
    ],
)  # fmt: skip
def test_what_a_query_begins_with_is_the_viewers_unless_it_is_marked(
    document: str, audience: Audience
) -> None:
    assert audience_of(planted._schema, parse(document)) is audience
