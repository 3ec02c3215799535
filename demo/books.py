"""The book of an estate: what its common parts earn and cost, month by month. Amounts in fen."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import NamedTuple

from community.ledger.rules import INCOME_CATEGORIES, Category, Direction
from demo.chance import seeded
from demo.days import SATURDAY, Month, weekday_from

_CLAUSES = {
    Category.PARKING_COMMON: "第二十六条：共有场地停车收费标准",
    Category.ADVERTISING: "第二十七条：共有部位经营，合同一年一签",
    Category.PARCEL_LOCKER: "第二十七条：共有部位经营，合同一年一签",
    Category.CHARGING: "第二十七条：共有部位经营，合同一年一签",
    Category.SITE_RENT: "第二十八条：场地一天一租，标准公示",
    Category.PREMISES_RENT: "第二十八条：经营用房出租",
    Category.FUND_TOP_UP: "第三十条：半年结余主要补充专项维修资金",
    Category.REPAIR_UPGRADE: "第三十一条：单项三万元以内由{committee}集体决定",
    Category.OPERATING_COST: "第三十二条：合理成本据实列支",
    Category.COMMUNITY_EVENT: "第三十三条：社区活动全年不超过五万元",
    Category.COMMITTEE_COST: "第三十五条：办公经费每月不超过一千五百元",
    Category.ALLOWANCE: "第三十五条：委员通讯补贴",
    Category.AUDIT: "第三十六条：每年委托审计一次",
}
_KEPT_BY_THE_COMMITTEE = {
    Category.FUND_TOP_UP,
    Category.COMMUNITY_EVENT,
    Category.COMMITTEE_COST,
    Category.ALLOWANCE,
    Category.AUDIT,
}
_REPAIRS = (
    ("更换单元门闭门器 6 个", 1_680_00),
    ("疏通雨水管和清掏沙井", 2_860_00),
    ("路灯检修，换灯头 11 个", 3_190_00),
    ("儿童滑梯护栏焊补、刷漆", 2_240_00),
    ("补种麦冬和红叶石楠", 4_380_00),
    ("道闸起落杆和地感线圈更换", 3_760_00),
    ("地库集水井水泵检修", 4_920_00),
    ("监控硬盘更换 4 块", 3_360_00),
    ("修补花岗岩路面 26 平方米", 5_480_00),
    ("门厅吊顶漏水修复", 2_730_00),
    ("信报箱换锁 32 把", 1_120_00),
    ("垃圾房洗手池和感应龙头", 1_940_00),
    ("健身器材轴承更换", 1_560_00),
    ("树木修剪，清运枝叶 9 车", 6_300_00),
    ("消防栓箱玻璃和水带补齐", 2_980_00),
    ("地库交通标线重划", 5_850_00),
)
_STALLS = (
    "咖啡车展位",
    "家装咨询展位",
    "水果直销摊位",
    "净水器展位",
    "新能源车试驾展位",
    "旧衣回收展位",
    "少儿培训展位",
)
_DAMAGES = (
    ("撞坏北门道闸杆赔偿", 860_00),
    ("装修磕坏电梯轿厢赔偿", 1_200_00),
    ("搬家刮伤门厅墙砖赔偿", 480_00),
    ("撞坏路灯杆赔偿", 2_350_00),
)
# Neighbours drive away for the spring festival, and batteries drain faster in the cold.
_PARKING_SEASON = (96, 78, 98, 101, 102, 103, 100, 99, 102, 97, 104, 105)
_CHARGING_SEASON = (118, 106, 102, 96, 92, 95, 104, 106, 97, 94, 101, 113)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the common parts of an estate bring in a usual month, and with whom it deals."""

    carried: int
    parking_week: int
    parking_rent: int
    premises: int
    adverts: int
    lockers: tuple[tuple[str, int], tuple[str, int]]
    bikes: tuple[str, int]
    cars: tuple[str, int]
    telecom: tuple[str, int]
    agency: str
    tenant: str
    repairer: str
    auditor: str
    caterer: str
    stall: int
    allowance: int
    top_up: int
    rules: str
    manager: str
    committee: str


