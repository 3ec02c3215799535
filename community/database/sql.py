"""Hand-written SQL that runs on both engines: `?` marks a value, locks are named by what they mean."""

from collections.abc import Sequence
from typing import Any

from tortoise import connections


def is_postgres() -> bool:
    return bool(connections.get("default").capabilities.dialect == "postgres")


def _numbered(query: str) -> str:
    """PostgreSQL's `$1, $2` for SQLite's `?`; no literal of ours holds a question mark."""
    first, *rest = query.split("?")
    return first + "".join(f"${place}{part}" for place, part in enumerate(rest, start=1))


async def select(query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    query = _numbered(query) if is_postgres() else query
    rows: list[dict[str, Any]] = await connections.get("default").execute_query_dict(query, list(values))
    return rows


async def hold_shared(table: str, key: int) -> None:
    """Until the transaction ends nobody alters the row; SQLite's single writer needs no lock."""
    if is_postgres():
        await select(f'SELECT id FROM "{table}" WHERE id = ? FOR SHARE', [key])  # noqa: S608 - our own name


async def hold_exclusive(table: str, key: int) -> None:
    """Waits for whoever holds the row, shared or not, then holds it alone; rows may still refer to it."""
    if is_postgres():
        await select(f'SELECT id FROM "{table}" WHERE id = ? FOR NO KEY UPDATE', [key])  # noqa: S608 - our own name


async def hold_word(word: str) -> None:
    """Until the transaction ends nobody else holds the same word."""
    if is_postgres():
        await select("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", [word])
