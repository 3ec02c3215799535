"""Events, how many come, a viewer's own sign-ups, and what neighbours learn of who
sits at a table; never a name.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from community.database.corrections import earlier_versions, last_corrected, of_correction
from community.database.paging import Page, page
from community.database.rows import Run, Shape, first_of_each
from community.database.sql import placeholders, select, select_rows
from community.errors import NotFound
from community.events.models import Event, EventOrganizer, SignUp
from community.events.seating import MOST_SEATED, Places, Seating, seat
from community.members.reads import HOMES, values_of_homes
from community.permissions import Permission, Person, Scope, Tie, Viewer, may, may_see_own
from community.places.reads import permitted_rows, scope_where, scopes_of


class EventRow(NamedTuple):
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
    corrected_at: datetime | None = None


class EventCorrectionRow(NamedTuple):
    """What an event said from `since` until `corrected_at`, and why that `organization` replaced it."""

    event: int
    title: str
    description: str
    place: str
    since: datetime
    corrected_at: datetime
    organization: int
    reason: str | None


class SignUpRow(NamedTuple):
    """A sign-up as one of its household sees it; `own`: the account that asks signed up itself."""

    id: int
    event: int
    party_size: int
    dish: str | None
    signed_up_at: datetime
    cancelled_at: datetime | None
    own: bool


class Attendance(NamedTuple):
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


_EVENTS = Shape(EventRow, "event", {"corrected_at": last_corrected("event_step")}, community="community_id")
_CORRECTIONS = Shape(EventCorrectionRow, "event_version", of_correction("event_step"), event="subject_id")


async def event_row(event: int) -> EventRow:
    """For actions, whoever asks. Raises NotFound."""
    rows = await _EVENTS.with_ids([event])
    if not rows:
        raise NotFound
    return rows[0]


async def events_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, EventRow]:
    """Those of communities whose bulletin the viewer may read."""
    rows = await permitted_rows(viewer, Permission.READ_BULLETIN, _EVENTS, ids)
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
    columns: frozenset[str] | None = None,
) -> dict[int, Page[EventRow]]:
    """Of each community. `coming`: only those not ended, or only past ones; None: all. `after`: an
    `event_key`. `columns`: those that are used, None where all may be.
    """
    last = None if after is None else EventKey(*after)
    runs: list[Run] = []
    if coming is not False and not (last and last.past):
        runs.append(_run(now, last, past=False))
    if coming is not True:
        runs.append(_run(now, last if last and last.past else None, past=True))
    if not runs:
        return {community: page([], first) for community in communities}
    shape = _EVENTS.only(columns, "id", "starts_at", "ends_at")
    found = await first_of_each(shape, "community", communities, first + 1, *runs)
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


async def attendance_of(event: int) -> Attendance:
    """Raises NotFound."""
    rows = await Event.filter(id=event).values("version", "capacity", "signed_up", event="id")
    if not rows:
        raise NotFound
    return Attendance(**rows[0])


async def scope_of_event(event: int) -> Scope:
    """Raises NotFound."""
    return await scope_where("JOIN event e ON e.community_id = c.id WHERE e.id = ?", event)


async def scope_of_sign_up(sign_up: int) -> Scope:
    """Raises NotFound."""
    rows = await SignUp.filter(id=sign_up).values("event_id")
    if not rows:
        raise NotFound
    return await scope_of_event(rows[0]["event_id"])


async def event_corrections_of(events: Collection[int]) -> dict[int, list[EventCorrectionRow]]:
    """Of each event, newest first."""
    return await earlier_versions(_CORRECTIONS, events)


async def organizers_of(ids: Collection[int]) -> dict[int, list[int]]:
    """The organizations behind each event, in the order in which they were named."""
    found: dict[int, list[int]] = {event: [] for event in ids}
    rows = await EventOrganizer.filter(event_id__in=ids).order_by("id").values("event_id", "organization_id")
    for row in rows:
        found[row["event_id"]].append(row["organization_id"])
    return found


class _DishRow(NamedTuple):
    dish: str


_DISHES = Shape(_DishRow, "sign_up")


async def dishes_of(events: Collection[int], first: int) -> dict[int, list[str]]:
    """Of the standing sign-ups of each event, newest first."""
    run = Run("t.signed_up_at DESC, t.id DESC", " AND t.cancelled_at IS NULL AND t.dish IS NOT NULL")
    found = await first_of_each(_DISHES, "event", events, first, run)
    return {event: [row.dish for row in rows] for event, rows in found.items()}


_SEATED = """
SELECT e.id AS event, e.capacity AS capacity, s.id AS sign_up, s.party_size AS size
  FROM event e LEFT JOIN sign_up s ON s.event_id = e.id AND s.cancelled_at IS NULL
 WHERE e.id IN ({events}) AND e.potluck AND e.capacity <= ? ORDER BY e.id, s.signed_up_at, s.id
