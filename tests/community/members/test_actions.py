"""Sessions: a secret leaves once, and only its hash stays. Owners, tenants and roles: from now on."""

import asyncio
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from community.errors import Forbidden, InvalidInput, NotFound, Refused, Unauthenticated
from community.members.actions import (
    SWEPT_AT_ONCE,
    NewParty,
    NewRole,
    add_co_owners,
    end_role,
    end_session,
    enter_owners,
    enter_tenancies,
    give_roles,
    name_representative,
    open_accounts,
    open_session,
    revoke_session,
    sign_in_demonstration,
    transfer_units,
)
from community.members.models import Account, CoOwner, OwnerParty, Ownership, Session, Tenancy
from community.members.reads import hash_of, held, person_of, seats_of, sessions_of, viewer_of
from community.members.rules import KEPT_AFTER_ITS_END, PartyKind, SessionKind
from community.permissions import CITY, NOBODY, SYSTEM, Permission, Role
from community.places.rules import OrganizationKind
from community.signals import Signal
from tests.facts import written

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


async def name_of(account: int | None) -> str:
    return str((await Account.get(id=account)).name)


@pytest.fixture
async def handle(estate: Any) -> str:
    return await name_of(estate.owner.account)


@pytest.fixture
async def secret(estate: Any, handle: str, now: datetime) -> str:
    return await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY)


async def test_a_session_leads_to_its_account_with_the_person_of_the_moment(
    estate: Any, build: Any, handle: str, secret: str, now: datetime
) -> None:
    viewer = await viewer_of(secret, now)
    assert viewer is not None
    assert (viewer.account, viewer.name, viewer.scopes) == (estate.owner.account, handle, None)
    assert viewer.roles == {estate.community: {Role.OWNER}}
    assert viewer.expires_at == now + DAY

    await build.role(viewer.account, estate.community, Role.CLERK, since=now + TICK)
    later = await viewer_of(secret, now + TICK)
    assert later is not None
    assert later.roles == {estate.community: {Role.OWNER, Role.CLERK}}
    assert later.session == viewer.session


async def test_only_the_hash_of_a_secret_is_kept(secret: str, database: str) -> None:
    (row,) = await Session.all().values()
    assert row["hash"] == hash_of(secret) == sha256(secret.encode()).hexdigest()
    assert secret not in str(row)
    assert len(secret) >= 43  # 256 bits
    assert await viewer_of(row["hash"], row["created_at"]) is None


async def test_every_session_has_a_secret_of_its_own(handle: str, secret: str, now: datetime) -> None:
    assert await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY) != secret


async def test_a_session_ends_exactly_when_it_expires(secret: str, now: datetime) -> None:
    assert await viewer_of(secret, now + DAY - TICK)
    assert await viewer_of(secret, now + DAY) is None


@pytest.mark.parametrize("wrong", ["", "x", "' OR 1=1 --"])
async def test_no_other_words_lead_anywhere(secret: str, now: datetime, wrong: str) -> None:
    assert await viewer_of(wrong, now) is None
    assert await viewer_of(secret + wrong + " ", now) is None


@pytest.mark.parametrize("scopes", [set(), {Permission.SIGN_UP}, set(Permission)])
async def test_scopes_are_kept_as_given(handle: str, now: datetime, scopes: set[Permission]) -> None:
    secret = await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY, scopes)
    viewer = await viewer_of(secret, now)
    assert viewer is not None
    assert viewer.scopes == scopes


async def test_an_ended_session_is_over_and_its_rights_are_told_to_have_changed(
    estate: Any, handle: str, secret: str, now: datetime, told: list[Signal]
) -> None:
    other = await open_session(SYSTEM, now, handle, SessionKind.COOKIE, DAY)
    assert not told
    await end_session(estate.owner, now, secret)
    assert await viewer_of(secret, now) is None
    assert await viewer_of(other, now)
    assert told == [Signal("rights", estate.owner.account)]
    assert [row.hash for row in await Session.all()] == [hash_of(other)]  # what ended is removed


async def test_ending_what_is_over_or_unknown_changes_nothing(
    estate: Any, secret: str, now: datetime, told: list[Signal]
) -> None:
    await end_session(estate.owner, now, "unknown")
    assert not told
    await asyncio.gather(*(end_session(estate.owner, now, secret) for _ in range(3)))
    assert await Session.all().count() == 0
    assert len(told) == 1


