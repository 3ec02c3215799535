"""Real services that can be killed, neighbours who vote through the public API, and screens that watch.

What was acknowledged is written down here before anything else happens; after the faults it is compared
one by one with what the database holds and with what every screen shows.
"""

import asyncio
import json
import logging
import os
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.transactions import in_transaction
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, WebSocketException

from api.app import create_app
from api.settings import Settings
from community.bulletin.cursors import BulletinCursors
from community.catalogue import catalogue
from community.database.migrate import migrate
from community.members.models import Account, CoOwner, OwnerParty, Ownership, RoleGrant, Session
from community.members.reads import hash_of
from community.members.rules import PartyKind, SessionKind
from community.permissions import SYSTEM, Role
from community.places.models import Building, Community, CommunityProfile, Organization, Unit
from community.places.rules import DeliveryStatus, OrganizationKind, UnitKind
from community.votes.actions import NewQuestion, announce_vote, close_vote, open_vote
from community.votes.casting import QuestionKind, VoteForm
from community.votes.reads import questions_of
from community.votes.recount import recount
from community.votes.rules import Matter
from schema.nodes import parse_id, to_id
from tests.engines import METRICS_TOKEN, TRUSTED, connect_to, opened_alone, rows
from tests.services import Postgres, Redis, Service, running, running_postgres

ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)
PATIENCE = 60
"""Seconds after which a test gives up on something that never comes; no test passes because of them."""

log = logging.getLogger("faults")
logging.getLogger("httpx2").setLevel(logging.WARNING)
chance = random.Random()  # noqa: S311 - only the times; they must differ from run to run

ITEMS = ", ".join(f"'{fact.name}'" for fact in catalogue().touching("bulletin"))


async def until(true: Callable[[], Any], what: str, patience: float = PATIENCE) -> float:
    """Seconds until it is true. `true` may be a coroutine function."""
    start = time.monotonic()
    while True:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return time.monotonic() - start
        assert time.monotonic() - start < patience, f"never: {what}"
        await asyncio.sleep(0.01)


# Services


