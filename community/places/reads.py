"""Communities as a viewer may know of them. One that is not public is invisible to strangers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from tortoise.expressions import Q
from tortoise.functions import Count
from tortoise.queryset import QuerySet

from community.database.paging import Page, page
from community.database.sql import marks, select
from community.errors import NotFound
from community.permissions import CITY, Place, Viewer, belongs_to, may_know
from community.places.models import Building, Community, CommunityProfile, Organization, Unit
from community.places.rules import LONGEST_SLUG, OrganizationKind, Profile


@dataclass(frozen=True, slots=True)
class CommunityRow:
    id: int
    slug: str
    name: str
    address: str
    households: int
    residents: int | None
    owner_cards: int | None
    demonstration: bool
    profile: Profile

    @property
    def place(self) -> Place:
        return Place(self.id, self.profile.public_reading, self.demonstration)


@dataclass(frozen=True, slots=True)
class BuildingRow:
    id: int
    name: str
    units: int


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    id: int
    kind: OrganizationKind
    name: str


async def _rows(query: QuerySet[Community]) -> list[CommunityRow]:
    columns = (
        "id", "slug", "name", "address", "households", "residents", "owner_cards", "demonstration",
        "profile_version",
    )  # fmt: skip
    found: list[dict[str, Any]] = await query.values(*columns)
    profiles = await profiles_of([row["id"] for row in found])
    return [CommunityRow(profile=profiles[row["id"], row.pop("profile_version")], **row) for row in found]


async def profiles_of(communities: Sequence[int]) -> dict[tuple[int, int], Profile]:
    """Every version of the profiles of `communities`, by community and version."""
    columns = (
        "version", "public_reading", "time_zone", "notice_days", "window_days_least", "window_days_most",
    )  # fmt: skip
    found = await CommunityProfile.filter(community_id__in=communities).values("community_id", *columns)
    return {(row.pop("community_id"), row["version"]): Profile(**row) for row in found}


_PLACE = """
SELECT c.id AS id, p.public_reading AS public_reading, c.demonstration AS demonstration
  FROM community c JOIN community_profile p ON p.community_id = c.id AND p.version = c.profile_version
"""


async def _places(condition: str, keys: Sequence[int]) -> list[Place]:
    return [
        Place(row["id"], bool(row["public_reading"]), bool(row["demonstration"]))
        for row in await select(_PLACE + condition, keys)
    ]


async def place_of(community: int) -> Place:
    """Raises NotFound."""
    return await place_where("WHERE c.id = ?", community)


async def place_where(condition: str, key: int) -> Place:
    """The one community `c` that meets `condition`, SQL of ours with one `?`. Raises NotFound."""
    found = await _places(condition, [key])
    if not found:
        raise NotFound
    return found[0]


async def places_of(communities: Collection[int]) -> dict[int, Place]:
    return {
        place.id: place for place in await _places(f"WHERE c.id IN ({marks(communities)})", list(communities))
    }


async def the_city(subject: object) -> Place:
    """Where deeds stand that belong to no single community; for `requires`."""
    return Place(CITY, public_reading=False)


def _known(viewer: Viewer, rows: Sequence[CommunityRow]) -> list[CommunityRow]:
    return [row for row in rows if may_know(viewer, row.place)]


async def communities_by_id(viewer: Viewer, ids: Sequence[int]) -> dict[int, CommunityRow]:
    return {row.id: row for row in _known(viewer, await _rows(Community.filter(id__in=ids)))}


async def community_by_slug(viewer: Viewer, slug: str) -> CommunityRow | None:
    if not slug.isprintable() or len(slug) > LONGEST_SLUG:
        return None  # nothing that a database would even look for
    known = _known(viewer, await _rows(Community.filter(slug=slug)))
    return known[0] if known else None


async def communities_page(viewer: Viewer, first: int, after: int | None) -> Page[CommunityRow]:
    """In the order in which they joined."""
    query = Community.filter(await _that_are_known(viewer))
    if after is not None:
        query = query.filter(id__gt=after)
    return page(_known(viewer, await _rows(query.order_by("id").limit(first + 1))), first)


async def _that_are_known(viewer: Viewer) -> Q:
    """As `may_know` says of each: a page is cut before it asks, so that it must leave none out."""
    own = [held for held in viewer.roles if belongs_to(viewer, Place(held, False, viewer.demonstration))]
    if CITY in own and not viewer.demonstration:
        return Q()
    here = Q() if CITY in own else Q(id__in=own)
    if viewer.demonstration:
        here = Q(here, demonstration=True)
    return Q(here, Q(id__in=await _public_ids()), join_type=Q.OR)


async def _public_ids() -> list[int]:
    return [place.id for place in await _places("WHERE p.public_reading = ?", [True])]


async def communities_of(viewer: Viewer) -> list[CommunityRow]:
    """Those in which the viewer has a role of their own, as far as their token may know of it."""
    rows = await _rows(Community.filter(id__in=list(viewer.roles)).order_by("id"))
    return [row for row in rows if belongs_to(viewer, row.place)]


async def all_communities() -> list[int]:
    return [row["id"] for row in await Community.all().order_by("id").values("id")]


async def buildings_of(community: int) -> list[BuildingRow]:
    rows = await Building.filter(community_id=community).order_by("position").values("id", "name")
    sizes = (
        await Unit.filter(community_id=community)
        .annotate(units=Count("id"))
        .group_by("building_id")
        .values("building_id", "units")
    )
    units = {row["building_id"]: row["units"] for row in sizes}
    return [BuildingRow(row["id"], row["name"], units.get(row["id"], 0)) for row in rows]


async def buildings_by_id(ids: Sequence[int]) -> dict[int, BuildingRow]:
    found = await Building.filter(id__in=ids).values("community_id")
    rows = [
        row for community in {row["community_id"] for row in found} for row in await buildings_of(community)
    ]
    return {row.id: row for row in rows if row.id in ids}


async def organizations_of(community: int) -> list[OrganizationRow]:
    rows = (
        await Organization.filter(community_id=community, until=None)
        .order_by("id")
        .values("id", "kind", "name")
    )
    return [OrganizationRow(**row) for row in rows]


async def organizations_by_id(ids: Sequence[int]) -> dict[int, OrganizationRow]:
    rows = await Organization.filter(id__in=ids).values("id", "kind", "name")
    return {row["id"]: OrganizationRow(**row) for row in rows}
