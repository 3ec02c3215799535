"""SQL of triggers for migrations: rows that are only ever added, and what must hold of a row."""

from collections.abc import Collection
from typing import NamedTuple


class Guard(NamedTuple):
    """`on`: INSERT or UPDATE; `holds`: SQL of ours over NEW, and OLD of an UPDATE, else the row is
    refused by this `name`.
    """

    table: str
    name: str
    on: str
    holds: str


def guards(rows: Collection[Guard], *, append_only: str, postgres: bool) -> list[str]:
    """Statements that keep these guards, and rows of the table `append_only` as they were added.

    Migrations that were released run it: what it returns for them does not change any more.
    """
    return (_for_postgres if postgres else _for_sqlite)(append_only, rows)


def _for_sqlite(table: str, rows: Collection[Guard]) -> list[str]:
    stays = [Guard(table, f"{table}_append_only_{on.lower()}", on, "1 = 0") for on in ("UPDATE", "DELETE")]
    return [
        f"CREATE TRIGGER {guard.name} BEFORE {guard.on} ON {guard.table} WHEN NOT ({guard.holds})"
        f" BEGIN SELECT RAISE(ABORT, '{guard.name}'); END"
        for guard in [*stays, *rows]
    ]


def _for_postgres(table: str, rows: Collection[Guard]) -> list[str]:
    stays = f"{table}_append_only"
    statements = [
        function(stays, refuse(stays)),
        f"CREATE TRIGGER {stays} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {stays}()",
        f"CREATE TRIGGER {stays}_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {stays}()",
    ]
    for guard in rows:
        statements += [
            function(guard.name, f"IF NOT ({guard.holds}) THEN {refuse(guard.name)} END IF; RETURN NEW;"),
            f"CREATE TRIGGER {guard.name} BEFORE {guard.on} ON {guard.table}"
            f" FOR EACH ROW EXECUTE FUNCTION {guard.name}()",
        ]
    return statements


def function(name: str, body: str) -> str:
    """A function of PostgreSQL for a trigger."""
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$"


def refuse(name: str) -> str:
    return f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation';"
