"""What 紫金西苑 votes on; its 物管委 convenes."""

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

_DRAIN = resolution(
    "垃圾房区域修建水沟",
    "垃圾房门前没有排水沟，冲洗水漫到路面，夏天有气味。拟沿垃圾房三面修建带篦子的水沟 86 米，接入污水井，"
    "并把冲洗区地面做成 1% 的坡。\n"
    "三家报价：38,200 元、35,600 元、41,000 元，拟选 35,600 元的一家，工期十二天，"
    "施工期间垃圾改由东侧临时点投放。\n"
    "费用从共有收入列支，超过议事规则单项三万元的限额，所以提交业主表决。",
    Matter.SPEND_INCOME,
    "同意从共有收入支出 35,600 元修建水沟。",
    OVERWHELMINGLY_FOR,
    contract=Contract("杭州禾丰市政工程有限公司", "垃圾房区域修建水沟", 35_600_00),
)
_GATE = Motion(
    "电子移门加装工程",
    "北门现在只有道闸，行人、外卖电动车和汽车混行，去年发生剐蹭 9 起。拟加装一道电子移门，人车分开，"
    "业主刷卡、刷码或扫访客码进出，不采集人脸。\n"
    "三家报价：132,000 元、126,500 元、148,000 元，拟选 126,500 元的一家，含两年维保。\n"
    "加装移门属于改建附属设施，赞同要满四分之三；费用从共有收入列支，赞同过半数。两个议题都通过才施工。",
    (
        Ask("在北门加装电子移门", "同意按公布的方案加装。", Matter.REBUILD, OVERWHELMINGLY_FOR),
        Ask(
            "费用从共有收入列支",
            "同意从共有收入支出 126,500 元。",
            Matter.SPEND_INCOME,
            CLEARLY_FOR,
        ),
    ),
    contract=Contract("浙江恒岳智能科技有限公司", "北门电子移门加装", 126_500_00),
)
_BENCHES = resolution(
    "儿童游乐区增设长椅",
    "儿童游乐区每天傍晚有六七十个孩子，看护的老人没有地方坐。"
    "拟沿塑胶场地外圈增设防腐木长椅 18 张，其中 6 张带靠背扶手，"
    "另加两处遮阳棚。\n"
    "报价 46,800 元，含安装和三年质保，从共有收入列支。\n"
    "本次表决可以选“随多数”：赞同、反对、弃权中哪一项在人数和面积上都领先，就跟着算哪一项；"
    "都不领先的，算弃权。",
    Matter.SPEND_INCOME,
    "同意从共有收入支出 46,800 元增设长椅和遮阳棚。",
    WITH_THE_OTHERS,
    follow=FollowMajority.RESOLVE,
    contract=Contract("杭州木里景观工程有限公司", "儿童游乐区长椅和遮阳棚", 46_800_00),
)
_COVENANT = resolution(
    "修订《管理规约》：空调外机和太阳能的安装",
    "交付以来外立面陆续加装了各种外机支架，已掉落两次。修订内容：外机一律装在预留机位，"
    "太阳能和晾衣架不出外墙线，"
    "装修前把图纸交物业核对。\n"
    "修订稿在公告栏公示十五天，收到意见 41 条，采纳 26 条，答复附后。",
    Matter.COVENANT,
    "同意按公布的文本修订《管理规约》。",
)
_ROOF = resolution(
    "用维修资金翻修 12 幢屋面防水",
    "12 幢 22 层四户渗水，热成像检测认定女儿墙根部防水开裂。拟翻修屋面 540 平方米并重做女儿墙泛水。\n"
    "三家报价 98,000 元、104,500 元、91,200 元，拟选 91,200 元的一家，质保五年。\n"
    "费用只从 12 幢业主的维修资金账户列支，只由 12 幢业主表决。",
    Matter.USE_FUND,
    "同意用 12 幢的维修资金翻修屋面防水。",
    OVERWHELMINGLY_FOR,
    building="12幢",
)
_PARKING_GREEN = resolution(
    "西侧绿地改建 24 个临时车位",
    "晚间回家的车找不到位子，主干道两侧停满。有 187 户业主联名提出，"
    "把西侧围墙内 310 平方米绿地改成植草砖车位 24 个。\n"
    "改建费约 72,000 元。园林部门答复：改变绿地用途还须另行报批。反对的业主认为绿地本来就少，"
    "意见一并公示。\n"
    "改变共有部分的用途，赞同要满四分之三。没有通过，绿地维持原样。",
    Matter.CHANGE_COMMON_PARTS,
    "同意把西侧绿地改建为 24 个临时车位。",
    NARROWLY_FOR,
)
_STEPS = resolution(
    "西门铺设台阶",
    "西门到公交站要绕行 260 米，很多人踩着草坡下去，雨天摔过三位老人。"
    "拟在草坡上铺设花岗岩台阶 32 级，中间设平台，"
    "两侧装扶手，另留一条推车坡道。\n"
    "三家报价：58,900 元、54,300 元、63,500 元，拟选 54,300 元的一家，工期二十天，从共有收入列支。",
    Matter.SPEND_INCOME,
    "同意从共有收入支出 54,300 元铺设西门台阶。",
    OVERWHELMINGLY_FOR,
    contract=Contract("杭州石映建设有限公司", "西门铺设台阶", 54_300_00),
)
_LOCKERS = resolution(
    "在南北两门设置快递柜",
    "两门岗亭旁各设一组快递柜，共 6 组 540 格，两家公司各三组，避免独家涨价。业主 48 小时内取件不收费。\n"
    "占地费每组每年 7,200 元，合计 43,200 元，进共有收入账户。这是利用共有部分经营，赞同要满四分之三。",
    Matter.CHANGE_COMMON_PARTS,
    "同意在南北两门设置快递柜，合同两年。",
    OVERWHELMINGLY_FOR,
    allows=Category.PARCEL_LOCKER,
)

