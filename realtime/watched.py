"""What is known of a key while somebody watches it, whether of a state or of a journal."""

import asyncio
from typing import Any

from realtime.broker import Stop


class WatchedKey:
    """One key with watchers. `number` is that of the newest value or item.

    `stale`: something may have changed since the last read began. `more` is set when a read is over, and is
    another event from then on.
    """

    reading: asyncio.Task[None]
    stop: Stop

    def __init__(self) -> None:
        self.number = self.watchers = 0
        self.stale, self.more = asyncio.Event(), asyncio.Event()

    async def read_on(self) -> bool:
        """Waits for something to read, reads it, and returns whether it was new."""
        raise NotImplementedError

    async def reader(self, after: int | str | None) -> Any:
        raise NotImplementedError

    def wake(self) -> None:
        """Wakes whoever waits for more."""
        done, self.more = self.more, asyncio.Event()
        done.set()
