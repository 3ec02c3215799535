"""Reads the journals that are watched: all items after a cursor, in order, none skipped, none twice.

A state has a newest value; of a journal every item counts. A reader that fell behind or was away resumes from
the database.
"""

import asyncio
from collections import deque
from typing import Generic, NamedTuple, TypeVar

from community.errors import CursorInvalid
from community.live import Cursors, Journal, Numbered
from realtime.watched import After, Begin, Reader, Start, WatchedKey

KEPT = 256
"""Newest items of a key kept in memory; a reader that is further behind reads the database."""

BATCH = 100

N = TypeVar("N", bound=Numbered)


class Item(NamedTuple):
    """An item with its cursor."""

    row: Numbered
    cursor: str


class SharedItems(WatchedKey, Generic[N]):
    """The newest items of a key. `forgotten`: those up to this number are no longer in memory."""

    cursors: Cursors

    def __init__(self, journal: Journal[N], key: int) -> None:
        super().__init__()
        self.journal, self.key = journal, key
        self.ready = asyncio.Event()
        self.forgotten = 0
        self.items: deque[N] = deque()

    async def reader(self, start: Start) -> "JournalReader[N]":
        after = await self.journal.recent(self.key) if isinstance(start, Begin) else start
        await self.ready.wait()
        return JournalReader(self, await self.number_after(after))

    async def number_after(self, after: After) -> int:
        """Raises CursorInvalid also if it is ahead of the journal: a reader would get nothing, silently."""
        if not isinstance(after, str):
            return self.number if after is None else after
        number = self.cursors.number_of(after)
        if number > self.number and number > await self.journal.head(self.key):
            raise CursorInvalid
        return number

    async def read_on(self) -> bool:
        if not self.ready.is_set():
            self.cursors = await self.journal.cursors(self.key)
            self.number = self.forgotten = await self.journal.head(self.key)
            self.ready.set()
            self.stale.set()  # something may have come since the head was read
            return False
        await self.stale.wait()
        self.stale.clear()
        found = False
        while items := await self.journal.items_after(self.key, self.number, BATCH):
            found = True
            self.items.extend(items)
            while len(self.items) > KEPT:
                self.forgotten = self.items.popleft().number
            self.number = items[-1].number
            self.wake()
        return found


class JournalReader(Reader[Item], Generic[N]):
    """`_fetched` are items that it did not take yet; up to `_position` it has fetched all."""

    def __init__(self, shared: SharedItems[N], after: int) -> None:
        self._shared = shared
        self._fetched: deque[N] = deque()
        self._position = self.number = after

    async def until_read(self) -> None:
        while not self.has_next:
            await self._fetch()

    @property
    def has_next(self) -> bool:
        return bool(self._fetched)

    def take(self) -> Item:
        row = self._fetched.popleft()
        self.number = row.number
        return Item(row, self._shared.cursors.cursor(row.number))

    def is_newest(self, number: int) -> bool:
        return True

    async def number_after(self, after: After) -> int:
        return await self._shared.number_after(after)

    async def _fetch(self) -> None:
        """From memory, else from the database; where there is nothing, it waits."""
        shared, position = self._shared, self._position
        forgotten = shared.forgotten  # as it is before the read: more may be forgotten meanwhile
        if position < forgotten:
            items = await shared.journal.items_after(shared.key, position, BATCH)
        else:
            items = [item for item in shared.items if item.number > position]
        if items:
            self._fetched.extend(items)
            self._position = items[-1].number
        else:
            self._position = max(position, forgotten)
            if self._position >= shared.number:
                await shared.until_woken()
