"""Time that does not pass: a loop whose sleeps take no time and whose dead ends are errors. A real Redis."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import wraps
from types import SimpleNamespace
from typing import Any, NamedTuple, ParamSpec

import pytest
from redis.asyncio import Redis as Client

from community.catalogue import Subject
from community.errors import NotFound
from community.live import Cursors, Declaration, Journal, N, State, T
from community.permissions import Permission, Scope
from realtime import pacing
from realtime.broker import Broker, MemoryBroker
from realtime.pacing import PAUSE
from realtime.redis_broker import EVERYWHERE
from realtime.sources import LiveSources
from tests.services import Redis

P = ParamSpec("P")


def now() -> float:
    return asyncio.get_running_loop().time()


CLOCK = SimpleNamespace(perf_counter=now, thread_time=now)
"""In place of `time`: whatever the pacer measures is the loop's time."""


@pytest.fixture(scope="module")
def one_clock() -> Iterator[None]:
    """The pacer's clock is the loop's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pacing, "time", CLOCK)
        yield


class Row(NamedTuple):
    number: int


class _NumberedCursors:
    """Cursors that say their number."""

    def cursor(self, number: int, /) -> str:
        return f"behind {number}"

    def number_of(self, text: str, /) -> int:
        return int(text.removeprefix("behind "))


async def numbered_cursors(_: int) -> Cursors:
    return _NumberedCursors()


async def _nowhere(_: int) -> Scope:
    raise NotFound


async def _all(_: int) -> int:
    return 0


def journal_of(
    items_after: Callable[[int, int, int], Awaitable[Sequence[N]]],
    head: Callable[[], Awaitable[int]],
    cursors: Callable[[int], Awaitable[Cursors]] = numbered_cursors,
) -> Journal[N]:
    """The declaration of a bulletin that is read so; nobody asks who may."""

    async def head_of(_: int) -> int:
        return await head()

    return Journal(
        topic="bulletin",
        permission=Permission.READ_BULLETIN,
        subject=Subject(kind="Community", scope_of=_nowhere),
        items_after=items_after,
        head=head_of,
        recent=_all,
        cursors=cursors,
    )


def state_of(read: Callable[[int], Awaitable[T]]) -> State[T]:
    """The declaration of a tally that is read so; nobody asks who may."""
    subject = Subject(kind="Vote", scope_of=_nowhere)
    return State(topic="tally", permission=Permission.READ_BULLETIN, subject=subject, read=read)


class Source:
    """One declaration, and who watches its keys in a process."""

    def __init__(
        self, declaration: Declaration[Any, Any], broker: Broker | None = None, pause: float = PAUSE
    ) -> None:
        self.declaration, self.live = declaration, LiveSources(broker or MemoryBroker(), pause)
        self.handle, self.resync = self.live.handle, self.live.resync

    def watch(self, key: int, after: int | str | None = None) -> AbstractAsyncContextManager[Any]:
        return self.live.watch(self.declaration, key, after)

    @property
    def watched(self) -> int:
        """How many keys are watched now."""
        return len(list(self.live))

    @property
    def watchers(self) -> int:
        return self.live.watchers


class Stuck(AssertionError):
    """Everybody waits for somebody else, for ever."""


class _NoWaiting(selectors.DefaultSelector):
    now = 1_000.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Stuck
            self.now += timeout
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _NoWaiting()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def in_virtual_time(scenario: Coroutine[Any, Any, T]) -> T:
    """Runs a scenario to its end; a hang or a task left over is a failure."""

    async def alone() -> T:
        result = await scenario
        for _ in range(3):  # what was cancelled ends in its own turn
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "tasks are left"
        return result

    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(alone())


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Makes a test of a scenario in virtual time."""

    @wraps(test)
    def run(*args: P.args, **given: P.kwargs) -> None:
        in_virtual_time(test(*args, **given))

    return run


class Listened(Redis):
    async def listens_to(self, ends: int) -> None:
        """Waits until so many ends are subscribed, and none of an earlier test."""
        async with asyncio.timeout(30), Client.from_url(self.url) as client:
            while (await client.pubsub_numsub(EVERYWHERE))[0][1] != ends:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.005)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listened]:
    """A server of its own, which can be killed; whoever connects tries until it listens."""
    server = Listened(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.end()
