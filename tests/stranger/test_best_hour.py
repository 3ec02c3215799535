"""A stranger's best hour: everything at once for ten minutes, and a neighbour beside it who notices nothing.

`pytest -m soak tests/stranger -k sqlite`; STRANGER_SEED repeats an hour, STRANGER_SECONDS makes it shorter.
What was found names its script: `Strangers(…, seed).script(kind, number)`.
"""

import asyncio
import json
import logging
import os
import secrets
import statistics
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from graphql import GraphQLSchema

from tests.stranger.strangers import KINDS, QUIET, Attacked, faults, resident
from tests.stranger.wire import HERE
from tests.world.server import ROOT

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("stranger"), pytest.mark.timeout(1500)]

SECONDS = float(os.environ.get("STRANGER_SECONDS", "600"))
WARM = min(60.0, SECONDS / 4)
AT_ONCE = 3
"""Of each kind; beside them a storm of connections every few seconds."""

ALONE = 5.0
"""Seconds that the neighbour looks before the strangers come, to say how long a look takes here."""

STORM, STORM_EVERY = 300, 5.0
MOST_WAIT = 0.5
"""Seconds that the neighbour waits, but for one look of a hundred."""

ADDRESSES = {kind: f"127.0.0.{2 + number}" for number, kind in enumerate((*KINDS, "storm"))}
"""All of this machine; the neighbour comes from another one."""

log = logging.getLogger("stranger")


async def test_ten_minutes_of_everything(attacked: Attacked, schema: GraphQLSchema, command: Any) -> None:
    seed = os.environ.get("STRANGER_SEED") or secrets.token_hex(4)
    log.info("STRANGER_SEED=%s", seed)
    strangers, memory = attacked.strangers(schema, seed), Memory(attacked)
    async with neighbour(attacked.server.url) as looks:
        await asyncio.sleep(ALONE)
        async with asyncio.timeout(SECONDS + 60), ended_after(SECONDS) as group:
            for kind in KINDS:
                group.append(asyncio.create_task(strangers.play_all(kind, count(), AT_ONCE, ADDRESSES[kind])))
            group.append(asyncio.create_task(storms(attacked.server.port)))
            group.append(asyncio.create_task(memory.watch()))
        alone, took = await looks()
    await strangers.confirm()
    rest, grown = await attacked.rest(), memory.growth()
    log.info("played %s, answers %s", dict(strangers.played), dict(strangers.answers))
    log.info("%s; longest stretch %.0f ms of CPU", said_of(alone, took), attacked.stretches.longest)
    for finding in strangers.findings:
        log.warning("%s", finding)
    log.info("memory %.0f MB, grown by %.1f %%", memory.now() / 2**20, 100 * grown)
    assert "\n".join(map(str, strangers.findings[:50])) == "", seed
    assert "\n".join(faults(attacked.server.log())) == "", seed
    assert attacked.server.process.poll() is None
    assert rest == QUIET
    assert attacked.server.client.get("/health/ready").json()["status"] == "ok"
    assert percentile(took, 99) < MOST_WAIT
    assert grown < 0.1
    checked = command("verify", **attacked.grounds.town.engine.environment(attacked.grounds.url))
    assert checked.returncode == 0, checked.stderr
    assert " 0 differences" in checked.stdout


class Memory:
    """Of the server, second by second."""

    def __init__(self, attacked: Attacked) -> None:
        self._pid = attacked.server.process.pid
        self._seen: list[int] = []

    def now(self) -> int:
        return resident(self._pid)

    async def watch(self) -> None:
        while True:
            self._seen.append(self.now())
            await asyncio.sleep(1)

    def growth(self) -> float:
        """From the end of the warm minute to the end, each as the middle of some seconds."""
        around = max(1, int(WARM / 6))
        warm = statistics.median(self._seen[int(WARM) - around : int(WARM) + around])
        return statistics.median(self._seen[-2 * around :]) / warm - 1


@asynccontextmanager
async def ended_after(seconds: float) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """What is begun inside goes on until then; whatever fails before, fails all."""
    tasks: list[asyncio.Task[None]] = []
    yield tasks
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


@asynccontextmanager
async def neighbour(url: str) -> AsyncIterator[Callable[[], Any]]:
    """Looks before and while the strangers are there; says how many seconds each look of both times took."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.stranger.probe", url, str(ALONE + SECONDS), cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def looks() -> tuple[list[float], list[float]]:
        told, complaint = await process.communicate()
        assert process.returncode == 0, complaint.decode()[-2000:]
        found = json.loads(told)
        alone = [took for at, took in found if at < ALONE]
        return alone, [took for at, took in found if at >= ALONE]

    try:
        yield looks
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def storms(port: int) -> None:
    """Again and again many come at once, say nothing, and go without a word."""
    while True:
        await asyncio.gather(*(_knock(port, number) for number in range(STORM)), return_exceptions=True)
        await asyncio.sleep(STORM_EVERY)


async def _knock(port: int, number: int) -> None:
    async with asyncio.timeout(5):
        _, writer = await asyncio.open_connection(HERE, port, local_addr=(ADDRESSES["storm"], 0))
        try:
            writer.write(
                (b"", b"GET /gra", b"\x16\x03\x01", b"POST /graphql HTTP/1.1\r\nHost: x\r\n")[number % 4]
            )
            await asyncio.sleep(1)
        finally:
            writer.transport.abort()


def percentile(values: list[float], of_hundred: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * of_hundred // 100)]


def said_of(alone: list[float], took: list[float]) -> str:
    figures = (statistics.median(alone), statistics.median(took), percentile(took, 99), max(took))
    before, middle, rarely, longest = (f"{1000 * seconds:.0f} ms" for seconds in figures)
    return f"{len(took)} looks, in the middle {middle} (alone {before}), p99 {rarely}, the longest {longest}"
