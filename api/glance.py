"""A look at the journal's head that does not wait for a database that hangs."""

import asyncio

from community.database import journal

LONGEST = 2.0
"""Seconds; whoever looks after us gives up after ten or so."""


class Glance:
    """One at a time: cut off, each would hold a connection until the database speaks again."""

    def __init__(self) -> None:
        self._under_way: asyncio.Task[int] | None = None

    async def head(self) -> int:
        """Raises TimeoutError, or whatever the database says."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(journal.head())
        done, _ = await asyncio.wait({self._under_way}, timeout=LONGEST)
        if not done:
            raise TimeoutError
        return self._under_way.result()
