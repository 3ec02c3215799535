"""The schema as `realtime/` executes it, without knowing anything of Strawberry."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationType, get_operation_ast
from graphql.execution import Executor

from community.permissions import Viewer
from realtime.fields import SubscribeRequest
from realtime.sources import LiveSources
from schema.context import Context
from schema.errors import presented
from schema.executor import AcyclicExecutor
from schema.schema import PreparedSchema, graphql_schema

NO_QUERY = "No GraphQL query found in the request"
"""Strawberry's own message."""


class ExecutableSchema:
    """An Executable: documents are prepared once, values executed by the schema's own executor."""

    def __init__(
        self, clock: Callable[[], datetime], sources: LiveSources, schema: PreparedSchema = graphql_schema
    ) -> None:
        self._clock, self._sources, self._schema = clock, sources, schema

    @property
    def core(self) -> GraphQLSchema:
        return self._schema.core

    @property
    def executor(self) -> type[Executor[Any]]:
        return self._schema.execution_context_class or AcyclicExecutor

    def parsed(self, text: str) -> DocumentNode:
        document = self._schema.prepared.of(text).document
        assert document is not None  # noqa: S101 - `refusals` let it pass
        return document

    def is_prepared(self, text: str) -> bool:
        return text in self._schema.prepared.recent

    def operation_type(self, request: SubscribeRequest) -> OperationType | None:
        document = self._schema.prepared.of(request.query).document
        operation = get_operation_ast(document, request.operation_name or None) if document else None
        return operation.operation if operation else None

    def refusals(self, request: SubscribeRequest, viewer: Viewer, most_cost: float) -> Sequence[GraphQLError]:
        if not request.query:
            return [GraphQLError(NO_QUERY)]
        return self._schema.refusals(
            request.query, request.variables, request.operation_name, viewer, most_cost
        )

    def context(self, viewer: Viewer) -> Context:
        return Context(self._clock, self._sources, viewer)

    def formatted(self, error: Exception) -> Mapping[str, Any]:
        if not isinstance(error, GraphQLError):
            error = GraphQLError(str(error), original_error=error)
        return presented(error).formatted
