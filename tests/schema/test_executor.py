import asyncio
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
from realtime.syntax import parse
from schema.errors import presented
from schema.executor import AcyclicExecutor
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


SURE = GraphQLNonNull(GraphQLString)
THING = GraphQLObjectType(
    "Thing",
    lambda: {
        "late": GraphQLField(GraphQLString, resolve=late),
        "fails": GraphQLField(GraphQLString, resolve=fail_late),
        "sure": GraphQLField(SURE, resolve=fail_late),
        "atOnce": GraphQLField(SURE, resolve=fail),
        "thing": GraphQLField(GraphQLNonNull(THING), resolve=lambda *_: {}),
        "things": GraphQLField(
            GraphQLNonNull(GraphQLList(GraphQLNonNull(THING))), resolve=lambda *_: [{}, {}]
        ),
    },
)
SCHEMA = GraphQLSchema(THING)


async def answer(text: str) -> ExecutionResult:
    result = execute(SCHEMA, parse(text), executor_class=AcyclicExecutor)
    return result if isinstance(result, ExecutionResult) else await result


async def told(text: str) -> list[Any]:
    """The paths of what failed, as clients are told."""
    result = await answer(text)
    errors = [presented(error) for error in result.errors or ()]
    assert {(error.extensions or {})["code"] for error in errors} <= {"NOT_FOUND"}
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
    ],
)
async def test_an_answer_leaves_nothing_to_the_collector(text: str, failed: list[object]) -> None:
    await told(text)
    with leftovers() as left:
        (found,) = await told(text) or [None]
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
