"""Gatherings of neighbours and who comes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import strawberry

from community.database.paging import check_first
from community.errors import NotFound
from community.events import actions
from community.events.reads import (
    Attendance,
    EventRow,
    SignUpRow,
    dishes_of,
    organizers_of,
    place_of_event,
)
from schema.audience import BY_RIGHTS, BY_VIEWER
from schema.connections import First
from schema.context import Context, Info
from schema.mutations import Key, mutation
from schema.nodes import Node, fetched_by, key_of, to_id
from schema.places import Community, Organization, community_of, organization
from schema.watch import watch


@strawberry.type(description="How many come to an event.")
class EventAttendance:
    event_id: strawberry.ID = strawberry.field(description="The event.")
    version: int = strawberry.field(description="Grows with every change; a greater one is newer.")
    capacity: int | None = strawberry.field(description="Places in all; null: no limit.")
    signed_up: int = strawberry.field(description="People signed up, each household with all it brings.")
    places_left: int | None = strawberry.field(description="Null: no limit.")

    @classmethod
    def of(cls, value: Attendance | EventRow) -> "EventAttendance":
        return cls(
            event_id=to_id("Event", value.event if isinstance(value, Attendance) else value.id),
            version=value.version,
            capacity=value.capacity,
            signed_up=value.signed_up,
            places_left=None if value.capacity is None else value.capacity - value.signed_up,
        )


@strawberry.type(description="A gathering of neighbours (活动).")
class Event(Node):
    row: strawberry.Private[EventRow]

    @classmethod
    def of(cls, row: EventRow) -> "Event":
        return cls(id=to_id("Event", row.id), row=row)

    @strawberry.field(description="Where it is held.", metadata=BY_RIGHTS)
    async def community(self, info: Info) -> Community:
        return await community_of(info.context, self.row.community)

    @strawberry.field(
        description="Its number among the events of its community, from 1 in the order in which they were"
        " published; never given again, so that it fits in an address on paper."
    )
    def number(self) -> int:
        return self.row.number

    @strawberry.field(description="What it is called.")
    def title(self) -> str:
        return self.row.title

    @strawberry.field(description="What awaits those who come, in plain text with line breaks.")
    def description(self) -> str:
        return self.row.description

    @strawberry.field(description="Where to go.")
    def place(self) -> str:
        return self.row.place

    @strawberry.field(description="Who invites.")
    async def organizers(self, info: Info) -> list[Organization]:
        keys = await info.context.loaders.of(organizers_of).get(self.row.id)
        return list(await asyncio.gather(*(organization(info.context, key) for key in keys)))

    @strawberry.field(description="When it starts.")
    def starts_at(self) -> datetime:
        return self.row.starts_at

    @strawberry.field(description="When it ends.")
    def ends_at(self) -> datetime:
        return self.row.ends_at

    @strawberry.field(description="Signing up is possible before this moment.")
    def sign_up_closes_at(self) -> datetime:
        return self.row.sign_up_closes_at

    @strawberry.field(description="How many people one household may bring, itself included.")
    def max_party_size(self) -> int:
        return self.row.max_party_size

    @strawberry.field(description="Each household brings a dish.")
    def potluck(self) -> bool:
        return self.row.potluck

    @strawberry.field(description="How many come so far.")
    def attendance(self) -> EventAttendance:
        return EventAttendance.of(self.row)

    @strawberry.field(description="Dishes announced so far, the newest first, without saying whose.")
    async def dishes(self, info: Info, first: First = 50) -> list[str]:
        most = check_first(first, default=50)
        return await info.context.loaders.of(dishes_of, most).get(self.row.id)

    @strawberry.field(
        description="Depends on the viewer: the viewer's own sign-up, if it stands. A narrowed token sees it"
        " with SIGN_UP or READ_OWN.",
        metadata=BY_VIEWER,
    )
    async def viewer_sign_up(self, info: Info) -> "SignUp | None":
        row = await info.context.loaders.own_sign_ups.load(self.row.id)
        return SignUp.of(row) if row else None


@strawberry.type(description="A household's place at an event. Only whoever signed up sees it.")
class SignUp(Node):
    row: strawberry.Private[SignUpRow]

    @classmethod
    def of(cls, row: SignUpRow) -> "SignUp":
        return cls(id=to_id("SignUp", row.id), row=row)

    @strawberry.field(description="The event.", metadata=BY_RIGHTS)
    async def event(self, info: Info) -> Event:
        row = await info.context.loaders.events.load(self.row.event)
        if row is None:
            raise NotFound  # who moved away keeps the sign-up, not the sight of the community
        return Event.of(row)

    @strawberry.field(description="How many people come.")
    def party_size(self) -> int:
        return self.row.party_size

    @strawberry.field(description="What they bring.")
    def dish(self) -> str | None:
        return self.row.dish

    @strawberry.field(description="When they signed up.")
    def signed_up_at(self) -> datetime:
        return self.row.signed_up_at

    @strawberry.field(description="When they took it back; null while it stands.")
    def cancelled_at(self) -> datetime | None:
        return self.row.cancelled_at


@fetched_by("Event")
async def _event(context: Context, key: int) -> Event | None:
    row = await context.loaders.events.load(key)
    return Event.of(row) if row else None


@fetched_by("SignUp")
async def _sign_up(context: Context, key: int) -> SignUp | None:
    row = await context.loaders.sign_ups.load(key)
    return SignUp.of(row) if row else None


@strawberry.type
class EventsQuery:
    @strawberry.field(description="One event; null where it is unknown or hidden.")
    async def event(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Of the event.")]
    ) -> Event | None:
        return await _event(info.context, key_of(id, "Event"))


@strawberry.input(description="An invitation.")
class EventInput:
    title: str = strawberry.field(description="Up to 120 characters.")
    place: str = strawberry.field(description="Where to go.")
    starts_at: datetime = strawberry.field(description="In the future.")
    ends_at: datetime = strawberry.field(description="After the start.")
    description: str = strawberry.field(default="", description="What awaits those who come.")
    sign_up_closes_at: datetime | None = strawberry.field(
        default=None, description="The start, if not given."
    )
    capacity: int | None = strawberry.field(default=None, description="Places in all; null: no limit.")
    max_party_size: int = strawberry.field(default=6, description="People one household may bring.")
    potluck: bool = strawberry.field(default=False, description="Each household brings a dish.")


@strawberry.type
class EventsMutation:
    @mutation("eventId", "Takes places at an event for the viewer's household.")
    async def sign_up(
        self,
        info: Info,
        event_id: Annotated[strawberry.ID, strawberry.argument(description="The event.")],
        party_size: Annotated[int, strawberry.argument(description="How many people come.")] = 1,
        dish: Annotated[str | None, strawberry.argument(description="What they bring.")] = None,
        key: Key = None,
    ) -> SignUp | None:
        done = await actions.sign_up(
            info.context.viewer,
            info.context.now,
            key_of(event_id, "Event", "eventId"),
            party_size=party_size,
            dish=dish,
            key=key,
        )
        return await _sign_up(info.context, done)

    @mutation("signUpId", "Gives the places back, before the event starts.")
    async def cancel_sign_up(
        self,
        info: Info,
        sign_up_id: Annotated[strawberry.ID, strawberry.argument(description="One's own.")],
        key: Key = None,
    ) -> SignUp | None:
        done = await actions.cancel_sign_up(
            info.context.viewer, info.context.now, key_of(sign_up_id, "SignUp", "signUpId"), key=key
        )
        return await _sign_up(info.context, done)

    @mutation("communityId", "Invites the neighbours, in the name of the viewer's organization.")
    async def publish_event(
        self,
        info: Info,
        community_id: Annotated[strawberry.ID, strawberry.argument(description="Where.")],
        event: Annotated[EventInput, strawberry.argument(description="The invitation.")],
        key: Key = None,
    ) -> Event | None:
        done = await actions.publish_event(
            info.context.viewer,
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
        return await _event(info.context, done)


@strawberry.type
class EventsSubscription:
    @strawberry.subscription(description="State: how many come now, and again after each change.")
    async def event_attendance(
        self, info: Info, event_id: Annotated[strawberry.ID, strawberry.argument(description="The event.")]
    ) -> AsyncGenerator[EventAttendance, None]:
        event = key_of(event_id, "Event", "eventId")

        watched = info.context.watching.attendance.watch(event)
        async with aclosing(watch(info.context, lambda: place_of_event(event), watched)) as states:
            async for attendance in states:
                if attendance is not None:
                    yield EventAttendance.of(attendance)
