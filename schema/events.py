"""Gatherings of neighbours and who comes."""

import asyncio
from datetime import datetime
from typing import Annotated, cast

import strawberry
from strawberry import Parent

from community.database.cursors import ListCursors
from community.database.paging import Page, check_first
from community.events import actions
from community.events.facts import ATTENDANCE, EVENT, SIGN_UP
from community.events.reads import (
    Attendance,
    EventRow,
    SignUpRow,
    TablePartyRow,
    dishes_of,
    event_corrections_of,
    event_key,
    events_by_number,
    events_pages,
    organizers_of,
    seated_at,
)
from community.events.rules import check_sign_up
from community.permissions import Permission, require
from community.places.reads import CommunityRow, organizations_by_id
from schema.connections import After, Connection, First, connect
from schema.context import Info
from schema.cost import Price, Prices
from schema.eligibility import Eligibility
from schema.fields import brought, in_context
from schema.live import WatchedId, live
from schema.marks import BY_RIGHTS, BY_VIEWER
from schema.mutations import Key, mutation
from schema.nodes import Node, key_of, to_id
from schema.places import (
    NOTHING,
    Numbered,
    Organization,
    community_by,
    community_row,
    may_correct,
    numbered,
    shows_bulletin,
)
from schema.refs import CommunityRef


@strawberry.type(
    description="How full a gathering is, in one consistent state. The same for everybody who may"
    " see the event: who comes is not told."
    " 报名情况，人人看到的一样，不显示是谁。"
)
class EventAttendance:
    key: strawberry.Private[int]
    event: "Event" = brought(
        lambda loaders: loaders.events,
        "key",
        hidden=True,
        description="The gathering itself, so that a client's store finds by its id what to renew."
        " 活动本身，客户端凭它的编号更新缓存。",
        metadata=BY_RIGHTS,
    )
    event_id: strawberry.ID = strawberry.field(
        description="Of the gathering that these numbers are about. 所说活动的编号。"
    )
    version: int = strawberry.field(
        description="Grows with every sign-up, cancellation and change; of two states the greater"
        " one is newer, the other may be thrown away."
        " 版本号，每次变化都增大，大的更新。"
    )
    capacity: int | None = strawberry.field(
        description="How many people fit in; null where the number is not limited. 名额总数，不限为 null。"
    )
    signed_up: int = strawberry.field(
        description="How many people are expected: every party size that stands, added up."
        " 已报名的人数，按各家来的人数相加。"
    )
    places_left: int | None = strawberry.field(
        description="Places still free, `capacity` less `signedUp`; null where the number is not"
        " limited."
        " 还剩几个名额，不限为 null。"
    )

    @classmethod
    def of(cls, value: Attendance | EventRow) -> "EventAttendance":
        key = value.event if isinstance(value, Attendance) else value.id
        return cls(
            key=key,
            event_id=to_id("Event", key),
            version=value.version,
            capacity=value.capacity,
            signed_up=value.signed_up,
            places_left=None if value.capacity is None else value.capacity - value.signed_up,
        )

    @strawberry.field(
        description="Of a feast laid in tables of ten: seats taken at each, in the order of the"
        " tables, of which the last may be smaller. Parties are seated provisionally as"
        " they signed up, together where there is room; where one cancels, later ones"
        " move up. Empty for any other event, and above 1,000 places."
        " 每桌坐了几人，按报名先后暂排；不摆桌的活动为空。"
    )
    async def tables(self, info: Info) -> list[int]:
        return list((await info.context.loaders.of(seated_at).get(self.key)).seating.taken)


