"""A community is built and settled: what stood before stays as it was written."""

import asyncio
import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from community.actions import found_community
from community.database import journal
from community.database.models import JournalRow
from community.errors import Forbidden, InvalidInput, NotFound, Refused, Unauthenticated
from community.permissions import NOBODY, SYSTEM, Permission, Person, Role
from community.places.actions import (
    NewCommunity,
    NewUnit,
    change_unit,
    enter_buildings,
    enter_organizations,
    enter_units,
    set_public_reading,
)
from community.places.models import Building, Community, CommunityProfile, Unit, UnitState
from community.places.reads import (
    buildings_of,
    communities_page,
    community_by_slug,
    organizations_of,
    scope_of,
)
from community.places.rules import DeliveryStatus, OrganizationKind, UnitKind
from community.signals import Signal
from tests.facts import written

DAY = timedelta(days=1)

_numbers = itertools.count(1)


async def versions(community: int) -> list[tuple[int, bool]]:
    rows = await CommunityProfile.filter(community_id=community).order_by("version")
    return [(row.version, row.public_reading) for row in rows]


async def seen_by_strangers(community: int) -> tuple[bool, bool, bool]:
    """Whether they may, by each way of asking."""
    slug = (await Community.get(id=community)).slug
    listed = {row.id for row in (await communities_page(NOBODY, 100, None)).rows}
    found = await community_by_slug(NOBODY, slug)
    return (await scope_of(community)).public_reading, community in listed, found is not None


