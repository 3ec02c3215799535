"""What only the demonstration writes: whole estates with everybody in them, and sign-ups by the hundred."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from community.database.ids import new_id
from community.database.models import Due
from community.database.work import UnitOfWork, requires
from community.demo.estates import DEVELOPER, Estate, PlannedParty
from community.events.models import Event, SignUp
from community.events.reads import scope_of_event
from community.members.models import (
    Account,
    CoOwner,
    OwnerParty,
    Ownership,
    Representative,
    RoleGrant,
    Tenancy,
)
from community.members.reads import homes_of
from community.members.rules import PartyKind
from community.permissions import Permission, Role
from community.places.models import Building, Community, CommunityProfile, Organization, Unit
from community.places.reads import citywide
from community.places.rules import OrganizationKind, Profile
from community.signals import Topic
from community.votes.reads import scope_of_vote

BATCH = 1000

_CITY_OFFICES = (("regulator", Role.REGULATOR), ("integrator", Role.INTEGRATOR))
_OFFICES = (
    ("committee", Role.COMMITTEE, OrganizationKind.OWNERS_COMMITTEE),
    ("committee", Role.MANAGEMENT_COMMITTEE, OrganizationKind.MANAGEMENT_COMMITTEE),
    ("manager", Role.PROPERTY_MANAGER, OrganizationKind.PROPERTY_SERVICE),
    ("grid", Role.GRID_WORKER, OrganizationKind.RESIDENTS_COMMITTEE),
    ("branch", Role.PARTY_BRANCH, OrganizationKind.PARTY_BRANCH),
)
_CLERKS = ("clerk-1", "clerk-2")
_LETTERS = "abc"


@requires(Permission.OPERATE, within=citywide)
async def appoint_city_offices(work: UnitOfWork, city: str) -> None:
    """The accounts whose roles hold everywhere, where they are not there yet."""
    for name, role in _CITY_OFFICES:
        if not await Account.exists(name=f"{city}/{name}"):
            account = await Account.create(name=f"{city}/{name}", demonstration=True, created_at=work.now)
            await RoleGrant.create(account_id=account.id, role=role, since=work.now)


@requires(Permission.OPERATE, within=citywide)
async def settle(work: UnitOfWork, estate: Estate) -> int:
    """Builds an estate and hands it over to everybody who lives and works there; the community's id."""
    community = await _found(work, estate)
    units = await _build(community, estate)
    await _Registry(work, community, estate, units).fill()
    return community


async def _found(work: UnitOfWork, estate: Estate) -> int:
    site, profile = estate.site, Profile(version=1, public_reading=True)
    community = new_id()
    await Community.create(
        id=community,
        slug=site.slug,
        name=site.name,
        address=site.address,
        households=site.households,
        residents=site.residents,
        owner_cards=site.owner_cards,
        profile_version=profile.version,
        demonstration=True,
        created_at=work.now,
    )
    await CommunityProfile.create(
        community_id=community,
        version=profile.version,
        public_reading=profile.public_reading,
        time_zone=profile.time_zone,
        notice_days=profile.notice_days,
        window_days_least=profile.window_days_least,
        window_days_most=profile.window_days_most,
        since=work.now,
    )
    return community


async def _build(community: int, estate: Estate) -> list[int]:
    """The ids of the units, in the order of the plan."""
    buildings = [new_id() for _ in estate.buildings]
    await Building.bulk_create(
        Building(id=building, community_id=community, name=name, position=position)
        for position, (building, name) in enumerate(zip(buildings, estate.buildings, strict=True))
    )
    units = [new_id() for _ in estate.units]
    await Unit.bulk_create(
        (
            Unit(
                id=unit,
                community_id=community,
                building_id=buildings[plan.block],
                name=plan.name,
                kind=plan.kind,
                area=plan.area,
                status=plan.status,
            )
            for unit, plan in zip(units, estate.units, strict=True)
        ),
        batch_size=BATCH,
    )
    return units


