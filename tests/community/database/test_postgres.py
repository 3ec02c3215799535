"""Connections to PostgreSQL that break at the worst times: honest errors, and a pool that is whole again."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import asyncpg
import pytest
from tortoise import connections
from tortoise.exceptions import OperationalError

from community.database import deadline, journal, postgres, work
from community.database.deadline import unhurried
from community.database.engine import opened, pool
from community.database.ids import new_id
from community.database.models import Due
from community.database.sql import select
from community.database.work import UnitOfWork, atomic
from community.errors import Late, NotFound, OutcomeUnknown, TryAgain
from community.members.facts import RIGHTS_CHANGED
from community.members.models import Account
from community.permissions import SYSTEM, Person
from community.signals import Signal
from tests.community.conftest import all_told

MORE_THAN_THE_POOL = 8


class Proxy:
    """Stands between us and the server; cuts when it is told to, or at a word of ours."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._ends: set[asyncio.StreamWriter] = set()
        self.cut_before = self.cut_behind = b"\0nothing"
        self.down = False
        self.silent_from = b"\0nothing"
        self._answers = asyncio.Event()
        self._answers.set()

    def speak_again(self) -> None:
        self.silent_from = b"\0nothing"
        self._answers.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._server)
        self._ends |= {writer, far_writer}
        with suppress(OSError):
            await asyncio.gather(self._there(reader, far_writer), self._back(far_reader, writer))

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.silent_from in data:
                self._answers.clear()
            if self.cut_before in data:
                self.cut()
                return
            if self.cut_behind in data:
                # The server does it, we never hear of it.
                self._ends.discard(writer)
                self.cut()
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._answers.wait()
            writer.write(data)
        writer.close()

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()
        self._ends = set()


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[Proxy]:
    parts = urlsplit(postgres_url)
    assert parts.hostname
    assert parts.port
    proxy = Proxy(parts.hostname, parts.port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened(postgres_url.replace(str(parts.port), str(port))):
        yield proxy
        await work.all_done()
    proxy.cut()


@pytest.fixture
def told(proxy: Proxy) -> Iterator[list[Signal]]:
    with all_told() as signals:
        yield signals


async def write(doing: UnitOfWork) -> None:
    await Due.create(job="deed", subject=new_id(), at=doing.now)
    doing.record(RIGHTS_CHANGED, 1)


async def written() -> int:
    return await Due.all().count()


async def everything_works(now: datetime) -> None:
    """More at once than there are connections, so each is taken."""
    with unhurried():
        before = await written()
    slow = [select("SELECT pg_sleep(0.01)") for _ in range(MORE_THAN_THE_POOL)]
    async with asyncio.timeout(20):
        with unhurried():
            await asyncio.gather(*slow)
            for _ in range(MORE_THAN_THE_POOL):
                await atomic(write, SYSTEM, now)
            assert await written() == before + MORE_THAN_THE_POOL


async def test_no_connection_at_all(proxy: Proxy, now: datetime) -> None:
    proxy.down = True
    for _ in range(MORE_THAN_THE_POOL):
        with pytest.raises(TryAgain):
            await atomic(write, SYSTEM, now)
        with pytest.raises(TryAgain):
            await written()
    proxy.down = False
    await everything_works(now)


@pytest.mark.parametrize("way", ["insert", "many", "query", "query_dict", "script"])
async def test_no_connection_says_try_again_whichever_way_a_statement_goes(proxy: Proxy, way: str) -> None:
    proxy.down = True
    values = [] if way == "script" else [[]]
    with pytest.raises(TryAgain):
        await getattr(connections.get("default"), f"execute_{way}")("SELECT 1", *values)


async def test_a_database_that_is_closed_to_us_or_away_by_another_name(
    postgres_url: str, now: datetime
) -> None:
    server, name = postgres_url.rsplit("/", 1)
    elsewhere = await asyncpg.connect(f"{server}/postgres")
    try:
        async with opened(postgres_url):
            for there, back in (
                (f"{name} ALLOW_CONNECTIONS false", f"{name} ALLOW_CONNECTIONS true"),
                (f"{name} RENAME TO {name}_away", f"{name}_away RENAME TO {name}"),
            ):
                await everything_works(now)
                await elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
                await elsewhere.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", name
                )
                await elsewhere.execute(f"ALTER DATABASE {there}")
                for _ in range(MORE_THAN_THE_POOL):
                    with pytest.raises(TryAgain):
                        await atomic(write, SYSTEM, now)
                    with pytest.raises(TryAgain):
                        await written()
                await elsewhere.execute(f"ALTER DATABASE {back}")
                await elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    finally:
        await elsewhere.close()


