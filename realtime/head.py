"""Looks at the journal's head each second, so that changes written elsewhere show within two."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from community.signals import Signal

EVERY = 1.0

log = logging.getLogger(__name__)


async def follow_head(
    head: Callable[[], Awaitable[int]],
    signals_after: Callable[[int], Awaitable[tuple[int, list[Signal]]]],
    hear: Callable[[Iterable[Signal]], None],
) -> None:
    """Runs until cancelled; `hear` is for this process, as every other one looks for itself.

    A signal heard twice, here and from the broker, costs one read.
    """
    seen: int | None = None
    while True:
        try:
            if seen is None:
                seen = await head()
            while True:
                newest, signals = await signals_after(seen)
                if newest == seen:
                    break
                seen = newest
                hear(signals)
        except Exception:
            log.exception("could not read the journal's head")
        await asyncio.sleep(EVERY)
