"""Reads the journals that are watched: all items after a cursor, in order, none skipped, none twice.

A state has a newest value; of a journal every item counts. A reader that fell behind or was away resumes from
the database.
"""

import asyncio
from collections import deque
from typing import Generic, NamedTuple, TypeVar

from community.errors import CursorInvalid
from community.live import Cursors, Journal, Numbered
from realtime.watched import WatchedKey

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

    async def reader(self, after: int | str | None) -> "JournalReader[N]":
        await self.ready.wait()
        return JournalReader(self, await self.number_after(after))

    async def number_after(self, after: int | str | None) -> int:
        """The number above which the items are new to whoever has seen all up to `after`, a number or a
        cursor; None: only items that are still to come.

        Raises CursorInvalid if it is ahead of the journal: its reader would get nothing, silently.
        """
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


class JournalReader(Generic[N]):
    """Reads the items of a key for one watcher. `number` is that of the last item it got."""

    def __init__(self, shared: SharedItems[N], after: int) -> None:
        self.shared = shared
        self._at_hand: deque[N] = deque()
        self._seen = self.number = after

    def __aiter__(self) -> "JournalReader[N]":
        return self

    async def __anext__(self) -> Item:
        await self.until_read()
        row = self._at_hand.popleft()
        self.number = row.number
        return Item(row, self.shared.cursors.cursor(row.number))

    async def until_read(self) -> None:
        """Waits until an item is read that this reader did not get yet."""
        while not self.has_more:
            await self._look()

    @property
    def has_more(self) -> bool:
        return bool(self._at_hand)

    async def _look(self) -> None:
        shared = self.shared
        forgotten = shared.forgotten  # as it is before the read: more may be forgotten meanwhile
        if self._seen < forgotten:
            items = await shared.journal.items_after(shared.key, self._seen, BATCH)
        else:
            items = [item for item in shared.items if item.number > self._seen]
        if items:
            self._at_hand.extend(items)
            self._seen = items[-1].number
        else:
            self._seen = max(self._seen, forgotten)
            if self._seen >= shared.number:
                await shared.more.wait()
