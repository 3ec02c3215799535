from typing import Any

import pytest
from graphql import parse

from schema.limits import (
    DEEPEST,
    DEEPEST_INTROSPECTION,
    LONGEST,
    LONGEST_ALIAS,
    MOST_ALIASES,
    MOST_FIELDS,
    MOST_FIELDS_IN_ALL,
    MOST_FRAGMENTS,
    MOST_INTROSPECTIONS,
    MOST_NESTED,
    MOST_OPERATIONS,
    MOST_PAIRS,
    MOST_SPREADS,
    MOST_VARIABLES,
    Pairs,
    SpreadsItself,
    TooLarge,
    check_document,
    check_text,
)


def found_in(text: str) -> int:
    """How much of it there was, of that which was too much."""
    with pytest.raises(TooLarge) as refused:
        check_document(parse(text))
    found: Any = refused.value.details["found"]
    return int(found)


def deep(levels: int, name: str = "a") -> str:
    return "{" + f"{name}{{" * (levels - 1) + "b" + "}" * levels


@pytest.mark.parametrize(
    ("most", "made"),
    [
        (MOST_FIELDS, lambda n: "{" + "a " * n + "}"),
        (MOST_ALIASES, lambda n: "{" + "b:a " * n + "}"),
        (MOST_ALIASES, lambda n: "{c{...F}} fragment F on Q{" + "b:a " * n + "}"),
        (LONGEST_ALIAS, lambda n: "{a{" + "b" * n + ":a}}"),
        (LONGEST_ALIAS, lambda n: "{a} fragment F on Q{" + "b" * n + ":a}"),
        (MOST_SPREADS, lambda n: "{" + "...F " * n + "} fragment F on Q{a}"),
        (MOST_FRAGMENTS, lambda n: "{a}" + "".join(f" fragment F{i} on Q{{a}}" for i in range(n))),
        (MOST_OPERATIONS, lambda n: "".join(f"query A{i}{{a}}" for i in range(n))),
        (MOST_VARIABLES, lambda n: "query(" + " ".join(f"$a{i}:Int" for i in range(n)) + "){a}"),
        (DEEPEST, deep),
        (DEEPEST, lambda n: "{...F}" + f"fragment F on Q{deep(n)}"),
        (DEEPEST_INTROSPECTION, lambda n: "{__schema" + deep(n - 1) + "}"),
        (MOST_INTROSPECTIONS, lambda n: "{" + "".join(f"a{i}:__schema{{a}}" for i in range(n)) + "}"),
        (MOST_NESTED, lambda n: "{" + "...{" * (n - 1) + "a" + "}" * n),
    ],
)  # fmt: skip
def test_a_document_may_have_so_much_and_no_more(most: int, made: Any) -> None:
    check_document(parse(made(most)))
    assert found_in(made(most + 1)) == most + 1


def test_a_fragment_counts_each_time_that_it_is_spread() -> None:
    fragments = "fragment F on Q{" + "a " * 300 + "} "
    check_document(parse("{...F ...F ...F} " + fragments))
    assert found_in("{...F ...F ...F ...F} " + fragments) == 1_200
    assert found_in("{...G ...G} fragment G on Q {...F ...F} " + fragments) == 1_200


def test_operations_and_what_nobody_spreads_count_together() -> None:
    fragment = " fragment F on Q{" + "a " * (MOST_FIELDS // 2) + "} "
    check_document(parse("".join(f"query A{n}{{...F}} " for n in range(4)) + fragment))
    more = MOST_FIELDS_IN_ALL + MOST_FIELDS // 2
    assert found_in("".join(f"query A{n}{{...F}} " for n in range(5)) + fragment) == more
    assert found_in("".join(f"fragment A{n} on Q{{...F}} " for n in range(5)) + fragment) == more


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("{...F} fragment F on Q{...G} fragment G on Q{a}", []),
        ("{...F} fragment F on Q{a} fragment G on Q{a}", ["G"]),
        ("{a} fragment F on Q{...G} fragment G on Q{a}", ["F"]),
        ("{...F} fragment F on Q{a} fragment F on Q{b}", ["F"]),
        ("fragment F on Q{a}", ["F"]),
    ],
)
def test_fragments_to_which_nothing_leads_are_told(text: str, alone: list[str]) -> None:
    assert [fragment.name.value for fragment in check_document(parse(text))] == alone


def test_introspection_has_a_depth_of_its_own() -> None:
    check_document(parse("{__schema" + deep(DEEPEST + 1) + "}"))
    with pytest.raises(TooLarge):
        check_document(parse("{a" + deep(DEEPEST) + "}"))


@pytest.mark.parametrize(
    "text",
    [
        "{...F} fragment F on Q {...F}",
        "{...F} fragment F on Q {a {...G}} fragment G on Q {... {...F}}",
        "{a} fragment F on Q {...G} fragment G on Q {...F}",
    ],
)
def test_a_fragment_that_spreads_itself_is_named(text: str) -> None:
    with pytest.raises(SpreadsItself, match=r'"[FG]"'):
        check_document(parse(text))


def test_an_unknown_fragment_is_left_to_validation() -> None:
    check_document(parse("{...Nobody}"))


@pytest.mark.parametrize("sign", ["a", "美", "😀"])
def test_a_text_is_measured_in_bytes(sign: str) -> None:
    most = LONGEST // len(sign.encode())
    check_text(sign * most)
    with pytest.raises(TooLarge):
        check_text(sign * (most + 1))
    check_text("\ud800")  # half a character is for the lexer to refuse


def test_pairs_are_added_up_over_all_places() -> None:
    pairs = Pairs()
    pairs.add("a" * 10 + "b" * 10)
    assert pairs.found == 90
    while pairs.found + 45 <= MOST_PAIRS:
        pairs.add("a" * 10)
    with pytest.raises(TooLarge):
        pairs.add("a" * 10)
