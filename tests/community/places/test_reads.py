"""A community that is not public does not exist for strangers."""

from datetime import datetime
from typing import Any

import pytest

from community.database.rows import Shape
from community.errors import NotFound
from community.permissions import CITY, GRANTS, NOBODY, SYSTEM, Permission, Person, Role, Scope, Viewer
from community.places.models import Building, Community, CommunityProfile
from community.places.reads import (
    OrganizationRow,
    all_communities,
    buildings_by_id,
    buildings_of,
    citywide,
    communities_by_id,
    communities_of,
    communities_page,
    community_by_slug,
    organizations_by_id,
    organizations_of,
    permitted_rows,
    scope_of,
    scope_where,
    scopes_of,
)
from community.places.rules import OrganizationKind

ORGANIZATIONS = Shape(OrganizationRow, "organization", community="community_id")


async def settle(community: int, version: int, now: datetime, *, public: bool) -> None:
    """Adds a version of the settings and puts it into force."""
    await CommunityProfile.create(
        community_id=community, version=version, public_reading=public, time_zone="Asia/Shanghai",
        notice_days=7, window_days_least=5, window_days_most=60, since=now,
    )  # fmt: skip
    await Community.filter(id=community).update(profile_version=version)


async def slug_of(community: int) -> str:
    return str((await Community.get(id=community)).slug)


async def seen(viewer: Viewer) -> list[int]:
    return [row.id for row in (await communities_page(viewer, 100, None)).rows]


async def test_members_see_their_community_and_strangers_see_nothing(estate: Any) -> None:
    slug = await slug_of(estate.community)
    for viewer in (estate.owner, estate.tenant, estate.chair, SYSTEM):
        row = await community_by_slug(viewer, slug)
        assert row is not None
        assert row.id == estate.community
        assert row.scope == Scope(estate.community, public_reading=False)
        assert await communities_by_id(viewer, [estate.community]) == {row.id: row}
        assert estate.community in await seen(viewer)
    for viewer in (estate.stranger, NOBODY):
        assert await community_by_slug(viewer, slug) is None
        assert await communities_by_id(viewer, [estate.community]) == {}
        assert estate.community not in await seen(viewer)


async def test_nothing_comes_of_a_name_or_number_that_does_not_exist(database: str) -> None:
    assert await community_by_slug(SYSTEM, "no-such-estate") is None
    assert await communities_by_id(SYSTEM, [5]) == {}
    assert await scopes_of([5]) == {}
    with pytest.raises(NotFound):
        await scope_of(5)
    with pytest.raises(NotFound):
        await scope_where("WHERE c.households > ?", 0)


async def test_a_public_community_is_seen_by_everybody(estate: Any, build: Any) -> None:
    public = await build.community(public=True)
    for viewer in (NOBODY, estate.stranger, estate.owner):
        assert public in await seen(viewer)
        assert await community_by_slug(viewer, await slug_of(public))
    assert await scope_of(public) == Scope(public, public_reading=True)


async def test_the_version_in_force_decides(estate: Any, build: Any, now: datetime) -> None:
    await settle(estate.community, 2, now, public=True)
    assert estate.community in await seen(NOBODY)
    row = await community_by_slug(NOBODY, await slug_of(estate.community))
    assert row is not None
    assert (row.profile.version, row.profile.notice_days) == (2, 7)

    await settle(estate.community, 3, now, public=False)
    assert estate.community not in await seen(NOBODY)
    assert await community_by_slug(NOBODY, await slug_of(estate.community)) is None


@pytest.mark.parametrize(
    ("public", "current", "last"),
    [(False, 1, 2), (False, 3, 3), (False, 3, 4), (True, 2, 2), (True, 2, 3), (True, 3, 5)],
)
async def test_no_other_version_decides_whatever_its_number(
    estate: Any, now: datetime, public: bool, current: int, last: int
) -> None:
    """Made private a community is private, though its other versions, from the second on, say otherwise."""
    community = estate.community
    for version in range(2, last + 1):
        await settle(community, version, now, public=public == (version == current))
    await Community.filter(id=community).update(profile_version=current)

    slug, expected = await slug_of(community), Scope(community, public_reading=public)
    assert await scope_of(community) == expected
    assert await scope_where("WHERE c.id = ?", community) == expected
    assert await scopes_of([community]) == {community: expected}
    for viewer, may_see in ((NOBODY, public), (estate.stranger, public), (estate.owner, True)):
        assert (await community_by_slug(viewer, slug) is not None) is may_see
        assert bool(await communities_by_id(viewer, [community])) is may_see
        assert (await seen(viewer)).count(community) == may_see
        within = await permitted_rows(viewer, Permission.READ_BULLETIN, ORGANIZATIONS, [estate.committee])
        assert len(within) == may_see
    (own,) = await communities_of(estate.owner)
    assert (own.id, own.profile.version, own.scope) == (community, current, expected)


async def test_a_role_of_the_city_sees_every_community(estate: Any, build: Any) -> None:
    account = await build.account()
    await build.role(account, None, Role.REGULATOR)
    regulator = await build.viewer(account)
    assert regulator.roles == {CITY: {Role.REGULATOR}}
    assert await seen(regulator) == await all_communities()


