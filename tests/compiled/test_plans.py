"""What plans cost, and when they go."""

import gc
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import build_schema, execute

from compiled import CompiledExecutor, Plans
from compiled.plans import FIRST_FIELDS, OBJECTS_A_FIELD, PLACE, variables_of
from realtime.syntax import parse
from schema.executor import AcyclicExecutor
from tests.compiled.both import CORE, same
from tests.leftovers import leftovers

SCHEMA = build_schema("type Query { ts: [T] t: T } type T { a: Int b: Int t: T ts: [T] }")


def thing(**more: Any) -> dict[str, Any]:
    return {"a": 1, "b": 2} | more


class Core(AcyclicExecutor):
    def complete_list_value(self, *given: Any) -> Any:
        CORE["Core"] += 1
        return super().complete_list_value(*given)

    def complete_object_value(self, *given: Any) -> Any:
        CORE["Core"] += 1
        return super().complete_object_value(*given)


class Mine(CompiledExecutor, Core):
    pass


@pytest.fixture(autouse=True)
def mine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test sets the plans of its own."""
    monkeypatch.setattr(Mine, "plans", Plans())
    yield
    CORE.clear()


def with_plans(plans: Plans) -> Plans:
    Mine.plans = plans
    return plans


def asked(document: Any, root: Any, times: int = 1, **given: Any) -> int:
    """How often graphql-core completed something."""
    CORE.clear()
    for _ in range(times):
        result: Any = execute(SCHEMA, document, root, variable_values=given, executor_class=Mine)
        assert not result.errors
    return CORE["Core"]


def test_a_small_answer_that_is_asked_for_seldom_is_not_compiled() -> None:
    plans, document = with_plans(Plans()), parse("{t{a b}}")
    asked(document, {"t": thing()}, FIRST_FIELDS * OBJECTS_A_FIELD - 1)
    assert plans.fields == 0
    asked(document, {"t": thing()}, FIRST_FIELDS * OBJECTS_A_FIELD)
    assert asked(document, {"t": thing()}, 10) == 0
    assert plans.fields > 0


def test_a_long_list_is_worth_it_at_once() -> None:
    with_plans(Plans())
    assert asked(parse("{ts{a b t{a}}}"), {"ts": [thing(t=thing())] * 100}) == 0


WIDE = " ".join(f"x{number}: t{{a b t{{a b ts{{a b}}}}}}" for number in range(300))


@pytest.mark.parametrize("objects", [0, 1, 20, 100])
@pytest.mark.parametrize(
    "text", [f"{{ts{{a {WIDE}}}}}", f"{{ts{{t{{a}} a with: ts{{{WIDE}}} }}}}"], ids=["wide", "below"]
)
def test_what_is_compiled_is_bounded_by_what_was_completed(text: str, objects: int) -> None:
    """Whatever is selected below lists that are empty, and however often it is asked."""
    plans, document = with_plans(Plans()), parse(text)
    root = {"ts": [thing(ts=[])] * objects}
    for times in range(1, 2 + 400 // (objects + 10)):
        asked(document, root)
        # At two places, the list and its items; what was too much is tried again after twice as many.
        assert plans.fields <= 2 * 2 * objects * times / OBJECTS_A_FIELD


def test_documents_that_come_once_cost_no_compiling() -> None:
    plans = with_plans(Plans())
    for number in range(300):
        asked(parse(f"{{t{{x{number}: a b}}}}"), {"t": thing()})
    assert plans.fields == 0
    assert len(plans) == 0, "each went with its document"
    assert plans.size == 0


def test_plans_go_with_their_document_and_leave_nothing() -> None:
    plans, document = with_plans(Plans(objects_a_field=0)), parse("{ts{a b t{a}}}")
    root = {"ts": [thing(t=thing())] * 3}
    asked(document, root)
    assert plans.size > 0
    with leftovers() as left:
        del document
        assert (len(plans), plans.size) == (0, 0)
    assert left == []


def test_nothing_of_a_request_is_kept() -> None:
    class Row:
        a = b = 1

    with_plans(Plans(objects_a_field=0))
    document, row = parse("{ts{a b} t{a ...{b}}}"), Row()
    there = weakref.ref(row)
    with leftovers() as left:
        asked(document, {"ts": [row], "t": row})
        del row
        assert there() is None
    assert left == []


def test_they_are_bounded_in_bytes_and_the_oldest_goes_first() -> None:
    plans = with_plans(Plans(40_000, objects_a_field=0))
    documents = [parse(f"{{ts{{x{number}: a b t{{a}}}}}}") for number in range(40)]
    for document in documents:
        asked(document, {"ts": [thing()]})
        asked(documents[0], {"ts": [thing()]})
        assert plans.size <= 40_000
    assert 0 < len(plans) < 40
    fields = plans.fields
    for number in (0, 39):
        asked(documents[number], {"ts": [thing()]})
    assert plans.fields == fields, "these were used last"
    asked(documents[1], {"ts": [thing()]})
    assert plans.fields > fields
    del documents, document
    assert (len(plans), plans.size) == (0, 0)


def test_without_room_everything_is_answered_all_the_same() -> None:
    plans, document = with_plans(Plans(0, objects_a_field=0)), parse("{ts{a b}}")
    for _ in range(5):
        asked(document, {"ts": [thing()]})
    assert (len(plans), plans.size) == (0, 0)


def test_variants_are_charged_too() -> None:
    names = [f"v{number}" for number in range(8)]
    declared = " ".join(f"${name}: Boolean!" for name in names)
    document = parse(f"query ({declared}) {{t{{b {' '.join(f'{n}: a @include(if: ${n})' for n in names)}}}}}")
    plans = with_plans(Plans(60_000))
    for number in range(256):
        asked(document, {"t": thing()}, **{name: bool(number >> bit & 1) for bit, name in enumerate(names)})
        assert plans.size <= 60_000
    assert plans.size >= PLACE


def test_the_estimate_is_near_what_they_take() -> None:
    documents = [parse(f"{{ts{{x{number}: a b t{{a b}}}}}}") for number in range(50)]
    plans = with_plans(Plans(objects_a_field=0))
    asked(documents.pop(), {"ts": [thing(t=thing())] * 5})
    gc.collect()
    tracemalloc.start()
    try:
        before, size = tracemalloc.get_traced_memory()[0], plans.size
        for document in documents:
            asked(document, {"ts": [thing(t=thing())] * 5})
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.5 * taken <= plans.size - size <= 2 * taken


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{a}", ()),
        ("query ($a: Boolean!, $c: Int) {t(x: $c) {a @skip(if: $a)} ...F} fragment F on Query {t}", ("a",)),
        ("query ($b: Boolean!) {...F @include(if: $b)} fragment F on Query {t}", ("b",)),
        ("{t {...on T @include(if: true) {a @skip(if: $x) @include(if: $x)}}}", ("x",)),
        ("{a} fragment F on T {a @include(if: $deep)}", ("deep",)),
        ("{a @other}", None),
        ("query @other {a}", None),
        ("{...F @defer} fragment F on Query {a}", None),
        ("{t{...on T @other {a}}}", None),
        ("{a} fragment F on T @other {a}", None),
    ],
)  # fmt: skip
def test_what_decides_over_a_plan_is_found_wherever_it_stands(
    text: str, names: tuple[str, ...] | None
) -> None:
    operation, *fragments = parse(text).definitions
    found = variables_of(operation, *fragments)  # type: ignore[arg-type]
    assert found is None if names is None else set(found or ()) == set(names)


async def test_a_fragment_with_variables_is_left_alone() -> None:
    document = parse(
        "{ts{...F(x: true)}} fragment F($x: Boolean) on T {a @include(if: $x)}",
        experimental_fragment_arguments=True,
    )
    CORE.clear()
    await same(SCHEMA, document, {"ts": [thing()]})
    assert CORE["Ours"] == 2 * CORE["Core"]
