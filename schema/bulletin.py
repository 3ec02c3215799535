"""Notices, and the bulletin on which everything appears."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Annotated, cast

import strawberry

from community.bulletin import actions, cursors
from community.bulletin.reads import ItemRow, NoticeRow, recent
from community.bulletin.rules import BulletinKind, NoticeKind
from community.places.reads import place_of
from schema.audience import BY_RIGHTS
from schema.connections import After, Connection
from schema.context import Context, Info
from schema.mutations import Key, mutation
from schema.nodes import NODES, Node, fetched_by, key_of, to_id
from schema.places import Community, Organization, community_of, organization
from schema.watch import watch

_SUBJECTS = {
    BulletinKind.VOTE_ANNOUNCED: "Vote",
    BulletinKind.VOTE_OPENED: "Vote",
    BulletinKind.VOTE_CLOSED: "Vote",
    BulletinKind.EVENT_PUBLISHED: "Event",
    BulletinKind.NOTICE_PUBLISHED: "Notice",
    BulletinKind.LEDGER_PUBLISHED: "Community",
}


@strawberry.type(description="Something to be read on the board.")
class Notice(Node):
    row: strawberry.Private[NoticeRow]

    @classmethod
    def of(cls, row: NoticeRow) -> "Notice":
        return cls(id=to_id("Notice", row.id), row=row)

    @strawberry.field(description="Where it hangs.", metadata=BY_RIGHTS)
    async def community(self, info: Info) -> Community:
        return await community_of(info.context, self.row.community)

    @strawberry.field(
        description="Its number among the notices of its community, from 1 in the order in which they were"
        " published; never given again, so that it fits in an address on paper."
    )
    def number(self) -> int:
        return self.row.number

    @strawberry.field(description="What it asks of its readers.")
    def kind(self) -> NoticeKind:
        return self.row.kind

    @strawberry.field(description="In one line.")
    def title(self) -> str:
        return self.row.title

    @strawberry.field(description="In plain text with line breaks.")
    def body(self) -> str:
        return self.row.body

    @strawberry.field(description="Who put it up.")
    async def organization(self, info: Info) -> Organization:
        return await organization(info.context, self.row.organization)

    @strawberry.field(description="From when on what it says holds, such as when the water is off.")
    def effective_from(self) -> datetime | None:
        return self.row.effective_from

    @strawberry.field(description="Until when it holds.")
    def effective_until(self) -> datetime | None:
        return self.row.effective_until

    @strawberry.field(description="When it was put up.")
    def published_at(self) -> datetime:
        return self.row.published_at


@fetched_by("Notice")
async def _notice(context: Context, key: int) -> Notice | None:
    row = await context.loaders.notices.load(key)
    return Notice.of(row) if row else None


@strawberry.type(description="Something that happened, in its place on the bulletin.")
class BulletinItem:
    row: strawberry.Private[ItemRow]
    cursor: str = strawberry.field(description="To go on behind it, in a list or a subscription.")
    at: datetime = strawberry.field(description="When it happened.")
    kind: BulletinKind = strawberry.field(description="What happened.")

    @classmethod
    def of(cls, row: ItemRow, mark: int) -> "BulletinItem":
        return cls(row=row, cursor=cursors.encode(mark, row.number), at=row.at, kind=row.kind)

    @strawberry.field(
        description="What it is about, as it is now; null where the viewer may not see it.",
        metadata=BY_RIGHTS,
    )
    async def subject(self, info: Info) -> Node | None:
        return await NODES[_SUBJECTS[self.kind]](info.context, self.row.subject)


@strawberry.type(description="One page of the bulletin.")
class BulletinConnection(Connection[BulletinItem]):
    """Named after the bulletin, not after its item."""


@strawberry.input(description="A notice to be put up.")
class NoticeInput:
    title: str = strawberry.field(description="Up to 120 characters.")
    body: str = strawberry.field(description="Plain text with line breaks.")
    kind: NoticeKind = strawberry.field(default=NoticeKind.NOTICE, description="What it asks of its readers.")
    effective_from: datetime | None = strawberry.field(default=None, description="From when it holds.")
    effective_until: datetime | None = strawberry.field(default=None, description="Until when it holds.")


@strawberry.type
class BulletinMutation:
    @mutation("communityId", "Puts up a notice, in the name of the viewer's organization.")
    async def publish_notice(
        self,
        info: Info,
        community_id: Annotated[strawberry.ID, strawberry.argument(description="Where.")],
        notice: Annotated[NoticeInput, strawberry.argument(description="The notice.")],
        key: Key = None,
    ) -> Notice | None:
        done = await actions.publish_notice(
            info.context.viewer,
            info.context.now,
            key_of(community_id, "Community", "communityId"),
            kind=notice.kind,
            title=notice.title,
            body=notice.body,
            effective_from=notice.effective_from,
            effective_until=notice.effective_until,
            key=key,
        )
        return await _notice(info.context, done)


@strawberry.type
class BulletinSubscription:
    @strawberry.subscription(
        description="Journal: every item behind the cursor `after`, in order, then each new one. Without a"
        " cursor only what happens from now on."
    )
    async def bulletin(
        self,
        info: Info,
        community_id: Annotated[strawberry.ID, strawberry.argument(description="Whose bulletin.")],
        after: After = None,
    ) -> AsyncGenerator[BulletinItem, None]:
        community, mark = key_of(community_id, "Community", "communityId"), await cursors.mark()
        number: int | None = None
        if info.context.shared is not None:
            number = await recent(community)
        elif after is not None:
            number = await cursors.number_of(after)
        feed = info.context.watching.bulletin.watch(community, number)
        number_of = partial(cursors.decode, mark)
        async with aclosing(watch(info.context, lambda: place_of(community), feed, number_of)) as items:
            async for item in items:
                yield BulletinItem.of(cast(ItemRow, item), mark)