@strawberry.type(
    description="A household at a table as its neighbours see it: never a name, never a door number."
    " 同桌的一家，不写姓名和门牌。"
)
class TableParty:
    seats: int = strawberry.field(
        description="Places it takes at this table; a large household may sit at two. 在这一桌坐几人。"
    )
    dish: str | None = strawberry.field(
        description="What they carry to the table; null where they did not say. 带什么菜，没说的为 null。"
    )
    building: str | None = strawberry.field(
        description="Where it lives or owns, such as 5幢; null for staff, and where it is the only household"
        " of its building, whose number would be its door."
        " 住在哪一幢；工作人员，或整幢只有一家的，为 null。"
    )
    own: bool = strawberry.field(description="True for the household of whoever asks. 是不是您家。")

    @classmethod
    def of(cls, row: TablePartyRow, seats: int) -> "TableParty":
        return cls(seats=seats, dish=row.dish, building=row.building, own=row.own)


@strawberry.type(
    description="One round table of a feast, and who sits there. Only whoever may sign up sees it."
    " 宴席上的一张桌子。"
)
class EventTable:
    number: int = strawberry.field(
        description="Counted from 1, the one nearest to the stage first. 第几桌，离台最近的是第 1 桌。"
    )
    seats: int = strawberry.field(
        description="How many fit around it: ten, or what is left for the last one."
        " 这一桌几个位子，一般十个。"
    )
    parties: list[TableParty] = strawberry.field(
        description="Households in the order in which they signed up, the viewer's own among them."
        " 坐在这桌的各家，按报名先后。"
    )


@strawberry.type(description="What an invitation said before a correction, whole. 活动说明更正之前的原文。")
class EventCorrection:
    """Its values are rows."""

    title: str = strawberry.field(
        description="What the gathering was called before other words replaced it. 原来的名称。"
    )

    description: str = strawberry.field(
        description="What awaited those who come, as it was told until then. 原来的说明全文。"
    )

    place: str = strawberry.field(description="The spot as it was named. 原来写的地点。")

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
        description="The organizer that corrected it; whoever did so for it is not told. 更正的单位。",
    )

    reason: str | None = strawberry.field(
        description="Why other words were needed, up to 200 characters; null where nobody said."
        " 更正的原因，没写的为 null。"
    )


