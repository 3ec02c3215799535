"""The codes of communal income and spending (杭州市物业管理条例 30, 60), and what an entry must be."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import reduce
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from community.errors import ErrorCode, InvalidInput, Refused
from community.votes.rules import Matter, Outcome


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

LONGEST_ITEM = 120
LONGEST_COUNTERPARTY = 120
LONGEST_VOUCHER = 64
LONGEST_CLAUSE = 200
LONGEST_REASON = 100

MOST_FEN = 10**13
"""A hundred billion yuan; beyond it somebody slipped."""

EARLIEST = date(1990, 1, 1)
"""Before this no estate had a book; a year like 0026 is a slip."""


class AuthorityFault(StrEnum):
    """Why a vote allows no entry of the book."""

    NOT_COUNTED = "NOT_COUNTED"
    NOT_ADOPTED = "NOT_ADOPTED"
    NO_QUORUM = "NO_QUORUM"
    ANNULLED = "ANNULLED"
    CONSULTATION = "CONSULTATION"
    OTHER_MATTER = "OTHER_MATTER"


class EntryReversed(Refused):
    code = ErrorCode.ENTRY_REVERSED
    zh = "这一笔已经冲正过了，或者它本身就是冲正。"
    en = "This entry was already reversed, or is itself a reversal."


class ForeignVote(InvalidInput):
    zh = "填写有误：依据的表决不是本小区的"
    en = "Invalid input: the vote is not one of this community"


class AuthorityInvalid(Refused):
    """`fault` says why; the rule is a statute's, and the clause of the 议事规则 the other way (HZ 16(10))."""

    code = ErrorCode.AUTHORITY_INVALID
    zh = "这次表决不能作为这一笔的依据：{why_zh}。请改写依据的条款，或等通过了再记。"
    en = (
        "This vote does not authorise the entry: {why_en}."
        " Name the clause that does, or record the entry once a vote has."
    )


def signed(direction: Direction, amount: int) -> int:
    """What an entry adds to the balance, in fen."""
    return amount if direction is Direction.INCOME else -amount


def check_entry(direction: Direction, category: Category, amount: int, on: date, today: date) -> None:
    """Raises InvalidInput for an amount below 0.01, a category of the other side, or a day to come.

    Also for amounts above MOST_FEN and days before EARLIEST, which can only be slips.
    """
    if amount <= 0:
        raise InvalidInput(
            problem_zh="金额要大于零", problem_en="the amount must be above zero", field="entry.amount"
        )
    if amount > MOST_FEN:
        raise InvalidInput(
            problem_zh=f"金额太大了，最多 {MOST_FEN // 100} 元",
            problem_en=f"the amount is too large, it is {MOST_FEN // 100} yuan at most",
            field="entry.amount",
        )
    if (category in INCOME_CATEGORIES) != (direction is Direction.INCOME):
        raise InvalidInput(
            problem_zh="收支方向和类别不一致",
            problem_en="this category belongs to the other side of the book",
            field="entry.category",
        )
    if on > today:
        raise InvalidInput(
            problem_zh="日期不能晚于今天", problem_en="the date lies in the future", field="entry.date"
        )
    if on < EARLIEST:
        raise InvalidInput(
            problem_zh=f"日期太早了，最早是 {EARLIEST}",
            problem_en=f"the date lies too far back, {EARLIEST} is the earliest",
            field="entry.date",
        )


def check_reversal(reverses: int | None, *, reversed_before: bool) -> None:
    """`reverses`: what the entry to be taken back itself takes back. Raises EntryReversed."""
    if reverses is not None or reversed_before:
        raise EntryReversed


class Decided(NamedTuple):
    """One question of a vote. `whole`: all owners were asked; `outcome`: None until all is counted."""

    matter: Matter
    whole: bool
    outcome: Outcome | None


class Resolution(NamedTuple):
    """A vote, as far as it may allow an entry."""

    consultation: bool
    annulled: bool
    decided: Sequence[Decided]


ALLOWED_BY: Mapping[Direction, Matter] = MappingProxyType(
    {Direction.INCOME: Matter.CHANGE_COMMON_PARTS, Direction.EXPENSE: Matter.SPEND_INCOME}
)
"""Common parts earn where three quarters allow their use for business (民法典 278(8)); what they earned is
spent by a resolution of its own, or within the limits of the 议事规则 (杭州市物业管理条例 16(10)). The
maintenance fund is another purse, and one building does not decide over the money of all."""

