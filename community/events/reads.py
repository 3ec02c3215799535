"""Events, how many come, and a viewer's own sign-ups; never who else comes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from tortoise.queryset import QuerySet

from community.database.paging import Page, page
from community.database.rows import Run, Shape, first_of_each
from community.errors import NotFound
from community.events.models import Event, EventOrganizer, SignUp
from community.permissions import Permission, Place, Viewer, may_see_own
from community.places.reads import place_where, places_of, rows_open_to


@dataclass(frozen=True, slots=True)
class EventRow:
    id: int
    community: int
    number: int
    title: str
    description: str
    place: str
    starts_at: datetime
    ends_at: datetime
    sign_up_closes_at: datetime
    capacity: int | None
    max_party_size: int
    potluck: bool
    signed_up: int
    version: int


@dataclass(frozen=True, slots=True)
class SignUpRow:
    id: int
    event: int
    party_size: int
    dish: str | None
    signed_up_at: datetime
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attendance:
    event: int
    version: int
    capacity: int | None
    signed_up: int


class EventKey(NamedTuple):
    """Where an event stands in a page: coming ones by start, then past ones from the newest."""

    past: bool
    starts_at: datetime
    id: int


def event_key(row: EventRow, now: datetime) -> EventKey:
    return EventKey(row.ends_at <= now, row.starts_at, row.id)


_EVENTS = Shape(EventRow, "event", community="community_id")


async def event_row(event: int) -> EventRow:
    """For actions, whoever asks. Raises NotFound."""
    rows = await _EVENTS.with_ids([event])
    if not rows:
        raise NotFound
    return rows[0]


async def events_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, EventRow]:
    """Those of communities whose bulletin the viewer may read."""
    rows = await rows_open_to(viewer, Permission.READ_BULLETIN, _EVENTS, ids)
    return {row.id: row for row in rows}


async def events_by_number(communities: Collection[int], number: int) -> dict[int, EventRow]:
    """By community."""
    return {row.community: row for row in await _EVENTS.with_number(number, communities)}


async def events_pages(
    communities: Collection[int],
    now: datetime,
    first: int,
    after: tuple[bool, datetime, int] | None = None,
    coming: bool | None = None,
) -> dict[int, Page[EventRow]]:
    """Of each community. `coming`: only those not ended, or only past ones; None: all. `after`: an
    `event_key`.
    """
    last = None if after is None else EventKey(*after)
    runs: list[Run] = []
    if coming is not False and not (last and last.past):
        runs.append(_run(now, last, past=False))
    if coming is not True:
        runs.append(_run(now, last if last and last.past else None, past=True))
    if not runs:
        return {community: page([], first) for community in communities}
    found = await first_of_each(_EVENTS, "community", communities, first + 1, *runs)
    return {community: page(_in_order(rows, now), first) for community, rows in found.items()}


async def events_page(community: int, *terms: Any, **more: Any) -> Page[EventRow]:
    return (await events_pages([community], *terms, **more))[community]


def _run(now: datetime, last: EventKey | None, *, past: bool) -> Run:
    where, values = f" AND t.ends_at {'<=' if past else '>'} ?", list[Any]([now])
    beyond, direction = ("<", " DESC") if past else (">", "")
    if last:
        where += f" AND (t.starts_at {beyond} ? OR (t.starts_at = ? AND t.id {beyond} ?))"
        values += [last.starts_at, last.starts_at, last.id]
    return Run(f"t.starts_at{direction}, t.id{direction}", where, values)


def _in_order(rows: Sequence[EventRow], now: datetime) -> list[EventRow]:
    ordered = sorted(rows, key=lambda row: (row.starts_at, row.id))
    coming = [row for row in ordered if row.ends_at > now]
    return coming + [row for row in reversed(ordered) if row.ends_at <= now]


async def attendance_of(event: int) -> Attendance | None:
    rows = await Event.filter(id=event).values("version", "capacity", "signed_up", event="id")
    return Attendance(**rows[0]) if rows else None


async def place_of_event(event: int) -> Place:
    """Raises NotFound."""
    return await place_where("JOIN event e ON e.community_id = c.id WHERE e.id = ?", event)


async def place_of_sign_up(sign_up: int) -> Place:
    """Raises NotFound."""
    rows = await SignUp.filter(id=sign_up).values("event_id")
    if not rows:
        raise NotFound
    return await place_of_event(rows[0]["event_id"])


async def organizers_of(ids: Collection[int]) -> dict[int, list[int]]:
    """The organizations behind each event, in the order in which they were named."""
    found: dict[int, list[int]] = {event: [] for event in ids}
    rows = await EventOrganizer.filter(event_id__in=ids).order_by("id").values("event_id", "organization_id")
    for row in rows:
        found[row["event_id"]].append(row["organization_id"])
    return found


@dataclass(frozen=True, slots=True)
class _DishRow:
    dish: str


_DISHES = Shape(_DishRow, "sign_up")


async def dishes_of(events: Collection[int], first: int) -> dict[int, list[str]]:
    """Of the standing sign-ups of each event, newest first."""
    run = Run("t.signed_up_at DESC, t.id DESC", " AND t.cancelled_at IS NULL AND t.dish IS NOT NULL")
    found = await first_of_each(_DISHES, "event", events, first, run)
    return {event: [row.dish for row in rows] for event, rows in found.items()}


async def _sign_ups(query: QuerySet[SignUp]) -> list[SignUpRow]:
    rows: list[dict[str, Any]] = await query.values(
        "id", "party_size", "dish", "signed_up_at", "cancelled_at", event="event_id"
    )
    return [SignUpRow(**row) for row in rows]


async def sign_ups_of(account: int, event_ids: Collection[int]) -> dict[int, SignUpRow]:
    """The standing sign-ups of an account, by event."""
    query = SignUp.filter(account_id=account, event_id__in=event_ids, cancelled_at=None)
    return {row.event: row for row in await _sign_ups(query)}


async def sign_ups_by_id(account: int, ids: Collection[int]) -> dict[int, SignUpRow]:
    """The account's own, standing or cancelled."""
    return {row.id: row for row in await _sign_ups(SignUp.filter(account_id=account, id__in=ids))}


async def own_sign_ups_of(viewer: Viewer, event_ids: Collection[int]) -> dict[int, SignUpRow]:
    """The viewer's own standing ones by event, as far as its token lets it see them."""
    if viewer.account is None:
        return {}
    return await _to_be_seen_by(viewer, await sign_ups_of(viewer.account, event_ids))


async def own_sign_ups_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, SignUpRow]:
    """The viewer's own, standing or cancelled, as far as its token lets it see them."""
    if viewer.account is None:
        return {}
    return await _to_be_seen_by(viewer, await sign_ups_by_id(viewer.account, ids))


async def _to_be_seen_by(viewer: Viewer, rows: dict[int, SignUpRow]) -> dict[int, SignUpRow]:
    places = await _places_of_events({row.event for row in rows.values()})
    return {
        key: row for key, row in rows.items() if may_see_own(viewer, Permission.SIGN_UP, places[row.event])
    }


async def _places_of_events(ids: Collection[int]) -> dict[int, Place]:
    found = await Event.filter(id__in=ids).values("id", "community_id")
    places = await places_of({row["community_id"] for row in found})
    return {row["id"]: places[row["community_id"]] for row in found}
