"""What each topic gives to the tests that ask the same of all: its `EXAMPLES`, in `tests/topics/<topic>.py`.

Whoever adds a topic writes that one file. What is left out of it is said by the test that lacks it, by name.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from graphql import GraphQLNamedType, is_introspection_type, is_object_type

from community.permissions import Permission, Person, Role
from schema.schema import graphql_schema
from schema.topics import TOPICS

K = TypeVar("K")
V = TypeVar("V")

FOLDER = Path(__file__).with_name("topics")

Variables: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class MutationExample:
    """`given`: what is asked for, the id of its subject first; `same`: the same otherwise written; `other`:
    something else each. `once`: what was done cannot be done again.
    """

    query: str
    who: str
    given: Variables
    same: list[Variables]
    other: list[Variables]
    once: bool = False


@dataclass(frozen=True)
class Read:
    """`text` with ids in braces; the field that is meant stands at `path`, in dots, below the first one.

    `eligibility`: the field says by a code whether an action passes the door. `live`: the first field is one
    of Subscription.
    """

    text: str
    path: str = ""
    eligibility: bool = False
    live: bool = False


@dataclass(frozen=True)
class ListExample:
    """A list below a community, `ledger { entries`, with its filter and the community that is asked."""

    path: str
    filter: str = ""
    slug: str = "spring"


@dataclass(frozen=True)
class Ground:
    """A community in which everything is asked for, spring or quiet; `owner` owns a unit there."""

    house: Any
    slug: str
    community: int
    owner: Person


@dataclass(frozen=True)
class Plenty:
    """A community to which a thing more is added of each kind, in which `resident` has a part."""

    now: datetime
    community: int
    committee: int
    organizers: Collection[int]
    resident: Person


Violation: TypeAlias = tuple[str, tuple[str, str, dict[str, Any]]]
"""The name of a promise of the database, and a statement that breaks it (`community/database/breaking.py`).
"""

TextInput: TypeAlias = Callable[[Any, str], Awaitable[object]]
"""Takes a `Poll` and a text, and brings it into the database as somebody's words."""


async def _nothing(*_: Any) -> Any:
    return {}


@dataclass(frozen=True, kw_only=True)
class Examples:
    """All of one topic. What a topic lacks by its nature it leaves out."""

    # Permissions

    permissions: Mapping[Permission, Collection[Role]] = field(default_factory=dict)
    """Who has it by a role; the operator has all."""

    # The database

    furnish: Callable[[Any, Any, datetime], Awaitable[Any]] = _nothing
    """Of (estate, build, now): a valid row in each table of the topic."""
    violations: Collection[Violation] = ()
    """What each check and trigger of its migrations refuses."""
    others: Mapping[str, str] = field(default_factory=dict)
    """`Other` ids for these statements: queries of one `id` each."""
    fresh: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By table, what a new row leaves to the database."""
    lives: Mapping[str, str] = field(default_factory=dict)
    """The tables that keep their steps (`guards_of_steps`), and where."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """The tables that keep what they said (`guards_of_versions`), and where."""
    unindexed: Collection[str] = ()
    """References, `table.column`, by which nothing is looked up, to what is never deleted."""
    texts: Mapping[str, TextInput] = field(default_factory=dict)
    """By `table.column`: how somebody's words come into it."""
    longest: Mapping[str, int] = field(default_factory=dict)
    """Of those with line breaks, which no column bounds."""
    ours: Mapping[str, str] = field(default_factory=dict)
    """The columns that nobody's words reach, and why."""

    # The town (`tests/world/town.py`)

    settle: Callable[[Any, str], Awaitable[Any]] = _nothing
    """Of (builder, slug): things of the topic in spring and in quiet, under names in `builder.keys`."""
    participate: Callable[[Any], Awaitable[Any]] = _nothing
    """Of the house: resident-1 of spring does what makes fields of the topic answer."""
    enrich: Callable[[Plenty], Awaitable[Any]] = _nothing
    """One more of each thing that may be many."""

    # The schema

    nodes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By kind, the name of one in spring and of one in quiet: seen by all who read there."""
    own_nodes: Collection[str] = ()
    """The kinds of which each sees only its own."""
    mutations: Mapping[str, Callable[[Any], Awaitable[MutationExample]]] = field(default_factory=dict)
    ids: Callable[[Ground], Awaitable[Mapping[str, str]]] = _nothing
    """What stands in braces below, in this community; nobody but `owner` did anything there."""
    reads: Mapping[str, Read] = field(default_factory=dict)
    """Each root field, each field that is not the same for everybody, each node."""
    doors: Mapping[str, str] = field(default_factory=dict)
    """Each mutation, so that whoever passes the door is refused by a rule behind it, or changes nothing."""
    watches: Mapping[str, str] = field(default_factory=dict)
    """Each subscription."""
    live: Collection[str] = ()
    """What `facts.py` declares as State or Journal, by its `topic`."""
    by_viewer: Collection[str] = ()
    """The fields, `Vote.receipt`, that answer each viewer otherwise and are reached by a subscription."""
    ways: Mapping[str, str] = field(default_factory=dict)
    """Below a community, how many of each type are come by that computes something."""
    ways_to_one: Mapping[str, str] = field(default_factory=dict)
    """The same of types of which an answer holds one: whole documents."""
    arguments: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    """Of the town: those without which a field cannot be asked for, in brackets."""
    by_key: Mapping[str, Callable[[Any], list[str]]] = field(default_factory=dict)
    """Of the town: arguments by which a root field finds one thing each."""
    pages: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Fields with `first`: the way to them below a community, and what is selected of them."""
    lists: Mapping[str, ListExample] = field(default_factory=dict)
    """Those with cursors, of each filter and of two communities."""
    dearest: Mapping[str, str] = field(default_factory=dict)
    """Documents that ask for as much as they can."""


