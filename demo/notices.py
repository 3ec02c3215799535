"""What is put up on the board between votes and gatherings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from community.bulletin.rules import NoticeKind
from community.ledger.rules import Direction
from community.places.rules import OrganizationKind
from demo.books import Line
from demo.days import SUNDAY, Month, at, said, weekday_from
from demo.estates import Site

RESIDENTS_COMMITTEE = OrganizationKind.RESIDENTS_COMMITTEE
PARTY_BRANCH = OrganizationKind.PARTY_BRANCH
PROPERTY_SERVICE = OrganizationKind.PROPERTY_SERVICE


@dataclass(frozen=True, slots=True)
class PlannedNotice:
    published_at: datetime
    by: OrganizationKind
    title: str
    body: str
    kind: NoticeKind = NoticeKind.NOTICE
    effective_from: datetime | None = None
    effective_until: datetime | None = None


class Paper(NamedTuple):
    """A notice that hung so many days ago. In its words {day} is the day it went up."""

    ago: int
    clock: str
    by: OrganizationKind
    title: str
    body: str
    kind: NoticeKind = NoticeKind.NOTICE
    lasts: int = 0
    """Days for which it is on display from its publication."""


def papers(today: date, hung: Iterable[Paper]) -> Iterator[PlannedNotice]:
    for paper in hung:
        day = today - timedelta(days=paper.ago)
        since = at(day, paper.clock)
        until = since + timedelta(days=paper.lasts) if paper.lasts else None
        yield PlannedNotice(
            since,
            paper.by,
            paper.title,
            paper.body.format(day=said(day)),
            paper.kind,
            since if until else None,
            until,
        )


def water_off(today: date, buildings: str) -> PlannedNotice:
    """The water is off on the coming Sunday morning."""
    sunday = weekday_from(today + timedelta(days=2), SUNDAY)
    return PlannedNotice(
        at(today - timedelta(days=1), "16:10"),
        PROPERTY_SERVICE,
        f"周日上午 {buildings} 幢停水",
        f"{said(sunday)}9:00 到 12:00，清洗二次供水水箱，{buildings} 幢停水三小时，请提前存水。\n"
        "来水后先放两分钟再用，头几分钟水可能发黄，属正常现象。水质检测报告三天内贴在门厅。\n"
        "有卧床病人或婴儿的家庭需要送水上门，请打物业前台电话登记。",
        effective_from=at(sunday, "09:00"),
        effective_until=at(sunday, "12:00"),
    )


def yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02}"


def half_years(site: Site, book: Iterable[Line], today: date) -> Iterator[PlannedNotice]:
    """The halves of the year that the book holds whole, each displayed on the 10th after its end."""
    lines = [line for line in book if line.undone is None]
    balance = 0
    first = Month.of(lines[0].day)
    start = first if first.month % 6 == 1 else first.plus((1 - first.month) % 6)
    balance += _net(line for line in lines if line.day < start.day(1))
    while (shown := start.plus(6).day(10)) < today:
        half = [line for line in lines if start.day(1) <= line.day < start.plus(6).day(1)]
        yield _half_year(site, start, half, balance, shown)
        balance += _net(half)
        start = start.plus(6)


def _net(lines: Iterable[Line]) -> int:
    return sum(line.amount if line.direction is Direction.INCOME else -line.amount for line in lines)


def _half_year(site: Site, start: Month, half: list[Line], opening: int, shown: date) -> PlannedNotice:
    name = f"{start.year}年{'上' if start.month == 1 else '下'}半年"
    income = sum(line.amount for line in half if line.direction is Direction.INCOME)
    expense = income - _net(half)
    since = at(shown, "09:30")
    return PlannedNotice(
        since,
        site.committee,
        f"{name}共有收入收支公示",
        f"期初结余 {yuan(opening)} 元，收入 {yuan(income)} 元，支出 {yuan(expense)} 元，"
        f"期末结余 {yuan(opening + income - expense)} 元。\n"
        "每一笔的对方、凭证号和依据都在“共有收入账”里，随时可以查。"
        "公示十五天，有疑问请书面提出，逐条答复；要看原始凭证，工作日到办公室登记查阅。",
        NoticeKind.DISPLAY,
        since,
        since + timedelta(days=15),
    )
