"""Whom a vote and its questions ask, from the announcement to the count: the community, buildings, units."""

from typing import Any

import pytest

from community.errors import InvalidInput, NotFound
from community.votes.casting import NotOnRoll
from community.votes.models import Contest, Question, VoteScopePart
from community.votes.progress import progress_of
from community.votes.reads import own_entries, scopes_by_id, vote_row
from community.votes.recount import recount
from community.votes.rules import Matter, Weight
from community.votes.scope import WHOLE, VoteScope, of_buildings, of_units


@pytest.fixture
async def towers(poll: Any) -> list[int]:
    return [await poll.build.building(poll.estate.community) for _ in range(3)]


async def test_a_scope_of_two_buildings_and_a_chosen_unit_has_their_roll(
    poll: Any, towers: list[int]
) -> None:
    homes = [
        await poll.household(10_000 + 1_000 * index, building=tower) for index, tower in enumerate(towers)
    ]
    chosen = await poll.household(20_000, building=towers[2])
    scope = VoteScope(frozenset(towers[:2]), frozenset({chosen.unit}))
    vote = await poll.announced(poll.resolution(), poll.resolution(scope=of_units(chosen.unit)), scope=scope)
    expected = [Weight(3, 10_000 + 11_000 + 20_000), Weight(1, 20_000)]

    async def eligible() -> list[Weight]:
        progress = await progress_of(vote)
        assert progress.eligible == expected[0]
        return [question.tally.eligible for question in progress.questions]

    assert await eligible() == expected
    late = await own_entries(chosen.viewer, await vote_row(vote), poll.during)
    assert [(entry.party, entry.asked) for entry in late] == [(chosen.party, True)]
    assert await own_entries(homes[2].viewer, await vote_row(vote), poll.during) == []
    await poll.open(vote)
    assert await eligible() == expected
    whole, part = await poll.questions(vote)
    await poll.refuses(poll.cast(homes[2].viewer, vote), NotOnRoll)
    await poll.cast(homes[0].viewer, vote, answers=[poll.answer(whole, "FOR")])
    await poll.refuses(
        poll.cast(homes[1].viewer, vote, answers=[poll.answer(whole, "FOR"), poll.answer(part, "FOR")]),
        NotOnRoll,
    )
    await poll.cast(chosen.viewer, vote)
    await poll.closed(vote)
    assert await recount(vote) == []


async def test_scopes_are_rows_and_equal_ones_of_a_vote_are_one(poll: Any, towers: list[int]) -> None:
    one, two = of_buildings(towers[0]), of_buildings(*towers[1:])
    vote = await poll.announced(
        poll.resolution(), poll.resolution(scope=one), poll.resolution(scope=one), poll.resolution(scope=two)
    )
    row = await vote_row(vote)
    questions = await poll.questions(vote)
    asked = [question.scope_id for question in questions]
    assert asked == [row.scope_id, asked[1], asked[1], asked[3]]
    assert await scopes_by_id(asked) == {asked[0]: WHOLE, asked[1]: one, asked[3]: two}
    assert await VoteScopePart.all().count() == 4
    assert [question.building_id for question in questions] == [None, towers[0], towers[0], None]
    assert row.building_id is None
    assert (await vote_row(await poll.announced(scope=one))).building_id == towers[0]


async def test_a_question_asks_nobody_whom_the_vote_does_not_ask(poll: Any, towers: list[int]) -> None:
    home = await poll.household(building=towers[0])
    for scope in (of_buildings(towers[1]), of_buildings(*towers), of_units(home.unit), WHOLE):
        question = poll.resolution(scope=scope)
        await poll.refuses(poll.announced(question, scope=of_buildings(towers[2])), InvalidInput)
    await poll.announced(poll.resolution(scope=of_units(home.unit)), scope=of_buildings(towers[0]))
    elsewhere = await poll.build.community()
    tower = await poll.build.building(elsewhere)
    unit = await poll.build.unit(elsewhere, tower)
    for scope in (of_buildings(tower), of_units(unit), of_units(5)):
        await poll.refuses(poll.announced(scope=scope), NotFound)


async def test_the_candidates_of_a_committee_are_one_contest(poll: Any) -> None:
    candidates = [poll.resolution(matter=Matter.ELECT_COMMITTEE, title=name) for name in "甲乙丙"]
    vote = await poll.announced(poll.resolution(), *candidates, poll.resolution())
    contests = await Contest.filter(vote_id=vote).order_by("position").values_list("position", flat=True)
    assert contests == [0, 1, 4]
    of_each = (
        await Question.filter(vote_id=vote).order_by("position").values_list("contest__position", flat=True)
    )
    assert of_each == [0, 1, 1, 1, 4]
