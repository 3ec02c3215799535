"""Reads: what a request costs the server, in CPU, beside others who answer the same.

Uncached, each answer made anew: ours, graphql-core without generated functions, and plain Strawberry over
models. Kept: an answer from memory, a 304, and the same bytes sent by a bare route of the same server. The
documents are two lists and three of the page's own.
"""

import asyncio
import json
import re
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from api.clock import utc_now
from api.trusted import DOCUMENTS
from bench import operations
from bench.children import Child, server, two_cores
from bench.demonstration import SLUG, residents
from bench.visitors import Answer, Visitors, visitors, written
from community.database.engine import opened
from community.permissions import SYSTEM
from community.places.models import Community, Organization
from community.votes.actions import NewQuestion, announce_vote
from community.votes.casting import QuestionKind, VoteForm
from community.votes.models import Vote
from community.votes.rules import Matter

VOTES, ENTRIES = 35, 100
"""Of one answer."""

WARM = 20
"""Requests before any is measured."""

KEPT_AT_ONCE = 10
"""So many times more requests of what is answered from memory, which takes as many times less."""


@dataclass(frozen=True, slots=True)
class Document:
    """`path`: where plain Strawberry answers it."""

    name: str
    text: str
    variables: Mapping[str, Any]
    path: str = "/graphql"

    @property
    def id(self) -> str:
        return f"sha256:{sha256(self.text.encode()).hexdigest()}"

    @property
    def address(self) -> str:
        """Where it is asked for by its id, as the page writes it."""
        variables = json.dumps(self.variables, separators=(",", ":"))
        return f"/graphql?documentId={self.id}&variables={quote(variables, safe='')}"


@dataclass(frozen=True, slots=True)
class Program:
    """A server, and how it is spoken to."""

    child: Child
    asking: Visitors


PROGRAMS = {
    "ours": ("--mode", "meilin", "--kept", "0"),
    "graphql-core": ("--mode", "meilin", "--kept", "0", "--compiled", "off"),
    "models": ("--mode", "models"),
    "kept": ("--mode", "meilin"),
}
MADE_ANEW = ("ours", "graphql-core", "models")
WITH_SESSION = ", session"
FROM_MEMORY = ("ready bytes", "hit", "304", "hit, gzip", f"hit{WITH_SESSION}", f"304{WITH_SESSION}")


@dataclass(slots=True)
class Reads:
    """Of one engine: milliseconds of CPU a request, and bytes of an answer, by document and way.

    `without_tag`: what the server sends without an ETag, so that it keeps no answer; `skipped`: sentences
    about what was not measured.
    """

    costs: defaultdict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    without_tag: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def median(self, what: str, way: str) -> float | None:
        costs = self.costs.get((what, way))
        return statistics.median(costs) if costs else None

    def documents(self) -> list[str]:
        return list(dict.fromkeys(what for what, _ in self.costs))


async def prepare(url: str) -> list[Document]:
    """Announces consultations, so that there are as many votes as are asked for, and says what is asked."""
    async with opened(url):
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
        local = Vote.filter(community_id=community.id, form=VoteForm.STATUTORY_LOCAL, last_step="OPENED")
        open_vote = await local.first()
    month = utc_now()
    return [
        Document(f"{VOTES} votes", operations.VOTES_WITH_ALL, {"slug": SLUG}),
        Document(f"{ENTRIES} entries of the ledger", operations.ENTRIES, {"slug": SLUG}),
        *_of_the_page(
            {
                "BulletinPage": {"slug": SLUG},
                "VotePage": {"slug": SLUG, "number": open_vote.number if open_vote else 1},
                "LedgerPage": {"slug": SLUG, "month": f"{month:%Y-%m}", "before": f"{month.year + 1}-01"},
            }
        ),
    ]


def _of_the_page(wanted: Mapping[str, Mapping[str, Any]]) -> list[Document]:
    """As the page was built with them; none before it is."""
    texts = json.loads(DOCUMENTS.read_bytes()).values() if DOCUMENTS.exists() else []
    named = {re.findall(r"\w+", text)[1]: text for text in texts}
    return [
        Document(f"page: {name}", named[name], variables, "/page")
        for name, variables in wanted.items()
        if name in named
    ]


async def reads(url: str, room: Path, repeats: int, requests: int) -> Reads:
    """`requests`: of each block of one way; blocks are interleaved."""
    documents, found = await prepare(url), Reads()
    if len(documents) == 2:
        found.skipped.append(
            "The page is not built, so that its documents are not there: run `make install`."
        )
    trusted = room / "documents.json"
    trusted.write_text(json.dumps({each.id: each.text for each in documents}), encoding="utf-8")
    async with opened(url):
        (account,) = await residents(1)
    async with AsyncExitStack() as stack:
        programs = {
            name: await stack.enter_async_context(
                _serving(*options, "--database", url, "--documents", str(trusted))
            )
            for name, options in PROGRAMS.items()
        }
        cookie = await _signed_in(programs["kept"], account)
        blocks = [
            block
            for document in documents
            for block in [
                *(_made_anew(found, document, name, programs[name], requests) for name in MADE_ANEW),
                *await _from_memory(found, document, programs["kept"], cookie, requests * KEPT_AT_ONCE),
            ]
        ]
        for _ in range(repeats):
            for block in blocks:
                await block()
    if found.without_tag:
        of = "; ".join(found.without_tag) if any(way == "hit" for _, way in found.costs) else "anything"
        found.skipped.append(f"Nothing is kept of {of}: the server sends no ETag.")
    return found


