"""A small town on both engines, copied for whoever needs it; the schema over it; a real server on it.

Whoever asks for one of them runs twice, as [sqlite] and as [postgres-redis]. 春风里 (`spring`) may be read
by everybody, 静园 (`quiet`) only by its own people.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.base.executor import EXECUTOR_CACHE
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from community.bulletin.actions import publish_notice
from community.bulletin.rules import NoticeKind
from community.database.migrate import migrate
from community.database.sqlite import OneWriterClient
from community.database.work import all_done, publish_through
from community.events.actions import publish_event
from community.ledger.actions import record_entry, reverse_entry
from community.ledger.rules import Category, Direction
from community.members.actions import open_session
from community.members.models import Account, CoOwner, OwnerParty, Ownership, RoleGrant, Tenancy
from community.members.reads import person_of, viewer_of
from community.members.rules import PartyKind, SessionKind
from community.permissions import NOBODY, SYSTEM, Person, Role
from community.places.models import Building, Community, CommunityProfile, Organization, Unit
from community.places.rules import DeliveryStatus, OrganizationKind, UnitKind
from community.signals import Signal
from community.votes.actions import NewQuestion, announce_vote, cast_ballot, close_vote, open_vote
from community.votes.casting import Answered, QuestionKind, VoteForm
from community.votes.reads import questions_of
from community.votes.rules import Matter
from realtime.broker import Broker
from realtime.sources import LiveSources
from schema.context import Context
from schema.nodes import to_id
from schema.schema import graphql_schema
from tests.engines import METRICS_TOKEN, TRUSTED, Engine, opened_alone
from tests.services import Postgres, Redis, free_port, running, running_postgres

ROOT = Path(__file__).parents[1]
DAY = timedelta(days=1)
PATIENCE = 20
"""Seconds after which a test gives up on something that never comes; no test passes because of them."""


@dataclass
class Town:
    """The ids of what was built, under the names by which tests speak of it."""

    engine: Engine
    url: str
    now: datetime
    keys: dict[tuple[str, str], int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def key(self, type_name: str, name: str) -> int:
        return self.keys[type_name, name]

    def id(self, type_name: str, name: str) -> str:
        return str(to_id(type_name, self.keys[type_name, name]))


class _Builder:
    def __init__(self, town: Town) -> None:
        self.town, self.keys, self.now = town, town.keys, town.now
        self.past = town.now - 400 * DAY

    async def fill(self) -> None:
        await self.spring()
        await self.quiet()
        await self.account("city/regulator")
        await RoleGrant.create(
            account_id=self.keys["Account", "city/regulator"], role=Role.REGULATOR, since=self.past
        )
        for kind, name in self.keys:
            if kind == "Account":
                self.town.tokens[name] = await open_session(
                    SYSTEM, self.now, name, kind=SessionKind.TOKEN, lifetime=30 * DAY
                )

    async def viewer(self, name: str) -> Person:
        account = self.keys["Account", name]
        return await person_of(account, self.now)

    async def community(self, slug: str, name: str, *, public: bool) -> int:
        made = await Community.create(
            slug=slug,
            name=name,
            address="杭州市萧山区",
            households=6,
            demonstration=True,
            created_at=self.past,
        )
        await CommunityProfile.create(
            community_id=made.id, version=1, public_reading=public, time_zone="Asia/Shanghai",
            notice_days=15, window_days_least=5, window_days_most=60, since=self.past,
        )  # fmt: skip
        self.keys["Community", slug] = made.id
        return int(made.id)

    async def building(self, slug: str, name: str, position: int) -> int:
        made = await Building.create(community_id=self.keys["Community", slug], name=name, position=position)
        self.keys["Building", f"{slug}/{name}"] = made.id
        return int(made.id)

    async def account(self, name: str, *, demonstration: bool = True) -> int:
        made = await Account.create(name=name, created_at=self.past, demonstration=demonstration)
        self.keys["Account", name] = made.id
        return int(made.id)

    async def owner(self, slug: str, number: int, building: int, area: int) -> int:
        """A resident with one dwelling; the key of the unit."""
        community = self.keys["Community", slug]
        unit = await Unit.create(
            community_id=community, building_id=building, name=f"{number:03}室", kind=UnitKind.DWELLING,
            area=area, status=DeliveryStatus.DELIVERED,
        )  # fmt: skip
        party = await OwnerParty.create(community_id=community, kind=PartyKind.OWNERS)
        account = await self.account(f"{slug}/resident-{number}")
        await CoOwner.create(party_id=party.id, account_id=account, since=self.past)
        await Ownership.create(unit_id=unit.id, party_id=party.id, since=self.past)
        self.keys["OwnerParty", f"{slug}/resident-{number}"] = party.id
        return int(unit.id)

    async def staff(self, slug: str, name: str, role: Role, kind: OrganizationKind) -> None:
        community = self.keys["Community", slug]
        organization = await Organization.create(
            community_id=community, kind=kind, name=name, since=self.past
        )
        account = await self.account(f"{slug}/{name}")
        await RoleGrant.create(
            account_id=account, community_id=community, organization_id=organization.id, role=role,
            since=self.past,
        )  # fmt: skip
        self.keys["Organization", f"{slug}/{name}"] = organization.id

    async def vote(self, name: str, slug: str, opens: datetime, days: int, *asked: NewQuestion) -> int:
        """A vote, opened if its time has come."""
        consultation = asked[0].matter is Matter.CONSULTATION
        vote = await announce_vote(
            SYSTEM, opens - 20 * DAY, self.keys["Community", slug],
            convener=self.keys["Organization", f"{slug}/committee"], title=f"表决 {name}",
            description="说明", form=VoteForm.CONSULTATION if consultation else VoteForm.STATUTORY_LOCAL,
            opens_at=opens, closes_at=opens + days * DAY, questions=asked, revisable=consultation,
        )  # fmt: skip
        if opens <= self.now:
            await open_vote(SYSTEM, opens, vote)
        self.keys["Vote", name] = vote
        for index, question in enumerate((await questions_of([vote]))[vote]):
            self.keys["Question", f"{name}/{index}"] = question.id
        return vote

    async def event(self, name: str, slug: str, starts: datetime, published: datetime) -> None:
        self.keys["Event", name] = await publish_event(
            await self.viewer(f"{slug}/committee"), published, self.keys["Community", slug],
            title=f"活动 {name}", description="每家一道菜", place="中心花园", starts_at=starts,
            ends_at=starts + timedelta(hours=3), sign_up_closes_at=None, capacity=8, max_party_size=4,
            potluck=True,
        )  # fmt: skip

    async def notice(self, name: str, slug: str) -> None:
        self.keys["Notice", name] = await publish_notice(
            await self.viewer(f"{slug}/committee"), self.now - DAY, self.keys["Community", slug],
            kind=NoticeKind.NOTICE, title=f"公告 {name}", body="第一行\n第二行",
        )  # fmt: skip

    async def entry(self, name: str, slug: str, direction: Direction, category: Category, fen: int) -> None:
        self.keys["Entry", name] = await record_entry(
            await self.viewer(f"{slug}/manager"), self.now - DAY, self.keys["Community", slug],
            date=(self.now - 40 * DAY).date(), direction=direction, category=category, item=f"账 {name}",
            amount=fen, authority_clause="业主大会决议",
        )  # fmt: skip

    async def spring(self) -> None:
        await self.community("spring", "春风里", public=True)
        first, second = await self.building("spring", "1幢", 1), await self.building("spring", "2幢", 2)
        units = [
            await self.owner("spring", number, first if number < 5 else second, 8_000 + number)
            for number in range(1, 7)
        ]
        tenant, guardian = await self.account("spring/tenant"), await self.account("spring/guardian")
        await self.account("spring/registered", demonstration=False)
        await Tenancy.create(unit_id=units[0], account_id=tenant, since=self.past)
        for number in (5, 6):
            party = self.keys["OwnerParty", f"spring/resident-{number}"]
            await CoOwner.create(party_id=party, account_id=guardian, since=self.past)
        await self.staff("spring", "committee", Role.COMMITTEE, OrganizationKind.OWNERS_COMMITTEE)
        await self.staff("spring", "manager", Role.PROPERTY_MANAGER, OrganizationKind.PROPERTY_SERVICE)

        pump = NewQuestion("换水泵", "费用两万", QuestionKind.RESOLUTION, Matter.USE_FUND)
        lift = NewQuestion("2幢修电梯", "", QuestionKind.RESOLUTION, Matter.USE_FUND, building=second)
        options = [("PARK", "花园"), ("POOL", "泳池"), ("GYM", "健身房")]
        wish = NewQuestion(
            "想要什么",
            "",
            QuestionKind.SURVEY,
            Matter.CONSULTATION,
            options,
            max_choices=2,
            accepts_text=True,
        )
        closed = await self.vote("closed", "spring", self.now - 40 * DAY, 20, pump)
        for number, choice in ((1, "FOR"), (2, "FOR"), (3, "FOR"), (4, "AGAINST")):
            await cast_ballot(
                await self.viewer(f"spring/resident-{number}"), self.now - 30 * DAY, closed,
                answers=[Answered(self.keys["Question", "closed/0"], (choice,))],
            )  # fmt: skip
        await close_vote(SYSTEM, self.now - 19 * DAY, closed)
        await self.vote("coming", "spring", self.now + 10 * DAY, 10, pump)
        await self.vote("survey", "spring", self.now - 3 * DAY, 10, wish)
        await self.vote("open", "spring", self.now - 2 * DAY, 10, pump, lift)
        await self.event("past", "spring", self.now - 20 * DAY, self.now - 30 * DAY)
        await self.event("picnic", "spring", self.now + 2 * DAY, self.now - DAY)
        await self.notice("water", "spring")
        await self.entry("rent", "spring", Direction.INCOME, Category.ADVERTISING, 214_560)
        await self.entry("slip", "spring", Direction.EXPENSE, Category.AUDIT, 5)
        await self.entry("audit", "spring", Direction.EXPENSE, Category.AUDIT, 50_000)
        self.keys["Entry", "back"] = await reverse_entry(
            await self.viewer("spring/manager"), self.now, self.keys["Entry", "slip"], reason="记错了"
        )

    async def quiet(self) -> None:
        await self.community("quiet", "静园", public=False)
        building = await self.building("quiet", "1幢", 1)
        for number in (1, 2):
            await self.owner("quiet", number, building, 10_000)
        await self.staff("quiet", "committee", Role.COMMITTEE, OrganizationKind.OWNERS_COMMITTEE)
        await self.staff("quiet", "manager", Role.PROPERTY_MANAGER, OrganizationKind.PROPERTY_SERVICE)
        gate = NewQuestion("修大门", "", QuestionKind.RESOLUTION, Matter.USE_FUND)
        await self.vote("quiet", "quiet", self.now - 2 * DAY, 10, gate)
        await self.event("tea", "quiet", self.now + 2 * DAY, self.now - DAY)
        await self.notice("gate", "quiet")
        await self.entry("quiet", "quiet", Direction.INCOME, Category.INTEREST, 100)


# Engines


@pytest.fixture(autouse=True)
def _no_words_of_the_other_engine() -> None:
    """Tortoise keeps its statements by table, in the words of the engine it spoke to first."""
    EXECUTOR_CACHE.clear()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL of this test run's own, gone with it."""
    with running_postgres() as postgres:
        yield postgres


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with running(Redis(tmp_path_factory.mktemp("redis"))) as redis:
        yield redis


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_redis(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres, redis_server: Redis
) -> Engine:
    return Engine(tmp_path_factory.mktemp("postgres"), postgres_server.url, redis_server.url)


