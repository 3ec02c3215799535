"""One execution of a subscription's document over a value, without a socket: what a live field shows now."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from inspect import isawaitable
from typing import Any, Protocol

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    execute_subscription_event,
)
from graphql.execution import Executor

from community.errors import ErrorCode
from community.permissions import Viewer
from realtime.fields import SubscribeRequest

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of what is served just now, a request, a socket or a group: a fault of ours is logged under it."""

Errors = Sequence[Mapping[str, Any]]
"""As clients are told them."""

Count = Callable[[Errors], None]


class Ended(Exception):
    """There is nothing more to be shown, or not now; `errors` is empty if that is no fault."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(errors)
        self.errors = errors


class Executable(Protocol):
    """The schema, ready to be executed. `api/` hands it in, so that nothing here knows a type by name."""

    @property
    def core(self) -> GraphQLSchema: ...

    @property
    def executor(self) -> type[Executor[Any]]: ...

    def parsed(self, text: str) -> DocumentNode:
        """Of a text that `refusals` lets pass."""

    def operation_type(self, request: SubscribeRequest) -> OperationType | None:
        """None if no operation is meant."""

    def refusals(self, request: SubscribeRequest, viewer: Viewer, most_cost: float) -> Sequence[GraphQLError]:
        """What is wrong with the document, its variables or its cost."""

    def context(self, viewer: Viewer) -> object:
        """For one execution, with loaders of its own."""

    def formatted(self, error: Exception) -> Mapping[str, Any]:
        """As clients are told it; what is no refusal is masked and logged."""


async def execute(
    executable: Executable, document: DocumentNode, variables: dict[str, Any], value: object, viewer: Viewer
) -> ExecutionResult:
    """`value` is what the field of the subscription resolves to.

    The executor is a new one each time: graphql-core's keeps what it collected for each event.
    """
    executor = executable.executor.build(
        executable.core, document, value, executable.context(viewer), dict(variables)
    )
    if isinstance(executor, list):
        return ExecutionResult(None, executor)
    result = execute_subscription_event(executor)
    return await result if isawaitable(result) else result


def encoded(executable: Executable, result: ExecutionResult, count: Count = lambda errors: None) -> bytes:
    """The payload of a `next`. `count` is told of errors beside data.

    Raises Ended if there is no data, and if a part could not be read just now: an item is not shown in part,
    who watches comes back for it.
    """
    errors = [executable.formatted(error) for error in result.errors or ()]
    again = any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors)
    if result.data is None or again:
        raise Ended(errors)
    if errors:
        count(errors)
    return orjson.dumps({"data": result.data} | ({"errors": errors} if errors else {}))
