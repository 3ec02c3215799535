"""Brings a database up to date, and says whether it is."""

from datetime import UTC, datetime

from tortoise import connections
from tortoise.migrations.executor import MigrationExecutor
from tortoise.transactions import in_transaction

from community.database.engine import APP, config
from community.database.models import Installation
from community.database.sql import hold_word


def _executor(url: str) -> MigrationExecutor:
    return MigrationExecutor(connections.get("default"), {APP: config(url)["apps"][APP]})


async def pending(url: str) -> list[str]:
    """The names of migrations that the open database still lacks."""
    steps = await _executor(url).plan()
    return [step.migration.name for step in steps]


async def migrate(url: str) -> list[str]:
    """Applies what is pending to the open database, all or nothing; two processes take turns. The names."""
    async with in_transaction():
        await hold_word("migrate")
        executor = _executor(url)
        await executor.recorder.ensure_schema(executor._schema_editor(atomic=False))
        names = [step.migration.name for step in await executor.plan()]
        await executor.migrate()
        if not await Installation.exists():  # the mark that its cursors carry
            await Installation.create(created_at=datetime.now(UTC))
    return names
