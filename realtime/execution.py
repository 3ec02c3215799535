"""Executes a subscription's document over one value, without a socket."""

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
"""The id under which errors of the current request, socket or group are logged."""

Errors = Sequence[Mapping[str, Any]]
"""Errors as clients get them."""

Count = Callable[[Errors], None]


class Ended(Exception):
    """The subscription has ended; `errors` is empty if it ended well."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(errors)
        self.errors = errors


class Executable(Protocol):
    """The schema, ready to be executed. `api/` passes it in, so that nothing here knows a type by name."""

    @property
    def core(self) -> GraphQLSchema: ...

    @property
    def executor(self) -> type[Executor[Any]]: ...

    def parsed(self, text: str) -> DocumentNode:
        """Parses a text that `refusals` accepted."""

    def is_prepared(self, text: str) -> bool:
        """Whether it was parsed and validated before, and is kept."""

    def operation_type(self, request: SubscribeRequest) -> OperationType | None:
        """The type of the requested operation; None if there is no such operation."""

    def refusals(self, request: SubscribeRequest, viewer: Viewer, most_cost: float) -> Sequence[GraphQLError]:
        """The errors of the document, its variables and its cost."""

    def context(self, viewer: Viewer) -> object:
        """The context of one execution, with loaders of its own."""

    def formatted(self, error: Exception) -> Mapping[str, Any]:
        """The error as clients get it; all but refusals are masked and logged."""


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
    """Returns the payload of a `next`. Calls `count` with errors beside data.

    Raises Ended if there is no data, or if a part could not be read now: no item is shown in part, the client
    subscribes again for it.
    """
    errors = [executable.formatted(error) for error in result.errors or ()]
    again = any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors)
    if result.data is None or again:
        raise Ended(errors)
    if errors:
        count(errors)
    return payload_of(result.data, errors)


def payload_of(data: object, errors: Errors) -> bytes:
    return orjson.dumps({"data": data} | ({"errors": errors} if errors else {}))
