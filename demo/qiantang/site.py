"""How 钱塘山水湾 is built and run."""

from community.places.rules import OrganizationKind
from demo.estates import Block, Site

_VILLA_ROW = Block(2, 11, (16834, 13970))
_SLAB = Block(2, 18, (13970, 12752))
_TOWER = Block(1, 25, (13970, 8920, 8920, 12752))

SITE = Site(
    slug="qiantang-shanshuiwan",
    name="钱塘山水湾",
    address="滨江区浦沿街道东信社区",
    households=1180,
    residents=3540,
    owner_cards=1046,
    organizations={
        OrganizationKind.RESIDENTS_COMMITTEE: "东信社区居民委员会",
        OrganizationKind.PARTY_BRANCH: "钱塘山水湾小区党支部",
        OrganizationKind.OWNERS_COMMITTEE: "钱塘山水湾小区业主委员会",
        OrganizationKind.PROPERTY_SERVICE: "中海物业",
    },
    blocks=(
        *(_VILLA_ROW, _VILLA_ROW, _VILLA_ROW, _SLAB, _SLAB, _TOWER, _TOWER, _TOWER),
        *(_VILLA_ROW, _VILLA_ROW, _SLAB, _SLAB, _SLAB, _TOWER, _TOWER, _TOWER),
        Block(0, 0, (), shops=(5836, 6120, 7455, 9210, 5836, 12688, 6120, 8742, 7455, 5836, 16240, 6120) * 2),
    ),
    parties=1172,
    tenants=36,
    parking=120,
    unsold=0,
    undelivered=2,
    first_home="5幢1单元602室",
)