async def test_a_token_without_the_scope_to_read_sees_the_public_ones(estate: Any, build: Any) -> None:
    public = await build.community(public=True)
    for roles in (estate.owner.roles, {CITY: frozenset({Role.INTEGRATOR})}):
        narrow = Person(1, roles=roles, scopes=frozenset({Permission.OPERATE}))
        found = await communities_page(narrow, 1, None)
        assert [row.id for row in found.rows] == [public]
        assert not found.more


async def test_pages_follow_each_other_without_gaps(build: Any, database: str) -> None:
    made = [await build.community(public=index != 2) for index in range(5)]
    public = [community for community in made if community != made[2]]
    walked: list[int] = []
    after = None
    for _ in range(4):
        found = await communities_page(NOBODY, 1, after)
        walked += [row.id for row in found.rows]
        assert found.more == (walked != public)
        after = walked[-1]
    assert walked == public
    assert (await communities_page(NOBODY, 0, None)).rows == []
    assert not (await communities_page(NOBODY, 4, None)).more


async def test_ones_own_communities_are_those_with_a_role_of_ones_own(estate: Any, build: Any) -> None:
    await build.community(public=True)
    assert [row.id for row in await communities_of(estate.owner)] == [estate.community]
    assert await communities_of(NOBODY) == []
    assert await communities_of(SYSTEM) == []


async def test_buildings_come_in_their_order_with_the_number_of_their_units(estate: Any, build: Any) -> None:
    first = await build.building(estate.community)
    await Building.filter(id=first).update(position=0)
    for _ in range(2):
        await build.unit(estate.community, first)
    empty = await build.building(estate.community)
    await Building.filter(id=empty).update(position=2)
    elsewhere = await build.building(await build.community())

    rows = (await buildings_of([estate.community]))[estate.community]
    assert [(row.id, row.units) for row in rows] == [(first, 2), (estate.building, 1), (empty, 0)]
    by_id = await buildings_by_id([first, elsewhere, 5])
    assert {key: row.units for key, row in by_id.items()} == {first: 2, elsewhere: 0}


async def test_organizations_that_stand_are_listed_and_former_ones_still_have_a_name(
    estate: Any, build: Any, now: datetime
) -> None:
    former = await build.organization(estate.community, OrganizationKind.MANAGEMENT_COMMITTEE, until=now)
    standing = (await organizations_of([estate.community]))[estate.community]
    assert [row.id for row in standing] == [estate.committee, estate.service]
    assert standing[0].kind is OrganizationKind.OWNERS_COMMITTEE
    assert set(await organizations_by_id([former, estate.committee])) == {former, estate.committee}


async def test_what_belongs_to_no_community_stands_in_the_city() -> None:
    assert await citywide("whatever") == Scope(CITY, public_reading=False)


async def test_a_demonstration_account_of_the_city_finds_what_is_made_up_or_public(
    estate: Any, build: Any
) -> None:
    public, made_up, hidden = await build.community(public=True), await build.community(), estate.community
    await Community.filter(id=made_up).update(demonstration=True)
    for roles in ({CITY: frozenset({Role.REGULATOR})}, {CITY: frozenset({Role.OPERATOR})}):
        demo = Person(1, roles=roles, demonstration=True)
        assert {row.id for row in (await communities_page(demo, 10, None)).rows} == {public, made_up}
        assert set(await communities_by_id(demo, [public, made_up, hidden])) == {public, made_up}
    here = Person(
        1, roles=dict.fromkeys([hidden, made_up, public], frozenset({Role.OWNER})), demonstration=True
    )
    assert {row.id for row in (await communities_page(here, 10, None)).rows} == {public, made_up}
    assert [row.id for row in await communities_of(here)] == [made_up]
    assert (await scope_of(made_up)).demonstration
    assert not (await scope_of(hidden)).demonstration


async def test_pages_of_a_demonstration_account_leave_none_out(build: Any, database: str) -> None:
    made = [await build.community(public=index == 4) for index in range(6)]
    await Community.filter(id__in=[made[1], made[5]]).update(demonstration=True)
    demo = Person(1, roles={CITY: frozenset({Role.REGULATOR})}, demonstration=True)
    first = await communities_page(demo, 2, None)
    assert ([row.id for row in first.rows], first.more) == ([made[1], made[4]], True)
    rest = await communities_page(demo, 2, made[4])
    assert ([row.id for row in rest.rows], rest.more) == ([made[5]], False)


async def test_ones_own_communities_are_not_told_to_a_token_that_may_read_in_none(
    estate: Any, build: Any
) -> None:
    """Also not of a public one: where somebody lives is their own affair."""
    public = await build.community(public=True)
    roles = dict.fromkeys([estate.community, public], frozenset({Role.OWNER}))
    for scope in Permission:
        narrow = Person(1, roles=roles, scopes=frozenset({scope}))
        found = {row.id for row in await communities_of(narrow)}
        allowed = scope is Permission.READ_LEDGER or GRANTS[scope].reads or scope is Permission.READ_BULLETIN
        assert found == (set(roles) if allowed else set()), scope


async def test_a_token_for_the_ledger_knows_its_community(estate: Any) -> None:
    narrow = Person(1, roles=estate.owner.roles, scopes=frozenset({Permission.READ_LEDGER}))
    slug = (await Community.get(id=estate.community)).slug
    assert await community_by_slug(narrow, slug)
    assert [row.id for row in (await communities_page(narrow, 5, None)).rows] == [estate.community]
    assert set(await communities_by_id(narrow, [estate.community])) == {estate.community}
