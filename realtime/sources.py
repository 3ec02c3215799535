"""What is watched in this process: each key of each declaration is read once, for all its watchers."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from community.live import Declaration, State
from community.repeat import repeat
from community.signals import Signal
from realtime.broker import Broker
from realtime.journals import SharedItems
from realtime.pacing import PAUSE
from realtime.states import SharedState
from realtime.watched import Reader, Start, WatchedKey

RETRY = 1.0
"""Seconds before a read that failed is tried again."""

log = logging.getLogger(__name__)


class LiveSources:
    """`handle` marks a key; the task of the key reads it, by `_read_once`. A state is read at most once every
    `pause`, and only while somebody waits for it.

    `rounds` counts the reads that found something new, `merged` the changes that shared a read with another.
    """

    def __init__(self, broker: Broker, pause: float = PAUSE) -> None:
        self._broker, self._pause = broker, pause
        self._shared: defaultdict[Declaration[Any, Any], dict[int, WatchedKey]] = defaultdict(dict)
        self.rounds = self.merged = 0
        broker.listen(self.handle)
        broker.on_resync(self.resync)

    def __iter__(self) -> Iterator[WatchedKey]:
        return (shared for by_key in self._shared.values() for shared in by_key.values())

    @property
    def watchers(self) -> int:
        return sum(shared.watchers for shared in self)

    def handle(self, signal: Signal) -> None:
        for declaration, by_key in self._shared.items():
            if declaration.topic == signal.topic and (shared := by_key.get(signal.key)):
                self.merged += shared.stale.is_set()
                shared.stale.set()

    def resync(self) -> None:
        """Reads all anew, after signals may have been lost."""
        for shared in self:
            shared.stale.set()

    @asynccontextmanager
    async def watch(
        self, declaration: Declaration[Any, Any], key: int, start: Start = None
    ) -> AsyncIterator[Reader[Any]]:
        """A reader of a state's value, and of the newest after each change; or of the items of a journal that
        are new behind `start`, and of each that comes. Raises CursorInvalid.
        """
        by_key = self._shared[declaration]
        if key not in by_key:
            by_key[key] = self._begin(declaration, key)
        shared = by_key[key]
        shared.watchers += 1
        try:
            yield await shared.reader(start)
        finally:
            shared.watchers -= 1
            if not shared.watchers:
                del by_key[key]
                await shared.end()

    def _begin(self, declaration: Declaration[Any, Any], key: int) -> WatchedKey:
        shared: WatchedKey
        if isinstance(declaration, State):
            shared, pause = SharedState(declaration, key), self._pause
        else:
            shared, pause = SharedItems(declaration, key), 0.0
        # First the interest, then the first read: changes from here on are handled.
        stop = self._broker.register_interest(Signal(declaration.topic, key))
        fault, read_once = f"could not read {declaration.topic}:{key}", partial(self._read_once, shared)
        shared.begin(asyncio.create_task(repeat(read_once, pause, log, fault, retry=RETRY)), stop)
        return shared

    async def _read_once(self, shared: WatchedKey) -> None:
        try:
            found = await shared.read_on()
        except BaseException:  # also where something was cancelled under it
            shared.stale.set()
            raise
        self.rounds += found
