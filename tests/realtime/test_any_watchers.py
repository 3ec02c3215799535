"""Whoever comes, goes, reads slowly or loses a right, whatever changes, fails or goes unheard: everybody ends
on the truth, readers of the journal see each item once and in order, and nobody is sent a byte that they may
not see. In virtual time; sockets are modelled as `api.sockets` has them.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from community.signals import Signal, Topic
from realtime import feed, groups, tempo
from realtime.groups import GONE, Ended, Group, Groups, Member, Step
from realtime.journals import Feed, JournalReader
from realtime.pacing import Turn, WritePacer
from realtime.states import StateReader, StateSource
from tests.realtime.conftest import CLOCK

Run = Callable[[Coroutine[Any, Any, Any]], Any]

VOTES, ESTATE = (1, 2), 7
KEYS = (*VOTES, ESTATE)
CLIENTS = 7
ROOMS = (10**9, 1, 2, 5)
"""Texts that a line takes before it is busy."""

NOTHING, SOME, ALL = range(3)
"""What somebody may see; each sees another text."""

AWAY, HIDDEN = [{"code": "TRY_AGAIN"}], [{"code": "NOT_FOUND"}]


@dataclass(frozen=True)
class Item:
    number: int


class Town:
    """The truth, how it is read, and who watches it in one process."""

    def __init__(self) -> None:
        self.states = dict.fromkeys(VOTES, 0)
        self.items: list[int] = []
        self.head = 0
        self.failing = self.breaking = 0
        self.lost = False
        self.live: StateSource[int] = StateSource(Topic.TALLY, self._state)
        self.feed = Feed(self._items_after, self._head)
        self.groups: Groups[Source] = Groups(WritePacer())
        self.seen = Counter[str]()
        self.clients = [Client(self, number) for number in range(CLIENTS)]

    async def _take_time(self) -> None:
        await asyncio.sleep(0.01)
        if self.failing:
            self.failing -= 1
            raise OSError("the database is away")

    async def _state(self, vote: int) -> int:
        state = self.states[vote]
        await self._take_time()
        return state

    async def _items_after(self, _: int, number: int, most: int) -> Sequence[Item]:
        items = [Item(each) for each in self.items if each > number][:most]
        await self._take_time()
        return items

    async def _head(self) -> int:
        head = self.head
        await self._take_time()
        return head

    def change(self, key: int, *, heard: bool) -> None:
        self.head += 1
        if key == ESTATE:
            self.items.append(self.head)
        else:
            self.states[key] += 1
        self.lost |= not heard
        if heard:
            self.live.handle(Signal(Topic.TALLY, key))
            self.feed.handle(Signal(Topic.BULLETIN, key))

    def mend(self) -> None:
        """As after a gap: also rights may have changed."""
        self.lost = False
        self.live.resync()
        self.feed.resync()
        for client in self.clients:
            client.changed(client.level)


class Source:
    """One execution for all of an audience."""

    def __init__(self, town: Town, key: int, level: int) -> None:
        self._town, self._key, self._level = town, key, level
        self.kept = 4 if key == ESTATE else 1
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.shown: StateReader[int] | JournalReader | None = None
        self.start = 0

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        town, recent = self._town, ([0, *self._town.items])[-4:][0]
        watched: Any = town.feed.watch(ESTATE, recent) if self._key == ESTATE else town.live.watch(self._key)
        try:
            async with watched as shown:
                self.shown, self.start = shown, shown.number
                self.opened.set_result(None)
                while True:
                    await turn.begin(shown.when_more)
                    value = await anext(shown)
                    await asyncio.sleep(0.001)
                    if town.breaking:
                        town.breaking -= 1
                        raise OSError("the database is away")
                    turn.end()
                    yield Step(shown.number, text_of(self._level, self._key, value))
        except OSError as error:
            raise Ended(AWAY) from error

    def newest(self, number: int) -> bool:
        shown = self.shown
        return not isinstance(shown, StateReader) or (shown.newest and number == shown.number)

    def if_unchanged(self, call: Callable[[], None]) -> None:
        if isinstance(self.shown, StateReader):
            self.shown.if_unchanged(call)

    def fault(self, error: Exception) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError

    def fail(self, errors: Sequence[Mapping[str, Any]]) -> None:
        if not self.opened.done():
            self.opened.set_exception(Ended(errors))
            self.opened.exception()


def text_of(level: int, key: int, value: int | Item) -> bytes:
    return b"%d %d %d" % (level, key, value.number if isinstance(value, Item) else value)


class Line:
    """`close` and what was not read by then are as a connection that breaks."""

    def __init__(self, client: "Client") -> None:
        self._client, self._free = client, asyncio.Event()
        self.unread: deque[bytes] = deque()
        self.closed = False
        self.drained: Callable[[], None] | None = client.drained

    @property
    def busy(self) -> bool:
        return len(self.unread) >= self._client.room

    def write(self, text: bytes) -> None:
        assert not self.closed
        assert not self.busy
        self._client.check(text)
        self.unread.append(text)

    def read(self) -> None:
        was_busy = self.busy
        while self.unread:
            self._client.take(self.unread.popleft())
        self._free.set()
        if was_busy and not self.closed:
            self._client.drained()

    async def drain(self) -> None:
        while self.busy:
            self._free.clear()
            await self._free.wait()

    def close(self, code: int, reason: str) -> None:
        self.closed = True
        self._client.drop()


class Client:
    """A screen that shows both votes and follows the bulletin, on one socket at a time."""

    def __init__(self, town: Town, number: int) -> None:
        self._town, self.room = town, ROOMS[number % len(ROOMS)]
        self.level = (ALL, SOME, ALL, NOTHING)[number % 4]
        self.after = None if number % 3 == 2 else 0
        self.line: Line | None = None
        self.shown: dict[int, int] = {}
        self.items: list[int] = []
        self.operations: dict[int, Operation] = {}
        self._renewal: asyncio.Task[None] | None = None

    # What it does

    def come(self) -> None:
        if self.line is None:
            self.line = Line(self)
            self._subscribe()

    def drop(self) -> None:
        """At any moment, without a word."""
        self._cancel_renewal()
        operations, self.operations = self.operations, {}
        for operation in operations.values():
            operation.stop()
        if self.line:
            self.line.closed = True
            self.line = None

    def read(self) -> None:
        if self.line:
            self.line.read()

    def _subscribe(self) -> None:
        for key in KEYS:
            if key not in self.operations:
                operation = self.operations[key] = Operation(self._town, self, key, self._cursor())
                operation.begin()

    def _cursor(self) -> int | None:
        """Of the last item that it has, or will have read before it says another word."""
        unread = [place_of(text)[3] for text in (self.line.unread if self.line else ())
                  if place_of(text)[2] == ESTATE]  # fmt: skip
        return next(reversed([*self.items, *unread]), self.after)

    # What befalls it

    def changed(self, level: int) -> None:
        self.level = level
        if self.line is None:
            return
        for operation in self.operations.values():
            operation.leave()
        self._cancel_renewal()
        self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        await asyncio.sleep(0.02)
        self._renewal = None
        for key, operation in list(self.operations.items()):
            if operation.seen == GONE:
                self.operations[key] = successor = operation.successor()
                successor.begin()
        if self.level != NOTHING and self.line:
            self._subscribe()

    def _cancel_renewal(self) -> None:
        if self._renewal:
            self._renewal.cancel()
            self._renewal = None

    def drained(self) -> None:
        for operation in list(self.operations.values()):
            operation.catch_up()

    def ended(self, operation: "Operation", errors: Sequence[Mapping[str, Any]]) -> None:
        del self.operations[operation.key]
        self._town.seen[str(errors)] += 1
        if errors == AWAY and self.line:
            self.line.close(1013, "Try again later")

    # What it is sent

    def check(self, text: bytes) -> None:
        serial, level, key, _ = place_of(text)
        assert self._renewal is None, "it is not known yet what it may see"
        assert level == self.level != NOTHING
        assert self.operations[key].serial == serial, "from an operation that is over"

    def take(self, text: bytes) -> None:
        _, _, key, value = place_of(text)
        if key == ESTATE:
            assert not self.items or value > self.items[-1]
            self.items.append(value)
        else:
            self.shown[key] = value

    @property
    def is_right(self) -> bool:
        first = self.items[0] if self.after is None and self.items else 0
        items = [number for number in self._town.items if number >= first]
        assert self.items == items[: len(self.items)], "an item is missing"
        return self.shown == self._town.states and self.items == items


def place_of(text: bytes) -> tuple[int, int, int, int]:
    """The operation, the audience, the key and what is said of it."""
    serial, level, key, value = map(int, text.split())
    return serial, level, key, value


SERIALS = count()


class Operation(Member):
    __slots__ = ("_after", "_client", "_group", "_task", "_town", "key", "serial")

    def __init__(self, town: Town, client: Client, key: int, after: int | None) -> None:
        assert client.line
        self.serial = next(SERIALS)
        super().__init__(client.line, b"%d " % self.serial, GONE)
        self._town, self._client, self.key, self._after = town, client, key, after
        self._group: Group[Source] | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        town, key, level = self._town, self.key, self._client.level
        self._group = town.groups.enter((key, level), lambda: Source(town, key, level))
        if self._group.source.shown and key != ESTATE:
            self._join(self._group, 0)
        else:
            self._task = asyncio.create_task(self._join_when_open(self._group))

    async def _join_when_open(self, group: Group[Source]) -> None:
        source = group.source
        try:
            await asyncio.shield(source.opened)
        except Ended as ended:
            self.end(ended.errors)
            return
        begin = 0
        if isinstance(source.shown, JournalReader):
            begin = source.shown.head if self._after is None else self._after
        if self.key != ESTATE or begin >= max(source.start, group.forgotten):
            self._join(group, begin)
        else:
            self._release()
            self._begin_alone(begin)

    def _join(self, group: Group[Source], begin: int) -> None:
        if self._client.level == NOTHING:
            self.end(HIDDEN)
        else:
            self.seen = begin
            self._town.seen["joined"] += 1
            group.join(self)

    def _begin_alone(self, begin: int) -> None:
        self.seen = begin
        self._town.seen["alone"] += 1
        self._task = asyncio.create_task(self._run_alone())

    async def _run_alone(self) -> None:
        if self._client.level == NOTHING:
            self.end(HIDDEN)
            return
        while True:
            with suppress(OSError):
                async with self._town.feed.watch(ESTATE, self.seen) as items:
                    async for item in items:
                        await self.line.drain()
                        self.seen = item.number
                        self.line.write(self.prefix + text_of(self._client.level, ESTATE, item))
            await asyncio.sleep(1)

    def catch_up(self) -> None:
        if self._group is not None:
            self._group.catch_up(self)

    def end(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.leave()
        self._client.ended(self, errors)

    def fall_behind(self) -> None:
        self._town.seen["fell behind"] += 1
        self.line.close(1013, "Read faster")

    def successor(self) -> "Operation":
        return Operation(self._town, self._client, self.key, self._after)

    def leave(self) -> None:
        if self.key == ESTATE and self.seen != GONE:
            self._after = self.seen
        if self._group is not None:
            self._group.leave(self)
            self._release()
        else:
            self.seen = GONE
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def stop(self) -> None:
        self.leave()

    def _release(self) -> None:
        if self._group is not None:
            self._town.groups.release(self._group)
            self._group = None


Deed = tuple[str, int, int]


def deed(name: str, *ranges: Sequence[int]) -> Any:
    return st.tuples(st.just(name), *(st.sampled_from(each) for each in ranges))


SOMEBODY = range(CLIENTS)
DEEDS = st.lists(
    st.one_of(
        deed("come", SOMEBODY, [0]),
        deed("come", SOMEBODY, [0]),
        deed("drop", SOMEBODY, [0]),
        deed("read", SOMEBODY, [0]),
        deed("rights", SOMEBODY, [NOTHING, SOME, ALL]),
        deed("change", KEYS, [1]),
        deed("change", KEYS, [3]),
        deed("change", [ESTATE], [9]),
        deed("unheard", KEYS, [1]),
        deed("nothing new", VOTES, [1]),
        deed("mend", [0], [0]),
        deed("fail", [1, 2], [0]),
        deed("break", [1], [0]),
        deed("wait", [0, 1, 2, 3, 10, 12, 25, 110, 2_000], [0]),
        deed("turn", [1, 2, 5], [0]),
    ),
    min_size=10,
    max_size=80,
)


async def live_through(deeds: Sequence[Deed], everybody: bool) -> Counter[str]:
    town = Town()
    if everybody:
        for client in town.clients:
            client.come()
    for name, which, much in deeds:
        match name:
            case "come":
                town.clients[which].come()
            case "drop":
                town.clients[which].drop()
            case "read":
                town.clients[which].read()
            case "rights":
                town.clients[which].changed(much)
            case "change" | "unheard":
                for _ in range(much):
                    town.change(which, heard=name == "change")
            case "nothing new":
                town.live.handle(Signal(Topic.TALLY, which))
            case "mend":
                town.mend()
            case "fail":
                town.failing = which
            case "break":
                town.breaking = which
            case "wait":
                await asyncio.sleep(which / 1000)
            case "turn":
                for _ in range(which):
                    await asyncio.sleep(0)
    await rest(town)
    for client in town.clients:
        client.drop()
    await asyncio.sleep(1)
    assert (len(town.groups), town.live.watched, town.feed.watched) == (0, 0, 0)
    return town.seen


async def rest(town: Town) -> None:
    """All is well again, and everybody has time to come, to read and to come back."""
    town.failing = town.breaking = 0
    if town.lost:
        town.mend()
    for round_ in range(1_000):
        for client in town.clients:
            if client.level == NOTHING:
                client.changed(SOME)
            client.come()
            client.read()
        await asyncio.sleep(0.25)
        if round_ == 20:
            town.change(ESTATE, heard=True)
        elif round_ > 40 and all(client.is_right for client in town.clients):
            return
    raise AssertionError("somebody does not end on the truth")


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """The same mechanisms with lower bounds, and the clock of the loop."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in (
            (groups, "CHUNK", 2),
            (groups, "LEAST_CHUNK", 1),
            (feed, "KEPT", 5),
            (feed, "BATCH", 3),
            (tempo, "time", CLOCK),
        ):
            patch.setattr(module, name, value)
        patch.setattr(feed.log, "disabled", True)
        patch.setattr(logging.getLogger("realtime.live"), "disabled", True)
        yield


@pytest.mark.parametrize(
    "examples",
    [
        pytest.param(300, id="short"),
        pytest.param(10_000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_everybody_ends_on_the_truth_and_is_sent_nothing_else(run: Run, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(DEEDS, st.booleans())
    def through(deeds: list[Deed], everybody: bool) -> None:
        run(live_through(deeds, everybody))

    through()


A_DAY: list[Deed] = [
    ("wait", 110, 0),
    *[("change", ESTATE, 9), ("wait", 110, 0)] * 3,
    ("rights", 0, NOTHING),
    ("drop", 2, 0),
    *[("change", ESTATE, 9), ("wait", 110, 0), ("read", 1, 0)] * 2,
    ("come", 2, 0),
    ("rights", 0, ALL),
    ("wait", 110, 0),
    ("break", 1, 0),
    ("change", 1, 1),
    ("wait", 2_000, 0),
]


def test_in_this_town_all_of_it_happens(run: Run) -> None:
    met = run(live_through(A_DAY, True))
    assert set(met) == {"joined", "alone", "fell behind", str(AWAY), str(HIDDEN)}
