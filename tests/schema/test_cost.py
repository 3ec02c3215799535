# ruff: noqa: E501
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    build_schema,
    get_nullable_type,
    is_introspection_type,
    is_list_type,
    is_object_type,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from community.errors import TooCostly
from realtime.broker import MemoryBroker
from realtime.sources import LiveSources
from schema.context import Context
from schema.cost import (
    INTROSPECTION,
    LEAF,
    MOST_COST,
    MOST_STATEMENTS,
    OBJECT,
    STATEMENT,
    WRITE,
    Cost,
    Costing,
    Price,
    Unknown,
    check_cost,
    price_of,
    put_prices,
)
from schema.ledger import BOOK
from schema.limits import TooLarge, fragments_in, operations_in
from schema.prepared import prepare
from schema.schema import PRICES, graphql_schema
from tests.schema.asked import page_operations

SCHEMA = build_schema("""
  type Query { one: Thing  list(first: Int = 20): [Thing!]!  page(first: Int = 20): Page!  any: Any }
  type Page { edges: [Edge!]!  more: Boolean }
  type Edge { node: Thing! }
  interface Any { name: String }
  type Thing implements Any { name: String  size: Int  page(first: Int = 10): Page! }
""")


def cost(text: str) -> Cost:
    document = parse(text)
    (operation, *_) = operations_in(document)
    return Costing(SCHEMA, fragments_in(document)).of(operation)


def price(text: str, **variables: Any) -> float:
    return cost(text).of(variables)


def test_what_is_asked_once_costs_what_its_fields_cost() -> None:
    assert price("{one{name size}}") == OBJECT + 2 * LEAF


@pytest.mark.parametrize(
    ("asked", "size"), [("", 20), ("(first: 3)", 3), ("(first: 0)", 0), ("(first: null)", 20)]
)
def test_a_list_costs_as_often_as_it_may_have_items(asked: str, size: int) -> None:
    assert price(f"{{list{asked}{{name}}}}") == size * (OBJECT + LEAF)
    assert price(f"{{page{asked}{{edges{{node{{name}}}} more}}}}") == OBJECT + LEAF + size * (
        2 * OBJECT + LEAF
    )


@pytest.mark.parametrize(
    "asked", ["-5", "101", "9999999999", "99999999999999999999", "1.5", '"x"', "[1]", "{a: 1}"]
)
def test_a_size_that_will_be_refused_costs_no_more_than_the_largest(asked: str) -> None:
    assert 0 <= price(f"{{list(first: {asked}){{name}}}}") <= price("{list(first: 100){name}}")


def test_lists_within_lists_multiply() -> None:
    inner = "page(first: 30){edges{node{name}}}"
    assert price(f"{{list(first: 50){{{inner}}}}}") == 50 * (OBJECT + OBJECT + 30 * (2 * OBJECT + LEAF))


def test_a_size_in_a_variable_is_put_in_for_each_request() -> None:
    found = cost("query($n: Int, $m: Int = 7) {list(first: $n) {page(first: $m) {edges {node {name}}}}}")
    one = 2 * OBJECT + LEAF
    assert found.of({"n": 2, "m": 3}) == 2 * (OBJECT + OBJECT + 3 * one)
    assert found.of({"n": 2}) == 2 * (OBJECT + OBJECT + 7 * one)
    assert found.of({}) == 20 * (OBJECT + OBJECT + 7 * one)
    assert found.of({"n": None, "m": None}) == 20 * (OBJECT + OBJECT + 7 * one)


@pytest.mark.parametrize("given", [10**30, -1, float("inf"), float("nan"), "9", [100], {"a": 1}, True])
def test_a_variable_that_will_be_refused_costs_no_more_than_the_largest(given: Any) -> None:
    found = cost("query($n: Int) {list(first: $n) {name}}")
    assert 0 <= found.of({"n": given}) <= found.of({"n": 100})


def test_one_variable_at_two_levels_counts_twice() -> None:
    found = cost("query($n: Int!) {list(first: $n) {page(first: $n) {edges {node {name}}}}}")
    assert found.of({"n": 100}) == pytest.approx(100 * (2 * OBJECT + 100 * (2 * OBJECT + LEAF)))


def test_each_alias_is_counted_and_what_is_merged_is_counted_once() -> None:
    one = price("{one{name}}")
    assert price("{one{name} one{name}}") == one
    assert price("{one{name} ...{one{name}}}") == one
    assert price("{...F one{name}} fragment F on Query {one{name}}") == one
    assert price("{a: one{name} b: one{name}}") == 2 * one
    assert price("{one{a: name} one{b: name}}") == one + LEAF


