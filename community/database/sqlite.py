"""The embedded engine: one writer that takes the lock at once, and readers that never wait for it.

Tortoise's own SQLite client shares one connection between everybody: a reader waits for a writer, a
deferred transaction fails with "database is locked" when it starts to write (tortoise-orm#1675), and a task
cancelled while it enters a transaction keeps the lock for ever (tortoise-orm#1152).
"""

import asyncio
import ctypes
import itertools
import logging
import os
import re
import sqlite3
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from tortoise.backends.base.client import ConnectionWrapper, NestedTransactionContext, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper, translate_exceptions
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError, TransactionManagementError

from community.database.files import OpenFiles
from community.database.outcomes import WRITES
from community.database.tortoise_privates import OwnTransactions
from community.database.trouble import meaning, never_written
from community.errors import Late, OutcomeUnknown, Unwritable

READERS = 2

STEPS, BRIEF, BRIEFLY = 1_000, 20, 0.003
"""After so many times so many instructions of SQLite's machine, about a millisecond, a statement is no brief
one; nor after so many seconds, looked at after each thousand of them: the disk may be slow.
"""

FEW = 1_000
"""Values of a brief statement at most: binding them takes time that nobody counts."""

MOST_LONG = 1_000
"""Texts of statements that are known not to be brief."""

TRIED_AGAIN = 10.0
"""Seconds after which one of them is: it may have been the machine that was busy."""

_MANY = re.compile(r"\?(?:, \?)+")

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


async def _settled(connection: aiosqlite.Connection, *statements: str) -> aiosqlite.Connection:
    """If it cannot be, it is closed: its thread would keep the process from ending."""
    connection.row_factory = sqlite3.Row
    try:
        for statement in statements:
            await connection.execute_fetchall(statement)
    except BaseException:
        await connection.close()
        raise
    return connection


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
        try:
            raise cancelled
        finally:
            del cancelled  # it keeps this frame, which would keep it
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


