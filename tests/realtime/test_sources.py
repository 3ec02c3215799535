"""Each declaration is watched by itself in each process, told of everything by the broker."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from community.bulletin.facts import BULLETIN
from community.catalogue import Subject, catalogue
from community.errors import NotFound
from community.events.facts import ATTENDANCE
from community.ledger.facts import BALANCE
from community.live import State
from community.permissions import Permission, Scope
from community.signals import Signal
from community.votes.facts import TALLY
from realtime.broker import MemoryBroker
from realtime.journals import Item, SharedItems
from realtime.sources import LiveSources
from realtime.states import SharedState
from tests.realtime.conftest import Row, journal_of, virtual
from tests.world.server import PATIENCE

DECLARED = [TALLY, ATTENDANCE, BALANCE, BULLETIN]

KEY = 7


class Truth:
    """A state and a journal, each declared here; the state's value is how many items there are."""

    def __init__(self) -> None:
        self.items = self.reads = 0
        self.state = State(topic="tally", permission=Permission.READ_BULLETIN,
                           subject=Subject(kind="Vote", scope_of=self.scope_of), read=self.read)  # fmt: skip
        self.journal = journal_of(self.items_after, self.read_head)

    async def scope_of(self, _: int) -> Scope:
        raise NotFound

    async def read(self, _: int) -> int:
        self.reads += 1
        await asyncio.sleep(0.01)
        return self.items

    async def read_other(self, _: int) -> int:
        return self.items - 1

    async def read_head(self) -> int:
        return self.items

    async def items_after(self, _: int, number: int, most: int) -> Sequence[Row]:
        self.reads += 1
        await asyncio.sleep(0.01)
        return [Row(each) for each in range(number + 1, self.items + 1)][:most]


async def test_two_declarations_of_one_topic_are_watched_apart() -> None:
    truth = Truth()
    other = replace(truth.state, read=truth.read_other)
    sources = LiveSources(MemoryBroker(), pause=0)
    async with sources.watch(truth.state, KEY) as one, sources.watch(other, KEY) as two:
        assert len(list(sources)) == 2
        assert (await anext(one), await anext(two)) == (0, -1)
    assert list(sources) == []


@pytest.mark.parametrize("declaration", DECLARED, ids=lambda declaration: declaration.topic)
async def test_every_declaration_hears_its_own_topic_through_the_broker(
    monkeypatch: pytest.MonkeyPatch, declaration: Any
) -> None:
    async def never(shared: Any) -> bool:
        if isinstance(shared, SharedItems):
            shared.ready.set()
        await asyncio.Event().wait()
        return False

    broker = MemoryBroker()
    sources = LiveSources(broker)
    for kind in (SharedState, SharedItems):
        monkeypatch.setattr(kind, "read_on", never)
    async with sources.watch(declaration, KEY):
        (shared,) = sources
        shared.stale.clear()
        others = set(catalogue().topics) - {declaration.topic}
        broker.publish([Signal(declaration.topic, KEY + 1), *(Signal(topic, KEY) for topic in others)])
        assert not shared.stale.is_set()
        broker.publish([Signal(declaration.topic, KEY)])
        assert shared.stale.is_set()


async def test_what_changes_reaches_whoever_watches_it_and_is_wanted_of_the_broker() -> None:
    class Wanting(MemoryBroker):
        wanted: set[Signal] = set()  # noqa: RUF012

        def register_interest(self, signal: Signal, /) -> Any:
            self.wanted.add(signal)
            return lambda: self.wanted.remove(signal)

    broker, truth = Wanting(), Truth()
    sources = LiveSources(broker, pause=0)
    async with (
        asyncio.timeout(PATIENCE),
        sources.watch(truth.state, KEY) as values,
        sources.watch(truth.journal, KEY) as items,
    ):
        assert broker.wanted == {Signal("tally", KEY), Signal("bulletin", KEY)}
        assert await anext(values) == 0
        truth.items = 1
        broker.publish([Signal("tally", KEY), Signal("bulletin", KEY)])
        assert await anext(values) == 1
        assert await anext(items) == Item(Row(1), "behind 1")
    assert broker.wanted == set()


async def test_on_resync_every_source_reads_on() -> None:
    broker, truth = MemoryBroker(), Truth()
    sources = LiveSources(broker, pause=0)
    async with (
        asyncio.timeout(PATIENCE),
        sources.watch(truth.state, KEY) as values,
        sources.watch(truth.journal, KEY) as items,
    ):
        assert await anext(values) == 0
        truth.items = 1  # nobody was told
        broker.resync()
        assert await anext(values) == 1
        assert await anext(items) == Item(Row(1), "behind 1")


