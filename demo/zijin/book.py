"""With whom 紫金西苑 deals; the companies are invented."""

from demo.books import Accounts

ACCOUNTS = Accounts(
    carried=268_960_48,
    parking_week=6_420_00,
    parking_rent=14_400_00,
    premises=9_800_00,
    adverts=2_860_00,
    lockers=(("杭州蜂格网络科技有限公司", 1_800_00), ("浙江速驿物流科技有限公司", 1_800_00)),
    bikes=("杭州小蓄能源科技有限公司", 3_480_00),
    cars=("浙江桩到家新能源有限公司", 6_150_00),
    telecom=("杭州云塔通信服务有限公司", 7_500_00),
    agency="杭州梯影文化传媒有限公司",
    tenant="晨光书吧",
    repairer="杭州石映建设有限公司",
    auditor="杭州正衡会计师事务所",
    caterer="杭州乐聚文化活动有限公司",
    stall=300_00,
    allowance=1_800_00,
    top_up=195_000_00,
    rules="《业主大会议事规则》",
    manager="浙大求是物业",
    committee="物管委",
)