"""


@dataclass(frozen=True, slots=True)
class SeatedEvent:
    """`at`: where each standing sign-up sits."""

    seating: Seating
    at: Mapping[int, Places]

    def around(self, table: int) -> list[tuple[int, int]]:
        """Who sits at a table, each sign-up with the seats it takes there, in the order of signing up."""
        return [
            (sign_up, seats) for sign_up, places in self.at.items() for at, seats in places if at == table
        ]


NO_TABLES = SeatedEvent(seat(0, ()), {})


async def seated_at(events: Collection[int]) -> dict[int, SeatedEvent]:
    """Of each feast that is laid in tables; any other event has none."""
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in await select(_SEATED.format(events=placeholders(events)), [*events, MOST_SEATED]):
        found[row["event"]].append(row)
    return dict.fromkeys(events, NO_TABLES) | {event: _seated(rows) for event, rows in found.items()}


async def tables_open_to(viewer: Viewer, events: Collection[int]) -> dict[int, SeatedEvent]:
    """Of the feasts at which the viewer may sit, too: only there one sees who sits where."""
    scopes = await _scopes_of_events(events)
    return await seated_at([event for event in scopes if may(viewer, Permission.SIGN_UP, scopes[event])])


def _seated(rows: Sequence[Mapping[str, Any]]) -> SeatedEvent:
    standing = [row for row in rows if row["sign_up"] is not None]
    seating = seat(rows[0]["capacity"], [row["size"] for row in standing])
    at = {row["sign_up"]: places for row, places in zip(standing, seating.parties, strict=True)}
    return SeatedEvent(seating, at)


@dataclass(frozen=True, slots=True)
class TablePartyRow:
    """A household at a table as its neighbours may see it: no name and no door, only which building, and not
    even that where the building has no other door.
    """

    dish: str | None
    building: str | None
    own: bool


# A building is where somebody lives, not where the car stands; and one with a single dwelling is a door.
_HOME = """
  u.kind <> 'PARKING' AND EXISTS (
    SELECT 1 FROM unit n WHERE n.building_id = u.building_id AND n.id <> u.id AND n.kind <> 'PARKING')
"""
_AROUND = f"""
SELECT s.id AS id, s.dish AS dish, s.account_id = ? OR home.unit IS NOT NULL AS own, COALESCE(
  (SELECT b.name FROM unit u JOIN building b ON b.id = u.building_id
    WHERE u.id = s.household_id AND {_HOME}),
  (SELECT MIN(b.name) FROM co_owner c JOIN ownership o ON o.party_id = c.party_id
     JOIN unit u ON u.id = o.unit_id JOIN building b ON b.id = u.building_id
    WHERE c.account_id = s.account_id AND u.community_id = e.community_id AND {_HOME}
      AND c.since <= ? AND (c.until IS NULL OR c.until > ?)
      AND o.since <= ? AND (o.until IS NULL OR o.until > ?)),
  (SELECT MIN(b.name) FROM tenancy t JOIN unit u ON u.id = t.unit_id JOIN building b ON b.id = u.building_id
    WHERE t.account_id = s.account_id AND u.community_id = e.community_id AND {_HOME}
      AND t.since <= ? AND (t.until IS NULL OR t.until > ?))) AS building
  FROM sign_up s JOIN event e ON e.id = s.event_id
  LEFT JOIN ({HOMES.format(accounts="?")}) home ON home.community = e.community_id
       AND home.unit = s.household_id AND home.rented = s.rented
 WHERE s.id IN ({{sign_ups}})