@dataclass(frozen=True, slots=True)
class _Registry:
    """Who holds, rents and runs what in one community."""

    work: UnitOfWork
    community: int
    estate: Estate
    units: Sequence[int]

    async def fill(self) -> None:
        await self._owners()
        await self._tenants()
        await self._offices()

    async def _accounts(self, names: Sequence[str]) -> list[int]:
        accounts = [new_id() for _ in names]
        slug = self.estate.site.slug
        await Account.bulk_create(
            (
                Account(id=account, name=f"{slug}/{name}", demonstration=True, created_at=self.work.now)
                for account, name in zip(accounts, names, strict=True)
            ),
            batch_size=BATCH,
        )
        return accounts

    async def _owners(self) -> None:
        plans = self.estate.parties
        parties = [new_id() for _ in plans]
        await OwnerParty.bulk_create(
            (
                OwnerParty(
                    id=party,
                    community_id=self.community,
                    kind=PartyKind.DEVELOPER if plan.number == DEVELOPER else PartyKind.OWNERS,
                )
                for party, plan in zip(parties, plans, strict=True)
            ),
            batch_size=BATCH,
        )
        await Ownership.bulk_create(
            (
                Ownership(unit_id=self.units[index], party_id=party, since=self.work.now)
                for party, plan in zip(parties, plans, strict=True)
                for index in plan.units
            ),
            batch_size=BATCH,
        )
        await self._co_owners(parties)

    async def _co_owners(self, parties: Sequence[int]) -> None:
        names, held = [], []
        for party, plan in zip(parties, self.estate.parties, strict=True):
            for index, name in enumerate(_names(plan)):
                names.append(name)
                held.append((new_id(), party, plan.named and index == 0))
        accounts = await self._accounts(names)
        since = self.work.now
        await CoOwner.bulk_create(
            (
                CoOwner(id=co_owner, party_id=party, account_id=account, since=since)
                for account, (co_owner, party, _) in zip(accounts, held, strict=True)
            ),
            batch_size=BATCH,
        )
        await Representative.bulk_create(
            Representative(party_id=party, co_owner_id=co_owner, since=since)
            for co_owner, party, named in held
            if named
        )

    async def _tenants(self) -> None:
        rented = [self.units[index] for index in self.estate.tenancies]
        accounts = await self._accounts([f"tenant-{number}" for number, _ in enumerate(rented, 1)])
        await Tenancy.bulk_create(
            Tenancy(unit_id=unit, account_id=account, since=self.work.now)
            for unit, account in zip(rented, accounts, strict=True)
        )

    async def _offices(self) -> None:
        organizations = {kind: new_id() for kind in self.estate.site.organizations}
        await Organization.bulk_create(
            Organization(
                id=organizations[kind],
                community_id=self.community,
                kind=kind,
                name=name,
                since=self.work.now,
            )
            for kind, name in self.estate.site.organizations.items()
        )
        posts: list[tuple[str, Role, int | None]]
        posts = [(name, role, organizations[kind]) for name, role, kind in _OFFICES if kind in organizations]
        posts += [(name, Role.CLERK, None) for name in _CLERKS]
        accounts = await self._accounts([name for name, _, _ in posts])
        await RoleGrant.bulk_create(
            RoleGrant(
                account_id=account,
                community_id=self.community,
                organization_id=organization,
                role=role,
                since=self.work.now,
            )
            for account, (_, role, organization) in zip(accounts, posts, strict=True)
        )


def _names(party: PlannedParty) -> Iterator[str]:
    """resident-7, resident-7-b: the first owner and those who own with them."""
    if party.number == DEVELOPER:
        yield "developer"
        return
    yield f"resident-{party.number}"
    yield from (f"resident-{party.number}-{_LETTERS[index]}" for index in range(1, party.persons))


class RecordedSignUp(NamedTuple):
    account: int
    party_size: int
    dish: str | None
    at: datetime


@requires(Permission.OPERATE, within=scope_of_event)
async def record_sign_ups(work: UnitOfWork, event: int, sign_ups: Sequence[RecordedSignUp]) -> None:
    """Many households at once; the table itself holds that nobody comes twice and nobody is too many."""
    (row,) = await Event.filter(id=event).values("community_id")
    homes = await homes_of({new.account for new in sign_ups}, row["community_id"], work.now)
    await SignUp.bulk_create(
        (
            SignUp(
                event_id=event,
                account_id=new.account,
                household_id=homes[new.account].unit if new.account in homes else None,
                rented=new.account in homes and homes[new.account].rented,
                party_size=new.party_size,
                dish=new.dish,
                signed_up_at=new.at,
            )
            for new in sign_ups
        ),
        batch_size=BATCH,
    )
    work.changed(Topic.ATTENDANCE, event, row["community_id"])


@requires(Permission.OPERATE, within=scope_of_vote)
async def keep_from_timers(work: UnitOfWork, vote: int, until: datetime) -> None:
    """A server that runs beside must not open and close a vote of the past before its ballots are in."""
    await Due.filter(subject=vote, done_at=None, at__lt=until).update(at=until)
