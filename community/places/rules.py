"""What a community is made of and what its profile settles."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from community.errors import InvalidInput
from community.text import single_line

LONGEST_SLUG = 64
LONGEST_NAME = 64
"""Of a community or an organization."""

LONGEST_ADDRESS = 128
LONGEST_DOOR = 32
"""Of the name of a building or a unit, as it stands on the door."""

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class OrganizationKind(StrEnum):
    """The parties that govern an estate together; a 物管委 stands in where there is no 业委会 (HZ 38–42)."""

    RESIDENTS_COMMITTEE = "RESIDENTS_COMMITTEE"
    PARTY_BRANCH = "PARTY_BRANCH"
    OWNERS_COMMITTEE = "OWNERS_COMMITTEE"
    MANAGEMENT_COMMITTEE = "MANAGEMENT_COMMITTEE"
    PROPERTY_SERVICE = "PROPERTY_SERVICE"


class UnitKind(StrEnum):
    DWELLING = "DWELLING"
    SHOP = "SHOP"
    PARKING = "PARKING"
    OTHER = "OTHER"


class DeliveryStatus(StrEnum):
    """Unsold and undelivered units are voted by the developer (HZ 17)."""

    DELIVERED = "DELIVERED"
    UNSOLD = "UNSOLD"
    UNDELIVERED = "UNDELIVERED"


@dataclass(frozen=True, slots=True)
class Profile:
    """The settings of a community, kept in versions; a vote stores the version that decided it.

    Days of notice and the voting window follow 杭州市物业管理条例 19 and 20.
    """

    version: int
    public_reading: bool = False
    time_zone: str = "Asia/Shanghai"
    notice_days: int = 15
    window_days_least: int = 5
    window_days_most: int = 60


FIRST_PROFILE = Profile(version=1)
"""Of a community that has settled nothing yet."""


def is_slug(slug: str) -> bool:
    return len(slug) <= LONGEST_SLUG and _SLUG.fullmatch(slug) is not None


def check_slug(slug: str, *, taken: bool) -> None:
    """Raises InvalidInput: it stands in addresses and in the names of accounts."""
    if taken:
        raise InvalidInput(problem_zh="这个小区代号已经有了", problem_en="this slug is taken", field="slug")
    if not is_slug(slug):
        raise InvalidInput(
            problem_zh="小区代号只能用小写字母、数字和中间的短横线",
            problem_en="a slug has small letters, digits and hyphens between them",
            field="slug",
        )


def cleaned_doors(names: Iterable[str], field: str) -> list[str]:
    """The names of buildings or units. Raises InvalidInput."""
    return [
        single_line(name, LONGEST_DOOR, "名称", "the name", field=f"{field}.{index}.name")
        for index, name in enumerate(names)
    ]


def check_free(names: Iterable[object], taken: Collection[object], field: str) -> None:
    """Raises InvalidInput where a name is taken already, or comes twice."""
    seen = set(taken)
    for index, name in enumerate(names):
        if name in seen:
            raise InvalidInput(
                problem_zh="这个名称已经有了", problem_en="this name is taken", field=f"{field}.{index}.name"
            )
        seen.add(name)


def check_area(area: int, field: str) -> None:
    """`area` in hundredths of m². Raises InvalidInput."""
    if area <= 0:
        raise InvalidInput(problem_zh="面积要大于零", problem_en="an area is above zero", field=field)


def check_since(since: datetime, now: datetime, taken: Collection[datetime]) -> None:
    """Raises InvalidInput where a state would begin in the past, which rolls were formed by, or with another
    one of the same unit.
    """
    if since < now:
        raise InvalidInput(
            problem_zh="房屋状态不能从过去的时间开始",
            problem_en="a unit's state does not begin in the past",
            field="since",
        )
    if since in taken:
        raise InvalidInput(
            problem_zh="这个时间已经登记了一个状态",
            problem_en="a state of this unit begins at the same time",
            field="since",
        )
