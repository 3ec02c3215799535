"""Notices, and the bulletin on which everything appears."""

from datetime import datetime
from typing import Annotated, cast

import strawberry
from strawberry import Parent

from community.bulletin import actions
from community.bulletin.facts import BULLETIN, NOTICE
from community.bulletin.reads import (
    ItemRow,
    NoticeRow,
    items_pages,
    notice_corrections_of,
    notices_by_number,
    notices_pages,
)
from community.bulletin.rules import NoticeKind, NoticeStatus, check_mendable
from community.database.cursors import ListCursors, journals
from community.database.paging import Page, check_first
from community.permissions import Permission
from community.places.reads import CommunityRow, organizations_by_id
from schema.connections import After, Connection, First, connect
from schema.context import Info
from schema.cost import Price, Prices
from schema.eligibility import Eligibility
from schema.enums import BulletinKind
from schema.fields import brought
from schema.live import WatchedId, live
from schema.marks import BY_RIGHTS, BY_VIEWER
from schema.mutations import Key, mutation
from schema.nodes import Node, key_of
from schema.places import (
    NOTHING,
    Numbered,
    Organization,
    community_by,
    may_correct,
    numbered,
    shows_bulletin,
    subject_of_row,
)
from schema.refs import CommunityRef


@strawberry.type(description="What a sheet said before a correction, whole. 公告更正之前的原文。")
class NoticeCorrection:
    """Its values are rows."""

    title: str = strawberry.field(
        description="The line above it before other words replaced it. 原来的标题。"
    )

    body: str = strawberry.field(
        description="What it told its readers until then, whole and plain. 原来的正文全文。"
    )

    effective_from: datetime | None = strawberry.field(
        description="The beginning of its time as it was printed then; null where it had none."
        " 原来写的开始时间，没写的为 null。"
    )

    effective_until: datetime | None = strawberry.field(
        description="The end of its time as it was printed then; null where it had none."
        " 原来写的结束时间，没写的为 null。"
    )

    since: datetime = strawberry.field(
        description="The moment from which it said so: of publishing, or of the correction before."
        " 从什么时候起是这样写的。"
    )

    corrected_at: datetime = strawberry.field(
        description="The moment at which other words took its place. 什么时候更正的。"
    )

    organization: Organization = brought(
        lambda loaders: loaders.of(organizations_by_id),
        "organization",
        description="The party that corrected it; whoever did so for it is not told. 更正的单位。",
    )

    reason: str | None = strawberry.field(
        description="Why other words were needed, up to 200 characters; null where nobody said."
        " 更正的原因，没写的为 null。"
    )


