"""Groups of operations that see the same: each step is made once and written to all members, in turns of the
pacer.

A group follows one source of steps, which are encoded texts. Of a *state* it keeps the newest step, and a
slow member misses steps, never the last. Of a *journal* it keeps the last ones; a member that falls behind
them leaves the group, and comes back with its cursor.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Iterator
from contextlib import aclosing
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from community.errors import TryAgain
from realtime.execution import Ended, Errors
from realtime.pacing import Turn, WritePacer
from realtime.writer import Writer

CHUNK, LEAST_CHUNK = 256, 8
"""Members written to in one turn, two or three milliseconds: so long may a ballot wait for deliveries."""

CHUNK_BYTES = 512 * 1024
"""Bytes written in one turn: of long texts fewer go out together."""


class Step(NamedTuple):
    """`number` grows from step to step; `text` is sent to every member after its own prefix."""

    number: int
    text: bytes


class StepSource(Protocol):
    """Where the steps of one group come from. `kept`: how many of them the group keeps; one of a state.
    `alone`: the group has one member, and the next step waits until its connection is free.
    """

    kept: int
    alone: bool

    def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        """Yields steps, each made within a turn. Raises Ended."""

    def newest(self, number: int) -> bool:
        """Whether the step of this number is the newest, as far as is known here."""

    def if_unchanged(self, call: Callable[[], None]) -> None:
        """Calls `call`, always the same one, if no further step comes for now, though one was expected."""

    def fault(self, error: Exception) -> Errors:
        """The errors that members get after a fault of the server, which is logged."""

    def fail(self, errors: Errors) -> None:
        """Raises Ended in those who wait for the source to open."""


S = TypeVar("S", bound=StepSource)


class Member:
    """An operation of one socket. `prefix` holds its id; `seen` is the number of the last step written;
    `group` is None while it belongs to no group.
    """

    __slots__ = ("group", "prefix", "seen", "writer")

    def __init__(self, writer: Writer, prefix: bytes, seen: int) -> None:
        self.writer, self.prefix, self.seen = writer, prefix, seen
        self.group: Group[Any] | None = None

    def end(self, errors: Errors) -> None:
        """Called when no further step comes."""
        raise NotImplementedError

    def fall_behind(self) -> None:
        """Called when steps that it has not seen are no longer kept."""
        raise NotImplementedError


class Group(Generic[S]):
    """The members that follow one source. `references` counts members and those about to join; without any
    the group ends. Nothing is read or executed before it is opened, by its first member at the latest.

    `number` is that of the newest step, `_before` that of the one before it: of a journal a member that has
    seen less gets several. `forgotten` is the number of the last step that is no longer kept.
    """

    def __init__(self, key: Hashable, source: S, groups: "Groups[S]") -> None:
        self.key, self.source, self._groups = key, source, groups
        self.references = 0
        self._members: set[Member] = set()
        self._kept: deque[Step] = deque(maxlen=source.kept)
        self.number = self._before = self.forgotten = 0
        self._ended: Errors | None = None
        self._turn = groups.pacer.turn(lambda: self.references)
        self._catching_up: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._stopped = False

    def __len__(self) -> int:
        return len(self._members)

    def all_members(self) -> list[Member]:
        return list(self._members)

    def open(self) -> None:
        """Begins to follow the source, if it does not yet."""
        if self._following is None and self._ended is None:
            self._following = asyncio.create_task(self._follow())

    def join(self, member: Member) -> None:
        """Adds `member`, and writes at once what it has not seen, unless a newer step is about to come."""
        if self._ended is not None:
            member.end(self._ended)
            return
        self.open()
        self._members.add(member)
        member.group = self
        if self.source.newest(self.number):
            self.catch_up(member)
        else:
            self.source.if_unchanged(self._catch_up_all)

    def leave(self, member: Member) -> None:
        """Removes `member`: nothing more is written to it, not even by a round under way."""
        self._members.discard(member)
        member.group = None

    def catch_up(self, member: Member) -> None:
        """Writes what `member` has not seen, until its writer is busy; call again when that has drained."""
        if self._kept:
            self._write((member,))

    def _catch_up_all(self) -> None:
        if len(self._members) <= LEAST_CHUNK:
            for member in list(self._members):
                self.catch_up(member)
        elif self._catching_up is None:
            self._catching_up = asyncio.create_task(self._catch_up_in_turns())

    async def _catch_up_in_turns(self) -> None:
        try:
            await self._write_to_all(self._groups.pacer.turn(lambda: self.references))
        finally:
            self._catching_up = None

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

    async def _follow(self) -> None:
        try:
            async with aclosing(self.source.steps(self._turn)) as steps:
                async for step in steps:
                    self._keep(step)
                    await self._deliver()
                    if self.source.alone:
                        await self._drain()
            await self._end([])
        except Ended as ended:
            await self._end(ended.errors)
        except asyncio.CancelledError:
            if self._stopped:
                raise
            await self._end(self.source.fault(TryAgain()))  # something that it waited for was cancelled
        except Exception as error:
            await self._end(self.source.fault(error))

    def _keep(self, step: Step) -> None:
        if self._kept.maxlen > 1:  # type: ignore[operator]
            # Of a journal every step counts: a member that has not seen the one before gets both.
            self._before = self.number
            if len(self._kept) == self._kept.maxlen:
                self.forgotten = self._kept[0].number
        self._kept.append(step)
        self.number = step.number

    async def _deliver(self) -> None:
        start = time.perf_counter()
        members = await self._write_to_all(self._turn)
        self._groups.delivered(members, time.perf_counter() - start)

    async def _drain(self) -> None:
        for member in list(self._members):
            if member.writer.busy:
                await member.writer.drain()

    async def _write_to_all(self, turn: Turn) -> int:
        """Writes the newest step to all members, and returns their number."""
        members = list(self._members) if self._kept else []
        if not members:
            return 0
        size = max(LEAST_CHUNK, min(CHUNK, CHUNK_BYTES // (len(self._kept[-1].text) + 1)))
        for first in range(0, len(members), size):
            await turn.begin(new=False)
            try:
                self._write(members[first : first + size])
            finally:
                await turn.settle()
        return len(members)

    def _write(self, members: Iterable[Member]) -> None:
        (number, text), before = self._kept[-1], self._before
        for member in members:
            if member.group is not self or (writer := member.writer).busy:
                continue
            if member.seen < before:
                self._replay(member)
            elif member.seen < number:
                member.seen = number
                writer.write(member.prefix + text)

    async def _end(self, errors: Errors) -> None:
        self._ended = errors
        self._groups.forget(self)
        self.source.fail(errors)
        members = list(self._members)
        for first in range(0, len(members), CHUNK):
            for member in members[first : first + CHUNK]:
                if member in self._members:
                    member.end(errors)
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Lets go of what would keep the group: its turn, and the tasks that end with its frames."""
        self._stopped, self._turn.size = True, int
        for task in (self._following, self._catching_up):
            if task is not None:
                task.cancel()
        self._following = self._catching_up = None


class Groups(Generic[S]):
    """The groups of a process, by key."""

    def __init__(
        self, pacer: WritePacer, delivered: Callable[[int, float], None] = lambda members, took: None
    ) -> None:
        self.pacer, self.delivered = pacer, delivered
        self._by_key: dict[Hashable, Group[S]] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Group[S]]:
        return iter(self._by_key.values())

    @property
    def members(self) -> int:
        return sum(map(len, self._by_key.values()))

    def enter(self, key: Hashable, make: Callable[[], S]) -> Group[S]:
        """Returns the group under `key`, made if there is none. Call `release` for it later."""
        group = self._by_key.get(key)
        if group is None:
            group = self._by_key[key] = Group(key, make(), self)
        group.references += 1
        return group

    def release(self, group: Group[S]) -> bool:
        """Gives a reference back; returns whether it was the last one, which ends the group."""
        group.references -= 1
        if group.references:
            return False
        self.forget(group)
        group.stop()
        return True

    def forget(self, group: Group[S]) -> None:
        """Removes the group: the next `enter` makes a new one."""
        if self._by_key.get(group.key) is group:
            del self._by_key[group.key]