async def test_a_connection_that_breaks_at_rest_is_made_anew(proxy: Proxy, now: datetime) -> None:
    await everything_works(now)
    proxy.cut()
    with suppress(TryAgain):  # as long as we have not noticed
        await written()
    await everything_works(now)


@pytest.mark.parametrize("word", [b"BEGIN", b"INSERT", b"UPDATE"])
async def test_a_connection_that_breaks_before_the_commit_leaves_nothing(
    proxy: Proxy, now: datetime, word: bytes
) -> None:
    proxy.cut_before = word
    for _ in range(MORE_THAN_THE_POOL):
        with pytest.raises(TryAgain):
            await atomic(write, SYSTEM, now)
    proxy.cut_before = b"\0nothing"
    assert await written() == 0
    await everything_works(now)


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_connection_that_breaks_at_the_commit_leaves_it_open(
    proxy: Proxy, now: datetime, arrives: bool
) -> None:
    if arrives:
        proxy.cut_behind = b"COMMIT"
    else:
        proxy.cut_before = b"COMMIT"
    with pytest.raises(OutcomeUnknown):
        await atomic(write, SYSTEM, now)
    proxy.cut_before = proxy.cut_behind = b"\0nothing"
    async with asyncio.timeout(20):
        while await written() != arrives:  # noqa: ASYNC110 - the server sets no event of ours
            await asyncio.sleep(0.01)
    await everything_works(now)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "_deadline", ContextVar("deadline", default=0.4))
    monkeypatch.setattr(work, "GRACE", 0.4)
    monkeypatch.setattr(postgres, "READING", 0.4)
    monkeypatch.setattr(postgres, "UNDOING", 0.2)


