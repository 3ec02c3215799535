"""People are entered here, what they hold is given and passed on, and their sessions begin and end.

What ends keeps its row, with its end; but a session goes. Secrets leave once and are never kept.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tortoise.expressions import Q

from community.database.ids import new_id
from community.database.sql import lock_advisory, lock_exclusive
from community.database.work import UnitOfWork, requires
from community.errors import Forbidden, NotFound
from community.members.facts import RIGHTS_CHANGED
from community.members.models import (
    Account,
    CoOwner,
    OwnerParty,
    Ownership,
    Representative,
    RoleGrant,
    Session,
    Tenancy,
)
from community.members.reads import hash_of, scope_of_grant, scope_of_party, ties_to_session
from community.members.rules import (
    KEPT_AFTER_ITS_END,
    LONGEST_NAME,
    PartyKind,
    SessionKind,
    check_holders,
    check_new_names,
    check_persons,
    check_role,
    is_handle,
)
from community.permissions import CITY, GRANTS, City, Permission, Role, is_operator
from community.places.facts import REGISTER_CHANGED
from community.places.models import Organization, Unit
from community.places.reads import citywide, scope_of, scope_or_city

BATCH = 1000
"""Rows of one statement, where there are many."""

SWEPT_AT_ONCE = 100
"""Sessions removed when another one begins: more than begin, so that none stay."""


@requires(Permission.MANAGE_SESSIONS, within=citywide)
async def open_session(
    work: UnitOfWork,
    account: str,
    kind: SessionKind,
    lifetime: timedelta,
    scopes: Collection[Permission] | None = None,
) -> str:
    """The secret of a new cookie or token for the account of this name. Raises NotFound."""
    return await _open(work, account, kind, lifetime, scopes)


async def _open(
    work: UnitOfWork,
    account: str,
    kind: SessionKind,
    lifetime: timedelta,
    scopes: Collection[Permission] | None,
) -> str:
    found = await Account.get_or_none(name=account)
    if found is None:
        raise NotFound
    await _sweep(work)
    secret = secrets.token_urlsafe(32)
    await Session.create(
        hash=hash_of(secret),
        account_id=found.id,
        kind=kind,
        scopes=None if scopes is None else " ".join(sorted(set(scopes))),
        created_at=work.now,
        expires_at=work.now + lifetime,
    )
    return secret


async def _sweep(work: UnitOfWork) -> None:
    """Removes sessions that are long over. Nothing refers to one, and each that begins makes room."""
    over = Session.filter(expires_at__lte=work.now - KEPT_AFTER_ITS_END)
    ids = [row["id"] for row in await over.order_by("expires_at").limit(SWEPT_AT_ONCE).values("id")]
    if ids:
        await Session.filter(id__in=ids).delete()


@requires(Permission.SIGN_IN, within=citywide)
async def sign_in_demonstration(
    work: UnitOfWork, account: str, lifetime: timedelta, replacing: str | None = None
) -> str:
    """A cookie's secret for a demonstration account, which needs no proof. Raises NotFound for any other.

    `replacing`: the secret of the cookie that this browser had until now, which ends with it.
    """
    known = account.isprintable() and len(account) <= LONGEST_NAME
    if not known or not await Account.exists(name=account, demonstration=True):
        raise NotFound
    if replacing is not None:
        await _end(work, hash=hash_of(replacing), kind=SessionKind.COOKIE)
    return await _open(work, account, SessionKind.COOKIE, lifetime, None)


@requires(Permission.SIGN_OUT, within=citywide, tied=ties_to_session)
async def end_session(work: UnitOfWork, secret: str) -> None:
    """Ends one's own session of this secret, if there is one; its sockets lose what only it allowed."""
    await _end(work, hash=hash_of(secret))


@requires(Permission.MANAGE_SESSIONS, within=citywide)
async def revoke_session(work: UnitOfWork, session: int) -> None:
    """Ends the session of this number, as listed; its sockets lose what only it allowed. Raises NotFound."""
    if not await _end(work, id=session):
        raise NotFound


async def _end(work: UnitOfWork, **which: object) -> bool:
    """Removes the one session, and says whether it stood until now."""
    rows = await Session.filter(**which).values("id", "account_id", "expires_at", "revoked_at")
    return any([await _remove(work, row) for row in rows])


async def _remove(work: UnitOfWork, session: Mapping[str, Any]) -> bool:
    if not await Session.filter(id=session["id"]).delete():
        return False  # somebody else was first
    stood: bool = session["revoked_at"] is None and session["expires_at"] > work.now
    if stood:
        work.record(RIGHTS_CHANGED, session["account_id"])
    return stood


