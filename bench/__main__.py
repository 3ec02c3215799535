"""Times the count, a tally read and ballots cast, on the demonstration communities in a fresh SQLite file."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.clock import utc_now
from community.database.engine import opened
from community.database.migrate import migrate
from community.demo.load import load
from community.members.actions import open_session
from community.members.reads import accounts_like, viewer_of
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Viewer
from community.places.reads import community_by_slug
from community.votes.actions import cast_ballot
from community.votes.casting import Answered, VoteForm, VoteStatus
from community.votes.progress import progress_of
from community.votes.reads import VoteRow, questions_of, votes_page
from community.votes.rules import CountingRules, Matter, Sums, Weight, count

SLUG = "meizai-meicheng"
VOTERS = 20
"""resident-1 to -20, who have not cast in the open votes."""


async def _milliseconds(times: int, deed: Callable[[], Awaitable[object]]) -> float:
    """The median of one deed."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        await deed()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


async def _open_vote() -> VoteRow:
    community = await community_by_slug(SYSTEM, SLUG)
    assert community is not None  # noqa: S101 - the demonstration has it
    page = await votes_page(community.id, utc_now(), 20, None, [VoteStatus.OPEN])
    return next(row for row in page.rows if row.form is not VoteForm.CONSULTATION)


async def _residents() -> list[Viewer]:
    names = [name for _, name in await accounts_like(f"{SLUG}/resident-*") if name.split("-")[-1].isdigit()]
    viewers = []
    for name in names[:VOTERS]:
        secret = await open_session(
            SYSTEM, utc_now(), name, kind=SessionKind.TOKEN, lifetime=timedelta(hours=1)
        )
        viewer = await viewer_of(secret, utc_now())
        assert viewer is not None  # noqa: S101 - it was just opened
        viewers.append(viewer)
    return viewers


async def run(table: Table) -> None:
    sums = Sums(Weight(1652, 17_948_627), {"FOR": Weight(742, 8_097_346), "AGAINST": Weight(214, 2_461_892)})

    async def counting() -> None:
        for _ in range(1000):
            count(Matter.USE_FUND, CountingRules(), sums)

    table.add_row("the count of one question, from sums", f"{await _milliseconds(5, counting):.1f} µs")
    vote = await _open_vote()
    progress = await progress_of(vote.id)
    read = await _milliseconds(50, lambda: progress_of(vote.id))
    table.add_row(f"a tally of {progress.participating.heads} ballots, read", f"{read:.1f} ms")
    questions = (await questions_of([vote.id]))[vote.id]
    answers = [Answered(question.id, ("FOR",)) for question in questions]
    voters = iter(await _residents())

    async def one_ballot() -> None:
        await cast_ballot(next(voters), utc_now(), vote.id, answers=answers)

    table.add_row("a ballot, cast alone", f"{await _milliseconds(VOTERS // 2, one_ballot):.1f} ms")
    start = time.perf_counter()
    rest = list(voters)
    await asyncio.gather(*(cast_ballot(v, utc_now(), vote.id, answers=answers) for v in rest))
    each = (time.perf_counter() - start) * 1000 / len(rest)
    table.add_row(f"a ballot, {len(rest)} cast at once", f"{each:.1f} ms")


async def main() -> None:
    table = Table("what", "median")
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory) / 'bench.sqlite3'}"
        async with opened(url):
            await migrate(url)
            start = time.perf_counter()
            await load(utc_now(), lambda *_: None)
            table.add_row("the demonstration, loaded", f"{time.perf_counter() - start:.1f} s")
            await run(table)
    Console().print(table)


asyncio.run(main())
