"""The one schema of the house, put together from its topics."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from copy import copy
from functools import cached_property
from inspect import isawaitable
from math import inf
from typing import Annotated, Any

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_operation_ast,
)
from graphql import ExecutionResult as GraphQLExecutionResult
from graphql import OperationType as GraphQLOperationType
from graphql import execute as graphql_execute
from strawberry.exceptions import MissingQueryError
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.execution import ExecutionContext, ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

import schema.enums  # noqa: F401 - makes the domain's enums GraphQL enums
from community.errors import ErrorCode, InvalidInput, Refused, Unauthenticated
from community.permissions import NOBODY, Person, Viewer
from realtime.fields import AUDIENCE, LIVE
from schema import communities, writing
from schema.context import Context, Info
from schema.cost import Price, Prices, check_cost, put_prices
from schema.errors import PresentedErrors, presented
from schema.executor import AcyclicExecutor, CompletingExecutor
from schema.marks import FOR_ALL
from schema.nodes import NODES, Node, node_of
from schema.plain import mark_plain
from schema.prepared import Prepared, PreparedDocuments
from schema.scalars import SCALARS
from schema.strawberry_privates import OpenSchema
from schema.topics import TOPICS, parts
from schema.variables import check_variables

NO_NAME = "Must provide operation name if query contains multiple operations."
"""As the specification has it (§6.1), in the words of graphql-core."""


@strawberry.type(
    description="All that can be read. It changes nothing and can be asked by GET, by POST or over the"
    " websocket; what the viewer may not see is null or left out."
    " 可以查询的内容；不开放的为 null 或不列出。"
)
class Query(communities.CommunitiesQuery, *parts("Query"), writing.WritingQuery):  # type: ignore[misc]
    @strawberry.field(
        description="Whatever the id belongs to, of whichever type; null where it is unknown, or"
        " hidden from the viewer."
        " 按 id 找任意对象，不存在或不开放的为 null。"
    )
    async def node(
        self,
        info: Info,
        id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="As this schema gave it anywhere; one that is not well formed is"
                " INVALID_ID."
                " 任意对象的 id。"
            ),
        ],
    ) -> Node | None:
        return await node_of(info.context, id)

    @strawberry.field(
        description="Every value that `extensions.code` of an error may take, for whoever generates"
        " code."
        " 错误代码的完整列表。",
        metadata=FOR_ALL,
    )
    def error_codes(self) -> list[ErrorCode]:
        return list(ErrorCode)


@strawberry.type(
    description="All that can be done, by POST or over the websocket, and signed in. Each field is"
    " nullable, so that it tells its own fate; several in one document are done one after the other."
    " 可以办的事；每一项单独成败，按顺序执行。"
)
class Mutation(*parts("Mutation"), communities.CommunitiesMutation):  # type: ignore[misc]
    pass


@strawberry.type(
    description="What can be watched over a websocket (graphql-transport-ws) at the same address:"
    " states, of which the newest counts, and a journal, of which every item does."
    " 可以实时关注的内容，走 WebSocket。"
)
class Subscription(*parts("Subscription")):  # type: ignore[misc]
    pass


PRICES: Prices = {
    name: price
    for prices in (communities.PRICES, *(topic.PRICES for topic in TOPICS), writing.PRICES)
    for name, price in prices.items()
} | {"Query.node": Price(statements=3)}


class PreparedSchema(OpenSchema):
    """Runs only what was prepared, and what a request may cost."""

    def __init__(self, *, prices: Prices | None = None, **given: Any) -> None:
        super().__init__(**given)
        _copy_marks(self.core)
        put_prices(self.core, prices or {})
        mark_plain(self.core)

    @cached_property
    def prepared(self) -> PreparedDocuments:
        return PreparedDocuments(self.core)

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Says nothing: refusals are no faults, and faults are logged where they are masked."""

    async def execute(  # type: ignore[override]
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Context | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] = OperationType,
        **given: Any,
    ) -> ExecutionResult:
        """What was prepared is executed straight away, without parsing, validating or extensions. A
        subscription has no one answer; `subscribe` and `stream` run it.

        Raises MissingQueryError, CannotGetOperationTypeError and InvalidOperationTypeError, as Strawberry.
        """
        if not query:
            raise MissingQueryError
        if refused := self._refused(context_value, query, variable_values, operation_name):
            return PreExecutionError(data=None, errors=refused)
        document = self.prepared.of(query).document
        operation = get_operation_ast(document, operation_name) if document else None
        if document is None or operation is None:
            raise CannotGetOperationTypeError(operation_name)
        kind = OperationType(operation.operation.value)
        if kind is OperationType.SUBSCRIPTION or kind not in allowed_operation_types:
            raise InvalidOperationTypeError(kind)
        result = await self._executed(document, variable_values, context_value, operation_name)
        errors = [presented(error, document) for error in result.errors or ()]
        return ExecutionResult(data=result.data, errors=errors or None)

    async def _executed(
        self,
        document: DocumentNode,
        variables: dict[str, Any] | None,
        context: Context | None,
        name: str | None,
    ) -> GraphQLExecutionResult:
        try:
            result = graphql_execute(
                self.core,
                document,
                context_value=context,
                variable_values=variables,
                operation_name=name,
                executor_class=self.execution_context_class,
                is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
            )
            return await result if isawaitable(result) else result
        except Exception as error:
            return GraphQLExecutionResult(None, [GraphQLError(str(error), original_error=error)])

    async def subscribe(  # type: ignore[override]
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Context | None = None,
        operation_name: str | None = None,
        **given: Any,
    ) -> AsyncGenerator[ExecutionResult | PreExecutionError, None]:
        if refused := self._refused(context_value, query, variable_values, operation_name):
            return _only(PreExecutionError(data=None, errors=refused))
        return await super().subscribe(
            query,
            variable_values=variable_values,
            context_value=context_value,
            operation_name=operation_name,
            **given,
        )

    def _refused(
        self,
        context: Context | None,
        query: str | None,
        variables: Mapping[str, Any] | None,
        name: str | None,
    ) -> list[GraphQLError]:
        """The errors that keep a request from being run; Strawberry itself refuses one without a query."""
        viewer, most_cost = (context.viewer, context.most_cost) if context else (NOBODY, inf)
        return self.refusals(query, variables, name, viewer, most_cost) if query else []

    def refusals(
        self,
        query: str,
        variables: Mapping[str, Any] | None,
        name: str | None,
        viewer: Viewer,
        most_cost: float,
    ) -> list[GraphQLError]:
        """The errors of the document, its variables and its cost."""
        prepared = self.prepared.of(query)
        errors = list(prepared.errors)
        try:
            self._check_variables(viewer, prepared, variables, name)
            if not (errors or name) and len(prepared.costs) > 1:  # Strawberry would run the first of them
                errors = [GraphQLError(NO_NAME)]
            if not errors and (cost := prepared.cost_of(name)):
                check_cost(cost, variables or {}, most_cost)
        except Refused as refused:
            errors = [GraphQLError(refused.en, original_error=refused)]
        return [presented(error, prepared.document) for error in errors]

    def _check_variables(
        self,
        viewer: Viewer,
        prepared: Prepared,
        variables: Mapping[str, Any] | None,
        name: str | None,
    ) -> None:
        """Raises Unauthenticated first if a mutation comes without an account, however large it is."""
        try:
            check_variables(variables)
        except InvalidInput:
            operation = get_operation_ast(prepared.document, name) if prepared.document else None
            does = operation is not None and operation.operation is GraphQLOperationType.MUTATION
            if does and not isinstance(viewer, Person):
                raise Unauthenticated from None
            raise


