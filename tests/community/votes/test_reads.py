from datetime import timedelta
from typing import Any

import pytest
from tortoise.exceptions import DoesNotExist

from community.errors import NotFound
from community.permissions import NOBODY, SYSTEM, Permission, Person
from community.votes.lifecycle import BY_THE_CLOCK, LIFE, VoteStatus, VoteStep
from community.votes.models import Question
from community.votes.reads import (
    OwnEntry,
    ballot_box,
    ballot_row,
    on_roll,
    own_entries,
    questions_of,
    questions_on_roll,
    roll_parties,
    scope_of_vote,
    vote_row,
    votes_by_id,
    votes_page,
)
from community.votes.rules import FollowMajority, Weight
from tests.steps import take

DAY = timedelta(days=1)


async def test_a_vote_is_seen_by_whoever_sees_its_community(poll: Any) -> None:
    vote = await poll.announced()
    for viewer in (poll.estate.owner, poll.estate.tenant, poll.estate.manager, SYSTEM):
        assert set(await votes_by_id(viewer, [vote, 5])) == {vote}
    blind = Person(poll.estate.owner.account, "", poll.estate.owner.roles, frozenset({Permission.OPERATE}))
    for viewer in (poll.estate.stranger, NOBODY, blind):
        assert await votes_by_id(viewer, [vote, 5]) == {}
    assert (await scope_of_vote(vote)).id == poll.estate.community


async def test_the_votes_of_a_public_community_are_seen_by_everybody(poll: Any) -> None:
    vote = await poll.announced()
    await poll.make_public()
    assert set(await votes_by_id(NOBODY, [vote])) == {vote}


async def test_what_is_not_there_is_not_found(database: str) -> None:
    with pytest.raises(NotFound):
        await vote_row(5)
    with pytest.raises(NotFound):
        await scope_of_vote(5)
    with pytest.raises(NotFound):
        await ballot_box(5)
    assert await questions_on_roll(5) == {}
    with pytest.raises(DoesNotExist):
        await ballot_row(None, 5)
    assert await questions_of([5]) == {5: []}
    assert await votes_by_id(SYSTEM, []) == {}


async def test_what_was_settled_at_the_announcement_decides_the_count(poll: Any) -> None:
    plain, following = await poll.announced(), await poll.announced(follow_majority=FollowMajority.ABSTAIN)
    assert (await vote_row(plain)).counting.follow_majority is FollowMajority.RESOLVE
    assert (await vote_row(following)).counting.follow_majority is FollowMajority.ABSTAIN
    assert not (await vote_row(plain)).counting.parking_counts


@pytest.fixture
async def five(poll: Any) -> list[int]:
    """One a day, the last two at the same time."""
    openings = [poll.opens_at + day * DAY for day in (0, 1, 2, 3, 3)]
    return [await poll.announced(opens_at=opens, closes_at=opens + 7 * DAY) for opens in openings]


async def test_pages_go_from_the_newest_opening_to_the_oldest(poll: Any, five: list[int]) -> None:
    community, now = poll.estate.community, poll.announced_at
    walked: list[int] = []
    after = None
    for _ in range(3):
        found = await votes_page(community, now, 2, after)
        walked += [row.id for row in found.rows]
        assert found.more == (len(walked) < 5)
        after = (found.rows[-1].opens_at, found.rows[-1].id)
    assert walked == five[::-1]
    assert (await votes_page(community, now, 2, after)).rows == []
    assert (await votes_page(await poll.build.community(), now, 2, None)).rows == []