async def test_watchers_rounds_and_merged_changes_are_counted_over_all() -> None:
    broker, truth = MemoryBroker(), Truth()
    sources = LiveSources(broker, pause=0)
    assert (sources.watchers, sources.rounds, sources.merged) == (0, 0, 0)
    async with (
        asyncio.timeout(PATIENCE),
        sources.watch(truth.state, KEY) as one,
        sources.watch(truth.state, KEY + 1) as other,
    ):
        async with sources.watch(truth.journal, KEY), sources.watch(truth.journal, KEY):
            assert sources.watchers == 4
        await anext(one)
        await anext(other)
        assert (sources.watchers, sources.rounds, sources.merged) == (2, 2, 0)
        truth.items = 1
        broker.publish([Signal("tally", KEY)] * 3)
        await anext(one)
        assert (sources.rounds, sources.merged) == (3, 2)
    assert sources.watchers == 0


@pytest.mark.parametrize("kind", ["state", "journal"])
@virtual
async def test_signals_of_others_cost_nothing(kind: str) -> None:
    broker, truth = MemoryBroker(), Truth()
    sources, declaration = LiveSources(broker), getattr(truth, kind)
    truth.items = 1
    async with sources.watch(declaration, KEY, 0) as reader:
        await anext(reader)
        following = asyncio.ensure_future(reader.until_read())
        await asyncio.sleep(1)
        reads = truth.reads
        broker.publish([Signal(declaration.topic, KEY + 1), Signal("attendance", KEY)])
        await asyncio.sleep(10)
        assert truth.reads == reads > 0
        following.cancel()


@pytest.mark.parametrize("kind", ["state", "journal"])
@virtual
async def test_nothing_is_left_after_the_last_watcher(kind: str) -> None:
    broker, truth = MemoryBroker(), Truth()
    sources, declaration = LiveSources(broker), getattr(truth, kind)
    async with sources.watch(declaration, KEY, 0) as reader:
        truth.items = 1
        broker.publish([Signal(declaration.topic, KEY)])
        await anext(reader)
        async with sources.watch(declaration, KEY, 0):
            pass
        assert [shared.watchers for shared in sources] == [1]
    assert (list(sources), sources.watchers) == ([], 0)
    reads, truth.items = truth.reads, 2
    broker.publish([Signal(declaration.topic, KEY)])
    await asyncio.sleep(10)
    assert truth.reads == reads > 0


@pytest.mark.parametrize("kind", ["state", "journal"])
@pytest.mark.parametrize("after", [0.0, 0.005, 1.0])
@virtual
async def test_a_watcher_who_is_cancelled_leaves_nothing(after: float, kind: str) -> None:
    truth = Truth()
    sources = LiveSources(MemoryBroker())

    async def watch() -> None:
        async with sources.watch(getattr(truth, kind), KEY, 0) as reader:
            async for _ in reader:
                pass

    task = asyncio.create_task(watch())
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(sources) == []


async def test_each_declaration_of_the_house_can_be_watched(house: Any) -> None:
    town = house.town
    keys = {
        TALLY: town.key("Vote", "open"),
        ATTENDANCE: town.key("Event", "picnic"),
        BALANCE: town.key("Community", "spring"),
        BULLETIN: town.key("Community", "spring"),
    }
    async with asyncio.timeout(PATIENCE):
        for declaration, key in keys.items():
            after = 0 if declaration is BULLETIN else None
            async with house.sources.watch(declaration, key, after) as reader:
                assert house.sources.watchers == 1
                assert (await anext(reader)) is not None
            assert house.sources.watchers == 0


class CancelledBelow(Truth):
    """Of which the next read is cancelled, as by a connection that is closed under it."""

    next_is_cancelled = False

    async def read(self, key: int) -> int:
        self._read_below()
        return await super().read(key)

    async def items_after(self, key: int, number: int, most: int) -> Sequence[Row]:
        self._read_below()
        return await super().items_after(key, number, most)

    def _read_below(self) -> None:
        if self.next_is_cancelled:
            self.next_is_cancelled = False
            raise asyncio.CancelledError


@pytest.mark.parametrize("kind", ["state", "journal"])
@virtual
async def test_a_read_under_which_something_was_cancelled_is_tried_again(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also while nobody signals: what it was to read is still to be read."""
    broker, truth = MemoryBroker(), CancelledBelow()
    sources, declaration = LiveSources(broker), getattr(truth, kind)
    truth.items = 1
    async with sources.watch(declaration, KEY, 0) as reader, asyncio.timeout(100):
        await anext(reader)
        truth.items, truth.next_is_cancelled = 2, True
        broker.publish([Signal(declaration.topic, KEY)])
        assert await anext(reader) in (2, Item(Row(2), "behind 2"))
    assert caplog.messages == [f"could not read {declaration.topic}:{KEY}"]
