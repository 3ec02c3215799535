import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community.signals import Signal
from realtime.broker import MemoryBroker
from realtime.pacing import PAUSE
from realtime.sources import RETRY
from realtime.states import StateReader
from tests.realtime.conftest import Source, state_of, virtual

KEY = 7


class Truth:
    """What is read; `reads` counts how often, at what time."""

    def __init__(self, *, failures: int = 0, takes: float = 0.01) -> None:
        self.state, self.failures, self.takes = 0, failures, takes
        self.reads: list[float] = []
        self.source = Source(state_of(self.read))

    async def read(self, key: int) -> int:
        assert key == KEY
        self.reads.append(asyncio.get_running_loop().time())
        state = self.state
        await asyncio.sleep(self.takes)
        if self.failures:
            self.failures -= 1
            raise OSError
        return state

    def change(self) -> None:
        self.state += 1
        self.source.handle(Signal("tally", KEY))


async def quiet() -> None:
    await asyncio.sleep(100 * PAUSE)


async def until(states: StateReader[int], last: int) -> list[int]:
    seen = [await anext(states)]
    while seen[-1] < last:
        seen.append(await anext(states))
    return seen


@virtual
async def test_the_snapshot_comes_first_and_then_each_change() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as states:
        assert await anext(states) == 0
        for expected in (1, 2, 3):
            truth.change()
            assert await anext(states) == expected


@virtual
async def test_many_watchers_cost_one_read_a_round() -> None:
    truth = Truth()
    async with AsyncExitStack() as stack:
        watching = [await stack.enter_async_context(truth.source.watch(KEY)) for _ in range(50)]
        assert (truth.source.watched, truth.source.watchers) == (1, 50)
        assert [await anext(states) for states in watching] == [0] * 50
        truth.change()
        assert [await anext(states) for states in watching] == [1] * 50
    assert len(truth.reads) == 2


@virtual
async def test_who_comes_later_sees_the_newest_state_without_a_read() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as first:
        await anext(first)
        truth.change()
        await anext(first)
        async with truth.source.watch(KEY) as second:
            assert await anext(second) == 1
    assert len(truth.reads) == 2


@virtual
async def test_the_first_change_after_quiet_is_read_at_once() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as states:
        await anext(states)
        await quiet()
        at = asyncio.get_running_loop().time()
        truth.change()
        await anext(states)
    assert truth.reads[-1] == at


@virtual
async def test_a_burst_becomes_one_round_and_its_end_is_shown() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as states:
        await anext(states)
        await quiet()
        following = asyncio.ensure_future(until(states, 100))
        await asyncio.sleep(0)
        for _ in range(100):
            truth.change()
            await asyncio.sleep(PAUSE / 1000)
        seen = await following
    first, second = truth.reads[1:]
    assert second - first >= PAUSE
    assert seen[-1] == 100


@virtual
async def test_reads_are_never_closer_than_the_pause() -> None:
    truth = Truth(takes=0)
    async with truth.source.watch(KEY) as states:
        for _ in range(20):
            await anext(states)
            truth.change()
    gaps = [later - earlier for earlier, later in zip(truth.reads, truth.reads[1:], strict=False)]
    assert min(gaps) >= PAUSE


@virtual
async def test_a_slow_watcher_misses_steps_and_never_the_end() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as slow, truth.source.watch(KEY) as quick:
        assert await anext(slow) == 0
        await anext(quick)
        for expected in range(1, 6):
            truth.change()
            assert await anext(quick) == expected
        assert await anext(slow) == 5


@virtual
async def test_a_change_during_a_read_is_read_again() -> None:
    truth = Truth(takes=5)
    async with truth.source.watch(KEY) as states:
        snapshot = asyncio.ensure_future(anext(states))
        await asyncio.sleep(1)  # it is being read
        truth.change()
        assert await snapshot == 0
        assert await anext(states) == 1


@virtual
async def test_a_read_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    truth = Truth(failures=2)
    async with truth.source.watch(KEY) as states:
        assert await anext(states) == 0
    first, second, third = truth.reads
    assert second - first >= RETRY
    assert third - second >= RETRY
    assert caplog.messages == [f"could not read tally:{KEY}"]  # the outage, not each read


@virtual
async def test_what_did_not_change_is_not_shown_again() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as states:
        await anext(states)
        waiting = asyncio.ensure_future(anext(states))
        truth.source.handle(Signal("tally", KEY))
        await quiet()
        assert len(truth.reads) == 2
        truth.change()
        assert await waiting == 1


@virtual
async def test_nothing_is_read_while_nobody_waits_for_it() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as states:
        await anext(states)
        for _ in range(10):
            truth.change()
            await quiet()
        assert (len(truth.reads), truth.source.live.merged) == (1, 9)
        assert await anext(states) == 10


@virtual
async def test_a_state_is_the_newest_until_a_change_is_heard() -> None:
    truth = Truth(takes=1)
    async with truth.source.watch(KEY) as states, truth.source.watch(KEY) as others:
        assert not states.is_newest(states.number)
        await anext(states)
        assert (states.is_newest(states.number), states.number) == (True, 1)
        truth.change()
        assert not states.is_newest(states.number)
        assert await anext(others) == 0
        assert await anext(others) == 1
        assert not states.is_newest(states.number)  # the newer one is on its way
        await anext(states)
        assert (states.is_newest(states.number), states.number) == (True, 2)


