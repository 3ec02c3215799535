"""How 美哉美城 is built and run."""

from community.places.rules import OrganizationKind
from demo.estates import Block, Site

_MID_RISE = Block(2, 11, (11320, 8960))
_LONG_MID_RISE = Block(3, 11, (8960, 8960))
_SLAB = Block(2, 18, (13854, 8960))
_LOWER_SLAB = Block(2, 17, (11320, 11320))
_TOWER = Block(1, 26, (11320, 8960, 8960, 13854))
_SHOPS = (6842, 7215, 5530, 11876)
_TOWER_WITH_SHOPS = _TOWER._replace(lowest=2, shops=_SHOPS)

SITE = Site(
    slug="meizai-meicheng",
    name="美哉美城",
    address="萧山区盈丰街道美哉社区",
    households=1670,
    residents=6120,
    owner_cards=1318,
    organizations={
        OrganizationKind.RESIDENTS_COMMITTEE: "美哉社区居民委员会",
        OrganizationKind.PARTY_BRANCH: "美哉美城小区党支部",
        OrganizationKind.OWNERS_COMMITTEE: "美哉美城小区业主委员会",
        OrganizationKind.PROPERTY_SERVICE: "绿城物业",
    },
    blocks=(
        *(_TOWER_WITH_SHOPS, _TOWER_WITH_SHOPS),
        *(_SLAB, _SLAB, _MID_RISE, _MID_RISE, _SLAB, _SLAB, _LOWER_SLAB, _MID_RISE, _LONG_MID_RISE),
        *(_SLAB, _SLAB, _LOWER_SLAB, _MID_RISE, _MID_RISE, _SLAB, _SLAB),
        *(_LOWER_SLAB._replace(lowest=2, shops=_SHOPS), _TOWER, _TOWER, _TOWER_WITH_SHOPS, _TOWER_WITH_SHOPS),
    ),
    parties=1651,
    tenants=64,
    parking=80,
    unsold=4,
    undelivered=3,
    first_home="3幢2单元1102室",
)