@cache
def examples() -> dict[str, Examples]:
    """By topic, in the order of `schema/topics.py`: a later one may use what an earlier one made."""
    names = [topic.__name__.rpartition(".")[2] for topic in TOPICS]
    return {
        name: import_module(f"tests.topics.{name}").EXAMPLES
        for name in names
        if (FOLDER / f"{name}.py").exists()
    }


def of_all(table: Callable[[Examples], Mapping[K, V]]) -> dict[K, V]:
    """What all topics say in one table. Raises ValueError where two of them say it."""
    found: dict[K, V] = {}
    for topic, each in examples().items():
        said = table(each)
        if both := found.keys() & said.keys():
            raise ValueError(f"{both} is said by {topic}, and by a topic before it")
        found |= said
    return found


def every(items: Callable[[Examples], Iterable[V]]) -> list[V]:
    return [item for each in examples().values() for item in items(each)]


def permissions_of(role: Role) -> set[Permission]:
    """As the topics say, and not as the grants do."""
    if role is Role.OPERATOR:
        return set(Permission)
    return {one for one, roles in of_all(lambda topic: topic.permissions).items() if role in roles}


# Saying what was forgotten


def lacking(table: str, wanted: Iterable[str], given: Collection[str]) -> list[str]:
    """A sentence for each that is wanted in this table of the examples: the name of a type, of a field
    (`Vote.tally`), of a root field or of a column (`vote.title`).
    """
    return [
        f"topic {(topic := topic_of(name))} gives no example of {name}: `{table}` in tests/topics/{topic}.py"
        for name in wanted
        if name not in given
    ]


def demand(table: str, wanted: Iterable[str], given: Collection[str], *, otherwise: str = "") -> None:
    """Raises AssertionError, with these sentences alone; `otherwise`: where else it may stand."""
    if said := lacking(table, wanted, given):
        raise AssertionError("\n".join([*said, *filter(None, [otherwise])]))


def topic_of(name: str) -> str:
    """Of a type, a field, a root field or a table; what stands above the topics in `schema/` is of places."""
    name = name.removeprefix("node(").removesuffix(")")
    names = {topic.__name__: topic.__name__.rpartition(".")[2] for topic in TOPICS}
    return names.get(_homes().get(name, ""), _tables().get(name.partition(".")[0], "places"))


@cache
def _homes() -> dict[str, str]:
    """The module of each type and field."""
    core, found = graphql_schema.core, {}
    roots: set[GraphQLNamedType | None] = {core.query_type, core.mutation_type, core.subscription_type}
    for kind in core.type_map.values():
        if is_object_type(kind) and not is_introspection_type(kind):
            found[kind.name] = kind.extensions["strawberry-definition"].origin.__module__
            for name, each in kind.fields.items():
                home = each.extensions["strawberry-definition"].origin.__module__
                found[name if kind in roots else f"{kind.name}.{name}"] = home
    return found


@cache
def _tables() -> dict[str, str]:
    """The topic of each table."""
    return {
        model._meta.db_table: path.parent.name
        for path in (FOLDER.parents[1] / "community").glob("*/models.py")
        for model in vars(import_module(f"community.{path.parent.name}.models")).values()
        if hasattr(model, "_meta") and model.__module__ == f"community.{path.parent.name}.models"
    }
