"""The embedded engine: one writer that takes the lock at once, and readers that never wait for it.

Tortoise's own SQLite client shares one connection between everybody: a reader waits for a writer, a
deferred transaction fails with "database is locked" when it starts to write, and a task cancelled
while it enters a transaction keeps the lock for ever (tortoise-orm#1152).
"""

import asyncio
import ctypes
import logging
import os
import sqlite3
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
from tortoise.backends.base.client import NestedTransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
    translate_exceptions,
)
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError, TransactionManagementError

from community.database.files import OpenFiles
from community.database.outcomes import WRITES
from community.database.trouble import meaning, never_written
from community.errors import Late, OutcomeUnknown, Unwritable

READERS = 2

PRIVATE = 0o600
"""Whoever may read the file may read every ballot."""

SLICE = 0.1
"""Seconds that the writer's thread waits for another process before it looks whether anybody still waits."""

LONGEST = 10.0
"""Seconds that a transaction waits for another process at most, where nobody gives it less."""

EVERY = 1.0
"""Seconds between two looks whether the files are still there."""

log = logging.getLogger(__name__)

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
        self._files: OpenFiles | None = None
        self._watching: asyncio.Task[None] | None = None
        self.replaced = False

    async def create_connection(self, with_db: bool) -> None:
        async with self._opening:
            if not self._readers:
                await _to_the_end(self._open(with_db))

    async def _open(self, with_db: bool) -> None:
        # Where it fails in aiosqlite, its thread outlives our loop.
        sqlite3.connect(self.filename).close()
        files = self._files = OpenFiles(self.filename)
        await super().create_connection(with_db)
        writer = cast(aiosqlite.Connection, self._connection)
        await writer.execute(f"PRAGMA busy_timeout={SLICE * 1000:.0f}")
        for _ in range(READERS):
            reader = await aiosqlite.connect(self._read_only, uri=True, isolation_level=None)
            reader._conn.row_factory = sqlite3.Row
            await reader.execute("PRAGMA query_only=ON")
            await reader.execute(f"PRAGMA busy_timeout={self.pragmas['busy_timeout']}")
            await reader.execute_fetchall("SELECT 1 FROM sqlite_master")  # now it has opened them all
            self._readers.append(reader)
            self._free.put_nowait(reader)
        files.note()
        self._watching = asyncio.create_task(self._watch(files, writer))

    async def _watch(self, files: OpenFiles, writer: aiosqlite.Connection) -> None:
        """Until they are others, or cancelled."""
        while await self.look():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(EVERY)
        if files.wal_is_missing:  # what is acknowledged and only in there goes where it belongs
            async with self._lock:
                with suppress(sqlite3.Error):
                    await writer.execute_fetchall("PRAGMA wal_checkpoint(FULL)")

    async def look(self) -> bool:
        """Compares the open files with those at their names; False from the first difference on."""
        if self._files and not self.replaced and (path := await asyncio.to_thread(self._files.changed)):
            self.refuse(path)
        return not self.replaced

    def commit_and_look(self, connection: sqlite3.Connection) -> Path | None:
        """In the writer's thread: which of the files is another one, if one is."""
        connection.commit()
        return self._files.changed() if self._files else None

    def refuse(self, path: Path) -> None:
        """Nothing is written from now on: it would be lost."""
        if not self.replaced and self._files:
            self.replaced = True
            WRITES.refuse()
            log.critical("%s was removed or replaced; nothing is written until a restart", path)
            with suppress(OSError):
                self._files.set_aside()

    @property
    def pool(self) -> tuple[int, int]:
        """Connections open, the writer's included, and those at rest."""
        if not self._connection:
            return 0, 0
        return 1 + len(self._readers), self._free.qsize() + (not self._lock.locked())

    async def close(self) -> None:
        readers, self._readers, self._free = self._readers, [], asyncio.LifoQueue()
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])
            await self.look()
        for reader in readers:
            await reader.close()
        files, self._files = self._files, None
        if files and self._connection and not files.may_be_closed:
            await _let_go(self._connection)
            self._connection = None
            return  # the files' descriptor stays as well
        await super().close()
        if files:
            files.close()

    def _in_transaction(self) -> SqliteTransactionContext:
        return _ImmediateContext(_ImmediateTransaction(self), self._lock)

    async def _read(self, query: str, values: list[Any] | None) -> list[sqlite3.Row]:
        if not self._readers:
            await self.create_connection(with_db=True)
        reader = await self._free.get()
        try:
            return list(await _to_the_end(reader.execute_fetchall(query, values)))
        except sqlite3.Error as error:
            if refusal := meaning(error, reading=True):
                raise refusal from error
            raise
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


async def _let_go(connection: aiosqlite.Connection) -> None:
    """Ends its thread, but leaves it open until the process ends: closing it, SQLite would write our log into
    the database, and remove by its name what may be the log of another one.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection._conn))
    connection._connection = None
    if ended := connection.stop():
        await ended


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

    async def commit(self) -> None:
        """Raises Unwritable before it, and OutcomeUnknown after it, where the file is another one by now."""
        client = cast(OneWriterClient, self._parent)
        if self._finalized:
            raise TransactionManagementError("Transaction already finalised")
        if client.replaced:
            raise Unwritable
        try:
            path = await self._connection._execute(  # type: ignore[no-untyped-call]
                client.commit_and_look, self._connection._conn
            )
        except sqlite3.Error as error:
            if never_written(error):
                raise
            raise OutcomeUnknown from error
        self._finalized = True
        if path:
            client.refuse(path)
            raise OutcomeUnknown


class _ImmediateContext(SqliteTransactionContext):
    """Enters and leaves as a whole, whatever is cancelled meanwhile."""

    async def __aenter__(self) -> Any:
        await self._trxlock.acquire()
        try:
            await self._begin()
        except BaseException:
            try:
                await _to_the_end(self._undo())
            finally:
                self._trxlock.release()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        return self.connection

    async def _begin(self) -> None:
        """Waits for other processes in slices, so that whoever does not wait any longer is let go."""
        await _to_the_end(self.ensure_connection())
        if self.connection._parent.replaced:
            raise Unwritable
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST
        while True:
            try:
                await _to_the_end(self.connection.begin())
                return
            except OperationalError as error:
                if meaning(error) is not Late or loop.time() >= end:
                    raise

    async def _undo(self) -> None:
        if self.connection._connection:
            await self.connection._connection.rollback()

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            if exc_type is asyncio.CancelledError:  # a statement may still be running, to no end
                self.connection._connection._conn.interrupt()
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