@strawberry.type(
    description="A gathering of neighbours (活动), such as a 美邻节; to be seen by whoever may read"
    " the bulletin."
    " 邻里活动，能看公告栏的人都能看到。"
)
class Event(Node, subject=EVENT, row=EventRow):
    community: CommunityRef = community_by(
        "community", description="The estate that holds it. 举办活动的小区。"
    )

    number: int = strawberry.field(
        description="Counted among the events of its community, from 1 in the order of publishing,"
        " and never given again: short enough for an address on paper."
        " 在本小区活动中的编号，从 1 起，不会重用。"
    )

    title: str = strawberry.field(
        description="One line of up to 120 characters, as it is announced. 活动名称，一行，最多 120 字。"
    )

    description: str = strawberry.field(
        description="What awaits those who come: plain text with line breaks, never markup; may be"
        " empty."
        " 活动说明，纯文本，可换行。"
    )

    place: str = strawberry.field(
        description="The spot to go to, up to 120 characters, such as 中心花园. 活动地点，最多 120 字。"
    )

    @strawberry.field(description="The parties that invite, the one that published it first. 主办的各方。")
    @staticmethod
    async def organizers(row: Parent[EventRow], info: Info) -> list[Organization]:
        keys = await info.context.loaders.of(organizers_of).get(row.id)
        loader = info.context.loaders.of(organizations_by_id)
        return [Organization.of(row) for row in await asyncio.gather(*map(loader.get, keys))]

    corrected_at: datetime | None = strawberry.field(
        description="The moment of the last correction of title, description or place; null where they"
        " are what they always were."
        " 文字最近一次更正的时间，没有更正过的为 null。"
    )

    corrections: list[EventCorrection] = brought(
        lambda loaders: loaders.of(event_corrections_of),
        "id",
        description="What it said before, the newest first; at most 20 times. 历次更正之前的原文，新的在前。",
    )

    starts_at: datetime = strawberry.field(
        description="The moment at which it begins; signing off ends then as well."
        " 开始时间，此后不能取消报名。"
    )

    ends_at: datetime = strawberry.field(
        description="The moment at which it is over and moves behind the coming ones. 结束时间。"
    )

    sign_up_closes_at: datetime = strawberry.field(
        description="Signing up counts before this moment, at the latest the start; then it is"
        " EVENT_OVER."
        " 报名截止时间，到点即止。"
    )

    max_party_size: int = strawberry.field(
        description="The most people that one household may bring, whoever signs up included."
        " 一家最多来几人，含报名的人。"
    )

    potluck: bool = strawberry.field(
        description="True where each household brings a dish, and a sign-up may name it. 是否每家带一道菜。"
    )

    attendance: EventAttendance = in_context(
        lambda row, context: EventAttendance.of(row),
        description="How many are expected as of now; the subscription `eventAttendance` goes on"
        " from there."
        " 现在的报名情况，可接着订阅。",
    )

    @strawberry.field(
        description="Dishes announced by those who come, the newest first, without saying whose."
        " 各家报的菜，新的在前，不显示是谁家的。"
    )
    @staticmethod
    async def dishes(row: Parent[EventRow], info: Info, first: First = 50) -> list[str]:
        most = check_first(first, default=50)
        return await info.context.loaders.of(dishes_of, most).get(row.id)

    @strawberry.field(
        description="Who sits at a table and brings what. Null for whoever may not sign up here, for"
        " a table that there is not, and where the event is not laid in tables. Depends"
        " on the viewer."
        " 一桌坐了哪几家、带什么菜，只给登录的邻居看。",
        metadata=BY_VIEWER,
    )
    @staticmethod
    async def table(
        row: Parent[EventRow],
        info: Info,
        number: Annotated[
            int,
            strawberry.argument(
                description="Which one of those that are laid, counted from 1; null for any other."
                " 第几桌，从 1 起，没有这一桌的为 null。"
            ),
        ] = 1,
    ) -> EventTable | None:
        laid = await info.context.loaders.tables.load(row.id)
        if laid is None or not 1 <= number <= len(laid.seating.seats):
            return None
        around = laid.around(number)
        rows = await asyncio.gather(*(info.context.loaders.table_parties.load(key) for key, _ in around))
        return EventTable(
            number=number,
            seats=laid.seating.seats[number - 1],
            parties=[
                TableParty.of(party, seats)
                for party, (_, seats) in zip(rows, around, strict=True)
                if party is not None
            ],
        )

    viewer_sign_up: "SignUp | None" = brought(
        lambda loaders: loaders.own_sign_ups,
        "id",
        optional=True,
        description="The sign-up of the viewer's household while it stands, whoever of it signed up;"
        " null where there is none. A narrowed token sees it with SIGN_UP or READ_OWN."
        " Depends on the viewer, so that a subscription with it is not shared."
        " 本户的报名，没有或已取消的为 null。",
        metadata=BY_VIEWER,
    )

    @strawberry.field(
        description="Whether `signUp` with one person would be taken now, and if not, what would be"
        " answered. Depends on the viewer; the deed itself is checked again."
        " 现在能不能报名，不能的话是什么原因。",
        metadata=BY_VIEWER,
    )
    @staticmethod
    async def viewer_may_sign_up(row: Parent[EventRow], info: Info) -> Eligibility:
        viewer = info.context.viewer
        community = await community_row(info.context, row.community)
        own = await info.context.loaders.own_sign_ups.load(row.id)
        return Eligibility.after(
            lambda: require(viewer, Permission.SIGN_UP, community.scope, Permission.READ_BULLETIN),
            lambda: check_sign_up(
                info.context.now,
                row.sign_up_closes_at,
                1,
                row.max_party_size,
                row.capacity,
                row.signed_up,
                already=own is not None,
            ),
        )

    @strawberry.field(
        description="Whether `correctEvent` would be taken now, and if not, what would be answered. Depends"
        " on the viewer; the deed itself is checked again."
        " 现在能不能更正，不能的话是什么原因。",
        metadata=BY_VIEWER,
    )
    @staticmethod
    async def viewer_may_correct(row: Parent[EventRow], info: Info) -> Eligibility:
        organizers = await info.context.loaders.of(organizers_of).get(row.id)
        return await may_correct(info.context, Permission.PUBLISH_EVENT, row.community, organizers)


