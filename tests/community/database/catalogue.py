"""What a database consists of, as its own catalogue tells it: facts about its schema, and every row."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from community.database.sql import is_postgres, select

Facts = dict[str, str]
"""`index sign_up_standing` → what the catalogue says of it."""

SQLITE = """
WITH t AS (SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%')
SELECT 'table ' || name AS fact, '' AS said FROM t
UNION ALL
SELECT 'column ' || t.name || '.' || c.name,
    c.type || CASE c."notnull" WHEN 1 THEN ' NOT NULL' ELSE '' END
    || COALESCE(' DEFAULT ' || c.dflt_value, '') || CASE WHEN c.pk THEN ' KEY ' || c.pk ELSE '' END
    || CASE WHEN c.hidden THEN ' HIDDEN ' || c.hidden ELSE '' END
FROM t, pragma_table_xinfo(t.name) c
UNION ALL
SELECT 'foreign key ' || t.name || '.' || f."from",
    f."table" || '.' || f."to" || ' ON UPDATE ' || f.on_update || ' ON DELETE ' || f.on_delete
FROM t, pragma_foreign_key_list(t.name) f
UNION ALL
SELECT 'unique ' || t.name || '(' || (SELECT group_concat(name) FROM pragma_index_info(i.name)) || ')',
    'CREATE UNIQUE INDEX of ON "' || t.name || '" ("'
    || (SELECT group_concat(name, '", "') FROM pragma_index_info(i.name)) || '")'
FROM t, pragma_index_list(t.name) i WHERE i.origin = 'u'
UNION ALL
SELECT type || ' ' || name, sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL
"""

POSTGRES = """
SELECT 'table ' || relname AS fact, relkind::text AS said FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT 'column ' || c.relname || '.' || a.attname,
    format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    || COALESCE(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
    || a.attidentity::text || a.attgenerated::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint ' || conrelid::regclass || '.' || conname,
    pg_get_constraintdef(oid) || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'index ' || c.relname,
    pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger ' || tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) || ' ' || tgenabled::text
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function ' || oid::regprocedure, pg_get_functiondef(oid) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
"""


def _checks(definition: str) -> list[str]:
    """The conditions of each CHECK (…) in a CREATE TABLE."""
    found = []
    for check in re.finditer(r"\bCHECK\s*\(", definition, re.IGNORECASE):
        end, depth = check.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(definition[end], 0)
            end += 1
        found.append(definition[check.end() : end - 1])
    return found


async def facts() -> Facts:
    """Of the open database."""
    found = {row["fact"]: row["said"] for row in await select(POSTGRES if is_postgres() else SQLITE)}
    if not is_postgres():
        for row in await select("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
            found |= {f"check {row['name']}: {check}": "" for check in _checks(row["sql"])}
    return found


def tables_in(known: Facts) -> list[str]:
    return sorted(fact.removeprefix("table ") for fact in known if fact.startswith("table "))


def columns_in(known: Facts, table: str) -> list[str]:
    start = f"column {table}."
    return [fact.removeprefix(start) for fact in known if fact.startswith(start)]


def differences(one: Facts, other: Facts) -> list[str]:
    return [
        f"{fact}: {one.get(fact, 'missing')} ≠ {other.get(fact, 'missing')}"
        for fact in sorted(one.keys() | other.keys())
        if one.get(fact) != other.get(fact)
    ]


@dataclass(frozen=True)
class Picture:
    """A database at one instant."""

    facts: Facts
    rows: dict[str, list[dict[str, Any]]]

    def lost_in(self, later: "Picture") -> list[str]:
        """What stood in this one and does not in the later one; what came to it is no loss. A column that is
        gone is one loss, and its rows are compared without it.
        """
        return [
            f"{fact}: {later.facts.get(fact, 'missing')}, was {said}"
            for fact, said in sorted(self.facts.items())
            if later.facts.get(fact) != said
        ] + [
            f"rows of {table}: {gone} of {len(rows)} gone or altered"
            for table, rows in self.rows.items()
            if (gone := _gone(rows, later.rows.get(table), columns_in(later.facts, table)))
        ]


def _gone(rows: list[dict[str, Any]], later: list[dict[str, Any]] | None, columns: list[str]) -> int:
    """How many of the rows are not among the later ones, by those of `columns` that they have."""
    if not rows or later is None:
        return len(rows)
    common = sorted(rows[0].keys() & set(columns))
    before, after = (Counter(tuple(row[name] for name in common) for row in each) for each in (rows, later))
    return (before - after).total()


async def picture() -> Picture:
    """Of the open database."""
    known = await facts()
    return Picture(known, {table: await select(f'SELECT * FROM "{table}"') for table in tables_in(known)})
