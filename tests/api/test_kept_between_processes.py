"""Random reads and writes of every kind through two processes: no answer is older than it may be.

What is true now, a process tells whoever says that it has seen more than there is: it is not answered from
memory then.
"""

import asyncio
import random
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from community.members.actions import open_session
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Person, Role
from realtime.versions import BEHIND
from tests.examples import Ground, MutationExample, examples, of_all
from tests.schema.documents import IN_SPRING
from tests.world.server import Server

BOARD = IN_SPRING % (
    "publicReading viewerPermissions"
    " open: votes(status: [OPEN]) { edges { node { title status tally { version } } } }"
    " events(coming: true) { edges { node { title attendance { signedUp } } } }"
    " notices { edges { node { title } } } ledger { balance } bulletin { edges { node { kind } } }"
)

NUMBER = re.compile(rb',"requestId":"[0-9a-f]+"')
"""Of an error, which each answer has of its own."""

TRUTH = {"meilin-seen": "city.999999999999"}

WHO = (None, "spring/resident-1", "spring/committee", "quiet/resident-1")

SLACK = 0.5
"""Seconds that a slow machine may add between our watch and the server's."""

Question = tuple[str, str | None]
"""A document and who asks it."""


class Stale(AssertionError):
    pass


class Truths:
    """What was true of each question, and from when on."""

    def __init__(self) -> None:
        self._of: dict[Question, list[tuple[float, bytes]]] = {}

    def became(self, question: Question, answer: bytes) -> None:
        known = self._of.setdefault(question, [])
        if not known or known[-1][1] != answer:
            known.append((time.monotonic(), answer))

    def check(self, question: Question, answer: bytes, since: float) -> None:
        """Raises Stale unless the answer was true at some moment from `since` on."""
        known = self._of[question]
        ends = [begun for begun, _ in known[1:]] + [float("inf")]
        if answer not in [text for (_, text), end in zip(known, ends, strict=True) if end >= since]:
            raise Stale(f"{question}: {answer!r}\n{known[-1][1]!r}")


class Two:
    """Two processes over one database, and what was written by way of each."""

    def __init__(self, servers: list[Server], documents: list[str], seed: int) -> None:
        self.servers, self.random, self.truths = servers, random.Random(seed), Truths()  # noqa: S311
        self.questions: list[Question] = [(document, who) for document in documents for who in WHO]
        self.wrote_at = [0.0] * len(servers)
        self.seen: str | None = None

    def post(self, server: int, query: str, who: str | None, headers: Mapping[str, str], **given: Any) -> Any:
        there = self.servers[server]
        body = {"query": query, "variables": given}
        return there.client.post("/graphql", json=body, headers={**there.bearer(who), **headers})

    def asked(self, server: int, question: Question, headers: Mapping[str, str]) -> bytes:
        answer: bytes = self.post(server, *question, headers).content
        return NUMBER.sub(b"", answer)

    def learn(self) -> None:
        """What is true now of everything, whoever tells it."""
        server = self.random.randrange(len(self.servers))
        for document, who in self.questions:
            self.truths.became((document, who), self.asked(server, (document, who), TRUTH))

    def write(self, example: MutationExample) -> None:
        server = self.random.randrange(len(self.servers))
        given = {**example.given, **self.random.choice([{}, *example.other])}
        answer = self.post(server, example.query, example.who, {}, **given)
        now = time.monotonic()
        if seen := answer.headers.get("meilin-seen"):
            self.seen, self.wrote_at[server] = seen, now
        self.learn()

    def read(self) -> None:
        server, question = self.random.randrange(len(self.servers)), self.random.choice(self.questions)
        own = self.seen is not None and self.random.random() < 0.2
        begun = time.monotonic()
        headers = {"meilin-seen": self.seen} if own and self.seen else {}
        answer = self.asked(server, question, headers)
        newest = max(self.wrote_at) if own else self.wrote_at[server]
        self.truths.check(question, answer, max(newest, begun - BEHIND - SLACK))

    def read_everything(self) -> None:
        """After the longest that a process may be behind."""
        time.sleep(BEHIND)
        for server in range(len(self.servers)):
            for question in self.questions:
                answer = self.asked(server, question, {})
                self.truths.check(question, answer, time.monotonic())

    def answered_from_memory(self) -> float:
        line = 'meilin_answers_total{how="hit"} '
        told = [text for server in self.servers for text in server.metrics().splitlines()]
        return sum(float(text.removeprefix(line)) for text in told if text.startswith(line))


