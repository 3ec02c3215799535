"""A community is founded from nothing, by actions alone: no row is written here, nothing is loaded."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from community.actions import found_community
from community.database.models import JournalRow
from community.errors import Forbidden, InvalidInput, Unauthenticated
from community.members.actions import NewParty, NewRole, enter_owners, give_roles, open_accounts
from community.members.models import OwnerParty
from community.members.reads import person_of, seats_of
from community.members.rules import PartyKind
from community.permissions import CITY, NOBODY, SYSTEM, Role
from community.places.actions import (
    NewCommunity,
    NewUnit,
    enter_buildings,
    enter_organizations,
    enter_units,
)
from community.places.models import Community
from community.places.reads import community_by_slug
from community.places.rules import OrganizationKind, Profile, UnitKind
from community.signals import Signal
from community.votes.actions import NewQuestion, announce_vote, cast_ballot, close_vote, open_vote
from community.votes.casting import Answered, QuestionKind, VoteForm
from community.votes.lifecycle import counted_from
from community.votes.progress import developer_of, progress_of
from community.votes.reads import questions_of
from community.votes.recount import recount
from community.votes.rules import Matter, Outcome, Weight

DAY = timedelta(days=1)
NEW = NewCommunity("spring-lane", "春风里", "萧山区盈丰街道", 2)


async def test_a_community_is_founded_and_votes(database: str, now: datetime) -> None:
    """From an empty database: the city's regulator, an estate, an owner, a vote, a ballot, its count."""
    (office,) = await open_accounts(SYSTEM, now, ["city/regulator"])
    await give_roles(SYSTEM, now, CITY, [NewRole(office, Role.REGULATOR)])
    regulator = await person_of(office, now)

    community = await found_community(regulator, now, NEW)
    (building,) = await enter_buildings(regulator, now, community, ["1幢"])
    sold, _unsold = await enter_units(
        regulator, now, community,
        [NewUnit(building, f"{number}室", UnitKind.DWELLING, 9_000) for number in (101, 102)],
    )  # fmt: skip
    chair, owner = await open_accounts(regulator, now, ["spring-lane/committee", "spring-lane/resident-1"])
    (committee,) = await enter_organizations(
        regulator, now, community, [(OrganizationKind.OWNERS_COMMITTEE, "春风里业委会")]
    )
    await give_roles(regulator, now, community, [NewRole(chair, Role.COMMITTEE, committee)])
    (party,) = await enter_owners(regulator, now, community, [NewParty([sold], [owner])])

    opens, closes = now + 16 * DAY, now + 23 * DAY
    vote = await announce_vote(
        await person_of(chair, now), now, community, convener=committee, title="换水泵", description="",
        form=VoteForm.STATUTORY_LOCAL, opens_at=opens, closes_at=closes,
        questions=[NewQuestion("换水泵", "", QuestionKind.RESOLUTION, Matter.USE_FUND)],
    )  # fmt: skip
    await open_vote(SYSTEM, opens, vote)
    (question,) = (await questions_of([vote]))[vote]
    await cast_ballot(await person_of(owner, opens), opens, vote, answers=[Answered(question.id, ["FOR"])])
    await close_vote(SYSTEM, counted_from(closes), vote)

    progress = await progress_of(vote)
    assert (progress.eligible, progress.participating) == (Weight(2, 18_000), Weight(1, 9_000))
    assert progress.questions[0].tally.outcome is Outcome.NO_QUORUM
    assert await recount(vote) == []
    assert [seat.party for seat in await seats_of(owner, community, now)] == [party]


async def test_it_is_founded_with_its_profile_and_its_developer(
    database: str, now: datetime, told: list[Signal]
) -> None:
    profile = Profile(version=1, public_reading=True, notice_days=20)
    community = await found_community(SYSTEM, now, NewCommunity("a-b", " 春 风里", "萧山", 3, 5, 2, profile))
    row = await community_by_slug(NOBODY, "a-b")
    assert row is not None
    assert (row.id, row.name, row.households, row.residents, row.owner_cards) == (
        community,
        "春 风里",
        3,
        5,
        2,
    )
    assert row.profile == profile
    assert not row.demonstration
    (developer,) = await OwnerParty.all()
    assert developer.id == await developer_of(community)
    assert (developer.community_id, developer.kind) == (community, PartyKind.DEVELOPER)  # type: ignore[attr-defined]
    assert told == [Signal("reading", community), Signal("board", community)]
    rows = await JournalRow.all().values("community_id", "fact", "subject_kind", "subject")
    assert [tuple(row.values()) for row in rows] == [(community, "COMMUNITY_FOUNDED", "Community", community)]


@pytest.mark.parametrize("slug", ["", "Spring", "春", "a b", "-a", "a-", "a--b", "a/b", "a" * 65])
async def test_a_slug_stands_in_an_address(database: str, now: datetime, slug: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await found_community(SYSTEM, now, NewCommunity(slug, "春风里", "萧山", 3))
    assert caught.value.field == "slug"
    assert not await Community.exists()


async def test_a_slug_is_given_once(database: str, now: datetime) -> None:
    await found_community(SYSTEM, now, NEW)
    with pytest.raises(InvalidInput):
        await found_community(SYSTEM, now, NEW)
    assert await OwnerParty.all().count() == 1


async def test_only_the_city_founds(estate: Any, build: Any, now: datetime) -> None:
    for somebody in (estate.chair, estate.manager, estate.owner):
        with pytest.raises(Forbidden):
            await found_community(somebody, now, NEW)
    with pytest.raises(Unauthenticated):
        await found_community(NOBODY, now, NEW)
    account = await build.account()
    await build.role(account, None, Role.REGULATOR)
    here = await build.viewer(account)
    made_up = replace(here, demonstration=True)
    with pytest.raises(Forbidden):
        await found_community(made_up, now, NEW)
    await found_community(here, now, NEW)
