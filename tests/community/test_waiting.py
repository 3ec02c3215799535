"""A cancellation below is an error, one of whoever waits a cancellation."""

import asyncio

import pytest

from community.errors import TryAgain
from community.waiting import unless_cancelled


async def test_what_is_waited_for_says_what_it_says() -> None:
    assert await unless_cancelled(asyncio.sleep(0, 5), TryAgain()) == 5
    with pytest.raises(ZeroDivisionError):
        await unless_cancelled(_divided(), TryAgain())


async def _divided() -> float:
    return 1 / 0


async def test_what_is_cancelled_below_is_refused() -> None:
    below: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waits = asyncio.create_task(unless_cancelled(below, TryAgain()))
    await asyncio.sleep(0)
    below.cancel()
    with pytest.raises(TryAgain):
        await waits


async def test_whoever_waits_may_be_cancelled() -> None:
    waits = asyncio.create_task(unless_cancelled(asyncio.Event().wait(), TryAgain()))
    await asyncio.sleep(0)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
