"""The satisfaction survey (满意度调查) of every quarter."""

from collections.abc import Iterator
from datetime import date
from itertools import count

from community.votes.casting import VoteForm
from community.votes.rules import Matter
from demo.matters import Ask, Motion

_WHY = (
    "每季度征求一次意见，结果在公告栏公布，并作为本季度物业服务考核的依据之一。"
    "这是征求意见，不设门槛，也没有通过不通过。截止前可以改。\n"
    "同一位业主有几套房的，合填一份。文字意见只看内容，公布时不写房号。"
)
# Each with how many of a hundred mark it.
_SATISFACTION = (
    ("VERY_SATISFIED", "很满意", 27),
    ("SATISFIED", "满意", 44),
    ("FAIR", "一般", 19),
    ("DISSATISFIED", "不满意", 7),
    ("VERY_DISSATISFIED", "很不满意", 3),
)
_WISHES = (
    ("CLEANING", "楼道和园区保洁", 14),
    ("SECURITY", "门岗和夜间巡逻", 12),
    ("GREENERY", "绿化养护", 8),
    ("PARKING", "停车秩序", 24),
    ("REPAIRS", "报修的速度", 13),
    ("LIFTS", "电梯维保", 15),
    ("SORTING", "垃圾分类和清运", 9),
    ("OPENNESS", "收支公开", 5),
)
_REMARKS = (
    "{n}幢门口的路灯有两盏不亮，晚上看不清台阶。",
    "保安师傅很负责，下雨天帮忙推轮椅，谢谢。",
    "希望快递柜旁边加一个雨棚。",
    "{n}幢电梯关门太快，老人进出不方便。",
    "地库转弯的地方地坪漆掉了，下雨天打滑。",
    "晚上八点以后有人在楼下放音响，请管一管。",
    "报修第二天就来了，师傅还穿了鞋套，点赞。",
    "儿童乐园的沙坑该换沙了。",
    "{n}幢楼道里堆了纸箱，希望定期清理。",
    "建议电梯里的广告声音关小一点。",
    "遛狗不牵绳的还是有，希望多提醒。",
    "绿化修剪安排在周末早上有点吵，能不能晚一个小时？",
    "门禁有时候刷不开，要刷三四次。",
    "收支现在随时能查，这一点做得好。",
    "垃圾投放点洗手池经常没有水。",
    "外卖电动车在人行道上开得很快，请设减速带。",
    "充电桩不够用，晚上要排队。",
    "桂花开的时候园区真好看，园艺师傅辛苦了。",
    "{n}幢西侧排水口下雨就积水。",
    "希望多办几次磨刀、修伞、理发这样的便民服务。",
    "访客停车登记能不能在手机上办？",
    "电梯检修请提前一天贴通知。",
    "{n}幢屋顶的水箱盖好像没有锁。",
    "没有意见，继续保持。",
)


def survey(title: str) -> Motion:
    """A survey of satisfaction; whoever answered may change the answer until it closes."""
    satisfied = Ask(
        "您对这个季度的物业服务满意吗？",
        "请按您家这三个月的实际感受选一项。",
        Matter.CONSULTATION,
        leaning=tuple((code, share) for code, _, share in _SATISFACTION),
        choices=tuple((code, label) for code, label, _ in _SATISFACTION),
    )
    wishes = Ask(
        "下个季度最该改进什么？",
        "最多选三项，也可以写几句话。",
        Matter.CONSULTATION,
        leaning=tuple((code, share) for code, _, share in _WISHES),
        choices=tuple((code, label) for code, label, _ in _WISHES),
        most=3,
        remarks=_REMARKS,
    )
    return Motion(title, _WHY, (satisfied, wishes), revisable=True, form=VoteForm.CONSULTATION)


def survey_titles(day: date) -> Iterator[str]:
    """2027年第一季度满意度调查, and what a second one in the same quarter is called."""
    quarter = f"{day.year}年第{'一二三四'[(day.month - 1) // 3]}季度满意度调查"
    yield quarter
    yield from (f"{quarter}（第{number}次）" for number in count(2))