@pytest.fixture(scope="session", params=["sqlite", "postgres-redis"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each in turn."""
    found: Engine = request.getfixturevalue(request.param.replace("-", "_"))
    return found


@cache  # of pytest each engine's turn would build it anew
def _town(engine: Engine) -> Town:
    async def build() -> Town:
        made = Town(engine, await engine.database(), datetime.now(UTC).replace(microsecond=0))
        async with opened_alone(made.url):
            await migrate(made.url)
            await _Builder(made).fill()
        return made

    return asyncio.run(build())


@pytest.fixture(scope="session")
def town(engine: Engine) -> Town:
    """The template; whoever writes takes a copy (`town_url`, `house`, `server`)."""
    return _town(engine)


@pytest.fixture
def town_url(town: Town) -> Iterator[str]:
    """The address of a copy of this test's own."""
    with town.engine.lent(town.url) as url:
        yield url


@pytest.fixture
def new_url(engine: Engine) -> Iterator[str]:
    """The address of a database that nobody has migrated."""
    with engine.lent() as url:
        yield url


# Statements


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that reads, as it is sent."""
    sent: list[str] = []

    def noted(real: Any) -> Any:
        async def read(self: Any, query: str, values: Any = None) -> Any:
            sent.append(query)
            return await real(self, query, values)

        return read

    for client, name in (
        (OneWriterClient, "_read"),
        (AsyncpgDBClient, "execute_query"),
        (AsyncpgDBClient, "execute_query_dict"),
    ):
        monkeypatch.setattr(client, name, noted(getattr(client, name)))
    return sent


# The schema


class House:
    """The schema over an open database, without HTTP."""

    def __init__(self, town: Town, broker: Broker) -> None:
        self.town, self.now = replace(town, tokens=dict(town.tokens)), town.now
        self.told: list[Signal] = []
        self.broker = broker
        self.sources = LiveSources(broker)

    async def viewer(self, who: str | None) -> Person:
        return NOBODY if who is None else await viewer_of(self.town.tokens[who], self.now) or NOBODY

    async def context(self, who: str | None = None) -> Context:
        return Context(lambda: self.now, self.sources, await self.viewer(who))

    async def result(self, query: str, who: str | None = None, **variables: Any) -> Any:
        return await graphql_schema.execute(
            query, variable_values=variables, context_value=await self.context(who)
        )

    async def ask(self, query: str, who: str | None = None, **variables: Any) -> Any:
        """The data of an answer without errors."""
        result = await self.result(query, who, **variables)
        assert not result.errors, result.errors
        return result.data

    async def refused(self, query: str, who: str | None = None, **variables: Any) -> str:
        """The code of the only error."""
        (error,) = (await self.result(query, who, **variables)).errors
        assert error.extensions["zh"]
        assert error.extensions["en"]
        return str(error.extensions["code"])

    @asynccontextmanager
    async def watch(
        self, query: str, who: str | None = None, context: Context | None = None, **variables: Any
    ) -> AsyncIterator[Callable[[], Any]]:
        """A subscription; call what it gives for the next result."""
        stream: Any = await graphql_schema.subscribe(query, variables, context or await self.context(who))

        async def following() -> Any:
            async with asyncio.timeout(PATIENCE):
                return await anext(stream)

        try:
            yield following
        finally:
            await stream.aclose()


@pytest.fixture
async def house(town: Town, town_url: str) -> AsyncIterator[House]:
    async with opened_alone(town_url), town.engine.brokers() as (publishing, receiving):
        house = House(town, receiving)
        stops = [publish_through(house.told.extend), publish_through(publishing.publish)]
        yield house
        await all_done()
        for stop in stops:
            stop()


# A server


class Socket:
    """A client that speaks graphql-transport-ws one message at a time."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self) -> Any:
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self.connection.recv())

    async def init(self, **payload: Any) -> None:
        await self.send(type="connection_init", payload=payload)
        assert (await self.receive())["type"] == "connection_ack"

    async def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        await self.send(type="subscribe", id=id_, payload={"query": query, "variables": variables})

    async def until_closed(self) -> int:
        """The code with which the other side closes; what comes before is thrown away."""
        with suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE):
                while True:
                    await self.connection.recv()
        return int(self.connection.close_code)


