"""What only a connection that can break has to show; the contract itself is in test_broker."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from community.signals import Signal
from realtime import redis_broker
from realtime.redis_broker import EVERYWHERE, RedisBroker

FIRST, SECOND = Signal("tally", 1), Signal("bulletin", 2)
OTHER, RIGHTS = Signal("attendance", 3), Signal("rights", 4)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what another process does sets no event of ours
            await asyncio.sleep(0.005)


class End:
    """A broker with what its listeners heard, and how many gaps it mended. It wants the first two."""

    def __init__(self, url: str) -> None:
        self.broker = RedisBroker(url)
        self.heard: list[Signal] = []
        self.gaps = 0
        self.broker.listen(self.heard.append)
        self.broker.on_resync(self._mend)
        self.stops = [self.broker.register_interest(signal) for signal in (FIRST, SECOND)]

    def _mend(self) -> None:
        self.gaps += 1


@pytest.fixture
async def ends(redis: Any) -> AsyncIterator[tuple[End, End]]:
    pair = End(redis.url), End(redis.url)
    connections = [asyncio.create_task(end.broker.keep_connected()) for end in pair]
    await until(lambda: all(end.broker.connected for end in pair))
    await redis.listens_to(2)
    yield pair
    for connection in connections:
        connection.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


async def test_each_connection_ends_a_gap_also_the_first(ends: tuple[End, End]) -> None:
    assert [end.gaps for end in ends] == [1, 1]


async def test_a_connection_that_broke_is_made_good(
    ends: tuple[End, End], redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    near, far = ends
    redis.kill()
    await until(lambda: not near.broker.connected and not far.broker.connected)
    for _ in range(1_000):
        near.broker.publish([FIRST, SECOND])  # neither waits nor raises
    assert near.heard == [FIRST, SECOND] * 1_000
    assert far.heard == []

    redis.start()
    await until(lambda: near.broker.connected and far.broker.connected)
    await redis.listens_to(2)
    assert near.gaps >= 2
    assert far.gaps >= 2
    near.broker.publish([FIRST])
    # What came meanwhile is merged; it may be gone with the connection, for the gap was mended.
    await until(lambda: FIRST in far.heard)
    assert len(far.heard) <= 4
    assert all(
        record.levelname == "WARNING" for record in caplog.records if record.name.startswith("realtime")
    )


async def test_what_is_told_while_only_our_own_connection_is_away_reaches_the_others_later(
    redis: Any,
) -> None:
    """They have no gap to mend: nobody else would tell them before the journal does."""
    writers: set[asyncio.StreamWriter] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    async def there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", redis.port)
        writers.update((writer, far_writer))
        with suppress(OSError):
            await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))

    bridge = await asyncio.start_server(there, "127.0.0.1")
    port = bridge.sockets[0].getsockname()[1]
    near, far = End(f"redis://127.0.0.1:{port}/0"), End(redis.url)
    running = [asyncio.create_task(end.broker.keep_connected()) for end in (near, far)]
    await until(lambda: near.broker.connected and far.broker.connected)
    await redis.listens_to(2)

    bridge.close()
    for each in writers:
        each.transport.abort()
    await until(lambda: not near.broker.connected)
    near.broker.publish([FIRST, SECOND])
    near.broker.publish([FIRST])
    assert far.heard == []
    async with await asyncio.start_server(there, "127.0.0.1", port):
        await until(lambda: set(far.heard) == {FIRST, SECOND})
        assert far.heard == [FIRST, SECOND]
        assert far.gaps == 1
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for each in writers:
            each.transport.abort()


async def test_a_connection_that_never_stood_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    connection = asyncio.create_task(End("redis://127.0.0.1:1/0").broker.keep_connected())
    await until(lambda: bool(caplog.messages))
    await asyncio.sleep(1)  # it has tried again by now
    connection.cancel()
    await asyncio.gather(connection, return_exceptions=True)
    assert caplog.messages == ["no connection to Redis: ConnectionError"]


async def test_what_nobody_else_hears_does_not_break_the_line(ends: tuple[End, End]) -> None:
    """Redis answers with 0, the number of those who heard it."""
    near, far = ends
    near.broker.publish([OTHER])
    near.broker.publish([FIRST])
    await until(lambda: FIRST in far.heard)
    far.broker.publish([SECOND])
    await until(lambda: SECOND in near.heard)
    assert [end.gaps for end in ends] == [1, 1]


async def test_a_line_that_says_nothing_any_more_is_broken(
    redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_broker, "HEARTBEAT", 0.1)
    end = End(redis.url)
    connection = asyncio.create_task(end.broker.keep_connected())
    await until(lambda: end.broker.connected)
    for pid in redis.pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        await until(lambda: not end.broker.connected)
    finally:
        for pid in redis.pids:
            os.kill(pid, signal.SIGCONT)
    await until(lambda: end.gaps > 1)
    connection.cancel()
    await asyncio.gather(connection, return_exceptions=True)


async def test_an_end_does_not_hear_itself_twice(ends: tuple[End, End]) -> None:
    near, far = ends
    near.broker.publish([FIRST])
    await until(lambda: far.heard == [FIRST])
    far.broker.publish([SECOND])
    await until(lambda: SECOND in near.heard)
    assert near.heard == [FIRST, SECOND]


async def test_a_gap_does_not_end_before_redis_says_that_it_listens(redis: Any) -> None:
    """What others tell until then passes by, so whoever mends earlier may miss it."""
    held, let_go = asyncio.Event(), asyncio.Event()

    async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if b"subscribe" in data:
                held.set()
                await let_go.wait()
            writer.write(data)

    async def there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", redis.port)
        answers = asyncio.create_task(back(far_reader, writer))
        while data := await reader.read(65536):
            far_writer.write(data)
        answers.cancel()
        far_writer.close()

    async with await asyncio.start_server(there, "127.0.0.1") as slow:
        end = End(f"redis://127.0.0.1:{slow.sockets[0].getsockname()[1]}/0")
        connection = asyncio.create_task(end.broker.keep_connected())
        await held.wait()
        assert (end.broker.connected, end.gaps) == (False, 0)
        let_go.set()
        await until(lambda: end.broker.connected)
        assert end.gaps == 1
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)


async def listened_to(redis: Any, *signals: Signal) -> None:
    """Waits until just these are subscribed to, beside what is told to everybody."""
    channels = {f"meilin:{signal.topic}:{signal.key}" for signal in signals} | {EVERYWHERE}
    async with asyncio.timeout(30), Client.from_url(redis.url, decode_responses=True) as client:
        while set(await client.pubsub_channels()) != channels:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.005)


async def test_redis_is_asked_only_for_what_somebody_wants(ends: tuple[End, End], redis: Any) -> None:
    near, far = ends
    await listened_to(redis, FIRST, SECOND)
    stops = [far.broker.register_interest(OTHER) for _ in range(3)]
    stops.append(far.broker.register_interest(RIGHTS))
    await listened_to(redis, FIRST, SECOND, OTHER)
    for stop in (*near.stops, *far.stops, *stops[1:]):
        stop()
    await listened_to(redis, OTHER)
    stops[0]()
    await listened_to(redis)
    far.heard.clear()
    near.broker.publish([FIRST, SECOND, OTHER, RIGHTS])
    await until(lambda: RIGHTS in far.heard)
    assert far.heard == [RIGHTS]
    assert near.broker._interests == far.broker._interests == {}


async def test_what_is_wanted_or_no_longer_wanted_during_an_outage_is_known_afterwards(
    ends: tuple[End, End], redis: Any
) -> None:
    near, far = ends
    redis.kill()
    await until(lambda: not near.broker.connected and not far.broker.connected)
    far.broker.register_interest(OTHER)
    for end in ends:
        end.stops[0]()
    redis.start()
    await until(lambda: near.broker.connected and far.broker.connected)
    await listened_to(redis, SECOND, OTHER)
    near.broker.publish([FIRST, OTHER])
    await until(lambda: OTHER in far.heard)
    assert FIRST not in far.heard


async def test_what_changes_before_redis_says_that_it_listens_is_not_missed(
    ends: tuple[End, End], redis: Any
) -> None:
    near, witness = ends
    witness.broker.register_interest(OTHER)
    await until(lambda: OTHER in witness.heard)
    witness.heard.clear()
    open_, held = asyncio.Event(), asyncio.Event()
    open_.set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not open_.is_set():
                held.set()
                await open_.wait()
            writer.write(data)
        writer.close()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = redis.url.removeprefix("redis://").removesuffix("/0").split(":")
        server_reader, server_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(carry(reader, server_writer), carry(server_reader, writer))

    async with await asyncio.start_server(between, "127.0.0.1") as slow:
        far = End(f"redis://127.0.0.1:{slow.sockets[0].getsockname()[1]}/0")
        connection = asyncio.create_task(far.broker.keep_connected())
        await until(lambda: far.broker.connected)
        open_.clear()
        far.broker.register_interest(OTHER)
        await held.wait()
        near.broker.publish([OTHER])
        await until(lambda: OTHER in witness.heard)
        assert OTHER not in far.heard  # it passed by
        open_.set()
        await until(lambda: OTHER in far.heard or far.gaps > 1)
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)


async def test_a_connection_under_which_something_was_cancelled_is_made_anew(
    redis: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    end, read, cancelled = End(redis.url), RedisBroker._read, list[RedisBroker]()

    async def cancelled_once(broker: RedisBroker, connection: Any) -> None:
        if not cancelled:
            cancelled.append(broker)
            raise asyncio.CancelledError
        await read(broker, connection)

    monkeypatch.setattr(RedisBroker, "_read", cancelled_once)
    running = asyncio.create_task(end.broker.keep_connected())
    await until(lambda: end.broker.connected or running.done())
    assert not running.done()
    assert (cancelled, caplog.messages[-1:]) == ([end.broker], ["the connection to Redis failed"])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_numbers_of_the_journals_come_before_the_signal_that_they_stand_for(
    ends: tuple[End, End],
) -> None:
    near, far = ends
    told: list[Any] = []
    far.broker.saw = lambda heads: told.append(heads)
    far.broker.listen(told.append)
    near.broker.saw = lambda heads: told.append("its own")
    near.broker.publish([FIRST])
    near.broker.wrote({7: range(3, 6), None: range(9, 10)})
    await until(lambda: FIRST in far.heard)
    near.broker.publish([FIRST])
    await until(lambda: far.heard == [FIRST, FIRST])
    assert told == [{7: 5, None: 9}, FIRST, {}, FIRST]
