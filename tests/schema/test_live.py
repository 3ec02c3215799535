"""No subscription without a declaration: what a live field shows is declared in `community/`."""

from typing import Any

import pytest
from graphql import GraphQLID, GraphQLNonNull, GraphQLString, get_named_type
from strawberry.utils.str_converters import to_camel_case

from community.live import Journal, State, Watchable
from realtime.fields import AFTER, LIVE, LiveField
from schema.live import WatchedId
from schema.nodes import to_id
from schema.schema import graphql_schema

ROOT = graphql_schema.core.subscription_type
assert ROOT is not None
FIELDS = ROOT.fields


@pytest.mark.parametrize("name", FIELDS)
def test_each_subscription_field_shows_something_declared(name: str) -> None:
    field = FIELDS[name].extensions[LIVE]
    assert isinstance(field, LiveField)
    assert isinstance(field.declaration, State | Journal)
    assert callable(field.key_of)
    assert callable(field.show)


@pytest.mark.parametrize("name", FIELDS)
def test_a_journal_takes_a_cursor_and_a_state_takes_none(name: str) -> None:
    arguments = FIELDS[name].args
    is_journal = isinstance(FIELDS[name].extensions[LIVE].declaration, Journal)
    assert (AFTER in arguments) is is_journal
    if is_journal:
        assert not isinstance(arguments[AFTER].type, GraphQLNonNull)
        assert arguments[AFTER].default_value is None
        assert get_named_type(arguments[AFTER].type) is GraphQLString
    (id_,) = [argument for name, argument in arguments.items() if name != AFTER]
    assert isinstance(id_.type, GraphQLNonNull)
    assert id_.type.of_type is GraphQLID


@pytest.mark.parametrize("kind", ["Vote", "SignUp", "OwnerParty", "Entry"])
def test_the_argument_of_an_id_is_called_as_the_parameter_behind_it_is_printed(kind: str) -> None:
    watched = WatchedId(kind, "Which.")
    assert to_camel_case(watched.argument) == watched.argument
    assert watched.of({watched.argument: to_id(kind, 5)}) == 5


def test_each_declaration_has_one_field() -> None:
    shown = [field.extensions[LIVE].declaration for field in FIELDS.values()]
    assert len({id(declaration) for declaration in shown}) == len(shown) > 0
    assert all(isinstance(declaration, Watchable) for declaration in shown)


def test_only_subscriptions_are_live() -> None:
    marked: list[Any] = [
        (kind.name, name)
        for kind in graphql_schema.core.type_map.values()
        for name, field in getattr(kind, "fields", {}).items()
        if LIVE in getattr(field, "extensions", {})
    ]
    assert marked == [("Subscription", name) for name in FIELDS]
