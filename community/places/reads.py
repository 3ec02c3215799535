"""Communities as a viewer may know of them. One that is not public is invisible to strangers."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from community.database.paging import Page, page
from community.database.rows import Maker, Run, Shape, first_of_each
from community.database.sql import placeholders, select, select_rows
from community.errors import NotFound
from community.permissions import (
    CITY,
    City,
    Permission,
    Person,
    Rights,
    Scope,
    System,
    Viewer,
    belongs_to,
    may,
    may_know,
)
from community.places.models import Community, CommunityProfile
from community.places.rules import LONGEST_SLUG, OrganizationKind, Profile

R = TypeVar("R", bound=tuple[Any, ...])


class OfCommunity(Protocol):
    @property
    def community(self) -> int: ...


C = TypeVar("C", bound=OfCommunity)


class CommunityRow(NamedTuple):
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
    def scope(self) -> Scope:
        return Scope(self.id, self.profile.public_reading, self.demonstration)


class BuildingRow(NamedTuple):
    id: int
    community: int
    name: str
    units: int


class OrganizationRow(NamedTuple):
    id: int
    community: int
    kind: OrganizationKind
    name: str


_COMMUNITY = """
SELECT c.id, c.slug, c.name, c.address, c.households, c.residents, c.owner_cards, c.demonstration,
       p.version, p.public_reading, p.time_zone, p.notice_days, p.window_days_least, p.window_days_most
  FROM community c JOIN community_profile p ON p.community_id = c.id AND p.version = c.profile_version
 WHERE """


async def _rows(condition: str, values: Sequence[Any]) -> list[CommunityRow]:
    """The communities `c` with their profile `p` in force that meet `condition`, SQL of ours."""
    return [
        CommunityRow(
            row["id"], row["slug"], row["name"], row["address"], row["households"], row["residents"],
            row["owner_cards"], bool(row["demonstration"]),
            Profile(
                row["version"], bool(row["public_reading"]), row["time_zone"], row["notice_days"],
                row["window_days_least"], row["window_days_most"],
            ),
        )
        for row in await select(_COMMUNITY + condition, values)
    ]  # fmt: skip


def _among(ids: Collection[int]) -> tuple[str, list[int]]:
    return f"c.id IN ({placeholders(ids)})", list(ids)


async def profiles_of(communities: Sequence[int]) -> dict[tuple[int, int], Profile]:
    """Every version of the profiles of `communities`, by community and version."""
    columns = (
        "version", "public_reading", "time_zone", "notice_days", "window_days_least", "window_days_most",
    )  # fmt: skip
    found = await CommunityProfile.filter(community_id__in=communities).values("community_id", *columns)
    return {(row.pop("community_id"), row["version"]): Profile(**row) for row in found}


_SCOPE = """
SELECT c.id AS id, p.public_reading AS public_reading, c.demonstration AS demonstration
  FROM community c JOIN community_profile p ON p.community_id = c.id AND p.version = c.profile_version
"""


async def _scopes(condition: str, keys: Sequence[int]) -> list[Scope]:
    return [
        Scope(row["id"], bool(row["public_reading"]), bool(row["demonstration"]))
        for row in await select(_SCOPE + condition, keys)
    ]


async def scope_of(community: int) -> Scope:
    """Raises NotFound."""
    return await scope_where("WHERE c.id = ?", community)


async def scope_of_unit(unit: int) -> Scope:
    """Raises NotFound."""
    return await scope_where("WHERE c.id = (SELECT u.community_id FROM unit u WHERE u.id = ?)", unit)


async def scope_or_city(community: int | City) -> Scope:
    """Of actions that belong to a community or to the whole city. Raises NotFound."""
    return await citywide(community) if community is CITY else await scope_of(community)


async def scope_where(condition: str, key: int) -> Scope:
    """The one community `c` that meets `condition`, SQL of ours with one `?`. Raises NotFound."""
    found = await _scopes(condition, [key])
    if not found:
        raise NotFound
    return found[0]


def scope_by(table: str) -> Callable[[int], Awaitable[Scope]]:
    """The read of the scope of a row of `table`, a name of ours, which has its community."""

    async def scope_of_row(key: int) -> Scope:
        return await scope_where(f"JOIN {table} t ON t.community_id = c.id WHERE t.id = ?", key)

    return scope_of_row


async def scopes_of(communities: Collection[int]) -> dict[int, Scope]:
    ids = list(dict.fromkeys(communities))
    scopes = await _scopes(f"WHERE c.id IN ({placeholders(ids)})", ids)
    return {scope.id: scope for scope in scopes if scope.id is not CITY}


_BESIDE = """
SELECT c.id, p.public_reading, c.demonstration, {columns}
  FROM {table} t JOIN community c ON c.id = t.community_id
  JOIN community_profile p ON p.community_id = c.id AND p.version = c.profile_version
 WHERE t.id IN ({ids})
