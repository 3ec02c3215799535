from datetime import datetime, timedelta
from typing import Any

import pytest

from community.members.actions import open_session
from community.members.models import Account, CoOwner, OwnerParty, Ownership, Representative, Tenancy
from community.members.reads import (
    PartySeat,
    accounts_like,
    homes_of,
    person_of,
    seats_of,
    viewer_of,
    why_nobody,
)  # fmt: skip
from community.members.rules import PartyKind, SessionKind, UnknownToken
from community.permissions import CITY, SYSTEM, Role
from community.places.models import Unit
from community.places.rules import UnitKind

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


async def joins(account: int | None, party: int, since: datetime, until: datetime | None = None) -> int:
    return int((await CoOwner.create(party_id=party, account_id=account, since=since, until=until)).id)


async def named(party: int, co_owner: int, since: datetime, until: datetime | None = None) -> None:
    await Representative.create(party_id=party, co_owner_id=co_owner, since=since, until=until)


@pytest.fixture
async def party(estate: Any) -> int:
    return int((await OwnerParty.create(community_id=estate.community, kind=PartyKind.OWNERS)).id)


INTERVALS = pytest.mark.parametrize(
    ("since", "until", "held"),
    [
        (0, None, True),
        (1, None, False),
        (-2, 1, True),
        (-2, 0, False),
        (-2, -1, False),
        (1, 2, False),
    ],
)
"""In seconds from now."""


@INTERVALS
async def test_what_is_held_begins_at_since_and_is_over_at_until(
    estate: Any, build: Any, party: int, now: datetime, since: int, until: int | None, held: bool
) -> None:
    times = {"since": now + since * SECOND, "until": None if until is None else now + until * SECOND}
    account = await build.account()
    await build.role(account, estate.community, Role.CLERK, **times)
    await build.role(account, None, Role.REGULATOR, **times)
    await joins(account, party, **times)
    await Tenancy.create(unit_id=estate.unit, account_id=account, **times)

    roles = {estate.community: {Role.CLERK, Role.OWNER, Role.TENANT}, CITY: {Role.REGULATOR}}
    assert (await person_of(account, now)).roles == (roles if held else {})
    assert [seat.party for seat in await seats_of(account, estate.community, now)] == (
        [party] if held else []
    )


async def test_a_viewer_has_the_person_of_the_account_and_expires_with_the_first_of_them(
    estate: Any, build: Any, party: int, now: datetime
) -> None:
    account = await build.account()
    secret = await open_session(
        SYSTEM, now, f"{(await Account.get(id=account)).name}", SessionKind.TOKEN, DAY
    )
    nobody = await viewer_of(secret, now)
    assert nobody is not None
    assert (nobody.account, nobody.roles, nobody.expires_at) == (account, {}, now + DAY)

    await joins(account, party, now)
    await Tenancy.create(unit_id=estate.unit, account_id=account, since=now, until=now + 2 * SECOND)
    await build.role(account, None, Role.REGULATOR, since=now, until=now + 3 * SECOND)
    await build.role(account, estate.community, Role.CLERK, since=now, until=now + 2 * DAY)
    viewer = await viewer_of(secret, now)
    assert viewer is not None
    assert viewer.roles == (await person_of(account, now)).roles
    assert viewer.roles == {
        estate.community: {Role.CLERK, Role.OWNER, Role.TENANT}, CITY: {Role.REGULATOR}
    }  # fmt: skip
    assert viewer.expires_at == now + 2 * SECOND


async def test_roles_are_kept_apart_by_community(estate: Any, build: Any, now: datetime) -> None:
    elsewhere = await build.community()
    account = await build.account()
    await build.party(estate.community, account)
    await build.role(account, elsewhere, Role.PROPERTY_MANAGER)
    assert (await person_of(account, now)).roles == {
        estate.community: {Role.OWNER},
        elsewhere: {Role.PROPERTY_MANAGER},
    }
    assert (await person_of(await build.account(), now)).roles == {}


async def test_one_may_sit_in_several_parties_of_a_community(estate: Any, build: Any, now: datetime) -> None:
    account = await build.account()
    parties = [await build.party(estate.community, account) for _ in range(2)]
    await build.party(await build.community(), account)
    assert await seats_of(account, estate.community, now) == [
        PartySeat(party, frozenset()) for party in sorted(parties)
    ]


async def test_co_owners_see_whom_they_named(estate: Any, build: Any, party: int, now: datetime) -> None:
    first, second = [await build.account() for _ in range(2)]
    seats = [await joins(account, party, now) for account in (first, second)]
    await named(party, seats[1], now - SECOND, now)
    assert await seats_of(first, estate.community, now) == [PartySeat(party, frozenset())]
    await named(party, seats[0], now)
    for account, may in ((first, True), (second, False)):
        (seat,) = await seats_of(account, estate.community, now)
        assert seat.named == {first}
        assert seat.may_cast(account) is may


