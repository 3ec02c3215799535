"""The bulletin as it grows: every item after a cursor, in order, none skipped, none twice.

Where `Live` shows the newest state, a feed shows each item; the journal in the database is what it
resumes from, so that a reader who fell behind or was away goes on where it stopped.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from community.signals import Signal, Topic
from realtime.broker import Stop, Want
from realtime.live import nobody_else

KEPT = 256
"""Newest items of a community kept at hand; who is further behind reads the journal."""

BATCH = 100
RETRY = 1.0

log = logging.getLogger(__name__)


class Numbered(Protocol):
    @property
    def number(self) -> int: ...


ItemsAfter = Callable[[int, int, int], Awaitable[Sequence[Numbered]]]


class Feed:
    """The items of communities that somebody watches, each read once a process."""

    def __init__(
        self, items_after: ItemsAfter, head: Callable[[], Awaitable[int]], *, want: Want = nobody_else
    ) -> None:
        self._items_after, self._head, self._want = items_after, head, want
        self._channels: dict[int, _Channel] = {}

    @property
    def watched(self) -> int:
        return len(self._channels)

    @property
    def watchers(self) -> int:
        return sum(channel.watchers for channel in self._channels.values())

    def hear(self, signal: Signal) -> None:
        if signal.topic is Topic.BULLETIN and (channel := self._channels.get(signal.key)):
            channel.stale.set()

    def everything_changed(self) -> None:
        for channel in self._channels.values():
            channel.stale.set()

    @asynccontextmanager
    async def watch(self, community: int, after: int | None) -> AsyncIterator["Items"]:
        """The items numbered above `after`, then the new ones; None: only those that come from now on."""
        channel = self._channels.get(community)
        if channel is None:
            channel = self._channels[community] = _Channel()
            channel.stop = self._want(Signal(Topic.BULLETIN, community))
            channel.reader = asyncio.create_task(self._keep_reading(community, channel))
        channel.watchers += 1
        try:
            await channel.ready.wait()
            items = Items(self._items_after, community, channel, channel.number if after is None else after)
            try:
                yield items
            finally:
                channel.waiting.pop(items, None)
        finally:
            channel.watchers -= 1
            if not channel.watchers:
                del self._channels[community]
                channel.stop()
                channel.reader.cancel()
                with suppress(asyncio.CancelledError):
                    await channel.reader

    async def _keep_reading(self, community: int, channel: "_Channel") -> None:
        while True:
            try:
                if not channel.ready.is_set():
                    channel.start(await self._head())
                await channel.stale.wait()
                channel.stale.clear()
                while items := await self._items_after(community, channel.number, BATCH):
                    channel.add(items)
            except Exception:
                log.exception("could not read the bulletin of %s", community)
                channel.stale.set()
                await asyncio.sleep(RETRY)


class _Channel:
    """One watched community. `forgotten`: items up to this number are no longer at hand."""

    reader: asyncio.Task[None]
    stop: Stop

    def __init__(self) -> None:
        self.watchers = 0
        self.number = self.forgotten = 0
        self.items: deque[Numbered] = deque()
        self.ready, self.stale, self.more = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.waiting: dict[Items, Callable[[], None]] = {}

    def start(self, head: int) -> None:
        self.number = self.forgotten = head
        self.stale.set()  # something may have come since the head was read
        self.ready.set()

    def add(self, items: Sequence[Numbered]) -> None:
        self.items.extend(items)
        self.number = items[-1].number
        while len(self.items) > KEPT:
            self.forgotten = self.items.popleft().number
        done, self.more = self.more, asyncio.Event()
        done.set()
        waiting, self.waiting = self.waiting, {}
        for call in waiting.values():
            call()


class Items:
    """One reader's way through the items of a community. `number`: of the last one it was given."""

    def __init__(self, items_after: ItemsAfter, community: int, channel: _Channel, after: int) -> None:
        self._items_after, self._community, self._channel = items_after, community, channel
        self._at_hand: deque[Numbered] = deque()
        self._seen = self.number = after

    def __aiter__(self) -> "Items":
        return self

    async def __anext__(self) -> Numbered:
        while not self._at_hand:
            await self._look()
        item = self._at_hand.popleft()
        self.number = item.number
        return item

    def when_more(self, call: Callable[[], None]) -> None:
        """Calls `call`, and none that was given before, once there may be an item that was not given yet."""
        if self._at_hand or self._seen < self._channel.number:
            call()
        else:
            self._channel.waiting[self] = call

    async def _look(self) -> None:
        channel = self._channel
        forgotten = channel.forgotten  # as it is before the read: more may be forgotten meanwhile
        if self._seen < forgotten:
            items = await self._items_after(self._community, self._seen, BATCH)
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
    def head(self) -> int:
        """No item that is older than this moment has a greater number, unless it is still on its way here."""
        return self._channel.number
