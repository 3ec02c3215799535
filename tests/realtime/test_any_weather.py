"""Whatever becomes of the connection between two processes: every watcher ends on the truth, and every reader
of the journal sees each item once and in order. The same property for both brokers.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis as Client
from redis.exceptions import RedisError

from community.signals import Signal
from realtime import poller, redis_broker, sources
from realtime.broker import MemoryBroker
from realtime.poller import JournalPoller
from realtime.redis_broker import RedisBroker
from tests.realtime.conftest import Row, Source, journal_of, state_of

ESTATE = 7
VOTES = (1, 2)


class Truth:
    """What a database holds: the journal, and how each vote stands."""

    def __init__(self) -> None:
        self.journal: list[Signal] = []

    def write(self, vote: int) -> list[Signal]:
        signals = [Signal("tally", vote), Signal("bulletin", ESTATE)]
        self.journal += signals
        return signals

    @property
    def items(self) -> list[int]:
        return [number for number, (topic, _) in enumerate(self.journal, 1) if topic == "bulletin"]

    async def tally(self, vote: int) -> int:
        await asyncio.sleep(0)
        return self.journal.count(Signal("tally", vote))

    async def head(self) -> int:
        await asyncio.sleep(0)
        return len(self.journal)

    async def signals_after(self, number: int) -> tuple[int, list[Signal]]:
        await asyncio.sleep(0)
        return len(self.journal), self.journal[number:]

    async def items_after(self, _: int, number: int, most: int) -> Sequence[Row]:
        await asyncio.sleep(0)
        return [Row(each) for each in self.items if each > number][:most]


class Process:
    """One process of the house, wired as the app wires it, with screens and readers before it."""

    def __init__(self, truth: Truth, broker: Any) -> None:
        self.truth, self.broker = truth, broker
        self.tallies = Source(state_of(truth.tally), broker, pause=0.002)
        self.journal = Source(journal_of(truth.items_after, truth.head), broker)
        self.poller = JournalPoller(broker.dispatch, broker.resync)
        self.shown: dict[int, int] = {}
        self.read: list[int] = []
        self._reader: asyncio.Task[None] | None = None
        self._screens: dict[int, asyncio.Task[None]] = {}
        self._tasks = [asyncio.create_task(self.poller.poll())]
        if isinstance(broker, RedisBroker):
            self._tasks.append(asyncio.create_task(broker.keep_connected()))
        self.resume()
        for vote in VOTES:
            self.reopen(vote)

    async def _screen(self, vote: int) -> None:
        async with self.tallies.watch(vote) as reader:
            async for state in reader:
                self.shown[vote] = state

    async def _read(self) -> None:
        async with self.journal.watch(ESTATE, self.read[-1] if self.read else 0) as items:
            async for item in items:
                self.read.append(item.row.number)

    def reopen(self, vote: int) -> None:
        """Nobody watches it for a while, so that nobody else needs to tell of it."""
        if vote in self._screens:
            self._screens[vote].cancel()
            self._tasks.append(self._screens.pop(vote))
        self._screens[vote] = asyncio.create_task(self._screen(vote))

    def resume(self) -> None:
        """The reader's connection breaks; it goes on behind the last item that it has."""
        if self._reader:
            self._reader.cancel()
            self._tasks.append(self._reader)
        self._reader = asyncio.create_task(self._read())

    async def is_right(self) -> bool:
        right = {vote: await self.truth.tally(vote) for vote in VOTES}
        return self.shown == right and len(self.read) >= len(self.truth.items)

    async def end(self) -> None:
        tasks = [task for task in (*self._tasks, *self._screens.values(), self._reader) if task]
        for task in tasks:
            task.cancel()
        _, left = await asyncio.wait(tasks, timeout=20)
        assert not left, "somebody does not end"


class Link:
    """What lies between the processes, and what may become of it."""

    async def befall(self, what: str) -> None:
        """In memory there is nothing that could break."""

    async def mend(self) -> None:
        """All is well again."""

    def brokers(self) -> tuple[Any, Any]:
        broker = MemoryBroker()
        return broker, broker