class MeilinServer(Service):
    """`meilin serve`; with `workers` a group of processes over Redis."""

    def __init__(
        self, folder: Path, database_url: str, redis_url: str = "", workers: int = 1, **settings: str
    ) -> None:
        super().__init__(folder)
        self.url = f"http://127.0.0.1:{self.port}"
        self._workers = workers
        self._settings = {
            "MEILIN_DATABASE_URL": database_url,
            "MEILIN_REDIS_URL": redis_url,
            "MEILIN_PUBLIC_URL": self.url,
            "MEILIN_METRICS_TOKEN": METRICS_TOKEN,
        } | settings

    def command(self) -> dict[str, Any]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MEILIN_")}
        serve = ["serve", "--port", str(self.port), "--workers", str(self._workers)]
        return {
            "args": [sys.executable, "-c", "from api.cli import main; main()", *serve],
            "cwd": ROOT,
            "env": clean | {"PYTHONPATH": str(ROOT)} | self._settings,
        }

    async def answers(self) -> bool:
        with suppress(httpx2.TransportError):
            async with httpx2.AsyncClient(timeout=5) as client:
                return bool((await client.get(f"{self.url}/health/ready")).status_code == 200)
        return False

    async def health(self) -> str:
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            return str((await client.get(f"{self.url}/health/ready")).json()["status"])

    async def watchers(self) -> int:
        """As it tells Prometheus, of all its workers."""
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            lines = (await client.get(f"{self.url}/metrics", headers=TRUSTED)).text.splitlines()
        (said,) = (line for line in lines if line.startswith("meilin_watchers "))
        return int(float(said.split()[1]))

    async def in_hand(self) -> dict[str, float]:
        """What a lone process holds while it answers this: requests, sockets, tasks, connections out."""
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            text = (await client.get(f"{self.url}/metrics", headers=TRUSTED)).text
        found = {
            " ".join((sample.name.removeprefix("meilin_"), *sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        held = {name: found[name] for name in ("under_way", "sockets", "watchers", "tasks")}
        return held | {"out": found["database_connections"] - found["database_connections_free"]}

    @property
    def workers(self) -> list[int]:
        """The processes that serve, where there are several."""
        return [pid for pid in self.pids[1:] if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def faults(self) -> list[str]:
        """What it logged as an error, or said without being asked."""
        return [line for line in self.log().splitlines() if '"error"' in line or "Traceback" in line]

    def unsent(self) -> int:
        """Bytes that wait in its lines for somebody to read them."""
        lines = Path("/proc/net/tcp").read_text().split("\n")[1:-1]
        port = f"0100007F:{self.port:04X}"
        return sum(int(line.split()[4].split(":")[0], 16) for line in lines if line.split()[1] == port)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres(durable=True) as postgres:
        yield postgres


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with running(Redis(tmp_path_factory.mktemp("redis"))) as redis:
        yield redis


# The estate


@dataclass
class Estate:
    """A community with one statutory vote open, and a token for every owner party."""

    url: str
    community: int = 0
    chair: str = ""
    vote: int = 0
    question: int = 0
    tokens: dict[int, str] = field(default_factory=dict)
    areas: dict[int, int] = field(default_factory=dict)

    @property
    def parties(self) -> list[int]:
        return list(self.tokens)

    def opened(self) -> AbstractAsyncContextManager[None]:
        return opened_alone(self.url)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds, past everything that is ours."""
        return await rows(self.url, query)

    def connection(self) -> AbstractAsyncContextManager[Any]:
        return connect_to(self.url)

    async def settle(self, parties: int) -> None:
        async with self.opened():
            await migrate(self.url)
            async with in_transaction():
                await self._move_in(parties)
            now = datetime.now(UTC).replace(microsecond=0)
            self.vote = await self.announce("换水泵", now - 2 * DAY, now + 8 * DAY)
            await open_vote(SYSTEM, now, self.vote)
            self.question = (await questions_of([self.vote]))[self.vote][0].id

    async def announce(self, title: str, opens: datetime, closes: datetime) -> int:
        """A vote on notice, as long before as the law asks."""
        (committee,) = await Organization.filter(community_id=self.community).values("id")
        pump = NewQuestion("换水泵", "费用两万", QuestionKind.RESOLUTION, Matter.USE_FUND)
        return await announce_vote(
            SYSTEM, opens - 20 * DAY, self.community, convener=committee["id"], title=title, description="",
            form=VoteForm.STATUTORY_LOCAL, opens_at=opens, closes_at=closes, questions=[pump],
        )  # fmt: skip

    async def _move_in(self, parties: int) -> None:
        past = datetime.now(UTC) - 400 * DAY
        community = await Community.create(
            slug="estate",
            name="美哉美城",
            address="杭州市萧山区",
            households=parties,
            created_at=past,
            demonstration=True,
        )
        self.community = community.id
        await CommunityProfile.create(
            community_id=community.id, version=1, public_reading=True, time_zone="Asia/Shanghai",
            notice_days=15, window_days_least=5, window_days_most=60, since=past,
        )  # fmt: skip
        building = await Building.create(community_id=community.id, name="1幢", position=1)
        committee = await Organization.create(
            community_id=community.id, kind=OrganizationKind.OWNERS_COMMITTEE, name="业委会", since=past
        )
        chair = await Account.create(name="estate/committee", demonstration=True, created_at=past)
        await RoleGrant.create(
            account_id=chair.id, community_id=community.id, organization_id=committee.id,
            role=Role.COMMITTEE, since=past,
        )  # fmt: skip
        accounts = [Account(name=f"estate/resident-{n}", created_at=past) for n in range(parties)]
        owners = [OwnerParty(community_id=community.id, kind=PartyKind.OWNERS) for _ in accounts]
        units = [
            Unit(
                community_id=community.id, building_id=building.id, name=f"{index:04}室", area=8_000 + index,
                kind=UnitKind.DWELLING, status=DeliveryStatus.DELIVERED,
            )
            for index in range(parties)
        ]  # fmt: skip
        tokens = [secrets.token_urlsafe(16) for _ in accounts]
        self.tokens = {party.id: token for party, token in zip(owners, tokens, strict=True)}
        self.areas = {party.id: unit.area for party, unit in zip(owners, units, strict=True)}
        self.chair = secrets.token_urlsafe(16)
        await Account.bulk_create(accounts)
        await OwnerParty.bulk_create(owners)
        await Unit.bulk_create(units)
        held = list(zip(accounts, owners, units, strict=True))
        await CoOwner.bulk_create(CoOwner(party_id=p.id, account_id=a.id, since=past) for a, p, _ in held)
        await Ownership.bulk_create(Ownership(unit_id=u.id, party_id=p.id, since=past) for _, p, u in held)
        await Session.bulk_create(
            Session(
                hash=hash_of(token), account_id=account.id, kind=SessionKind.TOKEN, created_at=past,
                expires_at=past + 800 * DAY,
            )
            for account, token in [*zip(accounts, tokens, strict=True), (chair, self.chair)]
        )  # fmt: skip


# Those who act

CAST = """
mutation ($vote: ID!, $answers: [AnswerInput!]!, $key: String) {
  castBallot(voteId: $vote, answers: $answers, key: $key) { id }
}
"""
POST = """
mutation ($community: ID!, $notice: NoticeInput!, $key: String) {
  publishNotice(communityId: $community, notice: $notice, key: $key) { id }
}
"""
NO_ANSWER = "NO_ANSWER"
TRY_AGAIN = {NO_ANSWER, "TRY_AGAIN", "OUTCOME_UNKNOWN", "INTERNAL"}
"""What leaves open whether the action was done, or says that it was not."""


class Refused(Exception):
    """The server's code."""


@dataclass
class Clients:
    """Whoever asks one of the servers that are there."""

    servers: list[Any]
    http: httpx2.AsyncClient

    async def ask(self, document: str, token: str | None = None, **variables: Any) -> Any:
        """The data. Raises Refused, with NO_ANSWER where nobody can tell what became of it."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables}
        try:
            url = f"{chance.choice(self.servers).url}/graphql"
            answer = await self.http.post(url, json=body, headers=headers)
            found = answer.json()
        except (httpx2.HTTPError, ValueError):
            raise Refused(NO_ANSWER) from None
        if found.get("errors"):
            raise Refused(found["errors"][0]["extensions"]["code"])
        return found["data"]


@dataclass
class Neighbours:
    """They cast one ballot each. Most retry with their key; some retry without one, some give up."""

    estate: Estate
    clients: Clients
    acknowledged: dict[int, int] = field(default_factory=dict)
    told_already_cast: set[int] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    slowly: float = 0.0

    @staticmethod
    def choice(party: int) -> str:
        return ("FOR", "FOR", "AGAINST", "ABSTAIN")[party % 4]

    def answer(self, party: int) -> dict[str, Any]:
        return {"questionId": to_id("Question", self.estate.question), "choices": [self.choice(party)]}

    async def cast(self, parties: Sequence[int], at_once: int = 12) -> None:
        waiting = iter(list(enumerate(parties)))

        async def one_after_the_other() -> None:
            for index, party in waiting:
                await self._cast(party, keyed=index % 10 != 8, patient=index % 10 != 9)
                await asyncio.sleep(self.slowly * chance.random())

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(one_after_the_other())

    async def _cast(self, party: int, *, keyed: bool, patient: bool) -> None:
        vote, answers = to_id("Vote", self.estate.vote), [self.answer(party)]
        variables: dict[str, Any] = {"vote": vote, "answers": answers}
        variables |= {"key": f"ballot of {party}"} if keyed else {}
        for attempt in range(10_000):
            try:
                data = await self.clients.ask(CAST, self.estate.tokens[party], **variables)
            except Refused as refused:
                code = str(refused)
                self.answers[code] += 1
                if code == "ALREADY_CAST" and attempt and not keyed:
                    self.told_already_cast.add(party)
                    return
                assert code in TRY_AGAIN, code
                if not patient:
                    return
                await asyncio.sleep(chance.uniform(0.02, 0.2))
            else:
                kind, ballot = parse_id(data["castBallot"]["id"])
                assert kind == "Ballot"
                self.acknowledged[party] = ballot
                self.answers["acknowledged"] += 1
                return


@dataclass
class Chair:
    """Puts up one notice after the other."""

    estate: Estate
    clients: Clients
    body: str = "停水"
    acknowledged: list[int] = field(default_factory=list)

    async def post(self, every: float) -> None:
        """Until cancelled."""
        while True:
            await self.post_one()
            await asyncio.sleep(every)

    async def post_one(self) -> None:
        title = f"公告 {len(self.acknowledged)}"
        variables: dict[str, Any] = {
            "community": to_id("Community", self.estate.community),
            "notice": {"title": title, "body": self.body},
            "key": title,
        }
        while True:
            try:
                data = await self.clients.ask(POST, self.estate.chair, **variables)
            except Refused as refused:
                if str(refused) not in TRY_AGAIN:
                    raise
                await asyncio.sleep(0.1)
            else:
                self.acknowledged.append(parse_id(data["publishNotice"]["id"])[1])
                return


# Those who watch

PROGRESS = """
subscription ($vote: ID!) {
  voteProgress(voteId: $vote) {
    version participating { heads area }
    questions { outcome participating { heads area } choices { choice weight { heads area } } }
  }
}
"""
BULLETIN = """
subscription ($community: ID!, $after: String) {
  bulletin(communityId: $community, after: $after) { cursor kind subject { id } }
}
"""
NEWEST = "query ($id: ID!) { node(id: $id) { ... on Community { bulletin(first: 1) { edges { cursor } } } } }"

RETRIED = {1000, 1001, 1005, 1006, 1012, 1013, 1014}
"""Closings after which a stock client comes back; after others it gives up."""


class Watcher:
    """A socket that comes back as those of stock clients do, also to another server."""

    document = ""

    def __init__(self, servers: Sequence[MeilinServer]) -> None:
        self.servers, self.patience = servers, 5
        self.codes: Counter[int] = Counter()
        self.gave_up: object = None

    def variables(self) -> dict[str, Any]:
        raise NotImplementedError

    def take(self, data: Any) -> None:
        raise NotImplementedError

    async def watch(self) -> None:
        while self.gave_up is None:
            with suppress(OSError, InvalidHandshake, InvalidMessage, EOFError):  # nobody is there
                code = await self._follow(chance.choice(self.servers))
                self.codes[code] += 1
                if code not in RETRIED:
                    self.gave_up = self.gave_up or code
            await asyncio.sleep(chance.uniform(0.1, 0.5))

    async def _follow(self, server: MeilinServer) -> int:
        """The code with which the line was closed."""
        url = f"ws://127.0.0.1:{server.port}/graphql"
        protocols: Any = ["graphql-transport-ws"]
        async with connect(
            url, subprotocols=protocols, open_timeout=self.patience, close_timeout=0.5
        ) as connection:
            try:
                await connection.send(json.dumps({"type": "connection_init"}))
                asked = {"query": self.document, "variables": self.variables()}
                async for text in connection:
                    message = json.loads(text)
                    if message["type"] == "connection_ack":
                        await connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
                    elif message["type"] == "ping":
                        await connection.send(json.dumps({"type": "pong"}))
                    elif message["type"] == "next" and not message["payload"].get("errors"):
                        self.take(message["payload"]["data"])
                    else:
                        self.gave_up = message
                        return 1000
            except WebSocketException:
                pass  # the code says how it ended
            return connection.close_code or 1006


class Screen(Watcher):
    """How the vote stands."""

    document = PROGRESS

    def __init__(self, servers: Sequence[MeilinServer], vote: int) -> None:
        super().__init__(servers)
        self._vote = vote
        self.shown: Any = {"version": -1}
        self.went_back: list[tuple[int, int]] = []

    def variables(self) -> dict[str, Any]:
        return {"vote": to_id("Vote", self._vote)}

    def take(self, data: Any) -> None:
        newer = data["voteProgress"]
        if newer["version"] < self.shown["version"]:
            self.went_back.append((self.shown["version"], newer["version"]))
        self.shown = newer


class Board(Watcher):
    """The bulletin: each item once, resumed behind the last one."""

    document = BULLETIN

    def __init__(self, servers: Sequence[MeilinServer], community: int, after: str) -> None:
        super().__init__(servers)
        self._community, self._start = community, after
        self.cursors: list[str] = []
        self.subjects: list[int] = []

    def variables(self) -> dict[str, Any]:
        after = self.cursors[-1] if self.cursors else self._start
        return {"community": to_id("Community", self._community), "after": after}

    def take(self, data: Any) -> None:
        item = data["bulletin"]
        self.cursors.append(item["cursor"])
        self.subjects.append(parse_id(item["subject"]["id"])[1])


# All together


@dataclass
class Scene:
    """An estate, its servers, and everybody before them."""

    folder: Path
    estate: Estate
    clients: Clients
    screens: list[Screen] = field(default_factory=list)
    boards: list[Board] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    neighbours: Neighbours = field(init=False)
    chair: Chair = field(init=False)

    def __post_init__(self) -> None:
        self.neighbours = Neighbours(self.estate, self.clients)
        self.chair = Chair(self.estate, self.clients)

    @property
    def servers(self) -> list[MeilinServer]:
        return self.clients.servers

    async def serve(
        self, groups: int = 1, redis: Redis | None = None, workers: int = 1, **settings: str
    ) -> None:
        new = [
            MeilinServer(self.folder, self.estate.url, redis.url if redis else "", workers, **settings)
            for _ in range(groups)
        ]
        self.servers.extend(new)
        await asyncio.gather(*(server.up() for server in new))

    async def watch(
        self, screens: int = 2, boards: int = 2, where: Sequence[MeilinServer] = (), patience: int = 5
    ) -> None:
        """Lets them watch, from now on and wherever they find a server that answers in time."""
        start = await self.newest_cursor()
        servers = where or self.servers
        new_screens = [Screen(servers, self.estate.vote) for _ in range(screens)]
        new_boards = [Board(servers, self.estate.community, start) for _ in range(boards)]
        self.screens += new_screens
        self.boards += new_boards
        for watcher in (*new_screens, *new_boards):
            watcher.patience = patience
            self.go(watcher.watch())
        await until(lambda: all(screen.shown["version"] >= 0 for screen in new_screens), "first snapshots")

    async def newest_cursor(self) -> str:
        found = await self.clients.ask(NEWEST, id=to_id("Community", self.estate.community))
        return str(found["node"]["bulletin"]["edges"][0]["cursor"])

    until = staticmethod(until)

    def go(self, doing: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(doing)
        self.tasks.append(task)
        return task

    async def strike(
        self, victim: Service, times: int, until_done: "asyncio.Task[None]", total: int, *, gently: bool
    ) -> int:
        """Ends and starts it again at random times while the ballots come in. How often it did."""
        # Up to three quarters: of those who give up or have no key not everybody gets an answer.
        counts = sorted(chance.sample(range(total // 20 + 1, total * 3 // 4), times))
        done = 0
        for acknowledged in counts:
            while len(self.neighbours.acknowledged) < acknowledged and not until_done.done():  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            if until_done.done():
                break
            await asyncio.sleep(0.02 * chance.random())
            if gently:
                self.log(f"ended {await victim.stop():.1f} s after it was told")
            else:
                victim.kill()
            done += 1
            await victim.up()
        return done

    async def rest(self, notices: "asyncio.Task[None]") -> None:
        """Ends the notices, with one more behind everything."""
        notices.cancel()
        await asyncio.wait([notices])
        self.tasks.remove(notices)
        await self.chair.post_one()

    async def until_health(self, server: MeilinServer, status: str) -> None:
        async def is_so() -> bool:
            return await server.health() == status

        await until(is_so, f"{status}")

    def log(self, line: str) -> None:
        log.info("%s: %s", self.estate.url.split(":")[0], line)

    async def whole(self, kills: int = 0) -> float:
        """Compares everything that was acknowledged, written and shown. Seconds until it was shown."""
        back = time.monotonic()
        truth = await self.books()
        await self.screens_show(lambda shown: _summary(shown) == truth)
        seconds = time.monotonic() - back
        await self._boards_are_whole()
        for screen in self.screens:
            assert not screen.went_back
        codes = sum((watcher.codes for watcher in (*self.screens, *self.boards)), Counter[int]())
        self.log(
            f"{kills} kills, {truth['ballots']} ballots, answers {dict(self.neighbours.answers)}, "
            f"none lost, none doubled, {len(self.screens)} screens and {len(self.boards)} boards right "
            f"after {seconds:.2f} s, lines closed {dict(codes)}"
        )
        return seconds

    async def screens_show(self, true: Callable[[Any], bool]) -> float:
        """Seconds until all of them do."""
        return await until(
            lambda: self._still_watching() and all(true(screen.shown) for screen in self.screens),
            "every screen shows the truth",
        )

    def _still_watching(self) -> bool:
        given_up = [watcher.gave_up for watcher in (*self.screens, *self.boards) if watcher.gave_up]
        assert not given_up, given_up
        return True

    async def books(self) -> dict[str, Any]:
        """What must be shown. Every acknowledged ballot is there, once, and counts once."""
        vote, acknowledged = self.estate.vote, self.neighbours.acknowledged
        ballots = await self.estate.rows(
            f"SELECT sequence, party_id, id FROM ballot WHERE vote_id = {vote} ORDER BY sequence"
        )
        assert [sequence for sequence, _, _ in ballots] == list(range(1, len(ballots) + 1))
        held = {party: ballot for _, party, ballot in ballots}
        assert len(held) == len(ballots), "a party has two ballots"
        lost = {party for party, ballot in acknowledged.items() if held.get(party) != ballot}
        assert not lost
        assert self.neighbours.told_already_cast <= set(held)
        counted = await self.estate.rows(f"SELECT party_id, ballot_id FROM counting WHERE vote_id = {vote}")
        assert len(counted) == len(held)
        assert dict(counted) == held
        marks = await self.estate.rows("SELECT ballot_id, choice FROM ballot_choice")
        assert sorted(marks) == sorted(
            (ballot, self.neighbours.choice(party)) for party, ballot in held.items()
        )
        await self._journal_is_whole(len(ballots))
        weights = {
            choice: [
                area
                for party, area in self.estate.areas.items()
                if party in held and self.neighbours.choice(party) == choice
            ]
            for choice in ("FOR", "AGAINST", "ABSTAIN")
        }
        return {
            "ballots": len(held),
            "area": sum(sum(areas) for areas in weights.values()),
            "choices": {choice: (len(areas), sum(areas)) for choice, areas in weights.items()},
        }

    async def _journal_is_whole(self, ballots: int) -> None:
        numbers = [
            number for (number,) in await self.estate.rows("SELECT number FROM journal ORDER BY number")
        ]
        assert numbers == list(range(1, len(numbers) + 1))
        changes = await self.estate.rows(
            f"SELECT count(*) FROM journal WHERE fact = 'BALLOT_CAST' AND subject = {self.estate.vote}"
        )
        assert changes == [(ballots,)]
        notices = [key for (key,) in await self.estate.rows("SELECT id FROM notice ORDER BY published_at")]
        assert set(self.chair.acknowledged) <= set(notices)
        assert len(notices) <= len(self.chair.acknowledged) + 1  # the last one may not have been answered

    async def _boards_are_whole(self) -> None:
        """Every reader saw every item behind its start once, in the order of the journal."""
        for board in self.boards:
            own, start = await self._place(board)
            behind = f"fact IN ({ITEMS}) AND number > {start}"
            items = await self.estate.rows(
                f"SELECT number, subject FROM journal WHERE {behind} ORDER BY number"
            )
            await until(lambda: len(board.subjects) >= len(items), "the boards are complete")  # noqa: B023
            assert board.subjects == [key for _, key in items]
            assert board.cursors == [own.cursor(number) for number, _ in items]

    async def _place(self, board: Board) -> tuple[BulletinCursors, int]:
        ((mark,),) = await self.estate.rows("SELECT id FROM installation")
        own = BulletinCursors(mark, self.estate.community)
        return own, own.number_of(board.variables()["after"] if not board.cursors else board._start)

    async def close_and_recount(self) -> None:
        """The closing count by another process, against every ballot read again."""
        vote = self.estate.vote
        async with self.estate.opened():
            await close_vote(SYSTEM, datetime.now(UTC) + 9 * DAY, vote)
            assert await recount(vote) == []
        await self.screens_show(lambda shown: shown["questions"][0]["outcome"] != "PENDING")

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        results = await asyncio.gather(*self.tasks, return_exceptions=True)
        for server in self.servers:
            server.kill()
        for result in results:
            if isinstance(result, Exception):
                raise result


def _summary(shown: Any) -> dict[str, Any]:
    """What a screen shows, in the form of `Scene.books`."""

    def weight(value: Any) -> tuple[int, int]:
        return value["heads"], int(value["area"].replace(".", ""))

    (question,) = shown["questions"]
    heads, area = weight(shown["participating"])
    assert weight(question["participating"]) == (heads, area)
    return {
        "ballots": heads,
        "area": area,
        "choices": {mark["choice"]: weight(mark["weight"]) for mark in question["choices"]},
    }


Setting = Callable[..., Coroutine[Any, Any, Scene]]


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of this test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'estate.db'}"
    service: Postgres = request.getfixturevalue("postgres")
    asyncio.run(service.up())  # whatever a test before this one left behind
    name = f"estate_{secrets.token_hex(4)}"
    asyncio.run(service.run(f"CREATE DATABASE {name}"))
    return f"{service.url}/{name}"


@pytest.fixture
async def estate(database_url: str) -> Estate:
    """Migrated, with hardly anybody in it."""
    estate = Estate(database_url)
    await estate.settle(3)
    return estate


@pytest.fixture
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[Setting]:
    """Call it for an estate of so many parties with its servers."""
    scenes: list[Scene] = []
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=0)  # none closed as it is reused
    async with httpx2.AsyncClient(timeout=20, limits=limits) as http:

        async def set_up(parties: int, **servers: Any) -> Scene:
            estate = Estate(database_url)
            await estate.settle(parties)
            scenes.append(Scene(tmp_path, estate, Clients([], http)))
            await scenes[-1].serve(**servers)
            return scenes[-1]

        try:
            yield set_up
        finally:
            for made in scenes:
                await made.leave()


@dataclass
class Here:
    """The app in this very process, where a request can be cut at any step."""

    url: str = "http://here"


@pytest.fixture
async def here(database_url: str, tmp_path: Path) -> AsyncIterator[Setting]:
    """As `scene`, with nobody but us to serve it."""
    async with AsyncExitStack() as stack:

        async def set_up(parties: int) -> Scene:
            estate = Estate(database_url)
            await estate.settle(parties)
            app = create_app(
                Settings(
                    database_url,
                    public_url=Here.url,
                    metrics_token=METRICS_TOKEN,
                    sign_ins_per_address=1_000_000,
                )
            )
            stack.callback(EXECUTOR_CACHE.clear)
            await stack.enter_async_context(app.router.lifespan_context(app))
            none = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # everybody asks through this client
            line = httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=app), base_url=Here.url, cookies=none
            )
            return Scene(tmp_path, estate, Clients([Here()], await stack.enter_async_context(line)))

        yield set_up
