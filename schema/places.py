"""Communities, their buildings and the parties that run them."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import strawberry

from community.bulletin import cursors
from community.bulletin.reads import ItemRow, NoticeRow, items_pages, notices_by_number, notices_pages
from community.database.paging import Page, check_first
from community.events.reads import EventRow, event_key, events_by_number, events_pages
from community.permissions import Permission, may
from community.places import actions
from community.places.reads import (
    BuildingRow,
    CommunityRow,
    OrganizationRow,
    buildings_of,
    organizations_by_id,
    organizations_of,
)
from community.places.rules import OrganizationKind
from community.votes.casting import VoteStatus
from community.votes.reads import VoteRow, votes_by_number, votes_pages
from schema.audience import BY_RIGHTS
from schema.connections import After, Connection, First, connect, from_cursor, to_cursor
from schema.context import Context, Info
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

Numbered = Annotated[int, strawberry.argument(description="Its number in this community.")]

R = TypeVar("R")
ReadByNumber = Callable[[Collection[int], int], Awaitable[Mapping[int, R]]]

NOTHING: Page[Any] = Page([], more=False)
"""What a list shows of what the viewer may not see."""


@strawberry.type(description="A building (幢) of a community.")
class Building:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    name: str = strawberry.field(description="Such as 3幢.")
    units: int = strawberry.field(description="How many exclusive units it has.")

    @classmethod
    def of(cls, row: BuildingRow) -> "Building":
        return cls(id=to_id("Building", row.id), name=row.name, units=row.units)


@strawberry.type(description="One of the parties that run a community together.")
class Organization:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    kind: OrganizationKind = strawberry.field(description="Which of the parties it is.")
    name: str = strawberry.field(description="As its neighbours call it.")

    @classmethod
    def of(cls, row: OrganizationRow) -> "Organization":
        return cls(id=to_id("Organization", row.id), kind=row.kind, name=row.name)


async def organization(context: Context, key: int) -> Organization:
    return Organization.of(await context.loaders.of(organizations_by_id).get(key))


@strawberry.type(
    description="A housing estate (小区). One that is not public is invisible to strangers. For a token that"
    " may only read the ledger, the votes, events, notices and bulletin are empty."
)
class Community(Node):
    row: strawberry.Private[CommunityRow]

    @classmethod
    def of(cls, row: CommunityRow) -> "Community":
        return cls(id=to_id("Community", row.id), row=row)

    @strawberry.field(description="Its name in addresses, such as meizai-meicheng.")
    def slug(self) -> str:
        return self.row.slug

    @strawberry.field(description="Its name, such as 美哉美城.")
    def name(self) -> str:
        return self.row.name

    @strawberry.field(description="District and sub-district.")
    def address(self) -> str:
        return self.row.address

    @strawberry.field(description="How many households live here.")
    def households(self) -> int:
        return self.row.households

    @strawberry.field(description="How many people live here, where it is known.")
    def residents(self) -> int | None:
        return self.row.residents

    @strawberry.field(description="How many households hold an electronic owner card, where it is known.")
    def owner_cards(self) -> int | None:
        return self.row.owner_cards

    @strawberry.field(description="Everybody may read tallies, events, notices and the ledger.")
    def public_reading(self) -> bool:
        return self.row.profile.public_reading

    @strawberry.field(description="Its buildings, in order.")
    async def buildings(self, info: Info) -> list[Building]:
        rows = await info.context.loaders.of(buildings_of).get(self.row.id)
        return [Building.of(row) for row in rows]

    @strawberry.field(description="The parties that run it.")
    async def organizations(self, info: Info) -> list[Organization]:
        rows = await info.context.loaders.of(organizations_of).get(self.row.id)
        return [Organization.of(row) for row in rows]

    def _shows_its_bulletin(self, info: Info) -> bool:
        return may(info.context.viewer, Permission.READ_BULLETIN, self.row.place)

    @strawberry.field(
        description="Votes that the viewer may see, the newest opening first.", metadata=BY_RIGHTS
    )
    async def votes(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        status: Annotated[
            list[VoteStatus] | None, strawberry.argument(description="Only votes that stand so.")
        ] = None,
    ) -> Connection[VoteRef]:
        from schema.votes import Vote

        size = check_first(first)
        key = cast("tuple[datetime, int] | None", from_cursor(after, datetime, int))
        statuses = None if status is None else tuple(status)
        page: Page[VoteRow] = NOTHING
        if self._shows_its_bulletin(info):
            loader = info.context.loaders.of(votes_pages, info.context.now, size, key, statuses)
            page = await loader.get(self.row.id)
        return connect(page, Vote.of, lambda row: to_cursor(row.opens_at, row.id), later=key is not None)

    @strawberry.field(
        description="One vote held here, by its number; null where there is none or the viewer may not see"
        " it.",
        metadata=BY_RIGHTS,
    )
    async def vote(self, info: Info, number: Numbered) -> VoteRef | None:
        from schema.votes import Vote

        row = await self._numbered(info, votes_by_number, number)
        return Vote.of(row) if row else None

    @strawberry.field(
        description="One event of this community, by its number; null where there is none or the viewer may"
        " not see it.",
        metadata=BY_RIGHTS,
    )
    async def event(self, info: Info, number: Numbered) -> EventRef | None:
        from schema.events import Event

        row = await self._numbered(info, events_by_number, number)
        return Event.of(row) if row else None

    @strawberry.field(
        description="One notice that hangs here, by its number; null where there is none or the viewer may"
        " not see it.",
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
        description="Events that the viewer may see: coming ones by their start, then past ones, the latest"
        " first.",
        metadata=BY_RIGHTS,
    )
    async def events(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        coming: Annotated[
            bool | None, strawberry.argument(description="True: not yet over. False: over.")
        ] = None,
    ) -> Connection[EventRef]:
        from schema.events import Event

        size, now = check_first(first), info.context.now
        key = cast("tuple[bool, datetime, int] | None", from_cursor(after, bool, datetime, int))
        page: Page[EventRow] = NOTHING
        if self._shows_its_bulletin(info):
            page = await info.context.loaders.of(events_pages, now, size, key, coming).get(self.row.id)
        return connect(page, Event.of, lambda row: to_cursor(*event_key(row, now)), later=key is not None)

    @strawberry.field(description="Notices that the viewer may see, the newest first.", metadata=BY_RIGHTS)
    async def notices(self, info: Info, first: First = 20, after: After = None) -> Connection[NoticeRef]:
        from schema.bulletin import Notice

        size = check_first(first)
        key = cast("tuple[datetime, int] | None", from_cursor(after, datetime, int))
        page: Page[NoticeRow] = NOTHING
        if self._shows_its_bulletin(info):
            page = await info.context.loaders.of(notices_pages, size, key).get(self.row.id)
        return connect(
            page, Notice.of, lambda row: to_cursor(row.published_at, row.id), later=key is not None
        )

    @strawberry.field(
        description="What happened here and the viewer may see, the newest first; its cursors also resume the"
        " subscription.",
        metadata=BY_RIGHTS,
    )
    async def bulletin(self, info: Info, first: First = 20, after: After = None) -> BulletinRef:
        from schema.bulletin import BulletinConnection, BulletinItem

        size, loaders = check_first(first), info.context.loaders
        journal = await loaders.of(cursors.journal).get(None)
        mark, before = journal.mark, None if after is None else journal.number_of(after)
        page: Page[ItemRow] = NOTHING
        if self._shows_its_bulletin(info):
            page = await loaders.of(items_pages, size, before).get(self.row.id)
        connection = connect(
            page,
            lambda row: BulletinItem.of(row, mark),
            lambda row: cursors.encode(mark, row.number),
            later=before is not None,
            made=BulletinConnection,
        )
        return cast(BulletinConnection, connection)

    @strawberry.field(
        description="The book of what the common parts earn; null where the viewer may not see it.",
        metadata=BY_RIGHTS,
    )
    def ledger(self, info: Info) -> LedgerRef | None:
        from schema.ledger import Ledger

        if not may(info.context.viewer, Permission.READ_LEDGER, self.row.place):
            return None
        return Ledger(community=self.row)


@fetched_by("Community")
async def _community(context: Context, key: int) -> Node | None:
    row = await context.loaders.communities.load(key)
    return Community.of(row) if row else None


async def community_of(context: Context, key: int) -> Community:
    """The community of something the viewer may see."""
    row = await context.loaders.communities.load(key)
    return Community.of(cast(CommunityRow, row))


@strawberry.type
class PlacesMutation:
    @mutation(
        "communityId",
        "Settles whether everybody may read here without signing in. It holds at once, also for those who are"
        " reading.",
    )
    async def set_public_reading(
        self,
        info: Info,
        community_id: Annotated[strawberry.ID, strawberry.argument(description="Which one.")],
        public: Annotated[bool, strawberry.argument(description="Everybody may read.")],
        key: Key = None,
    ) -> Community | None:
        community = key_of(community_id, "Community", "communityId")
        await actions.set_public_reading(
            info.context.viewer, info.context.now, community, public=public, key=key
        )
        return cast("Community | None", await _community(info.context, community))


@strawberry.type
class PlacesQuery:
    @strawberry.field(description="The communities the viewer may see, in the order in which they joined.")
    async def communities(self, info: Info, first: First = 20, after: After = None) -> Connection[Community]:
        size = check_first(first)
        key = from_cursor(after, int)
        loader = info.context.loaders.communities_page(size, cast(int, key[0]) if key else None)
        page = await loader.get(None)
        return connect(page, Community.of, lambda row: to_cursor(row.id), later=key is not None)

    @strawberry.field(
        description="One community by its name in addresses; null where it is unknown or hidden."
    )
    async def community(
        self, info: Info, slug: Annotated[str, strawberry.argument(description="Such as meizai-meicheng.")]
    ) -> Community | None:
        row = await info.context.loaders.communities_by_slug.load(slug)
        return Community.of(row) if row else None
