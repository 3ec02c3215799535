"""Those who see the same: each moment is made once, and written to all of them, both in the paced lane.

A group follows one source of steps, finished texts that say what there is to see. Of a *state* it keeps
the newest, and a slow member misses steps, never the end. Of a *journal* it keeps the last ones, and a
member who falls behind them is let go, to come back with its cursor.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from realtime.tempo import Tempo, Turn
from realtime.writer import Writer

CHUNK, LEAST_CHUNK = 256, 8
"""Members written to in one turn, two or three milliseconds: so long may a ballot wait for screens."""

CHUNK_BYTES = 512 * 1024
"""Bytes written in one turn: of long texts fewer go out together."""

GONE = 2**63
"""Seen by who has left: more than any step has."""


class Step(NamedTuple):
    """`number` grows from step to step; `text` is what every member is sent behind its own prefix."""

    number: int
    text: bytes


class Ended(Exception):
    """The source has nothing more to say; `errors` as clients are told them, empty where it is done."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors


class Source(Protocol):
    """`kept`: how many steps a group remembers; of a state one."""

    kept: int

    def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        """Each is made within a turn. Raises Ended."""

    def newest(self, number: int) -> bool:
        """The step of this number is the last word, as far as is known here."""

    def if_unchanged(self, call: Callable[[], None]) -> None:
        """Calls `call`, always the same one, where no further step comes for now, though it seemed so."""

    def fault(self, error: Exception) -> Sequence[Mapping[str, Any]]:
        """What members are told of a fault that is ours; it is logged with what they are told."""

    def fail(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """The source ended, also for those who wait for its beginning."""


S = TypeVar("S", bound=Source)


class Member:
    """An operation of one socket. `prefix` carries its id; `seen` is the number of the last step written."""

    __slots__ = ("prefix", "seen", "writer")

    def __init__(self, writer: Writer, prefix: bytes, seen: int) -> None:
        self.writer, self.prefix, self.seen = writer, prefix, seen

    def end(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """There is nothing more to come."""
        raise NotImplementedError

    def fall_behind(self) -> None:
        """What it has not seen is no longer kept."""
        raise NotImplementedError


class Group(Generic[S]):
    """`guests`: members, and those who are about to become one. Without guests it ends."""

    def __init__(self, key: Hashable, source: S, groups: "Groups[S]") -> None:
        self.key, self.source, self._groups = key, source, groups
        self.guests = 0
        self._members: set[Member] = set()
        self._kept: deque[Step] = deque(maxlen=source.kept)
        self.number = self._before = self.forgotten = 0
        self._ended: Sequence[Mapping[str, Any]] | None = None
        self._turn = groups.tempo.turn(lambda: self.guests)
        self._catching_up: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._follow())

    def __len__(self) -> int:
        return len(self._members)

    def all_members(self) -> list[Member]:
        return list(self._members)

    def join(self, member: Member) -> None:
        """Shows `member` at once what it has not seen, unless that is about to be overtaken."""
        if self._ended is not None:
            member.end(self._ended)
            return
        self._members.add(member)
        if self.source.newest(self.number):
            self.catch_up(member)
        else:
            self.source.if_unchanged(self._catch_up_all)

    def leave(self, member: Member) -> None:
        """Nothing is written to `member` from here on, also not by a moment half out."""
        self._members.discard(member)
        member.seen = GONE

    def catch_up(self, member: Member) -> None:
        """Writes what `member` has not seen, as far as its writer takes it; its writer says when to go on."""
        if member.seen >= self.number or member.writer.busy:
            return
        if member.seen < self._before:
            self._replay(member)
        else:
            member.seen, text = self._kept[-1]
            member.writer.write(member.prefix + text)

    def _catch_up_all(self) -> None:
        if len(self._members) <= LEAST_CHUNK:
            for member in list(self._members):
                self.catch_up(member)
        elif self._catching_up is None:
            self._catching_up = asyncio.create_task(self._catch_up_in_turns())

    async def _catch_up_in_turns(self) -> None:
        try:
            await self._write_to_all(self._groups.tempo.turn(lambda: self.guests))
        finally:
            self._catching_up = None

    def _replay(self, member: Member) -> None:
        if member.seen < self.forgotten:
            member.fall_behind()
            return
        for number, text in self._kept:
            if number > member.seen:
                if member.writer.busy:
                    return
                member.seen = number
                member.writer.write(member.prefix + text)

    async def _follow(self) -> None:
        try:
            async with aclosing(self.source.steps(self._turn)) as steps:
                async for step in steps:
                    self._keep(step)
                    await self._deliver()
            await self._end([])
        except Ended as ended:
            await self._end(ended.errors)
        except Exception as error:
            await self._end(self.source.fault(error))

    def _keep(self, step: Step) -> None:
        if self._kept.maxlen > 1:  # type: ignore[operator]
            # Of a journal every step counts: who has not seen the one before gets both.
            self._before = self.number
            if len(self._kept) == self._kept.maxlen:
                self.forgotten = self._kept[0].number
        self._kept.append(step)
        self.number = step.number

    async def _deliver(self) -> None:
        start = time.perf_counter()
        members = await self._write_to_all(self._turn)
        self._groups.delivered(members, time.perf_counter() - start)

    async def _write_to_all(self, turn: Turn) -> int:
        """To how many."""
        members = list(self._members) if self._kept else []
        if not members:
            return 0
        size = max(LEAST_CHUNK, min(CHUNK, CHUNK_BYTES // (len(self._kept[-1].text) + 1)))
        for place in range(0, len(members), size):
            await turn.begin(new=False)
            try:
                self._write(members[place : place + size])
            finally:
                await turn.settle()
        return len(members)

    def _write(self, members: list[Member]) -> None:
        """As `catch_up` does, without a call for each of thousands."""
        (number, text), before = self._kept[-1], self._before
        for member in members:
            if member.seen < before:
                self.catch_up(member)
            elif member.seen < number and not (writer := member.writer).busy:
                member.seen = number
                writer.write(member.prefix + text)

    async def _end(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self._ended = errors
        self._groups.forget(self)
        self.source.fail(errors)
        members = list(self._members)
        for place in range(0, len(members), CHUNK):
            for member in members[place : place + CHUNK]:
                if member in self._members:
                    member.end(errors)
            await asyncio.sleep(0)

    def stop(self) -> None:
        self._task.cancel()
        if self._catching_up:
            self._catching_up.cancel()


class Groups(Generic[S]):
    """The groups of a process by what they show and to whom."""

    def __init__(
        self, tempo: Tempo, delivered: Callable[[int, float], None] = lambda members, took: None
    ) -> None:
        self.tempo, self.delivered = tempo, delivered
        self._by_key: dict[Hashable, Group[S]] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __iter__(self) -> Iterator[Group[S]]:
        return iter(self._by_key.values())

    @property
    def members(self) -> int:
        return sum(map(len, self._by_key.values()))

    def enter(self, key: Hashable, make: Callable[[], S]) -> Group[S]:
        """The group under `key`, made where there is none. To be left again by `release`."""
        group = self._by_key.get(key)
        if group is None:
            group = self._by_key[key] = Group(key, make(), self)
        group.guests += 1
        return group

    def release(self, group: Group[S]) -> bool:
        """Whether that was its last guest, so that it is over."""
        group.guests -= 1
        if group.guests:
            return False
        self.forget(group)
        group.stop()
        return True

    def forget(self, group: Group[S]) -> None:
        """Who comes from now on begins a new one."""
        if self._by_key.get(group.key) is group:
            del self._by_key[group.key]
