"""A small population with a row in every table, and its record: INSERTs that both engines understand.

`python -m tests.community.database.populating` records the newest version's, which stays once it is released.
"""

import asyncio
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tortoise import Tortoise, connections
from tortoise.fields import BooleanField
from tortoise.transactions import in_transaction

from community.database.engine import APP, opened
from community.database.migrate import migrate
from community.database.models import Due
from community.database.sql import is_postgres, select
from community.events.models import Event, EventOrganizer
from community.members.models import CoOwner, Representative, Session
from community.members.rules import SessionKind
from tests.community.database.catalogue import Facts, columns_in, facts, tables_in
from tests.community.database.test_constraints import furnish
from tests.world.estates import NOW, Build, an_estate

POPULATIONS = Path(__file__).parent / "populations"
VERSIONS = sorted(
    Path(file.name).stem for file in files("community.database.migrations").iterdir() if file.name[0] == "0"
)

PASSED = {"0007_journal", "0008_outbox", "0009_totals", "0010_unit_states", "0011_steps"}
"""They came out together with the one after them, so that nobody's database stands at one of these."""

POPULATED = [version for version in VERSIONS if version not in PASSED]

Rows = dict[str, list[dict[str, Any]]]

OF_THE_MIGRATIONS = {"installation", "journal_head", "secret", "tortoise_migrations"}
"""Migrating itself fills these."""


async def populate() -> None:
    """Gives every table of the open, newest database a row."""
    async with in_transaction():
        build = Build()
        estate = await an_estate(build)
        await furnish(estate, build, NOW)
        await Due.create(
            job="closeVote", subject=1, at=NOW, attempts=3, next_at=NOW + timedelta(seconds=8), payload="{}",
            error="OSError", error_text="at a.py:1", failed_at=NOW, retries=1,
        )  # fmt: skip
        await Session.create(
            hash="0" * 64, account_id=estate.chair.account, kind=SessionKind.TOKEN, created_at=NOW,
            expires_at=NOW + timedelta(days=1, microseconds=250),
        )  # fmt: skip
        event, owner = await Event.first(), await CoOwner.first()
        assert event
        assert owner
        await EventOrganizer.create(event_id=event.id, organization_id=estate.committee)
        await Representative.create(party_id=owner.party_id, co_owner_id=owner.id, since=NOW)


async def every_row() -> Rows:
    """Of the open database, with truths as such: SQLite has only numbers."""
    rows = {table: await select(f'SELECT * FROM "{table}"') for table in tables_in(await facts())}
    for model in Tortoise.apps[APP].values():
        fields = model._meta.fields_map.items()
        truths = [name for name, field in fields if isinstance(field, BooleanField)]
        for row in rows[model._meta.db_table]:
            row.update({name: bool(row[name]) for name in truths})
    return rows


async def populated_rows(url: str) -> Rows:
    """Of a database that is filled for it."""
    async with opened(url):
        await migrate(url)
        await populate()
        return await every_row()


def _literal(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    return str(value) if isinstance(value, int) else "'{}'".format(str(value).replace("'", "''"))


def inserts(rows: Rows, known: Facts) -> str:
    """Into the tables and columns that are `known`."""
    lines = []
    for table in tables_in(known):
        columns = columns_in(known, table)
        for row in rows[table] if table not in OF_THE_MIGRATIONS else []:
            values = {column: _literal(row[column]) for column in columns}
            names = ", ".join(f'"{column}"' for column in values)
            lines.append(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(values.values())});\n')
    return "".join(sorted(lines))


async def load(statements: str) -> None:
    """Past the triggers, which saw these rows when they were made: they would count them again."""
    async with in_transaction():
        run = connections.get("default").execute_script
        if is_postgres():
            await run("SET LOCAL session_replication_role = replica")
            await run(statements)
        else:
            triggers = await select("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            await run("PRAGMA defer_foreign_keys = ON;")
            await run("".join(f"DROP TRIGGER {trigger['name']};" for trigger in triggers))
            await run(statements)
            await run("".join(f"{trigger['sql']};" for trigger in triggers))


def recorded(version: str) -> str:
    return (POPULATIONS / f"{version}.sql").read_text(encoding="utf-8")


async def _record() -> Path:
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/meilin.db"
        rows = await populated_rows(url)
        async with opened(url):
            known = await facts()
    file = POPULATIONS / f"{VERSIONS[-1]}.sql"
    file.write_text(inserts(rows, known), encoding="utf-8")
    return file


if __name__ == "__main__":
    print(asyncio.run(_record()))  # noqa: T201
