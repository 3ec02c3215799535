"""The newest state of what is watched: read once a process, shown to every watcher.

A slow watcher misses steps, never the end.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

from community.signals import Signal, Topic

T = TypeVar("T")

PAUSE = 0.1
"""Seconds between two reads of one key, so that a burst of changes becomes one moment."""

RETRY = 1.0
"""Seconds before a read that failed is tried again."""

log = logging.getLogger(__name__)


class Live(Generic[T]):
    """States of one topic by key, each read anew after a signal, at most once every `PAUSE`."""

    def __init__(self, topic: Topic, read: Callable[[int], Awaitable[T]]) -> None:
        self._topic, self._read = topic, read
        self._shown: dict[int, _Shown[T]] = {}
        self.moments = 0

    @property
    def watched(self) -> int:
        """How many keys somebody watches now."""
        return len(self._shown)

    @property
    def watchers(self) -> int:
        return sum(shown.watchers for shown in self._shown.values())

    def hear(self, signal: Signal) -> None:
        if signal.topic is self._topic and (shown := self._shown.get(signal.key)):
            shown.stale.set()

    def everything_changed(self) -> None:
        """After a broken line: signals may have been lost."""
        for shown in self._shown.values():
            shown.stale.set()

    @asynccontextmanager
    async def watch(self, key: int) -> AsyncIterator[AsyncIterator[T]]:
        """The state now, and again after each change."""
        shown = self._shown.get(key)
        if shown is None:
            shown = self._shown[key] = _Shown()
            shown.reader = asyncio.create_task(self._keep_reading(key, shown))
        shown.watchers += 1
        try:
            yield shown.states()
        finally:
            shown.watchers -= 1
            if not shown.watchers:
                del self._shown[key]
                shown.reader.cancel()
                with suppress(asyncio.CancelledError):
                    await shown.reader

    async def _keep_reading(self, key: int, shown: "_Shown[T]") -> None:
        while True:
            await shown.stale.wait()
            shown.stale.clear()
            try:
                self.moments += shown.show(await self._read(key))
            except Exception:
                log.exception("could not read %s:%s", self._topic, key)
                shown.stale.set()
                await asyncio.sleep(RETRY)
            await asyncio.sleep(PAUSE)


class _Shown(Generic[T]):
    """One watched key."""

    state: T
    reader: asyncio.Task[None]

    def __init__(self) -> None:
        self.moment, self.watchers = 0, 0
        self.stale = asyncio.Event()
        self.stale.set()  # the first read is the snapshot, made after the watch began
        self._next = asyncio.Event()

    def show(self, state: T) -> bool:
        """Whether it was a new one."""
        if self.moment and state == self.state:
            return False
        self.state, self.moment = state, self.moment + 1
        done, self._next = self._next, asyncio.Event()
        done.set()
        return True

    async def states(self) -> AsyncIterator[T]:
        seen = 0
        while True:
            while self.moment == seen:
                await self._next.wait()
            seen = self.moment
            yield self.state
