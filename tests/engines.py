"""The two ways to run the house, SQLite alone and PostgreSQL with Redis: a database and a line of each."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from tortoise.backends.base.executor import EXECUTOR_CACHE

from community.database.engine import opened, sqlite_file
from community.database.work import all_done
from realtime.broker import Broker, MemoryBroker
from realtime.redis_broker import RedisBroker

METRICS_TOKEN = "what Prometheus knows"
TRUSTED = {"authorization": f"Bearer {METRICS_TOKEN}"}

_numbers = count(1)


@dataclass(eq=False)
class Engine:
    """Where databases are made, in a folder or by a PostgreSQL, and the address of Redis, if there is one."""

    folder: Path
    postgres: str = ""
    redis: str = ""

    async def database(self, like: str | None = None) -> str:
        """The address of a new one: a copy of the closed one at the address `like`, or empty.

        An empty file is not there yet, nor is its folder.
        """
        name = f"house_{next(_numbers)}"
        if not self.postgres:
            file = self.folder / name / "meilin.db"
            if like is not None:
                file.parent.mkdir()
                shutil.copy(like.removeprefix("sqlite:///"), file)
            return f"sqlite:///{file}"
        # Copying files is ten times as quick as copying through the log.
        template = "" if like is None else f" TEMPLATE {like.rpartition('/')[2]} STRATEGY FILE_COPY"
        await execute(f"{self.postgres}/postgres", f"CREATE DATABASE {name}{template}")
        return f"{self.postgres}/{name}"

    async def drop(self, url: str) -> None:
        if self.postgres:
            await execute(f"{self.postgres}/postgres", f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")
        else:
            shutil.rmtree(Path(url.removeprefix("sqlite:///")).parent, ignore_errors=True)

    @contextmanager
    def lent(self, like: str | None = None) -> Iterator[str]:
        """For as long as the block runs, one that is dropped then."""
        url = asyncio.run(self.database(like))
        try:
            yield url
        finally:
            asyncio.run(self.drop(url))

    def environment(self, url: str) -> dict[str, str]:
        """What `meilin` is told."""
        return {"MEILIN_DATABASE_URL": url, "MEILIN_REDIS_URL": self.redis}

    @asynccontextmanager
    async def brokers(self) -> AsyncIterator[tuple[Broker, Broker]]:
        """The broker that publishes and the one that receives: over Redis those of two processes."""
        if not self.redis:
            broker = MemoryBroker()
            yield broker, broker
            return
        async with over_redis(self.redis) as ends:
            yield ends


@asynccontextmanager
async def over_redis(url: str) -> AsyncIterator[tuple[RedisBroker, RedisBroker]]:
    near, far = RedisBroker(url), RedisBroker(url)
    tasks = [asyncio.create_task(broker.keep_connected()) for broker in (near, far)]
    try:
        async with asyncio.timeout(20):
            while not (near.connected and far.connected):  # noqa: ASYNC110 - what another process does
                await asyncio.sleep(0.005)
        yield near, far
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def opened_alone(url: str) -> AsyncIterator[None]:
    """Tortoise keeps its statements by table, in the words of the engine it spoke to first."""
    EXECUTOR_CACHE.clear()
    try:
        async with opened(url):
            yield
            await all_done()
    finally:
        EXECUTOR_CACHE.clear()


# Past everything that is ours


@asynccontextmanager
async def connect_to(url: str) -> AsyncIterator[Any]:
    """A line to PostgreSQL, of one's own."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    if file := sqlite_file(url):
        with closing(sqlite3.connect(file)) as connection:
            return list(connection.execute(query))
    async with connect_to(url) as connection:
        return [tuple(row) for row in await connection.fetch(query)]


async def execute(url: str, statement: str) -> None:
    if file := sqlite_file(url):
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(statement)
    else:
        async with connect_to(url) as connection:
            await connection.execute(statement)


async def tamper(url: str, statement: str) -> None:
    """Past every trigger too, as somebody could who has the file or the server in hands; they stay."""
    if file := sqlite_file(url):
        with closing(sqlite3.connect(file)) as connection, connection:
            triggers = list(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
            for name, _ in triggers:
                connection.execute(f'DROP TRIGGER "{name}"')
            connection.execute(statement)
            for _, sql in triggers:
                connection.execute(sql)
    else:
        await execute(url, f"SET session_replication_role = replica; {statement}")
