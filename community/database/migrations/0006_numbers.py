"""Votes, events and notices are numbered, each kind from 1 in each community: `/c/qiantang/v/12` fits on paper.

The database itself gives the numbers, so that none is given twice, whoever writes. What has a number stays:
else the next one would get the number of the last.
"""

import sqlite3
from typing import Any

from tortoise import fields
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

NUMBERED = {"vote": "announced_at", "event": "published_at", "notice": "published_at"}
"""With the moment by which those are numbered that are there already."""

UPDATES_FROM = (3, 33, 0)
"""The SQLite from which on it knows `UPDATE … FROM`."""

_NEXT = "1 + COALESCE((SELECT MAX(o.number) FROM {table} o WHERE o.community_id = NEW.community_id), 0)"
_SAME = "NEW.number = OLD.number AND NEW.community_id = OLD.community_id"


def statements_of(table: str, since: str, *, postgres: bool) -> list[str]:
    return [
        numbering(table, since, at_once=postgres or sqlite3.sqlite_version_info >= UPDATES_FROM),
        f"CREATE UNIQUE INDEX {table}_number ON {table} (community_id, number)",
        *(_for_postgres(table) if postgres else _for_sqlite(table)),
    ]


def numbering(table: str, since: str, *, at_once: bool) -> str:
    """`at_once`: from one list of all places; else some engines make that list anew for every row."""
    places = f"(SELECT id, ROW_NUMBER() OVER (PARTITION BY community_id ORDER BY {since}, id) AS place FROM {table}) n"
    if at_once:
        return f"UPDATE {table} SET number = n.place FROM {places} WHERE n.id = {table}.id"
    return f"UPDATE {table} SET number = (SELECT n.place FROM {places} WHERE n.id = {table}.id)"


def _for_sqlite(table: str) -> list[str]:
    """The row is there before its number, which is 0 until the same statement ends."""

    def guard(name: str, moment: str, holds: str) -> str:
        return (
            f"CREATE TRIGGER {name} BEFORE {moment} ON {table} WHEN NOT ({holds})"
            f" BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )

    return [
        guard(f"{table}_numbered_here", "INSERT", "NEW.number = 0"),
        f"CREATE TRIGGER {table}_numbered AFTER INSERT ON {table} BEGIN"
        f" UPDATE {table} SET number = {_NEXT.format(table=table)} WHERE id = NEW.id; END",
        guard(f"{table}_number_stays", "UPDATE", f"OLD.number = 0 OR ({_SAME})"),
        guard(f"{table}_stays", "DELETE", "1 = 0"),
    ]


def _for_postgres(table: str) -> list[str]:
    """One numbers at a time, and sees what the one before it has committed."""

    def trigger(name: str, when: str, body: str, each: str = "FOR EACH ROW") -> list[str]:
        return [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$",
            f"CREATE TRIGGER {name} {when} ON {table} {each} EXECUTE FUNCTION {name}()",
        ]

    def refuse(name: str) -> str:
        return f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation';"

    return [
        *trigger(
            f"{table}_numbered",
            "BEFORE INSERT",
            f"IF NEW.number <> 0 THEN {refuse(f'{table}_numbered_here')} END IF;"
            f" PERFORM pg_advisory_xact_lock(hashtextextended('{table} ' || NEW.community_id, 0));"
            f" NEW.number := {_NEXT.format(table=table)}; RETURN NEW;",
        ),
        *trigger(
            f"{table}_number_stays",
            "BEFORE UPDATE",
            f"IF NOT ({_SAME}) THEN {refuse(f'{table}_number_stays')} END IF; RETURN NEW;",
        ),
        *trigger(f"{table}_stays", "BEFORE DELETE", refuse(f"{table}_stays")),
        f"CREATE TRIGGER {table}_stays_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {table}_stays()",
    ]


async def number(apps: Any, editor: Any) -> None:
    postgres = editor.client.capabilities.dialect == "postgres"
    for table, since in NUMBERED.items():
        for statement in statements_of(table, since, postgres=postgres):
            await editor.client.execute_query(statement)


class Migration(Base):
    dependencies = [("meilin", "0005_demonstration")]

    operations = [
        *(ops.AddField(table.title(), "number", fields.IntField(db_default=0)) for table in NUMBERED),
        ops.RunPython(number),
    ]
