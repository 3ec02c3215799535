import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import (
    ExecutionResult,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    execute,
)

from community.errors import NotFound
from community.permissions import NOBODY
from compiled import LOADED, Loaded, Plain, Plans
from realtime.syntax import parse
from schema.errors import presented
from schema.executor import AcyclicExecutor, CompletingExecutor
from schema.loaders import Loaders
from schema.schema import graphql_schema
from tests.leftovers import leftovers


async def late(*_: object) -> str:
    await asyncio.sleep(0)
    return "late"


async def fail_late(*_: object) -> str:
    await asyncio.sleep(0)
    raise NotFound


def fail(*_: object) -> str:
    raise NotFound


async def rows(keys: Collection[int]) -> dict[int, Any]:
    await asyncio.sleep(0)
    return {key: {"plain": str(key), "key": key - 1, "none": None, "bad": -key} for key in keys}


async def no_rows(keys: Collection[int]) -> dict[int, Any]:
    await asyncio.sleep(0)
    raise NotFound


def loaded(kind: Any, read: Any, name: str = "key") -> GraphQLField:
    key = Plain(None, lambda source: source.get(name, 3))

    def loader(loaders: Loaders) -> Any:
        return loaders.of(read)

    async def resolve(source: Any, info: Any) -> Any:
        wanted = key.get(source)
        return None if wanted is None else await loader(info.context).load(wanted)

    return GraphQLField(kind, resolve=resolve, extensions={LOADED: Loaded(resolve, key, loader)})


SURE = GraphQLNonNull(GraphQLString)
THING = GraphQLObjectType(
    "Thing",
    lambda: {
        "plain": GraphQLField(GraphQLString),
        "surely": GraphQLField(SURE),
        "late": GraphQLField(GraphQLString, resolve=late),
        "fails": GraphQLField(GraphQLString, resolve=fail_late),
        "sure": GraphQLField(SURE, resolve=fail_late),
        "atOnce": GraphQLField(SURE, resolve=fail),
        "row": loaded(THING, rows),
        "noRow": loaded(THING, rows, "none"),
        "badRow": loaded(THING, no_rows, "bad"),
        "sureRow": loaded(GraphQLNonNull(THING), no_rows),
        "thing": GraphQLField(GraphQLNonNull(THING), resolve=lambda *_: {}),
        "things": GraphQLField(
            GraphQLNonNull(GraphQLList(GraphQLNonNull(THING))), resolve=lambda *_: [{}, {}]
        ),
    },
)
SCHEMA = GraphQLSchema(THING)


class Eager(CompletingExecutor):
    plans = Plans(objects_a_field=0)


async def answer(text: str, executor: type[AcyclicExecutor]) -> ExecutionResult:
    context = Loaders(NOBODY, lambda: datetime(2026, 6, 1, tzinfo=UTC))
    result = execute(SCHEMA, parse(text), executor_class=executor, context_value=context)
    return result if isinstance(result, ExecutionResult) else await result


async def told(text: str, executor: type[AcyclicExecutor]) -> list[Any]:
    """The paths of what failed, as clients are told."""
    result = await answer(text, executor)
    errors = [presented(error) for error in result.errors or ()]
    assert {(error.extensions or {})["code"] for error in errors} <= {"NOT_FOUND", "INTERNAL"}
    return [error.path for error in errors]


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("{late thing{late}}", [None]),
        ("{fails late}", [["fails"]]),
        ("{thing{thing{sure late}}}", [["thing", "thing", "sure"]]),
        ("{things{thing{sure} late}}", [["things", 0, "thing", "sure"]]),
        ("{thing{atOnce late}}", [["thing", "atOnce"]]),
        ("{a:thing{sure} b:thing{thing{sure}} late}", [["a", "sure"], ["b", "thing", "sure"]]),
        ("{things{plain __typename thing{plain}}}", [None]),
        ("{things{plain late} thing{plain}}", [None]),
        ("{things{plain} thing{plain surely}}", [["thing", "surely"]]),
        ("{things{row{plain row{plain noRow{plain}}}} thing{row{plain}}}", [None]),
        ("{things{row{plain late} fails}}", [["things", 0, "fails"]]),
        ("{things{plain row{plain badRow{plain}}}}", [["things", 0, "row", "badRow"]]),
        ("{thing{row{row{sureRow{plain}}}}}", [["thing", "row", "row", "sureRow"]]),
    ],
)
@pytest.mark.parametrize("executor", [AcyclicExecutor, CompletingExecutor, Eager])
async def test_an_answer_leaves_nothing_to_the_collector(
    text: str, failed: list[object], executor: type[AcyclicExecutor]
) -> None:
    await told(text, executor)
    with leftovers() as left:
        found = (await told(text, executor) or [None])[0]
        assert found in failed
    assert left == []


async def test_the_schema_answers_by_it() -> None:
    await graphql_schema.execute("{errorCodes}")
    with leftovers() as left:
        result = await graphql_schema.execute("{errorCodes}")
        assert result.errors is None
        del result
    assert left == []


async def test_no_resolver_has_helpers() -> None:
    executor = AcyclicExecutor.build(SCHEMA, parse("{late}"))
    assert isinstance(executor, AcyclicExecutor)
    for help_ in executor.async_helpers:
        with pytest.raises(NotImplementedError):
            help_([])
