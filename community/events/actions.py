"""Events are published and corrected here, and households sign up and cancel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from community.bulletin.actions import in_whose_name
from community.corrections import signer, signers
from community.database.corrections import Correctable
from community.database.sql import lock_advisory, lock_exclusive
from community.database.steps import LONGEST_REASON, take_step
from community.database.work import UnitOfWork, requires
from community.errors import NotFound
from community.events.facts import EVENT_CORRECTED, EVENT_PUBLISHED, SIGN_UP_CANCELLED, SIGNED_UP
from community.events.models import Event, EventOrganizer, EventStepRecord, SignUp
from community.events.reads import (
    EventRow,
    event_row,
    organizers_of,
    scope_of_event,
    scope_of_sign_up,
    sign_ups_by_id,
    sign_ups_of,
)
from community.events.rules import (
    EVENT_LIFE,
    LONGEST_DESCRIPTION,
    LONGEST_DISH,
    LONGEST_PLACE,
    LONGEST_TITLE,
    EventStep,
    check_cancel,
    check_dish,
    check_event,
    check_sign_up,
)
from community.members.reads import Home, homes_of
from community.permissions import Permission
from community.places.reads import scope_of
from community.text import body, single_line, single_line_if_any

_WORDS = Correctable(
    "event", Event, EventStepRecord, EVENT_LIFE, EventStep.CORRECTED, ("title", "description", "place")
)


@requires(Permission.PUBLISH_EVENT, within=scope_of)
async def publish_event(
    work: UnitOfWork,
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
    terms: dict[str, Any] = {
        **_cleaned("event", title=title, description=description, place=place),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "sign_up_closes_at": starts_at if sign_up_closes_at is None else sign_up_closes_at,
        "capacity": capacity,
        "max_party_size": max_party_size,
        "potluck": potluck,
    }
    await lock_advisory(f"event {community}")  # which numbering it would take after the key
    command = await work.command(
        "publishEvent", key, community=community, organizers=tuple(dict.fromkeys(organizers)), **terms
    )
    if command.result is not None:
        return command.again(same=(await scope_of_event(command.result)).id == community)
    check_event(starts_at, ends_at, sign_up_closes_at, capacity, max_party_size, work.now)
    signing = await in_whose_name(work, community, Permission.PUBLISH_EVENT, organizers)
    event = await Event.create(community_id=community, published_at=work.now, **terms)
    await EventOrganizer.bulk_create(
        EventOrganizer(event_id=event.id, organization_id=organization) for organization in signing
    )
    await take_step(
        EventStepRecord,
        EVENT_LIFE,
        event.id,
        EventStep.PUBLISHED,
        at=work.now,
        actor=work.recorder,
        organization_id=signing[0],
    )
    await command.store(event.id)
    work.record(EVENT_PUBLISHED, event.id)
    return int(event.id)


def _cleaned(field: str, *, title: str | None, description: str | None, place: str | None) -> dict[str, str]:
    """The words that are given. Raises InvalidInput, about one below `field`."""
    words = {}
    if title is not None:
        words["title"] = single_line(title, LONGEST_TITLE, "标题", "the title", field=f"{field}.title")
    if description is not None:
        words["description"] = body(
            description,
            LONGEST_DESCRIPTION,
            "说明",
            "the description",
            may_be_empty=True,
            field=f"{field}.description",
        )
    if place is not None:
        words["place"] = single_line(place, LONGEST_PLACE, "地点", "the place", field=f"{field}.place")
    return words


@requires(Permission.PUBLISH_EVENT, within=scope_of_event, known_by=Permission.READ_BULLETIN)
async def correct_event(
    work: UnitOfWork,
    event: int,
    *,
    title: str | None = None,
    description: str | None = None,
    place: str | None = None,
    reason: str | None = None,
    key: str | None = None,
) -> int:
    """Replaces the words that are given; what it said before stays readable.

    Raises InvalidInput where nothing changes or other organizations organize it, KeyReused.
    """
    words = _cleaned("correction", title=title, description=description, place=place)
    reason = single_line_if_any(reason, LONGEST_REASON, "更正原因", "the reason", field="reason")
    row = await _held(event)
    command = await work.command("correctEvent", key, event=event, reason=reason, **words)
    if command.result is not None:
        return command.again(same=command.result == event)
    organizers = (await organizers_of([event]))[event]
    signing = signer(signers(work.viewer, Permission.PUBLISH_EVENT, row.community, organizers))
    await _WORDS.correct(event, words, at=work.now, actor=work.recorder, organization=signing, reason=reason)
    await command.store(event)
    work.record(EVENT_CORRECTED, event)
    return event


@requires(Permission.SIGN_UP, within=scope_of_event, known_by=Permission.READ_BULLETIN)
async def sign_up(
    work: UnitOfWork, event: int, *, party_size: int, dish: str | None = None, key: str | None = None
) -> int:
    """The id of the sign-up, which is one's household's, or one's own where one has no home here.

    Raises EventOver, AlreadySignedUp, EventFull, InvalidInput, KeyReused.
    """
    dish = single_line_if_any(dish, LONGEST_DISH, "菜名", "the dish", field="dish")
    row = await _held(event)
    command = await work.command("signUp", key, event=event, party_size=party_size, dish=dish)
    if command.result is not None:
        first = (await sign_ups_by_id(work.account, [command.result], work.now))[command.result]
        return command.again(same=first.event == event, stands=first.cancelled_at is None)
    check_sign_up(
        work.now,
        row.sign_up_closes_at,
        party_size,
        row.max_party_size,
        row.capacity,
        row.signed_up,
        already=event in await sign_ups_of(work.account, [event], work.now),
    )
    check_dish(dish, potluck=row.potluck)
    homes = await homes_of([work.account], row.community, work.now)
    made = await SignUp.create(
        event_id=event,
        account_id=work.account,
        **_household(homes.get(work.account)),
        party_size=party_size,
        dish=dish,
        signed_up_at=work.now,
    )
    await command.store(made.id)
    work.record(SIGNED_UP, event)
    return int(made.id)


@dataclass(frozen=True, slots=True)
class RecordedSignUp:
    """A sign-up as somebody wrote it down."""

    account: int
    party_size: int
    dish: str | None
    at: datetime


@requires(Permission.OPERATE, within=scope_of_event)
async def record_sign_ups(work: UnitOfWork, event: int, sign_ups: Sequence[RecordedSignUp]) -> None:
    """Takes over many sign-ups, all or none; the database holds who may come, and that places suffice."""
    row = await event_row(event)
    homes = await homes_of({new.account for new in sign_ups}, row.community, work.now)
    await SignUp.bulk_create(
        (
            SignUp(
                event_id=event,
                account_id=new.account,
                **_household(homes.get(new.account)),
                party_size=new.party_size,
                dish=new.dish,
                signed_up_at=new.at,
            )
            for new in sign_ups
        ),
        batch_size=1000,
    )
    work.record(SIGNED_UP, event)


def _household(home: Home | None) -> dict[str, Any]:
    """Whose sign-up it is, as its columns say; without a home the account's own."""
    return {"household_id": home and home.unit, "rented": home is not None and home.rented}


@requires(Permission.SIGN_UP, within=scope_of_sign_up, known_by=Permission.SIGN_UP)
async def cancel_sign_up(work: UnitOfWork, sign_up: int, *, key: str | None = None) -> int:
    """Frees the places of one's own or one's household's standing sign-up.

    Raises NotFound, EventBegun, KeyReused.
    """
    own = await sign_ups_by_id(work.account, [sign_up], work.now)
    if sign_up not in own:
        raise NotFound
    event = await _held(own[sign_up].event)
    command = await work.command("cancelSignUp", key, sign_up=sign_up)
    if command.result is not None:
        return command.again(same=command.result == sign_up)
    check_cancel(work.now, event.starts_at)
    if not await SignUp.filter(id=sign_up, cancelled_at=None).update(cancelled_at=work.now):
        raise NotFound
    await command.store(sign_up)
    work.record(SIGN_UP_CANCELLED, event.id)
    return sign_up


async def _held(event: int) -> EventRow:
    """The event, which nobody else signs up for or corrects until this transaction ends.

    So the rules see what is true and can say why they refuse. Below them a trigger adds up the places
    and a CHECK holds them, whatever is done here.
    """
    await lock_exclusive("event", event)
    return await event_row(event)
