"""Executes a subscription's document over one value, without a group or a socket."""

from collections.abc import Mapping, Sequence
from inspect import isawaitable
from typing import Any

import orjson
from graphql import DocumentNode, ExecutionResult, execute_subscription_event

from community.errors import ErrorCode
from community.permissions import Viewer
from realtime.executable import Executable

Errors = Sequence[Mapping[str, Any]]
"""Errors as clients get them."""


class Ended(Exception):
    """The subscription has ended; `errors` is empty if it ended well."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(errors)
        self.errors = errors


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


def encoded(executable: Executable, result: ExecutionResult) -> tuple[bytes, Errors]:
    """Returns the payload of a `next`, and the errors in it.

    Raises Ended if there is no data, or if a part could not be read now: no item is shown in part, the client
    subscribes again for it.
    """
    errors = [executable.formatted(error) for error in result.errors or ()]
    again = any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors)
    if result.data is None or again:
        raise Ended(errors)
    return payload_of(result.data, errors), errors


def payload_of(data: object, errors: Errors, **extensions: str) -> bytes:
    more: dict[str, object] = {"errors": errors} if errors else {}
    return orjson.dumps({"data": data} | more | ({"extensions": extensions} if extensions else {}))
