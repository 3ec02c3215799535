"""One round of delivery, step by step, without any server: told, executed and encoded, made into frames."""

import asyncio
import statistics
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

from api.clock import utc_now
from api.protocol import prefix
from bench import operations
from community.permissions import NOBODY
from community.signals import Signal
from community.votes.facts import TALLY
from community.votes.progress import Progress, progress_of
from realtime.broker import MemoryBroker
from realtime.fields import SubscribeRequest
from realtime.groups import Groups, Member
from realtime.pacing import Turn, WritePacer
from realtime.registry import SubscriptionRegistry
from realtime.sources import LiveSources
from realtime.subscriptions import BoundDocument, SharedSubscription, Step
from realtime.writer import text_frame
from schema.executable import ExecutableSchema
from schema.nodes import to_id

TIMES = 200
SOCKETS = 10_000


class _Nowhere:
    """A writer whose transport is a list."""

    busy = False
    drained: Callable[[], None] | None = None

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def write(self, text: bytes) -> None:
        self.frames.append(text_frame(text))

    async def drain(self) -> None:
        pass

    def close(self, code: int, reason: str) -> None:
        pass


async def round_of(vote: int) -> list[tuple[str, str]]:
    step, executed = await _executed(vote, await progress_of(vote))
    return [
        ("a change, told to a process", f"{await _published(vote):.1f} µs"),
        (f"a round of {len(step.text)} bytes, executed and encoded", f"{executed:.0f} µs"),
        ("a frame made for one socket", f"{await _written(step):.2f} µs"),
    ]


async def _published(vote: int) -> float:
    """Microseconds until the source of a vote that is watched knows."""
    broker = MemoryBroker()
    async with LiveSources(broker).watch(TALLY, vote):
        start = time.perf_counter()
        for _ in range(TIMES):
            broker.publish([Signal(TALLY.topic, vote)])
        return (time.perf_counter() - start) / TIMES * 1e6


async def _executed(vote: int, truth: Progress) -> tuple[Step, float]:
    """The median in microseconds, with a state that costs nothing to read but is always new."""
    versions = iter(range(TIMES + 2))

    async def read(key: int) -> Progress:
        return replace(truth, version=next(versions))

    broker = MemoryBroker()
    sources = LiveSources(broker, pause=0)
    executable = ExecutableSchema(utc_now, sources)
    request = SubscribeRequest(operations.TALLY, {"id": to_id("Vote", vote)}, None)
    registry = SubscriptionRegistry(executable, sources, Groups(WritePacer()))
    document = registry.documents.read(request, NOBODY)
    document = replace(document, live=replace(document.live, declaration=replace(TALLY, read=read)))
    variables = document.renamed(request.given)
    bound = BoundDocument(document, variables, vote, NOBODY)
    shared = SharedSubscription(executable, sources, lambda _: None, bound)
    steps = shared.steps(WritePacer(1).turn())
    step = await anext(steps)
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        broker.publish([Signal(TALLY.topic, vote)])
        step = await anext(steps)
        taken.append(time.perf_counter() - start)
    await steps.aclose()
    return step, statistics.median(taken) * 1e6


async def _written(step: Step) -> float:
    """Microseconds of our own for each of many members; what the system takes to send comes on top."""
    seconds: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    groups = Groups(WritePacer(1), lambda members, took: seconds.set_result(took))
    group = groups.enter("all", lambda: _Once(step))
    for number in range(SOCKETS):
        group.join(Member(_Nowhere(), prefix(f"watcher-{number:06}"), 0))
    took = await seconds
    groups.release(group)
    return took / SOCKETS * 1e6


class _Once(SharedSubscription):
    """Has one step."""

    def __init__(self, step: Step) -> None:
        self.kept, self.alone, self.opened, self._step = 1, False, asyncio.Event(), step

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        yield self._step
        await asyncio.Event().wait()

    def is_newest(self, number: int) -> bool:
        return False
