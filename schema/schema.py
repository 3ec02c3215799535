"""The one schema of the house, put together from its topics."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any

import strawberry
from graphql import ASTValidationRule, GraphQLError
from graphql.execution import Executor
from strawberry.extensions import (
    AddValidationRules,
    MaxTokensLimiter,
    ParserCache,
    ValidationCache,
    max_aliases,
    query_depth_limiter,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.execution import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

import schema.enums  # noqa: F401 - makes the domain's enums GraphQL enums
from community.errors import ErrorCode
from schema.bulletin import BulletinMutation, BulletinSubscription, Notice
from schema.context import Info
from schema.errors import PresentedErrors
from schema.events import Event, EventsMutation, EventsQuery, EventsSubscription, SignUp
from schema.ledger import Entry, LedgerMutation
from schema.members import MembersQuery
from schema.nodes import Node, node_of
from schema.places import Community, PlacesQuery
from schema.scalars import SCALARS
from schema.votes import Vote, VotesMutation, VotesQuery, VotesSubscription

MOST_TOKENS, MOST_ALIASES, DEEPEST, KEPT_DOCUMENTS = 2_000, 30, 14, 512


@strawberry.type(description="What may be asked.")
class Query(PlacesQuery, MembersQuery, VotesQuery, EventsQuery):
    @strawberry.field(description="Anything with an id; null where it is unknown or hidden.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Of any node.")]
    ) -> Node | None:
        return await node_of(info.context, id)

    @strawberry.field(description="Every code that an error may carry in `extensions.code`.")
    def error_codes(self) -> list[ErrorCode]:
        return list(ErrorCode)


@strawberry.type(description="What may be done.")
class Mutation(VotesMutation, EventsMutation, BulletinMutation, LedgerMutation):
    pass


@strawberry.type(description="What may be watched, over a websocket (graphql-transport-ws).")
class Subscription(VotesSubscription, EventsSubscription, BulletinSubscription):
    pass


class _Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Says nothing: refusals are no faults, and faults are logged where they are masked."""

    async def execute(self, query: str | None, **given: Any) -> ExecutionResult:  # type: ignore[override]
        """A subscription has no one answer; `subscribe` and `stream` run it."""
        allowed = set(given.pop("allowed_operation_types", OperationType)) - {OperationType.SUBSCRIPTION}
        return await super().execute(query, allowed_operation_types=allowed, **given)


class _Executor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core 3.3.2 keeps, for as long as a subscription stands, what it collected for each event."""

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor


class _Parsed(ParserCache):
    """Leaves a document that cannot be parsed to the schema, which makes it an error of its operation."""

    def on_parse(self) -> Iterator[None]:
        asked = self.execution_context
        with suppress(GraphQLError):
            asked.graphql_document = self.cached_parse_document(asked.query, **asked.parse_options)
        yield


# Made once: the validation cache keys on the classes of the rules.
RULES: list[type[ASTValidationRule]] = [
    max_aliases.create_validator(MOST_ALIASES),
    query_depth_limiter.create_validator(DEEPEST, None, None),
]

graphql_schema = _Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    execution_context_class=_Executor,
    types=[Community, Vote, Event, SignUp, Notice, Entry],
    config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=False),
    extensions=[
        PresentedErrors,
        lambda: MaxTokensLimiter(MOST_TOKENS),
        lambda: AddValidationRules(RULES),
        lambda: _Parsed(KEPT_DOCUMENTS),
        lambda: ValidationCache(KEPT_DOCUMENTS),
    ],
)


def sdl() -> str:
    """As printed into schema/schema.graphql."""
    return graphql_schema.as_str().rstrip() + "\n"
