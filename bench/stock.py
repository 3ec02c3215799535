"""Stock Strawberry over the same schema and the same states."""

from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from api.clock import utc_now
from api.settings import Settings
from community.database.engine import opened
from realtime.broker import MemoryBroker
from realtime.sources import LiveSources
from schema.context import Context
from schema.schema import uncompiled_schema


class _Stock(GraphQL[Context, None]):
    """What a user of Strawberry gets without doing anything: one execution for each watcher. The right is
    asked once, at the subscribe; nothing is paced.
    """

    def __init__(self, sources: LiveSources) -> None:
        super().__init__(
            uncompiled_schema, graphql_ide=None, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL]
        )
        self._sources = sources

    async def get_context(self, request: Any, response: Any) -> Context:
        return Context(utc_now, self._sources, request=request)


def stock_app(settings: Settings) -> Starlette:
    broker = MemoryBroker()
    graphql = _Stock(LiveSources(broker, settings.live_pause))
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
