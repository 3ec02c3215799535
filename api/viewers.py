"""Who is behind the secrets that came lately, so that a read need not ask the database for it."""

import time
from collections import OrderedDict
from datetime import datetime

from api.sessions import viewer_behind
from community.members.facts import RIGHTS
from community.members.reads import hash_of
from community.members.rules import may_be_secret
from community.permissions import Person, Visitor
from community.signals import Signal
from realtime.versions import Versions

MOST = 4_096
"""Viewers remembered: those asked for last."""

LONGEST = 60.0
"""Seconds until a viewer is asked for anew: a role may begin at a time, and nobody tells of that."""


class KnownViewers:
    """Forgets a viewer when its rights change: in this process with the change, in another one within two
    seconds. For reads only; whoever writes is asked for in the database.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._known: OrderedDict[str, tuple[Person, float]] = OrderedDict()
        self._changes = 0

    def __len__(self) -> int:
        return len(self._known)

    def handle(self, signal: Signal) -> None:
        if signal.topic == RIGHTS.topic:
            self._changes += 1
            for key in [key for key, (viewer, _) in self._known.items() if viewer.account == signal.key]:
                del self._known[key]

    def forget(self) -> None:
        """Called when signals may have been lost."""
        self._changes += 1
        self._known.clear()

    async def behind(self, secret: str | None, now: datetime, *, strict: bool) -> Person | Visitor:
        """As `viewer_behind`, which raises Unauthenticated."""
        if secret is None or not may_be_secret(secret):
            return await viewer_behind(secret, now, strict=strict)
        current, changes, key = self._versions.current, self._changes, hash_of(secret)
        if current and (known := self._known.get(key)):
            viewer, since = known
            if time.monotonic() - since <= LONGEST and (viewer.expires_at is None or now < viewer.expires_at):
                self._known.move_to_end(key)
                return viewer
        asked = time.monotonic()
        found = await viewer_behind(secret, now, strict=strict)
        # What changed meanwhile, or before this process first looked at the journals, may not be in it.
        if current and changes == self._changes and isinstance(found, Person):
            self._known[key] = found, asked
            self._known.move_to_end(key)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        return found