@strawberry.type(
    description="A sheet on the board: an announcement (公告) or a public display (公示)."
    " 公告栏上的一张公告或公示。"
)
class Notice(Node, subject=NOTICE, row=NoticeRow):
    community: CommunityRef = community_by(
        "community", description="The estate on whose board it hangs. 贴在哪个小区。"
    )

    number: int = strawberry.field(
        description="Counted among the notices of its community, from 1 in the order of publishing,"
        " and never given again: short enough for an address on paper."
        " 在本小区公告中的编号，从 1 起，不会重用。"
    )

    kind: NoticeKind = strawberry.field(
        description="Whether it only tells something, or asks for objections. 是公告还是公示。"
    )

    title: str = strawberry.field(
        description="One line of up to 120 characters, to be read in passing. 标题，一行，最多 120 字。"
    )

    body: str = strawberry.field(
        description="The whole text, plain with line breaks, up to 20,000 characters; never markup."
        " 正文，纯文本，可换行。"
    )

    organization: Organization = brought(
        lambda loaders: loaders.of(organizations_by_id),
        "organization",
        description="The party that signs it; whoever typed it is not told. 署名的单位。",
    )

    effective_from: datetime | None = strawberry.field(
        description="From when on what it says holds, such as the moment the water is off; null"
        " where it says none."
        " 内容从何时起有效，例如停水开始，没写的为 null。"
    )

    effective_until: datetime | None = strawberry.field(
        description="Until when what it says holds; null for as long as it hangs."
        " 内容到何时为止，没写的为 null。"
    )

    published_at: datetime = strawberry.field(description="The moment at which it was put up. 张贴的时间。")

    status: NoticeStatus = strawberry.field(
        description="Whether it holds, or was withdrawn; lists show it either way. 还有没有效。"
    )

    corrected_at: datetime | None = strawberry.field(
        description="The moment of the last correction; null where it says what it always said."
        " 最近一次更正的时间，没有更正过的为 null。"
    )

    corrections: list[NoticeCorrection] = brought(
        lambda loaders: loaders.of(notice_corrections_of),
        "id",
        description="What it said before, the newest first; at most 20 times. 历次更正之前的原文，新的在前。",
    )

    withdrawn_at: datetime | None = strawberry.field(
        description="The moment at which it was withdrawn; null while it hangs. 撤下的时间，没撤下的为 null。"
    )

    withdrawn_by: Organization | None = brought(
        lambda loaders: loaders.of(organizations_by_id),
        "withdrawn_by",
        optional=True,
        description="The party that withdrew it; null while it hangs. 撤下的单位，没撤下的为 null。",
    )

    withdrawn_reason: str | None = strawberry.field(
        description="Why it was withdrawn, for everybody to read; null while it hangs."
        " 撤下的原因，没撤下的为 null。"
    )

    @strawberry.field(
        description="Whether `correctNotice` and `withdrawNotice` would be taken now, and if not, what would"
        " be answered. Depends on the viewer; the deed itself is checked again."
        " 现在能不能更正或撤下，不能的话是什么原因。",
        metadata=BY_VIEWER,
    )
    @staticmethod
    async def viewer_may_correct(row: Parent[NoticeRow], info: Info) -> Eligibility:
        signing = [row.organization]
        return await may_correct(
            info.context,
            Permission.PUBLISH_NOTICE,
            row.community,
            signing,
            lambda: check_mendable(row.last_step),
        )


@strawberry.type(
    description="Something that happened in a community, as a numbered line of its journal: seen"
    " once, in order, by all who may read there."
    " 公告栏上的一条动态，按发生的先后编号。"
)
class BulletinItem:
    row: strawberry.Private[ItemRow]
    cursor: str = strawberry.field(
        description="Its place in this community's journal; as `after` it goes on behind it, in the"
        " list as in the subscription."
        " 它在动态中的位置，列表和订阅都能从它之后接着读。"
    )
    at: datetime = strawberry.field(description="The moment at which it was committed. 发生的时间。")
    kind: BulletinKind = strawberry.field(
        description="What sort of thing happened, and so which type the `subject` has."
        " 发生了什么，也决定 subject 的类型。"
    )

    @classmethod
    def of(cls, row: ItemRow, cursor: str) -> "BulletinItem":
        return cls(row=row, cursor=cursor, at=row.at, kind=BulletinKind(row.kind))

    subject: Node | None = subject_of_row()


@strawberry.type(
    description="One page of a community's journal, the newest item first. 公告栏动态的一页，新的在前。"
)
class BulletinConnection(Connection[BulletinItem]):
    """Named after the bulletin, not after its item."""


