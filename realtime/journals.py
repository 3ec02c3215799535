"""Reads the journals that are watched: all items after a cursor, in order, none skipped, none twice.

A state has a newest value; of a journal every item counts. A reader that fell behind or was away resumes from
the database.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Generic, NamedTuple, TypeVar

from community.errors import CursorInvalid
from community.live import Cursors, Journal, Numbered
from community.signals import Signal
from realtime.broker import RegisterInterest, Stop
from realtime.states import no_interest

KEPT = 256
"""Newest items of a key kept in memory; a reader that is further behind reads the database."""

BATCH = 100
RETRY = 1.0

log = logging.getLogger(__name__)

N = TypeVar("N", bound=Numbered)


class Item(NamedTuple):
    """An item with its cursor."""

    row: Numbered
    cursor: str


async def number_of(journal: Journal[Any], key: int, cursor: str) -> int:
    """The number after which the reader of a cursor goes on. Raises CursorInvalid."""
    return await not_ahead(journal, (await journal.cursors(key)).number_of(cursor))


async def not_ahead(journal: Journal[Any], number: int) -> int:
    """Raises CursorInvalid if the number is ahead of the journal: its reader would get nothing, silently."""
    if number > await journal.head():
        raise CursorInvalid
    return number


class JournalSource(Generic[N]):
    """The items of one journal by key, each read once in a process."""

    def __init__(self, journal: Journal[N], *, register_interest: RegisterInterest = no_interest) -> None:
        self._journal, self._register_interest = journal, register_interest
        self._channels: dict[int, _Channel[N]] = {}

    @property
    def watched(self) -> int:
        return len(self._channels)

    @property
    def watchers(self) -> int:
        return sum(channel.watchers for channel in self._channels.values())

    def handle(self, signal: Signal) -> None:
        if signal.topic is self._journal.topic and (channel := self._channels.get(signal.key)):
            channel.stale.set()

    def resync(self) -> None:
        """Reads on in all keys, after signals may have been lost."""
        for channel in self._channels.values():
            channel.stale.set()

    @asynccontextmanager
    async def watch(self, key: int, after: int | None = None) -> AsyncIterator["JournalReader[N]"]:
        """Reads the items numbered above `after`, then the new ones; None: only new ones."""
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel()
            channel.stop = self._register_interest(Signal(self._journal.topic, key))
            channel.reader = asyncio.create_task(self._keep_reading(key, channel))
        channel.watchers += 1
        try:
            await channel.ready.wait()
            reader = JournalReader(self._journal, key, channel, channel.number if after is None else after)
            try:
                yield reader
            finally:
                channel.waiting.pop(reader, None)
        finally:
            channel.watchers -= 1
            if not channel.watchers:
                del self._channels[key]
                channel.stop()
                channel.reader.cancel()
                with suppress(asyncio.CancelledError):
                    await channel.reader
                del channel.reader  # its end keeps frames, which keep the channel

    async def _keep_reading(self, key: int, channel: "_Channel[N]") -> None:
        while True:
            try:
                if channel.cursors is None:
                    channel.cursors = await self._journal.cursors(key)
                if not channel.ready.is_set():
                    channel.start(await self._journal.head())
                await channel.stale.wait()
                channel.stale.clear()
                while items := await self._journal.items_after(key, channel.number, BATCH):
                    channel.add(items)
            except Exception:
                log.exception("could not read %s:%s", self._journal.topic, key)
                channel.stale.set()
                await asyncio.sleep(RETRY)


class _Channel(Generic[N]):
    """One watched key. `forgotten`: items up to this number are no longer in memory."""

    reader: asyncio.Task[None]
    stop: Stop
    cursors: Cursors | None = None

    def __init__(self) -> None:
        self.watchers = 0
        self.number = self.forgotten = 0
        self.items: deque[N] = deque()
        self.ready, self.stale, self.more = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.waiting: dict[JournalReader[N], Callable[[], None]] = {}

    def start(self, head: int) -> None:
        self.number = self.forgotten = head
        self.stale.set()  # something may have come since the head was read
        self.ready.set()

    def add(self, items: Sequence[N]) -> None:
        self.items.extend(items)
        self.number = items[-1].number
        while len(self.items) > KEPT:
            self.forgotten = self.items.popleft().number
        done, self.more = self.more, asyncio.Event()
        done.set()
        waiting, self.waiting = self.waiting, {}
        for call in waiting.values():
            call()


class JournalReader(Generic[N]):
    """Reads the items of a key for one watcher. `number` is that of the last item it got."""

    def __init__(self, journal: Journal[N], key: int, channel: _Channel[N], after: int) -> None:
        self._journal, self._key, self._channel = journal, key, channel
        self._at_hand: deque[N] = deque()
        self._seen = self.number = after

    def __aiter__(self) -> "JournalReader[N]":
        return self

    async def __anext__(self) -> Item:
        while not self._at_hand:
            await self._look()
        row = self._at_hand.popleft()
        self.number = row.number
        return Item(row, self.cursors.cursor(row.number))

    def when_more(self, call: Callable[[], None]) -> None:
        """Calls `call`, and no earlier one, once there may be an item that this reader did not get yet."""
        if self._at_hand or self._seen < self._channel.number:
            call()
        else:
            self._channel.waiting[self] = call

    async def _look(self) -> None:
        channel = self._channel
        forgotten = channel.forgotten  # as it is before the read: more may be forgotten meanwhile
        if self._seen < forgotten:
            items = await self._journal.items_after(self._key, self._seen, BATCH)
        else:
            items = [item for item in channel.items if item.number > self._seen]
        if items:
            self._at_hand.extend(items)
            self._seen = items[-1].number
        else:
            self._seen = max(self._seen, forgotten)
            if self._seen >= channel.number:
                await channel.more.wait()

    @property
    def start(self) -> int:
        """The number after which a new reader begins: no older item has a greater one, unless it is still
        being read.
        """
        return self._channel.number

    @property
    def cursors(self) -> Cursors:
        assert self._channel.cursors is not None  # noqa: S101 - read before the channel is ready
        return self._channel.cursors