@strawberry.type(
    description="A household's places at a gathering. Only those who live in its unit see it, and the"
    " account that signed up, also after moving away. Whoever has several homes in an"
    " estate belongs to one household: of the one that is rented, else of the one held"
    " longest that is not let. Of a flat that is let tenants and owners are two households."
    " Whoever has no home there, as staff, signs up for oneself."
    " 一户的报名，只有这一户的人和报名的人看得到；有几套房的算一户：先算租住的，再算自住的、持有最久的。"
    " 出租的房子，租客一户，业主一户。"
)
class SignUp(Node, subject=SIGN_UP, row=SignUpRow):
    event: Event = brought(
        lambda loaders: loaders.events,
        "event",
        hidden=True,
        description="The gathering to which they come; NOT_FOUND for whoever may no longer read"
        " there."
        " 报名的活动。",
        metadata=BY_RIGHTS,
    )

    own: bool = strawberry.field(
        name="madeByViewer",
        description="True where the viewer's own account signed up, false where another of its household"
        " did."
        " 是不是本人报的；不是的话，是同一户的人报的。",
    )

    party_size: int = strawberry.field(
        description="How many people come, from 1 to the event's `maxPartySize`. 来几个人。"
    )

    dish: str | None = strawberry.field(
        description="What they bring to a potluck; null where nothing was named. 带的菜，没写的为 null。"
    )

    @strawberry.field(
        description="Numbers of the tables where they sit, provisionally; empty where there are no"
        " tables, and once it was cancelled."
        " 坐第几桌，暂排；没有的为空。"
    )
    @staticmethod
    async def tables(row: Parent[SignUpRow], info: Info) -> list[int]:
        laid = await info.context.loaders.of(seated_at).get(row.event)
        return [table for table, _ in laid.at.get(row.id, ())]

    signed_up_at: datetime = strawberry.field(description="When it was taken by the server. 报名的时间。")

    cancelled_at: datetime | None = strawberry.field(
        description="When it was taken back and the places freed; null while it stands."
        " 取消的时间，没取消的为 null。"
    )


@strawberry.type
class EventsOfCommunity:
    @strawberry.field(
        description="The gathering with this number in this estate; null where there is none, or"
        " where the viewer may not see it."
        " 按编号找本小区的一次活动，没有或不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    @staticmethod
    async def event(row: Parent[CommunityRow], info: Info, number: Numbered) -> Event | None:
        return Event.of(await numbered(info.context, row, events_by_number, number))

    @strawberry.field(
        description="Gatherings that the viewer may see: those not yet over by their start, the next"
        " one first, then those that are over, the latest first."
        " 本小区的活动，先是还没结束的，再是结束了的。",
        metadata=BY_RIGHTS,
    )
    @staticmethod
    async def events(
        row: Parent[CommunityRow],
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
    ) -> Connection[Event]:
        size, now = check_first(first), info.context.loaders.now_briefly()
        cursors = ListCursors("events", row.id, {"coming": coming})
        key = cast("tuple[bool, datetime, int] | None", cursors.key(after, bool, datetime, int))
        page: Page[EventRow] = NOTHING
        if shows_bulletin(info.context, row):
            loaders = info.context.loaders
            columns = loaders.columns(EventRow)
            page = await loaders.of(events_pages, now, size, key, coming, columns).get(row.id)
        return connect(page, lambda row: cursors.cursor(*event_key(row, now)), later=key is not None)


@strawberry.type
class EventsQuery:
    @strawberry.field(
        description="The gathering behind an id; null where it is unknown or hidden, or where the id"
        " is of something else."
        " 按 id 找一次活动，不存在或不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    async def event(
        self,
        info: Info,
        id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="As it was given by any Event; one that is not well formed is"
                " INVALID_ID."
                " 要找的活动的 id。"
            ),
        ],
    ) -> Event | None:
        return await Event.named(info.context, id)