class Replaced(OutcomeUnknown):
    """The commit went into a file that is no longer the one at its name."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path


class Writer(sqlite3.Connection):
    """The connection that writes; aiosqlite calls it in a thread of its own."""

    files: OpenFiles | None = None
    left_open = False

    def commit(self) -> None:
        """Raises Replaced if afterwards one of the files is another one."""
        super().commit()
        if self.files and (path := self.files.changed()):
            raise Replaced(path)

    def close(self) -> None:
        if not self.left_open:
            super().close()

    def leave_open(self) -> None:
        """Until the process ends: closing it, SQLite would write our log into the database, and remove by its
        name what may be the log of another one.
        """
        self.left_open = True
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))  # no collector closes it either


class Brief:
    """A connection that reads in the thread of the loop, and gives up where that would hold the loop up."""

    def __init__(self, uri: str) -> None:
        self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0)
        self._connection.row_factory = sqlite3.Row
        for statement in ("PRAGMA query_only=ON", "SELECT 1 FROM sqlite_master"):
            self._connection.execute(statement).fetchall()
        self._connection.set_progress_handler(self._takes_long, STEPS)
        self._began = 0.0
        self._steps = 0  # SQLite counts those of a statement that it keeps through all its runs
        self._long: dict[str, float] = {}

    def _takes_long(self) -> bool:
        self._steps += 1
        return self._steps > BRIEF or time.monotonic() - self._began > BRIEFLY

    def read(self, query: str, values: list[Any] | None) -> list[sqlite3.Row] | None:
        """None where it is for a thread, also where it fails: there it fails again, and is told."""
        values = values or []
        text = _MANY.sub("?", query) if len(values) > 1 else query  # long for a few keys, long for others
        self._steps, self._began = 0, time.monotonic()
        if self._began < self._long.get(text, 0.0) or len(values) > FEW:
            return None
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
                if len(self._long) >= MOST_LONG:
                    self._long.clear()
                self._long[text] = self._began + TRIED_AGAIN
            return None

    def close(self) -> None:
        self._connection.close()


class OneWriterClient(OwnTransactions, SqliteClient):
    """Selects outside a transaction go to read-only connections; all else to the one writer.

    Most selects are brief: the way to a thread and back would take longer than they do. So each is tried in
    the loop's own thread, and goes to another one if it takes longer, or has to wait for anything.

    `turn`: held by whoever uses the writer, for a statement or a whole transaction.
    """

    def __init__(self, file_path: str, **credentials: Any) -> None:
        super().__init__(file_path, **credentials)
        self.writer: aiosqlite.Connection | None = None
        self.turn = asyncio.Lock()
        self.opening = asyncio.Lock()
        self._sqlite: Writer | None = None
        self._readers: list[aiosqlite.Connection] = []
        self._free: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        self._brief: Brief | None = None
        self._read_only = f"{Path(file_path).absolute().as_uri()}?mode=ro"
        self._files: OpenFiles | None = None
        self._watching: asyncio.Task[None] | None = None
        self.replaced = False

    async def create_connection(self, with_db: bool) -> None:
        async with self.opening:
            if not self._readers:
                await _to_the_end(self._open())

    async def _open(self) -> None:
        # Where it fails in aiosqlite, its thread outlives our loop.
        sqlite3.connect(self.filename).close()
        files = self._files = OpenFiles(self.filename)
        writer = self.writer = self.writer or await self._open_writer(files)
        for _ in range(READERS):
            reader = await self._open_reader()
            self._readers.append(reader)
            self._free.put_nowait(reader)
        with suppress(sqlite3.Error):  # without it all is read in threads
            self._brief = Brief(self._read_only)
        files.note()
        self._watching = asyncio.create_task(self._watch(files, writer))

    async def _open_writer(self, files: OpenFiles) -> aiosqlite.Connection:
        def connect() -> Writer:
            self._sqlite = sqlite3.connect(self.filename, isolation_level=None, factory=Writer)
            self._sqlite.files = files
            return self._sqlite

        writer = await aiosqlite.Connection(connect, iter_chunk_size=64)
        pragmas = self.pragmas | {"busy_timeout": f"{SLICE * 1000:.0f}"}
        return await _settled(writer, *(f"PRAGMA {pragma}={value}" for pragma, value in pragmas.items()))

    async def _open_reader(self) -> aiosqlite.Connection:
        return await _settled(
            await aiosqlite.connect(self._read_only, uri=True, isolation_level=None),
            "PRAGMA query_only=ON",
            f"PRAGMA busy_timeout={self.pragmas['busy_timeout']}",
            "SELECT 1 FROM sqlite_master",  # now it has opened them all
        )

    async def connected(self) -> aiosqlite.Connection:
        """The writer, which is opened where nobody has opened it yet."""
        while not self.writer:
            await self.create_connection(with_db=True)
        return self.writer

    async def _watch(self, files: OpenFiles, writer: aiosqlite.Connection) -> None:
        """Until they are others, or cancelled."""
        while await self.look():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(EVERY)
        if files.wal_is_missing:  # what is acknowledged and only in there goes where it belongs
            async with self.turn:
                with suppress(sqlite3.Error):
                    await writer.execute_fetchall("PRAGMA wal_checkpoint(FULL)")

    async def look(self) -> bool:
        """Compares the open files with those at their names; False from the first difference on."""
        if self._files and not self.replaced and (path := await asyncio.to_thread(self._files.changed)):
            self.refuse(path)
        return not self.replaced

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
        if not self.writer:
            return 0, 0
        return 1 + len(self._readers), self._free.qsize() + (not self.turn.locked())

    async def close(self) -> None:
        readers, self._readers, self._free = self._readers, [], asyncio.LifoQueue()
        brief, self._brief = self._brief, None
        if brief:
            with suppress(sqlite3.Error):
                brief.close()
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])
            await self.look()
        for reader in readers:
            await reader.close()
        files, self._files = self._files, None
        writer, self.writer = self.writer, None
        leaving_open = files is not None and not files.may_be_closed
        if self._sqlite and leaving_open:
            self._sqlite.leave_open()
        if writer:
            await writer.close()
        if files and not leaving_open:  # else their descriptor stays as well
            files.close()

    def acquire_connection(self) -> "_Turn":
        return _Turn(self)

    def transaction_context(self) -> "_ImmediateContext":
        return _ImmediateContext(self)

    async def _read(self, query: str, values: list[Any] | None) -> list[sqlite3.Row]:
        if not self._readers:
            await self.create_connection(with_db=True)
        if self._brief and (found := self._brief.read(query, values)) is not None:
            await asyncio.sleep(0)  # many in a row let others have their turn
            return found
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


def _is_select(query: str) -> bool:
    return query.lstrip()[:6].upper().startswith(("SELECT", "WITH"))


class _Turn(ConnectionWrapper[aiosqlite.Connection]):
    """The writer, for a statement outside a transaction."""

    def __init__(self, engine: OneWriterClient) -> None:
        super().__init__(engine.turn, engine)
        self.engine = engine

    async def __aenter__(self) -> aiosqlite.Connection:
        await self.engine.turn.acquire()
        try:
            return await self.engine.connected()
        except BaseException:
            self.engine.turn.release()
            raise

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        self.engine.turn.release()


_marks = itertools.count(1)


class _ImmediateTransaction(OwnTransactions, SqliteTransactionWrapper):
    """`ended`: committed or rolled back, by its context or by whoever was in it."""

    writer: aiosqlite.Connection

    def __init__(self, parent: "OneWriterClient | _ImmediateTransaction") -> None:
        super().__init__(parent)
        if isinstance(parent, OneWriterClient):
            self.engine = parent
        else:
            self.engine, self.writer = parent.engine, parent.writer
        self.statement = asyncio.Lock()
        self.ended = False
        self.mark = f"savepoint_{next(_marks)}"

    def acquire_connection(self) -> ConnectionWrapper[aiosqlite.Connection]:
        held: ConnectionWrapper[aiosqlite.Connection] = ConnectionWrapper(self.statement, self)
        held.connection = self.writer
        return held

    def transaction_context(self) -> NestedTransactionContext:
        return NestedTransactionContext(_ImmediateTransaction(self))

    @translate_exceptions
    async def execute_script(self, query: str) -> None:
        """Statement by statement: sqlite3's own way would commit first."""
        statement = ""
        for part in query.split(";"):
            statement += f"{part};"
            if sqlite3.complete_statement(statement):
                await self.writer.execute(statement)
                statement = ""

    async def begin(self) -> None:
        try:
            await self.writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error

    async def commit(self) -> None:
        """Raises Unwritable before it, and OutcomeUnknown after it, where the file is another one by now."""
        self._may_end()
        if self.engine.replaced:
            raise Unwritable
        try:
            await self.writer.commit()
        except Replaced as replaced:
            self.ended = True
            self.engine.refuse(replaced.path)
            raise OutcomeUnknown from None
        except sqlite3.Error as error:
            if never_written(error):
                raise
            raise OutcomeUnknown from error
        self.ended = True

    async def rollback(self) -> None:
        self._may_end()
        await self.writer.rollback()
        self.ended = True

    def _may_end(self) -> None:
        if self.ended:
            raise TransactionManagementError("Transaction already finalised")

    async def savepoint(self) -> None:
        await self.writer.execute(f"SAVEPOINT {self.mark}")

    async def savepoint_rollback(self) -> None:
        self._may_end()
        await self.writer.execute(f"ROLLBACK TO {self.mark}")

    async def release_savepoint(self) -> None:
        self._may_end()
        await self.writer.execute(f"RELEASE {self.mark}")


