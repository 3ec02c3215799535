"""How a planned estate is founded, built and handed over to everybody who lives and works there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from community.actions import found_community
from community.members.actions import (
    NewParty,
    NewRole,
    add_co_owners,
    enter_owners,
    enter_tenancies,
    give_roles,
    open_accounts,
    transfer_units,
)
from community.permissions import CITY, SYSTEM, Role
from community.places.actions import (
    NewCommunity,
    NewUnit,
    enter_buildings,
    enter_organizations,
    enter_units,
)
from community.places.rules import OrganizationKind, Profile
from demo.estates import DEVELOPER, Estate, PlannedParty
from demo.reads import account_names, developer_in

_CITY_OFFICES = {"city/regulator": Role.REGULATOR, "city/integrator": Role.INTEGRATOR}
_OFFICES = (
    ("committee", Role.COMMITTEE, OrganizationKind.OWNERS_COMMITTEE),
    ("committee", Role.MANAGEMENT_COMMITTEE, OrganizationKind.MANAGEMENT_COMMITTEE),
    ("manager", Role.PROPERTY_MANAGER, OrganizationKind.PROPERTY_SERVICE),
    ("grid", Role.GRID_WORKER, OrganizationKind.RESIDENTS_COMMITTEE),
    ("branch", Role.PARTY_BRANCH, OrganizationKind.PARTY_BRANCH),
)
_CLERKS = ("clerk-1", "clerk-2")
_LETTERS = "abc"


async def appoint_city_offices(now: datetime) -> None:
    """The accounts whose roles hold everywhere, where they are not there yet."""
    there = await account_names(_CITY_OFFICES)
    missing = [name for name in _CITY_OFFICES if name not in there]
    if missing:
        accounts = await open_accounts(SYSTEM, now, missing, demonstration=True)
        new = [NewRole(account, _CITY_OFFICES[name]) for account, name in zip(accounts, missing, strict=True)]
        await give_roles(SYSTEM, now, CITY, new)


async def settle(now: datetime, estate: Estate) -> int:
    """The id of the new community, with everybody in it."""
    site = estate.site
    community = await found_community(
        SYSTEM,
        now,
        NewCommunity(
            site.slug,
            site.name,
            site.address,
            site.households,
            site.residents,
            site.owner_cards,
            Profile(version=1, public_reading=True),
            demonstration=True,
        ),
    )
    units = await _build(now, community, estate)
    await _Registry(now, community, estate, units).fill()
    return community


async def _build(now: datetime, community: int, estate: Estate) -> list[int]:
    """The ids of the units, in the order of the plan."""
    buildings = await enter_buildings(SYSTEM, now, community, estate.buildings)
    new = [
        NewUnit(buildings[plan.block], plan.name, plan.kind, plan.area, plan.status) for plan in estate.units
    ]
    return await enter_units(SYSTEM, now, community, new)


@dataclass(frozen=True, slots=True)
class _Registry:
    """Who holds, rents and runs what in one community."""

    now: datetime
    community: int
    estate: Estate
    units: Sequence[int]

    async def fill(self) -> None:
        await self._owners()
        await self._tenants()
        await self._offices()

    async def _accounts(self, names: Sequence[str]) -> list[int]:
        slug = self.estate.site.slug
        return await open_accounts(SYSTEM, self.now, [f"{slug}/{name}" for name in names], demonstration=True)

    async def _owners(self) -> None:
        accounts = iter(
            await self._accounts([name for party in self.estate.parties for name in _names(party)])
        )
        new = []
        for plan in self.estate.parties:
            units = [self.units[index] for index in plan.units]
            own = [next(accounts) for _ in _names(plan)]
            if plan.number == DEVELOPER:
                developer = await developer_in(self.community)
                await transfer_units(SYSTEM, self.now, developer, units)
                await add_co_owners(SYSTEM, self.now, developer, own)
            else:
                new.append(NewParty(units, own, 0 if plan.named else None))
        await enter_owners(SYSTEM, self.now, self.community, new)

    async def _tenants(self) -> None:
        rented = [self.units[index] for index in self.estate.tenancies]
        accounts = await self._accounts([f"tenant-{number}" for number, _ in enumerate(rented, 1)])
        await enter_tenancies(SYSTEM, self.now, self.community, list(zip(rented, accounts, strict=True)))

    async def _offices(self) -> None:
        kinds = list(self.estate.site.organizations.items())
        made = await enter_organizations(SYSTEM, self.now, self.community, kinds)
        organizations = {kind: key for (kind, _), key in zip(kinds, made, strict=True)}
        posts: list[tuple[str, Role, int | None]]
        posts = [(name, role, organizations[kind]) for name, role, kind in _OFFICES if kind in organizations]
        posts += [(name, Role.CLERK, None) for name in _CLERKS]
        accounts = await self._accounts([name for name, _, _ in posts])
        new = [
            NewRole(account, role, organization)
            for account, (_, role, organization) in zip(accounts, posts, strict=True)
        ]
        await give_roles(SYSTEM, self.now, self.community, new)


def _names(party: PlannedParty) -> Iterator[str]:
    """resident-7, resident-7-b: the first owner and those who own with them."""
    if party.number == DEVELOPER:
        yield "developer"
        return
    yield f"resident-{party.number}"
    yield from (f"resident-{party.number}-{_LETTERS[index]}" for index in range(1, party.persons))
