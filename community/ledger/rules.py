"""The codes of communal income and spending (杭州市物业管理条例 30, 60), and what an entry must be."""

from datetime import date
from enum import StrEnum

from community.errors import ErrorCode, InvalidInput, Refused


class Direction(StrEnum):
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"


class Category(StrEnum):
    PARKING_COMMON = "PARKING_COMMON"
    ADVERTISING = "ADVERTISING"
    PREMISES_RENT = "PREMISES_RENT"
    SITE_RENT = "SITE_RENT"
    PARCEL_LOCKER = "PARCEL_LOCKER"
    TELECOM_SITE = "TELECOM_SITE"
    CHARGING = "CHARGING"
    COMPENSATION = "COMPENSATION"
    INTEREST = "INTEREST"
    OTHER = "OTHER"
    FUND_TOP_UP = "FUND_TOP_UP"
    REPAIR_UPGRADE = "REPAIR_UPGRADE"
    OPERATING_COST = "OPERATING_COST"
    COMMITTEE_COST = "COMMITTEE_COST"
    ALLOWANCE = "ALLOWANCE"
    AUDIT = "AUDIT"
    COMMUNITY_EVENT = "COMMUNITY_EVENT"
    OTHER_RESOLVED = "OTHER_RESOLVED"


INCOME_CATEGORIES = frozenset(list(Category)[: list(Category).index(Category.FUND_TOP_UP)])


class EntryReversed(Refused):
    code = ErrorCode.ENTRY_REVERSED
    zh = "这一笔已经冲正过了，或者它本身就是冲正。"
    en = "This entry was already reversed, or is itself a reversal."


def signed(direction: Direction, amount: int) -> int:
    """What an entry adds to the balance, in fen."""
    return amount if direction is Direction.INCOME else -amount


def check_entry(direction: Direction, category: Category, amount: int, on: date, today: date) -> None:
    """Raises InvalidInput for an amount below 0.01, a category of the other side, or a day to come."""
    if amount <= 0:
        raise InvalidInput(problem_zh="金额要大于零", problem_en="the amount must be above zero")
    if (category in INCOME_CATEGORIES) != (direction is Direction.INCOME):
        raise InvalidInput(
            problem_zh="收支方向和类别不一致",
            problem_en="this category belongs to the other side of the book",
        )
    if on > today:
        raise InvalidInput(problem_zh="日期不能晚于今天", problem_en="the date lies in the future")
