import gc
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import FieldNode, Visitor, parse

from community.permissions import NOBODY
from realtime.broker import MemoryBroker
from realtime.documents import Documents
from realtime.fields import SubscribeRequest
from realtime.sources import LiveSources
from realtime.subscriptions import MOST_COST_OF_STEP
from realtime.visiting import walk
from schema.executable import ExecutableSchema


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


def test_what_is_watched_leaves_no_visitor_of_ours_behind_when_it_is_read() -> None:
    text = "subscription($id: ID!) { voteProgress(voteId: $id) { version a%d: version } }"
    executable = ExecutableSchema(lambda: datetime(2026, 5, 20, tzinfo=UTC), LiveSources(MemoryBroker()))
    documents = Documents(executable)
    gc.collect()
    gc.disable()
    try:
        before = len([each for each in gc.get_objects() if ours(each)])
        for number in range(20):
            request = SubscribeRequest(text % number, {"id": "x"}, None)
            assert not executable.refusals(request, NOBODY, MOST_COST_OF_STEP)
            documents.read(request)
        assert len([each for each in gc.get_objects() if ours(each)]) == before
    finally:
        gc.enable()


def ours(found: object) -> bool:
    return isinstance(found, Visitor) and type(found).__module__.startswith(("realtime.", "schema."))
