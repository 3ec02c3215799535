"""The schema as `realtime/` knows it: something that parses, judges and executes documents."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationType
from graphql.execution import Executor

from community.permissions import Viewer
from realtime.fields import SubscribeRequest


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
