"""PostgreSQL over asyncpg: an honest error when a connection breaks.

Tortoise's own client hands on whatever broke, keeps a pool's connection for ever when it breaks at BEGIN,
and lets a failing rollback hide why there was one.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import (
    ConnectionWrapper,
    NestedTransactionContext,
    PoolConnectionWrapper,
    TransactionContext,
)
from tortoise.connection import get_connections

from community.database.deadline import deadline
from community.database.tortoise_privates import OwnTransactions
from community.database.trouble import meaning
from community.errors import OutcomeUnknown, Refused, TryAgain

LIMITS = {
    "statement_timeout": "10s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "6s",
}
"""The server's own limits. It ends an idle transaction well before those who wait for its locks give up: the
process that holds it is frozen.
"""

UNDOING = 0.5
"""Seconds to roll back what is given up; then the connection is closed, and the server does it by itself."""

READING = 12.0
"""Seconds for what is read, more than the server grants: this is for one that says nothing any more."""

COMMITTING = 60.0
"""Seconds until a COMMIT without an answer gives its connection back, long after the caller has its error."""

_BROKEN = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)

T = TypeVar("T")


def _is_broken(error: BaseException) -> bool:
    """Whether the connection to the server is gone or broken."""
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


class _Honest(OwnTransactions):
    """Turns the errors of failed statements into refusals."""

    async def _answer(self, statement: Awaitable[T]) -> T:
        """Raises TryAgain if the connection broke: what is not committed leaves no trace."""
        with _broken_means(TryAgain):
            try:
                return await statement
            except Exception as error:
                if refusal := meaning(error):
                    raise refusal from error
                raise

    async def execute_insert(self, query: str, values: list[Any]) -> Any:
        return await self._answer(super().execute_insert(query, values))

    async def execute_many(self, query: str, values: list[Any]) -> None:
        await self._answer(super().execute_many(query, values))

    async def execute_query(self, query: str, values: list[Any] | None = None) -> tuple[int, Any]:
        return await self._answer(super().execute_query(query, values))

    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> list[dict[str, Any]]:
        return await self._answer(super().execute_query_dict(query, values))

    async def execute_script(self, query: str) -> None:
        await self._answer(super().execute_script(query))


async def _connect(*args: Any, **kwargs: Any) -> asyncpg.Connection:
    """Opens a connection, and closes it once open if the caller is cancelled: asyncpg leaves a cancelled one
    half open to the garbage collector, which logs an error.
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


class PostgresClient(_Honest, AsyncpgDBClient):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if deadline() is not None:
            self.server_settings = LIMITS | self.server_settings
        self.connections: asyncpg.Pool | None = None
        self.opening = asyncio.Lock()

    async def _answer(self, statement: Awaitable[T]) -> T:
        """Adds a time limit, for statements outside a transaction; a transaction has its deadline."""
        with _broken_means(TryAgain):
            async with asyncio.timeout(None if deadline() is None else READING):
                return await super()._answer(statement)

    async def create_pool(self, **kwargs: Any) -> asyncpg.Pool:
        self.connections = await asyncpg.create_pool(connect=_connect, **kwargs)
        return self.connections

    async def close(self) -> None:
        await super().close()
        self.connections = None

    @property
    def pool(self) -> tuple[int, int]:
        """Open connections, and idle ones."""
        held = self.connections
        return (held.get_size(), held.get_idle_size()) if held else (0, 0)

    async def take(self) -> asyncpg.Connection:
        while not self.connections:
            async with self.opening:
                if not self.connections:
                    await self.create_connection(with_db=True)
        return await self.connections.acquire()

    async def give_back(self, connection: asyncpg.Connection) -> None:
        """Releases it to the pool, which drops one that breaks or does not answer; commits stay committed."""
        if self.connections:  # none once the database is closed
            with suppress(TryAgain), _broken_means(TryAgain):
                await self.connections.release(connection, timeout=UNDOING)

    def acquire_connection(self) -> PoolConnectionWrapper[asyncpg.Connection]:
        return _Lent(self)

    def transaction_context(self) -> TransactionContext:
        return _PooledContext(self)


class _Lent(PoolConnectionWrapper[asyncpg.Connection]):
    def __init__(self, lender: PostgresClient) -> None:
        super().__init__(lender, lender.opening)
        self.lender = lender

    async def __aenter__(self) -> asyncpg.Connection:
        self.connection = await self.lender.take()
        return self.connection

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        await self.lender.give_back(self.connection)


class _Transaction(_Honest, TransactionWrapper):
    """`ended`: committed or rolled back, by its context or by whoever was in it."""

    def __init__(self, parent: "PostgresClient | _Transaction") -> None:
        super().__init__(parent)
        self.connection: asyncpg.Connection = getattr(parent, "connection", None)
        self.statement = asyncio.Lock()
        self.ended = False

    def acquire_connection(self) -> ConnectionWrapper[asyncpg.Connection]:
        held: ConnectionWrapper[asyncpg.Connection] = ConnectionWrapper(self.statement, self)
        held.connection = self.connection
        return held

    def transaction_context(self) -> TransactionContext:
        return NestedTransactionContext(_Transaction(self))

    async def begin(self) -> None:
        self.transaction = self.connection.transaction()
        await self._answer(self.transaction.start())

    async def commit(self) -> None:
        """Raises OutcomeUnknown if the connection broke before the answer, or none came; TryAgain if
        it was broken before.
        """
        with _broken_means(TryAgain):
            if self.connection.is_closed():
                raise TryAgain
        with _broken_means(OutcomeUnknown):
            try:
                async with asyncio.timeout(COMMITTING):
                    await super().commit()
            except TimeoutError:
                self.connection.terminate()
                raise
        self.ended = True

    async def rollback(self) -> None:
        """Without a connection the server does it by itself."""
        with suppress(TryAgain), _broken_means(TryAgain):
            try:
                async with asyncio.timeout(UNDOING):
                    await super().rollback()
            except TimeoutError:
                self.connection.terminate()
        self.ended = True


class _PooledContext(TransactionContext):
    """Gives its connection back whatever happens."""

    def __init__(self, lender: PostgresClient) -> None:
        self.lender = lender
        self.client: _Transaction = _Transaction(lender)

    async def __aenter__(self) -> _Transaction:
        with _broken_means(TryAgain):
            self.client.connection = await self.lender.take()
        self.token = get_connections().set(self.client.connection_name, self.client)
        try:
            await self.client.begin()
        except BaseException:
            await self._give_back()
            raise
        return self.client

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            if not self.client.ended:
                await (self.client.rollback() if exc_type else self.client.commit())
        finally:
            await self._give_back()

    async def _give_back(self) -> None:
        get_connections().reset(self.token)
        await self.lender.give_back(self.client.connection)


client_class = PostgresClient
