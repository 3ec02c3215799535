"""Groups of operations that see the same: each step is made once and written to all members, in turns of the
pacer.

    a group    MADE ── its first member ──► OPEN ── its subscription ends ──► ENDED: members are told why
                 └───────────────────────────┴───── its last reference is given back ──► STOPPED
    a member   out ── join ──► in ◄── drained ──► passed over, while its writer is busy
                ▲               ├── leave, or pause until it is known whether it still may
                └───────────────┴── fall_behind: what it has not seen is forgotten

Of a *state* a group keeps the newest step, and a slow member misses steps, never the last. Of a *journal* it
keeps the last ones; a member that falls behind them comes back with its cursor.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import aclosing

from community.errors import TryAgain
from realtime.execution import Ended, Errors
from realtime.pacing import WritePacer
from realtime.subscriptions import SharedSubscription, Step
from realtime.writer import Writer

CHUNK, LEAST_CHUNK = 256, 8
"""Members written to in one turn, two or three milliseconds: so long may a ballot wait for deliveries."""

CHUNK_BYTES = 512 * 1024
"""Bytes written in one turn: of long texts fewer go out together."""

KEPT_BYTES = 1024 * 1024
"""Bytes of the texts that a journal's group keeps; the newest is kept, however long it is."""


class Member:
    """An operation of one socket. `prefix` holds its id; `seen` is the number of the last step written;
    `group` is None while it belongs to no group.
    """

    __slots__ = ("group", "prefix", "seen", "writer")

    def __init__(self, writer: Writer, prefix: bytes, seen: int) -> None:
        self.writer, self.prefix, self.seen = writer, prefix, seen
        self.group: Group | None = None

    def pause(self) -> None:
        """Called when its right to watch has to be asked for again: leaves the group until it begins."""
        raise NotImplementedError

    def begin(self) -> None:
        """Called after `pause`, to join again if it may. Does nothing if it has ended meanwhile."""
        raise NotImplementedError

    def end(self, errors: Errors) -> None:
        """Called when no further step comes."""
        raise NotImplementedError

    def fall_behind(self) -> None:
        """Called when steps that it has not seen are no longer kept."""
        raise NotImplementedError


