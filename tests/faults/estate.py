"""A community with one statutory vote open."""

import secrets
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from community.actions import found_community
from community.database.migrate import migrate
from community.members.actions import NewParty, NewRole, enter_owners, give_roles, open_accounts
from community.members.models import Session
from community.members.reads import hash_of
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Role
from community.places.actions import (
    NewCommunity,
    NewUnit,
    enter_buildings,
    enter_organizations,
    enter_units,
)
from community.places.models import Organization
from community.places.rules import OrganizationKind, Profile, UnitKind
from community.votes.actions import NewQuestion, announce_vote, open_vote
from community.votes.casting import QuestionKind, VoteForm
from community.votes.reads import questions_of
from community.votes.rules import Matter
from tests.engines import connect_to, opened_alone, rows
from tests.faults.servers import DAY


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
        new = NewCommunity(
            "estate", "美哉美城", "杭州市萧山区", parties, profile=Profile(1, True), demonstration=True
        )
        community = self.community = await found_community(SYSTEM, past, new)
        (building,) = await enter_buildings(SYSTEM, past, community, ["1幢"])
        (committee,) = await enter_organizations(
            SYSTEM, past, community, [(OrganizationKind.OWNERS_COMMITTEE, "业委会")]
        )
        (chair,) = await open_accounts(SYSTEM, past, ["estate/committee"], demonstration=True)
        await give_roles(SYSTEM, past, community, [NewRole(chair, Role.COMMITTEE, committee)])
        accounts = await open_accounts(SYSTEM, past, [f"estate/resident-{n}" for n in range(parties)])
        homes = [
            NewUnit(building, f"{index:04}室", UnitKind.DWELLING, 8_000 + index) for index in range(parties)
        ]
        units = await enter_units(SYSTEM, past, community, homes)
        owners = await enter_owners(
            SYSTEM,
            past,
            community,
            [NewParty([unit], [account]) for unit, account in zip(units, accounts, strict=True)],
        )
        tokens = [secrets.token_urlsafe(16) for _ in accounts]
        self.tokens = dict(zip(owners, tokens, strict=True))
        self.areas = {party: home.area for party, home in zip(owners, homes, strict=True)}
        self.chair = secrets.token_urlsafe(16)
        await Session.bulk_create(
            Session(
                hash=hash_of(token), account_id=account, kind=SessionKind.TOKEN, created_at=past,
                expires_at=past + 800 * DAY,
            )
            for account, token in [*zip(accounts, tokens, strict=True), (chair, self.chair)]
        )  # fmt: skip
