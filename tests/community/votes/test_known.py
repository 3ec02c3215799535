import random
from typing import Any

import pytest

from community.votes import known
from community.votes.known import tallies_of
from community.votes.models import Vote
from community.votes.progress import progress_of, progress_of_many
from community.votes.rules import Silence
from tests.engines import opened_alone


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
    await Vote.filter(id=vote).update(annulled_at=poll.closes_at)
    await same()


async def test_a_roll_that_is_not_frozen_is_read_each_time(poll: Any, summed: list[int]) -> None:
    vote = await poll.announced()
    before = (await tallies_of([vote]))[vote].eligible
    await poll.household(5_000)
    assert (await tallies_of([vote]))[vote].eligible.area == before.area + 5_000
    assert summed == [vote, vote]


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
    monkeypatch.setattr(known, "MOST", 2)
    votes = [await poll.opened() for _ in range(3)]
    await tallies_of(votes)
    assert len(await tallies_of(votes)) == 3
    assert len(summed) == 4


async def test_what_nobody_asked_for_longest_is_forgotten_first(
    poll: Any, monkeypatch: pytest.MonkeyPatch, summed: list[int]
) -> None:
    monkeypatch.setattr(known, "MOST", 2)
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
