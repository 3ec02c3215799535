"""Where neighbours of 美哉美城 meet."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from demo.days import SATURDAY, SUNDAY, weekday_before, weekday_from
from demo.gatherings import (
    OWNERS_COMMITTEE,
    PARTY_BRANCH,
    PROPERTY_SERVICE,
    RESIDENTS_COMMITTEE,
    Gathering,
    gathering,
    mid_autumns,
    yearly,
)
from demo.numerals import numeral

_FIRST_FAIR_YEAR = 2023
_THREE = (RESIDENTS_COMMITTEE, OWNERS_COMMITTEE, PROPERTY_SERVICE)


def _fair(number: int, day: date, taken: int) -> Gathering:
    return gathering(
        f"第{numeral(number)}届美城美邻节",
        "60 桌，一桌 10 人，一家带一个拿手菜，够四五个人尝就行。请用不怕摔的盘子，贴上楼幢房号，"
        "吃完好认领。\n"
        "16:00 摆桌，17:00 开席，18:30 起是邻居们自编自演的节目。想上台的请到物业前台登记，"
        "音响和灯光已备好。\n"
        "碗筷、饮料和长桌由业委会准备。老人席和婴儿车位靠近 4 幢，有雨就挪到地下车库 B 区。"
        "租住的邻居一样欢迎。",
        "中心广场",
        _THREE,
        day,
        "16:00-20:30",
        taken=taken,
        capacity=600,
        most=6,
        potluck=True,
        lead=14,
        cost=12_600_00,
    )


def _service_day(day: date, taken: int) -> Gathering:
    return gathering(
        "便民服务日：磨刀、修伞、理发、量血压",
        "磨剪刀菜刀、修伞、配钥匙、理发、修小家电、量血压测血糖，都不收钱。刀具请用厚布包好。\n"
        "理发每人约 15 分钟，先到先理；65 岁以上的老人可以预约上门。",
        "东门架空层",
        (RESIDENTS_COMMITTEE, PARTY_BRANCH, PROPERTY_SERVICE),
        day,
        "09:00-11:30",
        taken=taken,
        most=3,
        lead=11,
        cost=860_00,
    )


def coming(today: date, held: Collection[str]) -> Iterator[Gathering]:
    """`held`: the titles of events of the last ten months."""
    if not any("美邻节" in title for title in held):
        day = weekday_from(today + timedelta(days=4), SATURDAY)
        yield _fair(day.year - _FIRST_FAIR_YEAR + 1, day, 487)
    yield _service_day(weekday_from(today + timedelta(days=3), SUNDAY), 58)
    yield gathering(
        "儿童跳蚤市场",
        "孩子自己当摊主，旧书、玩具、手工都可以卖，单价不超过 20 元，也可以以物换物。"
        "每家一张垫子，地上摆摊，不用搭棚。\n"
        "结束前半小时集中清场，没卖掉又不想带走的，由党支部转送山区小学。",
        "儿童乐园北侧草坪",
        (OWNERS_COMMITTEE, PARTY_BRANCH),
        weekday_from(today + timedelta(days=8), SATURDAY),
        "09:30-11:30",
        taken=46,
        capacity=80,
        lead=16,
    )


def past(today: date) -> Iterator[Gathering]:
    fair = weekday_from(today + timedelta(days=4), SATURDAY)
    yield _fair(fair.year - _FIRST_FAIR_YEAR, fair - timedelta(weeks=52), 596)
    for weeks, taken in ((5, 64), (18, 71), (31, 52), (44, 66)):
        yield _service_day(weekday_before(today, SUNDAY) - timedelta(weeks=weeks), taken)
    yield gathering(
        "新邻居见面会",
        "这半年新搬来的业主和租户，来认认门：物业报修怎么报、垃圾怎么分、车停哪里、孩子上学找谁。\n"
        "网格员、楼长、物业管家都在，茶水点心管够。",
        "社区二楼议事厅",
        (RESIDENTS_COMMITTEE, PARTY_BRANCH),
        weekday_before(today, SATURDAY) - timedelta(weeks=9),
        "14:00-15:30",
        taken=57,
        capacity=60,
        most=2,
        cost=640_00,
    )
    yield gathering(
        "儿童嘉年华",
        "套圈、泡泡秀、吹糖人、消防车开放日。凭手环进场，一个孩子一份小礼物，家长请全程看护。",
        "中心广场",
        _THREE,
        weekday_before(today, SATURDAY) - timedelta(weeks=22),
        "09:00-12:00",
        taken=286,
        capacity=300,
        most=5,
        lead=15,
        cost=9_400_00,
    )


def festivals(today: date) -> Iterator[Gathering]:
    for day in yearly(today, 3, 8):
        yield gathering(
            "女神节送花、送暖茶",
            "东门、南门各备 200 枝花和热姜茶，上班路上领一枝。外卖和快递的姐妹也有份。",
            "东门、南门岗亭",
            (PARTY_BRANCH, PROPERTY_SERVICE),
            day,
            "08:00-10:00",
            taken=94,
            most=2,
            lead=9,
            cost=1_960_00,
        )
    for day in mid_autumns(today):
        yield gathering(
            "中秋灯谜会",
            "三百条灯谜挂满长廊，猜中撕条领奖，一家最多领三份。19:30 起分月饼、话家常。",
            "景观长廊",
            (RESIDENTS_COMMITTEE, OWNERS_COMMITTEE),
            day,
            "18:30-20:30",
            taken=172,
            capacity=200,
            most=5,
            lead=12,
            cost=3_480_00,
        )
