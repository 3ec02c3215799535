"""What 钱塘山水湾 votes on."""

from community.ledger.rules import Category
from community.votes.rules import FollowMajority, Matter
from demo.agendas import Agenda, Held
from demo.matters import (
    CLEARLY_FOR,
    NARROWLY_FOR,
    OVERWHELMINGLY_FOR,
    WITH_THE_OTHERS,
    Ask,
    Contract,
    Motion,
    resolution,
)

_TILES = Motion(
    "外墙瓷砖维修",
    "检测单位用红外和敲击逐面排查，全小区外墙瓷砖空鼓 214 处，其中 6 幢东立面成片空鼓，已拉警戒线。\n"
    "一、全小区零散空鼓处：切除、挂网、补砖，预算 318,000 元，由全体业主的维修资金按面积分摊。\n"
    "二、6 幢东立面 460 平方米：整体铲除后改做同色涂料，预算 142,600 元，只从 6 幢维修资金列支，"
    "只由 6 幢业主表决。\n"
    "两项都是三家比价后取最低，质保五年，吊篮施工期间请关窗。",
    (
        Ask(
            "全小区零散空鼓处维修",
            "同意从维修资金支出 318,000 元。",
            Matter.USE_FUND,
            CLEARLY_FOR,
        ),
        Ask(
            "6 幢东立面整体翻修",
            "同意从 6 幢维修资金支出 142,600 元。",
            Matter.USE_FUND,
            OVERWHELMINGLY_FOR,
            building="6幢",
        ),
    ),
)
_ENTRANCES = resolution(
    "门禁系统升级",
    "26 个单元门的门禁用了十年，主机停产，刷卡失灵每月报修二十多次。拟整体升级为刷卡、刷码、密码三用，"
    "访客由业主远程开门。不采集人脸。\n"
    "三家报价：104,000 元、97,600 元、112,500 元，拟选 97,600 元的一家，旧卡免费换新，质保三年，"
    "从共有收入列支。",
    Matter.SPEND_INCOME,
    "同意从共有收入支出 97,600 元升级门禁系统。",
    OVERWHELMINGLY_FOR,
    contract=Contract("杭州云岫安防工程有限公司", "单元门禁系统升级", 97_600_00),
)
_SEWAGE = resolution(
    "污水零直排改造",
    "街道统一实施“污水零直排”，阳台洗衣机的水要接进污水管，不再流进河道。"
    "涉及 26 个单元的阳台立管和园区 640 米管网。\n"
    "工程费由区里承担，业主不出钱。施工分四段，每段约十天，按楼幢提前三天通知，阳台立管需要入户半天。\n"
    "要改动共有的管道设施，赞同满四分之三才能开工。",
    Matter.REBUILD,
    "同意按公布的方案实施污水零直排改造。",
    OVERWHELMINGLY_FOR,
)
_ROADS = resolution(
    "园区道路修复",
    "零直排管网开挖后，园区主干道 2,860 平方米需要恢复，另有 11 处路面沉降。拟铣刨后重铺沥青，"
    "重划停车线和消防通道线。\n"
    "总价 264,000 元，区里补助 120,000 元，其余 144,000 元从维修资金列支，每平方米约 0.96 元，按面积分摊。",
    Matter.USE_FUND,
    "同意从维修资金支出 144,000 元修复园区道路。",
)
_CAMERAS = resolution(
    "安装高空抛物监控摄像头",
    "今年高空抛物 5 起，砸坏车辆 2 辆，找不到是谁。拟在各幢楼下安装仰拍摄像头 48 个，只拍外墙，"
    "室内自动遮挡，录像保存 60 天，调取须有公安或业委会两人在场。\n"
    "三家报价：83,400 元、78,900 元、91,000 元，拟选 78,900 元的一家，从共有收入列支。\n"
    "本次表决可以选“随多数”：跟着人数和面积都领先的一项算；没有一项都领先的，算弃权。",
    Matter.SPEND_INCOME,
    "同意从共有收入支出 78,900 元安装高空抛物监控摄像头。",
    WITH_THE_OTHERS,
    follow=FollowMajority.RESOLVE,
    contract=Contract("浙江望舒智能科技有限公司", "高空抛物监控摄像头", 78_900_00),
)
_OUTSIDE_SEATS = resolution(
    "南大门西侧场地出租给商铺外摆",
    "两家餐饮商铺提出租用南大门西侧 90 平方米场地摆桌椅，每年租金 64,000 元，"
    "17:00 到 21:30 营业，油烟不外排。\n"
    "1 幢、2 幢部分业主担心噪声和进出不便，意见一并公示。\n"
    "这是利用共有部分经营，赞同要满四分之三。没有通过就不出租。",
    Matter.CHANGE_COMMON_PARTS,
    "同意南大门西侧场地出租给商铺外摆，合同一年。",
    NARROWLY_FOR,
)
_PROCEDURE = resolution(
    "修订《业主大会议事规则》：小额支出限额",
    "现行规则规定共有收入单项支出超过三万元就要全体表决，路灯、门锁这类急修常常等上一个月。\n"
    "拟改为单项五万元以内、全年累计二十万元以内由业委会集体决定，七天内公布明细和票据；"
    "超过的仍由业主表决。",
    Matter.RULES_OF_PROCEDURE,
    "同意按公布的文本修订《业主大会议事规则》。",
)
_ADVERTS = resolution(
    "利用地下车库和电梯设置广告位",
    "拟在地下车库 36 根立柱和 38 部电梯轿厢设置广告位，不装声音。三家比价后年租金 118,000 元，"
    "合同一年一签。\n"
    "收入进共有收入账户，每半年公示。这是利用共有部分经营，赞同要满四分之三。",
    Matter.CHANGE_COMMON_PARTS,
    "同意利用地下车库和电梯设置广告位。",
    OVERWHELMINGLY_FOR,
    allows=Category.ADVERTISING,
)