_FAULTS: Mapping[AuthorityFault, tuple[str, str]] = MappingProxyType(
    {
        AuthorityFault.NOT_COUNTED: ("它还没有计票", "it has not been counted"),
        AuthorityFault.NOT_ADOPTED: (
            "它没有通过，或有关的议题没有全部通过",
            "it was not adopted, or not every question that bears on it was",
        ),
        AuthorityFault.NO_QUORUM: ("参加表决的人数或面积不够，没有通过", "too few owners took part in it"),
        AuthorityFault.ANNULLED: ("它已被撤销", "it was annulled"),
        AuthorityFault.CONSULTATION: ("它只是征求意见，不决定事项", "it only asked for opinions"),
        AuthorityFault.OTHER_MATTER: (
            "它不是全体业主就{matter_zh}作出的决定",
            "it is no decision of all owners on {matter_en}",
        ),
    }
)
_MATTERS = {
    Direction.INCOME: ("利用共有部分经营", "using common parts for business"),
    Direction.EXPENSE: ("使用共有收入", "spending communal income"),
}


def fault_of(direction: Direction, vote: Resolution) -> AuthorityFault | None:
    """Why the vote does not allow an entry of this side; None where it does.

    That the vote is over says nothing: only the closing count adopts. And it is all or nothing: an entry
    does not say which question of the vote it means, so that one adopted would allow what was voted down.
    """
    fitting = [question for question in vote.decided if question.matter is ALLOWED_BY[direction]]
    outcomes = {question.outcome for question in fitting}
    if vote.annulled:
        return AuthorityFault.ANNULLED
    if vote.consultation:
        return AuthorityFault.CONSULTATION
    if not any(question.whole for question in fitting):
        return AuthorityFault.OTHER_MATTER
    if outcomes == {Outcome.ADOPTED}:
        return None
    if not outcomes.isdisjoint({None, Outcome.PENDING}):
        return AuthorityFault.NOT_COUNTED
    return AuthorityFault.NOT_ADOPTED if Outcome.NOT_ADOPTED in outcomes else AuthorityFault.NO_QUORUM


def check_authority(direction: Direction, vote: Resolution) -> None:
    """Raises AuthorityInvalid."""
    if (fault := fault_of(direction, vote)) is not None:
        (why_zh, why_en), (matter_zh, matter_en) = _FAULTS[fault], _MATTERS[direction]
        raise AuthorityInvalid(
            why_zh=why_zh.format(matter_zh=matter_zh),
            why_en=why_en.format(matter_en=matter_en),
            field="entry.authorityVoteId",
        )


class Undone(NamedTuple):
    """Of a sum, what other entries took back, now or later, and what takes back others, which is negative."""

    reversed: int = 0
    reversals: int = 0

    def __or__(self, other: "Undone") -> "Undone":
        return Undone(self.reversed + other.reversed, self.reversals + other.reversals)


NOTHING_UNDONE = Undone()


class DaySum(NamedTuple):
    """What `entries` entries of one day, direction and category add up to."""

    date: date
    direction: Direction
    category: Category
    amount: int
    entries: int
    undone: Undone = NOTHING_UNDONE


@dataclass(frozen=True, slots=True)
class CategoryTotal:
    direction: Direction
    category: Category
    amount: int
    undone: Undone = NOTHING_UNDONE


@dataclass(frozen=True, slots=True)
class MonthRow:
    """`opening` + `income` − `expense` = `closing`, which is the next month's opening. In fen."""

    month: str
    opening: int
    income: int
    expense: int
    closing: int
    entries: int
    categories: list[CategoryTotal]

    def undone(self, direction: Direction) -> Undone:
        found = (total.undone for total in self.categories if total.direction is direction)
        return reduce(Undone.__or__, found, NOTHING_UNDONE)


@dataclass(frozen=True, slots=True)
class YearRow:
    """The months of a calendar year that the book has, from `months[0]`; they add up as a month does."""

    year: int
    months: Sequence[MonthRow]

    @property
    def opening(self) -> int:
        return self.months[0].opening

    @property
    def income(self) -> int:
        return sum(month.income for month in self.months)

    @property
    def expense(self) -> int:
        return sum(month.expense for month in self.months)

    @property
    def closing(self) -> int:
        return self.months[-1].closing

    @property
    def entries(self) -> int:
        return sum(month.entries for month in self.months)

    def undone(self, direction: Direction) -> Undone:
        return reduce(Undone.__or__, (month.undone(direction) for month in self.months), NOTHING_UNDONE)


def month_of_day(day: date) -> str:
    return day.isoformat()[:7]


