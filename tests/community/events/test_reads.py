from datetime import datetime, timedelta
from typing import Any

import pytest

from community.errors import NotFound
from community.events.actions import cancel_sign_up, publish_event, sign_up
from community.events.models import Event, SignUp
from community.events.reads import (
    Attendance,
    TablePartyRow,
    around_a_table,
    attendance_of,
    dishes_of,
    event_key,
    events_by_id,
    events_page,
    organizers_of,
    scope_of_event,
    sign_ups_by_id,
    sign_ups_of,
)
from community.members.models import CoOwner, OwnerParty, Ownership, Tenancy
from community.members.rules import PartyKind
from community.permissions import NOBODY, Permission, Person, Scope
from community.places.models import Building, Unit
from community.places.rules import UnitKind

HOUR = timedelta(hours=1)


async def event_at(community: int, starts_at: datetime, length: timedelta = HOUR) -> int:
    event = await Event.create(
        community_id=community, title="灯谜会", description="", place="会所", starts_at=starts_at,
        ends_at=starts_at + length, sign_up_closes_at=starts_at, capacity=None, max_party_size=4,
        published_at=starts_at - timedelta(days=30),
    )  # fmt: skip
    return int(event.id)


async def pages(community: int, now: datetime, first: int, coming: bool | None = None) -> list[list[int]]:
    """All pages, each read with the key of the last event before it."""
    found: list[list[int]] = []
    after: tuple[bool, datetime, int] | None = None
    while True:
        page = await events_page(community, now, first, after, coming)
        found.append([row.id for row in page.rows])
        if not page.more:
            return found
        after = event_key(page.rows[-1], now)


@pytest.fixture
async def events(estate: Any, build: Any, now: datetime) -> list[int]:
    """In the order of a page: under way, coming, twice at the same time, then past from the newest."""
    at = [now - HOUR / 2, now + HOUR, now + 2 * HOUR, now + 2 * HOUR, now - HOUR, now - 9 * HOUR]
    await event_at(await build.community(), now + HOUR)
    return [await event_at(estate.community, start) for start in at]


@pytest.mark.parametrize("first", [1, 2, 3, 4, 5, 6, 10])
async def test_coming_events_by_start_then_past_ones_newest_first(
    estate: Any, events: list[int], now: datetime, first: int
) -> None:
    found = await pages(estate.community, now, first)
    assert [event for page in found for event in page] == events
    assert all(len(page) == first for page in found[:-1])


@pytest.mark.parametrize("first", [1, 2, 10])
async def test_coming_or_past_ones_only(estate: Any, events: list[int], now: datetime, first: int) -> None:
    coming = await pages(estate.community, now, first, coming=True)
    past = await pages(estate.community, now, first, coming=False)
    assert [event for page in coming for event in page] == events[:4]
    assert [event for page in past for event in page] == events[4:]


async def test_an_event_is_past_from_its_very_end(estate: Any, now: datetime) -> None:
    event = await event_at(estate.community, now - HOUR)
    assert not (await events_page(estate.community, now, 5, coming=True)).rows
    (row,) = (await events_page(estate.community, now - timedelta(microseconds=1), 5, coming=True)).rows
    assert row.id == event


async def test_a_page_of_nothing(estate: Any, events: list[int], now: datetime) -> None:
    page = await events_page(estate.community, now, 0)
    assert (list(page.rows), page.more) == ([], True)


async def test_an_event_is_found_by_those_who_may_read_the_bulletin(
    estate: Any, build: Any, events: list[int], now: datetime
) -> None:
    public = await event_at(await build.community(public=True), now)
    asked = [events[0], public, 1]
    assert set(await events_by_id(estate.tenant, asked)) == {events[0], public}
    assert set(await events_by_id(estate.stranger, asked)) == {public}
    assert set(await events_by_id(NOBODY, asked)) == {public}
    narrow = Person(estate.owner.account, "", estate.owner.roles, frozenset({Permission.READ_LEDGER}))
    assert set(await events_by_id(narrow, asked)) == {public}
    row = (await events_by_id(estate.owner, asked))[events[0]]
    assert (row.community, row.title, row.place, row.starts_at) == (
        estate.community, "灯谜会", "会所", now - HOUR / 2,
    )  # fmt: skip


async def test_the_scope_of_an_event(estate: Any, events: list[int]) -> None:
    assert await scope_of_event(events[0]) == Scope(estate.community, public_reading=False)
    with pytest.raises(NotFound):
        await scope_of_event(1)


async def test_every_change_of_attendance_has_its_own_version(estate: Any, now: datetime) -> None:
    event = await event_at(estate.community, now + HOUR)
    assert await attendance_of(event) == Attendance(event, version=0, capacity=None, signed_up=0)
    made = await sign_up(estate.owner, now, event, party_size=3)
    assert await attendance_of(event) == Attendance(event, version=1, capacity=None, signed_up=3)
    await cancel_sign_up(estate.owner, now, made)
    assert await attendance_of(event) == Attendance(event, version=2, capacity=None, signed_up=0)
    with pytest.raises(NotFound):
        await attendance_of(1)


async def test_dishes_are_those_of_standing_sign_ups_newest_first(estate: Any, now: datetime) -> None:
    event = await event_at(estate.community, now + HOUR)
    await Event.filter(id=event).update(potluck=True)
    people = [estate.owner, estate.neighbour, estate.tenant, estate.chair]
    dishes = ["鱼", "虾", None, "汤"]
    made = [
        await sign_up(viewer, now + timedelta(seconds=second), event, party_size=1, dish=dish)
        for second, (viewer, dish) in enumerate(zip(people, dishes, strict=True))
    ]
    assert await dishes_of([event, 1], 50) == {event: ["汤", "虾", "鱼"], 1: []}
    assert await dishes_of([event, 1], 2) == {event: ["汤", "虾"], 1: []}
    await cancel_sign_up(estate.neighbour, now, made[1])
    assert await dishes_of([event, 1], 50) == {event: ["汤", "鱼"], 1: []}


