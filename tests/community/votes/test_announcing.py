"""A vote is announced as the law has it, or not at all."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from community.bulletin.reads import items_page
from community.database.due import due_now
from community.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthenticated,
)
from community.permissions import NOBODY, SYSTEM, Role
from community.places.models import Community, CommunityProfile
from community.places.rules import OrganizationKind
from community.signals import Signal
from community.votes.actions import (
    CLOSE,
    OPEN,
    announce_vote,
)
from community.votes.casting import QuestionKind, VoteForm
from community.votes.lifecycle import VoteStatus, VoteStep
from community.votes.reads import vote_row
from community.votes.rules import Matter, Silence
from community.votes.scope import of_buildings

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


async def kinds(community: int) -> list[str]:
    return [item.kind for item in (await items_page(community, 100)).rows]


async def test_an_announced_vote_stands_as_it_was_announced(poll: Any, told: list[Signal]) -> None:
    vote = await poll.announced(
        poll.resolution(title="续聘", description="三年"),
        poll.resolution(title="用维修资金", matter=Matter.USE_FUND),
    )
    row = await vote_row(vote)
    assert (row.title, row.form, row.convener_id) == ("表决", VoteForm.STATUTORY_LOCAL, poll.estate.committee)
    assert (row.announced_at, row.opens_at, row.closes_at) == (
        poll.announced_at,
        poll.opens_at,
        poll.closes_at,
    )
    assert (row.last_step, row.steps, row.roll_id, row.profile_version) == (VoteStep.ANNOUNCED, 1, None, 1)
    assert row.status(poll.announced_at) is VoteStatus.ANNOUNCED
    first, second = await poll.questions(vote)
    assert (first.title, first.description, first.matter) == ("续聘", "三年", Matter.ENGAGE_PROVIDER)
    assert [choice.code for choice in first.choices] == ["FOR", "AGAINST", "ABSTAIN"]
    assert (second.title, second.matter) == ("用维修资金", Matter.USE_FUND)

    assert await kinds(poll.estate.community) == ["VOTE_ANNOUNCED"]
    assert told == [Signal("bulletin", poll.estate.community), Signal("board", poll.estate.community)]
    assert [(due.job, due.subject, due.at) for due in await due_now(poll.counted_at)] == [
        (OPEN, vote, poll.opens_at),
        (CLOSE, vote, poll.counted_at),
    ]
    assert await due_now(poll.opens_at - TICK) == []


async def test_an_unlawful_announcement_is_refused(poll: Any) -> None:
    midnight = datetime.fromisoformat("2026-06-04T00:00:00+08:00")
    wrong = [
        {"opens_at": midnight - TICK},  # 14 days of the calendar in Hangzhou
        {"closes_at": poll.opens_at + 5 * DAY - TICK},
        {"closes_at": poll.opens_at + 60 * DAY + TICK},
        {"form": VoteForm.CONSULTATION},
        {"silence": Silence.FOLLOW_MAJORITY},
        {"questions": ()},
        {"title": "题" * 121},
        {"title": " \u3000"},
        {"description": "说" * 10_001},
    ]
    for changed in wrong:
        await poll.refuses(poll.announced(**changed), InvalidInput)
    for lawful in (
        {"opens_at": midnight, "closes_at": midnight + 60 * DAY},
        {"closes_at": poll.opens_at + 5 * DAY},
    ):
        await poll.announced(**lawful)


async def test_the_settings_in_force_at_the_announcement_decide(poll: Any) -> None:
    await CommunityProfile.create(
        community_id=poll.estate.community, version=2, public_reading=False, time_zone="Asia/Shanghai",
        notice_days=17, window_days_least=5, window_days_most=60, since=poll.announced_at,
    )  # fmt: skip
    first = await poll.announced()
    await Community.filter(id=poll.estate.community).update(profile_version=2)
    with pytest.raises(InvalidInput, match="17 days"):
        await poll.announced()
    second = await poll.announced(opens_at=poll.opens_at + DAY)
    assert [(await vote_row(vote)).profile_version for vote in (first, second)] == [1, 2]


async def test_conveners_and_buildings_are_the_communitys_own(poll: Any) -> None:
    elsewhere = await poll.build.community()
    building = await poll.build.building(elsewhere)
    committee = await poll.build.organization(elsewhere, OrganizationKind.OWNERS_COMMITTEE)
    for changed in (
        {"convener": committee},
        {"convener": 5},
        {"scope": of_buildings(building)},
        {"questions": [poll.resolution(scope=of_buildings(building))]},
    ):
        await poll.refuses(poll.announced(**changed), NotFound)


@pytest.mark.parametrize(
    "changed",
    [
        {"max_choices": 2},
        {"kind": QuestionKind.SURVEY, "choices": [("FOR", "好"), ("B", "差")]},
        {"title": " "},
    ],
)
async def test_a_resolution_is_answered_once_and_a_survey_decides_nothing(
    poll: Any, changed: dict[str, Any]
) -> None:
    await poll.refuses(poll.announced(poll.resolution(**changed)), InvalidInput)


@pytest.mark.parametrize(
    "changed",
    [
        {"choices": []},
        {"choices": [("A", "好"), ("A", "差")]},
        {"choices": [("A", "好"), ("B", "好 ")]},
        {"choices": [("A" * 40, "好"), ("B", "差")]},
        {"choices": [("", "好"), ("B", "差")]},
        {"title": "题" * 201},
        {"description": "说" * 10_001},
        {"min_choices": 2},
        {"min_choices": -1},
        {"max_choices": 4},
        {"min_choices": 0, "max_choices": 0},
    ],
)
async def test_a_survey_that_nobody_could_answer_is_refused(poll: Any, changed: dict[str, Any]) -> None:
    await poll.refuses(poll.announced(poll.survey(**changed)), InvalidInput)


async def test_a_vote_of_one_building_asks_nothing_of_another(poll: Any) -> None:
    other = await poll.build.building(poll.estate.community)
    job = poll.announced(poll.resolution(scope=of_buildings(other)), scope=of_buildings(poll.estate.building))
    await poll.refuses(job, InvalidInput)


async def test_who_may_announce(poll: Any, build: Any) -> None:
    estate = poll.estate
    terms = poll.terms()
    for viewer in (estate.owner, estate.tenant, estate.manager):
        job = announce_vote(viewer, poll.announced_at, estate.community, **terms)
        await poll.refuses(job, Forbidden)
    job = announce_vote(estate.stranger, poll.announced_at, estate.community, **terms)
    await poll.refuses(job, NotFound)
    job = announce_vote(NOBODY, poll.announced_at, estate.community, **terms)
    await poll.refuses(job, Unauthenticated)
    await poll.refuses(announce_vote(SYSTEM, poll.announced_at, 5, **terms), NotFound)
    grid = await build.staff(estate.community, Role.GRID_WORKER, None)
    assert await announce_vote(grid, poll.announced_at, estate.community, **terms)
