"""Repeats what keeps a process up to date, through every outage."""

import asyncio
import logging
from collections.abc import Awaitable, Callable


async def repeat(
    step: Callable[[], Awaitable[object]],
    pause: float,
    log: logging.Logger,
    fault: str,
    *,
    retry: float | None = None,
) -> None:
    """Awaits `step` again and again until cancelled, `pause` seconds apart; after a failure `retry` seconds.

    An outage is logged once as `fault`, however long it lasts.
    """
    away = False
    while True:
        try:
            await step()
            away = False
        except Exception:
            if not away:
                log.exception(fault)
            away = True
        await asyncio.sleep(pause if retry is None or not away else retry)
