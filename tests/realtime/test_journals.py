import asyncio
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community.live import Cursors
from community.signals import Signal
from realtime import journals
from realtime.journals import BATCH, KEPT, Item
from realtime.sources import RETRY
from tests.realtime.conftest import Row, Source, journal_of, numbered_cursors, virtual

HERE, ELSEWHERE = 7, 8


class Changes:
    """Numbered changes; those of HERE are items. Reads see what was there when they began."""

    def __init__(self, *, takes: float | None = 0.01, failures: int = 0, without_cursors: int = 0) -> None:
        self.takes, self.failures, self.without_cursors = takes, failures, without_cursors
        self.pace = cycle([0.01])
        self.numbers: list[int] = []
        self.newest = 0
        self.reads = 0
        self.source = Source(journal_of(self.items_after, self.head, self.cursors))

    async def cursors(self, community: int) -> Cursors:
        assert community == HERE
        if self.without_cursors:
            self.without_cursors -= 1
            raise OSError
        return await numbered_cursors(community)

    async def head(self) -> int:
        newest = self.newest
        await self._take_time()
        return newest

    async def items_after(self, community: int, number: int, most: int) -> Sequence[Row]:
        assert community == HERE
        self.reads += 1
        items = [Row(found) for found in self.numbers if found > number][:most]
        await self._take_time()
        return items

    async def _take_time(self) -> None:
        await asyncio.sleep(next(self.pace) if self.takes is None else self.takes)
        if self.failures:
            self.failures -= 1
            raise OSError

    def write(self, items: int = 1, *, others: int = 0, heard: bool = True) -> None:
        self.newest += others
        for _ in range(items):
            self.newest += 1
            self.numbers.append(self.newest)
        if heard:
            self.source.handle(Signal("bulletin", HERE))


async def take(items: Any, count: int) -> list[int]:
    taken: list[Item] = [await anext(items) for _ in range(count)]
    assert [cursor for _, cursor in taken] == [f"behind {row.number}" for row, _ in taken]
    return [row.number for row, _ in taken]


@virtual
async def test_every_item_behind_the_cursor_and_then_the_new_ones() -> None:
    changes = Changes()
    changes.write(5)
    async with changes.source.watch(HERE, 2) as items:
        assert await take(items, 3) == [3, 4, 5]
        changes.write(2, others=3)
        assert await take(items, 2) == [9, 10]


@virtual
async def test_without_a_cursor_only_what_comes() -> None:
    changes = Changes()
    changes.write(5)
    async with changes.source.watch(HERE, None) as items:
        changes.write()
        assert await take(items, 1) == [6]


@virtual
async def test_what_was_written_while_the_watch_began_is_not_lost() -> None:
    changes = Changes(takes=5)

    async def later() -> None:
        await asyncio.sleep(1)  # the head is being read
        changes.write(heard=False)

    async with asyncio.TaskGroup() as group:
        group.create_task(later())
        async with changes.source.watch(HERE, 0) as items:
            assert await take(items, 1) == [1]


@virtual
async def test_many_watchers_cost_one_read_a_change() -> None:
    changes = Changes()
    async with changes.source.watch(HERE, 0) as first:
        changes.write()
        await take(first, 1)
        before = changes.reads

        async def follow() -> list[int]:
            async with changes.source.watch(HERE, 0) as items:
                return await take(items, 2)

        tasks = [asyncio.create_task(follow()) for _ in range(50)]
        await asyncio.sleep(1)
        assert (changes.source.watched, changes.source.watchers) == (1, 51)
        changes.write()
        assert await asyncio.gather(*tasks) == [[1, 2]] * 50
        await asyncio.sleep(1)
        assert changes.reads - before == 2  # the new item, and that there is no further one


@virtual
async def test_who_fell_behind_what_is_kept_goes_on_without_a_gap() -> None:
    changes = Changes()
    many = 3 * KEPT + BATCH // 2
    async with changes.source.watch(HERE, 0) as slow, changes.source.watch(HERE, 0) as quick:
        changes.write()
        assert await take(slow, 1) == [1]
        for _ in range(many):
            changes.write(others=1)
        assert len(await take(quick, many + 1)) == many + 1
        assert await take(slow, many) == changes.numbers[1:]


@virtual
async def test_a_cursor_far_behind_is_read_from_the_journal() -> None:
    changes = Changes()
    changes.write(2 * KEPT)
    async with changes.source.watch(HERE, 0) as items:
        assert await take(items, 2 * KEPT) == changes.numbers


@virtual
async def test_an_empty_look_into_the_journal_skips_nothing_that_comes_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The watcher's read finds nothing, and before it hears so, more passes than is kept."""
    monkeypatch.setattr(journals, "KEPT", 2)
    changes = Changes(takes=0)
    changes.write(items=0, others=5)
    async with changes.source.watch(HERE, None) as quick, changes.source.watch(HERE, 0) as slow:
        await asyncio.sleep(1)
        changes.takes = 5
        first = asyncio.ensure_future(anext(slow))
        await asyncio.sleep(1)
        changes.takes = 0
        changes.write(6)
        assert await take(quick, 6) == changes.numbers
        assert [(await first).row.number, *await take(slow, 5)] == changes.numbers


