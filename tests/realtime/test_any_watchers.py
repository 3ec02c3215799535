"""Whoever comes, goes, reads slowly or loses a right, whatever changes, fails or goes unheard: everybody ends
on the truth, readers of the journal see each item once and in order, and nobody is sent a byte that they may
not see. In virtual time; sockets are modelled as `api.sockets` has them.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from community.signals import Signal
from realtime import groups, journals, pacing, sources
from realtime.execution import Ended
from realtime.groups import Group, Groups, Member
from realtime.journals import Item
from realtime.pacing import Turn, WritePacer
from realtime.subscriptions import SharedSubscription, Step
from tests.realtime.conftest import CLOCK, Row, in_virtual_time, journal_of, state_of, virtual
from tests.realtime.conftest import Source as OneSource

VOTES, ESTATE = (1, 2), 7
KEYS = (*VOTES, ESTATE)
CLIENTS = 7
ROOMS = (10**9, 1, 2, 5)
"""Texts that a writer takes before it is busy."""

NOTHING, SOME, ALL = range(3)
"""What somebody may see; each sees another text."""

AWAY, HIDDEN = [{"code": "TRY_AGAIN"}], [{"code": "NOT_FOUND"}]


class Town:
    """The truth, how it is read, and who watches it in one process."""

    def __init__(self) -> None:
        self.states = dict.fromkeys(VOTES, 0)
        self.items: list[int] = []
        self.head = 0
        self.failing = self.breaking = 0
        self.lost = False
        self.tallies = OneSource(state_of(self._state))
        self.journal = OneSource(journal_of(self._items_after, self._head))
        self.groups: Groups = Groups(WritePacer())
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

    async def _items_after(self, _: int, number: int, most: int) -> Sequence[Row]:
        items = [Row(each) for each in self.items if each > number][:most]
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
            self.tallies.handle(Signal("tally", key))
            self.journal.handle(Signal("bulletin", key))

    def mend(self) -> None:
        """As after a gap: also rights may have changed."""
        self.lost = False
        self.tallies.resync()
        self.journal.resync()
        for client in self.clients:
            client.changed(client.level)


class Source(SharedSubscription):
    """One execution for all of an audience, or for one reader `alone`, who begins behind `after`."""

    def __init__(
        self, town: Town, key: int, level: int, *, alone: bool = False, after: int | None = None
    ) -> None:
        self._town, self._key, self._level = town, key, level
        self.alone, self._after = alone, after
        self.kept = 4 if key == ESTATE else 1
        self.opened = asyncio.Event()
        self.access_known = False
        self.start = 0

    async def until_access(self) -> None:
        """Reads where its key belongs."""
        await asyncio.sleep(0.003)
        self.access_known = True

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        town = self._town
        begin = self._after if self.alone else ([0, *town.items])[-4:][0]
        watched: Any = (
            town.journal.watch(ESTATE, begin) if self._key == ESTATE else town.tallies.watch(self._key)
        )
        try:
            async with watched as shown:
                self._reader, self.start = shown, shown.number
                self.opened.set()
                while True:
                    await shown.until_read()
                    await turn.begin()
                    if shown.has_next:
                        text = text_of(self._level, self._key, shown.take())
                        await asyncio.sleep(0.001)
                    if town.breaking:
                        town.breaking -= 1
                        raise OSError("the database is away")
                    turn.end()
                    yield Step(shown.number, text)
        except OSError as error:
            raise Ended(AWAY) from error

    def fault(self, error: Exception) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError


def text_of(level: int, key: int, value: int | Item) -> bytes:
    return b"%d %d %d" % (level, key, value.row.number if isinstance(value, Item) else value)


class Connection:
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
        self.connection: Connection | None = None
        self.shown: dict[int, int] = {}
        self.items: list[int] = []
        self.operations: dict[int, Operation] = {}
        self._renewal: asyncio.Task[None] | None = None

    # What it does

    def come(self) -> None:
        if self.connection is None:
            self.connection = Connection(self)
            self._subscribe()

    def drop(self) -> None:
        """At any time, without a word."""
        self._cancel_renewal()
        operations, self.operations = self.operations, {}
        for operation in operations.values():
            operation.stop()
        if self.connection:
            self.connection.closed = True
            self.connection = None

    def read(self) -> None:
        if self.connection:
            self.connection.read()

    def _subscribe(self) -> None:
        for key in KEYS:
            if key not in self.operations:
                operation = self.operations[key] = Operation(self._town, self, key, self._cursor())
                if self.settled:
                    operation.begin()

    def _cursor(self) -> int | None:
        """Of the last item that it has, or will have read before it says another word."""
        unread = [position_of(text)[3] for text in (self.connection.unread if self.connection else ())
                  if position_of(text)[2] == ESTATE]  # fmt: skip
        return next(reversed([*self.items, *unread]), self.after)

    # What befalls it

    def changed(self, level: int) -> None:
        self.level = level
        if self.connection is None:
            return
        for operation in self.operations.values():
            operation.pause()
        self._cancel_renewal()
        self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        await asyncio.sleep(0.02)
        self._renewal = None
        for operation in list(self.operations.values()):
            operation.begin_again()
        if self.level != NOTHING and self.connection:
            self._subscribe()

    @property
    def settled(self) -> bool:
        """Its rights are not being asked again."""
        return self._renewal is None

    def _cancel_renewal(self) -> None:
        if self._renewal:
            self._renewal.cancel()
            self._renewal = None

    def drained(self) -> None:
        for operation in list(self.operations.values()):
            operation.catch_up()

    def ended(self, operation: "Operation", errors: Sequence[Mapping[str, Any]]) -> None:
        self.operations.pop(operation.key).stop()
        self._town.seen[str(errors)] += 1
        if errors == AWAY and self.connection:
            self.connection.close(1013, "Try again later")

    # What it is sent

    def check(self, text: bytes) -> None:
        serial, level, key, _ = position_of(text)
        assert self.settled, "it is not known yet what it may see"
        assert level == self.level != NOTHING
        assert self.operations[key].serial == serial, "from an operation that is over"

    def take(self, text: bytes) -> None:
        _, _, key, value = position_of(text)
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


def position_of(text: bytes) -> tuple[int, int, int, int]:
    """The operation, the audience, the key and what is said of it."""
    serial, level, key, value = map(int, text.split())
    return serial, level, key, value


SERIALS = count()


class State(Enum):
    WAITING = 0
    ASKING = 1
    SHOWN = 2
    ENDED = 3


class Operation(Member):
    __slots__ = (
        "_after", "_client", "_entered", "_last_in", "_last_seen", "_task", "_town", "key", "serial", "state",
    )  # fmt: skip

    def __init__(self, town: Town, client: Client, key: int, after: int | None) -> None:
        assert client.connection
        self.serial, self.state = next(SERIALS), State.WAITING
        super().__init__(client.connection, b"%d " % self.serial, 0)
        self._town, self._client, self.key, self._after = town, client, key, after
        self._entered: Group | None = None
        self._last_in: Group | None = None
        self._last_seen: int | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        town, key, level = self._town, self.key, self._client.level
        self.state = State.ASKING
        self._change_group(town.groups.enter((key, level), lambda: Source(town, key, level)))
        if key == ESTATE or not self._source.access_known:
            self._task = asyncio.create_task(self._to_its_end())
        elif level == NOTHING:
            self.end(HIDDEN)
        else:
            self._join(self._seen_here)

    def begin_again(self) -> None:
        if self.state is State.WAITING and self._client.settled:
            self.begin()

    def pause(self) -> None:
        if self.group is not None:
            self._last_seen, self._last_in = self.seen, self._entered
            self.group.leave(self)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = None
        self.state = State.WAITING

    def stop(self) -> None:
        self.pause()
        self.state = State.ENDED
        self._change_group(None)

    def catch_up(self) -> None:
        if self.group is not None:
            self.group.catch_up(self)

    def end(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self._client.ended(self, errors)

    def fall_behind(self) -> None:
        self._town.seen["fell behind"] += 1
        self.writer.close(1013, "Read faster")

    async def _to_its_end(self) -> None:
        try:
            await self._ask()
        except Ended as ended:
            self.end(ended.errors)

    async def _ask(self) -> None:
        """Raises Ended."""
        group, source = self._group, self._source
        await self._require(source)
        if self.key != ESTATE:
            self._join(self._seen_here)
            return
        await group.until_open()
        begin = self._last_seen
        if source.alone or begin is None:
            begin = await source.start_of(self._after)
        self._require_still()
        if group.reaches(begin):
            self._join(begin)
        else:
            self._enter_alone(begin)
            await self._ask()

    async def _require(self, source: Source) -> None:
        """Raises Ended."""
        await source.until_access()
        self._require_still()

    def _require_still(self) -> None:
        """Raises Ended."""
        if self._client.level == NOTHING:
            raise Ended(HIDDEN)

    def _join(self, seen: int) -> None:
        self.seen, self.state, self._last_seen, self._last_in = seen, State.SHOWN, None, None
        self._town.seen["alone" if self._group.subscription.alone else "joined"] += 1
        self._group.join(self)

    def _enter_alone(self, after: int) -> None:
        made = Source(self._town, self.key, self._client.level, alone=True, after=after)
        self._change_group(self._town.groups.enter(made, lambda: made))

    @property
    def _source(self) -> Source:
        return cast(Source, self._group.subscription)

    @property
    def _group(self) -> Group:
        assert self._entered is not None
        return self._entered

    @property
    def _seen_here(self) -> int:
        return self._last_seen if self._last_seen is not None and self._last_in is self._entered else 0

    def _change_group(self, entered: Group | None) -> None:
        """The new one first: it may be the same."""
        before, self._entered = self._entered, entered
        if before is not None:
            self._town.groups.release(before)


Action = tuple[str, int, int]


def action(name: str, *ranges: Sequence[int]) -> Any:
    return st.tuples(st.just(name), *(st.sampled_from(each) for each in ranges))


SOMEBODY = range(CLIENTS)
ACTIONS = st.lists(
    st.one_of(
        action("come", SOMEBODY, [0]),
        action("come", SOMEBODY, [0]),
        action("drop", SOMEBODY, [0]),
        action("read", SOMEBODY, [0]),
        action("rights", SOMEBODY, [NOTHING, SOME, ALL]),
        action("change", KEYS, [1]),
        action("change", KEYS, [3]),
        action("change", [ESTATE], [9]),
        action("unheard", KEYS, [1]),
        action("nothing new", VOTES, [1]),
        action("mend", [0], [0]),
        action("fail", [1, 2], [0]),
        action("break", [1], [0]),
        action("wait", [0, 1, 2, 3, 10, 12, 25, 110, 2_000], [0]),
        action("turn", [1, 2, 5], [0]),
    ),
    min_size=10,
    max_size=80,
)


async def live_through(actions: Sequence[Action], everybody: bool) -> Counter[str]:
    town = Town()
    if everybody:
        for client in town.clients:
            client.come()
    for name, which, much in actions:
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
                town.tallies.handle(Signal("tally", which))
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
    assert (len(town.groups), town.tallies.watched, town.journal.watched) == (0, 0, 0)
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
            (journals, "KEPT", 5),
            (journals, "BATCH", 3),
            (pacing, "time", CLOCK),
        ):
            patch.setattr(module, name, value)
        patch.setattr(sources.log, "disabled", True)
        yield


@pytest.mark.parametrize(
    "examples",
    [
        pytest.param(300, id="short"),
        pytest.param(10_000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_everybody_ends_on_the_truth_and_is_sent_nothing_else(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(ACTIONS, st.booleans())
    def through(actions: list[Action], everybody: bool) -> None:
        in_virtual_time(live_through(actions, everybody))

    through()


A_DAY: list[Action] = [
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


@virtual
async def test_in_this_town_all_of_it_happens() -> None:
    met = await live_through(A_DAY, True)
    assert set(met) == {"joined", "alone", "fell behind", str(AWAY), str(HIDDEN)}