class Line(NamedTuple):
    """An entry of the book. `vote`: the title of the one that allows it; `undone`: when it is reversed."""

    day: date
    category: Category
    item: str
    amount: int
    counterparty: str | None = None
    voucher: str | None = None
    clause: str | None = None
    vote: str | None = None
    undone: date | None = None

    @property
    def direction(self) -> Direction:
        return Direction.INCOME if self.category in INCOME_CATEGORIES else Direction.EXPENSE

    @property
    def of_the_committee(self) -> bool:
        """It writes down what it spends itself and what the owners voted, the manager everything else."""
        return self.vote is not None or self.category in _KEPT_BY_THE_COMMITTEE


class Allowed(NamedTuple):
    """An adopted vote that income of a category rests on, from the day it closed."""

    title: str
    since: date


def month_lines(slug: str, accounts: Accounts, month: Month) -> Iterator[Line]:
    """What comes back every month, without vouchers and authorities; at least six lines by the third."""
    rng = seeded(slug, "book", *month)
    last = month.plus(-1)
    parking = _parking(slug, accounts, month)
    yield Line(month.day(1), Category.PREMISES_RENT, "经营用房租金", accounts.premises, accounts.tenant)
    yield from parking
    for day, (company, rent) in zip((2, 12), accounts.lockers, strict=True):
        yield Line(month.day(day), Category.PARCEL_LOCKER, f"{last.said}快递柜占地费", rent, company)
    for day, what, (company, usual) in ((2, "电动自行车", accounts.bikes), (5, "汽车", accounts.cars)):
        income = _about(rng, usual * _CHARGING_SEASON[last.month - 1] // 100)
        yield Line(month.day(day), Category.CHARGING, f"{last.said}{what}充电分成", income, company)
    yield Line(
        month.day(8), Category.ADVERTISING, f"{month.said}电梯门厅广告费", accounts.adverts, accounts.agency
    )
    yield from _now_and_then(rng, accounts, month)
    yield from _costs(rng, slug, accounts, month)
    yield from _of_the_season(rng, accounts, month)


def _about(rng: Random, usual: int) -> int:
    return round(usual * rng.uniform(0.91, 1.09))


def _parking(slug: str, accounts: Accounts, month: Month) -> list[Line]:
    rng = seeded(slug, "parking", *month)
    season = _PARKING_SEASON[month.month - 1]
    rent = accounts.parking_rent * rng.randint(96, 100) // 100
    return [
        Line(month.day(1), Category.PARKING_COMMON, f"{month.said}地面固定车位月租", rent, "车位承租人"),
        *(
            Line(
                month.day(day),
                Category.PARKING_COMMON,
                f"临时停车费（{month.month}月{day - 6}日至{day}日）",
                _about(rng, accounts.parking_week * season // 100) // 100 * 100,
                "临停车辆",
            )
            for day in (7, 14, 21, 28)
        ),
    ]


def _now_and_then(rng: Random, accounts: Accounts, month: Month) -> Iterator[Line]:
    for week, stall in enumerate(rng.sample(_STALLS, rng.choice((1, 2, 2, 3)))):
        day = min(weekday_from(month.day(4 + 8 * week), SATURDAY), month.day(31))
        yield Line(
            day, Category.SITE_RENT, f"周末{stall}场地费", accounts.stall * rng.randint(2, 5), "参展商户"
        )
    if rng.random() < 0.3:
        item, amount = rng.choice(_DAMAGES)
        yield Line(month.day(rng.randint(6, 26)), Category.COMPENSATION, item, amount, "责任人")
    yield Line(
        month.day(25), Category.OTHER, "废纸板和旧衣回收款", _about(rng, 420_00), "杭州净园再生资源有限公司"
    )
    for item, usual in rng.sample(_REPAIRS, rng.choice((1, 2, 2, 3))):
        day = month.day(rng.randint(8, 27))
        yield Line(day, Category.REPAIR_UPGRADE, item, _about(rng, usual) // 1000 * 1000, accounts.repairer)


def _costs(rng: Random, slug: str, accounts: Accounts, month: Month) -> Iterator[Line]:
    last = month.plus(-1)
    parked = sum(line.amount for line in _parking(slug, accounts, last))
    for day, item, amount, company in (
        (3, f"{last.said}停车管理成本（停车收入的 15%）", parked * 15 // 100, accounts.manager),
        (6, f"{last.said}共有部位用电", _about(rng, 2_150_00), "供电公司"),
        (10, f"{last.said}增值税及附加", parked * 36 // 1000, "税务局"),
    ):
        yield Line(month.day(day), Category.OPERATING_COST, item, amount, company)
    office = _about(rng, 760_00)
    yield Line(month.day(3), Category.COMMITTEE_COST, "打印、邮寄、会议茶水", office, "文印店")
    if month.month % 3 == 0:
        yield Line(month.day(20), Category.ALLOWANCE, "本季度委员通讯补贴", accounts.allowance, "委员")


def _of_the_season(rng: Random, accounts: Accounts, month: Month) -> Iterator[Line]:
    """Quarterly interest and rent of the masts, half-yearly top-up of the fund, the audit in April."""
    if month.month % 3 == 0:
        yield Line(month.day(21), Category.INTEREST, "共有收入账户结息", _about(rng, 186_00), "开户银行")
    if month.month % 3 == 1:
        company, rent = accounts.telecom
        yield Line(month.day(15), Category.TELECOM_SITE, "本季度通信基站场地费", rent, company)
    if month.month % 6 == 0:
        yield Line(
            month.day(26), Category.FUND_TOP_UP, "半年结余转入专项维修资金", accounts.top_up, "维修资金专户"
        )
    if month.month == 4:
        yield Line(month.day(18), Category.AUDIT, "上年度共有收入审计费", 12_000_00, accounts.auditor)


def mistake(accounts: Accounts, month: Month) -> Iterator[Line]:
    """A figure with a nought too many, taken back three days later and entered anew."""
    wrong = Line(
        month.day(16), Category.SITE_RENT, "周末亲子市集场地费", 18_000_00, "参展商户", undone=month.day(19)
    )
    yield wrong
    yield wrong._replace(day=month.day(19), amount=1_800_00, item="周末亲子市集场地费（更正）", undone=None)


def entered(lines: Iterable[Line], accounts: Accounts, allowed: Mapping[Category, Allowed]) -> list[Line]:
    """The lines in the order of the book, each with its voucher and what allows it."""
    ordered = sorted(lines, key=lambda line: (line.day, line.direction is Direction.EXPENSE))
    book: list[Line] = []
    for line in ordered:
        same_day = bool(book) and book[-1].day == line.day
        number = int(str(book[-1].voucher).rsplit("-", 1)[1]) + 1 if same_day else 1
        side = "收" if line.direction is Direction.INCOME else "付"
        voucher = f"{side}-{line.day:%Y%m%d}-{number}"
        book.append(_authorized(line._replace(voucher=voucher), accounts, allowed))
    return book


def _authorized(line: Line, accounts: Accounts, allowed: Mapping[Category, Allowed]) -> Line:
    """A vote of ours where there is one, else the clause, else nothing, which is shown as such."""
    if line.vote is not None or line.clause is not None or line.category not in _CLAUSES:
        return line
    vote = allowed.get(line.category)
    if vote is not None and vote.since < line.day:
        return line._replace(vote=vote.title)
    if line.category is Category.SITE_RENT and line.day.day % 5 == 0:
        return line  # somebody forgot to write down who had agreed
    return line._replace(clause=accounts.rules + _CLAUSES[line.category].format(committee=accounts.committee))