async def _only(result: PreExecutionError) -> AsyncGenerator[PreExecutionError, None]:
    yield result


def _copy_marks(core: GraphQLSchema) -> None:
    """Copies marks and live fields from Strawberry's schema into graphql-core's."""
    for kind in core.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field in kind.fields.values():
                if definition := field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF):
                    marks = definition.metadata
                    field.extensions.update({name: marks[name] for name in (LIVE, AUDIENCE) if name in marks})


class _Prepared(SchemaExtension):
    """Passes the prepared document on, so that Strawberry neither parses nor validates."""

    def on_parse(self) -> Iterator[None]:
        asked = self.execution_context
        if asked.query:
            asked.graphql_document = graphql_schema.prepared.of(asked.query).document
        yield

    def on_validate(self) -> Iterator[None]:
        self.execution_context.pre_execution_errors = []
        yield


graphql_schema = PreparedSchema(
    prices=PRICES,
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=list(NODES.values()),
    config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=False),
    extensions=[PresentedErrors, _Prepared],
    execution_context_class=CompletingExecutor,
)

uncompiled_schema = copy(graphql_schema)
"""The same, with the same documents, completed by graphql-core alone."""
uncompiled_schema.prepared = graphql_schema.prepared
uncompiled_schema.execution_context_class = AcyclicExecutor


def schema_of(*, compiled: bool) -> PreparedSchema:
    return graphql_schema if compiled else uncompiled_schema


def sdl() -> str:
    """As printed into schema/schema.graphql."""
    return graphql_schema.as_str().rstrip() + "\n"
