"""An estate in few words: what somebody holds in it, since long ago. Ids are returned."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from community.members.models import Account, CoOwner, OwnerParty, Ownership, RoleGrant, Tenancy
from community.members.reads import person_of
from community.members.rules import PartyKind
from community.permissions import Person, Role
from community.places.models import Building, Community, CommunityProfile, Organization, Unit, UnitState
from community.places.rules import DeliveryStatus, OrganizationKind, UnitKind

NOW = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)  # ten in the morning in Hangzhou
LONG_AGO = NOW - timedelta(days=1000)


class Build:
    """Rows made directly, past the actions, each valid by itself. Ids are returned."""

    def __init__(self) -> None:
        self._names = count(1)

    def _name(self, kind: str) -> str:
        return f"{kind}-{next(self._names)}"

    async def community(self, *, public: bool = False, time_zone: str = "Asia/Shanghai") -> int:
        community = await Community.create(
            slug=self._name("estate"),
            name="美哉美城",
            address="萧山区盈丰街道",
            households=3,
            created_at=LONG_AGO,
        )
        await CommunityProfile.create(
            community_id=community.id, version=1, public_reading=public, time_zone=time_zone,
            notice_days=15, window_days_least=5, window_days_most=60, since=LONG_AGO,
        )  # fmt: skip
        await OwnerParty.create(community_id=community.id, kind=PartyKind.DEVELOPER)
        return int(community.id)

    async def building(self, community: int) -> int:
        building = await Building.create(community_id=community, name=self._name("幢"), position=1)
        return int(building.id)

    async def unit(
        self,
        community: int,
        building: int,
        area: int = 9_000,
        status: DeliveryStatus = DeliveryStatus.DELIVERED,
        since: datetime = LONG_AGO,
    ) -> int:
        unit = await Unit.create(
            community_id=community, building_id=building, name=self._name("室"), kind=UnitKind.DWELLING
        )  # fmt: skip
        await UnitState.create(unit_id=unit.id, since=since, area=area, status=status)
        return int(unit.id)

    async def organization(
        self, community: int, kind: OrganizationKind, until: datetime | None = None
    ) -> int:
        organization = await Organization.create(
            community_id=community, kind=kind, name=self._name("org"), since=LONG_AGO, until=until
        )
        return int(organization.id)

    async def account(self) -> int:
        return int((await Account.create(name=self._name("account"), created_at=LONG_AGO)).id)

    async def role(
        self, account: int, community: int | None, role: Role, organization: int | None = None, **times: Any
    ) -> None:
        await RoleGrant.create(
            account_id=account, community_id=community, organization_id=organization, role=role,
            **({"since": LONG_AGO} | times),
        )  # fmt: skip

    async def party(self, community: int, account: int, unit: int | None = None) -> int:
        """An owner party of one, of a unit if one is given."""
        party = await OwnerParty.create(community_id=community, kind=PartyKind.OWNERS)
        await CoOwner.create(party_id=party.id, account_id=account, since=LONG_AGO)
        if unit is not None:
            await Ownership.create(unit_id=unit, party_id=party.id, since=LONG_AGO)
        return int(party.id)

    async def viewer(self, account: int) -> Person:
        return await person_of(account, NOW)

    async def owner(self, community: int) -> Person:
        account = await self.account()
        await self.party(community, account)
        return await self.viewer(account)

    async def tenant(self, community: int, unit: int) -> Person:
        account = await self.account()
        await Tenancy.create(unit_id=unit, account_id=account, since=LONG_AGO)
        return await self.viewer(account)

    async def staff(self, community: int, role: Role, organization: int | None) -> Person:
        account = await self.account()
        await self.role(account, community, role, organization)
        return await self.viewer(account)


@dataclass(frozen=True)
class Estate:
    """A community that is not public, and people with every kind of right in it."""

    community: int
    building: int
    unit: int
    committee: int
    service: int
    chair: Person
    manager: Person
    owner: Person
    neighbour: Person
    tenant: Person
    stranger: Person


async def an_estate(build: Build) -> Estate:
    community = await build.community()
    building = await build.building(community)
    unit = await build.unit(community, building)
    committee = await build.organization(community, OrganizationKind.OWNERS_COMMITTEE)
    service = await build.organization(community, OrganizationKind.PROPERTY_SERVICE)
    return Estate(
        community,
        building,
        unit,
        committee,
        service,
        chair=await build.staff(community, Role.COMMITTEE, committee),
        manager=await build.staff(community, Role.PROPERTY_MANAGER, service),
        owner=await build.owner(community),
        neighbour=await build.owner(community),
        tenant=await build.tenant(community, unit),
        stranger=await build.owner(await build.community()),
    )
