"""Real services that can be killed, and estates before them."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tortoise.backends.base.executor import EXECUTOR_CACHE

from api.app import create_app
from api.settings import Settings
from tests.engines import METRICS_TOKEN
from tests.faults.estate import Estate
from tests.faults.neighbours import Clients
from tests.faults.scene import Scene
from tests.services import Postgres, Redis, running, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres(durable=True) as postgres:
        yield postgres


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with running(Redis(tmp_path_factory.mktemp("redis"))) as redis:
        yield redis


Setting = Callable[..., Coroutine[Any, Any, Scene]]


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of this test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'estate.db'}"
    service: Postgres = request.getfixturevalue("postgres")
    asyncio.run(service.up())  # whatever a test before this one left behind
    name = f"estate_{secrets.token_hex(4)}"
    asyncio.run(service.run(f"CREATE DATABASE {name}"))
    return f"{service.url}/{name}"


@pytest.fixture
async def estate(database_url: str) -> Estate:
    """Migrated, with hardly anybody in it."""
    estate = Estate(database_url)
    await estate.settle(3)
    return estate


@pytest.fixture
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[Setting]:
    """Call it for an estate of so many parties with its servers."""
    scenes: list[Scene] = []
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=0)  # none closed as it is reused
    async with httpx2.AsyncClient(timeout=20, limits=limits) as http:

        async def set_up(parties: int, **servers: Any) -> Scene:
            estate = Estate(database_url)
            await estate.settle(parties)
            scenes.append(Scene(tmp_path, estate, Clients([], http)))
            await scenes[-1].serve(**servers)
            return scenes[-1]

        try:
            yield set_up
        finally:
            for made in scenes:
                await made.leave()


@dataclass
class Here:
    """The app in this very process, where a request can be cut at any step."""

    url: str = "http://here"


@pytest.fixture
async def here(database_url: str, tmp_path: Path) -> AsyncIterator[Setting]:
    """As `scene`, with nobody but us to serve it."""
    async with AsyncExitStack() as stack:

        async def set_up(parties: int) -> Scene:
            estate = Estate(database_url)
            await estate.settle(parties)
            app = create_app(
                Settings(
                    database_url,
                    public_url=Here.url,
                    metrics_token=METRICS_TOKEN,
                    sign_ins_per_address=1_000_000,
                )
            )
            stack.callback(EXECUTOR_CACHE.clear)
            await stack.enter_async_context(app.router.lifespan_context(app))
            none = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # everybody asks through this client
            line = httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=app), base_url=Here.url, cookies=none
            )
            return Scene(tmp_path, estate, Clients([Here()], await stack.enter_async_context(line)))

        yield set_up
