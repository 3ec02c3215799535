"""Events are published here, and households sign up and cancel."""

from collections.abc import Sequence
from datetime import datetime

from community.bulletin.actions import in_whose_name
from community.bulletin.rules import BulletinKind
from community.database import journal
from community.database.sql import hold_exclusive
from community.database.work import Work, requires, same
from community.errors import NotFound
from community.events.models import Event, EventOrganizer, SignUp
from community.events.reads import (
    EventRow,
    event_row,
    place_of_event,
    place_of_sign_up,
    sign_ups_by_id,
    sign_ups_of,
)
from community.events.rules import check_cancel, check_dish, check_event, check_sign_up
from community.permissions import Permission
from community.places.reads import place_of
from community.signals import Topic
from community.text import body, line, line_if_any

LONGEST_DESCRIPTION = 10_000


@requires(Permission.PUBLISH_EVENT, within=place_of)
async def publish_event(
    work: Work,
    community: int,
    *,
    title: str,
    description: str,
    place: str,
    starts_at: datetime,
    ends_at: datetime,
    sign_up_closes_at: datetime | None,
    capacity: int | None,
    max_party_size: int,
    potluck: bool,
    organizers: Sequence[int] = (),
    key: str | None = None,
) -> int:
    """The id of the event. Signing up ends at the start, and the publisher's own organization organizes,
    where nothing else is said."""
    await journal.hold_number()  # one publishes at a time, so that a retry finds its first try
    done = await work.done_before("publishEvent", key)
    if done is not None:
        same((await place_of_event(done)).id, community)
        return done
    closes_at = starts_at if sign_up_closes_at is None else sign_up_closes_at
    check_event(starts_at, ends_at, closes_at, capacity, max_party_size, work.now)
    signing = await in_whose_name(work, community, Permission.PUBLISH_EVENT, organizers)
    event = await Event.create(
        community_id=community,
        title=line(title, 120, "标题", "the title"),
        description=body(description, LONGEST_DESCRIPTION, "说明", "the description", may_be_empty=True),
        place=line(place, 120, "地点", "the place"),
        starts_at=starts_at,
        ends_at=ends_at,
        sign_up_closes_at=closes_at,
        capacity=capacity,
        max_party_size=max_party_size,
        potluck=potluck,
        published_at=work.now,
    )
    await EventOrganizer.bulk_create(
        EventOrganizer(event_id=event.id, organization_id=organization) for organization in signing
    )
    await work.keep("publishEvent", key, event.id)
    work.posted(BulletinKind.EVENT_PUBLISHED, event.id, community)
    return int(event.id)


@requires(Permission.SIGN_UP, within=place_of_event, known_by=Permission.READ_BULLETIN)
async def sign_up(
    work: Work, event: int, *, party_size: int, dish: str | None = None, key: str | None = None
) -> int:
    """The id of the sign-up. Raises EventOver, AlreadySignedUp, EventFull, InvalidInput, KeyReused."""
    row = await _held(event)
    done = await work.done_before("signUp", key)
    if done is not None:
        same((await sign_ups_by_id(work.account, [done]))[done].event, event)
        return done
    check_sign_up(
        work.now,
        row.sign_up_closes_at,
        party_size,
        row.max_party_size,
        row.capacity,
        row.signed_up,
        already=event in await sign_ups_of(work.account, [event]),
    )
    dish = line_if_any(dish, 40, "菜名", "the dish")
    check_dish(dish, potluck=row.potluck)
    made = await SignUp.create(
        event_id=event, account_id=work.account, party_size=party_size, dish=dish, signed_up_at=work.now
    )
    await work.keep("signUp", key, made.id)
    work.changed(Topic.ATTENDANCE, event, row.community)
    return int(made.id)


@requires(Permission.SIGN_UP, within=place_of_sign_up, known_by=Permission.SIGN_UP)
async def cancel_sign_up(work: Work, sign_up: int) -> int:
    """Frees the places of one's own standing sign-up. Raises NotFound, EventBegun."""
    own = await sign_ups_by_id(work.account, [sign_up])
    if sign_up not in own:
        raise NotFound
    event = await _held(own[sign_up].event)
    check_cancel(work.now, event.starts_at)
    if not await SignUp.filter(id=sign_up, cancelled_at=None).update(cancelled_at=work.now):
        raise NotFound
    work.changed(Topic.ATTENDANCE, event.id, event.community)
    return sign_up


async def _held(event: int) -> EventRow:
    """The event, which nobody else signs up for until this transaction ends.

    So the rules see what is true and can say why they refuse. Below them a trigger adds up the places
    and a CHECK holds them, whatever is done here.
    """
    await hold_exclusive("event", event)
    return await event_row(event)
