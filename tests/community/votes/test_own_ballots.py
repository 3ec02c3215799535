"""What somebody sees as their own is what they cast themselves, never what they wrote down for others."""

from datetime import timedelta
from typing import Any

import pytest

from community.permissions import Role
from community.votes.actions import RecordedBallot, record_ballots
from community.votes.casting import Channel
from community.votes.models import Ballot
from community.votes.reads import (
    MOST_OWN,
    MOST_REPLACED,
    ballot_row,
    own_ballots_by_id,
    own_ballots_of,
    own_entries,
    vote_row,
)

MINUTE = timedelta(minutes=1)


async def recorder(poll: Any, home: Any) -> Any:
    """An owner who also works for whoever takes over paper."""
    await poll.build.role(home.viewer.account, poll.estate.community, Role.OPERATOR)
    return await poll.build.viewer(home.viewer.account)


@pytest.mark.parametrize("channel", Channel)
async def test_a_ballot_written_down_for_another_is_not_ones_own(poll: Any, channel: Channel) -> None:
    home, other = await poll.households(2)
    clerk = await recorder(poll, home)
    vote = await poll.opened(poll.survey(), revisable=True)
    answers = await poll.answers(vote, "A")
    await record_ballots(
        clerk, poll.during, vote, [RecordedBallot(other.party, poll.during, answers, channel, "票箱 1-7")]
    )
    row, (ballot,) = await vote_row(vote), await Ballot.filter(vote_id=vote).values("id", "recorded_by_id")
    assert ballot["recorded_by_id"] == clerk.account
    assert await own_ballots_of(clerk, [row], MOST_OWN) == {row: []}
    assert await own_ballots_by_id(clerk, [ballot["id"]], poll.during) == {}
    assert (await ballot_row(clerk.account, ballot["id"])).answers is None
    seen = (await own_ballots_by_id(other.viewer, [ballot["id"]], poll.during))[ballot["id"]]
    assert seen.answers is None, "that it counts, and not how whoever wrote it down marked it"
    changed = await poll.cast(other.viewer, vote, "B", at=poll.during + MINUTE)
    for viewer in (clerk, other.viewer):
        assert (await ballot_row(viewer.account, changed)).replaced == ()
    assert (await ballot_row(other.viewer.account, changed)).answers is not None


async def test_ones_own_paper_that_one_wrote_down_oneself_is_paper(poll: Any) -> None:
    home = await poll.household()
    clerk = await recorder(poll, home)
    vote = await poll.opened(poll.survey(), revisable=True)
    answers = await poll.answers(vote, "A")
    await record_ballots(
        clerk, poll.during, vote, [RecordedBallot(home.party, poll.during, answers, Channel.PAPER, "票箱")]
    )
    row = await vote_row(vote)
    (entry,) = await own_entries(clerk, row, poll.during)
    assert entry.ballot is not None
    assert (await ballot_row(clerk.account, entry.ballot)).answers is None
    cast = await poll.cast(clerk, vote, "B", at=poll.during + MINUTE)
    assert await own_ballots_of(clerk, [row], MOST_OWN) == {row: [cast]}
    assert (await ballot_row(clerk.account, cast)).replaced == ()


async def test_whoever_left_the_party_keeps_what_they_cast(poll: Any) -> None:
    home = await poll.household(members=2)
    vote = await poll.opened()
    cast = await poll.cast(home.viewer, vote)
    await poll.leaves(home, 0, poll.during + MINUTE)
    row, later = await vote_row(vote), poll.during + 2 * MINUTE
    assert await own_ballots_of(home.viewer, [row], 1) == {row: [cast]}
    assert (await own_ballots_by_id(home.viewer, [cast], later))[cast].answers is not None
    assert (await own_ballots_by_id(home.members[1], [cast], later))[cast].answers is None


async def test_of_very_many_changes_only_so_many_are_read(poll: Any) -> None:
    home, other = await poll.household(members=2), await poll.household()
    vote, quiet = [await poll.opened(poll.survey(), revisable=True) for _ in range(2)]
    first = await poll.cast(home.viewer, quiet, "A")
    made = [
        await poll.cast(home.members[n % 3 == 2], vote, "ABC"[n % 3], at=poll.during + n * MINUTE)
        for n in range(MOST_REPLACED + 8)
    ]
    await poll.cast(other.viewer, vote, "A")
    mine = [ballot for n, ballot in enumerate(made) if n % 3 != 2][::-1]
    rows = [await vote_row(vote), await vote_row(quiet)]
    for most in (1, 3, MOST_OWN):
        assert await own_ballots_of(home.viewer, rows, most) == {rows[0]: mine[:most], rows[1]: [first]}
    assert (await ballot_row(home.viewer.account, made[-1])).replaced == tuple(mine[:MOST_REPLACED])
    assert len((await ballot_row(home.members[1].account, made[-1])).replaced) == len(made) // 3 - 1
    assert (await ballot_row(home.viewer.account, made[3])).replaced == (made[1], made[0])
