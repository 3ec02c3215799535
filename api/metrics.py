"""What Prometheus asks for: requests, watchers, the journal's head."""

import time
from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from community.database import journal


class Metrics:
    """One registry an app, so that two apps in one process do not share counts."""

    def __init__(self, watchers: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "meilin_http_requests", "HTTP requests by status.", ["status"], registry=self._registry
        )
        self.seconds = Histogram(
            "meilin_http_request_seconds", "Time to answer an HTTP request.", registry=self._registry
        )
        self._head = Gauge("meilin_journal_head", "Number of the newest change.", registry=self._registry)
        watching = Gauge("meilin_watchers", "Subscriptions that stand.", registry=self._registry)
        watching.set_function(watchers)

    async def show(self, request: Request) -> Response:
        self._head.set(await journal.head())
        return Response(generate_latest(self._registry), headers={"content-type": CONTENT_TYPE_LATEST})


class Measured:
    """Counts and times what goes through."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.requests.labels(message["status"]).inc()
                self._metrics.seconds.observe(time.perf_counter() - start)
            await send(message)

        await self._app(scope, receive, watched)
