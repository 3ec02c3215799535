import gc
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from types import FunctionType
from typing import Any

import pytest
from graphql import FieldNode, GraphQLError, Node, Token, Visitor

from community.permissions import NOBODY
from realtime.broker import MemoryBroker
from realtime.checked import MOST_COST_OF_STEP
from realtime.documents import Documents
from realtime.fields import SubscribeRequest
from realtime.recent import weight
from realtime.sources import LiveSources
from realtime.syntax import parse, walk
from schema.executable import ExecutableSchema
from tests.leftovers import leftovers


class Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.found.append(node.name.value)
        if node.name.value == "bad":
            raise ValueError


def test_it_visits_and_may_be_asked_again() -> None:
    names = Names()
    walk(parse("{a{b}}"), names)
    walk(parse("{c}"), names)
    assert names.found == ["a", "b", "c"]


def test_it_lets_go_also_where_it_fails() -> None:
    def fail() -> None:
        with pytest.raises(ValueError, match=r"^$"):
            walk(parse("{bad}", no_location=True), Names())

    fail()
    gc.collect()
    gc.disable()
    try:
        before = [each for each in gc.get_objects() if isinstance(each, Names)]
        for _ in range(20):
            walk(parse("{a{b}}", no_location=True), Names())
        assert [each for each in gc.get_objects() if isinstance(each, Names)] == before
    finally:
        gc.enable()


def test_what_is_watched_leaves_no_part_of_it_behind_when_it_is_read() -> None:
    text = (
        "subscription($id: ID!) { ...Progress }"
        " fragment Progress on Subscription { voteProgress(voteId: $id) { a%d: version } }"
    )
    executable = ExecutableSchema(lambda: datetime(2026, 5, 20, tzinfo=UTC), LiveSources(MemoryBroker()))

    def read_all(many: range) -> None:
        documents = Documents(executable)
        for number in many:
            request = SubscribeRequest(text % number, {"id": "x"}, None)
            assert not executable.refusals(request, NOBODY, MOST_COST_OF_STEP)
            documents.read(request)

    read_all(range(3))
    with leftovers() as left:
        read_all(range(3, 20))
    assert [each for each in left if isinstance(each, Node | Token | FunctionType)] == []


@pytest.mark.parametrize("text", ["{a(b: 1) {c}}", "{a}}", "{a", '{a(b: "', "#" * 9, "{" * 3_000])
def test_what_was_read_leaves_no_tokens(text: str) -> None:
    with leftovers() as left, suppress(GraphQLError, RecursionError):
        parse(text)
    assert left == []


@pytest.mark.parametrize(
    "text",
    [
        "{errorCodes}",
        "{" + " ".join(f"a{number}: errorCodes" for number in range(30)) + "}",
        "{communities{edges{node{" + "slug " * 60 + "}}}}",
        "{communities(first: $n) {edges{node{id @include(if: true) name @skip(if: false)}}}}",
        "{communities(first: 3) {edges{node{id name}}}} # " + "语" * 2_000,
    ],
)
def test_a_document_takes_up_no_more_than_is_said(text: str) -> None:
    many = 20
    texts = [f"{text}#{number}" for number in range(many)]
    said = sum(weight(each, parse(each).token_count or 0) for each in texts)
    gc.collect()
    tracemalloc.start()
    try:
        documents = [parse(f"{text}#{number}") for number in range(many)]
        takes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert said / 5 < takes < said
    del documents
