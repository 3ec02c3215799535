"""What is put up on the board of 钱塘山水湾."""

from community.bulletin.rules import NoticeKind
from community.places.rules import OrganizationKind
from demo.notices import PARTY_BRANCH, PROPERTY_SERVICE, RESIDENTS_COMMITTEE, Paper

_COMMITTEE = OrganizationKind.OWNERS_COMMITTEE

WATER_OFF = "4、11、13"

PAPERS = (
    Paper(
        2,
        "11:40",
        RESIDENTS_COMMITTEE,
        "垃圾分类督察：本周看了 14 个投放点",
        "社区、业委会、物业组成的督察小组本周看了 14 个投放点：11 个摆放整齐、地面干净；"
        "3 个易腐垃圾桶里有塑料袋，"
        "已现场提醒，明天复查。\n垃圾房桶位冲洗区保持清爽，保洁师傅辛苦了。",
    ),
    Paper(
        5,
        "09:30",
        _COMMITTEE,
        "停车场系统升级：答业主问",
        "正在表决的停车场系统升级，业主问得最多的是：涨不涨价？不涨，收费标准不变。"
        "旧月卡怎么办？余额自动转入。"
        "识别不了怎么办？岗亭 24 小时有人。\n三家报价和演示记录在物业前台可以查阅。",
    ),
    Paper(
        7,
        "15:00",
        PROPERTY_SERVICE,
        "装修公示：12 幢 2 单元 901 室等 3 户",
        "以下 3 户已办理装修登记，工作日 8:30 到 11:30、14:00 到 17:30 施工：\n"
        "12 幢 2 单元 901 室、15 幢 1 单元 702 室、2 幢 1 单元 1102 室。",
        NoticeKind.DISPLAY,
        lasts=30,
    ),
    Paper(
        12,
        "10:20",
        PARTY_BRANCH,
        "小区党支部：红色物业接待日",
        "每月一次，党支部、业委会、物业经理一起坐班，面对面听意见，能当场办的当场办。"
        "本次收到 17 条，办结 12 条，"
        "其余 5 条写明了谁来办、几天办完，贴在南大门公告栏。",
    ),
    Paper(
        19,
        "16:00",
        PROPERTY_SERVICE,
        "外墙例行敲击检查：请关好窗户",
        "瓷砖维修质保期内，施工单位下周对 3、6、9 幢外墙做例行敲击检查，吊篮经过时请关窗、"
        "收衣服，空调外机上不要放东西。",
    ),
    Paper(
        37,
        "14:30",
        RESIDENTS_COMMITTEE,
        "省高标准生活垃圾分类示范小区复查通过",
        "复查组看了垃圾房、14 个投放点和三个月的台账，复查通过。谢谢每一位把垃圾分好再下楼的邻居。",
    ),
    Paper(
        58,
        "09:50",
        _COMMITTEE,
        "高空抛物摄像头：调取规则公示",
        "48 个摄像头只拍外墙，录像保存 60 天。调取须有公安人员，或业委会两名委员同时在场，"
        "每次登记时间和事由。"
        "半年公布一次调取次数，不公布画面。",
        NoticeKind.DISPLAY,
        lasts=15,
    ),
    Paper(
        127,
        "17:20",
        PROPERTY_SERVICE,
        "暴雨天气提醒",
        "请收好阳台花盆和晾衣架，地库入口已备沙袋，低洼车位的车请挪到 B1 东区。值班电话 24 小时有人接。",
    ),
)
