"""What is seen below a field before it is resolved."""

from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from strawberry.extensions import DisableValidation
from strawberry.types import Info

from community.ledger.reads import _ENTRIES as ENTRIES
from schema import ahead
from schema.ahead import selected_in
from schema.fields import BROUGHT
from schema.ledger import _DEAR
from schema.schema import graphql_schema
from schema.strawberry_privates import OpenSchema

looked_ahead = list[frozenset[str]]()


@strawberry.type
class Leaf:
    a: int = 1
    second_name: int = 2
    deep: "Leaf | None" = None


@strawberry.type
class Edge:
    cursor: str = "x"

    @strawberry.field
    def node(self) -> Leaf:
        return Leaf()


@strawberry.type
class Page:
    @strawberry.field
    def edges(self) -> list[Edge]:
        return [Edge()]

    @strawberry.field
    def next(self) -> "Page":
        return Page()


@strawberry.type
class Query:
    @strawberry.field
    def page(self, info: Info) -> Page:
        looked_ahead.append(selected_in(info, "edges", "node"))
        looked_ahead.append(selected_in(info))
        return Page()


def a_context() -> Any:
    return SimpleNamespace(loaders=SimpleNamespace(ahead={}))


SCHEMA = OpenSchema(query=Query, extensions=[DisableValidation])
"""Not all fragments are used by all."""

FRAGMENTS = "fragment F on Page { edges { node { a } } } fragment L on Leaf { a deep { secondName } }"


@pytest.mark.parametrize(
    ("below", "node", "page"),
    [
        ("edges { node { a } }", {"a"}, {"edges"}),
        ("edges { node { a secondName } cursor }", {"a", "secondName"}, {"edges"}),
        ("x: edges { y: node { z: a } }", {"a"}, {"edges"}),
        ("edges { node { a } } more: edges { node { secondName } }", {"a", "secondName"}, {"edges"}),
        ("edges { node { a } node { secondName } }", {"a", "secondName"}, {"edges"}),
        ("...F", {"a"}, {"edges"}),
        ("... { edges { ... on Edge { node { ...L } } } }", {"a", "deep"}, {"edges"}),
        ("edges { node { deep { secondName } } }", {"deep"}, {"edges"}),
        ("edges { node { a @skip(if: true) secondName @include(if: $no) } }", {"a", "secondName"}, {"edges"}),
        ("edges { node @skip(if: $no) { a } }", {"a"}, {"edges"}),
        ("edges { cursor }", set(), {"edges"}),
        ("next { edges { cursor } }", set(), {"next"}),
        ("edges { node { a } } next { edges { node { deep { a } } } }", {"a"}, {"edges", "next"}),
        ("a: __typename", set(), {"__typename"}),
        ("edges { __typename node { __typename } }", {"__typename"}, {"edges"}),
    ],
)
def test_names_of_fields_at_the_end_of_a_path(below: str, node: set[str], page: set[str]) -> None:
    """At the least those that will be asked for, whatever the variables are."""
    looked_ahead.clear()
    text = f"query($no: Boolean = false) {{ page {{ {below} }} }} {FRAGMENTS}"
    result = SCHEMA.execute_sync(text, context_value=a_context())
    assert not result.errors
    assert looked_ahead == [frozenset(node), frozenset(page)]


def test_a_field_under_several_names_is_looked_at_for_each_by_itself() -> None:
    looked_ahead.clear()
    text = "{ p: page { edges { node { a } } } q: page { edges { cursor } } }"
    assert not SCHEMA.execute_sync(text, context_value=a_context()).errors
    assert looked_ahead[::2] == [frozenset({"a"}), frozenset()]


def test_a_field_that_is_merged_shows_all_that_is_below() -> None:
    looked_ahead.clear()
    text = "{ page { edges { node { a } } } page { edges { node { secondName } } } }"
    assert not SCHEMA.execute_sync(text, context_value=a_context()).errors
    assert looked_ahead == [frozenset({"a", "secondName"}), frozenset({"edges"})]


async def test_of_many_it_is_looked_for_once(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, real = 0, ahead._at_the_end

    def looking(info: Any, path: tuple[str, ...]) -> frozenset[str]:
        nonlocal looked
        looked += 1
        return real(info, path)

    monkeypatch.setattr(ahead, "_at_the_end", looking)
    entries = (
        "ledger { x: entries(first: 1) { edges { node { number } } } entries(first: 0) { edges { cursor } } }"
    )
    found = await house.ask(f"{{ communities {{ edges {{ node {{ {entries} }} }} }} }}", "quiet/resident-1")
    assert len(found["communities"]["edges"]) > 1
    assert looked == 2


def test_every_field_of_an_entry_that_is_dear_says_so() -> None:
    computed = set(ENTRIES._computed)
    fields = graphql_schema.core.type_map["Entry"].fields
    dear = {
        name
        for name, field in fields.items()
        if {(said := field.extensions["strawberry-definition"]).python_name, *_keys(said)} & computed
    }
    assert dear == _DEAR.keys()
    assert computed == set(_DEAR.values())


def _keys(said: Any) -> set[str]:
    brought = said.metadata.get(BROUGHT)
    return {brought.key} if brought else set()
