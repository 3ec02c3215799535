"""Rows that are only ever added, and what must hold of a row; tried on a table made here."""

import pytest
from tortoise.exceptions import IntegrityError

from community.database.guards import Guard, guards
from community.database.sql import is_postgres, select

TABLE = "CREATE TABLE jar (id INTEGER PRIMARY KEY, marbles INTEGER)"
LID = "CREATE TABLE lid (id INTEGER PRIMARY KEY)"
RULES = [
    Guard("jar", "jar_not_empty", "INSERT", "NEW.marbles > 0"),
    Guard("jar", "jar_fills", "UPDATE", "NEW.marbles >= OLD.marbles"),
]


NOT_SO = {
    "INSERT INTO jar VALUES (2, 0)": "jar_not_empty",
    "UPDATE jar SET marbles = 2": "jar_fills",
    "UPDATE lid SET id = 2": "lid_append_only",
    "DELETE FROM lid": "lid_append_only",
}


async def test_what_does_not_hold_is_refused_by_name_and_what_holds_passes(database: str) -> None:
    for statement in (TABLE, LID, *guards(RULES, append_only="lid", postgres=is_postgres())):
        await select(statement)
    await select("INSERT INTO jar VALUES (1, 3)")
    await select("INSERT INTO lid VALUES (1)")
    for statement, name in NOT_SO.items():
        with pytest.raises(IntegrityError, match=name):
            await select(statement)
    await select("UPDATE jar SET marbles = 4")
    await select("INSERT INTO jar VALUES (2, 1)")
    await select("INSERT INTO lid VALUES (2)")
    assert await select("SELECT marbles FROM jar ORDER BY id") == [{"marbles": 4}, {"marbles": 1}]
    assert len(await select("SELECT id FROM lid")) == 2
