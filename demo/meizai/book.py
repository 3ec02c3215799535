"""With whom 美哉美城 deals; the companies are invented."""

from demo.books import Accounts

ACCOUNTS = Accounts(
    carried=286_415_37,
    parking_week=5_860_00,
    parking_rent=12_600_00,
    premises=8_600_00,
    adverts=3_293_33,
    lockers=(("杭州蜂格网络科技有限公司", 1_800_00), ("浙江速驿物流科技有限公司", 1_500_00)),
    bikes=("杭州小蓄能源科技有限公司", 2_650_00),
    cars=("浙江桩到家新能源有限公司", 4_900_00),
    telecom=("杭州云塔通信服务有限公司", 6_600_00),
    agency="杭州梯影文化传媒有限公司",
    tenant="邻里便利店",
    repairer="杭州诚匠物业维修有限公司",
    auditor="杭州正衡会计师事务所",
    caterer="杭州乐聚文化活动有限公司",
    stall=400_00,
    allowance=2_700_00,
    top_up=205_000_00,
    rules="《业主大会议事规则》",
    manager="绿城物业",
    committee="业委会",
)