async def test_a_demonstration_account_is_entered_by_its_name(
    database: str, now: datetime, told: list[Signal]
) -> None:
    account = await Account.create(name="demo/resident-1", demonstration=True, created_at=now)
    viewer = await viewer_of(await sign_in_demonstration(NOBODY, now, "demo/resident-1", DAY), now)
    assert viewer is not None
    assert viewer.account == account.id
    (session,) = await Session.all()
    assert session.kind is SessionKind.COOKIE


@pytest.fixture
async def demo(database: str, now: datetime) -> str:
    return str((await Account.create(name="demo/resident-1", demonstration=True, created_at=now)).name)


async def test_signing_in_again_ends_the_cookie_that_it_replaces(
    demo: str, now: datetime, told: list[Signal]
) -> None:
    other = await sign_in_demonstration(NOBODY, now, demo, DAY)
    first = await sign_in_demonstration(NOBODY, now, demo, DAY)
    second = await sign_in_demonstration(NOBODY, now, demo, DAY, replacing=first)
    assert await viewer_of(first, now) is None
    assert await viewer_of(second, now)
    assert await viewer_of(other, now)
    account = await Account.get(name=demo)
    assert told == [Signal("rights", account.id)]


async def test_a_sign_in_that_is_refused_replaces_nothing(demo: str, now: datetime) -> None:
    first = await sign_in_demonstration(NOBODY, now, demo, DAY)
    with pytest.raises(NotFound):
        await sign_in_demonstration(NOBODY, now, "nobody", DAY, replacing=first)
    assert await viewer_of(first, now)


async def test_only_a_cookie_is_replaced(demo: str, now: datetime, told: list[Signal]) -> None:
    token = await open_session(SYSTEM, now, demo, SessionKind.TOKEN, DAY)
    for replaced in (token, "unknown", ""):
        await sign_in_demonstration(NOBODY, now, demo, DAY, replacing=replaced)
    assert await viewer_of(token, now)
    assert not told


async def test_what_stands_is_listed_without_its_secret(demo: str, handle: str, now: datetime) -> None:
    secrets = [
        await open_session(SYSTEM, now - 2 * DAY, demo, SessionKind.TOKEN, DAY),  # over
        await open_session(
            SYSTEM, now, demo, SessionKind.TOKEN, DAY, {Permission.SIGN_UP, Permission.READ_OWN}
        ),
        await open_session(SYSTEM, now + TICK, demo, SessionKind.COOKIE, DAY),
        await open_session(SYSTEM, now, demo, SessionKind.TOKEN, DAY, set()),
        await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY),
    ]
    await end_session(SYSTEM, now, secrets[3])
    account = await Account.get(name=demo)
    listed = await sessions_of([account.id], now + TICK)
    assert [(row.account, row.kind, row.scopes, row.created_at, row.expires_at) for row in listed] == [
        (demo, SessionKind.TOKEN, ("READ_OWN", "SIGN_UP"), now, now + DAY),
        (demo, SessionKind.COOKIE, None, now + TICK, now + TICK + DAY),
    ]
    assert not [secret for secret in secrets if secret in str(listed) or hash_of(secret) in str(listed)]
    assert await sessions_of([], now) == []


async def test_a_session_is_revoked_by_its_number(
    estate: Any, handle: str, secret: str, now: datetime, told: list[Signal]
) -> None:
    other = await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY)
    viewer = await viewer_of(secret, now)
    assert viewer is not None
    assert viewer.session is not None
    await revoke_session(SYSTEM, now, viewer.session)
    assert await viewer_of(secret, now) is None
    assert await viewer_of(other, now)
    assert told == [Signal("rights", estate.owner.account)]
    for number in (viewer.session, 5, 0, -1):
        with pytest.raises(NotFound):
            await revoke_session(SYSTEM, now, number)
    assert len(told) == 1


async def test_one_that_ran_out_is_known_for_a_while_and_then_removed(handle: str, now: datetime) -> None:
    await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY)
    over = now + DAY + KEPT_AFTER_ITS_END
    await open_session(SYSTEM, over - TICK, handle, SessionKind.TOKEN, DAY)
    assert await Session.all().count() == 2
    await open_session(SYSTEM, over, handle, SessionKind.TOKEN, DAY)
    assert [row.created_at for row in await Session.all().order_by("created_at")] == [over - TICK, over]


