"""Executes operations and leaves nothing of them to the garbage collector, which looks rarely."""

from collections.abc import Sequence
from copy import copy
from typing import Any, NoReturn

from graphql import (
    GraphQLError,
    GraphQLOutputType,
    GraphQLResolveInfoHelpers,
    OperationDefinitionNode,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path, is_awaitable
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from compiled import CompiledExecutor, Plans
from schema.ahead import words_in
from schema.context import Context


def _not_here(_: Sequence[Any]) -> NoReturn:
    raise NotImplementedError("no resolver of ours asks the executor for help")


_NO_HELPERS = GraphQLResolveInfoHelpers(gather=_not_here, track=_not_here)


def _look_ahead(operation: OperationDefinitionNode, context: Any) -> None:
    if operation.loc and isinstance(context, Context):
        context.loaders.words = words_in(operation.loc.source.body)


class AcyclicExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's own, without the cycles: each would keep all rows that one operation has read.

    graphql-core's executor holds methods of its own to lend to resolvers; and an error that it raises keeps
    the frame in which it was made.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.async_helpers = _NO_HELPERS
        _look_ahead(self.operation, self.context_value)

    def handle_field_error(
        self,
        raw_error: Exception,
        return_type: GraphQLOutputType,
        field_details_list: list[FieldDetails],
        path: Path,
    ) -> None:
        """Raises GraphQLError where null is no value of the field."""
        try:
            super().handle_field_error(raw_error, return_type, field_details_list, path)
        except GraphQLError as error:
            del raw_error
            raise error.with_traceback(None)  # noqa: B904 - it has its cause


class CompletingExecutor(CompiledExecutor, AcyclicExecutor):
    """Completes what can be compiled by generated functions, all else as the one behind it does."""

    plans = Plans()
    awaitable_tests = (is_awaitable, optimized_is_awaitable)

    def context_again(self) -> Any:
        given = self.context_value
        if not isinstance(given, Context):
            return given
        context = copy(given)
        context.loaders = given.loaders.again()
        return context
