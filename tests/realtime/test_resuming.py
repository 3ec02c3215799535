"""Every journal that is declared, over a database in which things happen: cut anywhere and resumed by the
cursor of the item seen last, it shows each item once and in order.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from community.bulletin.actions import publish_notice
from community.bulletin.facts import NOTICE_PUBLISHED
from community.bulletin.rules import NoticeKind
from community.catalogue import catalogue
from community.database import journal as facts
from community.database.journal import News
from community.database.models import JournalRow
from community.errors import CursorInvalid
from community.events.actions import sign_up
from community.ledger.actions import NewEntry, record_entries, record_entry, reverse_entry
from community.ledger.models import Entry
from community.ledger.rules import Category, Direction
from community.live import Journal
from community.permissions import SYSTEM
from community.places.actions import enter_buildings, set_public_reading
from community.votes.actions import cast_ballot
from community.votes.casting import Answered
from realtime import journals

JOURNALS = {name: topic for name, topic in catalogue().topics.items() if isinstance(topic, Journal)}


async def in_journal(community: int, *left_out: str, only: set[str] | None = None) -> list[int]:
    rows = await JournalRow.filter(community_id=community).order_by("number").values_list("number", "fact")
    return [number for number, fact in rows if fact not in left_out and (only is None or fact in only)]


async def on_bulletin(community: int) -> list[int]:
    items = {
        *("NOTICE_PUBLISHED", "EVENT_PUBLISHED", "LEDGER_PUBLISHED"),
        *("VOTE_ANNOUNCED", "VOTE_OPENED", "VOTE_CLOSED"),
    }
    return await in_journal(community, only=items)


async def on_board(community: int) -> list[int]:
    return await in_journal(community, "REGISTER_CHANGED")


async def in_book(community: int) -> list[int]:
    numbers = await Entry.filter(community_id=community).order_by("number").values_list("number", flat=True)
    return [int(number) for number in numbers]  # type: ignore[call-overload]


THERE = {"bulletin": on_bulletin, "board": on_board, "entries": in_book}
"""What each journal holds in all, read without it."""


def test_each_journal_is_asked_for_here() -> None:
    assert THERE.keys() == JOURNALS.keys()


class Life:
    """What happens in spring, and beside it in quiet, in an order of chance."""

    def __init__(self, house: Any, chance: random.Random) -> None:
        self.house, self.town, self._chance = house, house.town, chance
        self._standing: list[int] = []
        self._voters = iter((1, 2, 3))  # who are asked one question only
        self._guests = iter(range(1, 7))

    async def step(self) -> None:
        acts: list[Callable[[], Awaitable[object]]]
        acts = [self._notice, self._entry, self._entry, self._reversal, self._ballot, self._guest]
        acts += [self._elsewhere, self._register, self._setting]
        await self._chance.choice(acts)()

    async def _notice(self, slug: str = "spring") -> None:
        await publish_notice(
            SYSTEM, self.house.now, self.town.key("Community", slug), kind=NoticeKind.NOTICE, title="停水",
            body="。", organization=self.town.key("Organization", f"{slug}/committee"),
        )  # fmt: skip

    async def _entry(self, slug: str = "spring") -> None:
        made = await record_entry(
            SYSTEM, self.house.now, self.town.key("Community", slug), date=self.house.now.date(), item="利息",
            amount=1, direction=Direction.INCOME, category=Category.INTEREST,
        )  # fmt: skip
        if slug == "spring":
            self._standing.append(made)

    async def _reversal(self) -> None:
        if self._standing:
            await reverse_entry(SYSTEM, self.house.now, self._standing.pop(), reason="记错了")

    async def _ballot(self) -> None:
        if number := next(self._voters, None):
            answers = [Answered(self.town.key("Question", "open/0"), ("FOR",))]
            voter = await self.house.viewer(f"spring/resident-{number}")
            await cast_ballot(voter, self.house.now, self.town.key("Vote", "open"), answers=answers)

    async def _guest(self) -> None:
        if number := next(self._guests, None):
            guest = await self.house.viewer(f"spring/resident-{number}")
            await sign_up(guest, self.house.now, self.town.key("Event", "picnic"), party_size=1)

    async def _elsewhere(self) -> None:
        await self._notice("quiet")
        await self._entry("quiet")

    async def _register(self) -> None:
        """What stands on no board."""
        name = f"{self._chance.getrandbits(60)}幢"
        await enter_buildings(SYSTEM, self.house.now, self.town.key("Community", "spring"), [name])

    async def _setting(self) -> None:
        community = self.town.key("Community", "spring")
        await set_public_reading(SYSTEM, self.house.now, community, public=bool(self._chance.randrange(2)))


async def follow(house: Any, name: str, start: str, chance: random.Random, over: asyncio.Event) -> list[int]:
    """The numbers that a reader sees which is cut at any time, and goes on behind its cursor."""
    community, seen, cursor = house.town.key("Community", "spring"), list[int](), start
    while True:
        async with house.sources.watch(JOURNALS[name], community, cursor) as items:
            for _ in range(chance.randrange(1, 9)):
                try:
                    async with asyncio.timeout(chance.choice([0.0, 0.002, 0.05])):
                        await items.until_read()
                except TimeoutError:
                    if over.is_set() and len(seen) >= len(await THERE[name](community)):
                        return seen
                    break
                item = items.take()
                seen.append(item.row.number)
                cursor = item.cursor
        await asyncio.sleep(chance.choice([0.0, 0.001, 0.02]))


@pytest.mark.parametrize("seed", range(2))
async def test_wherever_it_is_cut_nothing_is_skipped_and_nothing_comes_twice(
    house: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "KEPT", 4)
    monkeypatch.setattr(journals, "BATCH", 3)
    chance, over = random.Random(seed), asyncio.Event()  # noqa: S311 - only the order of things
    community = house.town.key("Community", "spring")
    life = Life(house, chance)

    async def live() -> None:
        for _ in range(30):
            await life.step()
        over.set()

    async with asyncio.TaskGroup() as group, asyncio.timeout(30):
        readers = {}
        for name, journal in JOURNALS.items():
            start = (await journal.cursors(community)).cursor(0)
            reader = follow(house, name, start, random.Random(seed), over)  # noqa: S311 - likewise
            readers[name] = group.create_task(reader)
        group.create_task(live())
    seen = {name: reader.result() for name, reader in readers.items()}
    assert seen == {name: await there(community) for name, there in THERE.items()}
    assert all(seen.values())


@pytest.mark.parametrize("name", JOURNALS)
async def test_a_cursor_of_elsewhere_or_ahead_is_refused(house: Any, name: str) -> None:
    journal, here = JOURNALS[name], house.town.key("Community", "spring")
    theirs = await journal.cursors(house.town.key("Community", "quiet"))
    ahead = (await journal.cursors(here)).cursor(await journal.head(here) + 1)
    for wrong in (theirs.cursor(1), ahead, "", "x"):
        with pytest.raises(CursorInvalid):
            async with house.sources.watch(journal, here, wrong):
                pass


async def test_the_newest_fifty_items_are_those_behind_the_recent_number(house: Any) -> None:
    here, now = house.town.key("Community", "spring"), house.now
    entry = NewEntry(now.date(), Direction.INCOME, Category.INTEREST, "利息", 1)
    await record_entries(SYSTEM, now, here, [entry] * 60)
    await facts.write([News(NOTICE_PUBLISHED, house.town.key("Notice", "water"), here)] * 60, now)
    for name, journal in JOURNALS.items():
        after = [row.number for row in await journal.items_after(here, await journal.recent(here), 100)]
        assert after == (await THERE[name](here))[-50:], name