Run = Callable[..., Any]


@pytest.fixture
def two(house: Any, serve: Callable[..., Any], tmp_path: Path) -> Run:
    """Two servers on the database of the house; `program`: what runs them."""

    @asynccontextmanager
    async def start(seed: int, program: list[str] | None = None) -> AsyncIterator[Two]:
        reads, documents = of_all(lambda topic: topic.reads), []
        for slug in ("spring", "quiet"):
            account = house.town.key("Account", f"{slug}/resident-1")
            community = house.town.key("Community", slug)
            owner = Person(account, roles={community: frozenset({Role.OWNER})})
            ids: dict[str, str] = {}
            for topic in examples().values():
                ids |= await topic.ids(Ground(house, slug, community, owner))
            documents += [f"{{ {read.text.format(**ids)} }}" for read in reads.values()]
        chosen = [BOARD, *random.Random(seed).sample(sorted(set(documents)), 10)]  # noqa: S311
        with ExitStack() as stack:
            servers = []
            for number in range(2):
                folder = tmp_path / str(number)
                folder.mkdir(exist_ok=True)
                servers.append(await asyncio.to_thread(stack.enter_context, serve(folder, program)))
            yield Two(servers, chosen, seed)

    return start


async def _examples(house: Any) -> list[MutationExample]:
    """One of every mutation."""
    return [await make(house) for make in of_all(lambda topic: topic.mutations).values()]


def _act(two: Two, deeds: list[MutationExample], steps: int) -> None:
    two.learn()
    for step in range(steps):
        if step % 8 == 7:
            two.write(two.random.choice(deeds))
        for _ in range(4):
            two.read()
        if step % (steps // 2) == steps // 2 - 1:
            two.read_everything()


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_answer_is_older_than_it_may_be(house: Any, two: Run, seed: int) -> None:
    deeds = await _examples(house)
    async with two(seed) as both:
        await asyncio.to_thread(_act, both, deeds, 120)
        assert both.answered_from_memory() > 60


PLANTED = """
import schema.noted
def wrong(self, rows, wanted):
    self.communities.add(1)
schema.noted.Noted.rows = wrong
from api.cli import main
main()
"""


async def test_an_answer_that_forgot_where_it_comes_from_is_found(house: Any, two: Run) -> None:
    deeds = await _examples(house)
    async with two(1, [sys.executable, "-c", PLANTED, "serve"]) as both:
        with pytest.raises(Stale):
            await asyncio.to_thread(_act, both, deeds, 120)


async def test_who_signed_out_is_nobody_here_at_once_and_elsewhere_within_two_seconds(
    house: Any, two: Run
) -> None:
    name = "spring/resident-2"
    secret = await open_session(SYSTEM, house.now, name, kind=SessionKind.TOKEN, lifetime=timedelta(days=1))
    async with two(1) as both:
        here, there = (server.client for server in both.servers)
        bearer, body = (
            {"authorization": f"Bearer {secret}"},
            {"query": '{ community(slug: "spring") { id } }'},
        )

        def ask(client: Any) -> int:
            return int(client.post("/graphql", json=body, headers=bearer).status_code)

        for _ in range(3):
            assert (ask(here), ask(there)) == (200, 200)
        assert here.delete("/session", headers=bearer).status_code == 204
        assert ask(here) == 401
        await asyncio.sleep(BEHIND)
        assert ask(there) == 401
