"""Places: what the tests that ask the same of every topic take as examples."""

from collections.abc import Mapping
from typing import Any

from community.permissions import Permission, Role
from schema.nodes import to_id
from tests.community.database.breaking import insert
from tests.examples import Examples, Ground, MutationExample, Read
from tests.schema.documents import A_COMMUNITY, COMMUNITIES, ROOT, aliases, pages


async def ids(ground: Ground) -> Mapping[str, str]:
    town = ground.house.town
    return {
        "community": to_id("Community", ground.community),
        "slug": ground.slug,
        "public": str(ground.slug == "spring").lower(),
        "building": town.id("Building", f"{ground.slug}/1幢"),
        "organization": town.id("Organization", f"{ground.slug}/committee"),
    }


async def set_public_reading_example(house: Any) -> MutationExample:
    return MutationExample(
        "mutation($community: ID!, $public: Boolean!, $key: String)"
        " { setPublicReading(communityId: $community, public: $public, key: $key) { id publicReading } }",
        "spring/committee",
        {"community": house.town.id("Community", "spring"), "public": False},
        [],
        [{"public": True}],
    )


A_BOARD = 'board(communityId: "{community}", after: "{start}") {{ %s }}'
THE_BOARD = "subscription($spring: ID!, $start: String) { board(communityId: $spring, after: $start) { %s } }"

EXAMPLES = Examples(
    permissions={
        Permission.SETTLE_PROFILE: {Role.COMMITTEE, Role.MANAGEMENT_COMMITTEE},
        Permission.FOUND_COMMUNITY: {Role.REGULATOR},
        Permission.KEEP_REGISTER: {Role.REGULATOR},
    },
    violations=[
        ("unit_state_area_positive", insert("unit_state", area=0)),
        ("unit_state_area_positive", insert("unit_state", area=-1)),
    ],
    others={
        "community": "SELECT id + 1 AS id FROM community",
        "building": "SELECT id FROM building",
    },
    ours={
        "building.name": "the demonstration's",
        "community.address": "the demonstration's",
        "community.name": "the demonstration's",
        "community.slug": "the demonstration's",
        "community_profile.time_zone": "Asia/Shanghai",
        "organization.name": "the demonstration's",
        "unit.name": "the demonstration's",
    },
    nodes={
        "Community": ("spring", "quiet"),
        "Building": ("spring/1幢", "quiet/1幢"),
        "Organization": ("spring/committee", "quiet/committee"),
    },
    mutations={"setPublicReading": set_public_reading_example},
    ids=ids,
    reads={
        "errorCodes": Read("errorCodes"),
        "communities": Read("communities(first: 100) {{ edges {{ node {{ slug }} }} }}", "edges.node.slug"),
        "community": Read(A_COMMUNITY % "slug households buildings {{ name }} organizations {{ name }}"),
        "Community.viewerPermissions": Read(A_COMMUNITY % "viewerPermissions", "viewerPermissions"),
        "node(Community)": Read('node(id: "{community}") {{ id }}'),
        "node(Building)": Read('node(id: "{building}") {{ ... on Building {{ name }} }}'),
        "BoardItem.change": Read(A_BOARD % "change {{ fact }}", "change", live=True),
        "BoardChange.subject": Read(A_BOARD % "change {{ subject {{ id }} }}", "change.subject", live=True),
        "node(Organization)": Read('node(id: "{organization}") {{ ... on Organization {{ name }} }}'),
    },
    doors={"setPublicReading": 'setPublicReading(communityId: "{community}", public: {public}) {{ id }}'},
    watches={"board": A_BOARD % "cursor"},
    live={"board"},
    ways={"Community": "%s", "Building": "buildings { %s }", "Organization": "organizations { %s }"},
    by_viewer={"Query.node"},
    ways_to_one={"Query": ROOT, "BoardItem": THE_BOARD, "BoardChange": THE_BOARD % "change { %s }"},
    arguments={"Query.community": lambda town: '(slug: "spring")'},
    by_key={"community": lambda town: [f'slug: "{slug}"' for slug in ("spring", "quiet", "winter")]},
    dearest={
        "buildings": COMMUNITIES % aliases("buildings { name units }"),
        "organizations": COMMUNITIES % aliases("organizations { name }"),
        "communities of many lengths": ROOT
        % pages("communities", "edges { node { buildings { units } votes { edges { node { title } } } } }"),
    },
)
