"""What members are, and who of a party may cast."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from enum import StrEnum

from community.errors import ErrorCode, InvalidInput, Refused, Unauthenticated
from community.permissions import Role

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


_OF_THE_CITY = frozenset({Role.REGULATOR, Role.INTEGRATOR, Role.OPERATOR})
_HELD = frozenset({Role.OWNER, Role.TENANT})
"""These follow from what somebody owns or rents."""


def check_role(role: Role, field: str, *, in_the_city: bool) -> None:
    """Raises InvalidInput where the role is none that is given there."""
    if role in _HELD or (role in _OF_THE_CITY) != in_the_city:
        raise InvalidInput(
            problem_zh="这个身份不能在这里任命", problem_en="this role is not given here", field=field
        )


def is_handle(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and " " not in name


def check_new_names(names: Sequence[str], taken: Collection[str]) -> None:
    """Raises InvalidInput where one is no handle, or taken, or comes twice."""
    seen = set(taken)
    for index, name in enumerate(names):
        if not is_handle(name) or name in seen:
            raise InvalidInput(
                problem_zh="账户名不能用，或者已经有了",
                problem_en="an account cannot have this name, or another one has it",
                field=f"names.{index}",
            )
        seen.add(name)


def check_holders(units: Collection[int], held: Collection[int], field: str) -> None:
    """`held`: units that belong to somebody already. Raises InvalidInput: a unit has one owner party."""
    if len(set(units)) < len(units) or set(units) & set(held):
        raise InvalidInput(
            problem_zh="这套房屋已经有业主了", problem_en="a unit has an owner already", field=field
        )


def check_persons(accounts: Sequence[int | None], representative: int | None, field: str) -> None:
    """`representative`: which of them, from 0. Raises InvalidInput: somebody is of a party, each once, and
    it names one of its own.
    """
    known = [account for account in accounts if account is not None]
    if (
        not accounts
        or len(set(known)) < len(known)
        or not (representative is None or 0 <= representative < len(accounts))
    ):
        raise InvalidInput(problem_zh="共有人填得不对", problem_en="the co-owners do not add up", field=field)
