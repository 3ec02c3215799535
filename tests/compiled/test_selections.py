"""What compiler and gatherer share: which fields there are, and how one is read."""

from types import SimpleNamespace
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema

from compiled import CLASS, IGNORES_INFO, LOADED, PLAIN, Loaded, Plain, plain_attribute
from compiled.classes import OrdinaryClasses, Surprise
from compiled.program import Program
from compiled.selections import (
    DEEPEST,
    NotCompiled,
    Selections,
    TooLarge,
    TooMuch,
    found_by,
    loaded_of,
    read,
    text,
)
from realtime.syntax import parse
from tests.compiled.both import Core

SCHEMA = build_schema(
    "type Query { a: Int t(x: Int): Query n: N } interface N { s: Int } type A implements N { s: Int }"
)


def selections(most: int = 100, schema: Any = SCHEMA) -> Selections:
    executor = Core.build(schema, parse("{a}"))
    assert isinstance(executor, Core)
    return Selections(executor, OrdinaryClasses(), most)


def run(expression: str, program: Program, v: Any, info: Any = None) -> Any:
    program.line(f"return {expression}")
    return program.function()(v, info)


def test_it_counts_what_it_looked_at() -> None:
    some = selections(5)
    some.take(3)
    assert some.taken == 3
    with pytest.raises(TooMuch):
        some.take(3)
    assert some.taken == 5
    with pytest.raises(TooLarge):
        selections(10**6).take(10**6)


def test_it_goes_only_so_deep() -> None:
    some = selections()

    def down(depth: int) -> int:
        with some.deeper():
            return down(depth + 1)

    with pytest.raises(NotCompiled):
        down(0)
    for _ in range(DEEPEST + 1):
        with some.deeper():
            pass


def test_a_plain_field_is_read_by_path_by_function_or_with_the_context() -> None:
    info, source = SimpleNamespace(context=7), SimpleNamespace(a=SimpleNamespace(b=5))
    program = Program()
    assert run(read(program, Plain(None, len, ("a", "b")), "v"), program, source) == 5
    program = Program()
    assert run(read(program, Plain(None, lambda value: value.a), "v"), program, source) is source.a
    program = Program()
    assert run(read(program, Plain(None, len, ("a", "b"), through=str), "v"), program, source) == "5"
    program = Program()
    both = Plain(None, lambda value, context: (value, context), in_context=True)
    one, two = read(program, both, "v"), read(program, both, "v.a")
    assert run(f"({one}, {two})", program, source, info) == ((source, 7), (source.a, 7))
    assert program.source.count("info.context") == 1, "it is looked up once"


def test_a_field_with_a_resolver_is_read_only_by_a_mark_of_that_resolver() -> None:
    query = SCHEMA.query_type
    assert isinstance(query, GraphQLObjectType)
    field, some = build_schema("type Query { a: Int }").query_type.fields["a"], selections()  # type: ignore[union-attr]
    program = Program()
    assert run(some.reading(program, field, "a", "v"), program, {"a": 4}) == 4
    field.resolve = lambda *_: 1
    for mark in ({}, {PLAIN: Plain(None, len)}, {PLAIN: "plain"}):
        field.extensions = mark
        with pytest.raises(NotCompiled):
            some.reading(Program(), field, "a", "v")
    field.extensions = {PLAIN: plain_attribute(field.resolve, "a")}
    assert some.reading(Program(), field, "a", "v") == "v.a"


def test_a_mark_of_a_loader_is_of_its_resolver() -> None:
    field = build_schema("type Query { a: Int }").query_type.fields["a"]  # type: ignore[union-attr]
    key = plain_attribute(None, "key")
    field.resolve = lambda *_: 1
    assert loaded_of(field) is None
    field.extensions = {LOADED: Loaded(len, key, lambda context: context)}  # type: ignore[arg-type, return-value]
    assert loaded_of(field) is None
    field.extensions = {LOADED: Loaded(field.resolve, key, lambda context: context)}  # type: ignore[arg-type, return-value]
    assert loaded_of(field) is field.extensions[LOADED]


def test_what_was_found_is_looked_up_once_for_each_loader() -> None:
    found: Any = SimpleNamespace(found={1: "x"})
    loaded = [Loaded(None, plain_attribute(None, "k"), lambda context: context) for _ in range(2)]  # type: ignore[arg-type, return-value]
    program = Program()
    names = [found_by(program, each) for each in (loaded[0], loaded[0], loaded[1])]
    assert names[0] == names[1] != names[2]
    assert run(f"{names[0]}[v]", program, 1, SimpleNamespace(context=found)) == "x"


@pytest.mark.parametrize("name", ["a", "_a1", "__typename"])
def test_a_name_stands_between_quotes(name: str) -> None:
    assert text(name) == f"'{name}'"


@pytest.mark.parametrize("name", ["", "1a", "a'", "a\n", "é", "a b"])
def test_what_is_no_name_is_not_compiled(name: str) -> None:
    with pytest.raises(NotCompiled):
        text(name)


def test_arguments_are_left_to_graphql_core() -> None:
    query, some = SCHEMA.query_type, selections()
    assert query
    (operation,) = parse("{a t nothing}").definitions
    nodes = operation.selection_set.selections  # type: ignore[union-attr]
    details = [[SimpleNamespace(node=node)] for node in nodes]
    assert some.field(query, details[0]) is query.fields["a"]  # type: ignore[arg-type]
    assert some.field(query, details[2]) is None  # type: ignore[arg-type]
    with pytest.raises(NotCompiled):
        some.field(query, details[1])  # type: ignore[arg-type]


def test_only_very_instances_of_its_class_pass_unasked() -> None:
    kind = build_schema("type Query { a: Int }").query_type
    assert kind

    class Row:
        pass

    class Younger(Row):
        pass

    asked = list[Any]()
    kind.is_type_of = lambda value, _info: asked.append(value) or isinstance(value, Row)  # type: ignore[func-returns-value]
    kind.extensions = {CLASS: Row, IGNORES_INFO: True}
    program = Program()
    selections().check_type(program, kind, "v", own=False)
    check = program.function()
    check(Row(), None)
    assert asked == []
    check(younger := Younger(), None)
    assert asked == [younger]
    with pytest.raises(Surprise):
        check(object(), None)
    kind.extensions = {CLASS: Row}
    with pytest.raises(NotCompiled):
        selections().check_type(Program(), kind, "v", own=False)
    selections().check_type(Program(), kind, "v", own=True)