async def test_what_is_removed_at_once_is_bounded_and_the_oldest_first(handle: str, now: datetime) -> None:
    account = await Account.get(name=handle)
    many = SWEPT_AT_ONCE + 5
    await Session.bulk_create(
        Session(hash=str(index), account_id=account.id, kind=SessionKind.COOKIE, created_at=now,
                expires_at=now + index * TICK)
        for index in range(many)
    )  # fmt: skip
    later = now + KEPT_AFTER_ITS_END + DAY
    await open_session(SYSTEM, later, handle, SessionKind.TOKEN, DAY)
    left = {row.hash for row in await Session.all() if len(row.hash) < 64}
    assert left == {str(index) for index in range(SWEPT_AT_ONCE, many)}
    await open_session(SYSTEM, later, handle, SessionKind.TOKEN, DAY)
    assert await Session.all().count() == 2


async def test_a_viewer_says_whether_its_account_is_one_of_the_demonstration(
    demo: str, secret: str, now: datetime
) -> None:
    somebody = await viewer_of(await sign_in_demonstration(NOBODY, now, demo, DAY), now)
    token = await viewer_of(await open_session(SYSTEM, now, demo, SessionKind.TOKEN, DAY), now)
    real = await viewer_of(secret, now)
    assert [viewer.demonstration for viewer in (somebody, token, real) if viewer] == [True, True, False]


async def test_no_other_account_is_entered_by_its_name(handle: str, now: datetime) -> None:
    for name in (handle, "nobody-of-this-name", ""):
        with pytest.raises(NotFound):
            await sign_in_demonstration(NOBODY, now, name, DAY)
    with pytest.raises(NotFound):
        await open_session(SYSTEM, now, "nobody-of-this-name", SessionKind.TOKEN, DAY)
    assert await Session.all().count() == 0


async def test_nobody_but_the_operator_opens_or_ends_the_sessions_of_others(
    estate: Any, handle: str, secret: str, now: datetime, told: list[Signal]
) -> None:
    head = await written()
    for viewer, refusal in (
        (NOBODY, Unauthenticated),
        (estate.owner, Forbidden),
        (estate.chair, Forbidden),
        (estate.stranger, Forbidden),
    ):
        with pytest.raises(refusal):
            await open_session(viewer, now, handle, SessionKind.TOKEN, DAY)
        with pytest.raises(refusal):
            await revoke_session(viewer, now, (await Session.get()).id)
        if viewer is not estate.owner:
            with pytest.raises(refusal):
                await end_session(viewer, now, secret)
    assert await Session.all().count() == 1
    assert await viewer_of(secret, now)
    assert (await written(), told) == (head, [])


async def test_whoever_signed_in_signs_out_whatever_the_token_is_narrowed_to(
    demo: str, handle: str, now: datetime, told: list[Signal]
) -> None:
    """Also one of the demonstration, which has no other right outside of it."""
    for name in (handle, demo):
        secret = await open_session(SYSTEM, now, name, SessionKind.TOKEN, DAY, {Permission.READ_LEDGER})
        narrow = await viewer_of(secret, now)
        assert narrow is not None
        await end_session(narrow, now, secret)
        assert await viewer_of(secret, now) is None
    assert len(told) == 2


async def test_a_viewer_expires_with_the_first_thing_held(
    estate: Any, build: Any, secret: str, now: datetime
) -> None:
    """Then a socket asks again, and finds what is left."""
    account, over = estate.owner.account, timedelta(hours=3)
    other = await OwnerParty.create(community_id=estate.community, kind=PartyKind.OWNERS)
    await CoOwner.create(party_id=other.id, account_id=account, since=now, until=now + 3 * over)
    await Tenancy.create(unit_id=estate.unit, account_id=account, since=now, until=now + 2 * over)
    await build.role(account, estate.community, Role.CLERK, since=now - DAY, until=now + over)
    await build.role(account, estate.community, Role.GRID_WORKER, since=now - DAY, until=now)
    await build.role(account, estate.community, Role.COMMITTEE, since=now + DAY, until=now + 2 * DAY)
    ends = []
    for at in (now, now + over, now + 2 * over, now + 3 * over):
        viewer = await viewer_of(secret, at)
        assert viewer is not None
        ends.append((viewer.expires_at, sorted(viewer.roles[estate.community])))
    assert ends == [
        (now + over, [Role.CLERK, Role.OWNER, Role.TENANT]),
        (now + 2 * over, [Role.OWNER, Role.TENANT]),
        (now + 3 * over, [Role.OWNER]),
        (now + DAY, [Role.OWNER]),
    ]


# Who holds what


