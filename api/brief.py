"""A brief memory: what many ask for within two seconds is read once, and nobody waits for long."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
"""What is asked for."""

V = TypeVar("V")

SECONDS = 2.0
"""For which something is remembered; rights hold within the same time everywhere."""

LONGEST = 2.0
"""Seconds that somebody waits."""

MOST = 500
AT_ONCE = 20
"""Reads under way: what hangs is not asked ever more."""


class Brief(Generic[K, V]):
    """Answers by what `read` said of the same a moment ago, or is about to say.

    `key`: what is remembered of what was asked; the same by nature, and another where it holds a secret.
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
        """Raises TimeoutError where it takes too long or too many are waiting, or what the read raises."""
        task = self._task(requested, asyncio.get_running_loop().time())
        done, _ = await asyncio.wait({task}, timeout=LONGEST)
        if not done:
            raise TimeoutError
        return task.result()

    def _task(self, requested: K, now: float) -> asyncio.Task[V]:
        """One that began a moment ago, done or not: what began earlier may have read what holds no more."""
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
