"""Hand-written SQL that runs on both engines: `?` stands for a value, locks are named by what they mean."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from tortoise import BaseDBAsyncClient, connections

from community.database.locks import Lock, taking
from community.database.postgres import LIMITS


def is_postgres() -> bool:
    return _speaks_postgres(connections.get("default"))


def _speaks_postgres(client: BaseDBAsyncClient) -> bool:
    return client.capabilities.dialect == "postgres"


@lru_cache(maxsize=256)
def _numbered(query: str) -> str:
    """PostgreSQL's `$1, $2` for SQLite's `?`; no literal of ours holds a question mark."""
    first, *rest = query.split("?")
    return first + "".join(f"${position}{part}" for position, part in enumerate(rest, start=1))


def placeholders(values: Collection[Any]) -> str:
    """One `?` for each value, for an `IN (…)`."""
    return ", ".join("?" * len(values)) or "NULL"


def instant(value: Any) -> Any:
    """Converts an instant's column as `select` returns it: SQLite keeps it as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def day_of(expression: str) -> str:
    """SQL for the calendar day of an instant as neighbours count it, YYYY-MM-DD in Asia/Shanghai.

    `expression`: of ours. China has kept one clock all year since 1992, so the zone is eight hours.
    """
    if is_postgres():
        return f"to_char({expression} AT TIME ZONE 'UTC' + INTERVAL '8 hours', 'YYYY-MM-DD')"
    # SQLite rounds to milliseconds: the last microsecond before midnight would be the next day.
    return f"date(substr({expression}, 1, 19), '+8 hours')"


def as_json(columns: str, rows: str, order: str) -> str:
    """SQL for some rows beside another one: a list of lists as JSON. All three are SQL of ours."""
    if is_postgres():
        lists = f"json_agg(json_build_array({columns}) ORDER BY {order})"
        return f"(SELECT COALESCE({lists}, '[]')::text FROM {rows})"  # noqa: S608
    lists = f"SELECT json_array({columns}) AS c FROM {rows} ORDER BY {order}"  # noqa: S608
    return f"(SELECT json_group_array(json(c)) FROM ({lists}))"  # noqa: S608


async def select(query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Returns the rows. Instants among the values are converted to UTC, as they are stored."""
    client, query, given = _asked(query, values)
    rows: list[dict[str, Any]] = await client.execute_query_dict(query, given)
    return rows


async def select_rows(query: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
    """The same, each row as its columns in order."""
    client, query, given = _asked(query, values)
    _, rows = await client.execute_query(query, given)
    return cast("Sequence[Sequence[Any]]", rows)


def _asked(query: str, values: Sequence[Any]) -> tuple[BaseDBAsyncClient, str, list[Any]]:
    client = connections.get("default")
    query = _numbered(query) if _speaks_postgres(client) else query
    return (
        client,
        query,
        [value.astimezone(UTC) if isinstance(value, datetime) else value for value in values],
    )


async def without_limits() -> None:
    """Lifts the server's time limits on statements, locks and pauses until the transaction ends."""
    if is_postgres():
        for limit in LIMITS:
            await select("SELECT set_config(?, '0', true)", [limit])


async def server_time() -> datetime | None:
    """The time of PostgreSQL's own clock; None on SQLite, which has none."""
    if not is_postgres():
        return None
    (row,) = await select("SELECT clock_timestamp() AS now")
    return cast(datetime, row["now"])


async def lock_shared(table: str, key: int) -> bool:
    """Locks the row against changes until the transaction ends; SQLite's single writer needs no lock.

    Returns whether it may have changed before: then read it again.
    """
    taking(Lock.SUBJECT)
    if is_postgres():
        await select(f'SELECT id FROM "{table}" WHERE id = ? FOR SHARE', [key])  # noqa: S608 - our own name
        return True
    return False


async def lock_exclusive(table: str, key: int) -> None:
    """Locks the row for this transaction alone, after waiting for others; new rows may still refer to it."""
    taking(Lock.SUBJECT)
    if is_postgres():
        await select(f'SELECT id FROM "{table}" WHERE id = ? FOR NO KEY UPDATE', [key])  # noqa: S608 - our own name


async def lock_advisory(name: str, lock: Lock = Lock.SUBJECT) -> None:
    """Takes the advisory lock of this name until the transaction ends; what it stands for says its place in
    the order of locks.
    """
    taking(lock)
    if is_postgres():
        await select("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", [name])
