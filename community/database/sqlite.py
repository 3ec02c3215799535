"""The embedded engine: one writer that takes the lock at once, and readers that never wait for it.

Tortoise's own SQLite client shares one connection between everybody: a reader waits for a writer, a
deferred transaction fails with "database is locked" when it starts to write, and a task cancelled
while it enters a transaction keeps the lock for ever (tortoise-orm#1152).
"""

import asyncio
import os
import sqlite3
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from tortoise.backends.base.client import NestedTransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
    translate_exceptions,
)
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

READERS = 2

PRIVATE = 0o600
"""Whoever may read the file may read every ballot."""

T = TypeVar("T")


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Awaits `work` even while being cancelled, then lets the cancellation through."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except BaseException:  # noqa: S110 - the task holds it, and result() raises it below
            pass
    if cancelled:
        task.exception()
        raise cancelled
    return task.result()


def keep_private(file: Path) -> None:
    """Makes the file where there is none, and lets only its owner read it, whatever the umask.

    SQLite gives the log beside it the same mode; one that a less careful version left is set too.
    """
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
    for part in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        if part.is_file():
            with suppress(OSError):  # whoever does not own it, or may not write here, cannot set it
                part.chmod(PRIVATE)


class OneWriterClient(SqliteClient):
    """Selects outside a transaction go to read-only connections; all else to the one writer."""

    def __init__(self, file_path: str, **credentials: Any) -> None:
        super().__init__(file_path, **credentials)
        self._readers: list[aiosqlite.Connection] = []
        self._free: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        self._opening = asyncio.Lock()
        self._read_only = f"{Path(file_path).absolute().as_uri()}?mode=ro"

    async def create_connection(self, with_db: bool) -> None:
        async with self._opening:
            if not self._readers:
                await _to_the_end(self._open(with_db))

    async def _open(self, with_db: bool) -> None:
        # Where it fails in aiosqlite, its thread outlives our loop.
        sqlite3.connect(self.filename).close()
        await super().create_connection(with_db)
        for _ in range(READERS):
            reader = await aiosqlite.connect(self._read_only, uri=True, isolation_level=None)
            reader._conn.row_factory = sqlite3.Row
            await reader.execute("PRAGMA query_only=ON")
            await reader.execute(f"PRAGMA busy_timeout={self.pragmas['busy_timeout']}")
            self._readers.append(reader)
            self._free.put_nowait(reader)

    @property
    def pool(self) -> tuple[int, int]:
        """Connections open, the writer's included, and those at rest."""
        if not self._connection:
            return 0, 0
        return 1 + len(self._readers), self._free.qsize() + (not self._lock.locked())

    async def close(self) -> None:
        readers, self._readers, self._free = self._readers, [], asyncio.LifoQueue()
        for reader in readers:
            await reader.close()
        await super().close()

    def _in_transaction(self) -> SqliteTransactionContext:
        return _ImmediateContext(_ImmediateTransaction(self), self._lock)

    async def _read(self, query: str, values: list[Any] | None) -> list[sqlite3.Row]:
        if not self._readers:
            await self.create_connection(with_db=True)
        reader = await self._free.get()
        try:
            return list(await _to_the_end(reader.execute_fetchall(query, values)))
        finally:
            self._free.put_nowait(reader)

    @translate_exceptions
    async def execute_query(self, query: str, values: list[Any] | None = None) -> tuple[int, Sequence[Any]]:
        if _is_select(query):
            rows = await self._read(query, values)
            return len(rows), rows
        changed: tuple[int, Sequence[Any]] = await super().execute_query(query, values)
        return changed

    @translate_exceptions
    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> list[dict[str, Any]]:
        if _is_select(query):
            return [dict(row) for row in await self._read(query, values)]
        rows: list[dict[str, Any]] = await super().execute_query_dict(query, values)
        return rows


def _is_select(query: str) -> bool:
    return query.lstrip()[:6].upper().startswith(("SELECT", "WITH"))


class _ImmediateTransaction(SqliteTransactionWrapper):
    def _in_transaction(self) -> NestedTransactionContext:
        return NestedTransactionContext(_ImmediateTransaction(self))

    @translate_exceptions
    async def execute_script(self, query: str) -> None:
        """Statement by statement: sqlite3's own way would commit first."""
        statement = ""
        for part in query.split(";"):
            statement += f"{part};"
            if sqlite3.complete_statement(statement):
                await self._connection.execute(statement)
                statement = ""

    async def begin(self) -> None:
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error


class _ImmediateContext(SqliteTransactionContext):
    """Enters and leaves as a whole, whatever is cancelled meanwhile."""

    async def __aenter__(self) -> Any:
        await self._trxlock.acquire()
        try:
            await _to_the_end(self._begin())
        except BaseException:
            try:
                await _to_the_end(self._undo())
            finally:
                self._trxlock.release()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        return self.connection

    async def _begin(self) -> None:
        await self.ensure_connection()
        await self.connection.begin()

    async def _undo(self) -> None:
        if self.connection._connection:
            await self.connection._connection.rollback()

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            if not self.connection._finalized:
                await _to_the_end(self._finish(failed=exc_type is not None))
        finally:
            get_connections().reset(self.token)
            self._trxlock.release()

    async def _finish(self, *, failed: bool) -> None:
        if failed:
            await self.connection.rollback()
            return
        try:
            await self.connection.commit()
        except BaseException:
            await self._undo()
            raise


client_class = OneWriterClient
