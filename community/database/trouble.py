"""What the database's errors mean for the caller."""

import sqlite3
from collections.abc import Iterator

import asyncpg
from tortoise.exceptions import BaseORMException

from community.errors import Late, Refused, TryAgain, Unwritable

_LATE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL}
_UNWRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
}
_PRIMARY = 0xFF
"""SQLite's extended codes carry the plain one in their lowest byte."""

_OF_POSTGRES: tuple[tuple[type[Exception], type[TryAgain]], ...] = (
    # It stood in the way of another one, and left no trace.
    (asyncpg.DeadlockDetectedError, TryAgain),
    (asyncpg.SerializationError, TryAgain),
    (asyncpg.TooManyConnectionsError, TryAgain),
    (asyncpg.LockNotAvailableError, Late),
    (asyncpg.QueryCanceledError, Late),
    (asyncpg.IdleInTransactionSessionTimeoutError, Late),
    (asyncpg.ReadOnlySQLTransactionError, Unwritable),  # as of a standby
    (asyncpg.InsufficientResourcesError, Unwritable),  # class 53, a full disk among them
    (asyncpg.PostgresSystemError, Unwritable),  # class 58, errors of the disk
)


def meaning(error: BaseException, *, reading: bool = False) -> type[TryAgain] | None:
    """Returns the refusal that the error means; None if it is one already, or a fault of the server, as
    an error of writing is while `reading`.
    """
    for cause in _causes(error):
        if isinstance(cause, Refused):
            return None
        if isinstance(cause, sqlite3.DatabaseError) and (found := _of_sqlite(cause, reading)):
            return found
        for kind, found in _OF_POSTGRES:
            if isinstance(cause, kind):
                return found
    return None


def in_short(error: BaseException) -> str:
    """The error for a log line. PostgreSQL's message is left out: it may hold what a person wrote."""
    *_, cause = _causes(error.__cause__ or error)
    return str(cause) if isinstance(cause, sqlite3.Error) else type(cause).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes: Tortoise wraps the engine's errors."""
    yield error
    while isinstance(error, BaseORMException) and (inner := error.__cause__ or error.__context__):
        error = inner
        yield error


def _of_sqlite(error: sqlite3.DatabaseError, reading: bool) -> type[TryAgain] | None:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if reading and code == sqlite3.SQLITE_READONLY:
        return None
    return Late if code in _LATE else Unwritable if code in _UNWRITABLE else None


def never_written(error: sqlite3.Error) -> bool:
    """Whether a COMMIT that failed this way cannot come back when the log is read after a crash.

    A frame that could not be written makes the log end before it. One that could not be brought to the disk
    is in the log all the same.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    return code & _PRIMARY != sqlite3.SQLITE_IOERR or code == sqlite3.SQLITE_IOERR_WRITE