@requires(Permission.APPOINT, within=citywide)
async def open_accounts(work: UnitOfWork, names: Sequence[str], *, demonstration: bool = False) -> list[int]:
    """The ids of new accounts of these handles. Raises InvalidInput.

    `demonstration`: whoever knows the name may enter; they have rights in demonstration communities only.
    """
    await lock_advisory("accounts")
    taken = await Account.filter(name__in=list(filter(is_handle, names))).values("name")
    check_new_names(names, [row["name"] for row in taken])
    accounts = [new_id() for _ in names]
    await Account.bulk_create(
        (
            Account(id=account, name=name, demonstration=demonstration, created_at=work.now)
            for account, name in zip(accounts, names, strict=True)
        ),
        batch_size=BATCH,
    )
    return accounts


async def admit_developer(work: UnitOfWork, community: int) -> int:
    """The id of the developer's party; a part of `found_community`."""
    return int((await OwnerParty.create(community_id=community, kind=PartyKind.DEVELOPER)).id)


@dataclass(frozen=True, slots=True)
class NewParty:
    """`owners`: the account of each co-owner, None for one who has none. `representative`: which of them the
    party named to vote for it, from 0.
    """

    units: Sequence[int]
    owners: Sequence[int | None]
    representative: int | None = None


@requires(Permission.KEEP_REGISTER, within=scope_of)
async def enter_owners(work: UnitOfWork, community: int, new: Sequence[NewParty]) -> list[int]:
    """The ids of new owner parties, which hold their units from now on.

    Raises InvalidInput, and NotFound for a unit of another community or an account that is not there.
    """
    for index, party in enumerate(new):
        check_persons(party.owners, party.representative, f"parties.{index}.owners")
    await lock_exclusive("community", community)
    units = [unit for party in new for unit in party.units]
    await _check_units(community, units)
    check_holders(units, await _held(work, community), "parties")
    await _check_accounts(account for party in new for account in party.owners)
    parties = [new_id() for _ in new]
    await OwnerParty.bulk_create(
        (OwnerParty(id=party, community_id=community, kind=PartyKind.OWNERS) for party in parties),
        batch_size=BATCH,
    )
    planned = list(zip(parties, new, strict=True))
    await _hold(work, ((party, unit) for party, plan in planned for unit in plan.units))
    seats = await _seat(work, [(party, account) for party, plan in planned for account in plan.owners])
    await _name(work, parties, new, seats)
    work.record(REGISTER_CHANGED, community)
    return parties


async def _check_units(community: int, units: Collection[int]) -> None:
    """Raises NotFound where one is not of the community."""
    own = await Unit.filter(community_id=community).values("id")
    if not set(units) <= {row["id"] for row in own}:
        raise NotFound


async def _check_accounts(accounts: Iterable[int | None]) -> None:
    """Raises NotFound where one is not there."""
    wanted = list({account for account in accounts if account is not None})
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        if await Account.filter(id__in=some).count() < len(some):
            raise NotFound


def _not_over(now: datetime) -> Q:
    return Q(until=None) | Q(until__gt=now)


async def _held(work: UnitOfWork, community: int) -> set[int]:
    """The units that are somebody's, now or later."""
    standing = Ownership.filter(_not_over(work.now), unit__community_id=community)
    return {row["unit_id"] for row in await standing.values("unit_id")}


async def _hold(work: UnitOfWork, held: Iterable[tuple[int, int]]) -> None:
    """Each party its unit, from now on."""
    await Ownership.bulk_create(
        (Ownership(unit_id=unit, party_id=party, since=work.now) for party, unit in held), batch_size=BATCH
    )


async def _seat(work: UnitOfWork, seats: Sequence[tuple[int, int | None]]) -> list[int]:
    """The ids of new co-owners: each party its account, from now on."""
    ids = [new_id() for _ in seats]
    await CoOwner.bulk_create(
        (
            CoOwner(id=key, party_id=party, account_id=account, since=work.now)
            for key, (party, account) in zip(ids, seats, strict=True)
        ),
        batch_size=BATCH,
    )
    for _, account in seats:
        if account is not None:
            work.record(RIGHTS_CHANGED, account)
    return ids


async def _name(
    work: UnitOfWork, parties: Sequence[int], new: Sequence[NewParty], seats: Sequence[int]
) -> None:
    """`seats`: of all parties, one after the other."""
    named, first = [], 0
    for party, plan in zip(parties, new, strict=True):
        if plan.representative is not None:
            named.append((party, seats[first + plan.representative]))
        first += len(plan.owners)
    await Representative.bulk_create(
        (Representative(party_id=party, co_owner_id=seat, since=work.now) for party, seat in named),
        batch_size=BATCH,
    )


