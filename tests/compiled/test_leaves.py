from enum import Enum
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInt, GraphQLScalarType, GraphQLString, specified_scalar_types
from graphql.pyutils import Undefined

from compiled import leaves
from compiled.classes import OrdinaryClasses, Surprise
from compiled.leaves import UNUSUAL, Leaf
from tests.compiled.both import Soon, named


class Color(Enum):
    RED = "r"
    BLUE = "b"


COLOR = GraphQLEnumType("Color", {**{each.name: each for each in Color}, "GREEN": "g"})


def test_every_scalar_of_the_specification_has_a_test_of_what_is_usual() -> None:
    assert set(UNUSUAL) == {kind.coerce_output_value for kind in specified_scalar_types.values()}


@pytest.mark.parametrize("kind", specified_scalar_types.values(), ids=str)
@pytest.mark.parametrize(
    "value",
    ["", "x", 0, 1, -(2**31), 2**31 - 1, 2**31, True, 0.5, 4.0, float("nan"), float("-inf"), None, b""],
    ids=named,
)
def test_what_is_usual_stays_as_it_is(kind: GraphQLScalarType, value: Any) -> None:
    unusual = eval(UNUSUAL[kind.coerce_output_value].format("value"))  # noqa: S307
    assert unusual or kind.coerce_output_value(value) is value


@pytest.mark.parametrize("value", [None, Undefined, ValueError(), Soon(1)], ids=named)
def test_what_is_no_value_is_a_surprise(value: Any) -> None:
    with pytest.raises(Surprise):
        Leaf(GraphQLString, OrdinaryClasses()).complete(value)


@pytest.mark.parametrize("made", [None, Undefined, ValueError(), Soon(1)], ids=named)
def test_so_is_what_a_scalar_makes_of_one(made: Any) -> None:
    leaf = Leaf(GraphQLScalarType("Odd", coerce_output_value=lambda _: made), OrdinaryClasses())
    with pytest.raises(Surprise):
        leaf.complete("x")


def test_what_a_scalar_refuses_is_raised() -> None:
    with pytest.raises(Exception, match="non-integer"):
        Leaf(GraphQLInt, OrdinaryClasses()).complete("x")
    assert Leaf(GraphQLInt, OrdinaryClasses()).complete("5") == 5


def test_members_are_found_by_what_they_are() -> None:
    leaf = Leaf(COLOR, OrdinaryClasses())
    assert leaf.complete_member(Color.RED) == "RED"
    assert leaf.names == {id(Color.RED): "RED"}
    with pytest.raises(Exception, match="cannot represent"):
        leaf.complete_member("purple")
    assert leaf.complete_member("g") == "GREEN"
    assert leaf.names == {id(Color.RED): "RED"}


def test_only_so_many_members_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaves, "MOST_MEMBERS", 1)
    leaf = Leaf(COLOR, OrdinaryClasses())
    assert [leaf.complete_member(each) for each in Color] == ["RED", "BLUE"]
    assert len(leaf.names) == 1
