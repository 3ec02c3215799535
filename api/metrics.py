"""What Prometheus asks for. Each process answers for itself."""

import asyncio
from collections.abc import Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from community.database import journal, work
from community.database.engine import pool
from realtime.head import Follower
from schema.watching import Watching


class Metrics(Collector):
    """One registry an app, so that two apps in one process do not share counts."""

    def __init__(self, watching: Watching, follower: Follower) -> None:
        self._registry = CollectorRegistry()
        self._watching, self._follower, self._head = watching, follower, 0
        self.requests = Counter(
            "meilin_http_requests", "HTTP requests by status.", ["status"], registry=self._registry
        )
        self.seconds = Histogram(
            "meilin_http_request_seconds", "Time to answer an HTTP request.", registry=self._registry
        )
        self.under_way = Gauge(
            "meilin_under_way", "Requests and sockets under way.", ["kind"], registry=self._registry
        )
        self.errors = Counter("meilin_errors", "Errors given, by code.", ["code"], registry=self._registry)
        self._registry.register(self)

    async def show(self, request: Request) -> Response:
        self._head = await journal.head()
        return Response(generate_latest(self._registry), headers={"content-type": CONTENT_TYPE_LATEST})

    def collect(self) -> Iterator[Metric]:
        lag = self._head - (self._head if self._follower.seen is None else self._follower.seen)
        yield GaugeMetricFamily("meilin_watchers", "Subscriptions that stand.", self._watching.watchers)
        yield CounterMetricFamily("meilin_moments", "Live states shown.", self._watching.moments)
        yield GaugeMetricFamily("meilin_journal_head", "Number of the newest change.", self._head)
        yield GaugeMetricFamily("meilin_journal_lag", "Changes this process has not looked at.", max(0, lag))
        yield GaugeMetricFamily("meilin_tasks", "Tasks of the event loop.", len(asyncio.all_tasks()))
        size, free = pool()
        yield GaugeMetricFamily("meilin_database_connections", "Connections open.", size)
        yield GaugeMetricFamily("meilin_database_connections_free", "Connections at rest.", free)
        deeds = CounterMetricFamily("meilin_deeds", "Deeds by how they ended.", labels=["end"])
        for end, count in work.ENDED.items():
            deeds.add_metric([end], count)
        yield deeds
