"""Where neighbours of 钱塘山水湾 meet, often together with the whole 东信社区."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from demo.days import SATURDAY, SUNDAY, WEDNESDAY, weekday_before, weekday_from
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


def _carnival(day: date, taken: int) -> Gathering:
    return gathering(
        "儿童嘉年华",
        "泡泡秀、套圈、气球造型、吹糖人，还有一辆真的消防车。凭手环进场，一个孩子一份小礼物。\n"
        "场地小，名额按人数算，家长也算一个。请全程看护，嬉水池当天不开放。",
        "嬉水池广场",
        (RESIDENTS_COMMITTEE, OWNERS_COMMITTEE, PROPERTY_SERVICE),
        day,
        "09:00-11:30",
        taken=taken,
        capacity=120,
        most=4,
        lead=13,
        cost=7_850_00,
    )


def _service_day(day: date, taken: int) -> Gathering:
    return gathering(
        "便民服务进小区",
        "理发、磨刀、修伞、配钥匙、量血压、家电清洗咨询，都不收钱。刀具请用厚布包好。",
        "南大门内广场",
        (RESIDENTS_COMMITTEE, PROPERTY_SERVICE),
        day,
        "08:30-11:00",
        taken=taken,
        most=2,
        lead=14,
        cost=780_00,
    )


def _care(day: date, taken: int) -> Gathering:
    return gathering(
        "关爱孤寡老人：上门理发、包饺子",
        "小区里有 11 位独居老人。上午在社区包饺子，下午两人一组上门，陪着理发、换灯泡、"
        "擦油烟机。\n招 30 名志愿者，会包饺子的优先。",
        "社区邻里中心",
        (RESIDENTS_COMMITTEE, PARTY_BRANCH),
        day,
        "09:30-15:00",
        taken=taken,
        capacity=30,
        most=2,
        lead=15,
        cost=1_260_00,
    )


def coming(today: date, held: Collection[str]) -> Iterator[Gathering]:
    """`held`: the titles of events of the last ten months."""
    yield _carnival(weekday_from(today + timedelta(days=4), SATURDAY), 117)
    yield _care(weekday_from(today + timedelta(days=6), WEDNESDAY), 19)
    if "便民服务进小区" not in held:
        yield _service_day(weekday_from(today + timedelta(days=5), SUNDAY), 36)
    else:
        yield gathering(
            "垃圾分类督察小组招新",
            "社区、业委会、物业和业主组成督察小组，每周两次到各投放点看一看、帮一帮，只提醒，"
            "不罚款，不登记房号。",
            "垃圾房宣教室",
            (RESIDENTS_COMMITTEE, OWNERS_COMMITTEE, PROPERTY_SERVICE),
            weekday_from(today + timedelta(days=5), SUNDAY),
            "09:00-10:00",
            taken=12,
            capacity=20,
            most=2,
            lead=12,
        )


def past(today: date) -> Iterator[Gathering]:
    saturday, sunday = weekday_before(today, SATURDAY), weekday_before(today, SUNDAY)
    yield _carnival(saturday - timedelta(weeks=44), 120)
    for weeks, taken in ((6, 39), (20, 44), (34, 31)):
        yield _service_day(sunday - timedelta(weeks=weeks), taken)
    for weeks, taken in ((10, 28), (40, 30)):
        yield _care(weekday_before(today, WEDNESDAY) - timedelta(weeks=weeks), taken)
    yield gathering(
        "嬉水池开放体验日",
        "嬉水池换了循环过滤设备，开放前请邻居们先来试水。水质报告贴在池边，救生员全程值守，"
        "10 岁以下要大人陪。",
        "嬉水池",
        (OWNERS_COMMITTEE, PROPERTY_SERVICE),
        weekday_before(yearly(today, 7, 5)[0], SUNDAY),
        "15:00-17:30",
        taken=96,
        capacity=100,
        most=4,
        cost=2_200_00,
    )


def festivals(today: date) -> Iterator[Gathering]:
    for day in yearly(today, 3, 8):
        yield gathering(
            "女神节送花、送暖茶",
            "南大门和北门各备 180 枝花、两大桶红枣姜茶，上班出门领一枝、喝一杯。保洁和保安的大姐先领。",
            "南大门、北门",
            (RESIDENTS_COMMITTEE, PARTY_BRANCH, PROPERTY_SERVICE),
            day,
            "08:00-10:00",
            taken=102,
            most=2,
            lead=9,
            cost=1_720_00,
        )
    for day in mid_autumns(today):
        yield gathering(
            "中秋灯谜会",
            "灯谜、兔子灯、打糍粑。猜中五条换一盏灯，最后一起放江边的电子孔明灯，不用明火。",
            "江景平台",
            (RESIDENTS_COMMITTEE, OWNERS_COMMITTEE, PROPERTY_SERVICE),
            day,
            "18:30-21:00",
            taken=188,
            capacity=220,
            most=5,
            lead=12,
            cost=3_960_00,
        )
