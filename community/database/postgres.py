"""PostgreSQL over asyncpg: where the line breaks, an honest word about what it left behind.

Tortoise's own client hands on whatever broke, keeps a pool's connection for ever when it breaks at BEGIN,
and lets a failing rollback hide why there was one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import (
    NestedTransactionContext,
    PoolConnectionWrapper,
    TransactionContext,
    TransactionContextPooled,
)
from tortoise.connection import get_connections

from community.database.deadline import deadline
from community.database.trouble import meaning
from community.errors import OutcomeUnknown, Refused, TryAgain

LIMITS = {
    "statement_timeout": "10s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "6s",
}
"""What the server ends by itself. A pause inside a transaction is ended well before others, who wait for what
it holds, give up: whoever pauses is frozen.
"""

UNDOING = 0.5
"""Seconds for the server to undo what is given up; then the line is cut, and it does so by itself."""

READING = 12.0
"""Seconds for what is read, more than the server grants: this is for one that says nothing any more."""

COMMITTING = 60.0
"""Seconds until a COMMIT without an answer gives its line back; whoever asked has long been told."""

_BROKEN = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)


def _is_broken(error: BaseException) -> bool:
    """There is no line to the server, or it broke meanwhile."""
    if isinstance(error, asyncpg.InterfaceError):  # also what we ask wrongly
        return "closed" in str(error) or "released" in str(error)
    return isinstance(error, _BROKEN)


@contextmanager
def _broken_means(refusal: type[Refused]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if _is_broken(error):
            raise refusal from error
        raise


class _Translating(AsyncpgDBClient):
    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """What is not committed leaves no trace, so it may be tried again."""
        with _broken_means(TryAgain):
            try:
                return await super()._translate_exceptions(func, *args, **kwargs)
            except Exception as error:
                if refusal := meaning(error):
                    raise refusal from error
                raise


async def _connect(*args: Any, **kwargs: Any) -> asyncpg.Connection:
    """A line once begun is opened to its end and then closed, though whoever asked for it hung up: asyncpg
    leaves one that is cancelled half open to the garbage collector, which logs a fault that is none.
    """
    opening = asyncio.ensure_future(asyncpg.connect(*args, **kwargs))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_hang_up)
        raise
    except asyncpg.PostgresError as error:  # also where the database was dropped, renamed or closed to us
        raise ConnectionRefusedError(str(error)) from error


def _hang_up(opened: "asyncio.Task[asyncpg.Connection]") -> None:
    if not opened.cancelled() and not opened.exception():
        opened.result().terminate()


class _Lent(PoolConnectionWrapper[asyncpg.Connection]):
    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        await _give_back(self.client._pool, self.connection)


async def _give_back(pool: asyncpg.Pool | None, connection: Any) -> None:
    """One that breaks here, or says nothing, is thrown away by the pool; what was committed stays so."""
    if pool:  # none once the database is closed
        with suppress(TryAgain), _broken_means(TryAgain):
            await pool.release(connection, timeout=UNDOING)


class PostgresClient(_Translating):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if deadline() is not None:
            self.server_settings = LIMITS | self.server_settings

    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Outside a transaction, which has a deadline of its own."""
        with _broken_means(TryAgain):
            async with asyncio.timeout(None if deadline() is None else READING):
                return await super()._translate_exceptions(func, *args, **kwargs)

    def acquire_connection(self) -> PoolConnectionWrapper[asyncpg.Connection]:
        return _Lent(self, self._pool_init_lock)

    async def create_pool(self, **kwargs: Any) -> asyncpg.Pool:
        return await asyncpg.create_pool(connect=_connect, **kwargs)

    def _in_transaction(self) -> TransactionContext:
        return _PooledContext(_Transaction(self), self._pool_init_lock)


class _Transaction(TransactionWrapper, _Translating):
    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(_Transaction(self))

    async def commit(self) -> None:
        """Raises OutcomeUnknown where the line broke before the server's answer, or none came; TryAgain where
        it was broken before.
        """
        with _broken_means(TryAgain):
            if self._connection.is_closed():
                raise TryAgain
        with _broken_means(OutcomeUnknown):
            try:
                async with asyncio.timeout(COMMITTING):
                    await super().commit()
            except TimeoutError:
                self._connection.terminate()
                raise

    async def rollback(self) -> None:
        """Where there is no line any more the server does it by itself."""
        with suppress(TryAgain), _broken_means(TryAgain):
            try:
                async with asyncio.timeout(UNDOING):
                    await super().rollback()
            except TimeoutError:
                self._connection.terminate()


class _PooledContext(TransactionContextPooled):
    """Gives its connection back whatever happens."""

    async def __aenter__(self) -> Any:
        with _broken_means(TryAgain):
            await self.ensure_connection()
            self.client._connection = await self.client._parent._pool.acquire()
        self.token = get_connections().set(self.connection_name, self.client)
        try:
            await self.client.begin()
        except BaseException:
            await self._give_back()
            raise
        return self.client

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            if not self.client._finalized:
                await (self.client.rollback() if exc_type else self.client.commit())
        finally:
            await self._give_back()

    async def _give_back(self) -> None:
        get_connections().reset(self.token)
        await _give_back(self.client._parent._pool, self.client._connection)


client_class = PostgresClient
