"""Those who see the same: each moment is made once, and written to all of them.

A group follows one source of steps, finished texts that say what there is to see. Of a *state* it keeps
the newest, and a slow member misses steps, never the end. Of a *journal* it keeps the last ones, and a
member who falls behind them is let go, to come back with its cursor.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from realtime.lines import Line
from realtime.tempo import Tempo

CHUNK = 256
"""Members written to in one turn, two or three milliseconds: so long may a ballot wait for screens."""

GONE = 2**63
"""Seen by who has left: more than any step has."""

log = logging.getLogger(__name__)


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

    def steps(self) -> AsyncGenerator[Step, None]:
        """Raises Ended."""

    def newest(self, number: int) -> bool:
        """The step of this number is the last word, as far as is known here."""

    def if_unchanged(self, call: Callable[[], None]) -> None:
        """Calls `call`, always the same one, where no further step comes for now, though it seemed so."""

    def fail(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """The source ended, also for those who wait for its beginning."""


S = TypeVar("S", bound=Source)


class Member:
    """An operation of one socket. `prefix` carries its id; `seen` is the number of the last step written."""

    __slots__ = ("line", "prefix", "seen")

    def __init__(self, line: Line, prefix: bytes, seen: int) -> None:
        self.line, self.prefix, self.seen = line, prefix, seen

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
        self._task = asyncio.create_task(self._follow())

    def __len__(self) -> int:
        return len(self._members)

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
        """Writes what `member` has not seen, as far as its line takes it; its line says when to go on."""
        if member.seen >= self.number or member.line.busy:
            return
        if member.seen < self._before:
            self._replay(member)
        else:
            member.seen, text = self._kept[-1]
            member.line.write(member.prefix + text)

    def _catch_up_all(self) -> None:
        for member in list(self._members):
            self.catch_up(member)

    def _replay(self, member: Member) -> None:
        if member.seen < self.forgotten:
            member.fall_behind()
            return
        for number, text in self._kept:
            if number > member.seen:
                if member.line.busy:
                    return
                member.seen = number
                member.line.write(member.prefix + text)

    async def _follow(self) -> None:
        try:
            async with aclosing(self.source.steps()) as steps:
                async for step in steps:
                    self._keep(step)
                    await self._deliver()
            self._end([])
        except Ended as ended:
            self._end(ended.errors)
        except Exception:
            log.exception("a source failed")
            self._end([])

    def _keep(self, step: Step) -> None:
        if self._kept.maxlen > 1:  # type: ignore[operator]
            # Of a journal every step counts: who has not seen the one before gets both.
            self._before = self.number
            if len(self._kept) == self._kept.maxlen:
                self.forgotten = self._kept[0].number
        self._kept.append(step)
        self.number = step.number

    async def _deliver(self) -> None:
        start, members = time.perf_counter(), list(self._members)
        for place in range(0, len(members), CHUNK):
            async with self._groups.tempo:
                self._write(members[place : place + CHUNK])
        self._groups.delivered(len(members), time.perf_counter() - start)

    def _write(self, members: list[Member]) -> None:
        """As `catch_up` does, without a call for each of thousands."""
        (number, text), before = self._kept[-1], self._before
        for member in members:
            if member.seen < before:
                self.catch_up(member)
            elif member.seen < number and not (line := member.line).busy:
                member.seen = number
                line.write(member.prefix + text)

    def _end(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self._ended = errors
        self._groups.forget(self)
        self.source.fail(errors)
        for member in list(self._members):
            member.end(errors)

    def stop(self) -> None:
        self._task.cancel()


class Groups(Generic[S]):
    """The groups of a process by what they show and to whom."""

    def __init__(
        self, tempo: Tempo, delivered: Callable[[int, float], None] = lambda members, took: None
    ) -> None:
        self.tempo, self.delivered = tempo, delivered
        self._by_key: dict[Hashable, Group[S]] = {}

    def __len__(self) -> int:
        return len(self._by_key)

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

    def release(self, group: Group[S]) -> None:
        group.guests -= 1
        if not group.guests:
            self.forget(group)
            group.stop()

    def forget(self, group: Group[S]) -> None:
        """Who comes from now on begins a new one."""
        if self._by_key.get(group.key) is group:
            del self._by_key[group.key]
