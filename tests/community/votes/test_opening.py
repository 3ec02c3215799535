"""At the opening the roll is formed, once, and nothing moves it afterwards."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from community.bulletin.reads import items_page
from community.errors import (
    Forbidden,
    NotFound,
    Unauthenticated,
)
from community.members.actions import transfer_units
from community.members.models import OwnerParty, Ownership
from community.members.rules import PartyKind
from community.permissions import NOBODY, SYSTEM
from community.places.actions import change_unit
from community.places.models import UnitState
from community.places.rules import DeliveryStatus, UnitKind
from community.signals import Signal
from community.votes.actions import (
    close_vote,
    open_vote,
)
from community.votes.casting import Answered, NotOnRoll
from community.votes.lifecycle import VoteNotOpen, VoteStep
from community.votes.models import (
    Roll,
    RollEntry,
    RollUnit,
)
from community.votes.progress import progress_of
from community.votes.reads import own_entries_of, vote_row
from community.votes.recount import recount
from community.votes.rules import Matter, Outcome, Weight
from community.votes.scope import of_buildings
from tests.steps import when

TICK = timedelta(microseconds=1)
A_SHED = Weight(1, 9_000)
"""The estate's own unit belongs to nobody, and so to the developer."""


async def kinds(community: int) -> list[str]:
    return [item.kind for item in (await items_page(community, 100)).rows]


async def roll_of(vote: int) -> dict[int, Weight]:
    rows = await RollEntry.filter(roll_id=(await vote_row(vote)).roll_id)
    return {row.party_id: Weight(row.heads, row.area) for row in rows}


async def test_a_vote_opens_at_its_time_and_not_a_moment_before(poll: Any, told: list[Signal]) -> None:
    vote = await poll.announced()
    await poll.refuses(open_vote(SYSTEM, poll.opens_at - TICK, vote), VoteNotOpen)
    told.clear()
    await open_vote(SYSTEM, poll.opens_at, vote)
    assert await when(vote, VoteStep.OPENED) == poll.opens_at
    assert told == [
        Signal("tally", vote),
        Signal("bulletin", poll.estate.community),
        Signal("board", poll.estate.community),
    ]
    assert await kinds(poll.estate.community) == ["VOTE_OPENED", "VOTE_ANNOUNCED"]


async def test_a_vote_opens_once(poll: Any, told: list[Signal]) -> None:
    vote = await poll.announced(poll.resolution(), poll.resolution(scope=of_buildings(poll.estate.building)))
    told.clear()
    await asyncio.gather(*(open_vote(SYSTEM, poll.opens_at, vote) for _ in range(6)))
    await open_vote(SYSTEM, poll.during, vote)
    assert await Roll.filter(vote=vote).count() == 2
    assert told == [
        Signal("tally", vote),
        Signal("bulletin", poll.estate.community),
        Signal("board", poll.estate.community),
    ]
    assert await when(vote, VoteStep.OPENED) == poll.opens_at


async def test_a_head_is_an_owner_party_however_many_units(poll: Any) -> None:
    single = await poll.household(8_000)
    pair = await poll.household(9_500, members=2)
    several = await poll.household(10_000)
    await poll.unit(12_050, owner=several.party)
    vote = await poll.opened()
    roll = await roll_of(vote)
    developer = await OwnerParty.get(kind=PartyKind.DEVELOPER, community_id=poll.estate.community)
    assert roll == {
        single.party: Weight(1, 8_000),
        pair.party: Weight(1, 9_500),
        several.party: Weight(1, 22_050),
        developer.id: A_SHED,
    }
    row = await Roll.get(id=(await vote_row(vote)).roll_id)
    assert (row.heads, row.area, row.frozen_at) == (4, 48_550, poll.opens_at)
    assert (await progress_of(vote)).eligible == Weight(4, 48_550)


async def test_what_is_unsold_or_undelivered_is_the_developers_one_head(poll: Any) -> None:
    developer = await poll.developer()
    buyer = await poll.household(10_000, status=DeliveryStatus.UNDELIVERED)
    owner = await poll.household(11_000)
    await poll.unit(12_000, owner=owner.party, status=DeliveryStatus.UNDELIVERED)
    await poll.unit(13_000, status=DeliveryStatus.UNSOLD)
    await poll.unit(14_000, owner=developer.party)
    vote = await poll.opened()
    assert await roll_of(vote) == {
        owner.party: Weight(1, 11_000),
        developer.party: Weight(1, 9_000 + 10_000 + 12_000 + 13_000 + 14_000),
    }
    with pytest.raises(NotOnRoll):
        await poll.cast(buyer.viewer, vote)
    await poll.cast(developer.viewer, vote)
    assert (await progress_of(vote)).participating == Weight(1, 58_000)


