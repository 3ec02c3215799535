"""Who a socket's viewer is, as long as it is open: rights are asked again when they change."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from community.permissions import Viewer
from community.signals import Signal, Topic
from realtime.tempo import Turn

T = TypeVar("T")

Check = Callable[[], Awaitable[None]]
"""Passes, or raises what a watcher without the right is told."""


class Watcher(Protocol):
    def changed(self) -> None:
        """The account's rights are no longer what they were. Never waits, never raises."""


class Standings:
    """The sockets of each account, to be woken together. `changes`: how many changes of rights were heard."""

    def __init__(self) -> None:
        self._of_account: dict[int, set[Watcher]] = {}
        self.changes = 0

    def keep(self, account: int, watcher: Watcher) -> None:
        self._of_account.setdefault(account, set()).add(watcher)

    def forget(self, account: int, watcher: Watcher) -> None:
        watchers = self._of_account.get(account, set())
        watchers.discard(watcher)
        if not watchers:
            self._of_account.pop(account, None)

    def of(self, account: int) -> int:
        """How many sockets an account has open here."""
        return len(self._of_account.get(account, ()))

    def hear(self, signal: Signal) -> None:
        if signal.topic is Topic.RIGHTS:
            self.changes += 1
            for watcher in list(self._of_account.get(signal.key, ())):
                watcher.changed()


class Standing:
    """Wakes the watchers of one socket when its account's rights change or its session ends.

    `renew` finds the viewer anew, for all who ask later. `known`: how many of the `changes` it had seen.
    """

    def __init__(self, renew: Callable[[], Awaitable[Viewer]], clock: Callable[[], datetime]) -> None:
        self._renew, self._clock = renew, clock
        self.changes = self.known = 0
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """The account's rights are no longer what they were."""
        self.changes += 1
        done, self._changed = self._changed, asyncio.Event()
        done.set()

    @property
    def uncertain(self) -> bool:
        """A change was heard of which the viewer does not tell yet."""
        return self.known != self.changes

    def renewed(self) -> None:
        """The viewer is found, and no change came meanwhile."""
        self.known = self.changes

    async def while_allowed(
        self,
        check: Check,
        states: AsyncIterator[T],
        viewer: Viewer,
        since: int | None = None,
        turn: Turn | None = None,
    ) -> AsyncGenerator[T, None]:
        """`states` for as long as `check` passes whenever rights change or `viewer`'s session ends.

        `since`: what was `known` before it passed for the first time; none given, none came meanwhile. With
        a `turn` each state comes in one, as it is by then; the turn lasts until the next one is asked for.
        """
        asked = self.changes if since is None else since
        waiting = asyncio.ensure_future(_next(states, turn))
        try:
            while True:
                if asked != self.changes or self._over(viewer):
                    asked = self.changes
                    viewer = await self._renew()
                    await check()
                elif waiting.done():
                    yield waiting.result()
                    if turn:
                        turn.end()
                    waiting = asyncio.ensure_future(_next(states, turn))  # not before: it would grow old
                else:
                    await self._change_or(waiting, viewer)
        finally:
            waiting.cancel()
            if turn:
                turn.end()

    async def _change_or(self, waiting: "asyncio.Future[T]", viewer: Viewer) -> None:
        change: asyncio.Future[Any] = asyncio.ensure_future(self._changed.wait())
        either: set[asyncio.Future[Any]] = {waiting, change}
        try:
            await asyncio.wait(either, timeout=self._left(viewer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()

    def _over(self, viewer: Viewer) -> bool:
        return viewer.expires_at is not None and viewer.expires_at <= self._clock()

    def _left(self, viewer: Viewer) -> float | None:
        if viewer.expires_at is None:
            return None
        return max(0.0, (viewer.expires_at - self._clock()).total_seconds())


async def _next(states: AsyncIterator[T], turn: Turn | None) -> T:
    if turn is not None:
        await turn.begin(states.when_more)  # type: ignore[attr-defined]
    return await anext(states)
