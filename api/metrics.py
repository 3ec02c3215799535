"""Metrics for Prometheus: one scrape covers all workers, whichever of them answers.

Several workers keep their values in files of one folder (prometheus_client's multiprocess mode) and each adds
up what is there. A single process keeps them in memory.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.clock import Clock
from api.kept import KeptAnswers
from api.probe import DatabaseProbe
from api.timers import Timers
from community.database import journal
from community.database.engine import pool
from community.database.outcomes import ENDED
from community.repeat import repeat
from realtime.groups import Groups
from realtime.poller import JournalPoller
from realtime.sources import LiveSources

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder; prometheus_client looks at it when it is imported."""

EVERY = 1.0

log = logging.getLogger(__name__)

Over = Literal["livesum", "livemax"]
"""How a gauge combines several processes: the sum or the largest value of those that live."""


class Watched(Protocol):
    """The sockets of a process: how many are open, and how many subscriptions stand on them."""

    @property
    def open(self) -> int: ...

    def __len__(self) -> int: ...


class Metrics:
    """One registry an app, so that two apps in one process do not share counts.

    What is counted or timed where it happens is a Counter or Histogram; what is kept elsewhere is looked at.
    """

    def __init__(self, poller: JournalPoller) -> None:
        self._registry = CollectorRegistry()
        self._looks: list[Callable[[], None]] = []
        self._poller, self._probe = poller, DatabaseProbe()
        self._heads: journal.Heads = {}
        self.shared = os.environ.get(SHARED)
        self.requests = self._counter("meilin_http_requests", "HTTP requests by status.", "status")
        self.seconds = Histogram(
            "meilin_http_request_seconds", "Time to answer an HTTP request.", registry=self._registry
        )
        self.under_way = Gauge(
            "meilin_under_way",
            "HTTP requests under way.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._gauge("meilin_tasks", "Tasks of the event loop.", lambda: len(asyncio.all_tasks()))
        self.errors = self._counter("meilin_errors", "Errors given, by code.", "code")
        self._gauge("meilin_journal_head", "Numbers of the newest facts, added up.", self._head, "livemax")
        self._gauge("meilin_journal_lag", "Facts not looked at yet.", self._lag, "livemax")
        self._gauge("meilin_database_connections", "Connections open.", lambda: pool()[0])
        self._gauge("meilin_database_connections_free", "Connections at rest.", lambda: pool()[1])
        self._messages = self._counter("meilin_live_messages", "Messages written to members of groups.")
        self._delivery = Histogram(
            "meilin_live_delivery_seconds",
            "From the start of a round to the last member written to.",
            registry=self._registry,
        )
        ends = self._counter("meilin_deeds", "Units of work by how they ended.", "end")
        for end in ENDED:
            self._follow(ends.labels(end), lambda end=end: ENDED[end])  # type: ignore[misc]

    def observe(self, sources: LiveSources, groups: Groups, sockets: Watched) -> None:
        """Adds the gauges of the live side, which is made after the metrics."""
        self._gauge("meilin_sockets", "Sockets open.", lambda: sockets.open)
        self._gauge("meilin_watchers", "Subscriptions that stand.", lambda: len(sockets))
        self._gauge("meilin_groups", "Groups of those who see the same.", lambda: len(groups))
        self._gauge("meilin_group_members", "Subscriptions in groups.", lambda: groups.members)
        self._follow(
            self._counter("meilin_moments", "Reads of what is live that found something new."),
            lambda: sources.rounds,
        )
        self._follow(
            self._counter("meilin_merged_changes", "Changes that became one round with an earlier one."),
            lambda: sources.merged,
        )

    def observe_answers(self, kept: KeptAnswers) -> None:
        answers = self._counter("meilin_answers", "Answers that many may share, by how they came.", "how")
        for how in kept.counts:
            self._follow(answers.labels(how), lambda how=how: kept.counts[how])  # type: ignore[misc]
        self._gauge("meilin_kept_answers_bytes", "Bytes of answers that are kept.", lambda: kept.size)

    def observe_clock(self, clock: Clock, timers: Timers) -> None:
        self._gauge("meilin_clock_unsettled", "Time is in doubt.", lambda: clock.doubtful, "livemax")
        self._gauge(
            "meilin_due_given_up",
            "Due, failed, and tried no more.",
            lambda: sum(timers.given_up.values()),
            "livemax",
        )
        self._gauge("meilin_due_overdue", "Due, and not done yet.", lambda: timers.overdue, "livemax")

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, labels, registry=self._registry)

    def _gauge(self, name: str, what: str, read: Callable[[], float], over: Over = "livesum") -> None:
        gauge = Gauge(name, what, registry=self._registry, multiprocess_mode=over)
        self._looks.append(lambda: gauge.set(read()))

    def _follow(self, counter: Counter, read: Callable[[], float]) -> None:
        """Copies a count that is kept elsewhere, from 0."""
        counted = 0.0

        def look() -> None:
            nonlocal counted
            now = read()
            counter.inc(now - counted)
            counted = now

        self._looks.append(look)

    def _lag(self) -> float:
        seen = self._heads if self._poller.seen is None else self._poller.seen
        return sum(max(0, number - seen.get(community, 0)) for community, number in self._heads.items())

    def _head(self) -> float:
        return sum(self._heads.values())

    async def _look(self) -> None:
        with suppress(Exception):  # a database that is away is when the rest is wanted most
            self._heads = await self._probe.heads()
        for look in self._looks:
            look()

    async def keep_looking(self) -> None:
        """Runs until cancelled, so that what another worker tells of this one is of this second."""
        await repeat(self._look, EVERY, log, "could not look at the metrics")

    def count(self, errors: Iterable[Mapping[str, Any]]) -> None:
        """Errors as they go out, by their code."""
        for error in errors:
            self.errors.labels(error["extensions"]["code"]).inc()

    def delivered(self, members: int, took: float) -> None:
        self._messages.inc(members)
        self._delivery.observe(took)

    async def answer(self, request: Request) -> Response:
        """Answers only with the token: the counts include communities that are not public."""
        if not (token := request.app.state.settings.metrics_token):
            raise HTTPException(404)
        given = request.headers.get("authorization", "").encode("latin-1")
        scheme, _, secret = given.partition(b" ")
        if scheme.lower() != b"bearer" or not secrets.compare_digest(secret.strip(), token.encode()):
            return Response(status_code=401, headers={"www-authenticate": 'Bearer realm="meilin"'})
        return await self.show()

    async def show(self) -> Response:
        await self._look()
        registry = _of_all(self.shared) if self.shared else self._registry
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})


def _of_all(folder: str) -> CollectorRegistry:
    """Keeps the counters of a dead worker, which may not fall, and drops its gauges."""
    for file in Path(folder).glob("gauge_live*.db"):
        if not _lives(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)  # another worker may be answering just now, too
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return registry


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:  # also where the number is a stranger's by now
        return False
    return True
