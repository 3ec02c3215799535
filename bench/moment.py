"""The way of one change, step by step, without any server: executed, encoded, written to each socket."""

import asyncio
import statistics
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from api.clock import utc_now
from bench import operations
from community.permissions import NOBODY, Viewer
from community.signals import Signal, Topic
from community.votes.progress import Progress, progress_of
from realtime.broker import MemoryBroker
from realtime.groups import Groups, Member, Step
from realtime.live import Live
from realtime.standing import Standing
from realtime.tempo import Tempo, Turn
from realtime.writer import text_frame
from schema.context import Context
from schema.documents import read as read_document
from schema.nodes import to_id
from schema.shared import Shared
from schema.watching import Watching

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


async def way_of_a_change(vote: int) -> list[tuple[str, str]]:
    truth = await progress_of(vote)
    step, executed = await _executed(vote, truth)
    return [
        ("a change, told to a process", f"{_told(vote):.1f} µs"),
        (f"a moment of {len(step.text)} bytes, executed and encoded", f"{executed:.0f} µs"),
        ("a frame made for one socket", f"{await _written(step):.2f} µs"),
    ]


def _told(vote: int) -> float:
    broker = MemoryBroker()
    Watching.through(broker)
    start = time.perf_counter()
    for _ in range(TIMES):
        broker.publish([Signal(Topic.TALLY, vote)])
    return (time.perf_counter() - start) / TIMES * 1e6


async def _executed(vote: int, truth: Progress) -> tuple[Step, float]:
    """The median in microseconds, with a state that costs nothing to read but is always new."""
    versions = iter(range(TIMES + 2))

    async def read(key: int) -> Progress:
        return replace(truth, version=next(versions))

    broker = MemoryBroker()
    watching = replace(Watching.through(broker), tally=Live(Topic.TALLY, read, pause=0))
    broker.listen(watching.tally.hear)

    async def nobody() -> Viewer:
        return NOBODY

    document = read_document(operations.TALLY, None)
    assert document is not None  # noqa: S101 - it is ours
    context = Context(utc_now, watching, Standing(nobody, utc_now))
    steps = Shared(document, document.renamed({"id": to_id("Vote", vote)}), context).steps(Tempo(1).turn())
    step = await anext(steps)
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        broker.publish([Signal(Topic.TALLY, vote)])
        step = await anext(steps)
        taken.append(time.perf_counter() - start)
    await steps.aclose()
    return step, statistics.median(taken) * 1e6


async def _written(step: Step) -> float:
    """Microseconds of our own for each of many members; what the system takes to send comes on top."""
    seconds: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    groups = Groups[_Once](Tempo(1), lambda members, took: seconds.set_result(took))
    group = groups.enter("all", lambda: _Once(step))
    for number in range(SOCKETS):
        group.join(Member(_Nowhere(), b'{"id":"watcher-%06d","type":"next","payload":' % number, 0))
    took = await seconds
    groups.release(group)
    return took / SOCKETS * 1e6


class _Once:
    """A source with one step."""

    kept = 1

    def __init__(self, step: Step) -> None:
        self._step = step

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        yield self._step
        await asyncio.Event().wait()

    def newest(self, number: int) -> bool:
        return False

    def if_unchanged(self, call: Callable[[], None]) -> None:
        pass

    def fault(self, error: Exception) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError

    def fail(self, errors: Sequence[Mapping[str, Any]]) -> None:
        pass
