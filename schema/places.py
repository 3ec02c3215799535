"""Where a community lies, its buildings and the parties that run it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Annotated, Any, TypeVar

import strawberry

from community.database.paging import Page
from community.errors import NotFound
from community.permissions import Permission, may, permissions_in
from community.places.facts import BUILDING, ORGANIZATION
from community.places.reads import (
    BuildingRow,
    CommunityRow,
    OrganizationRow,
    buildings_of,
    organizations_of,
)
from community.places.rules import OrganizationKind
from schema.context import Context
from schema.cost import Price, Prices
from schema.fields import brought, in_context
from schema.marks import BY_RIGHTS
from schema.nodes import Node

Numbered = Annotated[
    int,
    strawberry.argument(
        description="From 1, counted in this community alone; as it stands in a short address on paper."
        " 在本小区内的编号，从 1 起。"
    ),
]

R = TypeVar("R")
ReadByNumber = Callable[[Collection[int], int], Awaitable[Mapping[int, R]]]

NOTHING: Page[Any] = Page([], more=False)
"""What a list shows of what the viewer may not see."""


@strawberry.type(
    description="A building (幢) of a community, with its exclusive units. Known to whoever may know"
    " of the community."
    " 小区里的一幢楼。"
)
class Building(Node, subject=BUILDING, row=BuildingRow):
    name: str = strawberry.field(
        description="As it is painted on the wall, such as 3幢. 楼的叫法，例如 3幢。"
    )
    units: int = strawberry.field(
        description="The number of exclusive units (专有部分) in it: dwellings, shops, parking"
        " spaces."
        " 这幢楼有多少个专有部分。"
    )


@strawberry.type(
    description="One of the parties that run a community together; whoever acts for it appears under"
    " its name, never under their own."
    " 共同治理小区的一方，发布时署它的名，不署个人的名。"
)
class Organization(Node, subject=ORGANIZATION, row=OrganizationRow):
    kind: OrganizationKind = strawberry.field(
        description="Which of the parties by law or custom it is. 是哪一方。"
    )
    name: str = strawberry.field(description="The full name, as its neighbours call it. 单位的名称。")


def shows_bulletin(context: Context, community: CommunityRow) -> bool:
    return may(context.viewer, Permission.READ_BULLETIN, community.scope)


async def numbered(context: Context, community: CommunityRow, read: ReadByNumber[R], number: int) -> R | None:
    """What has this number in the community; None where there is nothing, or where it may not be seen."""
    if not shows_bulletin(context, community):
        return None
    return await context.loaders.of(read, number).load(community.id)


@strawberry.type
class PlacesOfCommunity:
    slug: str = strawberry.field(
        description="Its short name in addresses, up to 64 letters, digits and hyphens, such as"
        " meizai-meicheng; it never changes."
        " 网址里的短名，不会改变。"
    )

    name: str = strawberry.field(description="As people say it, such as 美哉美城. 小区的名称。")

    address: str = strawberry.field(
        description="District, sub-district and street, for whoever looks for it on a map."
        " 所在的区、街道和门牌。"
    )

    households: int = strawberry.field(
        description="How many families live here, tenants included; not the number of owners."
        " 居住的户数，租户也算，与业主人数不同。"
    )

    residents: int | None = strawberry.field(
        description="How many people live in it; null where nobody has counted them."
        " 居住的人数，没有统计过的为 null。"
    )

    owner_cards: int | None = strawberry.field(
        description="Households with an electronic owner card (电子业主卡) of the city; null where"
        " that is unknown."
        " 领了电子业主卡的户数，不清楚的为 null。"
    )

    public_reading: bool = in_context(
        lambda row, context: row.profile.public_reading,
        description="True where everybody may read tallies, events, notices and the ledger without"
        " signing in; the committee settles it by `setPublicReading`."
        " 是否不登录也能看，由业委会（物管委）决定。",
    )

    viewer_permissions: list[Permission] = in_context(
        lambda row, context: permissions_in(context.viewer, row.scope),
        description="What the viewer may do here, also without signing in, so that a page draws only"
        " buttons that work. It follows from the viewer's roles, and from the scopes of"
        " the token."
        " 当前的人在这个小区能办什么。",
        metadata=BY_RIGHTS,
    )

    buildings: list[Building] = brought(
        lambda loaders: loaders.of(buildings_of),
        "id",
        description="All buildings, in the order in which the estate numbers them. 全部楼幢，按编号排列。",
    )

    organizations: list[Organization] = brought(
        lambda loaders: loaders.of(organizations_of),
        "id",
        description="The parties that stand today: residents' committee, party branch, owners'"
        " committee or 物管委, property service."
        " 现任的各方：社区、党支部、业委会或物管委、物业。",
    )


def community_by(key: str, *, description: str) -> Any:
    """A field for the community of a row, by its key there; hidden from who may no longer know of it."""
    return brought(
        lambda loaders: loaders.communities, key, hidden=True, description=description, metadata=BY_RIGHTS
    )


async def community_row(context: Context, key: int) -> CommunityRow:
    """The community of something that the viewer saw a moment ago. Raises NotFound where no longer."""
    row = await context.loaders.communities.load(key)
    if row is None:
        raise NotFound
    return row


PRICES: Prices = {
    "Community.viewerPermissions": Price(size=12),
    "Community.buildings": Price(statements=1, size=20),
    "Community.organizations": Price(statements=1, size=5),
}
