"""The newest state of what is watched: read once a process and moment, whoever watches.

A slow watcher misses steps, never the end.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

from community.signals import Signal, Topic
from realtime.broker import Stop, Want
from realtime.tempo import PAUSE

T = TypeVar("T")

RETRY = 1.0
"""Seconds before a read that failed is tried again."""

log = logging.getLogger(__name__)


def nobody_else(signal: Signal, /) -> Stop:
    """All signals come from this process."""
    return lambda: None


class Live(Generic[T]):
    """States of one topic by key, each read anew after a signal as soon as a watcher waits for it, but at
    most once every `pause`. `want`: how the broker learns what is watched here.
    """

    def __init__(
        self,
        topic: Topic,
        read: Callable[[int], Awaitable[T]],
        *,
        pause: float = PAUSE,
        want: Want = nobody_else,
    ) -> None:
        self._topic, self._read, self._pause, self._want = topic, read, pause, want
        self._shown: dict[int, _Shown[T]] = {}
        self.moments = self.merged = 0

    @property
    def watched(self) -> int:
        """How many keys somebody watches now."""
        return len(self._shown)

    @property
    def watchers(self) -> int:
        return sum(shown.watchers for shown in self._shown.values())

    def hear(self, signal: Signal) -> None:
        if signal.topic is self._topic and (shown := self._shown.get(signal.key)):
            self.merged += shown.stale.is_set()
            shown.stale.set()

    def everything_changed(self) -> None:
        """After a broken line: signals may have been lost."""
        for shown in self._shown.values():
            shown.stale.set()

    @asynccontextmanager
    async def watch(self, key: int) -> AsyncIterator["States[T]"]:
        """The state now, and again after each change."""
        shown = self._shown.get(key)
        if shown is None:
            shown = self._shown[key] = _Shown()
            # First the watch, then the snapshot: what changes from here on is heard.
            shown.stop = self._want(Signal(self._topic, key))
            shown.reader = asyncio.create_task(self._keep_reading(key, shown))
        states = States(shown)
        shown.watchers += 1
        try:
            yield states
        finally:
            shown.watchers -= 1
            shown.unchanged.pop(states, None)
            shown.waiting.pop(states, None)
            if not shown.watchers:
                del self._shown[key]
                shown.stop()
                shown.reader.cancel()
                with suppress(asyncio.CancelledError):
                    await shown.reader

    async def _keep_reading(self, key: int, shown: "_Shown[T]") -> None:
        while True:
            await shown.stale.wait()
            await shown.wanted.wait()
            shown.stale.clear()
            shown.reading = True
            try:
                self.moments += shown.show(await self._read(key))
            except Exception:
                log.exception("could not read %s:%s", self._topic, key)
                shown.stale.set()
                await asyncio.sleep(RETRY)
            finally:
                shown.reading = False
            await asyncio.sleep(self._pause)


class _Shown(Generic[T]):
    """One watched key."""

    state: T
    reader: asyncio.Task[None]
    stop: Stop

    def __init__(self) -> None:
        self.moment, self.watchers = 0, 0
        self.reading = False
        self.stale, self.wanted = asyncio.Event(), asyncio.Event()
        self.stale.set()  # the first read is the snapshot, made after the watch began
        self.next = asyncio.Event()
        self.unchanged: dict[States[T], Callable[[], None]] = {}
        self.waiting: dict[States[T], Callable[[], None]] = {}

    @property
    def settled(self) -> bool:
        """Nothing was heard since the last read began, and none is under way."""
        return not (self.reading or self.stale.is_set())

    def show(self, state: T) -> bool:
        """Whether it was a new one."""
        unchanged, self.unchanged = self.unchanged, {}
        if self.moment and state == self.state:
            for call in unchanged.values():
                call()
            return False
        self.state, self.moment = state, self.moment + 1
        self.wanted.clear()
        done, self.next = self.next, asyncio.Event()
        done.set()
        waiting, self.waiting = self.waiting, {}
        for call in waiting.values():
            call()
        return True


class States(Generic[T]):
    """One watcher's way through the states of a key. `number`: the moment of the last one it was given."""

    def __init__(self, shown: _Shown[T]) -> None:
        self._shown = shown
        self.number = 0

    def __aiter__(self) -> "States[T]":
        return self

    async def __anext__(self) -> T:
        while self._shown.moment == self.number:
            self._shown.wanted.set()
            await self._shown.next.wait()
        self.number = self._shown.moment
        return self._shown.state

    def when_more(self, call: Callable[[], None]) -> None:
        """Calls `call`, and none that was given before, once there is a state that was not given yet."""
        if self._shown.moment != self.number:
            call()
        else:
            self._shown.wanted.set()
            self._shown.waiting[self] = call

    @property
    def newest(self) -> bool:
        """Nothing was heard since the last one was read, and none is on its way."""
        return self.number == self._shown.moment and self._shown.settled

    def if_unchanged(self, call: Callable[[], None]) -> None:
        """Calls `call`, and none that was given before, where the read under way finds what was there
        before, so that no moment comes.
        """
        if not self._shown.settled:
            self._shown.wanted.set()
            self._shown.unchanged[self] = call
