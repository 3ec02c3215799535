"""Serves the demonstration for the bench: the real app as `serve` runs it, or stock Strawberry.

Commands are lines on standard input:
    change VOTE          one change of the vote's tally
    storm VOTE SECONDS   changes without rest for so long, from now on
    moments              answered by one line of JSON on standard output: [version, changed, read] of each
                         state read since the last answer; times are CLOCK_MONOTONIC in nanoseconds,
                         `changed` that of the first change it shows
The process ends with its standard input.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any, TextIO

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

import api.server
import realtime.live
import schema.watching
from api.app import create_app
from api.clock import utc_now
from api.settings import Settings
from community.database.engine import opened
from community.permissions import NOBODY, Viewer
from community.signals import Signal, Topic
from community.votes.progress import Progress, progress_of
from realtime.broker import Broker, MemoryBroker
from realtime.standing import Standing
from schema.context import Context
from schema.nodes import key_of
from schema.schema import graphql_schema
from schema.watching import Watching


@dataclass
class _Vote:
    """`changed`: when the first change came that nobody has read yet."""

    version: int = 0
    changed: int | None = None
    state: Progress | None = None
    storm_ends: float = 0.0


@dataclass
class Tallies:
    """Stands before the read of a tally, so that each change has a version of its own.

    Unless `real`, the database is asked once and then left out of what is measured.
    """

    real: bool
    moments: list[tuple[int, int, int]] = field(default_factory=list)
    votes: dict[int, _Vote] = field(default_factory=dict)
    broker: Broker | None = None

    def listen_to(self, broker: Broker) -> None:
        self.broker = broker
        broker.listen(self.hear)

    def hear(self, signal: Signal) -> None:
        if signal.topic is Topic.TALLY:
            vote = self.votes.setdefault(signal.key, _Vote())
            if vote.changed is None:
                vote.changed = time.monotonic_ns()
                vote.version += 1

    async def read(self, key: int) -> Progress:
        vote = self.votes.setdefault(key, _Vote())
        now, changed, version, vote.changed = time.monotonic_ns(), vote.changed, vote.version, None
        if vote.state is None or self.real:
            vote.state = await progress_of(key)
        if changed is not None:
            self.moments.append((version, changed, now))
        if time.monotonic() < vote.storm_ends:
            self.change(key)
        return replace(vote.state, version=version)

    def change(self, key: int) -> None:
        assert self.broker is not None  # noqa: S101 - the app is built
        self.broker.publish([Signal(Topic.TALLY, key)])

    def storm(self, key: int, seconds: float) -> None:
        self.votes.setdefault(key, _Vote()).storm_ends = time.monotonic() + seconds
        self.change(key)

    def obey(self, line: str, answers: TextIO) -> None:
        match line.split():
            case ["change", vote]:
                self.change(key_of(vote, "Vote"))
            case ["storm", vote, seconds]:
                self.storm(key_of(vote, "Vote"), float(seconds))
            case ["moments"]:
                moments, self.moments = self.moments, []
                print(json.dumps({"moments": moments}), file=answers, flush=True)


async def _obey(tallies: Tallies, answers: TextIO) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        tallies.obey(line.decode(), answers)
    os._exit(0)  # whoever started it is gone


Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def _obeying(lifespan: Lifespan, tallies: Tallies, answers: TextIO) -> Lifespan:
    @asynccontextmanager
    async def with_commands(app: Any) -> AsyncIterator[None]:
        async with lifespan(app):
            task = asyncio.create_task(_obey(tallies, answers))
            yield
            task.cancel()

    return with_commands


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

        return Context(utc_now, self._watching, Standing(nobody, utc_now), request=request)


def stock_app(settings: Settings) -> Starlette:
    broker = MemoryBroker()
    graphql = _Stock(Watching.through(broker))
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


def _set_tempo(pause: str, share: str) -> None:
    """The setting where there is one, else the constant."""
    known = {each.name for each in fields(Settings)}
    for name, value in (("live_pause", pause), ("live_share", share)):
        if value and name in known:
            os.environ[f"MEILIN_{name.upper()}"] = value
    if pause and "live_pause" not in known:
        realtime.live.PAUSE = float(pause)


def serve(mode: str, port: int, tallies: Tallies, answers: TextIO) -> None:
    schema.watching.progress_of = tallies.read  # type: ignore[assignment,attr-defined]
    settings = Settings.from_environment(port=port)

    def build(of: Callable[[Settings], Starlette]) -> Starlette:
        app = of(settings)
        tallies.listen_to(app.state.broker)
        app.router.lifespan_context = _obeying(app.router.lifespan_context, tallies, answers)
        return app

    if mode == "meilin":
        # Through `serve` itself, so that whatever it sets for production is measured too.
        api.server.create_app = lambda _: build(create_app)  # type: ignore[assignment,attr-defined]
        api.server.serve(settings, "127.0.0.1", port, 1)
    else:
        uvicorn.run(build(stock_app), host="127.0.0.1", port=port, **STOCK_SERVER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=["meilin", "strawberry"], default="meilin")
    parser.add_argument("--core", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True, help="sqlite:///…")
    parser.add_argument("--read", choices=["real", "running"], default="running")
    parser.add_argument("--pause", default="", help="seconds between moments; empty: as in production")
    parser.add_argument("--share", default="", help="of the loop that fan-out may take")
    given = parser.parse_args()
    os.sched_setaffinity(0, {given.core})
    os.environ["MEILIN_DATABASE_URL"] = given.database
    _set_tempo(given.pause, given.share)
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what the app prints is no answer
        serve(given.mode, given.port, Tallies(given.read == "real"), answers)


if __name__ == "__main__":
    main()