def test_what_may_stand_on_an_interface_is_added_up() -> None:
    assert price("{any{name ...on Thing{size}}}") == OBJECT + 2 * LEAF


def test_what_is_not_valid_costs_what_can_be_understood() -> None:
    assert price("{nothing{at{all}} one{name}}") == price("{one{name}}")
    assert price("{...on Nobody{name} ...Nowhere one{name}}") == price("{one{name}}")


def test_what_validation_would_compare_for_long_is_refused_before() -> None:
    with pytest.raises(TooLarge):
        cost("{" + "one{" + "name " * 30 + "}" * 1 + ("one{" + "name " * 30 + "} ") * 3 + "}")


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 100)),
    st.lists(st.tuples(st.lists(st.sampled_from("abc"), max_size=3), st.floats(0, 1e6)), max_size=6),
)
def test_a_cost_never_falls_when_a_list_grows(
    variables: Mapping[str, int], terms: list[tuple[list[str], float]]
) -> None:
    found = Cost()
    for names, factor in terms:
        part = Cost({(): factor})
        for name in names:
            outer = Cost()
            outer.add(part, Unknown(name, 20.0))
            part = outer
        found.add(part)
    grown = {name: min(100, size + 1) for name, size in variables.items()}
    assert found.of(grown) >= found.of(variables)


def test_above_the_bound_it_is_refused_in_numbers() -> None:
    check_cost(Cost({(): 10.0}, MOST_STATEMENTS), {}, 10.0)
    with pytest.raises(TooCostly) as refused:
        check_cost(Cost({(): 11.0}), {}, 10.0)
    assert "11" in refused.value.zh
    assert "10" in refused.value.en
    with pytest.raises(TooCostly):
        check_cost(Cost({(): 1.0}, MOST_STATEMENTS + 1), {}, 10.0)


def test_every_price_names_a_field_that_there_is() -> None:
    for name in (*PRICES, *INTROSPECTION):
        type_name, field = name.split(".")
        kind: Any = graphql_schema.core.get_type(type_name)
        assert field in kind.fields
    for name in ("Nothing.size", "Thing.nothing", "Any.name"):
        with pytest.raises(KeyError, match=f"{name} has a price, and is no field"):
            put_prices(deepcopy(SCHEMA), {name: Price()})


def test_a_field_that_reads_has_its_price() -> None:
    roots = (graphql_schema.core.mutation_type, graphql_schema.core.subscription_type)
    unpriced = {
        f"{kind.name}.{name}"
        for kind in graphql_schema.core.type_map.values()
        if is_object_type(kind) and not is_introspection_type(kind) and kind not in roots
        for name, field in kind.fields.items()
        if reads(field) and not price_of(kind, name, field).statements
    }
    assert unpriced == set(), "each wants a line in PRICES, at the end of its module in schema/"


def reads(field: GraphQLField) -> bool:
    resolver = field.extensions["strawberry-definition"].base_resolver
    return resolver is not None and iscoroutinefunction(resolver.wrapped_func)


def fields_of_lists() -> list[tuple[str, GraphQLField]]:
    """Of what may be asked, those that have many and no argument that says how many."""
    return [
        (f"{kind.name}.{name}", field)
        for kind in graphql_schema.core.type_map.values()
        if is_object_type(kind)
        for name, field in kind.fields.items()
        if is_list_type(get_nullable_type(field.type)) and "first" not in field.args and name != "edges"
    ]


def test_every_list_without_an_end_of_its_own_has_a_size() -> None:
    assert {name for name, _ in fields_of_lists()} - {*PRICES, *INTROSPECTION} == {"Query.errorCodes"}


PAGE = page_operations()


@pytest.mark.parametrize("name", PAGE)
def test_our_own_page_asks_for_less_than_half_of_what_may_be_asked(name: str) -> None:
    prepared = prepare(graphql_schema.core, PAGE[name])
    assert not prepared.errors
    found = prepared.cost_of(None)
    assert found
    assert found.of({}) <= MOST_COST / 2
    assert found.statements <= MOST_STATEMENTS * 3 / 4


def test_most_of_our_page_asks_for_less_than_a_tenth() -> None:
    costs = {name: prepare(graphql_schema.core, text).cost_of(None) for name, text in PAGE.items()}
    dear = {name for name, cost in costs.items() if cost and cost.of({}) > MOST_COST / 10}
    assert dear == {"BulletinPage", "CommunitiesPage", "LedgerPage"}