async def test_sign_ups_are_shown_to_their_own_account_only(
    estate: Any, events: list[int], now: datetime
) -> None:
    mine = await sign_up(estate.owner, now, events[1], party_size=2)
    theirs = await sign_up(estate.neighbour, now, events[1], party_size=1)
    assert set(await sign_ups_of(estate.owner.account, events, now)) == {events[1]}
    assert (await sign_ups_of(estate.owner.account, events, now))[events[1]].id == mine
    assert set(await sign_ups_by_id(estate.owner.account, [mine, theirs], now)) == {mine}


async def test_organizers_of_several_events(estate: Any, now: datetime) -> None:
    made = [
        await publish_event(
            estate.manager, now, estate.community, title="便民服务", description="", place="南门",
            starts_at=now + HOUR, ends_at=now + 2 * HOUR, sign_up_closes_at=None, capacity=None,
            max_party_size=1, potluck=False, organizers=organizers,
        )
        for organizers in ([], [estate.service, estate.committee])
    ]  # fmt: skip
    assert await organizers_of([*made, 1]) == {
        made[0]: [estate.service],
        made[1]: [estate.service, estate.committee],
        1: [],
    }


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("owned", "joined", "rented", "building"),
    [
        ((-9, None), (-9, None), None, "1 幢"),
        ((-9, 1), (-9, 1), None, "1 幢"),
        ((-9, 0), (-9, None), None, None),  # sold this moment
        ((-9, -1), (-9, None), None, None),
        ((1, None), (-9, None), None, None),  # bought, from tomorrow on
        ((-9, None), (-9, 0), None, None),  # left the party
        ((-9, None), (1, None), None, None),
        (None, None, (-9, None), "2 幢"),
        (None, None, (-9, 0), None),
        (None, None, (1, None), None),
        ((-9, None), (-9, None), (-9, None), "1 幢"),  # lives where it owns, rather than where it rents
        ((-9, 0), (-9, None), (-9, None), "2 幢"),
    ],
)
async def test_neighbours_learn_in_which_building_somebody_lives_now(
    estate: Any, build: Any, now: datetime, owned: Any, joined: Any, rented: Any, building: str | None
) -> None:
    def span(days: Any) -> dict[str, Any]:
        since, until = days
        return {"since": now + since * DAY, "until": None if until is None else now + until * DAY}

    units = []
    for position, name in enumerate(("1 幢", "2 幢"), 7):
        row = await Building.create(community_id=estate.community, name=name, position=position)
        units.append(await build.unit(estate.community, row.id, 9_000))
        await build.unit(estate.community, row.id, 9_000)
    account = await build.account()
    if owned:
        party = await OwnerParty.create(community_id=estate.community, kind=PartyKind.OWNERS)
        await CoOwner.create(party_id=party.id, account_id=account, **span(joined))
        await Ownership.create(unit_id=units[0], party_id=party.id, **span(owned))
    if rented:
        await Tenancy.create(unit_id=units[1], account_id=account, **span(rented))
    event = await event_at(estate.community, now + HOUR)
    made = await SignUp.create(
        event_id=event, account_id=account, party_size=2, dish="汤", signed_up_at=now - HOUR
    )
    assert await around_a_table(account, [made.id], now) == {made.id: TablePartyRow("汤", building, own=True)}
    assert not (await around_a_table(account + 1, [made.id], now))[made.id].own


@pytest.mark.parametrize("holds", ["owns", "rents"])
@pytest.mark.parametrize(
    ("buildings", "shown"),
    [
        ({"1 幢": "D", "2 幢": "DDD"}, "2 幢"),  # a house of its own is a door
        ({"1 幢": "DD"}, "1 幢"),
        ({"1 幢": "D"}, None),
        ({"1 幢": "DPPP"}, None),  # spaces below it hide nobody
        ({"1 幢": "S", "2 幢": "P"}, None),
        ({"0 车库": "PPP", "5 幢": "DD"}, "5 幢"),  # nobody lives where the car stands
        ({"0 车库": "PDD"}, None),
        ({"3 幢": "SD"}, "3 幢"),
    ],
)
async def test_a_building_is_told_only_where_it_is_no_door(
    estate: Any, build: Any, now: datetime, holds: str, buildings: dict[str, str], shown: str | None
) -> None:
    """Of each building the first unit is theirs; the others are somebody else's."""
    kinds = {"D": UnitKind.DWELLING, "S": UnitKind.SHOP, "P": UnitKind.PARKING}
    account = await build.account()
    party = await build.party(estate.community, account)
    for position, (name, units) in enumerate(buildings.items(), 7):
        row = await Building.create(community_id=estate.community, name=name, position=position)
        for index, kind in enumerate(units):
            unit = await build.unit(estate.community, row.id)
            await Unit.filter(id=unit).update(kind=kinds[kind])
            if index == 0 and holds == "owns":
                await Ownership.create(unit_id=unit, party_id=party, since=now - DAY)
            elif index == 0:
                await Tenancy.create(unit_id=unit, account_id=account, since=now - DAY)
    event = await event_at(estate.community, now + HOUR)
    made = await SignUp.create(event_id=event, account_id=account, party_size=2, signed_up_at=now - HOUR)
    assert (await around_a_table(account, [made.id], now))[made.id].building == shown
