"""The newest value of each watched state: read once in a process and round, for all watchers.

A slow watcher misses values, never the last.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

from community.signals import Signal
from realtime.broker import RegisterInterest, Stop
from realtime.pacing import PAUSE

T = TypeVar("T")

RETRY = 1.0
"""Seconds before a read that failed is tried again."""

log = logging.getLogger(__name__)


def no_interest(signal: Signal, /) -> Stop:
    """Registers no interest: all signals come from this process."""
    return lambda: None


class StateSource(Generic[T]):
    """The values of one state by key. Each is read anew after a signal as soon as a watcher waits for it,
    but at most once every `pause`. `register_interest` tells the broker what is watched here.
    """

    def __init__(
        self,
        topic: str,
        read: Callable[[int], Awaitable[T]],
        *,
        pause: float = PAUSE,
        register_interest: RegisterInterest = no_interest,
    ) -> None:
        self._topic, self._read, self._pause = topic, read, pause
        self._register_interest = register_interest
        self._states: dict[int, _SharedState[T]] = {}
        self.rounds = self.merged = 0

    @property
    def watched(self) -> int:
        """How many keys are watched now."""
        return len(self._states)

    @property
    def watchers(self) -> int:
        return sum(shared.watchers for shared in self._states.values())

    def handle(self, signal: Signal) -> None:
        if signal.topic == self._topic and (shared := self._states.get(signal.key)):
            self.merged += shared.stale.is_set()
            shared.stale.set()

    def resync(self) -> None:
        """Reads all states anew, after signals may have been lost."""
        for shared in self._states.values():
            shared.stale.set()

    @asynccontextmanager
    async def watch(self, key: int, after: int | None = None) -> AsyncIterator["StateReader[T]"]:
        """Reads the value now, and again after each change; `after` does not count for a state."""
        shared = self._states.get(key)
        if shared is None:
            shared = self._states[key] = _SharedState()
            # First the watch, then the snapshot: changes from here on reach it.
            shared.stop = self._register_interest(Signal(self._topic, key))
            shared.reader = asyncio.create_task(self._keep_reading(key, shared))
        reader = StateReader(shared)
        shared.watchers += 1
        try:
            yield reader
        finally:
            shared.watchers -= 1
            shared.unchanged.pop(reader, None)
            shared.waiting.pop(reader, None)
            if not shared.watchers:
                del self._states[key]
                shared.stop()
                shared.reader.cancel()
                with suppress(asyncio.CancelledError):
                    await shared.reader

    async def _keep_reading(self, key: int, shared: "_SharedState[T]") -> None:
        while True:
            await shared.stale.wait()
            await shared.wanted.wait()
            shared.stale.clear()
            shared.reading = True
            try:
                self.rounds += shared.show(await self._read(key))
            except Exception:
                log.exception("could not read %s:%s", self._topic, key)
                shared.stale.set()
                await asyncio.sleep(RETRY)
            finally:
                shared.reading = False
            await asyncio.sleep(self._pause)


class _SharedState(Generic[T]):
    """One watched key."""

    state: T
    reader: asyncio.Task[None]
    stop: Stop

    def __init__(self) -> None:
        self.number, self.watchers = 0, 0
        self.reading = False
        self.stale, self.wanted = asyncio.Event(), asyncio.Event()
        self.stale.set()  # the first read is the snapshot, made after the watch began
        self.next = asyncio.Event()
        self.unchanged: dict[StateReader[T], Callable[[], None]] = {}
        self.waiting: dict[StateReader[T], Callable[[], None]] = {}

    @property
    def settled(self) -> bool:
        """Whether no signal came since the last read began, and no read is under way."""
        return not (self.reading or self.stale.is_set())

    def show(self, state: T) -> bool:
        """Sets the state, and returns whether it is a new one."""
        unchanged, self.unchanged = self.unchanged, {}
        if self.number and state == self.state:
            for call in unchanged.values():
                call()
            return False
        self.state, self.number = state, self.number + 1
        self.wanted.clear()
        done, self.next = self.next, asyncio.Event()
        done.set()
        waiting, self.waiting = self.waiting, {}
        for call in waiting.values():
            call()
        return True


class StateReader(Generic[T]):
    """Reads the values of a key for one watcher. `number` is that of the last value it got."""

    def __init__(self, shared: _SharedState[T]) -> None:
        self._shared = shared
        self.number = 0

    def __aiter__(self) -> "StateReader[T]":
        return self

    async def __anext__(self) -> T:
        while self._shared.number == self.number:
            self._shared.wanted.set()
            await self._shared.next.wait()
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