_HISTORY = (
    Held(_LOCKERS, opens=-741, days=12, turnout=0.8),
    Held(_DRAIN, opens=-560, days=14, turnout=0.79),
    Held(_GATE, opens=-455, days=14, turnout=0.83),
    Held(_BENCHES, opens=-330, days=12, turnout=0.77),
    Held(_COVENANT, opens=-236, days=15, turnout=0.58),
    Held(_ROOF, opens=-152, days=10, turnout=0.85),
    Held(_PARKING_GREEN, opens=-99, days=14, turnout=0.78),
    Held(_STEPS, opens=-46, days=10, turnout=0.8),
)

_OPEN = Held(
    resolution(
        "南门地库坡道改造",
        "南门地库坡道坡度 15%，雨雪天车轮打滑，电动自行车推不上来，今年已有 4 起追尾。"
        "拟把出口段放缓到 12%，"
        "铺防滑金刚砂地坪，加雨棚、截水沟和电热融雪线，并单独划出 1.5 米宽的推行道。\n"
        "工程费 386,000 元由建设单位按质保协议承担，不动用维修资金，也不动用共有收入。"
        "设计图经原设计院复核。\n"
        "改造期二十八天，其间改走北门。这是改建附属设施，赞同要满四分之三。",
        Matter.REBUILD,
        "同意按公布的图纸改造南门地库坡道。",
        CLEARLY_FOR,
    ),
    opens=-5,
    days=11,
    turnout=0.34,
)

_ANNOUNCED = Held(
    resolution(
        "续聘浙大求是物业为物业服务人",
        "前期物业服务合同即将到期。物管委组织了三轮座谈和一次满意度调查，并向四家企业询价。\n"
        "续聘方案：服务期三年，物业费 2.35 元/平方米·月不变；每月公布一次报修完成情况，"
        "地库每季度冲洗一次，大件垃圾免费清运每月两次。\n"
        "没有通过的，由物管委在六十天内组织公开选聘。",
        Matter.ENGAGE_PROVIDER,
        "同意续聘浙大求是物业，服务期三年。",
    ),
    opens=7,
    days=14,
)

_ROTA = (
    resolution(
        "从共有收入更换健身步道塑胶面层",
        "环湖步道 860 米的塑胶面层起鼓开裂，报修 37 次。拟铲除重铺，选用环保面层，"
        "完工后第三方检测合格才付尾款。\n"
        "三家报价 118,000 元、109,600 元、125,400 元，拟选 109,600 元的一家，从共有收入列支。",
        Matter.SPEND_INCOME,
        "同意从共有收入支出 109,600 元重铺步道面层。",
    ),
    resolution(
        "用维修资金更换 18 部电梯的主板",
        "18 部电梯主板停产，坏一块要等两周。拟由原厂整批更换为新型号，合计 214,200 元，质保三年。\n"
        "费用从维修资金列支，每平方米约 0.84 元，按面积分摊。",
        Matter.USE_FUND,
        "同意从维修资金支出 214,200 元更换电梯主板。",
    ),
    resolution(
        "架空层设自习室和共享书架",
        "9 幢、16 幢架空层各约 120 平方米，现在堆放杂物。拟改为自习室，装玻璃隔断、照明和空调，"
        "9:00 到 22:00 开放。\n"
        "预算 84,000 元由学校工会和社区资助。改变共有部分的用途，赞同要满四分之三。",
        Matter.CHANGE_COMMON_PARTS,
        "同意把两处架空层改为自习室。",
    ),
    resolution(
        "从共有收入更新园区监控 62 路",
        "园区监控有 62 路是交付时的模拟摄像头，夜间看不清车牌。拟换成数字摄像头，只对公共区域，不对窗户。\n"
        "三家报价 93,500 元、88,000 元、97,200 元，拟选 88,000 元的一家。",
        Matter.SPEND_INCOME,
        "同意从共有收入支出 88,000 元更新监控。",
    ),
)

AGENDA = Agenda(_HISTORY, _OPEN, _ANNOUNCED, _ROTA, answering=0.27)