@strawberry.type
class BulletinOfCommunity:
    @strawberry.field(
        description="The announcement with this number in this estate; null where there is none, or"
        " where the viewer may not see it."
        " 按编号找本小区的一张公告，没有或不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    @staticmethod
    async def notice(row: Parent[CommunityRow], info: Info, number: Numbered) -> Notice | None:
        return Notice.of(await numbered(info.context, row, notices_by_number, number))

    @strawberry.field(
        description="Announcements and displays that the viewer may see, the newest first."
        " 本小区的公告和公示，新的在前。",
        metadata=BY_RIGHTS,
    )
    @staticmethod
    async def notices(
        row: Parent[CommunityRow], info: Info, first: First = 20, after: After = None
    ) -> Connection[Notice]:
        size, cursors = check_first(first), ListCursors("notices", row.id)
        key = cast("tuple[datetime, int] | None", cursors.key(after, datetime, int))
        page: Page[NoticeRow] = NOTHING
        if shows_bulletin(info.context, row):
            loaders = info.context.loaders
            page = await loaders.of(notices_pages, size, key, loaders.columns(NoticeRow)).get(row.id)
        return connect(page, lambda row: cursors.cursor(row.published_at, row.id), later=key is not None)

    @strawberry.field(
        description="All that happened here and that the viewer may see, the newest first. Its"
        " cursors also resume the subscription `bulletin`. Of the ledger there is one"
        " item a day, not one for each entry."
        " 公告栏上的动态，新的在前；它的游标也能用来续接订阅。账本每天最多一条。",
        metadata=BY_RIGHTS,
    )
    @staticmethod
    async def bulletin(
        row: Parent[CommunityRow], info: Info, first: First = 20, after: After = None
    ) -> BulletinConnection:
        size, loaders = check_first(first), info.context.loaders
        here = await loaders.of(journals).get(row.id)
        cursors = here.cursors
        before = None if after is None else here.number_of(after)
        page: Page[ItemRow] = NOTHING
        if shows_bulletin(info.context, row):
            page = await loaders.of(items_pages, size, before).get(row.id)
        items = [BulletinItem.of(item, cursors.cursor(item.number)) for item in page.rows]
        connection = connect(
            Page(items, more=page.more),
            lambda item: item.cursor,
            later=before is not None,
            made=BulletinConnection,
        )
        return cast(BulletinConnection, connection)


@strawberry.input(description="A sheet to be put up; texts are cleaned, never cut. 要张贴的公告。")
class NoticeInput:
    title: str = strawberry.field(description="One line, 1 to 120 characters. 标题，一行，最多 120 字。")
    body: str = strawberry.field(
        description="Plain text with line breaks, 1 to 20,000 characters. 正文，纯文本，最多 20000 字。"
    )
    kind: NoticeKind = strawberry.field(
        default=NoticeKind.NOTICE,
        description="NOTICE tells something, DISPLAY asks for objections (公示). 公告还是公示，不填为公告。",
    )
    effective_from: datetime | None = strawberry.field(
        default=None,
        description="The moment from which what it says holds, such as the water being off."
        " 从何时起有效，可不填。",
    )
    effective_until: datetime | None = strawberry.field(
        default=None,
        description="The moment until which it holds, later than `effectiveFrom`."
        " 到何时为止，须晚于开始，可不填。",
    )


@strawberry.input(
    description="The whole of the time for which a sheet shall hold; what is left out, it does not say."
    " 更正后的有效时间，不填的就是不写。"
)
class NoticeTimesInput:
    effective_from: datetime | None = strawberry.field(
        default=None,
        description="The new moment from which it holds, as in a NoticeInput. 新的开始时间，可不填。",
    )
    effective_until: datetime | None = strawberry.field(
        default=None,
        description="The new moment at which it ends, later than `effectiveFrom`."
        " 新的结束时间，须晚于开始，可不填。",
    )


@strawberry.input(
    description="What a sheet shall say instead; what is null or left out stays as it is."
    " 要更正的内容，不填的保持原样。"
)
class NoticeCorrectionInput:
    title: str | None = strawberry.field(
        default=None, description="One line, 1 to 120 characters. 新的标题，最多 120 字。"
    )
    body: str | None = strawberry.field(
        default=None,
        description="The whole text anew, 1 to 20,000 characters. 新的正文，全文，最多 20000 字。",
    )
    times: NoticeTimesInput | None = strawberry.field(
        default=None, description="Both its times anew, also to say none. 新的有效时间，两项一起填。"
    )


@strawberry.type
class BulletinMutation:
    @mutation(
        "communityId",
        "Puts up a sheet in the name of the viewer's organization (PUBLISH_NOTICE: the"
        " four parties). The bulletin shows it at once."
        " 以本单位名义张贴公告或公示，社区、党支部、业委会（物管委）、物业都可以。",
    )
    async def publish_notice(
        self,
        info: Info,
        community_id: Annotated[
            strawberry.ID,
            strawberry.argument(description="The estate on whose board it shall hang. 贴在哪个小区。"),
        ],
        notice: Annotated[
            NoticeInput, strawberry.argument(description="The sheet with its texts and times. 公告的内容。")
        ],
        key: Key = None,
    ) -> Notice | None:
        done = await actions.publish_notice(
            info.context.person,
            info.context.now,
            key_of(community_id, "Community", "communityId"),
            kind=notice.kind,
            title=notice.title,
            body=notice.body,
            effective_from=notice.effective_from,
            effective_until=notice.effective_until,
            key=key,
        )
        return await Notice.fetch(info.context, done)

    @mutation(
        "noticeId",
        "Replaces words of a sheet (PUBLISH_NOTICE, of the party that signed it); what it"
        " said before stays readable in `corrections`. INVALID_INPUT where nothing changes,"
        " STEP_REFUSED once it is withdrawn."
        " 更正公告，只有署名单位能办，原文仍可查看。",
    )
    async def correct_notice(
        self,
        info: Info,
        notice_id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="The sheet; only the party that signed it may mend it, else INVALID_INPUT."
                " 要更正的公告，只有署名单位能办。"
            ),
        ],
        correction: Annotated[
            NoticeCorrectionInput,
            strawberry.argument(description="At least one thing that is not so yet. 改成什么，至少改一项。"),
        ],
        reason: Annotated[
            str | None,
            strawberry.argument(
                description="Why, for everybody to read, up to 200 characters."
                " 更正的原因，人人可看，最多 200 字，可不填。"
            ),
        ] = None,
        key: Key = None,
    ) -> Notice | None:
        times = correction.times
        done = await actions.correct_notice(
            info.context.person,
            info.context.now,
            key_of(notice_id, "Notice", "noticeId"),
            title=correction.title,
            body=correction.body,
            times=None if times is None else (times.effective_from, times.effective_until),
            reason=reason,
            key=key,
        )
        return await Notice.fetch(info.context, done)

    @mutation(
        "noticeId",
        "Says that a sheet does not hold any more (PUBLISH_NOTICE, of the party that"
        " signed it). It stays readable where it hangs, with the reason; STEP_REFUSED where"
        " that was done before."
        " 撤下公告，只有署名单位能办，公告和撤下的原因仍可查看。",
    )
    async def withdraw_notice(
        self,
        info: Info,
        notice_id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="The sheet; only the party that signed it may withdraw it, else INVALID_INPUT."
                " 要撤下的公告，只有署名单位能办。"
            ),
        ],
        reason: Annotated[
            str,
            strawberry.argument(
                description="Why, for everybody to read, 1 to 200 characters."
                " 撤下的原因，人人可看，最多 200 字。"
            ),
        ],
        key: Key = None,
    ) -> Notice | None:
        done = await actions.withdraw_notice(
            info.context.person,
            info.context.now,
            key_of(notice_id, "Notice", "noticeId"),
            reason=reason,
            key=key,
        )
        return await Notice.fetch(info.context, done)


