"""The newest value of each watched state: read once in a process and round, for all watchers.

A slow watcher misses values, never the last.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from community.live import State
from realtime.watched import WatchedKey

T = TypeVar("T")


class SharedState(WatchedKey, Generic[T]):
    """The newest value of a key. `wanted`: a watcher waits for the next one."""

    state: T

    def __init__(self, declaration: State[T], key: int) -> None:
        super().__init__()
        self._declaration, self._key, self._read_under_way = declaration, key, False
        self.wanted = asyncio.Event()
        self.unchanged: dict[StateReader[T], Callable[[], None]] = {}
        self.ready.set()  # a reader waits for the snapshot itself
        self.stale.set()

    async def reader(self, after: int | str | None) -> "StateReader[T]":
        return StateReader(self)

    def forget(self, reader: "StateReader[T]") -> None:
        super().forget(reader)
        self.unchanged.pop(reader, None)

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
        unchanged, self.unchanged = self.unchanged, {}
        if self.number and state == self.state:
            for call in unchanged.values():
                call()
            return False
        self.state = state
        self.wanted.clear()
        self.show(self.number + 1)
        return True


class StateReader(Generic[T]):
    """Reads the values of a key for one watcher. `number` is that of the last value it got."""

    def __init__(self, shared: SharedState[T]) -> None:
        self._shared = shared
        self.number = 0

    def __aiter__(self) -> "StateReader[T]":
        return self

    async def __anext__(self) -> T:
        while self._shared.number == self.number:
            self._shared.wanted.set()
            await self._shared.more.wait()
        self.number = self._shared.number
        return self._shared.state

    def when_more(self, call: Callable[[], None]) -> None:
        """Calls `call`, and no earlier one, once there is a value that this reader did not get yet."""
        if self._shared.number != self.number:
            call()
        else:
            self._shared.wanted.set()
            self._shared.waiting[self] = call

    @property
    def newest(self) -> bool:
        """Whether this reader has the last value, and no newer one is to be read."""
        return self.number == self._shared.number and self._shared.settled

    def if_unchanged(self, call: Callable[[], None]) -> None:
        """Calls `call`, and no earlier one, if the read under way finds the same value as before,
        so that no new value comes.
        """
        if not self._shared.settled:
            self._shared.wanted.set()
            self._shared.unchanged[self] = call