async def test_what_nobody_owns_is_the_developers_in_every_vote(poll: Any) -> None:
    developer = (await poll.developer()).party
    first, second = await poll.opened(), await poll.opened()
    assert await roll_of(first) == await roll_of(second) == {developer: A_SHED}


async def test_an_opening_writes_nothing_of_members_and_places(poll: Any) -> None:
    async def parties_and_units() -> tuple[int, int]:
        return await OwnerParty.all().count(), await UnitState.all().count()

    before = await parties_and_units()
    await poll.opened()
    assert await parties_and_units() == before


@pytest.mark.parametrize("counts", [False, True])
async def test_parking_counts_only_where_the_rules_say_so(poll: Any, counts: bool) -> None:
    both = await poll.household(9_000)
    await poll.unit(1_250, owner=both.party, kind=UnitKind.PARKING)
    driver = await poll.household(1_300, kind=UnitKind.PARKING)
    vote = await poll.opened(parking_counts=counts)
    roll = await roll_of(vote)
    assert roll[both.party] == Weight(1, 10_250 if counts else 9_000)
    assert (driver.party in roll) == counts
    if counts:
        await poll.cast(driver.viewer, vote)
    else:
        with pytest.raises(NotOnRoll):
            await poll.cast(driver.viewer, vote)


async def test_a_buildings_question_has_its_own_denominator(poll: Any) -> None:
    tower = await poll.build.building(poll.estate.community)
    inside = await poll.household(10_000, building=tower)
    across = await poll.household(11_000)
    await poll.unit(5_000, owner=across.party, building=tower)
    outside = await poll.household(12_000)
    vote = await poll.opened(
        poll.resolution(), poll.resolution(matter=Matter.USE_FUND, scope=of_buildings(tower))
    )
    whole, part = await poll.questions(vote)

    assert await RollEntry.filter(roll_id=part.roll_id).count() == 2
    await poll.cast(inside.viewer, vote)
    await poll.cast(across.viewer, vote)
    await poll.refuses(poll.cast(outside.viewer, vote), NotOnRoll)
    await poll.cast(outside.viewer, vote, answers=[Answered(whole.id, ["FOR"])])

    progress = await progress_of(vote)
    assert progress.eligible == Weight(4, 47_000)
    everybody, tower_only = (question.tally for question in progress.questions)
    assert (everybody.eligible, everybody.agreeing) == (Weight(4, 47_000), Weight(3, 38_000))
    assert (tower_only.eligible, tower_only.agreeing) == (Weight(2, 15_000), Weight(2, 15_000))
    await poll.closed(vote)
    assert [question.tally.outcome for question in (await progress_of(vote)).questions] == [
        Outcome.ADOPTED
    ] * 2
    assert await recount(vote) == []


async def test_a_vote_of_one_building_has_that_buildings_roll(poll: Any) -> None:
    tower = await poll.build.building(poll.estate.community)
    inside = await poll.household(10_000, building=tower)
    outside = await poll.household(12_000)
    vote = await poll.opened(scope=of_buildings(tower))
    assert await roll_of(vote) == {inside.party: Weight(1, 10_000)}
    assert [question.building_id for question in await poll.questions(vote)] == [tower]
    with pytest.raises(NotOnRoll):
        await poll.cast(outside.viewer, vote)


async def sell(unit: int, buyer: int, at: datetime) -> None:
    await transfer_units(SYSTEM, at, buyer, [unit])


async def test_after_the_opening_nothing_moves_the_roll(poll: Any) -> None:
    seller, buyer = await poll.household(10_000), await poll.household(11_000)
    vote = await poll.opened()
    roll, eligible = await roll_of(vote), (await progress_of(vote)).eligible
    units = await RollUnit.all().order_by("id").values()

    await sell(seller.unit, buyer.party, poll.opens_at + TICK)
    await change_unit(SYSTEM, poll.opens_at + TICK, buyer.unit, area=99_999, status=DeliveryStatus.UNSOLD)
    newcomer = await poll.household(50_000)

    assert await roll_of(vote) == roll
    assert await RollUnit.all().order_by("id").values() == units
    with pytest.raises(NotOnRoll):
        await poll.cast(newcomer.viewer, vote)
    await poll.cast(seller.viewer, vote)
    await poll.cast(buyer.viewer, vote)
    progress = await progress_of(vote)
    assert progress.eligible == eligible
    assert progress.participating == Weight(2, 21_000)
    await poll.closed(vote)
    assert await recount(vote) == []


async def test_who_buys_before_the_opening_votes(poll: Any) -> None:
    seller, buyer = await poll.household(10_000), await poll.household(11_000)
    vote = await poll.announced()
    await sell(seller.unit, buyer.party, poll.opens_at)
    await open_vote(SYSTEM, poll.opens_at, vote)
    roll = await roll_of(vote)
    assert roll[buyer.party] == Weight(1, 21_000)
    assert seller.party not in roll


