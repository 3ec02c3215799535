"""Executes a document by graphql-core alone and with compiled completion, and says what clients see."""

import re
from collections import Counter
from collections.abc import Awaitable, Mapping
from inspect import isawaitable
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, OperationType, execute_subscription_event
from graphql.execution import Executor
from graphql.execution.incremental import IncrementalExecutor

from compiled import CompiledExecutor, Plans

Seen = tuple[str, list[Any]]
"""Data as they are written, in their order, and errors in theirs: message, path, locations, extensions."""

CORE = Counter[str]()
"""How often graphql-core itself completed a list or an object, by the executor's name."""


def name_of(executor: Any) -> str:
    """Another one for what a compiled execution leaves to graphql-core alone in the end."""
    return f"{type(executor).__name__}{', alone' * getattr(executor, '_alone', False)}"


class Core(IncrementalExecutor):
    def complete_list_value(self, *given: Any) -> Any:
        CORE[name_of(self)] += 1
        return super().complete_list_value(*given)

    def complete_object_value(self, *given: Any) -> Any:
        CORE[name_of(self)] += 1
        return super().complete_object_value(*given)


class Ours(CompiledExecutor, Core):
    """Compiles at once whatever can be compiled."""

    plans = Plans(objects_a_field=0)


def named(value: object) -> str:
    """For a test's name, which is to be the same in each process: an address is not."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


def seen(result: ExecutionResult) -> Seen:
    return repr(result.data), [
        [
            str(error.message),
            error.path,
            [(at.line, at.column) for at in error.locations or ()],
            error.extensions,
        ]
        for error in result.errors or ()
    ]


async def executed(
    by: type[Executor[Any]],
    schema: GraphQLSchema,
    document: DocumentNode,
    root: Any = None,
    variables: Mapping[str, Any] | None = None,
    *,
    context: Any = None,
    **given: Any,
) -> ExecutionResult:
    executor = by.build(schema, document, root, context, dict(variables or {}), **given)
    if isinstance(executor, list):
        return ExecutionResult(None, executor)
    result: Any = (
        execute_subscription_event(executor)
        if executor.operation.operation is OperationType.SUBSCRIPTION
        else executor.execute_operation()
    )
    done: ExecutionResult = await result if isawaitable(result) else result
    return done


async def same(
    schema: GraphQLSchema,
    document: DocumentNode,
    root: Any = None,
    variables: Mapping[str, Any] | None = None,
    *,
    ours: type[Executor[Any]] = Ours,
    core: type[Executor[Any]] = Core,
    times: int = 2,
    **given: Any,
) -> ExecutionResult:
    """Asserts that clients see no difference, also when it is asked again."""
    expected = await executed(core, schema, document, root, variables, **given)
    for _ in range(times):
        found = await executed(ours, schema, document, root, variables, **given)
        assert seen(found) == seen(expected)
    return expected


class Soon:
    """Can be awaited any number of times."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Any:
        return _give(self.value).__await__()


async def _give(value: Any) -> Any:
    return value


def soon(value: Any) -> Awaitable[Any]:
    return Soon(value)
