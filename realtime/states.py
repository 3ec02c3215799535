"""The newest value of each watched state: read once in a process and round, for all watchers.

    FRESH ──── a signal ────► STALE ──── a reader waits ────► READING ──── all readers wake ────► FRESH
                                ▲                                │
                                └─────── a signal meanwhile ─────┘

A slow watcher misses values, never the last. A read that finds the same value wakes readers, too.
"""

import asyncio
from typing import Generic, TypeVar

from community.live import State
from realtime.watched import After, Begin, Reader, WatchedKey

T = TypeVar("T")


class SharedState(WatchedKey, Generic[T]):
    """The newest value of a key. `wanted`: a reader waits for a read. `reads` counts those that are over."""

    value: T

    def __init__(self, declaration: State[T], key: int) -> None:
        super().__init__()
        self._declaration, self._key, self._read_under_way = declaration, key, False
        self.wanted, self.reads = asyncio.Event(), 0
        self.stale.set()

    async def reader(self, after: After | Begin) -> "StateReader[T]":
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
        self.reads += 1
        found = not (self.number and value == self.value)
        if found:
            self.value, self.number = value, self.number + 1
            self.wanted.clear()
        self.wake()
        return found


class StateReader(Reader[T]):
    """`_reads` is how many reads it knows of."""

    def __init__(self, shared: SharedState[T]) -> None:
        self._shared = shared
        self.number = self._reads = 0

    async def until_read(self) -> None:
        while self._reads == self._shared.reads:
            self._shared.wanted.set()
            await self._shared.until_woken()
        self._reads = self._shared.reads

    @property
    def has_next(self) -> bool:
        return self.number != self._shared.number

    def take(self) -> T:
        self.number, self._reads = self._shared.number, self._shared.reads
        return self._shared.value

    def is_newest(self, number: int) -> bool:
        return number == self._shared.number and self._shared.is_fresh

    async def number_after(self, after: After) -> int:
        return 0