class Server:
    """`meilin serve` as a process of its own, over a database that tests may also open."""

    def __init__(self, town: Town, database_url: str, port: int, log: Path) -> None:
        self.town, self.database_url, self.port, self._log = town, database_url, port, log
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx2.Client(base_url=self.url, timeout=PATIENCE)
        self.process: subprocess.Popen[bytes]

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def bearer(self, who: str | None) -> dict[str, str]:
        return {} if who is None else {"authorization": f"Bearer {self.town.tokens[who]}"}

    def metrics(self) -> str:
        """What it tells Prometheus."""
        response = self.client.get("/metrics", headers=TRUSTED)
        assert response.status_code == 200
        return response.text

    def post(self, query: str, who: str | None = None, **variables: Any) -> Any:
        """The whole answer to a GraphQL request, as JSON."""
        body = {"query": query, "variables": variables}
        return self.client.post("/graphql", json=body, headers=self.bearer(who)).json()

    @asynccontextmanager
    async def connection(self, **headers: str) -> AsyncIterator[Socket]:
        """An open socket on which nothing was said yet."""
        async with connect(
            f"ws://127.0.0.1:{self.port}/graphql",
            subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
            additional_headers=headers,
            open_timeout=PATIENCE,
            close_timeout=1,
        ) as connection:
            yield Socket(connection)

    @asynccontextmanager
    async def socket(self, who: str | None = None, **headers: str) -> AsyncIterator[Socket]:
        async with self.connection(**headers) as socket:
            await socket.init(**({} if who is None else {"Authorization": f"Bearer {self.town.tokens[who]}"}))
            yield socket


