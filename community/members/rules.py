"""What members are, and who of a party may cast."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

from community.errors import ErrorCode, Refused, Unauthenticated

LONGEST_NAME = 96
"""Of an account's handle."""


KEPT_AFTER_ITS_END = timedelta(days=1)
"""For so long whoever comes with a session that ran out is told so; then it is removed, and unknown."""


LONGEST_SECRET = 128
"""Of a cookie or token; ours have 43 characters."""


def may_be_secret(given: str) -> bool:
    """Whether it is worth asking for; what no session ever had is not looked for, hashed or kept."""
    return 0 < len(given) <= LONGEST_SECRET and given.isascii()


class PartyKind(StrEnum):
    OWNERS = "OWNERS"
    DEVELOPER = "DEVELOPER"


class SessionKind(StrEnum):
    COOKIE = "COOKIE"
    TOKEN = "TOKEN"


class UnknownToken(Unauthenticated):
    zh = "没有这个令牌，或者它已被撤销。请核对，或者重新申请一个。"
    en = "This token is unknown or was revoked; check it, or ask for a new one."


class ExpiredToken(Unauthenticated):
    zh = "这个令牌已经过期，请重新申请一个。"
    en = "This token has expired; ask for a new one."


class NotRepresentative(Refused):
    code = ErrorCode.NOT_REPRESENTATIVE
    zh = "您家共有人已经推选了投票人，由他（她）来投。"
    en = "The co-owners have named the one who votes for them; only that person casts."


def check_representative(named: Collection[int], account: int) -> None:
    """`named`: the accounts that a party named to vote for it; empty if it named none."""
    if named and account not in named:
        raise NotRepresentative