async def test_a_late_timer_changes_nobodys_vote(poll: Any) -> None:
    seller, buyer = await poll.household(10_000), await poll.household(11_000)
    vote = await poll.announced()
    await sell(seller.unit, buyer.party, poll.opens_at + TICK)
    await open_vote(SYSTEM, poll.during, vote)
    assert (await roll_of(vote))[seller.party] == Weight(1, 10_000)


async def test_a_late_timer_reads_the_roll_as_it_was_at_the_opening(poll: Any) -> None:
    """Whoever bought, sold, came or went since then."""
    seller, buyer = await poll.household(10_000), await poll.household(11_000)
    first, second = await poll.household(12_000), await poll.household(13_000)
    vote = await poll.announced()
    await sell(first.unit, buyer.party, poll.opens_at)  # at the opening: the buyer's
    await sell(seller.unit, buyer.party, poll.opens_at + TICK)
    await Ownership.filter(unit_id=second.unit).update(until=poll.during - TICK)  # nobody's by now
    await open_vote(SYSTEM, poll.during, vote)
    maker = await OwnerParty.get(kind=PartyKind.DEVELOPER, community_id=poll.estate.community)
    roll = {
        seller.party: Weight(1, 10_000),
        buyer.party: Weight(1, 23_000),
        second.party: Weight(1, 13_000),
        maker.id: A_SHED,
    }
    assert await roll_of(vote) == roll
    late = await poll.announced()
    await close_vote(SYSTEM, poll.counted_at + timedelta(days=9), late)  # neither timer came
    assert await roll_of(late) == roll


@pytest.mark.parametrize("by_ballot", [False, True])
async def test_what_is_measured_or_handed_over_after_the_opening_changes_nobodys_vote(
    poll: Any, by_ballot: bool
) -> None:
    """Before a late opening, by the timer or by the first ballot."""
    measured, taken_back = await poll.household(10_000), await poll.household(11_000)
    waiting = await poll.household(12_000, status=DeliveryStatus.UNDELIVERED)
    vote = await poll.announced()
    await change_unit(SYSTEM, poll.opens_at, measured.unit, area=10_500)  # at the opening: it counts
    late = poll.opens_at + TICK
    await change_unit(SYSTEM, late, measured.unit, area=99_999)
    await change_unit(SYSTEM, late, taken_back.unit, status=DeliveryStatus.UNSOLD)
    await change_unit(SYSTEM, late, waiting.unit, status=DeliveryStatus.DELIVERED)
    await poll.household(50_000, since=late)
    entries = await own_entries_of(taken_back.viewer, [await vote_row(vote)], poll.during)
    assert [entry.weight for (own,) in entries.values() for entry in [own]] == [Weight(1, 11_000)]
    assert await own_entries_of(waiting.viewer, [await vote_row(vote)], poll.during) == {
        await vote_row(vote): []
    }

    if by_ballot:
        await poll.cast(taken_back.viewer, vote)
    else:
        await open_vote(SYSTEM, poll.during, vote)

    assert await roll_of(vote) == {
        measured.party: Weight(1, 10_500),
        taken_back.party: Weight(1, 11_000),
        (await poll.developer()).party: Weight(1, A_SHED.area + 12_000),
    }
    with pytest.raises(NotOnRoll):
        await poll.cast(waiting.viewer, vote)


async def test_the_first_ballot_opens_the_box_if_the_timer_is_late(poll: Any, told: list[Signal]) -> None:
    homes = await poll.households(4)
    vote = await poll.announced()
    told.clear()
    await asyncio.gather(*(poll.cast(home.viewer, vote, at=poll.opens_at) for home in homes))
    assert await poll.sequences(vote) == [1, 2, 3, 4]
    assert await Roll.filter(vote=vote).count() == 1
    assert told.count(Signal("bulletin", poll.estate.community)) == 1
    await open_vote(SYSTEM, poll.during, vote)
    assert await when(vote, VoteStep.OPENED) == poll.opens_at


async def test_only_the_operator_opens_and_closes(poll: Any) -> None:
    vote = await poll.announced()
    for action in (open_vote, close_vote):
        for viewer in (poll.estate.chair, poll.estate.owner):
            await poll.refuses(action(viewer, poll.closes_at, vote), Forbidden)
        await poll.refuses(action(poll.estate.stranger, poll.closes_at, vote), NotFound)
        await poll.refuses(action(NOBODY, poll.closes_at, vote), Unauthenticated)
        await poll.refuses(action(SYSTEM, poll.closes_at, 5), NotFound)
