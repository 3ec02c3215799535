"""A key while somebody watches it, and who reads it: the same for a state as for a journal."""

import asyncio
from contextlib import suppress
from enum import Enum
from typing import Any, Protocol, TypeAlias, TypeVar

from realtime.broker import Stop

T_co = TypeVar("T_co", covariant=True)


class Begin(Enum):
    RECENT = 0


After: TypeAlias = int | str | None
"""Up to where somebody has seen a journal: a number or a cursor; None: all that is there."""

Start: TypeAlias = After | Begin
"""Where a reader of a journal begins: behind what somebody has seen, after None so with what is yet to come;
or with its newest items, `Begin.RECENT`. A reader of a state begins with its value, whatever is said.
"""


class Reader(Protocol[T_co]):
    """Reads a key for one watcher. `number` is that of the value or item that it took last."""

    number: int

    async def until_read(self) -> None:
        """Waits until something was read. Of a state it may be the value that was taken last."""

    @property
    def has_next(self) -> bool:
        """Whether there is something to take."""

    def take(self) -> T_co: ...

    def is_newest(self, number: int) -> bool:
        """Whether nothing newer than this value is known or about to be read. Of a journal every item counts,
        whatever comes behind it.
        """

    async def number_after(self, after: After) -> int:
        """The number of the last item that is not new after that; 0 for a state. Raises CursorInvalid."""

    def __aiter__(self) -> "Reader[T_co]":
        return self

    async def __anext__(self) -> T_co:
        while not self.has_next:
            await self.until_read()
        return self.take()


class WatchedKey:
    """One key with watchers, from `begin` to `end`. `number` is that of the newest value or item.

    `stale`: something may have changed since the last read began.
    """

    _reading: asyncio.Task[None]
    _stop: Stop

    def __init__(self) -> None:
        self.number = self.watchers = 0
        self.stale, self._woken = asyncio.Event(), asyncio.Event()

    def begin(self, reading: asyncio.Task[None], stop: Stop) -> None:
        """`reading` awaits `read_on` again and again; `stop` ends the interest in the key."""
        self._reading, self._stop = reading, stop

    async def end(self) -> None:
        self._stop()
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        del self._reading  # its end keeps frames, which keep what was shared

    async def reader(self, start: Start) -> Reader[Any]:
        """Raises CursorInvalid."""
        raise NotImplementedError

    async def read_on(self) -> bool:
        """Waits for something to read, reads it, wakes its readers, and returns whether it was new."""
        raise NotImplementedError

    def wake(self) -> None:
        """Wakes those who wait now: whoever comes later waits for the next read."""
        self._woken.set()
        self._woken.clear()

    async def until_woken(self) -> None:
        await self._woken.wait()
