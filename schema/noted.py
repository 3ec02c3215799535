"""What an answer was made of, so that it can be kept for as long as it is true."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from community.places.reads import CommunityRow


class Noted:
    """`communities`: those whose journals tell when it changes. `anywhere`: those of all do. `until`: the
    instant at which the clock alone changes it; None: never.
    """

    __slots__ = ("anywhere", "communities", "until")

    def __init__(self) -> None:
        self.communities: set[int] = set()
        self.anywhere = False
        self.until: datetime | None = None

    def rows(self, rows: Iterable[Any], wanted: int) -> None:
        """Notes what was found of so many that were `wanted`; what is missing may appear anywhere."""
        found = 0
        for row in rows:
            found += 1
            community = _community_of(row)
            if community is None:
                self.anywhere = True
            else:
                self.communities.add(community)
        self.anywhere |= found < wanted

    def hold(self, until: datetime) -> None:
        if self.until is None or until < self.until:
            self.until = until


def _community_of(row: Any) -> int | None:
    """The community of which a row says that it belongs to it."""
    if isinstance(row, CommunityRow):
        return row.id
    community: int | None = getattr(row, "community", None) or getattr(row, "community_id", None)
    return community