@pytest.mark.parametrize("word", [b"BEGIN", b"INSERT", b"journal"])
async def test_a_connection_that_falls_silent_before_the_commit_leaves_nothing(
    proxy: Proxy, now: datetime, short: None, word: bytes
) -> None:
    """Reading ends as well, and no connection is kept for an answer that does not come."""
    proxy.silent_from = word
    outcomes = await asyncio.gather(
        *(atomic(write, SYSTEM, now) for _ in range(MORE_THAN_THE_POOL)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} <= {Late, TryAgain}
    with pytest.raises(TryAgain):
        await written()
    proxy.speak_again()
    await asyncio.wait_for(work.all_done(), 20)
    with unhurried():
        assert await written() == 0
    await everything_works(now)


async def test_a_commit_that_is_answered_late_is_told_late(
    proxy: Proxy, now: datetime, short: None, told: list[Signal]
) -> None:
    proxy.silent_from = b"COMMIT"
    with pytest.raises(OutcomeUnknown):
        await atomic(write, SYSTEM, now)
    assert told == []
    proxy.speak_again()
    await asyncio.wait_for(work.all_done(), 20)
    with unhurried():
        assert (await written(), told) == (1, [Signal("rights", 1)])
    await everything_works(now)


async def test_a_commit_that_is_never_answered_gives_its_connection_back(
    proxy: Proxy, now: datetime, short: None, monkeypatch: pytest.MonkeyPatch, told: list[Signal]
) -> None:
    monkeypatch.setattr(postgres, "COMMITTING", 1.0)
    proxy.silent_from = b"COMMIT"
    with pytest.raises(OutcomeUnknown):
        await atomic(write, SYSTEM, now)
    await asyncio.wait_for(work.all_done(), 20)
    proxy.speak_again()
    with unhurried():
        assert (await written(), told) == (1, [])  # the journal tells of it
    await everything_works(now)


async def test_the_server_ends_what_pauses_or_takes_too_long(
    postgres_url: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"idle_in_transaction_session_timeout": "700ms", "lock_timeout": "300ms"}
    monkeypatch.setattr(postgres, "LIMITS", limits | {"statement_timeout": "4s"})

    async def pause(doing: UnitOfWork) -> None:
        await write(doing)
        await asyncio.sleep(2)
        await write(doing)

    async def pause_before_the_commit(doing: UnitOfWork) -> None:
        await write(doing)
        doing.write_journal = partial(_paused, doing.write_journal)  # type: ignore[method-assign]

    async def _paused(write_journal: Callable[[], Awaitable[tuple[Signal, ...]]]) -> tuple[Signal, ...]:
        told = await write_journal()
        await asyncio.sleep(2)
        return told

    async def hold(doing: UnitOfWork) -> None:
        await journal.take_numbers(None, 0)
        await select("SELECT pg_sleep(1.5)")

    async with opened(postgres_url):
        for body in (pause, pause_before_the_commit):
            with pytest.raises(TryAgain):
                await atomic(body, SYSTEM, now)
            assert await written() == 0
        with pytest.raises(Late):
            await select("SELECT pg_sleep(20)")
        outcomes = await asyncio.gather(
            atomic(hold, SYSTEM, now), atomic(hold, SYSTEM, now), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {Late, type(None)}


async def test_what_the_server_is_told_when_a_line_is_opened(postgres_url: str) -> None:
    async def limits() -> dict[str, str]:
        return {name: (await select(f"SHOW {name}"))[0][name] for name in postgres.LIMITS}

    async with opened(postgres_url):
        assert await limits() == postgres.LIMITS
    with unhurried():
        async with opened(postgres_url):
            assert set((await limits()).values()) == {"0"}


async def test_the_same_key_finds_what_was_written_though_nobody_heard(proxy: Proxy, now: datetime) -> None:
    async def keyed(doing: UnitOfWork) -> bool:
        command = await doing.command("deed", "key")
        if command.result is None:
            await command.store(7)
        return command.result == 7

    viewer = Person(account=(await Account.create(name="resident-1", created_at=now)).id)
    proxy.cut_behind = b"COMMIT"
    with pytest.raises(OutcomeUnknown):
        await atomic(keyed, viewer, now)
    proxy.cut_behind = b"\0nothing"
    assert await atomic(keyed, viewer, now)


async def test_what_is_refused_stays_so_though_the_connection_breaks_meanwhile(
    proxy: Proxy, now: datetime
) -> None:
    async def refused(doing: UnitOfWork) -> None:
        await write(doing)
        proxy.cut()
        await asyncio.sleep(0.05)
        raise NotFound

    with pytest.raises(NotFound):
        await atomic(refused, SYSTEM, now)
    assert await written() == 0
    await everything_works(now)


async def test_a_read_cancelled_at_any_step_leaves_the_pool_whole_and_no_noise(
    proxy: Proxy, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    await everything_works(now)
    client = connections.get("default")
    for steps in range(120):
        if steps % 2:  # the next to ask opens a line
            await client.connections.expire_connections()
        read = asyncio.create_task(written())
        for _ in range(steps):
            await asyncio.sleep(0)
        read.cancel()
        await asyncio.wait([read])
    gc.collect()
    lines = "SELECT count(*) AS open FROM pg_stat_activity WHERE datname = current_database()"
    async with asyncio.timeout(20):
        while len(set(pool())) > 1:  # noqa: ASYNC110 - neither the pool nor the server sets an event of ours
            await asyncio.sleep(0.01)
        while (await select(lines))[0]["open"] > pool()[0]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await everything_works(now)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_asyncpg_still_says_that_a_connection_is_closed_or_released(postgres_url: str) -> None:
    """In words only: what we ask wrongly is an InterfaceError as well."""
    closed = await asyncpg.connect(postgres_url)
    await closed.close()
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=1) as lines:
        released = await lines.acquire()
        await lines.release(released)
        for gone in (closed, released):
            with pytest.raises(asyncpg.InterfaceError) as caught:
                await gone.execute("SELECT 1")
            assert postgres._is_broken(caught.value), caught.value


async def test_what_we_ask_wrongly_is_no_broken_connection(proxy: Proxy) -> None:
    with pytest.raises(OperationalError):
        await select("SELECT nothing FROM nowhere")
    with pytest.raises(Exception, match="invalid input"):
        await Due.filter(subject=2**70).count()