@requires(Permission.KEEP_REGISTER, within=scope_of_party)
async def add_co_owners(work: UnitOfWork, party: int, accounts: Sequence[int | None]) -> list[int]:
    """The ids of the new co-owners of a party. Raises InvalidInput, NotFound."""
    check_persons(accounts, None, "accounts")
    await _check_accounts(accounts)
    (row,) = await OwnerParty.filter(id=party).values("community_id")
    seats = await _seat(work, [(party, account) for account in accounts])
    work.record(REGISTER_CHANGED, row["community_id"])
    return seats


@requires(Permission.KEEP_REGISTER, within=scope_of_party)
async def name_representative(work: UnitOfWork, party: int, co_owner: int) -> None:
    """From now on only this co-owner votes for the party (指导规则 25). Raises NotFound."""
    if not await CoOwner.filter(_not_over(work.now), id=co_owner, party_id=party).exists():
        raise NotFound
    await Representative.filter(_not_over(work.now), party_id=party).update(until=work.now)
    await Representative.create(party_id=party, co_owner_id=co_owner, since=work.now)
    community = (await OwnerParty.get(id=party).values("community_id"))["community_id"]
    work.record(REGISTER_CHANGED, community)


@requires(Permission.KEEP_REGISTER, within=scope_of_party)
async def transfer_units(work: UnitOfWork, party: int, units: Sequence[int]) -> None:
    """The units are this party's from now on, whosever they were. Raises InvalidInput, NotFound."""
    community = (await OwnerParty.get(id=party).values("community_id"))["community_id"]
    await lock_exclusive("community", community)
    check_holders(units, (), "units")
    await _check_units(community, units)
    await Ownership.filter(_not_over(work.now), unit_id__in=units).update(until=work.now)
    await _hold(work, ((party, unit) for unit in units))
    work.record(REGISTER_CHANGED, community)


@requires(Permission.KEEP_REGISTER, within=scope_of)
async def enter_tenancies(work: UnitOfWork, community: int, new: Sequence[tuple[int, int]]) -> None:
    """Units and the accounts that rent them, from now on. Raises NotFound."""
    await _check_units(community, [unit for unit, _ in new])
    await _check_accounts(account for _, account in new)
    await Tenancy.bulk_create(
        (Tenancy(unit_id=unit, account_id=account, since=work.now) for unit, account in new),
        batch_size=BATCH,
    )
    for _, account in new:
        work.record(RIGHTS_CHANGED, account)
    work.record(REGISTER_CHANGED, community)


@dataclass(frozen=True, slots=True)
class NewRole:
    """`organization`: the one for which the account acts; `until`: None: for good."""

    account: int
    role: Role
    organization: int | None = None
    until: datetime | None = None


@requires(Permission.APPOINT, within=scope_or_city)
async def give_roles(work: UnitOfWork, community: int | City, new: Sequence[NewRole]) -> list[int]:
    """The ids of the grants, which hold from now on in a community or in the whole city.

    Raises InvalidInput; NotFound for an account or an organization that is not there; Forbidden where
    somebody else than an operator makes an operator.
    """
    for index, given in enumerate(new):
        check_role(given.role, f"roles.{index}.role", in_the_city=community is CITY)
        if given.role is Role.OPERATOR and not is_operator(work.viewer, CITY):
            raise Forbidden(
                sentence_zh=GRANTS[Permission.OPERATE].zh, sentence_en=GRANTS[Permission.OPERATE].en
            )
    own = None if community is CITY else community
    await _check_accounts(given.account for given in new)
    organizations = {given.organization for given in new} - {None}
    if await Organization.filter(id__in=organizations, community_id=own).count() < len(organizations):
        raise NotFound
    grants = [new_id() for _ in new]
    await RoleGrant.bulk_create(
        RoleGrant(
            id=grant,
            account_id=given.account,
            community_id=own,
            organization_id=given.organization,
            role=given.role,
            since=work.now,
            until=given.until,
        )
        for grant, given in zip(grants, new, strict=True)
    )
    for given in new:
        work.record(RIGHTS_CHANGED, given.account)
    return grants


@requires(Permission.APPOINT, within=scope_of_grant)
async def end_role(work: UnitOfWork, grant: int) -> None:
    """The role ends now, if it has not yet; its sockets lose what only it allowed."""
    row = await RoleGrant.get(id=grant).values("account_id", "community_id")
    if await RoleGrant.filter(_not_over(work.now), id=grant).update(until=work.now):
        work.record(RIGHTS_CHANGED, row["account_id"])