def days_of(month: str, field: str = "month") -> tuple[date, date]:
    """The first and the last day of a month YYYY-MM. Raises InvalidInput where there is none such."""
    try:
        if not re.fullmatch("[0-9]{4}-[0-9]{2}", month):
            raise ValueError
        start = date.fromisoformat(f"{month}-01")
        return start, _next_month(start) - timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidInput(
            problem_zh="月份写作 2026-05", problem_en="a month is written 2026-05", field=field
        ) from None


def _next_month(start: date) -> date:
    return (start + timedelta(days=31)).replace(day=1)


def fold_months(sums: Iterable[DaySum]) -> list[MonthRow]:
    """Every month from the first day's to the last one's without gaps, in order."""
    ordered = sorted(sums, key=lambda one: one.date)
    found = {month: list(days) for month, days in groupby(ordered, key=lambda one: month_of_day(one.date))}
    months: list[MonthRow] = []
    start = ordered[0].date.replace(day=1) if ordered else date.max
    while ordered and start <= ordered[-1].date:
        month = month_of_day(start)
        months.append(_fold(month, months[-1].closing if months else 0, found.get(month, [])))
        start = _next_month(start)
    return months


def _fold(month: str, opening: int, sums: Sequence[DaySum]) -> MonthRow:
    totals: defaultdict[tuple[Direction, Category], int] = defaultdict(int)
    undone: defaultdict[tuple[Direction, Category], Undone] = defaultdict(Undone)
    for one in sums:
        totals[one.direction, one.category] += one.amount
        undone[one.direction, one.category] |= one.undone
    income = sum(amount for (direction, _), amount in totals.items() if direction is Direction.INCOME)
    expense = sum(amount for (direction, _), amount in totals.items() if direction is Direction.EXPENSE)
    order = list(Category)
    largest_first = sorted(totals.items(), key=lambda total: (-total[1], order.index(total[0][1])))
    return MonthRow(
        month=month,
        opening=opening,
        income=income,
        expense=expense,
        closing=opening + income - expense,
        entries=sum(one.entries for one in sums),
        categories=[CategoryTotal(*kind, amount, undone[kind]) for kind, amount in largest_first],
    )


def month_in(months: Sequence[MonthRow], month: str) -> MonthRow | None:
    """The month among `months`; a quiet one after the last, None before the first. Raises InvalidInput."""
    days_of(month)
    if not months or month < months[0].month:
        return None
    if month > months[-1].month:
        return _fold(month, months[-1].closing, [])
    return next(row for row in months if row.month == month)


def months_before(months: Sequence[MonthRow], before: str | None) -> Sequence[MonthRow]:
    """Those that lie before the month `before`, oldest first. Raises InvalidInput for no such month."""
    if before is None:
        return months
    days_of(before, field="before")
    return [row for row in months if row.month < before]


def fold_years(months: Sequence[MonthRow]) -> list[YearRow]:
    """Every calendar year that has one of `months`, oldest first."""
    return [YearRow(int(year), list(own)) for year, own in groupby(months, key=lambda month: month.month[:4])]


class BookLine(NamedTuple):
    id: int
    number: int
    direction: Direction
    category: Category
    amount: int
    balance: int
    reverses: int | None


def check_chain(lines: Sequence[BookLine], months: Sequence[MonthRow]) -> list[str]:
    """Every difference between the book, in the order of its numbers, and what it adds up to."""
    problems: list[str] = []
    by_id = {line.id: line for line in lines}
    taken_back: set[int] = set()
    balance = 0
    for expected, line in enumerate(lines, start=1):
        balance += signed(line.direction, line.amount)
        if line.number != expected:
            problems.append(f"entry {line.number}: stands at place {expected}")
        if line.balance != balance:
            problems.append(f"entry {line.number}: says balance {line.balance}, adds up to {balance}")
        if line.reverses is not None:
            problems += _check_reversal_line(line, by_id.get(line.reverses), taken_back)
    closing = months[-1].closing if months else 0
    if closing != balance:
        problems.append(f"the months close with {closing}, the entries with {balance}")
    return problems


def _check_reversal_line(line: BookLine, original: BookLine | None, taken_back: set[int]) -> list[str]:
    if original is None:
        return [f"entry {line.number}: reverses an entry that is not in this book"]
    if original.id in taken_back:
        return [f"entry {line.number}: reverses entry {original.number} once more"]
    taken_back.add(original.id)
    whole = (original.direction, original.category, -original.amount)
    if (line.direction, line.category, line.amount) != whole or original.reverses is not None:
        return [f"entry {line.number}: does not take back entry {original.number} whole"]
    return []