async def test_it_begins_and_ends_and_every_read_follows(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    assert await seen_by_strangers(estate.community) == (False,) * 3
    await set_public_reading(estate.chair, now, estate.community, public=True)
    assert await seen_by_strangers(estate.community) == (True,) * 3
    await set_public_reading(SYSTEM, now + DAY, estate.community, public=False)
    assert await seen_by_strangers(estate.community) == (False,) * 3
    assert await versions(estate.community) == [(1, False), (2, True), (3, False)]
    assert told == [Signal("reading", estate.community), Signal("board", estate.community)] * 2
    assert {change.community_id for change in await JournalRow.all()} == {estate.community}  # type: ignore[attr-defined]
    _, signals = await journal.signals_after({})
    assert signals == told


async def test_all_else_is_taken_over(estate: Any, build: Any, now: datetime) -> None:
    community = await build.community(time_zone="Asia/Urumqi")
    await CommunityProfile.create(
        community_id=community, version=2, public_reading=False, time_zone="Asia/Urumqi", notice_days=7,
        window_days_least=6, window_days_most=33, since=now,
    )  # fmt: skip
    await Community.filter(id=community).update(profile_version=2)
    await set_public_reading(SYSTEM, now + DAY, community, public=True)
    newest = await CommunityProfile.filter(community_id=community, version=3).values()
    assert len(newest) == 1
    assert (newest[0]["time_zone"], newest[0]["notice_days"]) == ("Asia/Urumqi", 7)
    assert (newest[0]["window_days_least"], newest[0]["window_days_most"]) == (6, 33)
    assert newest[0]["since"] == now + DAY


async def test_what_is_settled_already_changes_nothing(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    await set_public_reading(estate.chair, now, estate.community, public=False)
    assert await versions(estate.community) == [(1, False)]
    assert (await written(), told) == (0, [])


async def test_several_at_once_take_turns(estate: Any, now: datetime) -> None:
    actions = (
        set_public_reading(SYSTEM, now, estate.community, public=public)
        for public in (True, True, False, True)
    )
    await asyncio.gather(*actions)
    found = await versions(estate.community)
    assert [version for version, _ in found] == list(range(1, len(found) + 1))
    assert all(public != before for (_, before), (_, public) in itertools.pairwise(found))
    assert (await scope_of(estate.community)).public_reading == found[-1][1]


async def test_who_may_settle_it(estate: Any, build: Any, now: datetime) -> None:
    grid = await build.staff(estate.community, Role.GRID_WORKER, None)
    chair = estate.chair
    narrow = Person(chair.account, "", chair.roles, frozenset({Permission.PUBLISH_NOTICE}))
    for viewer, refusal in [
        (NOBODY, Unauthenticated),
        (estate.owner, Forbidden),
        (estate.manager, Forbidden),
        (grid, Forbidden),
        (narrow, Forbidden),
        (estate.stranger, NotFound),
    ]:
        with pytest.raises(refusal):
            await set_public_reading(viewer, now, estate.community, public=True)
    with pytest.raises(NotFound):
        await set_public_reading(SYSTEM, now, 5, public=True)
    assert await versions(estate.community) == [(1, False)]
    standing_in = await build.staff(estate.community, Role.MANAGEMENT_COMMITTEE, None)
    await set_public_reading(standing_in, now, estate.community, public=True)
    assert (await scope_of(estate.community)).public_reading


# Buildings, units and organizations


async def test_buildings_stand_in_the_order_in_which_they_were_entered(
    database: str, now: datetime, told: list[Signal]
) -> None:
    community = await founded(now)
    told.clear()
    first = await enter_buildings(SYSTEM, now, community, ["2幢", " 1幢"])
    (last,) = await enter_buildings(SYSTEM, now, community, ["地下车库"])
    rows = (await buildings_of([community]))[community]
    assert [(row.id, row.name) for row in rows] == [(first[0], "2幢"), (first[1], "1幢"), (last, "地下车库")]
    assert told == []
    assert await register_changes() == 2
    for twice in (["1幢"], ["3幢", "3幢"], [""], ["幢" * 33]):
        with pytest.raises(InvalidInput):
            await enter_buildings(SYSTEM, now, community, twice)
    assert await Building.all().count() == 3


async def test_a_unit_is_from_now_on_and_stands_in_its_own_community(
    database: str, now: datetime, told: list[Signal]
) -> None:
    community, other = await founded(now), await founded(now)
    first, second = await enter_buildings(SYSTEM, now, community, ["1幢", "2幢"])
    (elsewhere,) = await enter_buildings(SYSTEM, now, other, ["1幢"])
    told.clear()
    new = [
        NewUnit(first, "101室", UnitKind.DWELLING, 9_001),
        NewUnit(second, "101室", UnitKind.PARKING, 1_250, DeliveryStatus.UNSOLD),
    ]
    units = await enter_units(SYSTEM, now, community, new)
    assert told == []
    assert await register_changes() == 3
    assert [await states(unit) for unit in units] == [
        [(now, 9_001, DeliveryStatus.DELIVERED)],
        [(now, 1_250, DeliveryStatus.UNSOLD)],
    ]
    refused: list[tuple[NewUnit, type[Refused]]] = [
        (NewUnit(first, "101室", UnitKind.SHOP, 1), InvalidInput),
        (NewUnit(first, "102室", UnitKind.SHOP, 0), InvalidInput),
        (NewUnit(first, " ", UnitKind.SHOP, 1), InvalidInput),
        (NewUnit(elsewhere, "102室", UnitKind.SHOP, 1), NotFound),
    ]
    for unit, refusal in refused:
        with pytest.raises(refusal):
            await enter_units(SYSTEM, now, community, [NewUnit(first, "103室", UnitKind.SHOP, 1), unit])
    assert await Unit.all().count() == 2


async def test_a_state_begins_at_its_time_and_the_ones_before_it_stay(
    database: str, now: datetime, told: list[Signal]
) -> None:
    community = await founded(now)
    (building,) = await enter_buildings(SYSTEM, now, community, ["1幢"])
    new = NewUnit(building, "101室", UnitKind.DWELLING, 9_000, DeliveryStatus.UNDELIVERED)
    (unit,) = await enter_units(SYSTEM, now, community, [new])
    told.clear()
    await change_unit(SYSTEM, now + DAY, unit, area=9_100)
    await change_unit(SYSTEM, now + DAY, unit, status=DeliveryStatus.DELIVERED, since=now + 9 * DAY)
    await change_unit(SYSTEM, now + 2 * DAY, unit, area=9_200, since=now + 3 * DAY)
    assert await states(unit) == [
        (now, 9_000, DeliveryStatus.UNDELIVERED),
        (now + DAY, 9_100, DeliveryStatus.UNDELIVERED),
        (now + 3 * DAY, 9_200, DeliveryStatus.UNDELIVERED),
        (now + 9 * DAY, 9_100, DeliveryStatus.DELIVERED),
    ]
    assert told == []
    assert await register_changes() == 5


@pytest.mark.parametrize("change", [
    {"since": timedelta(days=-1)}, {"since": timedelta(days=1)}, {"area": 0}, {"area": -1},
])  # fmt: skip
async def test_no_state_begins_in_the_past_or_with_another_one(
    database: str, now: datetime, change: dict[str, Any]
) -> None:
    community = await founded(now)
    (building,) = await enter_buildings(SYSTEM, now, community, ["1幢"])
    (unit,) = await enter_units(SYSTEM, now, community, [NewUnit(building, "101室", UnitKind.SHOP, 9_000)])
    later = now + DAY
    await change_unit(SYSTEM, later, unit, area=9_100, since=later + DAY)
    terms = {"area": 9_200} | change
    if "since" in terms:
        terms["since"] = later + terms["since"]
    with pytest.raises(InvalidInput):
        await change_unit(SYSTEM, later, unit, **terms)
    assert len(await states(unit)) == 2


async def test_organizations_stand_from_now_on(database: str, now: datetime) -> None:
    community = await founded(now)
    kinds = [(OrganizationKind.PROPERTY_SERVICE, "绿城物业"), (OrganizationKind.PARTY_BRANCH, " 党支部")]
    made = await enter_organizations(SYSTEM, now, community, kinds)
    rows = (await organizations_of([community]))[community]
    assert [(row.id, row.name) for row in rows] == [(made[0], "绿城物业"), (made[1], "党支部")]
    with pytest.raises(InvalidInput):
        await enter_organizations(SYSTEM, now, community, [(OrganizationKind.PARTY_BRANCH, "")])


async def test_only_the_city_keeps_the_register(estate: Any, build: Any, now: datetime) -> None:
    account = await build.account()
    await build.role(account, None, Role.REGULATOR)
    regulator = await build.viewer(account)
    actions = (
        lambda who: enter_buildings(who, now, estate.community, ["9幢"]),
        lambda who: enter_units(
            who, now, estate.community, [NewUnit(estate.building, "9室", UnitKind.SHOP, 1)]
        ),
        lambda who: change_unit(who, now, estate.unit, area=1),
        lambda who: enter_organizations(
            who, now, estate.community, [(OrganizationKind.PARTY_BRANCH, "党支部")]
        ),
    )
    for action in actions:
        for somebody in (estate.chair, estate.manager, estate.owner, estate.tenant):
            with pytest.raises(Forbidden):
                await action(somebody)
        with pytest.raises(NotFound):
            await action(estate.stranger)
        with pytest.raises(Unauthenticated):
            await action(NOBODY)
        await action(regulator)


async def founded(now: datetime) -> int:
    return await found_community(SYSTEM, now, NewCommunity(f"estate-{next(_numbers)}", "春风里", "萧山", 3))


async def states(unit: int) -> list[tuple[datetime, int, DeliveryStatus]]:
    rows = await UnitState.filter(unit_id=unit).order_by("since")
    return [(row.since, row.area, row.status) for row in rows]


async def register_changes() -> int:
    return await JournalRow.filter(fact="REGISTER_CHANGED").count()
