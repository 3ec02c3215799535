"""Serves the demonstration for the bench: the real app as `serve` runs it, or stock Strawberry over the same
schema, or over models.

Commands are lines on standard input:
    change VOTE          one change of the vote's tally
    storm VOTE SECONDS   changes without rest for so long, from now on
    rounds               answered by one line of JSON on standard output: [version, changed, read] of each
                         state read since the last answer; times are CLOCK_MONOTONIC in nanoseconds,
                         `changed` that of the first change it shows
The process ends with its standard input.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TextIO

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

import api.server
from api.app import create_app
from api.settings import Settings
from api.trusted import Trusted
from bench.models import models_app
from bench.stock import STOCK_SERVER, stock_app
from bench.tallies import Tallies
from community.votes.facts import TALLY

KEEPS = "kept_answers" in {field.name for field in fields(Settings)}
"""Whether this house keeps answers at all."""

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


async def _obey(tallies: Tallies, answers: TextIO) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        tallies.obey(line.decode(), answers)
    os._exit(0)  # whoever started it is gone


def _obeying(lifespan: Lifespan, tallies: Tallies, answers: TextIO) -> Lifespan:
    @asynccontextmanager
    async def with_commands(app: Any) -> AsyncIterator[None]:
        async with lifespan(app):
            task = asyncio.create_task(_obey(tallies, answers))
            yield
            task.cancel()

    return with_commands


class Ready:
    """The app, and beside it the barest one: a PUT below /ready/ leaves bytes there, a GET takes them."""

    def __init__(self, app: Any) -> None:
        self._app, self._bytes = app, dict[str, bytes]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/ready/"):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "PUT":
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            self._bytes[scope["path"]] = body
        body = self._bytes[scope["path"]]
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _set_pace(pause: str, share: str) -> None:
    for name, value in (("PAUSE", pause), ("SHARE", share)):
        if value:
            os.environ[f"MEILIN_LIVE_{name}"] = value


def serve(mode: str, port: int, tallies: Tallies, answers: TextIO) -> None:
    vars(TALLY)["read"] = tallies.read  # frozen for everybody else
    settings = Settings.from_environment(port=port)

    def build(of: Callable[[Settings], Starlette]) -> Starlette:
        app = of(settings)
        if mode != "models":
            tallies.listen_to(app.state.broker)
        app.router.lifespan_context = _obeying(app.router.lifespan_context, tallies, answers)
        return app

    if mode == "meilin":
        # Through `serve` itself, so that whatever it sets for production is measured too.
        api.server.create_app = lambda _: Ready(build(create_app))  # type: ignore[assignment, attr-defined, return-value]
        api.server.serve(settings, "127.0.0.1", port, 1)
    else:
        app = build(models_app if mode == "models" else stock_app)
        uvicorn.run(app, host="127.0.0.1", port=port, **STOCK_SERVER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=["meilin", "strawberry", "models"], default="meilin")
    parser.add_argument("--compiled", choices=["on", "off"], default="on")
    parser.add_argument("--kept", default="", help="bytes of answers; empty: as in production")
    parser.add_argument("--documents", type=Path, help="the trusted ones, instead of the page's")
    parser.add_argument("--core", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True, help="sqlite:///… or postgres://…")
    parser.add_argument("--read", choices=["real", "running"], default="running")
    parser.add_argument("--pause", default="", help="seconds between rounds; empty: as in production")
    parser.add_argument("--share", default="", help="of the loop that fan-out may take")
    given = parser.parse_args()
    os.sched_setaffinity(0, {given.core})
    os.environ["MEILIN_DATABASE_URL"] = given.database
    for limit in ("SOCKETS_PER_ADDRESS", "CONNECTIONS_PER_ADDRESS", "CONNECTIONS"):
        os.environ[f"MEILIN_{limit}"] = "100000"
    os.environ["MEILIN_COMPILED"] = given.compiled
    if given.kept and KEEPS:
        os.environ["MEILIN_KEPT_ANSWERS"] = given.kept
    if given.documents:
        vars(Trusted)["built"].__func__.__defaults__ = (given.documents,)
    _set_pace(given.pause, given.share)
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what the app prints is no answer
        serve(given.mode, given.port, Tallies(given.read == "real"), answers)


if __name__ == "__main__":
    main()
