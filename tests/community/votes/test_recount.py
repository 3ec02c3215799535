"""Whatever was altered past the rules of the house, the recount finds it."""

import re
from datetime import timedelta
from typing import Any

import pytest

from community.votes.models import Vote
from community.votes.recount import Uncounted, closed_votes, recount, uncounted_votes

TICK = timedelta(microseconds=1)


@pytest.fixture
async def vote(poll: Any) -> int:
    """Closed: five of six households voted, one of them FOR and later AGAINST, on two questions."""
    tower = await poll.build.building(poll.estate.community)
    homes = [*await poll.households(5), await poll.household(10_000, building=tower)]
    vote = await poll.opened(poll.resolution(), poll.resolution(), revisable=True)
    for home, choice in zip(homes, ("FOR", "FOR", "FOR", "AGAINST", "ABSTAIN"), strict=False):
        await poll.cast(home.viewer, vote, choice)
    await poll.cast(homes[0].viewer, vote, "AGAINST")
    await poll.closed(vote)
    return int(vote)


async def test_an_honest_count_has_no_differences(poll: Any, vote: int) -> None:
    open_one = await poll.opened()
    assert await closed_votes() == [vote]
    assert await recount(vote) == []
    assert await recount(open_one) != []  # it has no closing count yet


async def test_what_no_recount_can_look_at_yet_is_told_apart(poll: Any, vote: int) -> None:
    """By the moment, as the status is; what was counted or annulled waits for nothing."""
    announced, opened, annulled = await poll.announced(), await poll.opened(), await poll.opened()
    await Vote.filter(id=annulled).update(annulled_at=poll.during)
    both = [(one, poll.closes_at) for one in sorted((announced, opened))]
    assert await uncounted_votes(poll.announced_at) == Uncounted(2, 0, [])
    assert await uncounted_votes(poll.opens_at) == Uncounted(0, 2, [])
    assert await uncounted_votes(poll.closes_at - TICK) == Uncounted(0, 2, [])
    assert await uncounted_votes(poll.closes_at) == Uncounted(0, 0, both)
    await poll.closed(opened)
    assert await uncounted_votes(poll.counted_at) == Uncounted(0, 0, [(announced, poll.closes_at)])


PLANTED = {
    "an outcome turned round": (
        "UPDATE question_result SET outcome = 'ADOPTED'",
        "written .*ADOPTED.*counted",
    ),
    "a head too many": (
        "UPDATE question_result SET participating_heads = participating_heads + 1",
        "written",
    ),
    "0.01 m² too few": ("UPDATE question_result SET agreeing_area = agreeing_area - 1", "written"),
    "a later number of ballots": ("UPDATE question_result SET sequence = 7", "written"),
    "a result gone": ("DELETE FROM question_result", r"written \[\]"),
    "an opposing mark made an abstention": (
        "UPDATE ballot_choice SET choice = 'ABSTAIN' WHERE choice = 'AGAINST'",
        "question .*: written .*AGAINST",
    ),
    "a ballot turned round": (
        "UPDATE ballot_choice SET choice = 'FOR' WHERE choice = 'AGAINST'",
        "written",
    ),
    "an answer gone": (
        "DELETE FROM ballot_choice WHERE id IN (SELECT c.id FROM ballot_choice c JOIN ballot b"
        " ON b.id = c.ballot_id WHERE b.sequence = 4 LIMIT 1)",
        "written",
    ),
    "a second answer to a question": (
        "INSERT INTO ballot_choice (id, ballot_id, question_id, choice)"
        " SELECT 1, ballot_id, question_id, 'ABSTAIN' FROM ballot_choice"
        " WHERE choice = 'FOR' AND ballot_id IN (SELECT ballot_id FROM counting WHERE sequence > 2) LIMIT 1",
        "may not mark ABSTAIN, FOR",
    ),
    "a choice that was never offered": (
        "UPDATE ballot_choice SET choice = 'YES' WHERE choice = 'ABSTAIN'",
        "may not mark YES",
    ),
    "a choice no longer offered": ("UPDATE choice SET code = 'NONE' WHERE code = 'ABSTAIN'", "may not mark"),
    "a ballot given to another party": (
        "UPDATE ballot SET party_id = (SELECT party_id FROM ballot WHERE sequence = 2) WHERE sequence = 3",
        "should count",
    ),
    "a ballot of somebody who is not on the roll": (
        "UPDATE ballot SET party_id = (SELECT id FROM owner_party WHERE id NOT IN"
        " (SELECT party_id FROM roll_entry) LIMIT 1) WHERE sequence = 3",
        "should count",
    ),
    "a ballot declared invalid": (
        "UPDATE ballot SET validity = 'INVALID' WHERE sequence = 2",
        "should count None",
    ),
    "a ballot gone": ("UPDATE ballot SET sequence = 9 WHERE sequence = 6", "number 9 out of order"),
    "a ballot after the close": (
        "UPDATE ballot SET cast_at = (SELECT closes_at FROM vote) WHERE sequence = 5",
        "number 5 cast outside the window",
    ),
    "a ballot added after the count": (
        "INSERT INTO ballot (id, vote_id, party_id, sequence, channel, cast_at, validity)"
        " SELECT 1, vote_id, party_id, 7, channel, cast_at, validity FROM ballot WHERE sequence = 6",
        "should count 1",
    ),
    "a pointer moved back": (
        "UPDATE counting SET ballot_id = (SELECT id FROM ballot WHERE sequence = 1) WHERE sequence = 6",
        "should count",
    ),
    "a pointer gone": (
        "DELETE FROM counting WHERE sequence = 4",
        "counts None",
    ),
    "a larger flat on the roll": (
        "UPDATE roll_entry SET area = area + 1 WHERE area = 9001",
        "not the sums of their units",
    ),
    "a larger flat in the register of the roll": (
        "UPDATE roll_unit SET area = area + 1 WHERE area = 9001",
        "not the sums of their units",
    ),
    "a smaller denominator": ("UPDATE roll SET heads = heads - 1", "total is not the sum"),
    "an elector struck off": (
        "DELETE FROM roll_entry WHERE party_id = (SELECT party_id FROM ballot WHERE sequence = 3)",
        "may not mark",
    ),
    "the roll of another building": (
        "UPDATE roll SET building_id = (SELECT MAX(id) FROM building)",
        "does not use the rolls",
    ),
    "a roll gone": ("UPDATE roll SET vote = 1", "does not use the rolls"),
    "another matter": ("UPDATE question SET matter = 'CONSULTATION'", "written"),
}


@pytest.mark.parametrize(("statement", "found"), PLANTED.values(), ids=list(PLANTED))
async def test_every_planted_difference_is_found(poll: Any, vote: int, statement: str, found: str) -> None:
    await poll.tamper(statement)
    differences = await recount(vote)
    assert differences
    assert any(re.search(found, difference) for difference in differences), differences
    assert all(difference.startswith(f"vote {vote}: ") for difference in differences)
