"""Communities, their buildings and the parties that run them."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import strawberry

from community.bulletin.cursors import journal
from community.bulletin.reads import ItemRow, NoticeRow, items_pages, notices_by_number, notices_pages
from community.database.paging import Page, check_first
from community.errors import NotFound
from community.events.reads import EventRow, event_key, events_by_number, events_pages
from community.permissions import Permission, may
from community.places import actions
from community.places.reads import (
    BuildingRow,
    CommunityRow,
    OrganizationRow,
    buildings_by_id,
    buildings_of,
    organizations_by_id,
    organizations_of,
)
from community.places.rules import OrganizationKind
from community.votes.casting import VoteStatus
from community.votes.reads import VoteRow, votes_by_number, votes_pages
from schema.connections import After, Connection, First, ListCursors, connect
from schema.context import Context, Info
from schema.marks import BY_RIGHTS
from schema.mutations import Key, mutation
from schema.nodes import Node, fetched_by, key_of, to_id

if TYPE_CHECKING:
    from schema.bulletin import BulletinConnection, Notice
    from schema.events import Event
    from schema.ledger import Ledger
    from schema.votes import Vote

VoteRef = Annotated["Vote", strawberry.lazy("schema.votes")]
EventRef = Annotated["Event", strawberry.lazy("schema.events")]
NoticeRef = Annotated["Notice", strawberry.lazy("schema.bulletin")]
BulletinRef = Annotated["BulletinConnection", strawberry.lazy("schema.bulletin")]
LedgerRef = Annotated["Ledger", strawberry.lazy("schema.ledger")]

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
class Building(Node):
    name: str = strawberry.field(
        description="As it is painted on the wall, such as 3幢. 楼的叫法，例如 3幢。"
    )
    units: int = strawberry.field(
        description="The number of exclusive units (专有部分) in it: dwellings, shops, parking"
        " spaces."
        " 这幢楼有多少个专有部分。"
    )

    @classmethod
    def of(cls, row: BuildingRow) -> "Building":
        return cls(id=to_id("Building", row.id), name=row.name, units=row.units)


@strawberry.type(
    description="One of the parties that run a community together; whoever acts for it appears under"
    " its name, never under their own."
    " 共同治理小区的一方，发布时署它的名，不署个人的名。"
)
class Organization(Node):
    kind: OrganizationKind = strawberry.field(
        description="Which of the parties by law or custom it is. 是哪一方。"
    )
    name: str = strawberry.field(description="The full name, as its neighbours call it. 单位的名称。")

    @classmethod
    def of(cls, row: OrganizationRow) -> "Organization":
        return cls(id=to_id("Organization", row.id), kind=row.kind, name=row.name)


async def organization(context: Context, key: int) -> Organization:
    return Organization.of(await context.loaders.of(organizations_by_id).get(key))


@strawberry.type(
    description="A housing estate (小区). One that is not public is invisible to strangers: null, as"
    " if unknown. For a token that may only read the ledger, its votes, events, notices"
    " and bulletin are empty."
    " 一个小区；不公开的小区对外人等于不存在。"
)
class Community(Node):
    row: strawberry.Private[CommunityRow]

    @classmethod
    def of(cls, row: CommunityRow) -> "Community":
        return cls(id=to_id("Community", row.id), row=row)

    @strawberry.field(
        description="Its short name in addresses, up to 64 letters, digits and hyphens, such as"
        " meizai-meicheng; it never changes."
        " 网址里的短名，不会改变。"
    )
    def slug(self) -> str:
        return self.row.slug

    @strawberry.field(description="As people say it, such as 美哉美城. 小区的名称。")
    def name(self) -> str:
        return self.row.name

    @strawberry.field(
        description="District, sub-district and street, for whoever looks for it on a map."
        " 所在的区、街道和门牌。"
    )
    def address(self) -> str:
        return self.row.address

    @strawberry.field(
        description="How many families live here, tenants included; not the number of owners."
        " 居住的户数，租户也算，与业主人数不同。"
    )
    def households(self) -> int:
        return self.row.households

    @strawberry.field(
        description="How many people live in it; null where nobody has counted them."
        " 居住的人数，没有统计过的为 null。"
    )
    def residents(self) -> int | None:
        return self.row.residents

    @strawberry.field(
        description="Households with an electronic owner card (电子业主卡) of the city; null where"
        " that is unknown."
        " 领了电子业主卡的户数，不清楚的为 null。"
    )
    def owner_cards(self) -> int | None:
        return self.row.owner_cards

    @strawberry.field(
        description="True where everybody may read tallies, events, notices and the ledger without"
        " signing in; the committee settles it by `setPublicReading`."
        " 是否不登录也能看，由业委会（物管委）决定。"
    )
    def public_reading(self) -> bool:
        return self.row.profile.public_reading

    @strawberry.field(
        description="What the viewer may do here, also without signing in, so that a page draws only"
        " buttons that work. It follows from the viewer's roles, and from the scopes of"
        " the token."
        " 当前的人在这个小区能办什么。",
        metadata=BY_RIGHTS,
    )
    def viewer_permissions(self, info: Info) -> list[Permission]:
        viewer = info.context.viewer
        return [permission for permission in Permission if may(viewer, permission, self.row.place)]

    @strawberry.field(
        description="All buildings, in the order in which the estate numbers them. 全部楼幢，按编号排列。"
    )
    async def buildings(self, info: Info) -> list[Building]:
        rows = await info.context.loaders.of(buildings_of).get(self.row.id)
        return [Building.of(row) for row in rows]

    @strawberry.field(
        description="The parties that stand today: residents' committee, party branch, owners'"
        " committee or 物管委, property service."
        " 现任的各方：社区、党支部、业委会或物管委、物业。"
    )
    async def organizations(self, info: Info) -> list[Organization]:
        rows = await info.context.loaders.of(organizations_of).get(self.row.id)
        return [Organization.of(row) for row in rows]

    def _shows_its_bulletin(self, info: Info) -> bool:
        return may(info.context.viewer, Permission.READ_BULLETIN, self.row.place)

    @strawberry.field(
        description="Votes of this estate that the viewer may see, the one that opens last first;"
        " empty for whoever may not read the bulletin."
        " 本小区的表决，开始最晚的在前。",
        metadata=BY_RIGHTS,
    )
    async def votes(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        status: Annotated[
            list[VoteStatus] | None,
            strawberry.argument(
                description="Only votes in one of these states; null takes all, an empty list none."
                " 只要处于这些状态的，不填为全部。"
            ),
        ] = None,
    ) -> Connection[VoteRef]:
        from schema.votes import Vote

        size = check_first(first)
        statuses = None if status is None else tuple(sorted(set(status)))
        cursors = ListCursors("votes", self.row.id, {"status": statuses})
        key = cast("tuple[datetime, int] | None", cursors.key(after, datetime, int))
        page: Page[VoteRow] = NOTHING
        if self._shows_its_bulletin(info):
            loader = info.context.loaders.of(votes_pages, info.context.now, size, key, statuses)
            page = await loader.get(self.row.id)
        return connect(page, Vote.of, lambda row: cursors.cursor(row.opens_at, row.id), later=key is not None)

    @strawberry.field(
        description="The vote with this number in this estate; null where there is none, or where"
        " the viewer may not see it."
        " 按编号找本小区的一次表决，没有或不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    async def vote(self, info: Info, number: Numbered) -> VoteRef | None:
        from schema.votes import Vote

        row = await self._numbered(info, votes_by_number, number)
        return Vote.of(row) if row else None

    @strawberry.field(
        description="The gathering with this number in this estate; null where there is none, or"
        " where the viewer may not see it."
        " 按编号找本小区的一次活动，没有或不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    async def event(self, info: Info, number: Numbered) -> EventRef | None:
        from schema.events import Event

        row = await self._numbered(info, events_by_number, number)
        return Event.of(row) if row else None

    @strawberry.field(
        description="The announcement with this number in this estate; null where there is none, or"
        " where the viewer may not see it."
        " 按编号找本小区的一张公告，没有或不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    async def notice(self, info: Info, number: Numbered) -> NoticeRef | None:
        from schema.bulletin import Notice

        row = await self._numbered(info, notices_by_number, number)
        return Notice.of(row) if row else None

    async def _numbered(self, info: Info, read: ReadByNumber[R], number: int) -> R | None:
        if not self._shows_its_bulletin(info):
            return None
        return await info.context.loaders.of(read, number).load(self.row.id)

    @strawberry.field(
        description="Gatherings that the viewer may see: those not yet over by their start, the next"
        " one first, then those that are over, the latest first."
        " 本小区的活动，先是还没结束的，再是结束了的。",
        metadata=BY_RIGHTS,
    )
    async def events(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        coming: Annotated[
            bool | None,
            strawberry.argument(
                description="True takes those not yet over, false those that are over, null both."
                " true 为还没结束的，false 为已结束的，不填为全部。"
            ),
        ] = None,
    ) -> Connection[EventRef]:
        from schema.events import Event

        size, now = check_first(first), info.context.now
        cursors = ListCursors("events", self.row.id, {"coming": coming})
        key = cast("tuple[bool, datetime, int] | None", cursors.key(after, bool, datetime, int))
        page: Page[EventRow] = NOTHING
        if self._shows_its_bulletin(info):
            page = await info.context.loaders.of(events_pages, now, size, key, coming).get(self.row.id)
        return connect(
            page, Event.of, lambda row: cursors.cursor(*event_key(row, now)), later=key is not None
        )

    @strawberry.field(
        description="Announcements and displays that the viewer may see, the newest first."
        " 本小区的公告和公示，新的在前。",
        metadata=BY_RIGHTS,
    )
    async def notices(self, info: Info, first: First = 20, after: After = None) -> Connection[NoticeRef]:
        from schema.bulletin import Notice

        size, cursors = check_first(first), ListCursors("notices", self.row.id)
        key = cast("tuple[datetime, int] | None", cursors.key(after, datetime, int))
        page: Page[NoticeRow] = NOTHING
        if self._shows_its_bulletin(info):
            page = await info.context.loaders.of(notices_pages, size, key).get(self.row.id)
        return connect(
            page, Notice.of, lambda row: cursors.cursor(row.published_at, row.id), later=key is not None
        )

    @strawberry.field(
        description="All that happened here and that the viewer may see, the newest first. Its"
        " cursors also resume the subscription `bulletin`. Of the ledger there is one"
        " item a day, not one for each entry."
        " 公告栏上的动态，新的在前；它的游标也能用来续接订阅。账本每天最多一条。",
        metadata=BY_RIGHTS,
    )
    async def bulletin(self, info: Info, first: First = 20, after: After = None) -> BulletinRef:
        from schema.bulletin import BulletinConnection, BulletinItem

        size, loaders = check_first(first), info.context.loaders
        here = await loaders.of(journal).get(None)
        cursors = here.of(self.row.id)
        before = None if after is None else here.number_of(after, self.row.id)
        page: Page[ItemRow] = NOTHING
        if self._shows_its_bulletin(info):
            page = await loaders.of(items_pages, size, before).get(self.row.id)
        connection = connect(
            page,
            lambda row: BulletinItem.of(row, cursors.cursor(row.number)),
            lambda row: cursors.cursor(row.number),
            later=before is not None,
            made=BulletinConnection,
        )
        return cast(BulletinConnection, connection)

    @strawberry.field(
        description="The book of what the common parts earn (共有收入); null where the viewer may"
        " not read it."
        " 共有收入账；无权查看的为 null。",
        metadata=BY_RIGHTS,
    )
    def ledger(self, info: Info) -> LedgerRef | None:
        from schema.ledger import Ledger

        if not may(info.context.viewer, Permission.READ_LEDGER, self.row.place):
            return None
        return Ledger(community=self.row)


@fetched_by("Building")
async def _building(context: Context, key: int) -> Building | None:
    row = await context.loaders.of(buildings_by_id).load(key)
    return Building.of(row) if row and await context.loaders.communities.load(row.community) else None


@fetched_by("Organization")
async def _organization(context: Context, key: int) -> Organization | None:
    """Also one that stands no longer: what it did still names it."""
    row = await context.loaders.of(organizations_by_id).load(key)
    return Organization.of(row) if row and await context.loaders.communities.load(row.community) else None


@fetched_by("Community")
async def _community(context: Context, key: int) -> Node | None:
    row = await context.loaders.communities.load(key)
    return Community.of(row) if row else None


async def community_of(context: Context, key: int) -> Community:
    """The community of something that the viewer saw a moment ago. Raises NotFound where no longer."""
    row = await context.loaders.communities.load(key)
    if row is None:
        raise NotFound
    return Community.of(row)


@strawberry.type
class PlacesMutation:
    @mutation(
        "communityId",
        "Settles whether everybody may read here without signing in; for the owners'"
        " committee or 物管委 (SETTLE_PROFILE). It holds at once: sockets of those who"
        " may no longer read are told NOT_FOUND."
        " 决定不登录能不能看，由业委会（物管委）设置，立即生效。",
    )
    async def set_public_reading(
        self,
        info: Info,
        community_id: Annotated[
            strawberry.ID, strawberry.argument(description="The estate whose setting it is. 要设置的小区。")
        ],
        public: Annotated[
            bool,
            strawberry.argument(
                description="True opens it to everybody, false closes it to all but members."
                " true 为人人可看，false 为只给本小区的人看。"
            ),
        ],
        key: Key = None,
    ) -> Community | None:
        community = key_of(community_id, "Community", "communityId")
        await actions.set_public_reading(
            info.context.viewer, info.context.now, community, public=public, key=key
        )
        return cast("Community | None", await _community(info.context, community))


@strawberry.type
class PlacesQuery:
    @strawberry.field(
        description="Every community that the viewer may know of, in the order in which they joined:"
        " the public ones, and those of one's own."
        " 当前的人看得到的全部小区，先加入的在前。"
    )
    async def communities(self, info: Info, first: First = 20, after: After = None) -> Connection[Community]:
        size, cursors = check_first(first), ListCursors("communities")
        key = cursors.key(after, int)
        loader = info.context.loaders.communities_page(size, cast(int, key[0]) if key else None)
        page = await loader.get(None)
        return connect(page, Community.of, lambda row: cursors.cursor(row.id), later=key is not None)

    @strawberry.field(
        description="The estate with this short name; null where it is unknown or hidden."
        " 按网址短名找一个小区，不存在或不开放的为 null。"
    )
    async def community(
        self,
        info: Info,
        slug: Annotated[
            str,
            strawberry.argument(
                description="As in the address, in lower case, such as meizai-meicheng."
                " 网址里的短名，例如 meizai-meicheng。"
            ),
        ],
    ) -> Community | None:
        row = await info.context.loaders.communities_by_slug.load(slug)
        return Community.of(row) if row else None