_HISTORY = (
    Held(_ADVERTS, opens=-746, days=12, turnout=0.79),
    Held(_TILES, opens=-690, days=14, turnout=0.8),
    Held(_ENTRANCES, opens=-590, days=12, turnout=0.77),
    Held(_SEWAGE, opens=-480, days=14, turnout=0.83),
    Held(_ROADS, opens=-372, days=12, turnout=0.76),
    Held(_CAMERAS, opens=-260, days=12, turnout=0.79),
    Held(_OUTSIDE_SEATS, opens=-170, days=15, turnout=0.75),
    Held(_PROCEDURE, opens=-80, days=20, turnout=0.61),
)

_OPEN = Held(
    resolution(
        "停车场系统升级",
        "南北两个出入口的道闸是老系统，识别慢，晚高峰排到马路上；月卡只能到前台续费。"
        "拟升级车牌识别、线上续费和余位显示，"
        "访客车由业主自己登记。\n"
        "三家报价：148,000 元、136,800 元、155,600 元，拟选 136,800 元的一家，"
        "含三年维保和数据备份，从共有收入列支。\n"
        "停车收费标准不变。通过后三十天内完工，施工期间两个口轮流开放。",
        Matter.SPEND_INCOME,
        "同意从共有收入支出 136,800 元升级停车场系统。",
        CLEARLY_FOR,
    ),
    opens=-7,
    days=14,
    turnout=0.31,
)

_ANNOUNCED = Held(
    resolution(
        "园区景观灯更新改造",
        "水景和步道两侧 230 盏景观灯锈蚀漏电，已关停 140 盏。拟更换为低压 LED，22:30 后自动调暗，"
        "不照窗户。\n"
        "三家报价：126,000 元、115,400 元、131,800 元，拟选 115,400 元的一家，质保五年，从共有收入列支。",
        Matter.SPEND_INCOME,
        "同意从共有收入支出 115,400 元更新景观灯。",
    ),
    opens=6,
    days=14,
)

_ROTA = (
    resolution(
        "嬉水池升级改造",
        "嬉水池去年开放 58 天，水处理跟不上，池边砖打滑。拟更换循环过滤设备、铺防滑地砖、加围栏和遮阳，"
        "开放时由持证救生员值守。\n"
        "三家报价 92,000 元、87,500 元、99,800 元，拟选 87,500 元的一家，从共有收入列支。",
        Matter.SPEND_INCOME,
        "同意从共有收入支出 87,500 元升级嬉水池。",
    ),
    resolution(
        "小区南大门换新",
        "南大门门楼瓷砖脱落，雨棚漏水，人行通道窄。拟拆除旧门楼，改为人车分开的新门，"
        "图纸两个方案已征求过意见。\n"
        "总价 228,000 元由维修资金列支 128,000 元，街道补助 100,000 元。改建附属设施，赞同要满四分之三。",
        Matter.REBUILD,
        "同意按公布的图纸换新南大门。",
    ),
    resolution(
        "用维修资金更换 9 台生活水泵",
        "9 台生活水泵噪声超标，能耗高。拟更换为静音变频泵，三家报价取最低 163,700 元，"
        "每平方米约 1.09 元，质保三年。",
        Matter.USE_FUND,
        "同意从维修资金支出 163,700 元更换生活水泵。",
    ),
    resolution(
        "封闭式垃圾房加装除臭和冲洗设备",
        "垃圾房的桶位冲洗全靠人工。拟加装自动冲洗架和除臭设备，冲洗水进污水管。报价 43,600 元，"
        "从共有收入列支。",
        Matter.SPEND_INCOME,
        "同意从共有收入支出 43,600 元加装设备。",
    ),
)

AGENDA = Agenda(_HISTORY, _OPEN, _ANNOUNCED, _ROTA, answering=0.33)
