"""A small town: 春风里 (`spring`) may be read by everybody, 静园 (`quiet`) only by its own people."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from community.actions import found_community
from community.database.migrate import migrate
from community.members.actions import (
    NewParty,
    NewRole,
    add_co_owners,
    enter_owners,
    enter_tenancies,
    give_roles,
    open_accounts,
    open_session,
)
from community.members.reads import person_of
from community.members.rules import SessionKind
from community.permissions import CITY, SYSTEM, Person, Role
from community.places.actions import (
    NewCommunity,
    NewUnit,
    enter_buildings,
    enter_organizations,
    enter_units,
)
from community.places.rules import OrganizationKind, Profile, UnitKind
from community.votes.actions import NewQuestion, announce_vote, cast_ballot, close_vote, open_vote
from community.votes.casting import Answered, QuestionKind, VoteForm
from community.votes.reads import questions_of
from community.votes.rules import Matter
from community.votes.scope import of_buildings
from schema.nodes import to_id
from tests.engines import Engine, opened_alone
from tests.examples import examples

DAY = timedelta(days=1)


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
        regulator = await self.account("city/regulator")
        await give_roles(SYSTEM, self.past, CITY, [NewRole(regulator, Role.REGULATOR)])
        for kind, name in self.keys:
            if kind == "Account":
                self.town.tokens[name] = await open_session(
                    SYSTEM, self.now, name, kind=SessionKind.TOKEN, lifetime=30 * DAY
                )

    async def viewer(self, name: str) -> Person:
        account = self.keys["Account", name]
        return await person_of(account, self.now)

    async def community(self, slug: str, name: str, *, public: bool) -> int:
        new = NewCommunity(
            slug, name, "杭州市萧山区", 6, profile=Profile(1, public_reading=public), demonstration=True
        )
        made = await found_community(SYSTEM, self.past, new)
        self.keys["Community", slug] = made
        return made

    async def building(self, slug: str, name: str) -> int:
        (made,) = await enter_buildings(SYSTEM, self.past, self.keys["Community", slug], [name])
        self.keys["Building", f"{slug}/{name}"] = made
        return made

    async def account(self, name: str, *, demonstration: bool = True) -> int:
        (made,) = await open_accounts(SYSTEM, self.past, [name], demonstration=demonstration)
        self.keys["Account", name] = made
        return made

    async def owner(self, slug: str, number: int, building: int, area: int) -> int:
        """A resident with one dwelling; the key of the unit."""
        community = self.keys["Community", slug]
        home = NewUnit(building, f"{number:03}室", UnitKind.DWELLING, area)
        (unit,) = await enter_units(SYSTEM, self.past, community, [home])
        account = await self.account(f"{slug}/resident-{number}")
        (party,) = await enter_owners(SYSTEM, self.past, community, [NewParty([unit], [account])])
        self.keys["OwnerParty", f"{slug}/resident-{number}"] = party
        return unit

    async def staff(self, slug: str, name: str, role: Role, kind: OrganizationKind) -> None:
        community = self.keys["Community", slug]
        (organization,) = await enter_organizations(SYSTEM, self.past, community, [(kind, name)])
        account = await self.account(f"{slug}/{name}")
        await give_roles(SYSTEM, self.past, community, [NewRole(account, role, organization)])
        self.keys["Organization", f"{slug}/{name}"] = organization

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

    async def spring(self) -> None:
        await self.community("spring", "春风里", public=True)
        first, second = await self.building("spring", "1幢"), await self.building("spring", "2幢")
        units = [
            await self.owner("spring", number, first if number < 5 else second, 8_000 + number)
            for number in range(1, 7)
        ]
        tenant, guardian = await self.account("spring/tenant"), await self.account("spring/guardian")
        await self.account("spring/registered", demonstration=False)
        await enter_tenancies(SYSTEM, self.past, self.keys["Community", "spring"], [(units[0], tenant)])
        for number in (5, 6):
            party = self.keys["OwnerParty", f"spring/resident-{number}"]
            await add_co_owners(SYSTEM, self.past, party, [guardian])
        await self.staff("spring", "committee", Role.COMMITTEE, OrganizationKind.OWNERS_COMMITTEE)
        await self.staff("spring", "manager", Role.PROPERTY_MANAGER, OrganizationKind.PROPERTY_SERVICE)

        pump = NewQuestion("换水泵", "费用两万", QuestionKind.RESOLUTION, Matter.USE_FUND)
        lift = NewQuestion(
            "2幢修电梯", "", QuestionKind.RESOLUTION, Matter.USE_FUND, scope=of_buildings(second)
        )
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
        await self.settle("spring")

    async def quiet(self) -> None:
        await self.community("quiet", "静园", public=False)
        building = await self.building("quiet", "1幢")
        for number in (1, 2):
            await self.owner("quiet", number, building, 10_000)
        await self.staff("quiet", "committee", Role.COMMITTEE, OrganizationKind.OWNERS_COMMITTEE)
        await self.staff("quiet", "manager", Role.PROPERTY_MANAGER, OrganizationKind.PROPERTY_SERVICE)
        gate = NewQuestion("修大门", "", QuestionKind.RESOLUTION, Matter.USE_FUND)
        await self.vote("quiet", "quiet", self.now - 2 * DAY, 10, gate)
        await self.settle("quiet")

    async def settle(self, slug: str) -> None:
        """What each topic has there (`tests/topics/`); votes, which others name, stand here."""
        for topic in examples().values():
            await topic.settle(self, slug)


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