async def read(states: StateReader[int]) -> bool:
    """Waits for a read; whether it found something new."""
    await states.until_read()
    return states.has_next


@virtual
async def test_whoever_waits_for_a_read_knows_where_nothing_changed_after_all() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as states:
        assert await read(states)
        assert await anext(states) == 0
        truth.source.handle(Signal("tally", KEY))
        assert not await read(states)
        assert states.is_newest(states.number)
        truth.change()
        assert await read(states)
        assert await anext(states) == 1
        truth.source.handle(Signal("tally", KEY))
        assert not await read(states)
        assert len(truth.reads) == 4


@virtual
async def test_a_state_is_not_the_newest_while_it_is_read_anew() -> None:
    truth = Truth(takes=5)
    async with truth.source.watch(KEY) as states, truth.source.watch(KEY) as others:
        await anext(states)
        truth.change()
        following = asyncio.ensure_future(until(others, 1))
        await asyncio.sleep(1)
        assert not states.is_newest(states.number)
        await following
        assert (await anext(states), states.is_newest(states.number)) == (1, True)


@virtual
async def test_a_read_is_news_once_to_each_and_also_to_those_who_did_not_wait() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as states, truth.source.watch(KEY) as others:
        await anext(states)
        await anext(others)
        truth.source.handle(Signal("tally", KEY))
        assert not await read(others)
        assert not await read(states)  # though it is over
        following = asyncio.ensure_future(read(states))
        await quiet()
        assert not following.done()
        truth.change()
        assert await following
        truth.change()
        assert await until(others, 2) == [1, 2]
        assert await anext(states) == 2
        following = asyncio.ensure_future(read(states))  # what it took is not news again
        await quiet()
        assert not following.done()
        following.cancel()


@virtual
async def test_the_broker_hears_what_is_watched_before_it_is_read() -> None:
    wanted: list[tuple[str, Signal]] = []

    class Wanting(MemoryBroker):
        def register_interest(self, signal: Signal, /) -> Callable[[], None]:
            wanted.append(("from", signal))
            return lambda: wanted.append(("until", signal))

    async def read(key: int) -> int:
        assert wanted == [("from", Signal("tally", KEY))]
        return key

    source = Source(state_of(read), Wanting())
    async with source.watch(KEY) as states, source.watch(KEY):
        assert await anext(states) == KEY
    assert wanted == [("from", Signal("tally", KEY)), ("until", Signal("tally", KEY))]


@virtual
async def test_who_comes_back_reads_anew() -> None:
    truth = Truth()
    for expected in (0, 1):
        async with truth.source.watch(KEY) as states:
            assert await anext(states) == expected
        truth.change()


@pytest.mark.parametrize("change", [True, False], ids=["changed", "unchanged"])
@pytest.mark.parametrize("after", [0.0, 1.0], ids=["at the signal", "during the read"])
@pytest.mark.parametrize("waits", [True, False], ids=["for a read", "for a value"])
@virtual
async def test_whoever_begins_between_a_change_and_its_read_is_not_shown_what_was_before(
    waits: bool, after: float, change: bool
) -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as first:
        await anext(first)
        truth.takes = 5
        if change:
            truth.change()
        else:
            truth.source.handle(Signal("tally", KEY))
        following = asyncio.ensure_future(first.until_read())
        await asyncio.sleep(after)
        async with truth.source.watch(KEY) as second:
            assert not second.has_next
            if waits:
                assert await read(second)
            assert await anext(second) == change
            assert len(truth.reads) == 2
        await following


steps = st.lists(st.tuples(st.floats(0, 3 * PAUSE), st.booleans()), max_size=20)


@settings(deadline=None)
@given(steps=steps, paces=st.lists(st.floats(0, 1), min_size=1, max_size=4), failures=st.integers(0, 3))
@virtual
async def test_whatever_the_timing_every_watcher_ends_with_the_truth(
    steps: list[tuple[float, bool]], paces: list[float], failures: int
) -> None:
    async def follow(truth: Truth, pace: float, last: Callable[[], Awaitable[int]]) -> None:
        seen = -1
        async with truth.source.watch(KEY) as states:
            async for state in states:
                assert state > seen
                seen = state
                if seen == await last():
                    return
                await asyncio.sleep(pace)

    truth = Truth(failures=failures)
    done = asyncio.Event()

    async def last() -> int:
        return truth.state if done.is_set() else -1

    watchers = [asyncio.create_task(follow(truth, pace, last)) for pace in paces]
    for wait, wanted in steps:
        await asyncio.sleep(wait)
        if wanted:
            truth.change()
    done.set()
    truth.change()
    await asyncio.gather(*watchers)
    assert truth.source.watched == 0


@virtual
async def test_whoever_waits_for_a_read_takes_the_newest() -> None:
    truth = Truth()
    async with truth.source.watch(KEY) as states, truth.source.watch(KEY) as other:
        assert await read(states)
        assert await read(other)  # at once
        assert await anext(states) == await anext(other) == 0
        waiting = asyncio.ensure_future(read(states))
        for _ in range(3):
            truth.change()
            await quiet()
        assert await waiting
        assert await read(other)
        assert await anext(states) == await anext(other) == 1  # nobody waited, so nothing more was read
        assert await read(states)
        assert (await anext(states), await anext(other)) == (3, 3)
