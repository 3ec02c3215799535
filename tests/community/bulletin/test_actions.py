import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from community.bulletin.actions import correct_notice, publish_notice, withdraw_notice
from community.bulletin.models import Notice
from community.bulletin.reads import (
    NoticeCorrectionRow,
    items_page,
    notice_corrections_of,
    notice_row,
    notices_by_id,
)
from community.bulletin.rules import NoticeKind, NoticeStatus
from community.corrections import MOST_CORRECTIONS
from community.errors import Forbidden, InvalidInput, KeyReused, NotFound, Unauthenticated
from community.permissions import NOBODY, SYSTEM, Role
from community.places.rules import OrganizationKind
from community.signals import Signal
from community.steps import StepRefused
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


# Corrections and withdrawals

HOUR = timedelta(hours=1)


@pytest.fixture
async def water(estate: Any, now: datetime, told: list[Signal]) -> int:
    made = await publish_notice(estate.manager, now, estate.community, **WATER, effective_from=now)
    told.clear()
    return made


async def test_a_correction_keeps_what_was_said_and_who_replaced_it(
    estate: Any, now: datetime, water: int, told: list[Signal]
) -> None:
    at, until = now + HOUR, now + 2 * HOUR
    assert (
        await correct_notice(
            estate.manager, at, water, title=" 停电通知 ", times=(None, until), reason=" 写错了 "
        )
        == water
    )
    row = await notice_row(water)
    assert (row.title, row.body) == ("停电通知", "明早九点起，\n请提前储水。")
    assert (row.effective_from, row.effective_until, row.corrected_at) == (None, until, at)
    assert (row.status, row.withdrawn_at) == (NoticeStatus.PUBLISHED, None)
    assert (await notice_corrections_of([water, 5])) == {
        water: [
            NoticeCorrectionRow(
                water, "停水通知", "明早九点起，\n请提前储水。", now, None, now, at, estate.service, "写错了"
            )
        ],
        5: [],
    }
    (item, _) = (await items_page(estate.community, 10)).rows
    assert (item.kind, item.subject, item.at) == ("NOTICE_CORRECTED", water, at)
    assert told == [Signal("bulletin", estate.community), Signal("board", estate.community)]


async def test_each_correction_shows_what_stood_before_it(estate: Any, now: datetime, water: int) -> None:
    for hour, title in enumerate(("停电", "停气"), start=1):
        await correct_notice(estate.manager, now + hour * HOUR, water, title=title)
    earlier = (await notice_corrections_of([water]))[water]
    assert [(row.title, row.since, row.corrected_at, row.reason) for row in earlier] == [
        ("停电", now + HOUR, now + 2 * HOUR, None),
        ("停水通知", now, now + HOUR, None),
    ]


async def test_a_withdrawn_notice_says_why_and_stays_as_it_was(
    estate: Any, now: datetime, water: int, told: list[Signal]
) -> None:
    at = now + HOUR
    assert await withdraw_notice(estate.manager, at, water, reason=" 改期了 ") == water
    row = (await notices_by_id(estate.owner, [water]))[water]
    assert (row.status, row.title) == (NoticeStatus.WITHDRAWN, "停水通知")
    assert (row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason) == (at, estate.service, "改期了")
    (item, _) = (await items_page(estate.community, 10)).rows
    assert (item.kind, item.subject) == ("NOTICE_WITHDRAWN", water)
    assert told == [Signal("bulletin", estate.community), Signal("board", estate.community)]
    with pytest.raises(StepRefused):
        await withdraw_notice(estate.manager, at, water, reason="改期了")
    with pytest.raises(StepRefused):
        await correct_notice(estate.manager, at, water, title="停电")
    assert await written() == 2


async def test_only_who_signed_it_mends_it_and_the_operator_in_its_name(
    estate: Any, build: Any, now: datetime, water: int
) -> None:
    with pytest.raises(InvalidInput, match="only the organization that signed"):
        await correct_notice(estate.chair, now, water, title="停电")
    with pytest.raises(InvalidInput, match="only the organization that signed"):
        await withdraw_notice(estate.chair, now, water, reason="不对")
    with pytest.raises(Forbidden):
        await correct_notice(estate.owner, now, water, title="停电")
    with pytest.raises(Forbidden):
        await withdraw_notice(estate.owner, now, water, reason="不对")
    with pytest.raises(NotFound):
        await withdraw_notice(estate.stranger, now, water, reason="不对")
    with pytest.raises(Unauthenticated):
        await correct_notice(NOBODY, now, water, title="停电")
    with pytest.raises(NotFound):
        await correct_notice(estate.manager, now, 1, title="停电")
    assert await written() == 1
    colleague = await build.account()
    await build.role(colleague, estate.community, Role.PROPERTY_MANAGER, estate.service)
    await correct_notice(await build.viewer(colleague), now, water, title="停电")
    await withdraw_notice(SYSTEM, now, water, reason="不对")
    assert (await notice_row(water)).withdrawn_by == estate.service


async def test_what_changes_nothing_or_ends_before_it_begins_is_refused(
    estate: Any, now: datetime, water: int
) -> None:
    for same in ({}, {"title": "停水通知 "}, {"times": (now, None)}):
        with pytest.raises(InvalidInput, match="says so already"):
            await correct_notice(estate.manager, now, water, **same)
    with pytest.raises(InvalidInput, match="end after it begins") as refused:
        await correct_notice(estate.manager, now, water, times=(now, now))
    assert refused.value.field == "correction.times.effectiveUntil"
    with pytest.raises(InvalidInput):
        await withdraw_notice(estate.manager, now, water, reason=" ")
    assert await written() == 1


async def test_whoever_corrects_it_too_often_may_only_withdraw_it(
    estate: Any, now: datetime, water: int
) -> None:
    for number in range(MOST_CORRECTIONS):
        await correct_notice(estate.manager, now, water, title=f"{number}")
    with pytest.raises(InvalidInput, match="publish it anew"):
        await correct_notice(estate.manager, now, water, title="停电")
    await withdraw_notice(estate.manager, now, water, reason="重发")
    assert len((await notice_corrections_of([water]))[water]) == MOST_CORRECTIONS


async def test_the_same_key_corrects_and_withdraws_once(estate: Any, now: datetime, water: int) -> None:
    for _ in range(2):
        assert await correct_notice(estate.manager, now, water, title="停电", key="k") == water
    with pytest.raises(KeyReused):
        await correct_notice(estate.manager, now, water, title="停电", times=(None, None), key="k")
    for _ in range(2):
        assert await withdraw_notice(estate.manager, now, water, reason="改期", key="k") == water
    with pytest.raises(KeyReused):
        await withdraw_notice(estate.manager, now, water, reason="不对", key="k")
    assert len((await notice_corrections_of([water]))[water]) == 1


async def test_of_many_who_withdraw_at_once_one_does(estate: Any, now: datetime, water: int) -> None:
    tries = [withdraw_notice(estate.manager, now, water, reason=f"{one}") for one in range(4)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert found.count(water) == 1
    assert sum(isinstance(one, StepRefused) for one in found) == 3
