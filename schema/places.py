"""Where a community lies, its buildings, the parties that run it, and all that happens there."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import strawberry

from community.catalogue import catalogue
from community.corrections import signer, signers
from community.database.feed import ItemRow
from community.database.paging import Page
from community.errors import NotFound
from community.permissions import Permission, may, permissions_in, require
from community.places.facts import BOARD, BUILDING, ORGANIZATION
from community.places.reads import (
    BuildingRow,
    CommunityRow,
    OrganizationRow,
    buildings_of,
    organizations_of,
)
from community.places.rules import OrganizationKind
from schema.context import Context, Info
from schema.cost import Price, Prices
from schema.eligibility import Eligibility
from schema.enums import BoardFact
from schema.fields import brought, in_context
from schema.live import WatchedId, live
from schema.marks import BY_RIGHTS
from schema.nodes import NODES, Node, to_id

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


async def may_correct(
    context: Context,
    permission: Permission,
    community: int,
    signing: Sequence[int],
    *rules: Callable[[], object],
) -> Eligibility:
    """Whether the viewer may mend what these `signing` organizations published by the permission."""
    viewer, row = context.viewer, await community_row(context, community)
    theirs = signers(viewer, permission, community, signing)
    return Eligibility.after(
        lambda: require(viewer, permission, row.scope, Permission.READ_BULLETIN),
        lambda: signer(theirs),
        *rules,
    )


async def community_row(context: Context, key: int) -> CommunityRow:
    """The community of something that the viewer saw a moment ago. Raises NotFound where no longer."""
    row = await context.loaders.communities.load(key)
    if row is None:
        raise NotFound
    return row


async def _subject(root: Any, info: Info) -> Node | None:
    return await NODES[root.row.subject_kind].fetch(info.context, root.row.subject)


def subject_of_row() -> Any:
    """A field for what a `row` of the journal is about."""
    return strawberry.field(
        resolver=_subject,
        description="The thing itself as it is now, not as it was then; null where the viewer may"
        " not see it."
        " 所说的对象现在的样子，不开放的为 null。",
        metadata=BY_RIGHTS,
    )


@strawberry.type(description="What happened to one thing of a community. 小区里某件东西发生了什么。")
class BoardChange:
    row: strawberry.Private[ItemRow]
    at: datetime = strawberry.field(description="The moment at which it was committed. 发生的时间。")
    fact: BoardFact = strawberry.field(description="What happened to the `subject`. 发生了什么。")
    subject_id: strawberry.ID = strawberry.field(
        description="The id of what it happened to, for whoever reads that later, or not at all."
        " 所说对象的编号。"
    )

    subject: Node | None = subject_of_row()


@strawberry.type(
    description="A line of the journal of a community, by which a dashboard knows what to read anew: what"
    " changed, and how to go on behind it."
    " 小区流水中的一条：什么变了，从哪里接着读。"
)
class BoardItem:
    row: strawberry.Private[ItemRow]
    cursor: str = strawberry.field(
        description="Its place in this community's journal; as `after` it goes on behind it. Those of"
        " `Community.bulletin` are of the same kind."
        " 它在流水中的位置，可从它之后接着读；公告栏动态的游标也能用。"
    )

    @classmethod
    def of(cls, row: ItemRow, cursor: str) -> "BoardItem":
        return cls(row=row, cursor=cursor)

    @strawberry.field(
        description="What it is about; null where it is not for this viewer, such as of the ledger without"
        " READ_LEDGER: then only the cursor moves on."
        " 发生的事；不对此人开放的为 null，只有游标前移。",
        metadata=BY_RIGHTS,
    )
    async def change(self, info: Info) -> BoardChange | None:
        row, context = self.row, info.context
        community = await community_row(context, row.community)
        if not may(context.viewer, catalogue().facts[row.kind].known_by, community.scope):
            return None
        return BoardChange(
            row=row, at=row.at, fact=BoardFact(row.kind), subject_id=to_id(row.subject_kind, row.subject)
        )


@strawberry.type
class PlacesSubscription:
    board: BoardItem = live(
        BOARD,
        WatchedId("Community", "The estate that is followed; NOT_FOUND where it is hidden. 要关注的小区。"),
        BoardItem.of,
        description="Journal: all that happens in a community to its votes, events, notices and ledger, one"
        " item for each fact behind the cursor `after`, in order, none skipped and none twice, then each new"
        " one; without a cursor only what happens from now on. Nothing is put together: a thousand ballots"
        " are a thousand items, so read their vote anew once for many. It never says who is registered, who"
        " votes, signs up or holds a role."
        " 小区里发生的每件事，从 after 之后逐条送来，不漏不重，也不合并；不涉及个人。",
    )


PRICES: Prices = {
    "BoardItem.change": Price(statements=1, item=30),
    "BoardChange.subject": Price(statements=4, item=30),
    "Community.viewerPermissions": Price(size=12),
    "Community.buildings": Price(statements=1, size=20),
    "Community.organizations": Price(statements=1, size=5),
}