"""


async def permitted_rows(
    viewer: Viewer, permission: Permission, shape: Shape[R], ids: Collection[int]
) -> list[R]:
    """Those of these ids whose community gives the viewer the permission."""
    query = _BESIDE.format(columns=shape.columns, table=shape.table, ids=placeholders(ids))
    rows = await select_rows(query, list(ids))
    scopes = [Scope(row[0], bool(row[1]), bool(row[2])) for row in rows]
    made = shape.all_of(rows, skipped=3)
    return [row for row, scope in zip(made, scopes, strict=True) if may(viewer, permission, scope)]


async def citywide(subject: object) -> Scope:
    """The scope of actions that belong to no single community; for `requires`."""
    return Scope(CITY, public_reading=False)


def _known(viewer: Viewer, rows: Sequence[CommunityRow]) -> list[CommunityRow]:
    return [row for row in rows if may_know(viewer, row.scope)]


async def communities_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, CommunityRow]:
    return {row.id: row for row in _known(viewer, await _rows(*_among(ids)))}


async def communities_by_slug(viewer: Viewer, slugs: Collection[str]) -> dict[str, CommunityRow]:
    likely = [slug for slug in slugs if slug.isprintable() and len(slug) <= LONGEST_SLUG]
    rows = await _rows(f"c.slug IN ({placeholders(likely)})", likely) if likely else []
    return {row.slug: row for row in _known(viewer, rows)}


async def community_by_slug(viewer: Viewer, slug: str) -> CommunityRow | None:
    return (await communities_by_slug(viewer, [slug])).get(slug)


async def communities_page(viewer: Viewer, first: int, after: int | None) -> Page[CommunityRow]:
    """In the order in which they joined."""
    where, values = _that_are_known(viewer)
    if after is not None:
        where, values = f"{where} AND c.id > ?", [*values, after]
    rows = await _rows(f"{where} ORDER BY c.id LIMIT ?", [*values, first + 1])
    return page(_known(viewer, rows), first)


def _that_are_known(viewer: Viewer) -> tuple[str, list[Any]]:
    """As `may_know` says of each: a page is cut before it asks, so that it must leave none out."""
    demonstration = isinstance(viewer, Person | Rights) and viewer.demonstration
    own = [held for held in _held_in(viewer) if belongs_to(viewer, Scope(held, False, demonstration))]
    here, values = ("1 = 1", []) if CITY in own else _among([held for held in own if held is not CITY])
    if demonstration:
        here, values = f"{here} AND c.demonstration = ?", [*values, True]
    return f"(p.public_reading = ? OR ({here}))", [True, *values]


def _held_in(viewer: Viewer) -> Collection[int | City]:
    """Where the viewer holds a role of its own."""
    if isinstance(viewer, System):
        return [CITY]
    return viewer.roles if isinstance(viewer, Person | Rights) else []


async def communities_of(viewer: Viewer) -> list[CommunityRow]:
    """Those in which the viewer has a role of their own, as far as their token may know of it."""
    where, values = _among([held for held in _held_in(viewer) if held is not CITY])
    return [row for row in await _rows(f"{where} ORDER BY c.id", values) if belongs_to(viewer, row.scope)]


def within_known_communities(
    read: Callable[[Collection[int]], Awaitable[Mapping[int, C]]],
) -> Callable[[Viewer, Collection[int]], Awaitable[dict[int, C]]]:
    """Leaves out of a read by ids what belongs to a community of which the viewer may not know."""

    async def known(viewer: Viewer, ids: Collection[int]) -> dict[int, C]:
        rows = await read(ids)
        communities = (
            await communities_by_id(viewer, {row.community for row in rows.values()}) if rows else {}
        )
        return {key: row for key, row in rows.items() if row.community in communities}

    return known


async def all_communities() -> list[int]:
    return [row["id"] for row in await Community.all().order_by("id").values("id")]


def newest_state(unit: str, at: str) -> str:
    """SQL for the `since` of the state that holds at an instant; `unit` and `at` are expressions of ours."""
    return f"(SELECT MAX(b.since) FROM unit_state b WHERE b.unit_id = {unit} AND b.since <= {at})"  # noqa: S608


_buildings = Maker(BuildingRow)
_BUILDINGS = """
SELECT b.id AS id, b.community_id AS community, b.name AS name,
       (SELECT COUNT(*) FROM unit u WHERE u.building_id = b.id) AS units
  FROM building b WHERE """


async def buildings_of(communities: Collection[int]) -> dict[int, list[BuildingRow]]:
    """Of each community, in order."""
    found: dict[int, list[BuildingRow]] = {community: [] for community in communities}
    condition = f"b.community_id IN ({placeholders(communities)}) ORDER BY b.position"
    for row in _buildings(await select_rows(_BUILDINGS + condition, list(communities))):
        found[row.community].append(row)
    return found


async def buildings_by_id(ids: Collection[int]) -> dict[int, BuildingRow]:
    rows = await select_rows(f"{_BUILDINGS} b.id IN ({placeholders(ids)})", list(ids))
    return {row.id: row for row in _buildings(rows)}


_ORGANIZATIONS = Shape(OrganizationRow, "organization", community="community_id")
_ALL = 1_000
"""More parties than a community has."""


async def organizations_of(communities: Collection[int]) -> dict[int, list[OrganizationRow]]:
    """Those that stand, of each community."""
    run = Run("t.id", " AND t.until IS NULL")
    return await first_of_each(_ORGANIZATIONS, "community", communities, _ALL, run)


async def organizations_by_id(ids: Collection[int]) -> dict[int, OrganizationRow]:
    return {row.id: row for row in await _ORGANIZATIONS.with_ids(ids)}
