"""Probes of the database with a time limit, for a database that hangs."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from api.clock import utc_now
from community.database import journal, work
from community.database.engine import look_at_the_files
from community.database.outcomes import WRITES, Word

LONGEST = 2.0
"""Seconds; monitors give up after ten or so."""

WAITS = 3.0
"""Seconds after which a unit of work that still waits makes writes late."""

QUIET = 5.0
"""Seconds without a write after which a probe writes: nobody sends writes to a server that is down."""

T = TypeVar("T")


class Bounded(Generic[T]):
    """Runs one call at a time: each one given up would hold a connection until the database answers again."""

    def __init__(self, look: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._look = look
        self._running: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Raises TimeoutError if no answer came in time, and the database's own errors."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._look())
            self._running.add_done_callback(_retrieve_exception)
        done, _ = await asyncio.wait({self._running}, timeout=LONGEST)
        if not done:
            raise TimeoutError
        return self._running.result()


def _retrieve_exception(task: asyncio.Task[Any]) -> None:
    """Retrieves the exception, else asyncio complains if the caller is gone."""
    if not task.cancelled():
        task.exception()


class DatabaseProbe:
    """Probes the journal's heads, and whether writing works."""

    def __init__(self) -> None:
        self.heads = Bounded(lambda: journal.heads())
        self._files = Bounded(look_at_the_files)
        self._write = Bounded(lambda: work.try_writing(utc_now()))

    async def writes(self) -> Word:
        """The outcome of writes. Tries a write if the last one failed and no other came since."""
        await _run_quietly(self._files)
        if WRITES.word not in ("ok", "refused") and WRITES.quiet > QUIET:
            await _run_quietly(self._write)
        return "late" if WRITES.word == "ok" and work.longest_under_way() > WAITS else WRITES.word


async def _run_quietly(look: Bounded[None]) -> None:
    """Ignores the error: `WRITES` records it."""
    with suppress(Exception):
        await look()