class Group:
    """The members that see the same. `references` counts members and those about to join.

    `number` is that of the newest step, `_second_newest` that of the one before it: of a journal a member
    that has seen less gets several. `forgotten` is the number of the last step that is no longer kept.
    `_awaited`: a member joined that waits for the next step, even if it is the same one again.
    """

    def __init__(self, key: Hashable, subscription: SharedSubscription, groups: "Groups") -> None:
        self.key, self.subscription, self._groups = key, subscription, groups
        self.references = 0
        self._members: set[Member] = set()
        self._kept: deque[Step] = deque(maxlen=subscription.kept)
        self._kept_bytes = self.number = self._second_newest = self.forgotten = 0
        self._awaited = False
        self._turn = groups.pacer.turn(lambda: self.references)
        self._following: asyncio.Task[None] | None = None
        self._ended: Errors | None = None

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    # Opened and joined

    def open(self) -> None:
        """Begins to follow the subscription, if it does not yet: nothing is read or executed before."""
        if self._following is None and self._ended is None:
            self._following = asyncio.create_task(self._follow())

    async def until_open(self) -> None:
        """Raises Ended."""
        self.open()
        await self.subscription.opened.wait()
        if self._ended is not None:
            raise Ended(self._ended)

    def reaches(self, seen: int) -> bool:
        """Whether all steps behind this number are kept, or still to come."""
        return seen >= max(self.subscription.start, self.forgotten)

    def join(self, member: Member) -> None:
        """Adds `member`, and writes at once what it has not seen, unless the next step is about to come."""
        if self._ended is not None:
            member.end(self._ended)
            return
        self.open()
        self._members.add(member)
        member.group = self
        if self.subscription.is_newest(self.number):
            self.catch_up(member)
        else:
            self._awaited = True

    def leave(self, member: Member) -> None:
        """Removes `member`: nothing more is written to it, not even by a round under way."""
        self._members.discard(member)
        member.group = None

    def catch_up(self, member: Member) -> None:
        """Writes what `member` has not seen, until its writer is busy; call again when that has drained."""
        if self._kept:
            self._write((member,))

    # Followed

    async def _follow(self) -> None:
        subscription = self.subscription
        try:
            async with aclosing(subscription.steps(self._turn)) as steps:
                async for step in steps:
                    if step.number != self.number or self._awaited:
                        await self._deliver(step)
                    if subscription.alone:
                        await self._drain()
            await self._end([])
        except Ended as ended:
            await self._end(ended.errors)
        except asyncio.CancelledError:
            if self._following is None:
                raise
            await self._end(subscription.fault(TryAgain()))  # something that it waited for was cancelled
        except Exception as error:
            await self._end(subscription.fault(error))

    async def _deliver(self, step: Step) -> None:
        """Writes a step to all members; one that comes again, to those who joined meanwhile."""
        start, again, self._awaited = time.perf_counter(), step.number == self.number, False
        self._keep(step)
        members = list(self._members)
        await self._write_in_turns(members)
        if not again:
            self._groups.delivered(len(members), time.perf_counter() - start)

    def _keep(self, step: Step) -> None:
        if (most := self.subscription.kept) > 1:
            # Of a journal every step counts: a member that has not seen the one before gets both.
            self._second_newest = self.number
            self._kept_bytes += len(step.text)
            while self._kept and (len(self._kept) == most or self._kept_bytes > KEPT_BYTES):
                self.forgotten, text = self._kept.popleft()
                self._kept_bytes -= len(text)
        self._kept.append(step)
        self.number = step.number

    async def _write_in_turns(self, members: Sequence[Member]) -> None:
        size = max(LEAST_CHUNK, min(CHUNK, CHUNK_BYTES // (len(self._kept[-1].text) + 1)))
        for first in range(0, len(members), size):
            async with self._turn:
                self._write(members[first : first + size])

    def _write(self, members: Iterable[Member]) -> None:
        """Passes over who has left meanwhile, or does not read."""
        (number, text), before = self._kept[-1], self._second_newest
        for member in members:
            if member.group is not self or (writer := member.writer).busy:
                continue
            if member.seen < before:
                self._replay(member)
            elif member.seen < number:
                member.seen = number
                writer.write(member.prefix + text)

    def _replay(self, member: Member) -> None:
        if member.seen < self.forgotten:
            member.fall_behind()
            return
        for number, text in self._kept:
            if number > member.seen:
                if member.group is not self or member.writer.busy:
                    return
                member.seen = number
                member.writer.write(member.prefix + text)

    async def _drain(self) -> None:
        for member in list(self._members):
            if member.writer.busy:
                await member.writer.drain()

    # Ended or stopped

    async def _end(self, errors: Errors) -> None:
        self._ended = errors
        self._groups.forget(self)
        self.subscription.opened.set()  # if it did not open, those who wait for it are told
        members = list(self._members)
        for first in range(0, len(members), CHUNK):
            for member in members[first : first + CHUNK]:
                if member in self._members:
                    member.end(errors)
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Lets go of what would keep the group: its turn, and the task that ends with its frames."""
        self._turn.release()
        if self._following is not None:
            self._following.cancel()
            self._following = None


class Groups:
    """The groups of a process, by key."""

    def __init__(
        self, pacer: WritePacer, delivered: Callable[[int, float], None] = lambda members, took: None
    ) -> None:
        self.pacer, self.delivered = pacer, delivered
        self._by_key: dict[Hashable, Group] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Group]:
        return iter(self._by_key.values())

    @property
    def members(self) -> int:
        return sum(map(len, self._by_key.values()))

    def enter(self, key: Hashable, make: Callable[[], SharedSubscription]) -> Group:
        """Returns the group under `key`, made if there is none. Call `release` for it later."""
        group = self._by_key.get(key)
        if group is None:
            group = self._by_key[key] = Group(key, make(), self)
        group.references += 1
        return group

    def release(self, group: Group) -> bool:
        """Gives a reference back; returns whether it was the last one, which ends the group."""
        group.references -= 1
        if group.references:
            return False
        self.forget(group)
        group.stop()
        return True

    def forget(self, group: Group) -> None:
        """Removes the group: the next `enter` makes a new one."""
        if self._by_key.get(group.key) is group:
            del self._by_key[group.key]
