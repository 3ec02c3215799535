"""The websocket half twice: as `meilin serve` holds it, and as any other ASGI server does."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from tortoise.backends.base.executor import EXECUTOR_CACHE

from api.app import App, create_app
from api.server import LARGEST_MESSAGE, _options
from api.settings import Settings
from realtime import versions
from tests.world.server import PATIENCE, Server, served

STOCK = {"http": "httptools", "ws": "websockets-sansio", "ws_max_size": LARGEST_MESSAGE}
"""Whatever else is as uvicorn has it, also that messages may be compressed."""

PLAIN = (sys.executable, "-m", "uvicorn", "api.app:from_environment", "--factory", "--no-access-log")


async def settle() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


class Clock:
    """The time of the loop, which stands until it is put forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def pass_(self, seconds: float) -> None:
        self.now += seconds
        await settle()


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock)
    return clock


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """How an app writes is nothing to a database: one of them is enough for the plain way."""
    twice = [item for item in items if "postgres-redis-plain" in item.name]
    if twice:
        config.hook.pytest_deselected(items=twice)
        items[:] = [item for item in items if "postgres-redis-plain" not in item.name]


@pytest.fixture(scope="module", params=["frames", "plain"])
def way(request: pytest.FixtureRequest) -> str:
    """How the app writes to its sockets: frames to the transport, or messages to the server."""
    return str(request.param)


@pytest.fixture(scope="module")
def either_server(way: str, town: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of a module."""
    stock = [f"--{name.replace('_', '-')}={value}" for name, value in STOCK.items()]
    program = [*PLAIN, *stock] if way == "plain" else None
    with (
        town.engine.lent(town.url) as url,
        served(town, url, tmp_path_factory.mktemp(way), program) as server,
    ):
        yield server


class Here(Server):
    """The app in this very process, where its patience can be short and what it keeps can be counted."""

    def __init__(self, like: Any, url: str, app: App, port: int) -> None:
        super().__init__(like, url, port, Path())
        self.app, self.sockets = app, app.sockets
        self._http = httpx2.AsyncClient(base_url=self.url, timeout=PATIENCE)

    async def ask(self, query: str, who: str | None = None, **variables: Any) -> Any:
        """The whole answer to a GraphQL request, as JSON."""
        body = {"query": query, "variables": variables}
        return (await self._http.post("/graphql", json=body, headers=self.bearer(who))).json()

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


class Inside:
    """The app in this very process, asked without a network. `endpoint` answers /graphql."""

    def __init__(self, town: Any, app: App) -> None:
        self.town, self.app = town, app
        (self.endpoint,) = (
            route.endpoint for route in app.routes if getattr(route, "path", "") == "/graphql"
        )  # type: ignore[attr-defined]
        transport = httpx2.ASGITransport(app=app)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=PATIENCE)

    def bearer(self, who: str | None) -> dict[str, str]:
        return {} if who is None else {"authorization": f"Bearer {self.town.tokens[who]}"}

    async def post(self, query: str, who: str | None = None, *, seen: str = "", **variables: Any) -> Any:
        """The response to a GraphQL request; `seen`: what it brings back of its own writes."""
        headers = self.bearer(who) | ({"meilin-seen": seen} if seen else {})
        body = {"query": query, "variables": variables}
        return await self.client.post("/graphql", json=body, headers=headers)


Begin = Callable[..., AbstractAsyncContextManager[Inside]]


@pytest.fixture
def inside(town: Any, town_url: str, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """`async with inside(setting=…) as app`, which has looked at the journals; slow as a machine may be, what
    it knows of them counts as new.
    """
    monkeypatch.setattr(versions, "BEHIND", 60.0)

    @asynccontextmanager
    async def begin(**settings: Any) -> AsyncIterator[Inside]:
        app = create_app(Settings(town_url, town.engine.redis, **settings))
        EXECUTOR_CACHE.clear()
        async with app.router.lifespan_context(app):
            inside = Inside(town, app)
            async with asyncio.timeout(PATIENCE):
                while not inside.endpoint._kept.versions.current:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            yield inside
        EXECUTOR_CACHE.clear()

    return begin


Start = Callable[..., AbstractAsyncContextManager[Here]]


@pytest.fixture
def here(way: str, town: Any, town_url: str) -> Start:
    """`async with here(setting=…) as server`; `stock`: what else uvicorn is told."""

    @asynccontextmanager
    async def start(stock: dict[str, Any] | None = None, **settings: Any) -> AsyncIterator[Here]:
        app = create_app(Settings(town_url, town.engine.redis, **settings))
        given = _options(app.state.settings, "127.0.0.1", 0) | {"loop": "none"}
        given |= STOCK if way == "plain" else {}
        server = uvicorn.Server(uvicorn.Config(app, **given | (stock or {})))
        EXECUTOR_CACHE.clear()
        running = asyncio.create_task(server._serve())
        try:
            while not server.started:
                assert not running.done(), running.result()
                await asyncio.sleep(0.01)
            yield Here(town, town_url, app, server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            await running
            EXECUTOR_CACHE.clear()

    return start