def meilin(*arguments: str, **environment: str) -> dict[str, Any]:
    """How a command of the house is started as a process."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEILIN_")}
    return {
        "args": [sys.executable, "-c", "from api.cli import main; main()", *arguments],
        "cwd": ROOT,
        "env": clean | {"PYTHONPATH": str(ROOT)} | environment,
    }


def _ready(server: Server, process: "subprocess.Popen[bytes]") -> bool:
    """False where the process ended instead, as it does when somebody else was given its port."""
    end = time.monotonic() + 60
    while process.poll() is None:
        if time.monotonic() > end:
            raise TimeoutError(server.log())
        with suppress(httpx2.TransportError):
            if server.client.get("/health/ready").json()["status"] == "ok":  # with its line to Redis
                return True
        time.sleep(0.05)
    return False


@contextmanager
def served(
    town: Town, url: str, folder: Path, program: Sequence[str] | None = None, **environment: str
) -> Iterator[Server]:
    """A server of its own over a database; `program`: what runs it instead of `meilin serve`."""
    environment = town.engine.environment(url) | environment
    for attempt in range(3):
        server = Server(town, url, free_port(), folder / f"log-{attempt}")
        environment = {"MEILIN_PUBLIC_URL": server.url, "MEILIN_METRICS_TOKEN": METRICS_TOKEN} | environment
        with Path(server._log).open("wb") as log:
            command = meilin("serve", "--port", str(server.port), **environment)
            command |= {} if program is None else {"args": [*program, "--port", str(server.port)]}
            process = server.process = subprocess.Popen(**command, stdout=log, stderr=log)
        try:
            if _ready(server, process):
                yield server
                return
        finally:
            server.client.close()
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
    raise RuntimeError(server.log())


@pytest.fixture(scope="module")
def server(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of a module."""
    with town.engine.lent(town.url) as url, served(town, url, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def serve(town: Town, town_url: str) -> Callable[..., Any]:
    """For a test that needs a server of its own: `with serve(folder, MEILIN_…=…) as server`."""

    def start(folder: Path, program: Sequence[str] | None = None, **environment: str) -> Any:
        return served(town, town_url, folder, program, **environment)

    return start


@pytest.fixture(scope="session")
def command() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `meilin …` as a process of its own, to its end; `prepared`: what starting one takes."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            **meilin(*arguments, **environment),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    run.prepared = meilin  # type: ignore[attr-defined]
    return run
