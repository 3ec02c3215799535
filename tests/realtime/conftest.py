"""Time that does not pass: a loop whose sleeps take no time and whose dead ends are errors."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest


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
