import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from community.errors import NotFound
from community.permissions import NOBODY, Viewer
from community.signals import Signal, Topic
from realtime.authorization import AuthorizationRegistry, Standing

Run = Callable[[Coroutine[Any, Any, Any]], Any]

START = datetime(2026, 5, 20, tzinfo=UTC)


class Gate:
    """A right that may be taken away, a session that may end, and the states behind them."""

    def __init__(self, lifetime: timedelta | None = None) -> None:
        self.allowed = True
        self.checks = 0
        self.viewer = Viewer(7, expires_at=lifetime and START + lifetime)
        self.states: asyncio.Queue[int] = asyncio.Queue()
        self.standing = Standing(self.renew, self.clock)
        self._start = asyncio.get_running_loop().time()

    def clock(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time() - self._start)

    async def renew(self) -> Viewer:
        over = self.viewer.expires_at is not None and self.viewer.expires_at <= self.clock()
        return NOBODY if over else self.viewer

    async def check(self) -> None:
        self.checks += 1
        await asyncio.sleep(0.01)
        if not self.allowed:
            raise NotFound

    async def source(self) -> AsyncIterator[int]:
        while True:
            yield await self.states.get()

    def watch(self) -> Any:
        return aclosing(self.standing.while_allowed(self.check, self.source(), self.viewer))


def test_states_pass_as_long_as_nothing_changes(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with gate.watch() as states:
            for state in range(5):
                gate.states.put_nowait(state)
                assert await anext(states) == state
        assert gate.checks == 0

    run(scenario())


def test_who_loses_the_right_is_told_and_ended(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with gate.watch() as states:
            gate.states.put_nowait(1)
            assert await anext(states) == 1
            waiting = asyncio.ensure_future(anext(states))
            await asyncio.sleep(1)
            gate.allowed = False
            gate.standing.changed()
            with pytest.raises(NotFound):
                await waiting
            with pytest.raises(StopAsyncIteration):
                await anext(states)

    run(scenario())


def test_a_state_that_comes_with_the_loss_of_the_right_is_not_shown(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with gate.watch() as states:
            waiting = asyncio.ensure_future(anext(states))
            await asyncio.sleep(1)
            gate.allowed = False
            gate.states.put_nowait(1)
            gate.standing.changed()
            with pytest.raises(NotFound):
                await waiting

    run(scenario())


def test_who_is_still_allowed_goes_on_and_misses_nothing(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with gate.watch() as states:
            waiting = asyncio.ensure_future(anext(states))
            for state in range(3):
                await asyncio.sleep(1)
                gate.standing.changed()
                gate.states.put_nowait(state)
                assert await waiting == state
                waiting = asyncio.ensure_future(anext(states))
            gate.states.put_nowait(3)
            assert await waiting == 3
        assert gate.checks == 3

    run(scenario())


def test_changes_that_come_together_are_asked_about_once(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with gate.watch() as states:
            waiting = asyncio.ensure_future(anext(states))
            await asyncio.sleep(1)
            for _ in range(10):
                gate.standing.changed()
            await asyncio.sleep(1)
            gate.states.put_nowait(1)
            assert await waiting == 1
        assert gate.checks == 1

    run(scenario())


def test_a_session_that_expires_is_asked_about_at_that_moment(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate(lifetime=timedelta(minutes=5))
        async with gate.watch() as states:
            waiting = asyncio.ensure_future(anext(states))
            await asyncio.sleep(299)
            assert gate.checks == 0
            gate.allowed = False  # only the session allowed it
            with pytest.raises(NotFound):
                await waiting
            assert gate.clock() - START < timedelta(minutes=5, seconds=1)

    run(scenario())


def test_who_may_watch_without_a_session_goes_on_when_it_expires(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate(lifetime=timedelta(minutes=5))
        async with gate.watch() as states:
            waiting = asyncio.ensure_future(anext(states))
            await asyncio.sleep(3600)
            assert gate.checks == 1
            gate.states.put_nowait(1)
            assert await waiting == 1

    run(scenario())


def test_a_source_that_fails_is_passed_on(run: Run) -> None:
    async def fail() -> AsyncIterator[int]:
        raise OSError
        yield 1

    async def scenario() -> None:
        gate = Gate()
        with pytest.raises(OSError):  # noqa: PT011 - the very one of the source
            async for _ in gate.standing.while_allowed(gate.check, fail(), gate.viewer):
                pass

    run(scenario())


def test_a_watcher_who_is_cancelled_leaves_nothing(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate()

        async def watch() -> None:
            async with gate.watch() as states:
                await anext(states)

        task = asyncio.create_task(watch())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(scenario())


def test_a_signal_wakes_every_socket_of_its_account_and_no_other(run: Run) -> None:
    async def scenario() -> None:
        standings = AuthorizationRegistry()
        own, also_own, other = Gate(), Gate(), Gate()
        for gate, account in ((own, 7), (also_own, 7), (other, 8)):
            standings.keep(account, gate.standing)
        async with own.watch() as a, also_own.watch() as b, other.watch() as c:
            waiting = [asyncio.ensure_future(anext(states)) for states in (a, b, c)]
            await asyncio.sleep(1)
            standings.handle(Signal(Topic.RIGHTS, 7))
            standings.handle(Signal(Topic.TALLY, 8))
            await asyncio.sleep(1)
            assert [gate.checks for gate in (own, also_own, other)] == [1, 1, 0]
            standings.forget(7, own.standing)
            assert (standings.of(7), standings.of(8), standings.changes) == (1, 1, 1)
            standings.handle(Signal(Topic.RIGHTS, 7))
            await asyncio.sleep(1)
            assert [gate.checks for gate in (own, also_own, other)] == [1, 2, 0]
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    run(scenario())


def test_who_was_never_kept_is_forgotten_as_calmly(run: Run) -> None:
    async def scenario() -> None:
        standings, gate = AuthorizationRegistry(), Gate()
        standings.forget(7, gate.standing)
        standings.handle(Signal(Topic.RIGHTS, 7))
        assert standings.of(7) == 0

    run(scenario())