@strawberry.input(
    description="An invitation as it is to be published; texts are cleaned, never cut. 要发布的活动。"
)
class EventInput:
    title: str = strawberry.field(description="One line, 1 to 120 characters. 活动名称，一行，最多 120 字。")
    place: str = strawberry.field(
        description="Where neighbours should go, 1 to 120 characters. 地点，最多 120 字。"
    )
    starts_at: datetime = strawberry.field(
        description="Lies in the future when it is published; else INVALID_INPUT. 开始时间，须在发布之后。"
    )
    ends_at: datetime = strawberry.field(description="Later than the start. 结束时间，须晚于开始。")
    description: str = strawberry.field(
        default="",
        description="Plain text of up to 10,000 characters with line breaks; none where it is left"
        " out."
        " 说明，纯文本，最多 10000 字，可不填。",
    )
    sign_up_closes_at: datetime | None = strawberry.field(
        default=None,
        description="The last moment for signing up, in the future and no later than the start; the"
        " start itself where it is left out."
        " 报名截止，不填则到开始为止。",
    )
    capacity: int | None = strawberry.field(
        default=None,
        description="From 1 to 100,000 people; null for as many as like to come."
        " 名额，1 到 100000，不填为不限。",
    )
    max_party_size: int = strawberry.field(
        default=6, description="How many one household may bring, from 1 to 20. 一家最多来几人，1 到 20。"
    )
    potluck: bool = strawberry.field(
        default=False, description="True asks each household for a dish. 是否每家带一道菜。"
    )


@strawberry.input(
    description="What an invitation shall say instead; what is null or left out stays as it is. Times and"
    " places are no words of it."
    " 要更正的文字，不填的保持原样；时间和名额不在其中。"
)
class EventCorrectionInput:
    title: str | None = strawberry.field(
        default=None, description="One line, 1 to 120 characters. 新的名称，最多 120 字。"
    )
    description: str | None = strawberry.field(
        default=None,
        description="The whole description anew, up to 10,000 characters; may be empty."
        " 新的说明，全文，最多 10000 字，可以留空。",
    )
    place: str | None = strawberry.field(
        default=None, description="Where to go, 1 to 120 characters. 新的地点，最多 120 字。"
    )


