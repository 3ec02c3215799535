"""What is put up on the board of 紫金西苑."""

from community.bulletin.rules import NoticeKind
from community.places.rules import OrganizationKind
from demo.notices import PARTY_BRANCH, PROPERTY_SERVICE, RESIDENTS_COMMITTEE, Paper

_COMMITTEE = OrganizationKind.MANAGEMENT_COMMITTEE

WATER_OFF = "6、7、8"

PAPERS = (
    Paper(
        2,
        "17:00",
        PROPERTY_SERVICE,
        "北门移门夜间关闭时间调整",
        "从下周一起，北门电子移门 23:00 到次日 5:30 关闭，行人侧门照常刷卡进出。夜班、"
        "航班晚归的车辆走南门，24 小时有人值守。",
    ),
    Paper(
        5,
        "10:15",
        _COMMITTEE,
        "南门地库坡道改造：图纸和行车绕行方案",
        "正在表决的坡道改造，设计图、复核意见和二十八天绕行方案放在北门岗亭旁的展板上，"
        "电子版请到物业前台拷贝。\n"
        "最多人问的三个问题：改造期能不能停进地库？能，走北门。"
        "电热融雪线一年用多少电？约 900 度。推行道有多宽？1.5 米。",
    ),
    Paper(
        8,
        "14:00",
        PROPERTY_SERVICE,
        "装修公示：23 幢 1 单元 402 室等 4 户",
        "以下 4 户已办理装修登记，工作日 8:30 到 11:30、14:00 到 17:30 施工，考试周暂停有噪声的工序：\n"
        "23 幢 1 单元 402 室、4 幢 1 单元 1604 室、11 幢 2 单元 801 室、19 幢 1 单元 1502 室。",
        NoticeKind.DISPLAY,
        lasts=30,
    ),
    Paper(
        13,
        "09:20",
        _COMMITTEE,
        "西门台阶完工，验收记录公示",
        "西门台阶已完工，由物管委两名业主代表、监理和物业共同验收，扶手和推车坡道已试用。\n"
        "决算 54,300 元，与表决的金额一致，留 3% 质保金一年后支付。验收记录和发票复印件贴在北门公告栏。",
        NoticeKind.DISPLAY,
        lasts=15,
    ),
    Paper(
        21,
        "16:30",
        PARTY_BRANCH,
        "小区党支部：护学岗招募",
        "每天 7:20 到 8:00 在北门和校车站各设两个护学岗，每人每周一次，领红马甲和反光棒。教职工、"
        "家长、退休老师都欢迎。",
    ),
    Paper(
        34,
        "11:10",
        RESIDENTS_COMMITTEE,
        "电子业主卡：已有 2,041 户领取",
        "小区 2,200 户，已有 2,041 户领取电子业主卡，投票、查账都在手机上完成。还没领的，"
        "带身份证和房产证到社区一楼，十分钟办好；"
        "出不了门的老人，我们上门办。\n不用电子卡也能投票，纸质票随时可以领。",
    ),
    Paper(
        66,
        "15:45",
        PROPERTY_SERVICE,
        "地库冲洗：分三晚进行",
        "地库分 A、B、C 三区，连续三晚 22:00 到次日 5:00 冲洗，当晚请把车停到其他区，挪不走的请留电话。",
    ),
    Paper(
        131,
        "10:00",
        _COMMITTEE,
        "12 幢屋面防水：三家报价公示",
        "三家报价 98,000 元、104,500 元、91,200 元，评审记录附后。费用只由 12 幢维修资金列支，"
        "其他楼幢不分摊。",
        NoticeKind.DISPLAY,
        lasts=15,
    ),
)
