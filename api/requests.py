"""Every request has an id: its errors and log lines carry it, so that a person can report it."""

import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from realtime.request_id import request_id


class Requests:
    """Gives out the ids, and counts and times what goes through."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own = request_id.set(secrets.token_hex(4))
        try:
            with self._metrics.under_way.track_inprogress():
                await self._app(scope, receive, self._watched(send))
        finally:
            request_id.reset(own)

    def _watched(self, send: Send) -> Send:
        start, own = time.perf_counter(), request_id.get()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = own
                self._metrics.requests.labels(message["status"]).inc()
                self._metrics.seconds.observe(time.perf_counter() - start)
            await send(message)

        return watched
