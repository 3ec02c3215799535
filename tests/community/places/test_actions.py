"""Public reading is settled by a new version of the profile; the old ones stay as they were written."""

import asyncio
import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from community.database import journal
from community.database.models import Change
from community.errors import Forbidden, NotFound, Unauthenticated
from community.permissions import NOBODY, SYSTEM, Permission, Person, Role
from community.places.actions import set_public_reading
from community.places.models import Community, CommunityProfile
from community.places.reads import communities_page, community_by_slug, scope_of
from community.signals import Signal, Topic

DAY = timedelta(days=1)


async def versions(community: int) -> list[tuple[int, bool]]:
    rows = await CommunityProfile.filter(community_id=community).order_by("version")
    return [(row.version, row.public_reading) for row in rows]


async def seen_by_strangers(community: int) -> tuple[bool, bool, bool]:
    """Whether they may, by each way of asking."""
    slug = (await Community.get(id=community)).slug
    listed = {row.id for row in (await communities_page(NOBODY, 100, None)).rows}
    found = await community_by_slug(NOBODY, slug)
    return (await scope_of(community)).public_reading, community in listed, found is not None


async def test_it_begins_and_ends_and_every_read_follows(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    assert await seen_by_strangers(estate.community) == (False,) * 3
    await set_public_reading(estate.chair, now, estate.community, public=True)
    assert await seen_by_strangers(estate.community) == (True,) * 3
    await set_public_reading(SYSTEM, now + DAY, estate.community, public=False)
    assert await seen_by_strangers(estate.community) == (False,) * 3
    assert await versions(estate.community) == [(1, False), (2, True), (3, False)]
    assert told == [Signal(Topic.READING, estate.community)] * 2
    assert {change.community_id for change in await Change.all()} == {estate.community}  # type: ignore[attr-defined]
    _, signals = await journal.signals_after(0)
    assert signals == told


async def test_all_else_is_taken_over(estate: Any, build: Any, now: datetime) -> None:
    community = await build.community(time_zone="Asia/Urumqi")
    await CommunityProfile.create(
        community_id=community, version=2, public_reading=False, time_zone="Asia/Urumqi", notice_days=7,
        window_days_least=6, window_days_most=33, since=now,
    )  # fmt: skip
    await Community.filter(id=community).update(profile_version=2)
    await set_public_reading(SYSTEM, now + DAY, community, public=True)
    newest = await CommunityProfile.filter(community_id=community, version=3).values()
    assert len(newest) == 1
    assert (newest[0]["time_zone"], newest[0]["notice_days"]) == ("Asia/Urumqi", 7)
    assert (newest[0]["window_days_least"], newest[0]["window_days_most"]) == (6, 33)
    assert newest[0]["since"] == now + DAY


async def test_what_is_settled_already_changes_nothing(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    await set_public_reading(estate.chair, now, estate.community, public=False)
    assert await versions(estate.community) == [(1, False)]
    assert (await journal.head(), told) == (0, [])


async def test_several_at_once_take_turns(estate: Any, now: datetime) -> None:
    actions = (
        set_public_reading(SYSTEM, now, estate.community, public=public)
        for public in (True, True, False, True)
    )
    await asyncio.gather(*actions)
    found = await versions(estate.community)
    assert [version for version, _ in found] == list(range(1, len(found) + 1))
    assert all(public != before for (_, before), (_, public) in itertools.pairwise(found))
    assert (await scope_of(estate.community)).public_reading == found[-1][1]


async def test_who_may_settle_it(estate: Any, build: Any, now: datetime) -> None:
    grid = await build.staff(estate.community, Role.GRID_WORKER, None)
    chair = estate.chair
    narrow = Person(chair.account, "", chair.roles, frozenset({Permission.PUBLISH_NOTICE}))
    for viewer, refusal in [
        (NOBODY, Unauthenticated),
        (estate.owner, Forbidden),
        (estate.manager, Forbidden),
        (grid, Forbidden),
        (narrow, Forbidden),
        (estate.stranger, NotFound),
    ]:
        with pytest.raises(refusal):
            await set_public_reading(viewer, now, estate.community, public=True)
    with pytest.raises(NotFound):
        await set_public_reading(SYSTEM, now, 5, public=True)
    assert await versions(estate.community) == [(1, False)]
    standing_in = await build.staff(estate.community, Role.MANAGEMENT_COMMITTEE, None)
    await set_public_reading(standing_in, now, estate.community, public=True)
    assert (await scope_of(estate.community)).public_reading
