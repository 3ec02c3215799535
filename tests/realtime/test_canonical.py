"""What is the same whatever it is called; `test_documents.py` asks the same of whole subscriptions."""

import pytest
from graphql import parse, print_ast, strip_ignored_characters

from realtime.canonical import canonical


def form(text: str) -> str:
    return strip_ignored_characters(print_ast(canonical(parse(text))[0]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("query A { a: a b: c }", "{a b:c}"),
        ("query($b: Int, $a: Int) { f(x: $a, y: $b) }", "query($v0:Int$v1:Int){f(x:$v0 y:$v1)}"),
        ("query($b: Int, $a: Int) { f(y: $b, x: $a) }", "query($v0:Int$v1:Int){f(x:$v0 y:$v1)}"),
        ("query($a: Int = 1) { f(x: {z: $a, y: [1, $a]}) }", "query($v0:Int=1){f(x:{y:[1$v0]z:$v0})}"),
        ('{ f(x: """block""") }', '{f(x:"block")}'),
        ("query($on: Boolean!) { a @x(b: 1, a: 2) @include(if: $on) }",
         "query($v0:Boolean!){a@x(a:2 b:1)@include(if:$v0)}"),
        ("{ ...B ...A ...B } fragment A on Q { a } fragment B on Q { ...C } fragment C on Q { c }",
         "{...F0 ...F1 ...F0}fragment F0 on Q{...F2}fragment F1 on Q{a}fragment F2 on Q{c}"),
    ],
)  # fmt: skip
def test_names_and_orders_that_say_nothing_are_left_out(text: str, expected: str) -> None:
    assert form(text) == expected
    assert form(expected) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{ a b }", "{ b a }"),
        ("{ a: b }", "{ b }"),
        ("{ a a }", "{ a }"),
        ("{ f(x: [1, 2]) }", "{ f(x: [2, 1]) }"),
        ("{ f(x: 1) }", '{ f(x: "1") }'),
        ("query($a: Int, $b: Int) { f(x: $a, y: $b) }", "query($a: Int) { f(x: $a, y: $a) }"),
        ("{ a @skip(if: true) }", "{ a @include(if: true) }"),
        ("{ ...A } fragment A on Q { a }", "{ a }"),
    ],
)
def test_what_says_something_stays(one: str, other: str) -> None:
    assert form(one) != form(other)


def test_fragments_that_spread_fragments_are_walked_once() -> None:
    """Each twice within the one before: on their paths there would be 2 ** 30."""
    deep = [f"fragment A{n} on Q {{ ...A{n + 1} ...A{n + 1} }}" for n in range(30)]
    found, *_ = canonical(parse("{ ...A0 }" + " ".join([*deep, "fragment A30 on Q { a }"])))
    assert len(found.definitions) == 32
    assert len(print_ast(found)) < 3_000
