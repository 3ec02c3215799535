import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from community.bulletin.actions import publish_notice
from community.bulletin.models import Notice
from community.bulletin.reads import items_page, notices_by_id
from community.bulletin.rules import NoticeKind
from community.errors import Forbidden, InvalidInput, KeyReused, NotFound, Unauthenticated
from community.permissions import NOBODY, SYSTEM, Role
from community.places.rules import OrganizationKind
from community.signals import Signal
from tests.facts import written

WATER = {"kind": NoticeKind.NOTICE, "title": " 停水通知 ", "body": "明早九点起，\r\n请提前储水。\n"}


async def test_the_property_service_publishes_a_notice_in_its_own_name(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    off, on = now + timedelta(hours=23), now + timedelta(hours=30)
    made = await publish_notice(
        estate.manager, now, estate.community, **WATER, effective_from=off, effective_until=on
    )
    row = (await notices_by_id(estate.owner, [made]))[made]
    assert (row.title, row.body, row.kind) == ("停水通知", "明早九点起，\n请提前储水。", NoticeKind.NOTICE)
    assert (row.effective_from, row.effective_until, row.published_at) == (off, on, now)
    assert (row.community, row.organization) == (estate.community, estate.service)
    (item,) = (await items_page(estate.community, 10)).rows
    assert (item.kind, item.subject) == ("NOTICE_PUBLISHED", made)
    assert told == [Signal("bulletin", estate.community), Signal("board", estate.community)]


async def test_nobody_publishes_in_the_name_of_others_but_the_operator(estate: Any, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="in the name of others"):
        await publish_notice(estate.manager, now, estate.community, **WATER, organization=estate.committee)
    with pytest.raises(InvalidInput, match="in whose name"):
        await publish_notice(SYSTEM, now, estate.community, **WATER)
    made = await publish_notice(SYSTEM, now, estate.community, **WATER, organization=estate.committee)
    assert (await notices_by_id(estate.owner, [made]))[made].organization == estate.committee


async def test_a_role_that_is_over_or_does_not_publish_lends_no_name(
    estate: Any, build: Any, now: datetime
) -> None:
    """The oldest role that publishes lends its name; not one that ended, begins later or counts ballots."""
    account, community = await build.account(), estate.community
    for role, times in [
        (Role.COMMITTEE, {"until": now}),
        (Role.COMMITTEE, {"since": now + timedelta(seconds=1)}),
        (Role.CLERK, {}),
    ]:
        other = await build.organization(community, OrganizationKind.RESIDENTS_COMMITTEE)
        await build.role(account, community, role, other, **times)
    branch = await build.organization(community, OrganizationKind.PARTY_BRANCH)
    await build.role(account, community, Role.PARTY_BRANCH, branch, since=now)
    elsewhere = await build.community()
    await build.role(
        account, elsewhere, Role.COMMITTEE, await build.organization(elsewhere, OrganizationKind.PARTY_BRANCH)
    )
    made = await publish_notice(await build.viewer(account), now, community, **WATER)
    assert (await Notice.get(id=made).values("organization_id"))["organization_id"] == branch


async def test_the_same_key_gives_the_first_notice_again(estate: Any, build: Any, now: datetime) -> None:
    first = await publish_notice(estate.chair, now, estate.community, **WATER, key="k")
    assert await publish_notice(estate.chair, now, estate.community, **WATER, key="k") == first
    assert await publish_notice(estate.manager, now, estate.community, **WATER, key="k") != first
    elsewhere = await build.community()
    await build.role(
        estate.chair.account,
        elsewhere,
        Role.COMMITTEE,
        await build.organization(elsewhere, OrganizationKind.OWNERS_COMMITTEE),
    )
    with pytest.raises(KeyReused):
        await publish_notice(await build.viewer(estate.chair.account), now, elsewhere, **WATER, key="k")


async def test_a_retry_beside_its_first_try_gives_one_notice(estate: Any, now: datetime) -> None:
    tries = (publish_notice(estate.chair, now, estate.community, **WATER, key="k") for _ in range(5))
    assert len(set(await asyncio.gather(*tries))) == 1
    assert await Notice.all().count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"title": ""}, {"title": "题" * 121}, {"body": " "}, {"body": "文" * 20_001}, {"body": "\x07"}],
)
async def test_a_wrong_notice_is_not_published(
    estate: Any, now: datetime, wrong: dict[str, Any], told: list[Signal]
) -> None:
    with pytest.raises(InvalidInput):
        await publish_notice(estate.chair, now, estate.community, **WATER | wrong)
    with pytest.raises(InvalidInput):
        await publish_notice(
            estate.chair, now, estate.community, **WATER, effective_from=now, effective_until=now
        )
    assert await Notice.all().count() == 0
    assert await written() == 0
    assert not told


async def test_who_may_not_publish(estate: Any, now: datetime) -> None:
    for viewer, refusal in (
        (estate.owner, Forbidden),
        (estate.tenant, Forbidden),
        (estate.stranger, NotFound),
    ):
        with pytest.raises(refusal):
            await publish_notice(viewer, now, estate.community, **WATER)
    with pytest.raises(Unauthenticated):
        await publish_notice(NOBODY, now, estate.community, **WATER)
    with pytest.raises(NotFound):
        await publish_notice(estate.chair, now, 1, **WATER)
    assert await Notice.all().count() == 0
