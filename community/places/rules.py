"""What a community is made of and what its profile settles."""

from dataclasses import dataclass
from enum import StrEnum

LONGEST_SLUG = 64


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
