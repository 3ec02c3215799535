"""A migrated database for each test, on both engines, and an estate in it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from tortoise.transactions import in_transaction

from community.database import work
from community.database.engine import opened
from community.database.migrate import migrate
from community.signals import Signal
from tests.engines import opened_alone
from tests.services import Postgres
from tests.world.estates import NOW, Build, Estate, an_estate


@pytest.fixture
def now() -> datetime:
    return NOW


async def _migrate(url: str) -> None:
    async with opened_alone(url):
        await migrate(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "meilin.db"
    asyncio.run(_migrate(f"sqlite:///{file}"))
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A database of this test's own, empty but migrated."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'meilin.db')}"


@pytest.fixture(scope="session")
def postgres_database(postgres_server: Postgres) -> str:
    url = f"{postgres_server.url}/meilin"
    asyncio.run(postgres_server.run("CREATE DATABASE meilin"))
    asyncio.run(_migrate(url))
    return url


async def _empty(url: str) -> None:
    """Takes every row but the mark and the migrations, past all triggers: quicker than a new database."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        kept = {"installation", "secret", "tortoise_migrations"}
        await connection.execute(";".join(f'DELETE FROM "{name}"' for (name,) in tables if name not in kept))
    finally:
        await connection.close()


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    """The run's one database, empty but migrated."""
    asyncio.run(_empty(postgres_database))
    return postgres_database


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def database(url: str) -> AsyncIterator[str]:
    """An open database, once on each engine."""
    async with opened(url):
        yield url
        await work.all_done()


@contextmanager
def all_told() -> Iterator[list[Signal]]:
    """Every signal of the open database, in the order of telling."""
    signals: list[Signal] = []
    stop = work.publish_through(signals.extend)
    yield signals
    stop()


@pytest.fixture
def told(database: str) -> Iterator[list[Signal]]:
    with all_told() as signals:
        yield signals


@pytest.fixture
def build() -> Build:
    return Build()


@pytest.fixture
async def estate(database: str, build: Build) -> Estate:
    async with in_transaction():  # one commit is quicker than twenty
        return await an_estate(build)