class RedisLink(Link):
    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._there, self._paused = True, False

    def brokers(self) -> tuple[Any, Any]:
        return RedisBroker(self._redis.url), RedisBroker(self._redis.url)

    async def befall(self, what: str) -> None:
        if what == "cut" and self._there and not self._paused:
            with suppress(RedisError):
                async with Client.from_url(self._redis.url) as client:
                    await client.client_kill_filter(_type="pubsub")
        elif what == "pause" and self._there and not self._paused:
            self._redis.signal(signal.SIGSTOP)
            self._paused = True
        elif what == "kill" and self._there:
            self._redis.kill()
            self._there = self._paused = False
        elif what == "mend":
            await self.mend()

    async def mend(self) -> None:
        if self._paused:
            self._redis.signal(signal.SIGCONT)
        elif not self._there:
            self._redis.start()
        self._there, self._paused = True, False


Action = tuple[str, int]
WRITES = st.tuples(st.just("write"), st.integers(0, 3))
ACTIONS = st.lists(
    st.one_of(
        WRITES,
        WRITES,
        st.tuples(st.sampled_from(["cut", "pause", "kill", "mend", "mend"]), st.just(0)),
        st.tuples(st.just("resume"), st.integers(0, 1)),
        st.tuples(st.just("reopen"), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(0, 40)),
    ),
    max_size=30,
)


@asynccontextmanager
async def two_processes(truth: Truth, link: Link) -> AsyncIterator[list[Process]]:
    with pytest.MonkeyPatch.context() as patch:
        journal = SimpleNamespace(heads=truth.head, signals_after=truth.signals_after)
        patch.setattr(poller, "journal", journal)
        processes = [Process(truth, broker) for broker in link.brokers()]
        try:
            yield processes
        finally:
            await link.mend()
            for process in processes:
                await process.end()


async def live_through(actions: Sequence[Action], link: Link) -> None:
    truth = Truth()
    async with two_processes(truth, link) as processes:
        for action, much in actions:
            if action == "write":
                process = processes[much % 2]
                process.broker.publish(truth.write(VOTES[much // 2]))
            elif action == "resume":
                processes[much].resume()
            elif action == "reopen":
                processes[much % 2].reopen(VOTES[much // 2])
            elif action == "wait":
                await asyncio.sleep(much / 1000)
            else:
                await link.befall(action)
        await link.mend()
        async with asyncio.timeout(30):
            for process in processes:
                while not await process.is_right():  # noqa: ASYNC110 - Redis sets no event of ours
                    await asyncio.sleep(0.005)
        for process in processes:
            assert process.read == truth.items


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same mechanisms with shorter waits."""
    for module, name, seconds in (
        (sources, "RETRY", 0.01),
        (poller, "EVERY", 0.1),
        (redis_broker, "HEARTBEAT", 0.1),
        (redis_broker, "PAUSE", 0.01),
        (redis_broker, "LONGEST_PAUSE", 0.05),
    ):
        monkeypatch.setattr(module, name, seconds)


LINKS: dict[str, Callable[[pytest.FixtureRequest], Link]] = {
    "memory": lambda _: Link(),
    "redis": lambda request: RedisLink(request.getfixturevalue("redis")),
}


def hold_the_property(link: Link, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(ACTIONS)
    def through(actions: list[Action]) -> None:
        asyncio.run(live_through(actions, link))

    through()


@pytest.mark.parametrize(
    "examples",
    [
        pytest.param(40, id="short"),
        pytest.param(1000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1200)]),
    ],
)
@pytest.mark.parametrize("broker", LINKS)
def test_everybody_ends_on_the_truth(
    request: pytest.FixtureRequest, quick: None, broker: str, examples: int
) -> None:
    hold_the_property(LINKS[broker](request), examples)


async def test_a_connection_ends_whenever_it_is_told_to(redis: Any) -> None:
    """Also while it connects, which takes some thirty turns of the loop: a server that ends waits for it."""
    for turns in range(60):
        connection = asyncio.create_task(RedisBroker(redis.url).keep_connected())
        for _ in range(turns):
            await asyncio.sleep(0)
        connection.cancel()
        done, _ = await asyncio.wait([connection], timeout=20)
        assert done, turns
