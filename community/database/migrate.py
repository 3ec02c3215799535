"""Brings a database up to date, and says whether it is."""

from tortoise import connections
from tortoise.migrations.executor import MigrationExecutor

from community.database.engine import APP, config


def _executor(url: str) -> MigrationExecutor:
    return MigrationExecutor(connections.get("default"), {APP: config(url)["apps"][APP]})


async def pending(url: str) -> list[str]:
    """The names of migrations that the open database still lacks."""
    steps = await _executor(url).plan()
    return [step.migration.name for step in steps]


async def migrate(url: str) -> list[str]:
    """Applies what is pending to the open database, each migration whole; returns the names."""
    names = await pending(url)
    await _executor(url).migrate()
    return names
