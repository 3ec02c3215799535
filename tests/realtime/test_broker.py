"""The contract of every broker; another one is another parameter of `ends`.

What one end publishes, the listeners of all ends hear who want it. Tests wait for what must come, and for
a later signal before they say that something did not.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from community.signals import Signal
from realtime.broker import Broker, MemoryBroker
from tests.engines import over_redis

Ends = tuple[Broker, Broker]

FIRST, SECOND, LAST = Signal("tally", 1), Signal("rights", 2**62), Signal("bulletin", 3)
OTHER = Signal("tally", 4)
"""Unlike the first and the last one nobody wants it, unless a test says so."""


@asynccontextmanager
async def _memory(_: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    """Within one process both ends are the same."""
    broker = MemoryBroker()
    yield broker, broker


@asynccontextmanager
async def _redis(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    """As two processes have them."""
    redis = request.getfixturevalue("redis")
    async with over_redis(redis.url) as pair:
        for broker in pair:
            broker.register_interest(FIRST)
            broker.register_interest(LAST)
        await redis.listens_to(2)
        yield pair


@pytest.fixture(params=[_memory, _redis], ids=["memory", "redis"])
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    async with request.param(request) as pair:
        yield pair


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what another process does sets no event of ours
            await asyncio.sleep(0.005)


async def test_every_listener_of_every_end_hears_what_is_published(ends: Ends) -> None:
    near, far = ends
    heard: list[list[Signal]] = [[], [], []]
    for broker, list_ in ((near, heard[0]), (far, heard[1]), (far, heard[2])):
        broker.listen(list_.append)
    near.publish([FIRST, SECOND])
    near.publish([LAST])
    await until(lambda: all(LAST in list_ for list_ in heard))
    assert heard == [[FIRST, SECOND, LAST]] * 3


async def test_a_listener_that_stopped_hears_no_more_and_the_others_do(ends: Ends) -> None:
    near, far = ends
    stopped: list[Signal] = []
    heard: list[Signal] = []
    stop = far.listen(stopped.append)
    far.listen(heard.append)
    near.publish([FIRST])
    await until(lambda: FIRST in stopped)
    stop()
    near.publish([LAST])
    await until(lambda: LAST in heard)
    assert stopped == [FIRST]


async def test_publishing_without_listeners_is_nothing(ends: Ends) -> None:
    near, far = ends
    near.publish([])
    near.publish([FIRST])
    heard: list[Signal] = []
    far.listen(heard.append)
    near.publish([LAST])
    await until(lambda: LAST in heard)


async def test_signals_may_come_from_any_iterable(ends: Ends) -> None:
    near, far = ends
    heard: list[Signal] = []
    far.listen(heard.append)
    near.publish(signal for signal in (FIRST, LAST))
    await until(lambda: LAST in heard)
    assert heard == [FIRST, LAST]


async def test_a_listener_that_fails_stops_neither_the_others_nor_whoever_publishes(ends: Ends) -> None:
    near, far = ends
    heard: list[Signal] = []

    def fail(_: Signal) -> None:
        raise RuntimeError

    far.listen(fail)
    far.listen(heard.append)
    near.publish([FIRST])
    near.publish([LAST])
    await until(lambda: LAST in heard)
    assert heard == [FIRST, LAST]


async def test_what_does_not_resync_keeps_nothing_from_the_others(
    ends: Ends, caplog: pytest.LogCaptureFixture
) -> None:
    resynced = list[str]()

    def fail() -> None:
        raise RuntimeError

    for resync in (fail, lambda: resynced.append("other")):
        ends[0].on_resync(resync)
    ends[0].resync()
    assert resynced == ["other"]
    assert "a listener failed" in caplog.messages


async def test_what_an_end_learned_by_itself_it_tells_only_its_own_listeners(ends: Ends) -> None:
    near, far = ends
    own: list[Signal] = []
    others: list[Signal] = []
    near.listen(own.append)
    far.listen(others.append)
    near.dispatch([FIRST])
    assert own == [FIRST]  # at once
    near.publish([LAST])
    await until(lambda: LAST in others)
    assert others == ([FIRST, LAST] if near is far else [LAST])


async def test_what_an_end_publishes_its_own_listeners_hear_at_once_and_once(ends: Ends) -> None:
    near, far = ends
    own: list[Signal] = []
    others: list[Signal] = []
    near.listen(own.append)
    far.listen(others.append)
    near.publish([FIRST])
    assert own == [FIRST]
    await until(lambda: FIRST in others)
    far.publish([LAST])
    await until(lambda: LAST in own)
    assert own == [FIRST, LAST]


async def test_a_connection_that_holds_has_no_gap(ends: Ends) -> None:
    near, far = ends
    mended: list[str] = []
    stop = far.on_resync(lambda: mended.append("far"))
    heard: list[Signal] = []
    far.listen(heard.append)
    near.publish([LAST])
    await until(lambda: LAST in heard)
    assert mended == []
    stop()


async def test_a_listener_may_stop_itself_while_it_hears(ends: Ends) -> None:
    near, far = ends
    once: list[Signal] = []
    heard: list[Signal] = []

    def hear_once(signal: Signal) -> None:
        once.append(signal)
        stop()

    stop = far.listen(hear_once)
    far.listen(heard.append)
    near.publish([FIRST, LAST])
    await until(lambda: LAST in heard)
    assert once == [FIRST]
    assert heard == [FIRST, LAST]


async def test_rights_are_heard_by_all_though_nobody_wants_them(ends: Ends) -> None:
    near, far = ends
    heard: list[Signal] = []
    far.listen(heard.append)
    near.publish([SECOND, LAST])
    await until(lambda: LAST in heard)
    assert heard == [SECOND, LAST]


async def test_what_an_end_does_not_want_it_is_not_sent(ends: Ends) -> None:
    near, far = ends
    own: list[Signal] = []
    others: list[Signal] = []
    near.listen(own.append)
    far.listen(others.append)
    near.publish([OTHER, LAST])
    await until(lambda: LAST in others)
    assert own[:2] == [OTHER, LAST]
    assert others == ([OTHER, LAST] if near is far else [LAST])


async def test_what_changes_from_the_time_it_is_wanted_is_heard(ends: Ends) -> None:
    near, far = ends
    heard: list[Signal] = []
    far.listen(heard.append)
    stop = far.register_interest(OTHER)
    near.publish([OTHER])
    await until(lambda: OTHER in heard)
    heard.clear()
    near.publish([OTHER])
    await until(lambda: OTHER in heard)
    stop()


async def test_it_is_heard_as_long_as_anybody_wants_it(ends: Ends) -> None:
    near, far = ends
    heard: list[Signal] = []
    far.listen(heard.append)
    first, second = far.register_interest(OTHER), far.register_interest(OTHER)
    first()
    near.publish([OTHER])
    await until(lambda: OTHER in heard)
    second()
    third = far.register_interest(OTHER)
    heard.clear()
    near.publish([OTHER])
    await until(lambda: OTHER in heard)
    third()


async def test_what_concerns_everybody_is_heard_by_those_who_want_nothing(ends: Ends) -> None:
    near, far = ends
    heard: list[Signal] = []
    far.listen(heard.append)
    everybody = [Signal("rights", 5), Signal("reading", 6)]
    near.publish(everybody)
    await until(lambda: set(everybody) <= set(heard))
