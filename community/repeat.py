"""Repeats what keeps a process up to date, through every outage."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from community.errors import TryAgain
from community.waiting import unless_cancelled


async def repeat(
    step: Callable[[], Awaitable[object]],
    pause: float,
    log: logging.Logger,
    fault: str,
    *,
    retry: float | None = None,
) -> None:
    """Awaits `step` again and again until cancelled, `pause` seconds apart; after a failure `retry` seconds.

    An outage is logged once as `fault`, however long it lasts. A step under which something was cancelled has
    failed like any other: thousands may wait for the next one.
    """
    away = False
    while True:
        try:
            await unless_cancelled(step(), TryAgain())
            away = False
        except Exception:
            if not away:
                log.exception(fault)
            away = True
        await asyncio.sleep(pause if retry is None or not away else retry)
