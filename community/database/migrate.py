"""Brings a database up to date, and says whether it is."""

from datetime import UTC, datetime

from tortoise import connections
from tortoise.migrations.executor import PlanStep
from tortoise.migrations.operations import AddField, AddIndex, CreateModel, RunPython, RunSQL
from tortoise.migrations.schema_editor import BasePostgresSchemaEditor, SqliteSchemaEditor
from tortoise.transactions import in_transaction

from community.database.engine import APP, config
from community.database.models import Installation
from community.database.sql import is_postgres, lock_advisory, select, without_limits
from community.database.tortoise_privates import ForwardExecutor

HARMLESS = (CreateModel, AddField, AddIndex, RunPython, RunSQL)
"""All else SQLite does by building the table anew, which takes the rows of its children along; and all else
wants to know what the models were before, which `ForwardExecutor` does not keep.
"""


class CannotMigrate(RuntimeError):
    """The database stays as it was; the text is what the operator reads."""


def _executor(url: str) -> ForwardExecutor:
    return ForwardExecutor(connections.get("default"), {APP: config(url)["apps"][APP]})


async def _plan(executor: ForwardExecutor) -> list[PlanStep]:
    """What is pending; raises CannotMigrate for a database that a newer program has migrated."""
    plan = await executor.plan()
    if unknown := executor.loader.applied_migrations - set(executor.loader.disk_migrations):
        names = ", ".join(sorted(key.name for key in unknown))
        raise CannotMigrate(f"the database was migrated by a newer Meilin ({names}); run that one")
    return plan


def _refuse_rebuilding(plan: list[PlanStep]) -> None:
    for step in plan:
        for operation in step.migration.operations:
            if not isinstance(operation, HARMLESS):
                raise CannotMigrate(
                    f"{step.migration.name} uses {type(operation).__name__}, which rebuilds a table on SQLite"
                    " and loses rows; write it in SQL (docs/migrations.md)"
                )


async def _apply(executor: ForwardExecutor) -> None:
    begun: list[str] = []
    try:
        await executor.migrate(progress=lambda _event, _app, name: begun.append(name))
    except Exception as error:
        name = begun[-1] if begun else "the plan"
        raise CannotMigrate(f"{name} failed, and the database is as it was: {error}") from error


async def pending(url: str) -> list[str]:
    """The names of migrations that the open database still lacks; raises CannotMigrate if it knows more."""
    await select("SELECT 1")  # the executor would take a database that is away for an empty one
    return [step.migration.name for step in await _plan(_executor(url))]


async def migrate(url: str) -> list[str]:
    """Applies what is pending to the open database, all or nothing; two processes take turns. The names.

    Raises CannotMigrate, and then has changed nothing.
    """
    async with in_transaction():
        await without_limits()
        await lock_advisory("migrate")
        executor = _executor(url)
        # To look in vain for the table of what is applied would end the transaction on PostgreSQL.
        editor = BasePostgresSchemaEditor if is_postgres() else SqliteSchemaEditor
        await executor.recorder.ensure_schema(editor(executor.connection, atomic=False))
        plan = await _plan(executor)
        _refuse_rebuilding(plan)
        await _apply(executor)
        if not await Installation.exists():  # the mark that its cursors carry
            await Installation.create(created_at=datetime.now(UTC))
    return [step.migration.name for step in plan]
