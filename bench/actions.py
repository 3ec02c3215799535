"""Times the count, a tally read and ballots cast, without any server."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from api.clock import utc_now
from bench.demonstration import SLUG, residents
from bench.round import round_of
from community.database.engine import opened
from community.members.actions import open_session
from community.members.reads import viewer_of
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Person
from community.places.reads import community_by_slug
from community.votes.actions import cast_ballot
from community.votes.casting import Answered, VoteForm
from community.votes.lifecycle import VoteStatus
from community.votes.progress import progress_of
from community.votes.reads import VoteRow, questions_of, votes_page
from community.votes.rules import CountingRules, Matter, Sums, Weight, count

VOTERS = 20
"""resident-1 to -20, who have not cast in the open votes."""


async def _milliseconds(times: int, action: Callable[[], Awaitable[object]]) -> float:
    """The median of one action."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        await action()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


async def _open_vote() -> VoteRow:
    community = await community_by_slug(SYSTEM, SLUG)
    assert community is not None  # noqa: S101 - the demonstration has it
    page = await votes_page(community.id, utc_now(), 20, None, [VoteStatus.OPEN])
    return next(row for row in page.rows if row.form is not VoteForm.CONSULTATION)


async def _residents() -> list[Person]:
    viewers = []
    for name in await residents(VOTERS):
        secret = await open_session(
            SYSTEM, utc_now(), name, kind=SessionKind.TOKEN, lifetime=timedelta(hours=1)
        )
        viewer = await viewer_of(secret, utc_now())
        assert viewer is not None  # noqa: S101 - it was just opened
        viewers.append(viewer)
    return viewers


async def actions(url: str) -> list[tuple[str, str]]:
    """What each takes, on the demonstration in a migrated database."""
    async with opened(url):
        vote = await _open_vote()
        progress = await progress_of(vote.id)
        return [
            ("the count of one question, from sums", f"{await _counting():.1f} µs"),
            (
                f"a tally of {progress.participating.heads} ballots, read",
                f"{await _milliseconds(50, lambda: progress_of(vote.id)):.1f} ms",
            ),
            *await round_of(vote.id),
            *await _casting(vote),
        ]


async def _counting() -> float:
    sums = Sums(Weight(1652, 17_948_627), {"FOR": Weight(742, 8_097_346), "AGAINST": Weight(214, 2_461_892)})

    async def a_thousand() -> None:
        for _ in range(1000):
            count(Matter.USE_FUND, CountingRules(), sums)

    return await _milliseconds(5, a_thousand)


async def _casting(vote: VoteRow) -> list[tuple[str, str]]:
    questions = (await questions_of([vote.id]))[vote.id]
    answers = [Answered(question.id, ("FOR",)) for question in questions]
    voters = iter(await _residents())

    async def one_ballot() -> None:
        await cast_ballot(next(voters), utc_now(), vote.id, answers=answers)

    alone = await _milliseconds(VOTERS // 2, one_ballot)
    start = time.perf_counter()
    rest = list(voters)
    await asyncio.gather(*(cast_ballot(v, utc_now(), vote.id, answers=answers) for v in rest))
    each = (time.perf_counter() - start) * 1000 / len(rest)
    return [
        ("a ballot, cast alone", f"{alone:.1f} ms"),
        (f"a ballot, {len(rest)} cast at once", f"{each:.1f} ms"),
    ]
