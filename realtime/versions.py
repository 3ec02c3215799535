"""How far this process knows the journals, so that what was made of them is used only while it is true.

A commit of this process is known before its caller is answered; one of another process when the poller has
looked, within two seconds.
"""

import time
from collections.abc import Collection

from community.database.journal import Heads

BEHIND = 2.0
"""Seconds that what is remembered may lag behind another process."""


class Versions:
    """`count` grows with each change that becomes known, wherever it happened. A reader notes it before it
    reads; what was read holds while nothing that it came from has changed since.
    """

    def __init__(self) -> None:
        self.count = 0
        self._heads: dict[int | None, int] = {}
        self._changed: dict[int | None, int] = {}
        self._looked_at = float("-inf")

    def saw(self, heads: Heads) -> None:
        """Called with the newest numbers of communities, of which some may be known already."""
        for community, number in heads.items():
            if number > self._heads.get(community, 0):
                self.count += 1
                self._heads[community], self._changed[community] = number, self.count

    def looked(self, at: float) -> None:
        """Called when a look at all heads, begun at this time of the monotonic clock, was passed to `saw`."""
        self._looked_at = at

    @property
    def current(self) -> bool:
        """Whether all is known that was committed anywhere more than two seconds ago."""
        return time.monotonic() - self._looked_at <= BEHIND

    def unchanged(self, since: int, communities: Collection[int] | None) -> bool:
        """Whether nothing happened in any of these since `count` was `since`; None: in any at all."""
        if communities is None:
            return self.count == since
        changed = self._changed
        return all(changed.get(community, 0) <= since for community in communities)

    def behind(self, heads: Heads) -> bool:
        """Whether one of these numbers is not known here yet."""
        return any(number > self._heads.get(community, 0) for community, number in heads.items())
