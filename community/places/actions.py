"""A community is laid out, built and settled here; nothing of it is ever overwritten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from community.database.ids import new_id
from community.database.sql import lock_advisory, lock_exclusive
from community.database.work import UnitOfWork, requires
from community.errors import NotFound
from community.permissions import Permission
from community.places.facts import COMMUNITY_FOUNDED, PUBLIC_READING_SET, REGISTER_CHANGED
from community.places.models import Building, Community, CommunityProfile, Organization, Unit, UnitState
from community.places.reads import scope_of, scope_of_unit
from community.places.rules import (
    FIRST_PROFILE,
    LONGEST_ADDRESS,
    LONGEST_NAME,
    DeliveryStatus,
    OrganizationKind,
    Profile,
    UnitKind,
    check_area,
    check_free,
    check_since,
    check_slug,
    cleaned_doors,
    is_slug,
)
from community.text import single_line

BATCH = 1000
"""Rows of one statement, where there are many."""


@dataclass(frozen=True, slots=True)
class NewCommunity:
    """`demonstration`: made up; its accounts need no proof, and have rights in such communities only."""

    slug: str
    name: str
    address: str
    households: int
    residents: int | None = None
    owner_cards: int | None = None
    profile: Profile = FIRST_PROFILE
    demonstration: bool = False


async def lay_out(work: UnitOfWork, new: NewCommunity) -> int:
    """The id of the new community, with its first profile; a part of `found_community`.

    Raises InvalidInput, also where the slug is taken.
    """
    await lock_advisory(f"community {new.slug}")
    check_slug(new.slug, taken=is_slug(new.slug) and await Community.exists(slug=new.slug))
    community = new_id()
    await Community.create(
        id=community,
        slug=new.slug,
        name=single_line(new.name, LONGEST_NAME, "名称", "the name", field="name"),
        address=single_line(new.address, LONGEST_ADDRESS, "地址", "the address", field="address"),
        households=new.households,
        residents=new.residents,
        owner_cards=new.owner_cards,
        profile_version=new.profile.version,
        demonstration=new.demonstration,
        created_at=work.now,
    )
    work.community = community
    await _settle(work, community, new.profile)
    work.record(COMMUNITY_FOUNDED, community)
    return community


async def _settle(work: UnitOfWork, community: int, profile: Profile) -> None:
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


@requires(Permission.KEEP_REGISTER, within=scope_of)
async def enter_buildings(work: UnitOfWork, community: int, names: Sequence[str]) -> list[int]:
    """The ids of the new buildings, which stand behind those that are there. Raises InvalidInput."""
    names = cleaned_doors(names, "buildings")
    await lock_exclusive("community", community)
    taken = await Building.filter(community_id=community).values_list("name", flat=True)
    check_free(names, taken, "buildings")
    buildings = [new_id() for _ in names]
    await Building.bulk_create(
        Building(id=building, community_id=community, name=name, position=position)
        for position, (building, name) in enumerate(zip(buildings, names, strict=True), len(taken))
    )
    work.record(REGISTER_CHANGED, community)
    return buildings


@dataclass(frozen=True, slots=True)
class NewUnit:
    """`area` in hundredths of m²."""

    building: int
    name: str
    kind: UnitKind
    area: int
    status: DeliveryStatus = DeliveryStatus.DELIVERED


@requires(Permission.KEEP_REGISTER, within=scope_of)
async def enter_units(work: UnitOfWork, community: int, new: Sequence[NewUnit]) -> list[int]:
    """The ids of the new units, which are as they are from now on; nobody's, and so the developer's.

    Raises InvalidInput, and NotFound for a building of another community.
    """
    names = cleaned_doors((unit.name for unit in new), "units")
    for index, unit in enumerate(new):
        check_area(unit.area, f"units.{index}.area")
    await lock_exclusive("community", community)
    buildings = await Building.filter(community_id=community).values_list("id", flat=True)
    if not {unit.building for unit in new} <= set(buildings):
        raise NotFound
    taken = await Unit.filter(community_id=community).values_list("building_id", "name")
    check_free([(unit.building, name) for unit, name in zip(new, names, strict=True)], taken, "units")
    units = [new_id() for _ in new]
    await Unit.bulk_create(
        (
            Unit(id=key, community_id=community, building_id=unit.building, name=name, kind=unit.kind)
            for key, unit, name in zip(units, new, names, strict=True)
        ),
        batch_size=BATCH,
    )
    await UnitState.bulk_create(
        (
            UnitState(unit_id=key, since=work.now, area=unit.area, status=unit.status)
            for key, unit in zip(units, new, strict=True)
        ),
        batch_size=BATCH,
    )
    work.record(REGISTER_CHANGED, community)
    return units


@requires(Permission.KEEP_REGISTER, within=scope_of_unit)
async def change_unit(
    work: UnitOfWork,
    unit: int,
    *,
    area: int | None = None,
    status: DeliveryStatus | None = None,
    since: datetime | None = None,
) -> None:
    """A unit is measured anew, sold or handed over, from `since` (None: now) on; what is None stays as it is.

    A roll that was formed, or that should have been, keeps what stood at its opening. Raises InvalidInput
    where `since` lies in the past, or another state begins then.
    """
    (row,) = await Unit.filter(id=unit).values("community_id")
    await lock_exclusive("community", row["community_id"])
    since = since or work.now
    states = await UnitState.filter(unit_id=unit).order_by("since").values("since", "area", "status")
    check_since(since, work.now, [state["since"] for state in states])
    before = next((state for state in reversed(states) if state["since"] < since), None)
    if before is None:
        raise NotFound  # it is not there yet
    area = before["area"] if area is None else area
    check_area(area, "area")
    await UnitState.create(unit_id=unit, since=since, area=area, status=status or before["status"])
    work.record(REGISTER_CHANGED, row["community_id"])


@requires(Permission.APPOINT, within=scope_of)
async def enter_organizations(
    work: UnitOfWork, community: int, new: Sequence[tuple[OrganizationKind, str]]
) -> list[int]:
    """The ids of new organizations of these kinds and names, which stand from now on. Raises InvalidInput."""
    organizations = [new_id() for _ in new]
    await Organization.bulk_create(
        Organization(
            id=organization,
            community_id=community,
            kind=kind,
            name=single_line(name, LONGEST_NAME, "名称", "the name", field=f"organizations.{index}.name"),
            since=work.now,
        )
        for index, (organization, (kind, name)) in enumerate(zip(organizations, new, strict=True))
    )
    work.record(REGISTER_CHANGED, community)
    return organizations


@requires(Permission.SETTLE_PROFILE, within=scope_of)
async def set_public_reading(
    work: UnitOfWork, community: int, *, public: bool, key: str | None = None
) -> None:
    """Whether everybody may read, from now on. What was settled before stays as it was written.

    Raises KeyReused, also where the contrary was settled since.
    """
    await lock_exclusive("community", community)
    version = (await Community.get(id=community).values("profile_version"))["profile_version"]
    settled = await CommunityProfile.get(community_id=community, version=version).values(
        "public_reading", "time_zone", "notice_days", "window_days_least", "window_days_most"
    )
    command = await work.command("setPublicReading", key, community=community, public=public)
    if command.result is not None:
        command.again(same=command.result == community, stands=settled["public_reading"] == public)
        return
    await command.store(community)
    if settled["public_reading"] == public:
        return
    await _settle(work, community, Profile(version + 1, **settled | {"public_reading": public}))
    await Community.filter(id=community).update(profile_version=version + 1)
    work.record(PUBLIC_READING_SET, community)