async def test_accounts_are_opened_under_names_that_nobody_has(
    database: str, now: datetime, told: list[Signal]
) -> None:
    ids = await open_accounts(SYSTEM, now, ["a/one", "a/two"], demonstration=True)
    rows = await Account.all().order_by("id").values("id", "name", "demonstration", "created_at")
    assert [tuple(row.values()) for row in rows] == [
        (ids[0], "a/one", True, now),
        (ids[1], "a/two", True, now),
    ]
    assert told == []
    for names in (["a/one"], ["b", "b"], [""], ["b" * 97], ["b\n"], ["a b"]):
        with pytest.raises(InvalidInput):
            await open_accounts(SYSTEM, now, ["fresh", *names])
    assert await Account.all().count() == 2


async def test_owners_hold_their_units_from_now_on(
    estate: Any, build: Any, now: datetime, told: list[Signal]
) -> None:
    accounts = await open_accounts(SYSTEM, now, ["one", "two"])
    units = [await build.unit(estate.community, estate.building) for _ in range(3)]
    new = [NewParty(units[:2], [accounts[0], None, accounts[1]], 2), NewParty(units[2:], [accounts[0]])]
    pair, single = await enter_owners(SYSTEM, now, estate.community, new)
    assert told == [*(Signal("rights", accounts[index]) for index in (0, 1))]
    assert {seat.party: seat.named for seat in await seats_of(accounts[0], estate.community, now)} == {
        pair: {accounts[1]},
        single: frozenset(),
    }
    assert await holders(units, now) == [pair, pair, single]
    assert await holders(units, now - TICK) == [None] * 3


async def test_a_unit_has_one_owner_party(estate: Any, build: Any, now: datetime) -> None:
    taken, free = [await build.unit(estate.community, estate.building) for _ in range(2)]
    (account,) = await open_accounts(SYSTEM, now, ["one"])
    await enter_owners(SYSTEM, now, estate.community, [NewParty([taken], [account])])
    other = await build.community()
    elsewhere = await build.unit(other, await build.building(other))
    before = await OwnerParty.all().count()
    refused: list[tuple[NewParty, type[Refused]]] = [
        (NewParty([taken], [account]), InvalidInput),
        (NewParty([free, free], [account]), InvalidInput),
        (NewParty([free], []), InvalidInput),
        (NewParty([free], [account, account]), InvalidInput),
        (NewParty([free], [account], 1), InvalidInput),
        (NewParty([elsewhere], [account]), NotFound),
        (NewParty([free], [5]), NotFound),
    ]
    for party, refusal in refused:
        with pytest.raises(refusal):
            await enter_owners(SYSTEM, now, estate.community, [NewParty([], [None]), party])
    assert await OwnerParty.all().count() == before


async def test_a_unit_passes_on_whole(estate: Any, build: Any, now: datetime) -> None:
    unit, other = [await build.unit(estate.community, estate.building) for _ in range(2)]
    seller, buyer = await enter_owners(
        SYSTEM, now, estate.community, [NewParty([unit], [None]), NewParty([], [None])]
    )
    later = now + DAY
    await transfer_units(SYSTEM, later, buyer, [unit, other])
    assert await holders([unit, other], later - TICK) == [seller, None]
    assert await holders([unit, other], later) == [buyer, buyer]
    with pytest.raises(NotFound):
        await transfer_units(SYSTEM, later, buyer, [5])


