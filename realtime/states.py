"""The newest value of each watched state: read once in a process and round, for all watchers.

    FRESH ──── a signal ────► STALE ──── a reader waits ────► READING ──── all readers wake ────► FRESH
                                ▲                                │
                                └─────── a signal meanwhile ─────┘

A slow watcher misses values, never the last. A read that finds the same value wakes readers, too.
"""

import asyncio
from typing import Generic, TypeVar

from community.live import State
from realtime.watched import After, Reader, Start, WatchedKey

T = TypeVar("T")


class SharedState(WatchedKey, Generic[T]):
    """The newest `value` of a key, whose `number` grows with each other value. `reads_done` counts the reads
    that are over, also those that found the same value. `wanted`: a reader waits for one.
    """

    value: T

    def __init__(self, declaration: State[T], key: int) -> None:
        super().__init__()
        self._declaration, self._key, self._read_under_way = declaration, key, False
        self.wanted, self.reads_done = asyncio.Event(), 0
        self.stale.set()

    async def reader(self, start: Start) -> "StateReader[T]":
        return StateReader(self)

    @property
    def is_fresh(self) -> bool:
        return not (self._read_under_way or self.stale.is_set())

    async def read_on(self) -> bool:
        await self.stale.wait()
        await self.wanted.wait()
        self.stale.clear()
        self._read_under_way = True
        try:
            value = await self._declaration.read(self._key)
        finally:
            self._read_under_way = False
        self.reads_done += 1
        self.wanted.clear()  # who waits for more says so again
        is_new = not self.number or value != self.value
        if is_new:
            self.value, self.number = value, self.number + 1
        self.wake()
        return is_new


class StateReader(Reader[T]):
    """`_reads_seen` of those that are done. It takes nothing before the first one that it has not seen: that
    is the last one where nothing was signalled since, else the next.
    """

    def __init__(self, shared: SharedState[T]) -> None:
        self._shared, self.number = shared, 0
        self._reads_seen = self._reads_before = shared.reads_done - shared.is_fresh

    async def until_read(self) -> None:
        while self._reads_seen == self._shared.reads_done:
            self._shared.wanted.set()
            await self._shared.until_woken()
        self._reads_seen = self._shared.reads_done

    @property
    def has_next(self) -> bool:
        shared = self._shared
        return self.number != shared.number and shared.reads_done > self._reads_before

    def take(self) -> T:
        self.number, self._reads_seen = self._shared.number, self._shared.reads_done
        return self._shared.value

    def is_newest(self, number: int) -> bool:
        return number == self._shared.number and self._shared.is_fresh

    async def number_after(self, after: After) -> int:
        return 0