@strawberry.type
class BulletinSubscription:
    bulletin: BulletinItem = live(
        BULLETIN,
        WatchedId(
            "Community", "The estate whose board is followed; NOT_FOUND where it is hidden. 要关注的小区。"
        ),
        BulletinItem.of,
        description="Journal: every item behind the cursor `after`, in order, none skipped and none"
        " twice, then each new one; without a cursor only what happens from now on. A"
        " cursor ahead of the journal or of another community is CURSOR_INVALID. Of the"
        " ledger there is one item a day."
        " 公告栏动态：从 after 之后逐条送来，不漏不重，然后是新的；不带 after 只送新的。"
        "账本每天最多一条。",
    )


PRICES: Prices = {
    "Community.notices": Price(statements=1, item=30),
    "Community.bulletin": Price(statements=2, item=30),
    "Community.notice": Price(statements=1, item=15),
    "Notice.community": Price(statements=1, item=10),
    "Notice.organization": Price(statements=1, item=10),
    "Notice.viewerMayCorrect": Price(statements=1, item=40),
    "Notice.corrections": Price(statements=1, item=20),
    "Notice.withdrawnBy": Price(statements=1, item=10),
    "NoticeCorrection.organization": Price(statements=1, item=10),
    "BulletinItem.subject": Price(statements=4, item=30),
}