@pytest.mark.parametrize("day", [-1, 0, 3, 7, 8, 30])
async def test_the_pages_of_each_status_are_those_that_have_it(poll: Any, five: list[int], day: int) -> None:
    """The status is derived from the moment, and the query must derive it likewise."""
    now = poll.opens_at + day * DAY
    await take(five[2], VoteStep.ANNULLED, at=poll.opens_at)
    rows = (await votes_page(poll.estate.community, now, 100, None)).rows
    assert len(rows) == 5
    for status in VoteStatus:
        found = (await votes_page(poll.estate.community, now, 100, None, [status])).rows
        assert [row.id for row in found] == [row.id for row in rows if row.status(now) is status]
    both = [VoteStatus.OPEN, VoteStatus.ANNULLED]
    found = (await votes_page(poll.estate.community, now, 100, None, both)).rows
    assert [row.id for row in found] == [row.id for row in rows if row.status(now) in both]
    assert (await votes_page(poll.estate.community, now, 100, None, [])).rows == []


def walks_to_every_step() -> list[list[VoteStep]]:
    """From the announcement, a shortest one to each."""
    walks = [[VoteStep.ANNOUNCED]]
    for walk in walks:
        known = {other[-1] for other in walks}
        walks += [[*walk, step] for step in sorted(LIFE.stages[walk[-1]].then - known)]
    return walks


async def test_every_row_is_on_the_page_of_its_status_and_no_other_whatever_a_clock_says(poll: Any) -> None:
    """Counted by a clock that ran ahead, opened by one, annulled at any stage: all that a row can be."""
    for walk in walks_to_every_step():
        await take(await poll.announced(), *walk[1:], at=poll.opens_at - DAY)
    tick = timedelta(microseconds=1)
    edges = [edge + step for edge in (poll.opens_at, poll.closes_at) for step in (-tick, tick * 0, tick)]
    for now in (poll.announced_at, *edges, poll.counted_at):
        rows = (await votes_page(poll.estate.community, now, 100, None)).rows
        assert {row.last_step for row in rows} == set(VoteStep) - {VoteStep.DRAFTED}
        for status in VoteStatus:
            found = (await votes_page(poll.estate.community, now, 100, None, [status])).rows
            assert [row.id for row in found] == [row.id for row in rows if row.status(now) is status], now
        for row in rows:
            assert (await ballot_box(row.id)).status(now) is row.status(now)
            ended = LIFE.status(row.last_step)
            assert ended in BY_THE_CLOCK or row.status(now) is ended


async def test_questions_and_choices_come_in_their_order(poll: Any) -> None:
    one = await poll.announced(
        poll.survey(title="一"), poll.survey(title="二", choices=[("B", "乙"), ("A", "甲")])
    )
    two = await poll.announced()
    found = await questions_of([two, one])
    assert [question.title for question in found[one]] == ["一", "二"]
    assert [(choice.code, choice.label) for choice in found[one][1].choices] == [("B", "乙"), ("A", "甲")]
    assert [question.vote_id for question in found[two]] == [two]
    assert await Question.all().count() == 3


async def test_who_stands_on_a_roll_and_with_what(poll: Any) -> None:
    home, other = await poll.household(10_000), await poll.household(11_000)
    await poll.unit(2_000, owner=home.party)
    vote = await poll.announced()
    assert await roll_parties(vote) == []
    await poll.open(vote)
    listed = await roll_parties(vote)
    assert len(listed) == 3
    assert {home.party, other.party} < set(listed)
    assert listed == await roll_parties(vote)


async def test_the_box_of_a_vote_is_the_vote_as_it_stands(poll: Any) -> None:
    vote = await poll.announced(revisable=True)
    for step in (None, poll.open, poll.closed):
        if step:
            await step(vote)
        box, row = await ballot_box(vote), await vote_row(vote)
        assert (box.vote, box.community, box.roll, box.revisable) == (
            row.id, row.community_id, row.roll_id, row.revisable,
        )  # fmt: skip
        for stage in ("opens_at", "closes_at", "last_step"):
            assert getattr(box, stage) == getattr(row, stage)
    assert box.last_step is VoteStep.COUNTED