@asynccontextmanager
async def _serving(*options: str) -> AsyncIterator[Program]:
    async with server(two_cores()[0], *options) as (child, port), visitors(port, connections=1) as asking:
        yield Program(child, asking)


async def _signed_in(program: Program, account: str) -> dict[str, str]:
    body = json.dumps({"account": account}).encode()
    answer = await program.asking.send(written("POST", "/session", {}, body))
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


Block = Callable[[], Awaitable[None]]


def _made_anew(found: Reads, document: Document, name: str, program: Program, requests: int) -> Block:
    """No two requests are the same: each has a variable of its own, which nothing uses."""
    path, turns = document.path if name == "models" else "/graphql", count()

    def request() -> bytes:
        variables = {**document.variables, "turn": next(turns)}
        return written(
            "POST", path, {}, json.dumps({"query": document.text, "variables": variables}).encode()
        )

    async def block() -> None:
        answer = await _measured(found, (document.name, name), program, request, requests)
        if answer.status != 200 or not _is_whole(json.loads(answer.body)):
            raise RuntimeError(f"{name} answered {answer.body[:500].decode()}")

    return block


def _is_whole(answer: Any) -> bool:
    if "errors" in answer:
        return False
    community = answer["data"]["community"]
    if "slug" in community:  # a page
        return None not in community.values()
    votes = community.get("votes")
    return len(votes["edges"]) == VOTES if votes else len(community["ledger"]["entries"]["edges"]) == ENTRIES


async def _from_memory(
    found: Reads, document: Document, program: Program, cookie: Mapping[str, str], requests: int
) -> list[Block]:
    """What is asked for by its id, by nobody and by a resident, each time the same."""
    blocks = []
    for who, headers in {"": {}, WITH_SESSION: cookie}.items():

        def get(more: Mapping[str, str], headers: Mapping[str, str] = headers) -> bytes:
            return written("GET", document.address, {**headers, **more})

        answers = [await program.asking.send(get({})) for _ in range(WARM)]
        tag = answers[-1].headers.get("etag")
        if answers[-1].status != 200 or tag is None:
            found.without_tag.append(document.name + who)
            continue
        ways = {f"hit{who}": get({}), f"304{who}": get({"if-none-match": tag})}
        if not who:
            ready = f"/ready/{document.id}"
            await program.asking.send(written("PUT", ready, {}, answers[-1].body))
            ways |= {"ready bytes": written("GET", ready, {}), "hit, gzip": get({"accept-encoding": "gzip"})}
        blocks += [_again(found, document, way, program, one, requests) for way, one in ways.items()]
    return blocks


def _again(
    found: Reads, document: Document, way: str, program: Program, request: bytes, requests: int
) -> Block:
    async def block() -> None:
        answer = await _measured(found, (document.name, way), program, lambda: request, requests)
        if answer.status != (304 if way.startswith("304") else 200):
            raise RuntimeError(f"{document.name}, {way}: {answer.status}")

    return block


async def _measured(
    found: Reads, what: tuple[str, str], program: Program, request: Callable[[], bytes], requests: int
) -> Answer:
    """One block. The last answer."""
    for _ in range(WARM):
        await program.asking.send(request())
    await asyncio.sleep(0.1)
    before = program.child.cpu
    for _ in range(requests):
        answer = await program.asking.send(request())
    found.costs[what].append((program.child.cpu - before) * 1000 / requests)
    found.sizes[what] = len(answer.body)
    return answer


def rows_made_anew(found: Reads) -> Sequence[tuple[str, ...]]:
    """Kilobytes of ours and of the models', milliseconds of CPU a request, and how many times less it is."""
    shown = []
    for what in found.documents():
        ours, core, models = (found.median(what, way) or float("nan") for way in MADE_ANEW)
        sizes = " / ".join(f"{found.sizes[what, way] / 1000:.1f}" for way in ("ours", "models"))
        figures = (ours, core, models, core / ours, models / ours)
        shown.append((what, sizes, *(f"{figure:.2f}" for figure in figures)))
    return shown


def rows_from_memory(found: Reads) -> Sequence[tuple[str, ...]]:
    """CPU a request in milliseconds, and how many times that of ready bytes a hit costs."""
    shown = []
    for what in found.documents():
        costs = {way: cost for way in FROM_MEMORY if (cost := found.median(what, way)) is not None}
        ready = costs.get("ready bytes")
        if ready is not None:
            ratios = (costs[way] / ready if way in costs else None for way in ("hit", f"hit{WITH_SESSION}"))
            shown.append(
                (
                    what,
                    *(f"{costs[way]:.4f}" if way in costs else "" for way in FROM_MEMORY),
                    *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
                )
            )
    return shown
