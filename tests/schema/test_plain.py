"""Which fields of our schema are compiled."""

import subprocess
from operator import getitem
from pathlib import Path
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, is_non_null_type
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig

from compiled import CLASS, IGNORES_INFO, LOADED, PLAIN, Loaded, Plain
from realtime.syntax import parse
from schema.executor import AcyclicExecutor, CompletingExecutor
from schema.nodes import NODES, to_id
from schema.plain import mark_plain
from schema.schema import graphql_schema, schema_of, uncompiled_schema
from schema.strawberry_privates import OpenSchema
from tests.compiled.both import Core, Ours, executed

ROOT = Path(__file__).parents[2]
CORE = graphql_schema.core


LOADED_FIELDS = [
    f"{kind.name}.{name}"
    for kind in CORE.type_map.values()
    if isinstance(kind, GraphQLObjectType)
    for name, field in kind.fields.items()
    if LOADED in field.extensions
]


def field_of(name: str) -> GraphQLField:
    kind, field = name.split(".")
    found: GraphQLField = CORE.type_map[kind].fields[field]  # type: ignore[attr-defined]
    return found


def plain_of(name: str) -> Plain | None:
    found = field_of(name).extensions.get(PLAIN)
    assert found is None or isinstance(found, Plain)
    return found


def test_what_reads_an_attribute_is_marked_with_its_path() -> None:
    for name, path in {
        "Weight.heads": ("heads",),
        "QuestionTally.moment": ("sequence",),
        "Entry.number": ("number",),
        "Entry.amount": ("amount",),
        "Entry.recordedBy": ("recorded_for",),
        "SignUp.madeByViewer": ("own",),
        "BallotReceipt.answers": ("answers",),
        "Viewer.account": ("account",),
        "VoteConnection.pageInfo": ("page_info",),
        "VoteEdge.cursor": ("cursor",),
    }.items():
        plain = plain_of(name)
        assert plain, name
        assert plain.path == path


def test_a_function_of_a_row_is_called() -> None:
    plain = plain_of("EntryLimits.income")
    assert plain
    assert (plain.path, plain.in_context) == ((), False)


def test_an_id_is_made_of_the_key_of_a_row() -> None:
    plain = plain_of("BallotReceipt.id")
    assert plain
    assert plain.path == ("id",)
    assert plain.through
    assert plain.through(7) == to_id("Ballot", 7)


def test_what_follows_from_a_row_and_the_context_is_called_with_both() -> None:
    for name in ("Vote.status", "Vote.rules", "BallotReceipt.code", "Event.attendance"):
        plain = plain_of(name)
        assert plain, name
        assert (plain.path, plain.in_context) == ((), True)


def test_what_a_loader_brings_is_marked_with_its_key() -> None:
    for name, path in {
        "Vote.convener": ("convener_id",),
        "Vote.questions": ("id",),
        "Entry.reversedBy": ("reversed_by",),
        "Notice.organization": ("organization",),
    }.items():
        loaded = field_of(name).extensions.get(LOADED)
        assert isinstance(loaded, Loaded), name
        assert loaded.key.path == path
        assert plain_of(name) is None


def test_only_what_may_be_missing_is_null_where_nothing_is_found() -> None:
    """Else a compiled answer would have null where the resolver says NOT_FOUND."""
    for name in LOADED_FIELDS:
        loaded, field = field_of(name).extensions[LOADED], field_of(name)
        assert loaded.resolver is field.resolve, name
        assert loaded.optional is not is_non_null_type(field.type), name


def test_what_waits_or_takes_arguments_is_left_to_graphql_core() -> None:
    for name in ("Vote.tally", "Entry.balance", "Community.votes", "Mutation.signUp", "BulletinItem.subject"):
        assert plain_of(name) is None, name
        assert LOADED not in field_of(name).extensions, name
    assert CORE.subscription_type
    for name in CORE.subscription_type.fields:
        assert plain_of(f"Subscription.{name}") is None


def test_types_are_told_apart_by_their_classes() -> None:
    kinds = [kind for kind in CORE.type_map.values() if not kind.name.startswith("__")]
    for kind in kinds:
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            assert kind.extensions[IGNORES_INFO], kind
    marked = {kind.name: kind.extensions[CLASS] for kind in kinds if CLASS in kind.extensions}
    node = CORE.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    nodes = {each.__strawberry_definition__.name: each.row for each in NODES.values()}  # type: ignore[attr-defined]
    assert marked == nodes
    assert {kind.name for kind in CORE.get_possible_types(node)} == set(nodes)
    assert len(set(marked.values())) == len(marked), "a class of rows is of one type"


def test_nothing_of_ours_is_cast() -> None:
    """Else a very instance of a class might be meant as another type."""
    found = subprocess.run(
        ["git", "grep", "-lE", r"strawberry\.cast|TYPE_CAST|__as_strawberry_type__", "--", "schema", "api"],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert found.stdout == ""


def test_one_setting_takes_it_away() -> None:
    assert schema_of(compiled=True) is graphql_schema
    assert schema_of(compiled=False) is uncompiled_schema
    assert uncompiled_schema.execution_context_class is AcyclicExecutor
    assert not issubclass(AcyclicExecutor, CompletingExecutor)
    assert uncompiled_schema.core is CORE
    assert uncompiled_schema.prepared is graphql_schema.prepared


class Deny(BasePermission):
    message = "no"

    def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        return False


@strawberry.interface
class Told:
    """Tells by itself of which type it is."""

    id: str

    @classmethod
    def resolve_type(cls, *_: Any) -> str:
        return "Thing"


@strawberry.type
class Thing(Told):
    name: str
    denied: str | None = strawberry.field(permission_classes=[Deny])

    @classmethod
    def is_type_of(cls, *_: Any) -> bool:
        return True

    @strawberry.field
    def method(self) -> str:
        return self["name"]  # type: ignore[index, no-any-return]

    @strawberry.field
    def asking(self, info: strawberry.Info) -> str:
        return str(info.field_name)

    @strawberry.field
    def given(self, more: int = 1) -> int:
        return more

    @strawberry.field
    def parent_of(self, parent: strawberry.Parent[Any]) -> str:
        return str(parent["name"])

    @strawberry.field
    async def later(self) -> str:
        return "later"

    @strawberry.field
    @staticmethod
    def fixed() -> str:
        return "fixed"


@strawberry.type
class Asked:
    @strawberry.field
    def thing(self) -> Thing:
        return {"id": "a", "name": "n", "denied": "d"}  # type: ignore[return-value]


async def test_whatever_strawberry_does_with_a_field_is_left_to_it() -> None:
    schema = OpenSchema(query=Asked, types=[Thing], config=StrawberryConfig(default_resolver=getitem))
    mark_plain(schema.core)
    kind = schema.core.type_map["Thing"]
    assert isinstance(kind, GraphQLObjectType)
    assert {name for name, field in kind.fields.items() if PLAIN in field.extensions} == {
        "id",
        "name",
        "method",
    }
    assert not kind.extensions.get(IGNORES_INFO)
    assert CLASS not in kind.extensions
    assert not schema.core.type_map["Told"].extensions[IGNORES_INFO]
    document = parse("{thing{id name method denied asking given parentOf later fixed}}")
    answers = [await executed(by, schema.core, document, Asked()) for by in (Core, Ours)]
    assert repr(answers[0]) == repr(answers[1])
    assert answers[0].data
    assert answers[0].data["thing"]["later"] == "later"