async def test_what_is_asked_of_a_ballot_is_what_the_questions_say(poll: Any) -> None:
    surveyed = await poll.announced(
        poll.survey(max_choices=2, accepts_text=True),
        poll.survey(min_choices=0, choices=[("B", "乙"), ("A", "甲")]),
    )
    voted = await poll.opened()
    for vote in (surveyed, voted):
        assert [
            (
                key,
                asked.roll,
                set(asked.terms.choices),
                asked.terms.least,
                asked.terms.most,
                asked.terms.accepts_text,
            )
            for key, asked in (await questions_on_roll(vote)).items()
        ] == [
            (
                row.id,
                row.roll_id,
                {choice.code for choice in row.choices},
                row.min_choices,
                row.max_choices,
                row.accepts_text,
            )
            for row in await poll.questions(vote)
        ]


async def test_who_stands_on_which_of_several_rolls(poll: Any) -> None:
    home, other = await poll.household(), await poll.household()
    vote = await poll.opened()
    late = await poll.household()
    roll, unknown = (await vote_row(vote)).roll_id, 5
    assert await on_roll({roll, unknown, None}, [home.party, late.party]) == {(roll, home.party)}
    assert await on_roll({roll}, [home.party, other.party]) == {(roll, home.party), (roll, other.party)}
    assert await on_roll(set(), [home.party]) == await on_roll({roll}, []) == set()


async def test_an_owner_sees_their_own_entries_and_ballots_only(poll: Any) -> None:
    home, other = await poll.household(10_000), await poll.household(11_000)
    vote = await poll.opened()
    row = await vote_row(vote)
    (name,) = await poll.names_of(home.unit)
    entry = OwnEntry(home.party, (name,), Weight(1, 10_000), may_cast=True, ballot=None, asked=True)
    assert await own_entries(home.viewer, row, poll.during) == [entry]

    ballot = await poll.cast(home.viewer, vote)
    (cast,) = await own_entries(home.viewer, row, poll.during)
    assert cast.ballot == ballot
    (unmoved,) = await own_entries(other.viewer, row, poll.during)
    assert unmoved.ballot is None
    for viewer in (poll.estate.tenant, poll.estate.stranger, poll.estate.owner):
        assert await own_entries(viewer, row, poll.during) == []


async def test_co_owners_see_the_same_ballot_and_who_may_cast(poll: Any) -> None:
    home = await poll.household(members=2)
    await poll.names(home, 0)
    vote = await poll.opened()
    row = await vote_row(vote)
    ballot = await poll.cast(home.members[0], vote)
    entries = [(await own_entries(member, row, poll.during))[0] for member in home.members]
    assert [(entry.party, entry.may_cast, entry.ballot) for entry in entries] == [
        (home.party, True, ballot),
        (home.party, False, ballot),
    ]


async def test_before_the_opening_nobody_stands_on_the_roll(poll: Any) -> None:
    home = await poll.household()
    row = await vote_row(await poll.announced())
    tick = timedelta(microseconds=1)
    assert await own_entries(home.viewer, row, poll.announced_at) == []
    assert await own_entries(home.viewer, row, poll.opens_at - tick) == []
    assert await own_entries(home.viewer, row, poll.opens_at) != []  # and whoever casts now opens it


async def test_a_ballot_is_read_as_it_was_cast(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened(
        poll.survey(max_choices=2, accepts_text=True), poll.survey(accepts_text=True, min_choices=0)
    )
    first, second = await poll.questions(vote)
    answers = [poll.answer(first, "C", "A"), poll.answer(second, text="只有文字")]
    row = await ballot_row(home.viewer.account, await poll.cast(home.viewer, vote, answers=answers))
    assert row.answers is not None
    assert (row.vote_id, row.party_id, row.cast_at) == (vote, home.party, poll.during)
    assert [(answer.question_id, answer.choices, answer.text) for answer in row.answers] == [
        (first.id, ("C", "A"), None),
        (second.id, (), "只有文字"),
    ]
