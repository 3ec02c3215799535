"""What is known of a key while somebody watches it, whether of a state or of a journal."""

import asyncio
from collections.abc import Callable
from typing import Any

from realtime.broker import Stop


class WatchedKey:
    """One key with watchers. `number` is that of the newest value or item.

    `stale`: something may have changed since the last read began. `ready`: readers can be made.
    """

    reading: asyncio.Task[None]
    stop: Stop

    def __init__(self) -> None:
        self.number = self.watchers = 0
        self.ready, self.stale, self.more = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.waiting: dict[Any, Callable[[], None]] = {}

    async def read_on(self) -> bool:
        """Waits for something to read, reads it, and returns whether it was new."""
        raise NotImplementedError

    async def reader(self, after: int | str | None) -> Any:
        raise NotImplementedError

    def forget(self, reader: Any) -> None:
        self.waiting.pop(reader, None)

    def show(self, number: int) -> None:
        """Wakes whoever waits for more."""
        self.number = number
        done, self.more = self.more, asyncio.Event()
        done.set()
        waiting, self.waiting = self.waiting, {}
        for call in waiting.values():
            call()
