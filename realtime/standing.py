"""Who a socket's viewer is, as long as it is open: rights are asked again when they change."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from community.permissions import Viewer
from community.signals import Signal, Topic

T = TypeVar("T")

Check = Callable[[], Awaitable[None]]
"""Passes, or raises what a watcher without the right is told."""


class Standings:
    """The sockets of each account, to be woken together."""

    def __init__(self) -> None:
        self._of_account: dict[int, set[Standing]] = {}
        self._account_of: dict[Standing, int] = {}

    def keep(self, account: int, standing: "Standing") -> None:
        self._account_of[standing] = account
        self._of_account.setdefault(account, set()).add(standing)

    def forget(self, standing: "Standing") -> None:
        account = self._account_of.pop(standing, None)
        if account is not None:
            self._of_account[account].discard(standing)
            if not self._of_account[account]:
                del self._of_account[account]

    def everything_changed(self) -> None:
        """After a gap in which somebody may have lost a right."""
        for standing in self._account_of:
            standing.changed()

    def hear(self, signal: Signal) -> None:
        if signal.topic is Topic.RIGHTS:
            for standing in self._of_account.get(signal.key, ()):
                standing.changed()


class Standing:
    """Wakes the watchers of one socket when its account's rights change or its session ends.

    `renew` finds the viewer anew, for all who ask later.
    """

    def __init__(self, renew: Callable[[], Awaitable[Viewer]], clock: Callable[[], datetime]) -> None:
        self._renew, self._clock = renew, clock
        self._changes = 0
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """The account's rights are no longer what they were."""
        self._changes += 1
        done, self._changed = self._changed, asyncio.Event()
        done.set()

    async def while_allowed(
        self, check: Check, states: AsyncIterator[T], viewer: Viewer
    ) -> AsyncGenerator[T, None]:
        """`states` for as long as `check` passes whenever rights change or `viewer`'s session ends."""
        asked = self._changes
        waiting = asyncio.ensure_future(anext(states))
        try:
            while True:
                if asked != self._changes or self._over(viewer):
                    asked = self._changes
                    viewer = await self._renew()
                    await check()
                elif waiting.done():
                    state = waiting.result()
                    waiting = asyncio.ensure_future(anext(states))
                    yield state
                else:
                    await self._change_or(waiting, viewer)
        finally:
            waiting.cancel()

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
