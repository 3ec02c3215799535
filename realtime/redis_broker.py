"""The broker between processes: one connection a process, which may break at any time.

What Redis loses the journal still has, and every process looks at its head each second: a broken line
makes news slower, never wrong. Over RESP3 one connection both publishes and listens.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

import orjson
from redis.asyncio.connection import Connection, parse_url
from redis.exceptions import RedisError

from community.signals import Signal, Topic
from realtime.broker import Listeners

CHANNEL = "meilin:signals"

HEARTBEAT = 2.0
"""Seconds between pings; a line that says nothing for two of them is broken."""

PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds before the line is tried again, doubled each time, with jitter."""

BROKEN = (RedisError, OSError, TimeoutError)

# With a timeout of its own the client goes through asyncio.wait_for, which in Python 3.11 may swallow a
# cancellation: the line would outlive whoever ends it.
_WITHOUT_WAIT_FOR = {"protocol": 3, "socket_timeout": None, "socket_connect_timeout": HEARTBEAT}

log = logging.getLogger(__name__)


class RedisBroker(Listeners):
    """Tells its own process at once, the others through Redis. Each connection ends a gap, also the first."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._options: dict[str, Any] = dict(parse_url(url))
        self._own = secrets.token_hex(8)
        self._outbox: dict[Signal, None] = {}
        self._filled = asyncio.Event()
        self.connected = False

    def publish(self, signals: Iterable[Signal], /) -> None:
        told = tuple(signals)
        self.hear(told)
        self._outbox.update(dict.fromkeys(told))
        self._filled.set()

    async def keep_connected(self) -> None:
        """Runs until cancelled."""
        pause = PAUSE
        while True:
            try:
                await self._hold_line()
            except BROKEN as error:
                if self.connected:
                    log.warning("the line to Redis broke: %s", type(error).__name__)
                    pause = PAUSE
            except Exception:
                log.exception("the line to Redis failed")
            finally:
                self.connected = False
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _hold_line(self) -> None:
        """One connection from its beginning to its break."""
        line = Connection(**self._options | _WITHOUT_WAIT_FOR)
        try:
            async with asyncio.timeout(2 * HEARTBEAT):
                await line.connect()  # type: ignore[no-untyped-call]
                await line.send_command("SUBSCRIBE", CHANNEL)
            await _first_to_end(self._read(line), self._write(line))
        finally:
            with suppress(*BROKEN):
                await line.disconnect(nowait=True)

    async def _read(self, line: Connection) -> None:
        line._parser.set_pubsub_push_handler(self._pushed)  # type: ignore[attr-defined]
        while True:
            # Answers to our own commands, and whatever `_pushed` made of a message.
            if await line.read_response(timeout=2 * HEARTBEAT, push_request=True) is None:
                raise TimeoutError("Redis says nothing")

    async def _pushed(self, message: list[Any]) -> bool:
        kind, _, payload = message
        if kind == b"subscribe":  # not before: what is told until then passes by
            self.connected = True
            self._mend()
        elif kind == b"message":
            sender, signals = orjson.loads(payload)
            if sender != self._own:
                self.hear(Signal(Topic(topic), key) for topic, key in signals)
        return True

    async def _write(self, line: Connection) -> None:
        """Also what came in while the line was away, merged, so that it stays small."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT):
                    await self._filled.wait()
            self._filled.clear()
            if self._outbox:
                signals = [(signal.topic.value, signal.key) for signal in self._outbox]
                self._outbox = {}
                await line.send_command("PUBLISH", CHANNEL, orjson.dumps([self._own, signals]))
            else:
                await line.send_command("PING")


async def _first_to_end(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all until one fails, then ends the others and raises what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