"""  # noqa: S608 - our own text


async def around_a_table(
    account: int | None, sign_ups: Collection[int], now: datetime
) -> dict[int, TablePartyRow]:
    """What the neighbours of these households learn of them; `own`: those of the account's household."""
    homes = values_of_homes([account], now)
    query = _AROUND.format(sign_ups=placeholders(sign_ups))
    rows = await select(query, [account, *[now] * 6, *homes, *sign_ups])
    return {row["id"]: TablePartyRow(row["dish"], row["building"], own=bool(row["own"])) for row in rows}


_SIGN_UPS = Shape(SignUpRow, "sign_up", {"own": "t.account_id = ?"}, event="event_id")
# Whoever comes into a household later sees what it may still take back, and nothing of those before.
_OF_HOUSEHOLD = f"""
SELECT {_SIGN_UPS.columns}
  FROM sign_up t JOIN event e ON e.id = t.event_id
  LEFT JOIN ({HOMES.format(accounts="?")}) home ON home.community = e.community_id
       AND home.unit = t.household_id AND home.rented = t.rented
 WHERE t.{{which}} AND (t.account_id = ? OR (home.unit IS NOT NULL AND (
         t.signed_up_at >= home.since OR (t.cancelled_at IS NULL AND e.starts_at > ?))))
 ORDER BY CASE WHEN t.account_id = ? THEN 0 ELSE 1 END, t.signed_up_at, t.id
"""  # noqa: S608 - our own text


async def _sign_ups(account: int, which: str, ids: Collection[int], now: datetime) -> list[SignUpRow]:
    """Of the account and of its household, its own first."""
    query = _OF_HOUSEHOLD.format(which=which.format(ids=placeholders(ids)))
    values = [account, *values_of_homes([account], now), *ids, account, now, account]
    return _SIGN_UPS.all_of(await select_rows(query, values))


async def sign_ups_of(account: int, event_ids: Collection[int], now: datetime) -> dict[int, SignUpRow]:
    """The standing sign-up of an account or else of its household, by event."""
    which = "event_id IN ({ids}) AND t.cancelled_at IS NULL"
    return {row.event: row for row in reversed(await _sign_ups(account, which, event_ids, now))}


async def sign_ups_by_id(account: int, ids: Collection[int], now: datetime) -> dict[int, SignUpRow]:
    """The account's own and those of its household, standing or cancelled."""
    return {row.id: row for row in await _sign_ups(account, "id IN ({ids})", ids, now)}


async def own_sign_ups_of(viewer: Viewer, event_ids: Collection[int], now: datetime) -> dict[int, SignUpRow]:
    """The standing ones of the viewer or its household by event, as far as its token lets it see them."""
    if not isinstance(viewer, Person):
        return {}
    return await _to_be_seen_by(viewer, await sign_ups_of(viewer.account, event_ids, now))


async def own_sign_ups_by_id(viewer: Viewer, ids: Collection[int], now: datetime) -> dict[int, SignUpRow]:
    """Those of the viewer and its household, standing or cancelled, as far as its token lets it see them."""
    if not isinstance(viewer, Person):
        return {}
    return await _to_be_seen_by(viewer, await sign_ups_by_id(viewer.account, ids, now))


async def _to_be_seen_by(viewer: Viewer, rows: dict[int, SignUpRow]) -> dict[int, SignUpRow]:
    scopes = await _scopes_of_events({row.event for row in rows.values()})
    return {
        key: row
        for key, row in rows.items()
        if may_see_own(viewer, Permission.SIGN_UP, scopes[row.event], Tie.OF_HOUSEHOLD)
    }


async def _scopes_of_events(ids: Collection[int]) -> dict[int, Scope]:
    found = await Event.filter(id__in=ids).values("id", "community_id")
    scopes = await scopes_of({row["community_id"] for row in found})
    return {row["id"]: scopes[row["community_id"]] for row in found}
