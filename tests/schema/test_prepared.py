import gc
import time
import tracemalloc
from typing import Any

import pytest
from graphql import get_introspection_query, parse, validate
from graphql.language import Token
from graphql.validation import ValidationRule

from api.app import COLLECTED_AFTER
from realtime.audience import Audience
from schema.limits import LONGEST, MOST_ALIASES, MOST_FIELDS, operations_in
from schema.prepared import RULES, Prepared, PreparedDocuments, prepare
from schema.schema import graphql_schema
from tests.pace import slowness
from tests.schema.asked import page_operations
from tests.schema.hostile import HOSTILE

SCHEMA = graphql_schema.core
LITTLE = 0.050
"""Seconds of CPU that a refusal may cost."""


def cpu_of(text: str) -> tuple[float, Prepared]:
    """The least of three goes: what another process on the machine did to one of them is not meant."""
    least = 9.0
    for _ in range(3):
        start = time.process_time()
        prepared = prepare(SCHEMA, text)
        least = min(least, time.process_time() - start)
        if least < LITTLE:
            break
    return least, prepared


def test_there_are_at_least_sixty_hostile_shapes() -> None:
    assert len(HOSTILE) >= 60
    assert len(set(HOSTILE.values())) == len(HOSTILE)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_was_made_to_keep_us_busy_is_refused_at_little_cost(name: str) -> None:
    took, prepared = cpu_of(HOSTILE[name])
    assert prepared.errors
    assert len(prepared.errors) <= 11  # the last one says that there are more
    assert took < LITTLE or took < LITTLE * slowness()


def test_what_the_library_gives_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schema.limits.MOST_PAIRS", 1_000_000)
    (*_, error) = prepare(SCHEMA, "{" + "errorCodes " * 900 + "}").errors
    assert "too many fields" in error.message


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_refusal_has_a_code_and_two_sentences(name: str) -> None:
    result = await graphql_schema.execute(HOSTILE[name])
    assert result.data is None
    for error in result.errors or ():
        assert error.extensions
        assert error.extensions["code"] == "INVALID_INPUT"
        assert error.extensions["zh"]
        assert error.extensions["en"]
        assert len(str(error.formatted)) < 4 * LONGEST


@pytest.mark.parametrize(
    "text",
    [
        "{" + " ".join(f"a{number}: errorCodes" for number in range(MOST_ALIASES)) + "}",
        "{communities{edges{node{" + "slug " * 60 + "}}}}",
        "{" + " ".join(f"...F{number}" for number in range(20)) + "}"
        + " ".join(f"fragment F{number} on Query{{viewer{{account}}}}" for number in range(20)),
        "{viewer{communities{" + "...F " * 10 + "}}} fragment F on Community{id slug name}",
        "{" + "...{" * 20 + "errorCodes" + "}" * 20 + "}",
        get_introspection_query(),
        get_introspection_query(descriptions=True, specified_by_url=True, directive_is_repeatable=True),
    ],
)  # fmt: skip
def test_what_clients_ask_is_within_the_bounds(text: str) -> None:
    assert not prepare(SCHEMA, text).errors


def test_the_bounds_are_said_with_what_was_found() -> None:
    (error,) = prepare(SCHEMA, "{" + "errorCodes " * (MOST_FIELDS + 1) + "}").errors
    refused: Any = error.original_error
    assert (refused.details["found"], refused.details["most"]) == (MOST_FIELDS + 1, MOST_FIELDS)
    assert str(MOST_FIELDS) in refused.zh


def alive(kind: type) -> int:
    return sum(isinstance(each, kind) for each in gc.get_objects())


@pytest.mark.parametrize(
    "text",
    ["{viewer{account}} #%d", "{viewer{account}} }%d", "{nothing%d}", '"""%d', "{" + "no%d " * 30 + "}"],
)
def test_what_was_read_needs_no_collector_to_be_let_go(text: str) -> None:
    prepare(SCHEMA, text.replace("%d", "0"))
    gc.collect()
    gc.disable()
    try:
        before = [alive(kind) for kind in (Token, ValidationRule)]
        for number in range(20):
            prepare(SCHEMA, text.replace("%d", str(number)))
        assert [alive(kind) for kind in (Token, ValidationRule)] == before
    finally:
        gc.enable()


