"""The broker between processes: one connection a process, which may break at any time.

What Redis loses the journal still has, and every process polls its head each second: a broken
connection makes signals later, never lost. Over RESP3 one connection both publishes and listens.
"""

import asyncio
import logging
import random
import secrets
from collections import Counter
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

import orjson
from redis.asyncio.connection import Connection, parse_url
from redis.exceptions import RedisError

from community.catalogue import catalogue
from community.database.journal import Written
from community.errors import TryAgain
from community.signals import Signal
from community.waiting import unless_cancelled
from realtime.broker import Broker, Stop

EVERYWHERE = "meilin:rights"
"""The channel of signals for every process; each other key has a channel, for the processes that watch it."""

HEARTBEAT = 2.0
"""Seconds between pings; a connection that says nothing for two of them is broken."""

PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds before the connection is tried again, doubled each time, with jitter."""

BROKEN = (RedisError, OSError, TimeoutError)

# With a timeout of its own the client goes through asyncio.wait_for, which in Python 3.11 may swallow a
# cancellation: the connection would outlive whoever ends it.
_WITHOUT_WAIT_FOR = {"protocol": 3, "socket_timeout": None, "socket_connect_timeout": HEARTBEAT}

log = logging.getLogger(__name__)


class RedisBroker(Broker):
    """Publishes to its own process at once, to the others through Redis. Resyncs after each connect."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._options: dict[str, Any] = dict(parse_url(url))
        self._own = secrets.token_hex(8)
        self._outbox: dict[Signal, None] = {}
        self._written: dict[int | None, int] = {}
        self._interests: Counter[str] = Counter()
        self._pending: dict[str, str] = {}
        self._filled = asyncio.Event()
        self.connected = False

    def publish(self, signals: Iterable[Signal], /) -> None:
        signals = tuple(signals)
        self.dispatch(signals)
        self._outbox.update(dict.fromkeys(signals))
        self._filled.set()

    def wrote(self, written: Written, /) -> None:
        self._written |= {community: numbers[-1] for community, numbers in written.items()}

    def register_interest(self, signal: Signal, /) -> Stop:
        channel = _channel(signal)
        self._interests[channel] += 1
        if self._interests[channel] == 1:
            self._enqueue("SUBSCRIBE", channel)

        def stop() -> None:
            self._interests[channel] -= 1
            if not self._interests[channel]:
                del self._interests[channel]
                self._enqueue("UNSUBSCRIBE", channel)

        return stop

    def _enqueue(self, command: str, channel: str) -> None:
        if channel != EVERYWHERE:
            self._pending[channel] = command
            self._filled.set()

    async def keep_connected(self) -> None:
        """Runs until cancelled."""
        pause, logged = PAUSE, False
        while True:
            try:
                await unless_cancelled(self._hold_connection(), TryAgain())
            except BROKEN as error:
                if self.connected:
                    pause, logged = PAUSE, False
                if not logged:
                    log.warning("no connection to Redis: %s", type(error).__name__)
                    logged = True
            except Exception:
                log.exception("the connection to Redis failed")
            finally:
                self.connected = False
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _hold_connection(self) -> None:
        """Connects, then reads and writes until the connection breaks."""
        connection = Connection(**self._options | _WITHOUT_WAIT_FOR)
        try:
            async with asyncio.timeout(2 * HEARTBEAT):
                await connection.connect()  # type: ignore[no-untyped-call]
                self._pending = {}
                # In this order: once the last one is confirmed, nothing is lost any more.
                await connection.send_command("SUBSCRIBE", *self._interests, EVERYWHERE)
            await _first_to_end(self._read(connection), self._write(connection))
        finally:
            with suppress(*BROKEN):
                await connection.disconnect(nowait=True)

    async def _read(self, connection: Connection) -> None:
        while (
            answer := await connection.read_response(timeout=2 * HEARTBEAT, push_request=True)
        ) is not None:
            if isinstance(answer, list):  # a push; our own commands are answered by a number or a word
                self._pushed(*answer)
        raise TimeoutError("Redis says nothing")

    def _pushed(self, kind: bytes, channel: bytes, payload: Any) -> None:
        if kind == b"message":
            sender, topic, key, *heads = orjson.loads(payload)
            if sender != self._own:
                self.saw({community: number for each in heads for community, number in each})
                self.dispatch([Signal(topic, key)])
        elif kind == b"subscribe":  # not before: what is published until then is lost
            if self.connected:
                self.dispatch([_signal(channel.decode())])
            elif channel.decode() == EVERYWHERE:
                self.connected = True
                self.resync()

    async def _write(self, connection: Connection) -> None:
        """Writes pending commands and signals, also those from while there was no connection, merged."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT):
                    await self._filled.wait()
            self._filled.clear()
            pending, self._pending = self._pending, {}
            signals, self._outbox = self._outbox, {}
            heads, self._written = list(self._written.items()), {}
            commands = [(command, channel) for channel, command in pending.items()] + [
                ("PUBLISH", _channel(signal), orjson.dumps([self._own, signal.topic, signal.key, heads]))
                for signal in signals
            ]
            await connection.send_packed_command(connection.pack_commands(commands or [("PING",)]))


def _channel(signal: Signal) -> str:
    topic = catalogue().topics.get(signal.topic)
    everywhere = topic is not None and topic.everywhere
    return EVERYWHERE if everywhere else f"meilin:{signal.topic}:{signal.key}"


def _signal(channel: str) -> Signal:
    _, topic, key = channel.split(":")
    return Signal(topic, int(key))


async def _first_to_end(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all until one ends, then ends the others and raises what it raised. A TaskGroup of Python 3.11
    would swallow a cancellation that comes at the same time, and of one that was cancelled alone neither it
    nor FIRST_EXCEPTION takes notice.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