class _ImmediateContext(TransactionContext):
    """Enters and leaves as a whole, whatever is cancelled meanwhile."""

    def __init__(self, engine: OneWriterClient) -> None:
        self.engine = engine
        self.client: _ImmediateTransaction = _ImmediateTransaction(engine)

    async def __aenter__(self) -> _ImmediateTransaction:
        await self.engine.turn.acquire()
        try:
            await self._begin()
        except BaseException:
            try:
                await _to_the_end(self._undo())
            finally:
                self.engine.turn.release()
            raise
        self.token = get_connections().set(self.client.connection_name, self.client)
        return self.client

    async def _begin(self) -> None:
        """Waits for other processes in slices, so that whoever does not wait any longer is let go."""
        self.client.writer = await _to_the_end(self.engine.connected())
        if self.engine.replaced:
            raise Unwritable
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST
        while True:
            try:
                await _to_the_end(self.client.begin())
                return
            except OperationalError as error:
                if meaning(error) is not Late or loop.time() >= end:
                    raise

    async def _undo(self) -> None:
        if self.engine.writer:
            await self.engine.writer.rollback()

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            if exc_type is asyncio.CancelledError:  # a statement may still be running, to no end
                await self.client.writer.interrupt()
            if not self.client.ended:
                await _to_the_end(self._finish(failed=exc_type is not None))
        finally:
            get_connections().reset(self.token)
            self.engine.turn.release()

    async def _finish(self, *, failed: bool) -> None:
        if failed:
            await self.client.rollback()
            return
        try:
            await self.client.commit()
        except BaseException:
            await self._undo()
            raise


client_class = OneWriterClient
