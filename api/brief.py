"""A brief cache: a value that many request within two seconds is read once, with a time limit."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
"""A request to the cache."""

V = TypeVar("V")

SECONDS = 2.0
"""Seconds for which a value is cached; rights change within the same time everywhere."""

LONGEST = 2.0
"""Seconds that a caller waits."""

MOST = 500
AT_ONCE = 20
"""Reads under way at most, for a database that hangs."""


class Brief(Generic[K, V]):
    """Answers with a recent result of `read` for the same request, or with the one under way.

    `key`: under which a request is cached; not the request itself if that holds a secret.
    """

    def __init__(
        self,
        read: Callable[[K], Coroutine[Any, Any, V]],
        key: Callable[[K], Hashable] = lambda one: one,
    ) -> None:
        self._read, self._key = read, key
        self._known: OrderedDict[Hashable, tuple[float, asyncio.Task[V]]] = OrderedDict()
        self._under_way: set[asyncio.Task[V]] = set()

    async def get(self, requested: K) -> V:
        """Raises TimeoutError if it takes too long or too many reads are under way, and what `read`
        raises.
        """
        task = self._task(requested, asyncio.get_running_loop().time())
        done, _ = await asyncio.wait({task}, timeout=LONGEST)
        if not done:
            raise TimeoutError
        return task.result()

    def _task(self, requested: K, now: float) -> asyncio.Task[V]:
        """Returns a read that began recently, done or not: an older one may be out of date."""
        key = self._key(requested)
        if known := self._known.get(key):
            since, task = known
            failed = task.done() and (task.cancelled() or task.exception() is not None)
            if now - since < SECONDS and not failed:
                return task
        if len(self._under_way) >= AT_ONCE:
            raise TimeoutError
        task = asyncio.create_task(self._read(requested))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        self._known[key] = now, task
        self._known.move_to_end(key)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return task

    def _ended(self, task: asyncio.Task[V]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited may be gone
