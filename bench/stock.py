"""Stock Strawberry over the same schema and the same states."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, TypeVar

from realtime.standing import Check, Standing
from realtime.tempo import Turn
from schema.watching import Watching
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from api.clock import utc_now
from api.settings import Settings
from community.database.engine import opened
from community.permissions import NOBODY, Viewer
from realtime.broker import MemoryBroker
from schema.context import Context
from schema.schema import graphql_schema

T = TypeVar("T")


class _Unasked(Standing):
    """Nobody's rights change here, and nothing is paced: a user of Strawberry would not pay for it."""

    async def while_allowed(
        self,
        check: Check,
        states: AsyncIterator[T],
        viewer: Viewer,
        since: int | None = None,
        turn: Turn | None = None,
    ) -> AsyncGenerator[T, None]:
        async for state in states:
            yield state


class _Stock(GraphQL[Context, None]):
    """What a user of Strawberry gets without doing anything: one execution for each watcher."""

    def __init__(self, watching: Watching) -> None:
        super().__init__(
            graphql_schema, graphql_ide=None, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL]
        )
        self._watching = watching

    async def get_context(self, request: Any, response: Any) -> Context:
        async def nobody() -> Viewer:
            return NOBODY

        return Context(utc_now, self._watching, _Unasked(nobody, utc_now), request=request)


def stock_app(settings: Settings) -> Starlette:
    broker = MemoryBroker()
    graphql = _Stock(Watching.through(broker, settings.live_pause))
    app = Starlette(
        routes=[Route("/graphql", graphql, methods=["GET", "POST"]), WebSocketRoute("/graphql", graphql)],
        lifespan=lambda _: opened(settings.database_url),
    )
    app.state.broker, app.state.settings = broker, settings
    return app


STOCK_SERVER: dict[str, Any] = {
    "loop": "uvloop",
    "http": "httptools",
    "ws": "websockets-sansio",
    "ws_per_message_deflate": False,
    "access_log": False,
    "log_config": None,
}
