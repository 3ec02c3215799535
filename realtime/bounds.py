"""How many groups there may be: each costs an execution a round. To join one that is there costs nothing."""

from collections import Counter
from collections.abc import Hashable
from typing import TypeAlias

from community.errors import ErrorCode, LimitReached, Refused
from community.signals import Signal

MOST_OF_ADDRESS = 400
"""Groups that an address has begun; a page needs one or two."""

MOST_OF_SUBJECT, MOST_OF_BOTH = 200, 50
"""Groups that one vote, event or bulletin has, and those that one address has begun of these."""

FEW = 4
"""Of one subject any address may begin so many, however many there are: no stranger keeps others out."""

MOST_ALONE_OF_ADDRESS = 500
"""Groups of one that an address has."""

Counted: TypeAlias = tuple[Hashable, ...]
"""What a group is counted under."""


class TooManyGroups(Refused):
    code = ErrorCode.LIMIT_REACHED
    zh = "从同一个地址订阅的内容和写法太多，最多 {most} 种。请使用相同的写法。"
    en = "Too many different subscriptions from one address, {most} at most; use the same words for the same."


class TooManyOfSubject(TooManyGroups):
    zh = "从同一个地址对同一内容的不同写法的订阅太多，现在最多 {most} 种。请使用相同的写法。"
    en = (
        "Too many different subscriptions of the same thing from one address, {most} at most now; ask for it"
        " in the same words."
    )


class GroupBounds:
    """Counts by address, by what is watched, and by both; groups of one by address only."""

    def __init__(self) -> None:
        self._counts = Counter[Hashable]()

    def begin(self, address: str, watched: Signal) -> Counted:
        """Counts a group that `address` begins, until its `end`. Raises TooManyGroups."""
        of_address, of_subject, of_both = counted = address, watched, (address, watched)
        counts = self._counts
        if counts[of_address] >= MOST_OF_ADDRESS:
            raise TooManyGroups(most=MOST_OF_ADDRESS)
        if counts[of_both] >= MOST_OF_BOTH:
            raise TooManyOfSubject(most=MOST_OF_BOTH)
        if counts[of_subject] >= MOST_OF_SUBJECT and counts[of_both] >= FEW:
            raise TooManyOfSubject(most=FEW)
        counts.update(counted)
        return counted

    def begin_alone(self, address: str) -> Counted:
        """Raises LimitReached."""
        counted = (("alone", address),)
        if self._counts[counted[0]] >= MOST_ALONE_OF_ADDRESS:
            raise LimitReached(most=MOST_ALONE_OF_ADDRESS)
        self._counts.update(counted)
        return counted

    def end(self, counted: Counted) -> None:
        for each in counted:
            self._counts[each] -= 1
            if not self._counts[each]:
                del self._counts[each]
