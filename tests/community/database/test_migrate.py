"""Up to date or as it was: whatever fails, is killed, comes second or knows more than we do."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tortoise.migrations import operations
from tortoise.migrations.executor import PlanStep
from tortoise.migrations.migration import Migration
from tortoise.migrations.operations import Operation
from typer.testing import CliRunner

from api.cli import EXIT_REFUSED, app
from community.database import cursors
from community.database.engine import opened
from community.database.migrate import HARMLESS, CannotMigrate, _refuse_rebuilding, migrate, pending
from community.database.sql import select
from tests.community.database.catalogue import Picture, facts, picture

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.xdist_group("migrations")

MIGRATIONS = sorted(
    path.stem for path in (Path(__file__).parents[3] / "community" / "database" / "migrations").glob("0*.py")
)


async def test_a_new_database_lacks_every_migration_and_then_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    async with opened(url):
        assert await pending(url) == MIGRATIONS
        assert await migrate(url) == MIGRATIONS
        assert await pending(url) == []


async def test_migrating_again_changes_nothing_and_keeps_the_mark(database: str) -> None:
    mark = await cursors.mark()
    assert await migrate(database) == []
    assert await cursors.mark() == mark


async def test_a_migration_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"

    class Fails(Exception):
        pass

    async def fail(**_: object) -> None:
        raise Fails

    monkeypatch.setattr("community.database.migrate.Installation.create", fail)
    async with opened(url):
        with pytest.raises(Fails):
            await migrate(url)
        assert await pending(url) == MIGRATIONS
        monkeypatch.undo()
        assert await migrate(url) == MIGRATIONS


async def looked_at(url: str) -> Picture:
    async with opened(url):
        return await picture()


GROWS = """ops.RunSQL([
    "CREATE TABLE tree (height INT)",
    "CREATE INDEX session_kind ON session (kind)",
    "DELETE FROM session",
    "UPDATE due SET subject = 2",
])"""
FAILS = 'ops.RunSQL(["INSERT INTO tree VALUES (1)", "INSERT INTO nowhere VALUES (1)"])'
HALTS = """ops.RunPython(
    lambda apps, editor: print("half", flush=True) or time.sleep(float(os.environ.get("HALT", 0)))
)"""


async def test_what_fails_in_the_middle_leaves_the_database_as_it_was(ground: Any) -> None:
    """Also what an earlier one of the same run has done."""
    url = await ground.populated()
    before = await looked_at(url)
    migrations = ground.migrations(planted={"9001_grows": GROWS, "9002_fails": FAILS})
    with pytest.raises(CannotMigrate, match=r"^9002_fails failed, and the database is as it was: .*nowhere"):
        async with ground.migrated(url, migrations):
            pass
    assert await looked_at(url) == before


async def test_what_fails_leaves_a_new_database_empty(ground: Any) -> None:
    url = await ground.database()
    with pytest.raises(CannotMigrate):
        async with ground.migrated(url, ground.migrations(planted={"9001_fails": FAILS})):
            pass
    async with opened(url):
        assert await facts() == {}


# Processes

PROGRAM = """
import asyncio, sys
from community.database import migrate as module
from community.database.engine import opened
from tests.community.database.conftest import using

async def main(url, migrations):
    with using(migrations):
        async with opened(url):
            print(*await module.migrate(url), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def migrating(ground: Any, url: str, migrations: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, migrations],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ground.folder}"} | environment,
    )


async def test_of_two_processes_at_once_one_finds_it_done(ground: Any) -> None:
    url, migrations = await ground.populated(), ground.migrations(planted={"9001_halts": f"{GROWS}, {HALTS}"})
    both = [migrating(ground, url, migrations, HALT="0.5") for _ in range(2)]
    said = [await asyncio.to_thread(process.communicate, timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(out for out, _ in said) == ["\n", "half\n9001_halts\n"]
    assert "table tree" in (await looked_at(url)).facts


async def test_a_killed_one_leaves_the_old_version_and_the_next_completes(ground: Any) -> None:
    url, migrations = await ground.populated(), ground.migrations(planted={"9001_halts": f"{GROWS}, {HALTS}"})
    before = await looked_at(url)
    process = migrating(ground, url, migrations, HALT="60")
    assert process.stdout
    assert await asyncio.to_thread(process.stdout.readline) == "half\n"
    process.kill()
    await asyncio.to_thread(process.communicate, timeout=60)
    assert await looked_at(url) == before
    async with ground.migrated(url, migrations) as done:
        assert done == ["9001_halts"]
        assert "table tree" in await facts()


# From the future


async def test_a_database_that_knows_more_is_refused(ground: Any) -> None:
    url = await ground.populated()
    async with ground.migrated(url, ground.migrations(planted={"9001_grows": GROWS})):
        pass
    before = await looked_at(url)
    async with opened(url):
        for action in (pending, migrate):
            with pytest.raises(CannotMigrate, match=r"newer Meilin \(9001_grows\)"):
                await action(url)
    assert await looked_at(url) == before


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_the_commands_refuse_it_with_one_sentence(sqlite_url: str, command: str) -> None:
    async def from_the_future() -> None:
        async with opened(sqlite_url):
            await select(
                "INSERT INTO tortoise_migrations (app, name, applied_at)"
                " VALUES ('meilin', '9001_later', '2036-01-01 00:00:00+00:00')"
            )

    asyncio.run(from_the_future())
    said = CliRunner(env={"MEILIN_DATABASE_URL": sqlite_url}).invoke(app, [command])
    assert said.exit_code == EXIT_REFUSED
    assert said.stderr == (
        f"meilin {command}: the database was migrated by a newer Meilin (9001_later); run that one\n"
    )


# What rebuilds a table

OPERATIONS = [
    kind
    for kind in vars(operations).values()
    if isinstance(kind, type) and issubclass(kind, Operation) and kind.__module__ == operations.__name__
]


async def test_a_migration_that_rebuilds_a_table_is_refused(ground: Any) -> None:
    url = await ground.populated()
    before = await looked_at(url)
    widened = 'ops.AlterField("BallotText", "text", fields.CharField(max_length=2000))'
    migrations = ground.migrations(planted={"9001_grows": GROWS, "9002_widen": widened})
    with pytest.raises(CannotMigrate, match=r"^9002_widen uses AlterField, which rebuilds a table"):
        async with ground.migrated(url, migrations):
            pass
    assert await looked_at(url) == before


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
def test_only_what_rebuilds_nothing_is_let_through(kind: type[Operation]) -> None:
    """Of everything that Tortoise has; ours are tried each time that a database is migrated."""
    step = PlanStep(Migration("0003_x", "meilin"), backward=False)
    step.migration.operations = [object.__new__(kind)]
    if kind.__name__ in {"CreateModel", "AddField", "AddIndex", "RunPython", "RunSQL"}:
        assert kind in HARMLESS
        _refuse_rebuilding([step])
    else:
        with pytest.raises(CannotMigrate, match=f"0003_x uses {kind.__name__}"):
            _refuse_rebuilding([step])
