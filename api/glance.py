"""Looks at the database that do not wait for one that hangs."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from api.clock import utc_now
from community.database import journal, work
from community.database.engine import look_at_the_files
from community.database.outcomes import WRITES, Word

LONGEST = 2.0
"""Seconds; whoever looks after us gives up after ten or so."""

WAITS = 3.0
"""Seconds after which a unit of work that still waits makes writes late."""

QUIET = 5.0
"""Seconds without a write, after which we try one ourselves: to one who is down nobody sends any."""

T = TypeVar("T")


class Bounded(Generic[T]):
    """One at a time: cut off, each would hold a connection until the database speaks again."""

    def __init__(self, look: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._look = look
        self._under_way: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Raises TimeoutError, or whatever the database says."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._look())
            self._under_way.add_done_callback(_asked)
        done, _ = await asyncio.wait({self._under_way}, timeout=LONGEST)
        if not done:
            raise TimeoutError
        return self._under_way.result()


def _asked(task: asyncio.Task[Any]) -> None:
    """Whoever waited may have gone: asking for the exception keeps asyncio from complaining."""
    if not task.cancelled():
        task.exception()


class Glance:
    """At the journal's head, and at how writing goes."""

    def __init__(self) -> None:
        self.head = Bounded(lambda: journal.head())
        self._files = Bounded(look_at_the_files)
        self._write = Bounded(lambda: work.try_writing(utc_now()))

    async def writes(self) -> Word:
        """While the last write failed and nobody brings another one, one of ours is tried."""
        await _whatever_comes(self._files)
        if WRITES.word not in ("ok", "refused") and WRITES.quiet > QUIET:
            await _whatever_comes(self._write)
        return "late" if WRITES.word == "ok" and work.longest_under_way() > WAITS else WRITES.word


async def _whatever_comes(look: Bounded[None]) -> None:
    """It is written down, and read by whoever asked."""
    with suppress(Exception):
        await look()
