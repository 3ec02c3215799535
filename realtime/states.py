"""The newest value of each watched state: read once in a process and round, for all watchers.

A slow watcher misses values, never the last.
"""

import asyncio
from typing import Generic, TypeVar

from community.live import State
from realtime.watched import WatchedKey

T = TypeVar("T")


class SharedState(WatchedKey, Generic[T]):
    """The newest value of a key. `wanted`: a watcher waits for the next one. `reads` counts those that are
    over.
    """

    state: T

    def __init__(self, declaration: State[T], key: int) -> None:
        super().__init__()
        self._declaration, self._key, self._read_under_way = declaration, key, False
        self.wanted, self.reads = asyncio.Event(), 0
        self.stale.set()

    async def reader(self, after: int | str | None) -> "StateReader[T]":
        return StateReader(self)

    @property
    def settled(self) -> bool:
        """Whether no signal came since the last read began, and no read is under way."""
        return not (self._read_under_way or self.stale.is_set())

    async def read_on(self) -> bool:
        await self.stale.wait()
        await self.wanted.wait()
        self.stale.clear()
        self._read_under_way = True
        try:
            state = await self._declaration.read(self._key)
        finally:
            self._read_under_way = False
        self.reads += 1
        found = not (self.number and state == self.state)
        if found:
            self.state, self.number = state, self.number + 1
            self.wanted.clear()
        self.wake()
        return found


class StateReader(Generic[T]):
    """Reads the values of a key for one watcher. `number` is that of the last value it got."""

    def __init__(self, shared: SharedState[T]) -> None:
        self._shared = shared
        self.number = self._reads = 0

    def __aiter__(self) -> "StateReader[T]":
        return self

    async def __anext__(self) -> T:
        while not self.has_more:
            await self.until_read()
        self.number, self._reads = self._shared.number, self._shared.reads
        return self._shared.state

    async def until_read(self) -> None:
        """Waits until a read is over that this reader does not know of. It may have found the same value."""
        while self._reads == self._shared.reads:
            self._shared.wanted.set()
            await self._shared.more.wait()
        self._reads = self._shared.reads

    @property
    def has_more(self) -> bool:
        return self.number != self._shared.number

    @property
    def newest(self) -> bool:
        """Whether this reader has the last value, and no newer one is to be read."""
        return not self.has_more and self._shared.settled
