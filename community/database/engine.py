"""Opens and closes the database named by a URL: `sqlite:///path` or `postgres://user@host/name`."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tortoise import Tortoise, connections
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.context import set_global_context

from community.catalogue import modules
from community.database.outcomes import WRITES
from community.database.postgres import PostgresClient
from community.database.sqlite import OneWriterClient, keep_private

APP = "meilin"
MODELS = modules("models")


def config(url: str) -> dict[str, Any]:
    """Raises ValueError if the URL is of neither engine."""
    return {
        "connections": {"default": _connection(url)},
        "apps": {
            APP: {
                "models": MODELS,
                "default_connection": "default",
                "migrations": "community.database.migrations",
            }
        },
        "use_tz": True,
        "timezone": "UTC",
    }


def _connection(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = re.sub("^/+", "/", unquote(parts.netloc + parts.path))  # sqlite:////tmp/x is an old habit
        # FULL: what was acknowledged survives a power cut; NORMAL can lose the last commits.
        # Recursive triggers: else INSERT OR REPLACE would slip by those that forbid a DELETE.
        pragmas = {
            "journal_mode": "WAL",
            "synchronous": "FULL",
            "busy_timeout": 10_000,
            "foreign_keys": "ON",
            "recursive_triggers": "ON",
        }
        return {"engine": "community.database.sqlite", "credentials": {"file_path": path} | pragmas}
    if parts.scheme in ("postgres", "postgresql"):
        connection = expand_db_url(url.replace("postgresql://", "postgres://", 1))
        return connection | {"engine": "community.database.postgres"}
    raise ValueError(f"a database URL starts with sqlite:// or postgres://, not {parts.scheme}://")


def sqlite_file(url: str) -> Path | None:
    credentials = _connection(url)["credentials"]
    return Path(credentials["file_path"]) if "file_path" in credentials else None


def pool() -> tuple[int, int]:
    """How many connections this process has open, and how many of them are idle."""
    client = connections.get("default")
    return client.pool if isinstance(client, OneWriterClient | PostgresClient) else (0, 0)


async def look_at_the_files() -> None:
    """Notices now what would be noticed within a second: that they are others than those that are open."""
    client = connections.get("default")
    if isinstance(client, OneWriterClient):
        await client.look()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[None]:
    """The database, for as long as the block runs, from any task."""
    if file := sqlite_file(url):
        file.parent.mkdir(parents=True, exist_ok=True)
        keep_private(file)
    WRITES.forget()
    set_global_context(await Tortoise.init(config=config(url)))
    try:
        yield
    finally:
        await Tortoise.close_connections()