@INTERVALS
async def test_a_naming_binds_from_since_and_no_more_from_until(
    estate: Any, build: Any, party: int, now: datetime, since: int, until: int | None, held: bool
) -> None:
    """And so does the seat of the one who was named, however long ago it was left."""
    times = {"since": now + since * SECOND, "until": None if until is None else now + until * SECOND}
    first, second = [await build.account() for _ in range(2)]
    await joins(first, party, now - DAY)
    seat = await joins(second, party, now - DAY)
    await named(party, seat, **times)
    (found,) = await seats_of(first, estate.community, now)
    assert found.named == ({second} if held else set())
    assert found.may_cast(first) is not held

    await Representative.all().update(since=now - DAY, until=None)
    await CoOwner.filter(id=seat).update(until=times["until"])
    (found,) = await seats_of(first, estate.community, now)
    stays = until is None or until > 0
    assert found.named == ({second} if stays else set())
    assert bool(await seats_of(second, estate.community, now)) is stays


async def test_of_several_namings_one_after_the_other_the_one_that_stands_binds(
    estate: Any, build: Any, party: int, now: datetime
) -> None:
    accounts = [await build.account() for _ in range(3)]
    seats = [await joins(account, party, now - DAY) for account in accounts]
    for index, (since, until) in enumerate(((-3, -2), (-2, 1), (1, None))):
        end = None if until is None else now + until * SECOND
        await named(party, seats[index], now + since * SECOND, end)
    for account in accounts:
        assert await seats_of(account, estate.community, now) == [PartySeat(party, frozenset({accounts[1]}))]


async def test_a_representative_without_an_account_casts_on_paper_and_nobody_else_casts(
    estate: Any, build: Any, party: int, now: datetime
) -> None:
    account = await build.account()
    await joins(account, party, now)
    await named(party, await joins(None, party, now), now)
    (seat,) = await seats_of(account, estate.community, now)
    assert not seat.may_cast(account)


async def test_a_representative_who_left_the_party_binds_nobody(
    estate: Any, build: Any, party: int, now: datetime
) -> None:
    stays, left = [await build.account() for _ in range(2)]
    await joins(stays, party, now)
    await named(party, await joins(left, party, now - SECOND, until=now), now - SECOND)
    assert await seats_of(left, estate.community, now) == []
    assert await seats_of(stays, estate.community, now) == [PartySeat(party, frozenset())]


async def test_accounts_are_found_by_handle_or_by_its_beginning(database: str, now: datetime) -> None:
    handles = [
        "a_b/resident-10",
        "a_b/resident-2",
        "a_b/resident-1",
        "axb/resident-1",
        "A_B/resident-3",
        "100%",
    ]
    for handle in handles:
        await Account.create(name=handle, created_at=now)

    async def found(pattern: str) -> list[str]:
        return [name for _, name in await accounts_like(pattern)]

    assert await found("a_b/resident-*") == ["a_b/resident-1", "a_b/resident-2", "a_b/resident-10"]
    assert await found("a_b/resident-1") == ["a_b/resident-1"]
    assert await found("a_b/resident-") == []
    assert await found("%*") == []
    assert len(await found("*")) == len(handles)


@pytest.mark.parametrize("made_up", ["", "x" * 129, "x" * 30_000, "é", "\ud800"])
async def test_what_can_be_no_secret_opens_nothing_and_is_not_asked_for(
    database: str, statements: list[str], now: datetime, made_up: str
) -> None:
    statements.clear()
    assert await viewer_of(made_up, now) is None
    assert isinstance(await why_nobody(made_up), UnknownToken)
    assert statements == []


# Homes


async def test_whoever_has_several_homes_belongs_to_one_household(
    estate: Any, build: Any, now: datetime
) -> None:
    """The one that is rented, else one that is not let, else the one held longest; never where the car is."""
    account = await build.account()

    async def home() -> int | None:
        found = (await homes_of([account], estate.community, now)).get(account)
        return found and found.unit

    async def holds(since: timedelta, kind: UnitKind = UnitKind.DWELLING, rents: bool = False) -> int:
        unit = await build.unit(estate.community, estate.building)
        await Unit.filter(id=unit).update(kind=kind)
        if rents:
            await Tenancy.create(unit_id=unit, account_id=account, since=now - since)
        else:
            await Ownership.create(unit_id=unit, party_id=party, since=now - since)
        return int(unit)

    party = await build.party(estate.community, account)
    assert await home() is None
    await holds(9 * DAY, UnitKind.PARKING)
    assert await home() is None
    newer = await holds(2 * DAY)
    assert await home() == newer
    older = await holds(3 * DAY)
    assert await home() == older
    await Tenancy.create(unit_id=older, account_id=estate.tenant.account, since=now - DAY)
    assert await home() == newer
    rented = await holds(DAY, rents=True)
    assert await home() == rented
    assert await homes_of([account], estate.community + 1, now) == {}
    await Tenancy.filter(unit_id=rented).update(until=now)
    assert await home() == newer
    await Tenancy.create(unit_id=newer, account_id=estate.tenant.account, since=now - DAY)
    assert await home() == older
    assert [one.rented for one in (await homes_of([account], estate.community, now)).values()] == [False]
    await Tenancy.filter(unit_id=newer).update(until=now)
    co_owner = await build.account()
    await CoOwner.create(party_id=party, account_id=co_owner, since=now - DAY)
    both = await homes_of([account, co_owner], estate.community, now)
    assert {one.unit for one in both.values()} == {newer}
    assert both[co_owner].since == now - DAY
