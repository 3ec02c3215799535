"""Reads: what a request costs with compiled completion, without it, and with plain Strawberry over models."""

import asyncio
import statistics
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from api.clock import utc_now
from bench import operations
from bench.children import Child, server, two_cores
from bench.demonstration import SLUG, copy, url_of
from bench.visitors import Visitors, visitors
from community.database.engine import opened
from community.permissions import SYSTEM
from community.places.models import Community, Organization
from community.votes.actions import NewQuestion, announce_vote
from community.votes.casting import QuestionKind, VoteForm
from community.votes.models import Vote
from community.votes.rules import Matter

VOTES, ENTRIES = 35, 100
"""Of one answer."""

MODES = {"compiled": ("meilin", "on"), "graphql-core": ("meilin", "off"), "models": ("models", "on")}
"""By name: which server, and whether MEILIN_COMPILED."""

WARM = 100
"""Requests before any is measured."""

DOCUMENTS = {
    f"{VOTES} votes": operations.VOTES_WITH_ALL,
    f"{ENTRIES} entries of the ledger": operations.ENTRIES,
}


@dataclass(slots=True)
class Reads:
    """Milliseconds of CPU a request, by document and mode."""

    costs: defaultdict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    sizes: dict[tuple[str, str], int] = field(default_factory=dict)

    def median(self, what: str, mode: str) -> float:
        return statistics.median(self.costs[what, mode])


async def reads(demonstration: Path, repeats: int, requests: int) -> Reads:
    """`requests`: of each block of one kind; blocks are interleaved."""
    found = Reads()
    with tempfile.TemporaryDirectory(dir=demonstration.parent) as room:
        file = Path(room) / "reads.sqlite3"
        copy(demonstration, file)
        await _announce(file)
        async with AsyncExitStack() as stack:
            servers = {name: await stack.enter_async_context(_serving(file, name)) for name in MODES}
            for repeat in range(repeats + 1):
                for what, document in DOCUMENTS.items():
                    for name, (child, asking) in servers.items():
                        await _block(found, what, name, document, child, asking, requests if repeat else WARM)
                        if not repeat:
                            found.costs[what, name].clear()
    return found


async def _announce(file: Path) -> None:
    """Consultations, so that there are as many votes as are asked for."""
    async with opened(url_of(file)):
        community = await Community.get(slug=SLUG)
        convener = (await Organization.filter(community_id=community.id).order_by("id").first()).id  # type: ignore[union-attr]
        for number in range(max(0, VOTES - await Vote.filter(community_id=community.id).count())):
            choices = [(f"C{each}", f"选项 {each}") for each in range(3)]
            questions = [
                NewQuestion(f"议题 {each}", "", QuestionKind.SURVEY, Matter.CONSULTATION, choices)
                for each in range(3)
            ]
            now = utc_now()
            await announce_vote(
                SYSTEM, now, community.id, convener=convener, title=f"征求意见 {number}", description="",
                form=VoteForm.CONSULTATION, opens_at=now + timedelta(days=1 + number),
                closes_at=now + timedelta(days=90), questions=questions,
            )  # fmt: skip


@asynccontextmanager
async def _serving(file: Path, name: str) -> AsyncIterator[tuple[Child, Visitors]]:
    mode, compiled = MODES[name]
    options = ("--mode", mode, "--compiled", compiled, "--database", url_of(file))
    async with server(two_cores()[0], *options) as (child, port), visitors(port, connections=1) as asking:
        yield child, asking


async def _block(
    found: Reads, what: str, name: str, document: str, child: Child, asking: Visitors, requests: int
) -> None:
    request: dict[str, Any] = {"query": document, "variables": {"slug": SLUG}}
    await asyncio.sleep(0.2)
    before = child.cpu
    for _ in range(requests):
        answer = await asking.post(request)
    found.costs[what, name].append((child.cpu - before) * 1000 / requests)
    community = answer["data"]["community"]
    edges = (community.get("votes") or community["ledger"]["entries"])["edges"]
    if "errors" in answer or len(edges) != (VOTES if "votes" in community else ENTRIES):
        raise RuntimeError(f"{name} answered {str(answer)[:500]}")


def rows(found: Reads) -> Sequence[tuple[str, ...]]:
    """What the table shows: CPU a request in milliseconds, and how many times less than others."""
    shown = []
    for what in DOCUMENTS:
        ours, core, models = (found.median(what, name) for name in MODES)
        shown.append(
            (
                what,
                f"{ours:.2f}",
                f"{core:.2f}",
                f"{models:.2f}",
                f"{core / ours:.2f}",
                f"{models / ours:.2f}",
            )
        )
    return shown
