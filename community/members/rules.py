"""What members are, and who of a party may cast."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

from community.errors import ErrorCode, Refused

LONGEST_NAME = 96
"""Of an account's handle."""


KEPT_AFTER_ITS_END = timedelta(days=1)
"""For so long whoever comes with a session that ran out is told so; then it is removed, and unknown."""


class PartyKind(StrEnum):
    OWNERS = "OWNERS"
    DEVELOPER = "DEVELOPER"


class SessionKind(StrEnum):
    COOKIE = "COOKIE"
    TOKEN = "TOKEN"


class NotRepresentative(Refused):
    code = ErrorCode.NOT_REPRESENTATIVE
    zh = "您家共有人已经推选了投票人，由他（她）来投。"
    en = "The co-owners have named the one who votes for them; only that person casts."


def check_representative(named: Collection[int], account: int) -> None:
    """`named`: the accounts that a party named to vote for it; empty if it named none."""
    if named and account not in named:
        raise NotRepresentative
