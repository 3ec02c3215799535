"""Brings a database up to date, and says whether it is."""

from datetime import UTC, datetime

from tortoise import connections
from tortoise.migrations.executor import MigrationExecutor
from tortoise.transactions import in_transaction

from community.database import journal
from community.database.engine import APP, config
from community.database.models import Installation


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
    await _mark()
    return names


async def _mark() -> None:
    """Gives the database the mark that its cursors carry, unless it has one."""
    async with in_transaction():
        await journal.take_number()  # under this lock nobody else marks it meanwhile
        if not await Installation.exists():
            await Installation.create(created_at=datetime.now(UTC))
