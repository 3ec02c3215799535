import random
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from community.members.actions import NewParty, enter_owners, transfer_units
from community.permissions import SYSTEM
from community.places.actions import NewUnit, change_unit, enter_units
from community.places.rules import UnitKind
from community.votes import known
from community.votes.actions import mend_totals
from community.votes.known import tallies_of
from community.votes.lifecycle import VoteStep
from community.votes.models import Vote
from community.votes.progress import progress_of, progress_of_many
from community.votes.rules import Silence, Weight
from tests.engines import opened_alone
from tests.steps import take


@pytest.fixture
def summed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The votes that were summed anew."""
    votes: list[int] = []

    async def counting(asked: Any) -> Any:
        votes.extend(asked)
        return await progress_of_many(asked)

    monkeypatch.setattr(known, "progress_of_many", counting)
    return votes


async def test_what_did_not_change_is_not_summed_again(poll: Any, summed: list[int]) -> None:
    (home, other) = await poll.households(2)
    votes = [await poll.opened(), await poll.opened()]
    await poll.cast(home.viewer, votes[0])
    first = await tallies_of(votes)
    assert sorted(summed) == sorted(votes)
    assert await tallies_of(votes) == first
    assert len(summed) == 2
    await poll.cast(other.viewer, votes[0])
    assert (await tallies_of(votes))[votes[0]] == await progress_of(votes[0])
    assert summed[2:] == [votes[0]]


async def test_every_stage_and_every_ballot_is_seen(poll: Any) -> None:
    homes = await poll.households(3)
    vote = await poll.announced(revisable=True)

    async def same() -> None:
        for _ in range(2):
            assert await tallies_of([vote]) == {vote: await progress_of(vote)}

    await same()
    await poll.open(vote)
    await same()
    chance = random.Random(7)  # noqa: S311
    for _ in range(12):
        await poll.cast(chance.choice(homes).viewer, vote)
        await same()
    await poll.closed(vote)
    await same()
    await take(vote, VoteStep.ANNULLED, at=poll.closes_at)
    await same()


async def test_totals_that_were_wrong_are_not_remembered_once_they_are_mended(poll: Any) -> None:
    (home,) = await poll.households(1)
    vote = await poll.opened()
    await poll.cast(home.viewer, vote)
    await poll.tamper("UPDATE total SET heads = heads + 1")
    wrong = await tallies_of([vote])
    await mend_totals(SYSTEM, poll.during, vote)
    assert await tallies_of([vote]) == {vote: await progress_of(vote)} != wrong


async def test_a_roll_that_is_not_frozen_follows_every_change_of_the_register(
    poll: Any, summed: list[int]
) -> None:
    vote, before, found = await poll.announced(), poll.announced_at - timedelta(days=9), list[Weight]()
    community, building = poll.estate.community, poll.estate.building

    async def changed() -> Weight:
        for _ in range(2):
            assert await tallies_of([vote]) == {vote: await progress_of(vote)}
        found.append((await tallies_of([vote]))[vote].eligible)
        return found[-1]

    await changed()
    shop, home = await enter_units(
        SYSTEM,
        before,
        community,
        [NewUnit(building, name, UnitKind.DWELLING, 5_000) for name in ("901室", "902室")],
    )
    await changed()
    accounts = [await poll.build.account() for _ in range(2)]
    first, _ = await enter_owners(
        SYSTEM, before, community, [NewParty([shop], accounts[:1]), NewParty([home], accounts[1:])]
    )
    await changed()
    await transfer_units(SYSTEM, before + timedelta(days=1), first, [home])
    await changed()
    await change_unit(SYSTEM, before + timedelta(days=2), shop, area=6_000)
    await changed()
    steps = [(now.heads - was.heads, now.area - was.area) for was, now in pairwise(found)]
    assert steps == [(0, 10_000), (2, 0), (-1, 0), (0, 1_000)]
    assert summed == [vote] * len(found)


async def test_a_roll_that_is_not_frozen_is_not_read_again_for_what_is_no_register(
    poll: Any, summed: list[int]
) -> None:
    (home,) = await poll.households(1)
    vote, other = await poll.announced(), await poll.opened()
    await tallies_of([vote])
    await poll.cast(home.viewer, other)
    assert await tallies_of([vote]) == {vote: await progress_of(vote)}
    assert summed == [vote]


async def test_where_silence_counts_who_was_served_may_change_it(poll: Any, summed: list[int]) -> None:
    home = await poll.household(10_000)
    vote = await poll.opened()
    await Vote.filter(id=vote).update(silence=Silence.FOLLOW_MAJORITY)
    await tallies_of([vote])
    await poll.serves(vote, home)
    assert await tallies_of([vote]) == {vote: await progress_of(vote)}
    assert summed == [vote, vote]


async def test_what_came_while_it_was_summed_is_not_taken_for_older(
    poll: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its state was read before, its sum after a ballot."""
    (home, other) = await poll.households(2)
    vote = await poll.opened()

    async def meanwhile(asked: Any) -> Any:
        await poll.cast(home.viewer, vote)
        return await progress_of_many(asked)

    monkeypatch.setattr(known, "progress_of_many", meanwhile)
    await tallies_of([vote])
    monkeypatch.undo()
    assert await tallies_of([vote]) == {vote: await progress_of(vote)}
    await poll.cast(other.viewer, vote)
    assert await tallies_of([vote]) == {vote: await progress_of(vote)}


async def test_only_so_many_are_remembered(
    poll: Any, monkeypatch: pytest.MonkeyPatch, summed: list[int]
) -> None:
    monkeypatch.setattr(known.TALLIES, "most", 2)
    votes = [await poll.opened() for _ in range(3)]
    await tallies_of(votes)
    assert len(await tallies_of(votes)) == 3
    assert len(summed) == 4


async def test_what_nobody_asked_for_longest_is_forgotten_first(
    poll: Any, monkeypatch: pytest.MonkeyPatch, summed: list[int]
) -> None:
    monkeypatch.setattr(known.TALLIES, "most", 2)
    asked, forgotten, newest = [await poll.opened() for _ in range(3)]
    for vote in (asked, forgotten, asked, newest):
        await tallies_of([vote])
    summed.clear()
    await tallies_of([asked])
    await tallies_of([newest])
    assert summed == []
    await tallies_of([forgotten])
    assert summed == [forgotten]


async def test_unknown_votes_are_left_out(database: str) -> None:
    assert await tallies_of([5]) == {}


async def test_it_goes_with_the_database(poll: Any, database: str, summed: list[int]) -> None:
    vote = await poll.opened()
    await tallies_of([vote])
    async with opened_alone(database):
        await tallies_of([vote])
    assert summed == [vote, vote]
