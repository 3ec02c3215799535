"""What is repeated goes on through outages, each of which is logged once."""

import asyncio
import logging
from collections.abc import Iterable

import pytest

from community.repeat import repeat

log = logging.getLogger(__name__)


class Over(BaseException):
    """Ends the repetition as a cancellation would."""


async def repeated(
    fails: Iterable[bool | type[BaseException]], monkeypatch: pytest.MonkeyPatch, **terms: float
) -> list[float]:
    """The pauses between steps of which these fail."""
    pauses: list[float] = []
    steps = iter(fails)

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def step() -> None:
        failed = next(steps, None)
        if failed is None:
            raise Over
        if failed:
            raise OSError if failed is True else failed

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(Over):
        await repeat(step, 2.0, log, "away", **terms)
    return pauses


@pytest.mark.parametrize(
    ("fails", "outages"), [("..", 0), ("x.", 1), ("xxx.", 1), ("x.xx.x", 3)], ids=lambda each: str(each)
)
async def test_each_outage_is_logged_once(
    fails: str, outages: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert await repeated((each == "x" for each in fails), monkeypatch) == [2.0] * len(fails)
    assert caplog.messages == ["away"] * outages
    assert all(record.name == __name__ and record.exc_info for record in caplog.records)


async def test_a_failure_has_a_pause_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await repeated([False, True, True, False], monkeypatch, retry=5.0) == [2.0, 5.0, 5.0, 2.0]
    assert await repeated([True], monkeypatch, retry=0.0) == [0.0]


async def test_a_step_that_is_cancelled_from_below_has_failed_and_is_repeated(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert await repeated([False, asyncio.CancelledError, False], monkeypatch) == [2.0] * 3
    assert caplog.messages == ["away"]


async def test_whoever_repeats_may_be_cancelled() -> None:
    task = asyncio.create_task(repeat(asyncio.Event().wait, 2.0, log, "away"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 20)
