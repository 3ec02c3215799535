"""Who may watch what: checked when a subscription begins, and again whenever rights change."""

import asyncio
from collections.abc import Iterable
from typing import Any, Protocol

from community.errors import NotFound
from community.live import Declaration
from community.members.facts import RIGHTS
from community.permissions import Scope, Viewer, may
from community.signals import Signal


class Watcher(Protocol):
    def changed(self) -> None:
        """Called when the rights of the account changed. Never waits, never raises."""


class AuthorizationRegistry:
    """The watchers of each account. `changes` counts the changes of rights so far, of any account."""

    def __init__(self) -> None:
        self._of_account: dict[int, set[Watcher]] = {}
        self.changes = 0

    def add(self, account: int, watcher: Watcher) -> None:
        self._of_account.setdefault(account, set()).add(watcher)

    def remove(self, account: int, watcher: Watcher) -> None:
        watchers = self._of_account.get(account, set())
        watchers.discard(watcher)
        if not watchers:
            self._of_account.pop(account, None)

    def count(self, account: int) -> int:
        """How many watchers the account has in this process."""
        return len(self._of_account.get(account, ()))

    def handle(self, signal: Signal) -> None:
        if signal.topic == RIGHTS.topic:
            self._changed(self._of_account.get(signal.key, ()))

    def resync(self) -> None:
        """Has all rights read anew, after changes of them may have been missed."""
        self._changed(watcher for watchers in self._of_account.values() for watcher in watchers)

    def _changed(self, watchers: Iterable[Watcher]) -> None:
        self.changes += 1
        for watcher in list(watchers):
            watcher.changed()


class Access:
    """The right to watch one key of a declaration.

    The scope is read once for all viewers, and again after public reading changed in it.
    """

    def __init__(self, declaration: Declaration[Any, Any], key: int) -> None:
        self._declaration, self._key = declaration, key
        self._scope: Scope | None = None
        self._changes = 0
        self._reading: asyncio.Task[None] | None = None

    def allows(self, viewer: Viewer) -> bool:
        """Whether the viewer may watch; False before the scope is read."""
        return self._scope is not None and may(viewer, self._declaration.permission, self._scope)

    async def require(self, viewer: Viewer) -> None:
        """Raises NotFound if the viewer may not watch, or if there is nothing to watch."""
        admits = self._declaration.admits
        while True:
            changes = self._changes
            await self._read_once()
            allowed = self.allows(viewer) and (admits is None or await admits(viewer, self._key))
            if changes == self._changes:
                break
        if not allowed:
            raise NotFound

    async def _read_once(self) -> None:
        """Reads the scope, once for all who wait."""
        while self._scope is None:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
                # Else asyncio complains of an error if the caller is gone.
                self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
            await asyncio.shield(self._reading)

    async def _read(self) -> None:
        changes = self._changes
        try:
            scope = await self._declaration.subject.scope_of(self._key)
            if changes == self._changes:
                self._scope = scope
        finally:
            self._reading = None

    def reading_changed(self, community: int | None) -> bool:
        """Forgets the scope after public reading of `community` (None: any) changed.

        Returns whether this key belongs to it, as far as is known.
        """
        self._changes += 1
        if self._scope is not None and community not in (None, self._scope.id):
            return False
        self._scope = None
        return True
