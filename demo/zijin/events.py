"""Where neighbours of 紫金西苑 meet."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from demo.days import FRIDAY, SATURDAY, SUNDAY, weekday_before, weekday_from
from demo.gatherings import (
    MANAGEMENT_COMMITTEE,
    PARTY_BRANCH,
    PROPERTY_SERVICE,
    RESIDENTS_COMMITTEE,
    Gathering,
    gathering,
    mid_autumns,
    yearly,
)

_TALK = "周末科学课堂："
_TALKS = (
    ("叶子里藏着几种颜色", "从叶绿素讲到花青素，带一片叶子来，现场做纸层析，看看颜色藏在哪里。"),
    ("桥为什么不会塌", "用冰棍棒搭一座一米长的桥，再一点点加重，看它从哪里先坏。"),
    ("看得见的声音", "沙子会跳舞，水会唱歌。带一只玻璃杯来，一起做驻波实验。"),
    ("细菌是好是坏", "显微镜下看酸奶、泡菜和手指头。每个孩子带走一张自己拍的照片。"),
    ("一滴水里有什么", "带一小瓶湖水来，用显微镜找水蚤和硅藻，再测一测浊度和酸碱。"),
    ("密码是怎么算出来的", "从凯撒密码到公开的钥匙，两人一组，互相破译一封信。"),
    ("纸飞机里的空气", "折三种纸飞机，用烟线看气流，再比一比谁飞得稳。"),
    ("今晚的星空", "天文望远镜三台，看月亮环形山。阴天改在架空层做星座投影。"),
)


def _talk(number: int, day: date, taken: int) -> Gathering:
    title, about = _TALKS[number]
    return gathering(
        _TALK + title,
        f"{about}\n主讲是住在小区里的邻居老师，不收费。小学二年级以上，家长陪同，座位有限，"
        f"来不了请提前取消，让给别的孩子。",
        "9 幢架空层",
        (RESIDENTS_COMMITTEE, MANAGEMENT_COMMITTEE),
        day,
        "15:00-16:30",
        taken=taken,
        capacity=60,
        most=3,
        lead=12,
        cost=480_00,
    )


def _service_day(day: date, taken: int) -> Gathering:
    return gathering(
        "便民服务：修电脑、磨刀、理发、法律咨询",
        "修电脑手机、磨刀、理发、修自行车，还有邻居律师做法律咨询，都不收钱。\n修电脑请先备份，"
        "硬盘里的东西自己保管。",
        "北门广场",
        (PARTY_BRANCH, PROPERTY_SERVICE),
        day,
        "09:00-11:00",
        taken=taken,
        most=2,
        lead=14,
        cost=720_00,
    )


def coming(today: date, held: Collection[str]) -> Iterator[Gathering]:
    """`held`: the titles of events of the last ten months."""
    fresh = (number for number, (title, _) in enumerate(_TALKS) if _TALK + title not in held)
    yield _talk(next(fresh, 0), weekday_from(today + timedelta(days=4), SATURDAY), 58)
    yield _service_day(weekday_from(today + timedelta(days=6), SUNDAY), 41)
    yield gathering(
        "敲门送餐：关爱孤寡老人志愿者招募",
        "小区里 80 岁以上独居的老人有 19 位。每周五中午送一次热饭，顺便聊几句、看看水电煤。\n"
        "两人一组，结伴上门，本次招 24 名志愿者，饭由社区食堂准备。",
        "社区食堂集合",
        (RESIDENTS_COMMITTEE, PARTY_BRANCH),
        weekday_from(today + timedelta(days=5), FRIDAY),
        "10:30-12:30",
        taken=17,
        capacity=24,
        most=2,
        lead=13,
        cost=1_150_00,
    )


def past(today: date) -> Iterator[Gathering]:
    saturday, sunday = weekday_before(today, SATURDAY), weekday_before(today, SUNDAY)
    for number, (weeks, taken) in enumerate(((4, 60), (12, 57), (23, 60), (37, 54)), start=1):
        yield _talk(number, saturday - timedelta(weeks=weeks), taken)
    for weeks, taken in ((8, 44), (29, 37)):
        yield _service_day(sunday - timedelta(weeks=weeks), taken)
    yield gathering(
        "亲子运动会",
        "袋鼠跳、两人三足、拔河、四乘五十米接力，按楼幢组队，赢了的楼幢把流动红旗挂在门厅。",
        "环湖步道和大草坪",
        (MANAGEMENT_COMMITTEE, PROPERTY_SERVICE),
        sunday - timedelta(weeks=26),
        "09:00-11:30",
        taken=233,
        capacity=240,
        most=5,
        cost=5_320_00,
    )
    yield gathering(
        "旧书换新友",
        "带三本读过的书来，换三本没读过的。剩下的书放进架空层的共享书架。",
        "16 幢架空层",
        (RESIDENTS_COMMITTEE,),
        saturday - timedelta(weeks=17),
        "14:00-16:00",
        taken=88,
        most=4,
        cost=350_00,
    )


def festivals(today: date) -> Iterator[Gathering]:
    for day in yearly(today, 3, 8):
        yield gathering(
            "女神节送花",
            "北门岗亭备了 260 枝康乃馨，教职工班车站另有 100 枝，领一枝，道一声好。",
            "北门岗亭",
            (PARTY_BRANCH, PROPERTY_SERVICE),
            day,
            "08:00-09:30",
            taken=76,
            most=2,
            lead=8,
            cost=1_380_00,
        )
    for day in mid_autumns(today):
        yield gathering(
            "中秋灯谜会",
            "二百条灯谜一半是邻居们自己出的，最难的一条去年没人猜中，今年继续挂着。备有月饼和桂花茶。",
            "湖边长廊",
            (RESIDENTS_COMMITTEE, MANAGEMENT_COMMITTEE),
            day,
            "18:30-20:30",
            taken=148,
            capacity=180,
            most=5,
            lead=12,
            cost=2_640_00,
        )
