"""One source a declaration in each process, told of everything by the broker."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from community.bulletin.facts import BULLETIN
from community.catalogue import Subject
from community.errors import NotFound
from community.events.facts import ATTENDANCE
from community.ledger.facts import BALANCE
from community.live import State
from community.permissions import Permission, Scope
from community.signals import Signal
from community.votes.facts import TALLY
from realtime.broker import MemoryBroker
from realtime.journals import Item, JournalSource
from realtime.sources import LiveSources
from realtime.states import StateSource
from tests.conftest import PATIENCE
from tests.realtime.conftest import journal_of

DECLARED = [TALLY, ATTENDANCE, BALANCE, BULLETIN]

KEY = 7


class Row(NamedTuple):
    number: int


class Truth:
    """A state and a journal, each declared here; the state's value is how many items there are."""

    def __init__(self) -> None:
        self.items = 0
        self.state = State(topic="tally", permission=Permission.READ_BULLETIN,
                           subject=Subject(kind="Vote", scope_of=self.scope_of), read=self.read)  # fmt: skip
        self.journal = journal_of(self.items_after, self.read_head)

    async def scope_of(self, _: int) -> Scope:
        raise NotFound

    async def read(self, _: int) -> int:
        return self.items

    async def read_head(self) -> int:
        return self.items

    async def items_after(self, _: int, number: int, most: int) -> Sequence[Row]:
        return [Row(each) for each in range(number + 1, self.items + 1)][:most]


@pytest.mark.parametrize("declaration", DECLARED, ids=lambda declaration: declaration.topic)
async def test_there_is_one_source_a_declaration(declaration: Any) -> None:
    sources = LiveSources(MemoryBroker())
    kind = StateSource if isinstance(declaration, State) else JournalSource
    assert isinstance(sources.of(declaration), kind)
    assert sources.of(declaration) is sources.of(declaration)
    assert len({id(sources.of(each)) for each in DECLARED}) == len(DECLARED)


async def test_two_declarations_of_one_topic_have_a_source_each() -> None:
    sources, truth = LiveSources(MemoryBroker()), Truth()
    assert sources.of(truth.state) is not sources.of(TALLY)
    assert LiveSources(MemoryBroker()).of(TALLY) is not sources.of(TALLY)


@pytest.mark.parametrize("declaration", DECLARED, ids=lambda declaration: declaration.topic)
async def test_every_source_hears_its_topic_through_the_broker(
    monkeypatch: pytest.MonkeyPatch, declaration: Any
) -> None:
    broker = MemoryBroker()
    heard: list[Signal] = []
    monkeypatch.setattr(LiveSources(broker).of(declaration), "handle", heard.append)
    broker.publish([Signal(declaration.topic, KEY)])
    assert heard == [Signal(declaration.topic, KEY)]


async def test_what_changes_reaches_whoever_watches_it_and_is_wanted_of_the_broker() -> None:
    class Wanting(MemoryBroker):
        wanted: set[Signal] = set()  # noqa: RUF012

        def register_interest(self, signal: Signal, /) -> Any:
            self.wanted.add(signal)
            return lambda: self.wanted.remove(signal)

    broker, truth = Wanting(), Truth()
    sources = LiveSources(broker, pause=0)
    state, journal = sources.of(truth.state), sources.of(truth.journal)
    async with asyncio.timeout(PATIENCE), state.watch(KEY) as values, journal.watch(KEY) as items:
        assert broker.wanted == {Signal("tally", KEY), Signal("bulletin", KEY)}
        assert await anext(values) == 0
        truth.items = 1
        broker.publish([Signal("tally", KEY), Signal("bulletin", KEY)])
        assert await anext(values) == 1
        assert await anext(items) == Item(Row(1), "behind 1")
    assert broker.wanted == set()


async def test_on_resync_every_source_reads_on() -> None:
    class Gap(MemoryBroker):
        def mend(self) -> None:
            self._resync()

    broker, truth = Gap(), Truth()
    sources = LiveSources(broker, pause=0)
    state, journal = sources.of(truth.state), sources.of(truth.journal)
    async with asyncio.timeout(PATIENCE), state.watch(KEY) as values, journal.watch(KEY) as items:
        assert await anext(values) == 0
        truth.items = 1  # nobody was told
        broker.mend()
        assert await anext(values) == 1
        assert await anext(items) == Item(Row(1), "behind 1")


async def test_watchers_rounds_and_merged_changes_are_counted_over_all() -> None:
    broker, truth = MemoryBroker(), Truth()
    sources = LiveSources(broker, pause=0)
    assert (sources.watchers, sources.rounds, sources.merged) == (0, 0, 0)
    state, journal = sources.of(truth.state), sources.of(truth.journal)
    async with asyncio.timeout(PATIENCE), state.watch(KEY) as one, state.watch(KEY + 1) as other:
        async with journal.watch(KEY), journal.watch(KEY):
            assert sources.watchers == 4
        await anext(one)
        await anext(other)
        assert (sources.watchers, sources.rounds, sources.merged) == (2, 2, 0)
        truth.items = 1
        broker.publish([Signal("tally", KEY)] * 3)
        await anext(one)
        assert (sources.rounds, sources.merged) == (3, 2)
    assert sources.watchers == 0


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
            async with house.sources.of(declaration).watch(key, after) as reader:
                assert house.sources.watchers == 1
                assert (await anext(reader)) is not None
            assert house.sources.watchers == 0