@pytest.mark.parametrize(
    "text",
    [
        "{communities(first: 100){edges{node{votes(first: 100){edges{node{title}}}}}}}",
        "{communities{edges{node{votes{edges{node{" + " ".join(f"t{n}: tally{{version}}" for n in range(30)) + "}}}}}}}",
        "{communities{edges{node{votes{edges{node{community{votes{edges{node{tally{version}}}}}}}}}}}}",
        '{community(slug: "a"){' + " ".join(
            f"b{n}: bulletin(first: 100){{edges{{node{{subject{{...on Vote{{tally{{version}}}}}}}}}}}}" for n in range(20)
        ) + "}}",
        '{community(slug: "a"){ledger{' + " ".join(
            f"m{n}: months(first: 100){{month categories{{amount}}}}" for n in range(30)
        ) + "}}}",
        '{community(slug: "a"){events(first: 100){edges{node{' + " ".join(f"d{n}: dishes(first: 100)" for n in range(9)) + "}}}}}",
        "{communities(first: 100){edges{node{" + " ".join(f"b{n}: buildings{{name}}" for n in range(9)) + "}}}}",
    ],
)  # fmt: skip
async def test_what_would_keep_the_server_is_too_costly(text: str) -> None:
    result = await graphql_schema.execute(text, context_value=context())
    (error,) = result.errors or ()
    assert error.extensions
    assert error.extensions["code"] == "TOO_COSTLY"
    assert result.data is None


DEAR = "{communities(first: 100){edges{node{votes(first: 100){edges{node{title}}}}}}}"


@pytest.mark.parametrize(
    "text",
    [
        f"query A{DEAR} query B{{errorCodes}}",
        f"query B{{errorCodes}} query A{DEAR}",
        f"query A{{...F}} fragment F on Query{DEAR} mutation B{{__typename}}",
        'subscription A{voteProgress(voteId: "a"){version}} subscription B{voteProgress(voteId: "a"){version}}',
    ],
)
@pytest.mark.parametrize("name", [None, ""])
async def test_of_several_operations_none_is_run_without_its_name(text: str, name: str | None) -> None:
    """Nobody would have looked at what it costs."""
    result = await graphql_schema.execute(text, context_value=context(), operation_name=name)
    watched = await graphql_schema.subscribe(text, context_value=context(), operation_name=name)
    for found in (result, await anext(watched)):
        (error,) = found.errors or ()
        assert "Must provide operation name" in error.message
        assert found.data is None


def test_what_is_written_counts_each_time_that_it_is_written() -> None:
    write = 'reverseEntry(entryId: "x", reason: "y") { id }'
    for most in (1, 4):
        text = "mutation {" + " ".join(f"a{number}: {write}" for number in range(most)) + "}"
        found = prepare(graphql_schema.core, text).cost_of(None)
        assert found
        assert found.statements == most * WRITE <= MOST_STATEMENTS
    every = graphql_schema.core.mutation_type
    assert every
    for name, field in every.fields.items():
        assert price_of(every, name, field).statements == WRITE, name


def test_a_book_is_walked_once_for_all_that_are_asked_at_one_level() -> None:
    def asked(ledger: str, **variables: Any) -> float:
        text = '{community(slug: "a"){ledger{' + ledger + "}}}"
        found = prepare(graphql_schema.core, text).cost_of(None)
        assert found
        return found.of(variables)

    page = "entries(first: %s){edges{node{number reverses{number %s}}}}"
    for size in (1, 100):
        assert asked(page % (size, "balance")) - asked(page % (size, "")) == BOOK + STATEMENT + size * LEAF
    two = asked("a: entry(number: 1){balance} b: entry(number: 2){balance}")
    one = asked("entry(number: 1){balance}") - asked("__typename")
    assert one > BOOK + 2 * STATEMENT
    assert two - asked("__typename") >= 2 * one - BOOK - STATEMENT


async def test_a_variable_decides_whether_it_is_too_costly() -> None:
    text = "query($n: Int) {communities(first: 5) {edges {node {votes(first: $n) {edges {node {tally {version}}}}}}}}"
    cost = prepare(graphql_schema.core, text).cost_of(None)
    assert cost
    check_cost(cost, {"n": 5}, MOST_COST)
    with pytest.raises(TooCostly):
        check_cost(cost, {"n": 100}, MOST_COST)


def context() -> Context:
    def clock() -> datetime:
        return datetime(2026, 5, 1, tzinfo=UTC)

    return Context(clock, LiveSources(MemoryBroker()))
