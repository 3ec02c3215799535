"""With whom 钱塘山水湾 deals; the companies are invented."""

from demo.books import Accounts

ACCOUNTS = Accounts(
    carried=314_370_05,
    parking_week=4_380_00,
    parking_rent=9_900_00,
    premises=11_200_00,
    adverts=9_833_33,
    lockers=(("浙江速驿物流科技有限公司", 1_350_00), ("杭州蜂格网络科技有限公司", 1_200_00)),
    bikes=("杭州小蓄能源科技有限公司", 1_380_00),
    cars=("浙江桩到家新能源有限公司", 5_720_00),
    telecom=("杭州云塔通信服务有限公司", 6_000_00),
    agency="杭州江屏广告有限公司",
    tenant="江畔咖啡馆",
    repairer="杭州诚匠物业维修有限公司",
    auditor="浙江信达会计师事务所",
    caterer="滨江邻里餐饮服务部",
    stall=450_00,
    allowance=2_100_00,
    top_up=190_000_00,
    rules="《业主大会议事规则》",
    manager="中海物业",
    committee="业委会",
)