@strawberry.type
class EventsMutation:
    @mutation(
        "eventId",
        "Takes places at a gathering for the viewer's household (SIGN_UP: owners,"
        " tenants, staff), once for all who live in its unit. EVENT_FULL, EVENT_OVER and"
        " ALREADY_SIGNED_UP say why not; the capacity is never exceeded."
        " 为本户报名活动，一户报一次，业主、租户和工作人员都可以。",
    )
    async def sign_up(
        self,
        info: Info,
        event_id: Annotated[
            strawberry.ID,
            strawberry.argument(description="The gathering to which one wants to come. 要报名的活动。"),
        ],
        party_size: Annotated[
            int,
            strawberry.argument(
                description="How many people, from 1 to the event's `maxPartySize`. 来几个人。"
            ),
        ] = 1,
        dish: Annotated[
            str | None,
            strawberry.argument(
                description="What they carry to a potluck, up to 40 characters; INVALID_INPUT where"
                " the event is none."
                " 带什么菜，最多 40 字，只用于每家带菜的活动。"
            ),
        ] = None,
        key: Key = None,
    ) -> SignUp | None:
        done = await actions.sign_up(
            info.context.person,
            info.context.now,
            key_of(event_id, "Event", "eventId"),
            party_size=party_size,
            dish=dish,
            key=key,
        )
        return await SignUp.fetch(info.context, done)

    @mutation(
        "signUpId",
        "Gives the places of one's household back, whoever of it signed up, before the"
        " event starts; they are free at once."
        " 取消本户的报名，活动开始前有效，名额立即放出。",
    )
    async def cancel_sign_up(
        self,
        info: Info,
        sign_up_id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="The sign-up to be taken back, of one's own household; another's is"
                " NOT_FOUND."
                " 要取消的报名，只能是本户的。"
            ),
        ],
        key: Key = None,
    ) -> SignUp | None:
        done = await actions.cancel_sign_up(
            info.context.person, info.context.now, key_of(sign_up_id, "SignUp", "signUpId"), key=key
        )
        return await SignUp.fetch(info.context, done)

    @mutation(
        "communityId",
        "Invites the neighbours in the name of the viewer's organization (PUBLISH_EVENT:"
        " the four parties). The bulletin shows it at once."
        " 以本单位名义发布活动，社区、党支部、业委会（物管委）、物业都可以。",
    )
    async def publish_event(
        self,
        info: Info,
        community_id: Annotated[
            strawberry.ID,
            strawberry.argument(description="The estate whose neighbours are invited. 在哪个小区发布。"),
        ],
        event: Annotated[
            EventInput,
            strawberry.argument(description="The invitation, every text of it checked. 活动的内容。"),
        ],
        key: Key = None,
    ) -> Event | None:
        done = await actions.publish_event(
            info.context.person,
            info.context.now,
            key_of(community_id, "Community", "communityId"),
            title=event.title,
            description=event.description,
            place=event.place,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            sign_up_closes_at=event.sign_up_closes_at,
            capacity=event.capacity,
            max_party_size=event.max_party_size,
            potluck=event.potluck,
            key=key,
        )
        return await Event.fetch(info.context, done)

    @mutation(
        "eventId",
        "Replaces words of an invitation (PUBLISH_EVENT, of a party that organizes it);"
        " what it said before stays readable in `corrections`. INVALID_INPUT where nothing"
        " changes."
        " 更正活动的文字，只有主办单位能办，原文仍可查看。",
    )
    async def correct_event(
        self,
        info: Info,
        event_id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="The gathering; only a party that organizes it may mend it, else"
                " INVALID_INPUT."
                " 要更正的活动，只有主办单位能办。"
            ),
        ],
        correction: Annotated[
            EventCorrectionInput,
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
    ) -> Event | None:
        done = await actions.correct_event(
            info.context.person,
            info.context.now,
            key_of(event_id, "Event", "eventId"),
            title=correction.title,
            description=correction.description,
            place=correction.place,
            reason=reason,
            key=key,
        )
        return await Event.fetch(info.context, done)


@strawberry.type
class EventsSubscription:
    event_attendance: EventAttendance = live(
        ATTENDANCE,
        WatchedId("Event", "The gathering to be watched; NOT_FOUND where it is hidden. 要关注的活动。"),
        EventAttendance.of,
        description="State: how many are expected now, then again after each change. The newest"
        " wins; a slow reader skips steps, never the end."
        " 报名情况：先给现状，每有变化再给一次，只保证最新。",
    )


PRICES: Prices = {
    "Query.event": Price(statements=1),
    "Community.events": Price(statements=1, item=30),
    "Community.event": Price(statements=1, item=15),
    "Event.community": Price(statements=1, item=10),
    "Event.organizers": Price(statements=2, item=20, size=2),
    "Event.viewerMayCorrect": Price(statements=2, item=50),
    "Event.corrections": Price(statements=1, item=20),
    "EventCorrection.organization": Price(statements=1, item=10),
    "Event.dishes": Price(statements=1, item=10),
    "Event.table": Price(statements=4, item=1_200),
    "EventAttendance.event": Price(statements=1, item=20),
    "EventAttendance.tables": Price(statements=1, item=16, size=60),
    "EventTable.parties": Price(size=4),
    "SignUp.tables": Price(statements=1, item=500, size=2),
    "Event.viewerSignUp": Price(statements=3, item=20),
    "Event.viewerMaySignUp": Price(statements=4, item=40),
    "SignUp.event": Price(statements=1, item=20),
}
