"""How 紫金西苑 is built and run."""

from community.places.rules import OrganizationKind
from demo.estates import Block, Site

_SLAB = Block(2, 18, (12636, 10540))
_TALL_SLAB = Block(2, 22, (13972, 12636))
_LOWER_SLAB = Block(2, 15, (12636, 12636))
_TOWER = Block(1, 26, (12636, 8985, 8985, 10540))

SITE = Site(
    slug="zijin-xiyuan",
    name="紫金西苑",
    address="西湖区三墩镇墩西社区",
    households=2200,
    residents=6480,
    owner_cards=2041,
    organizations={
        OrganizationKind.RESIDENTS_COMMITTEE: "墩西社区居民委员会",
        OrganizationKind.PARTY_BRANCH: "紫金西苑小区党支部",
        OrganizationKind.MANAGEMENT_COMMITTEE: "紫金西苑物业管理委员会",
        OrganizationKind.PROPERTY_SERVICE: "浙大求是物业",
    },
    blocks=(
        *(_TOWER, _TOWER, _TOWER, _TOWER),
        *(_SLAB, _SLAB, _SLAB, _SLAB, _LOWER_SLAB, _SLAB, _TALL_SLAB, _TALL_SLAB, _TALL_SLAB),
        *(_SLAB, _SLAB, _LOWER_SLAB, _SLAB, _SLAB, _SLAB, _TALL_SLAB, _TALL_SLAB, _TALL_SLAB),
        *(_TOWER, _TOWER, _TOWER, _TOWER),
        Block(0, 0, (), shops=(5260, 5260, 7384, 9615, 6120, 6120, 8846, 11290, 5260, 7384, 6120, 14372)),
    ),
    parties=2188,
    tenants=30,
    parking=60,
    unsold=3,
    undelivered=1,
    first_home="6幢1单元902室",
)
