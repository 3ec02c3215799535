"""Households, votes and ballots in a few words."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from community.database.models import Due, IdempotencyRecord
from community.database.sql import select
from community.errors import Refused
from community.members.models import CoOwner, OwnerParty, Ownership, Representative
from community.members.rules import PartyKind
from community.permissions import SYSTEM, Person, Viewer
from community.places.models import Community, CommunityProfile, Unit
from community.places.rules import DeliveryStatus, UnitKind
from community.signals import Signal
from community.votes.actions import (
    NewQuestion,
    Service,
    announce_vote,
    cast_ballot,
    close_vote,
    open_vote,
    record_service,
)
from community.votes.casting import Answered, QuestionKind, VoteForm
from community.votes.lifecycle import counted_from
from community.votes.models import (
    Ballot,
    BallotChoice,
    BallotText,
    Contest,
    Count,
    Counting,
    CountResult,
    Question,
    Roll,
    RollEntry,
    RollUnit,
    Ruling,
    Total,
    Vote,
    VoteScopePart,
    VoteScopeRecord,
    VoteStepRecord,
)
from community.votes.reads import QuestionRow, questions_of
from community.votes.rules import Matter
from tests import facts
from tests.engines import tamper

ANNOUNCED = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
OPENS = ANNOUNCED + timedelta(days=16)
CLOSES = OPENS + timedelta(days=7)
COUNTED = counted_from(CLOSES)
DURING = OPENS + timedelta(days=1)
LONG_AGO = ANNOUNCED - timedelta(days=1000)

TABLES = (
    Vote, VoteStepRecord, VoteScopeRecord, VoteScopePart, Contest, Question, Roll, RollEntry, RollUnit,
    Ballot, BallotChoice, BallotText, Counting, Ruling, Total, Count, CountResult, IdempotencyRecord, Due,
)  # fmt: skip


@dataclass(frozen=True)
class Household:
    """An owner party with its unit and whoever belongs to it."""

    party: int
    unit: int
    members: tuple[Person, ...]
    seats: tuple[int, ...]

    @property
    def viewer(self) -> Person:
        return self.members[0]


class Poll:
    """Builds what a vote needs, through its actions wherever there is one."""

    announced_at, opens_at, closes_at, during, counted_at = ANNOUNCED, OPENS, CLOSES, DURING, COUNTED

    def __init__(self, build: Any, estate: Any, told: list[Signal], url: str) -> None:
        self.build = build
        self.estate = estate
        self._told = told
        self._url = url

    async def unit(
        self,
        area: int = 9_000,
        *,
        owner: int | None = None,
        building: int | None = None,
        kind: UnitKind = UnitKind.DWELLING,
        status: DeliveryStatus = DeliveryStatus.DELIVERED,
        since: datetime = LONG_AGO,
    ) -> int:
        """A unit, nobody's unless `owner` is given."""
        unit = await self.build.unit(
            self.estate.community, building or self.estate.building, area, status=status, since=since
        )
        await Unit.filter(id=unit).update(kind=kind)
        if owner is not None:
            await Ownership.create(unit_id=unit, party_id=owner, since=LONG_AGO)
        return int(unit)

    async def household(self, area: int = 9_000, members: int = 1, **unit: Any) -> Household:
        async with in_transaction():
            party = await OwnerParty.create(community_id=self.estate.community, kind=PartyKind.OWNERS)
            accounts = [await self.build.account() for _ in range(members)]
            seats = [
                await CoOwner.create(party_id=party.id, account_id=account, since=LONG_AGO)
                for account in accounts
            ]
            bought = await self.unit(area, owner=party.id, **unit)
            people = [await self.build.viewer(account) for account in accounts]
        return Household(party.id, bought, tuple(people), tuple(seat.id for seat in seats))

    async def households(self, number: int) -> list[Household]:
        return [await self.household(9_000 + index) for index in range(number)]

    async def developer(self) -> Household:
        """The developer with an account of its own and nothing sold yet."""
        party = await OwnerParty.get(community_id=self.estate.community, kind=PartyKind.DEVELOPER)
        account = await self.build.account()
        seat = await CoOwner.create(party_id=party.id, account_id=account, since=LONG_AGO)
        return Household(party.id, 0, (await self.build.viewer(account),), (seat.id,))

    async def names(self, household: Household, index: int) -> None:
        """The co-owners name one of them to vote."""
        await Representative.create(
            party_id=household.party, co_owner_id=household.seats[index], since=LONG_AGO
        )

    async def joins(self, viewer: Person, household: Household) -> None:
        """Somebody becomes a co-owner of one more party."""
        await CoOwner.create(party_id=household.party, account_id=viewer.account, since=LONG_AGO)

    async def leaves(self, household: Household, index: int, at: datetime) -> None:
        await CoOwner.filter(id=household.seats[index]).update(until=at)

    @staticmethod
    def resolution(**changed: Any) -> NewQuestion:
        terms: dict[str, Any] = {
            "title": "续聘物业",
            "description": "",
            "kind": QuestionKind.RESOLUTION,
            "matter": Matter.ENGAGE_PROVIDER,
        }
        return NewQuestion(**(terms | changed))

    @staticmethod
    def survey(**changed: Any) -> NewQuestion:
        terms: dict[str, Any] = {
            "title": "满意度",
            "description": "",
            "kind": QuestionKind.SURVEY,
            "matter": Matter.CONSULTATION,
            "choices": [("A", "好"), ("B", "中"), ("C", "差")],
        }
        return NewQuestion(**(terms | changed))

    def terms(self, *questions: NewQuestion, **changed: Any) -> dict[str, Any]:
        asked = questions or (self.resolution(),)
        consulting = all(question.matter is Matter.CONSULTATION for question in asked)
        return {
            "convener": self.estate.committee,
            "title": "表决",
            "description": "",
            "form": VoteForm.CONSULTATION if consulting else VoteForm.STATUTORY_LOCAL,
            "opens_at": OPENS,
            "closes_at": CLOSES,
            "questions": asked,
        } | changed

    async def announced(self, *questions: NewQuestion, **changed: Any) -> int:
        terms = self.terms(*questions, **changed)
        return await announce_vote(self.estate.chair, ANNOUNCED, self.estate.community, **terms)

    async def opened(self, *questions: NewQuestion, **changed: Any) -> int:
        vote = await self.announced(*questions, **changed)
        await self.open(vote)
        return vote

    async def open(self, vote: int) -> None:
        await open_vote(SYSTEM, OPENS, vote)

    async def closed(self, vote: int) -> None:
        await close_vote(SYSTEM, COUNTED, vote)

    async def questions(self, vote: int) -> list[QuestionRow]:
        return (await questions_of([vote]))[vote]

    async def answers(self, vote: int, *choices: str) -> list[Answered]:
        """The same to every question."""
        return [Answered(question.id, choices) for question in await self.questions(vote)]

    async def cast(
        self, viewer: Viewer, vote: int, *choices: str, at: datetime = DURING, **terms: Any
    ) -> int:
        answers = await self.answers(vote, *(choices or ("FOR",)))
        return await cast_ballot(viewer, at, vote, **({"answers": answers} | terms))

    async def serves(self, vote: int, *households: Household) -> None:
        await record_service(
            SYSTEM, OPENS, vote, [Service(home.party, "签收", OPENS) for home in households]
        )  # fmt: skip

    @staticmethod
    def answer(question: QuestionRow, *choices: str, text: str | None = None) -> Answered:
        return Answered(question.id, choices, text)

    async def names_of(self, *units: int) -> list[str]:
        return [str(name) for name in await Unit.filter(id__in=units).values_list("name", flat=True)]

    async def make_public(self) -> None:
        """The next version of the settings, in force at once."""
        await CommunityProfile.create(
            community_id=self.estate.community, version=2, public_reading=True, time_zone="Asia/Shanghai",
            notice_days=15, window_days_least=5, window_days_most=60, since=ANNOUNCED,
        )  # fmt: skip
        await Community.filter(id=self.estate.community).update(profile_version=2)

    async def sequences(self, vote: int) -> Sequence[int]:
        found = await Ballot.filter(vote_id=vote).order_by("sequence").values_list("sequence", flat=True)
        return [int(sequence) for sequence in found]

    async def written(self) -> list[int]:
        """How much stands written: a refused action leaves it as it was."""
        (totals,) = await select("SELECT COALESCE(SUM(heads), 0) + COALESCE(SUM(area), 0) AS sums FROM total")
        return [await table.all().count() for table in TABLES] + [await facts.written(), int(totals["sums"])]

    async def refuses(self, action: Awaitable[object], refusal: type[Refused]) -> None:
        """With exactly this refusal; then nothing is written and nothing told."""
        with pytest.raises(refusal) as caught:
            await self.changes_nothing(action)
        assert caught.type is refusal

    async def changes_nothing(self, action: Awaitable[object]) -> None:
        before, news = await self.written(), list(self._told)
        try:
            await action
        finally:
            assert (await self.written(), self._told) == (before, news)

    async def tamper(self, statement: str) -> None:
        await tamper(self._url, statement)