@virtual
async def test_a_lost_signal_is_made_good_by_the_next_one_or_by_a_new_look() -> None:
    changes = Changes()
    async with changes.source.watch(HERE, 0) as items:
        changes.write()
        assert await take(items, 1) == [1]
        changes.write(heard=False)
        changes.write()
        assert await take(items, 2) == [2, 3]
        changes.write(heard=False)
        changes.source.resync()
        assert await take(items, 1) == [4]


@virtual
async def test_a_read_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    changes = Changes(failures=2)  # the head, twice
    changes.write()
    async with changes.source.watch(HERE, None) as items:
        changes.failures = 1  # the items
        changes.write()
        assert await take(items, 1) == [2]
    assert caplog.messages == [f"could not read bulletin:{HERE}"] * 2  # each outage once


@virtual
async def test_an_outage_while_it_opens_is_logged_once_and_readers_go_on_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    changes = Changes(failures=20)
    changes.write(2)

    async def read() -> list[int]:
        async with changes.source.watch(HERE, 0) as items:
            return await take(items, 3)

    readers = [asyncio.create_task(read()) for _ in range(3)]
    await asyncio.sleep(19 * RETRY)
    assert (changes.failures, changes.source.watchers) == (1, 3)
    changes.write()
    assert await asyncio.gather(*readers) == [[1, 2, 3]] * 3
    assert caplog.messages == [f"could not read bulletin:{HERE}"]


@virtual
async def test_cursors_that_cannot_be_read_are_read_again_before_anybody_is_let_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    changes = Changes(without_cursors=2)
    changes.write()
    async with changes.source.watch(HERE, 0) as items:
        assert items._shared.cursors.cursor(7) == "behind 7"
        assert await take(items, 1) == [1]
    assert len(caplog.records) == 1


@virtual
async def test_whoever_comes_now_begins_behind_the_last_item_that_was_read() -> None:
    changes = Changes()
    changes.write(2, others=3)
    async with changes.source.watch(HERE, 0) as items:
        assert (await items.number_after(None), items.number) == (5, 0)
        await take(items, 1)
        assert (await items.number_after(None), items.number) == (5, 4)
        changes.write()
        await take(items, 2)
        assert (await items.number_after(None), items.number) == (6, 6)


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journals, "KEPT", 2)
        patch.setattr(journals, "BATCH", 3)
        yield


waits = st.sampled_from([0.0, 0.0, 0.01, 0.05, 1.0])
arrivals = st.lists(st.tuples(waits, st.integers(0, 7), st.integers(0, 3), st.booleans()), max_size=12)
watchers = st.lists(
    st.tuples(waits, st.integers(0, 40), st.lists(waits, min_size=1, max_size=4)), min_size=1, max_size=4
)


@settings(deadline=None, max_examples=200)
@given(
    arrivals=arrivals,
    watchers=watchers,
    takes=st.lists(waits, min_size=1, max_size=6),
    failures=st.integers(0, 1),
)
@virtual
async def test_whatever_the_timing_each_item_comes_once_and_in_order(
    small: None, arrivals: list[Any], watchers: list[Any], takes: list[float], failures: int
) -> None:
    """Random arrivals, some without a signal; watchers join at any cursor and at any pace."""
    changes = Changes(takes=None, failures=failures)
    changes.pace = cycle(takes)
    over = asyncio.Event()

    async def follow(starts: float, cursor: int, paces: list[float]) -> None:
        await asyncio.sleep(starts)
        cursor = min(cursor, changes.newest)
        seen: list[int] = []
        async with changes.source.watch(HERE, cursor) as items:
            async for item in items:
                seen.append(item.row.number)
                if over.is_set() and item.row.number == changes.numbers[-1]:
                    break
                await asyncio.sleep(paces[len(seen) % len(paces)])
        assert seen == [number for number in changes.numbers if number > cursor]

    tasks = [asyncio.create_task(follow(*watcher)) for watcher in watchers]
    for wait, items, others, heard in arrivals:
        await asyncio.sleep(wait)
        changes.write(items, others=others, heard=heard)
    await asyncio.sleep(2)
    over.set()
    changes.write()
    await asyncio.gather(*tasks)
    assert changes.source.watched == 0


@virtual
async def test_whoever_waits_for_a_read_goes_on_with_an_item_and_takes_each() -> None:
    changes, at = Changes(), asyncio.get_running_loop().time
    changes.write(2)
    async with changes.source.watch(HERE, 0) as items, changes.source.watch(HERE, None) as later:
        await items.until_read()  # it is behind
        assert (items.has_next, await take(items, 1)) == (True, [1])
        before = at()
        await items.until_read()  # one is at hand
        assert (at(), items.has_next, await take(items, 1)) == (before, True, [2])
        waiting = [asyncio.ensure_future(each.until_read()) for each in (items, items, later)]
        await asyncio.sleep(1)
        assert not any(each.done() for each in waiting)
        changes.write(0, others=1)  # of something else
        await asyncio.sleep(1)
        assert not any(each.done() for each in waiting)
        assert not items.has_next
        changes.write(2)
        await asyncio.gather(*waiting)
        assert items.has_next
        assert await take(items, 2) == await take(later, 2) == [4, 5]