async def test_who_joins_a_party_votes_for_it_and_who_is_named_votes_alone(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    accounts = await open_accounts(SYSTEM, now, ["one", "two"])
    (party,) = await enter_owners(SYSTEM, now, estate.community, [NewParty([], [None])])
    told.clear()
    seats = await add_co_owners(SYSTEM, now, party, accounts)
    assert told == [*(Signal("rights", account) for account in accounts)]  # fmt: skip
    for index in (0, 1):
        await name_representative(SYSTEM, now + index * DAY, party, seats[index])
        (seat,) = await seats_of(accounts[0], estate.community, now + index * DAY)
        assert seat.named == {accounts[index]}
    with pytest.raises(NotFound):
        await name_representative(SYSTEM, now, party, 5)
    with pytest.raises(InvalidInput):
        await add_co_owners(SYSTEM, now, party, [])


async def test_a_tenant_has_the_rights_of_one(estate: Any, now: datetime, told: list[Signal]) -> None:
    (account,) = await open_accounts(SYSTEM, now, ["one"])
    await enter_tenancies(SYSTEM, now, estate.community, [(estate.unit, account)])
    assert (await person_of(account, now)).roles == {estate.community: {Role.TENANT}}
    assert told == [Signal("rights", account)]
    for tenancy in ((5, account), (estate.unit, 5)):
        with pytest.raises(NotFound):
            await enter_tenancies(SYSTEM, now, estate.community, [tenancy])


async def test_a_role_holds_from_now_until_it_ends(estate: Any, now: datetime, told: list[Signal]) -> None:
    (account,) = await open_accounts(SYSTEM, now, ["one"])
    own = NewRole(account, Role.COMMITTEE, estate.committee, until=now + 9 * DAY)
    (grant,) = await give_roles(SYSTEM, now, estate.community, [own])
    (office,) = await give_roles(SYSTEM, now, CITY, [NewRole(account, Role.REGULATOR)])
    assert (await person_of(account, now + 8 * DAY)).roles == {
        estate.community: {Role.COMMITTEE},
        CITY: {Role.REGULATOR},
    }
    assert (await person_of(account, now + 9 * DAY)).roles == {CITY: {Role.REGULATOR}}
    told.clear()
    for ended in (grant, office, grant):
        await end_role(SYSTEM, now + DAY, ended)
    assert (await person_of(account, now + DAY)).roles == {}
    assert told == [Signal("rights", account)] * 2
    with pytest.raises(NotFound):
        await end_role(SYSTEM, now, 5)


async def test_a_role_is_given_where_it_belongs(estate: Any, build: Any, now: datetime) -> None:
    (account,) = await open_accounts(SYSTEM, now, ["one"])
    abroad = await build.organization(await build.community(), OrganizationKind.OWNERS_COMMITTEE)
    refused: list[tuple[Any, NewRole, type[Refused]]] = [
        (estate.community, NewRole(account, Role.REGULATOR), InvalidInput),
        (estate.community, NewRole(account, Role.OPERATOR), InvalidInput),
        (CITY, NewRole(account, Role.COMMITTEE), InvalidInput),
        (CITY, NewRole(account, Role.OWNER), InvalidInput),
        (estate.community, NewRole(account, Role.TENANT), InvalidInput),
        (estate.community, NewRole(account, Role.COMMITTEE, abroad), NotFound),
        (estate.community, NewRole(5, Role.CLERK), NotFound),
        (5, NewRole(account, Role.CLERK), NotFound),
    ]
    for community, role, refusal in refused:
        with pytest.raises(refusal):
            await give_roles(SYSTEM, now, community, [role])
    assert (await person_of(account, now)).roles == {}


async def test_the_regulator_appoints_everybody_but_operators(estate: Any, build: Any, now: datetime) -> None:
    account = await build.account()
    await build.role(account, None, Role.REGULATOR)
    regulator = await build.viewer(account)
    (grant,) = await give_roles(regulator, now, CITY, [NewRole(account, Role.INTEGRATOR)])
    await end_role(regulator, now, grant)
    with pytest.raises(Forbidden):
        await give_roles(regulator, now, CITY, [NewRole(account, Role.OPERATOR)])
    await give_roles(SYSTEM, now, CITY, [NewRole(account, Role.OPERATOR)])


async def test_nobody_of_the_estate_keeps_its_register_or_appoints(estate: Any, now: datetime) -> None:
    (account,) = await open_accounts(SYSTEM, now, ["one"])
    (party,) = await enter_owners(SYSTEM, now, estate.community, [NewParty([], [account])])
    (grant,) = await give_roles(SYSTEM, now, estate.community, [NewRole(account, Role.CLERK)])
    (seat,) = await CoOwner.filter(party_id=party).values_list("id", flat=True)
    actions = (
        lambda who: enter_owners(who, now, estate.community, []),
        lambda who: add_co_owners(who, now, party, [None]),
        lambda who: name_representative(who, now, party, seat),
        lambda who: transfer_units(who, now, party, [estate.unit]),
        lambda who: enter_tenancies(who, now, estate.community, []),
        lambda who: give_roles(who, now, estate.community, []),
        lambda who: end_role(who, now, grant),
    )
    for action in actions:
        for somebody in (estate.chair, estate.manager, estate.owner, estate.tenant):
            with pytest.raises(Forbidden):
                await action(somebody)
        with pytest.raises(NotFound):
            await action(estate.stranger)
        with pytest.raises(Unauthenticated):
            await action(NOBODY)
    for office in (
        open_accounts(estate.chair, now, ["x"]),
        give_roles(estate.chair, now, CITY, [NewRole(account, Role.REGULATOR)]),
    ):
        with pytest.raises(Forbidden):
            await office


async def holders(units: list[int], at: datetime) -> list[int | None]:
    """Whose each unit is."""
    rows = await Ownership.filter(held(at), unit_id__in=units).values("unit_id", "party_id")
    owners = {row["unit_id"]: row["party_id"] for row in rows}
    assert len(owners) == len(rows)
    return [owners.get(unit) for unit in units]