@pytest.mark.parametrize("text", page_operations().values())
def test_mistakes_are_found_as_the_library_finds_them(text: str) -> None:
    for wrong in (text, text.replace("id", "idd"), text.replace("...", "...Un"), text.replace("$", "$x", 1)):
        document = parse(wrong)
        expected = validate(SCHEMA, document, RULES, max_errors=1_000)
        found = prepare(SCHEMA, wrong).errors
        assert [error.message for error in found][:10] == [error.message for error in expected][:10]
        assert bool(found) == bool(expected)


@pytest.mark.parametrize("asked", ["{errorCodes}", "{nothing}", "{"])
def test_documents_that_nobody_asks_for_twice_do_not_pile_up(asked: str) -> None:
    """With the collector as `spare_the_collector` sets it."""
    documents, text = PreparedDocuments(SCHEMA, most_bytes=500_000), "#" + " " * 30_000
    usual = gc.get_threshold()
    gc.collect()
    gc.set_threshold(*COLLECTED_AFTER)
    tracemalloc.start()
    try:
        for number in range(300):
            documents.of(f"{text}{number}\n{asked}")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.set_threshold(*usual)
    assert peak < 6_000_000  # the texts alone are nine


def test_only_so_many_bytes_of_documents_are_kept() -> None:
    documents = PreparedDocuments(SCHEMA, most_bytes=100_000)
    for number in range(30):
        documents.of(f"{{viewer{{account}}}}#{number}" + "x" * 5_000)
    assert 1 < len(documents.recent) < 6
    assert documents.recent.size <= 100_000
    kept = documents.of("{viewer{account}}#29" + "x" * 5_000)
    assert documents.of("{viewer{account}}#29" + "x" * 5_000) is kept


def test_the_document_asked_for_last_goes_last() -> None:
    documents = PreparedDocuments(SCHEMA, most_bytes=60_000)
    first = documents.of("{errorCodes}")
    for number in range(20):
        documents.of(f"{{errorCodes}}#{number}")
        assert documents.of("{errorCodes}") is first


def test_where_a_mistake_stands_is_still_told() -> None:
    (error,) = prepare(SCHEMA, "{\n  viewer {\n    acount\n  }\n}").errors
    assert [(place.line, place.column) for place in error.locations or ()] == [(3, 5)]
    (error,) = prepare(SCHEMA, "{\n  viewer {").errors
    assert error.locations


def test_what_is_kept_takes_up_no_more_than_is_said() -> None:
    asked = [
        *page_operations().values(),
        "{" + "x " * 30 + "}",
        "{errorCodes}",
        "{errorCodes}#" + "x" * 9_000,
        "{",
    ]
    warm, documents = PreparedDocuments(SCHEMA), PreparedDocuments(SCHEMA)
    for text in asked:
        warm.of(text)
    gc.collect()
    tracemalloc.start()
    try:
        for text in asked:
            documents.of(f"{text}#")
        gc.collect()
        takes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert documents.recent.size / 6 < takes < documents.recent.size


@pytest.mark.parametrize(
    ("text", "audience"),
    [
        ("{ errorCodes limits { __typename } }", Audience.EVERYBODY),
        ("{ communities { edges { node { slug } } } }", Audience.RIGHTS),
        ("query A { errorCodes } query B { communities { edges { cursor } } }", Audience.RIGHTS),
        ("query A { errorCodes } query B { viewer { account } }", Audience.VIEWER),
        ('{ node(id: "x") { id } }', Audience.VIEWER),
        ("{ __typename }", Audience.VIEWER),
        (
            "{ communities { edges { node { votes { edges { node { receipt { code } } } } } } } }",
            Audience.VIEWER,
        ),
        ("mutation { __typename }", None),
        ("query A { errorCodes } mutation B { __typename }", None),
        ("query A { errorCodes } subscription B { __typename }", None),
        ("{ nothing }", None),
        ("{ errorCodes", None),
        ("{" + "errorCodes " * (MOST_FIELDS + 1) + "}", None),
    ],
)
def test_a_document_that_only_reads_says_who_gets_the_same_answer(
    text: str, audience: Audience | None
) -> None:
    assert prepare(SCHEMA, text).audience is audience


@pytest.mark.parametrize("text", page_operations().values())
def test_so_does_each_of_the_page_that_only_reads(text: str) -> None:
    prepared = prepare(SCHEMA, text)
    assert prepared.document
    kinds = {operation.operation.value for operation in operations_in(prepared.document)}
    assert (prepared.audience is not None) is (kinds == {"query"})
