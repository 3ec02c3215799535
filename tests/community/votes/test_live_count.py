"""The live tally equals the count of the same file.

A vote file is built up as an estate, its ballots are cast one by one as their owners would on the page, and
at every stage the house says what `count_file` says.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.transactions import in_transaction

from community.errors import ErrorCode, Refused
from community.members.models import Account, CoOwner, OwnerParty, Ownership
from community.members.reads import person_of
from community.members.rules import PartyKind
from community.permissions import SYSTEM, Person
from community.places.models import Building, Community, CommunityProfile, Organization, Unit
from community.places.rules import DeliveryStatus, OrganizationKind, UnitKind
from community.votes.actions import NewQuestion, announce_vote, cast_ballot, close_vote, open_vote
from community.votes.casting import Answered, QuestionKind, VoteForm
from community.votes.file_count import RefusedBallot, count_file
from community.votes.files import DEVELOPER, FileBallot, Party, VoteFile, read
from community.votes.lifecycle import counted_from
from community.votes.models import QuestionResult
from community.votes.progress import progress_of
from community.votes.reads import own_entries, questions_of, vote_row
from community.votes.recount import recount
from community.votes.roll import RollUnit
from community.votes.rules import CountingRules, FollowMajority, Matter, Option, Outcome, Silence, Tally

ANNOUNCED = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
OPENS = ANNOUNCED + timedelta(days=16)
CLOSES = OPENS + timedelta(days=7)
BY_FILE = sorted((Path(__file__).parents[2] / "vectors").glob("*.json"))

_numbers = count(1)


@pytest.fixture
def url(sqlite_url: str) -> str:
    """One engine is enough: how ballots are summed is proved on both elsewhere."""
    return sqlite_url


@dataclass(frozen=True)
class Estate:
    """A community in which the parties of a vote file live."""

    community: int
    committee: int
    parties: dict[Party, int]
    accounts: dict[str, int]


async def estate_of(file: VoteFile) -> Estate:
    async with in_transaction():
        number = next(_numbers)
        community = await Community.create(
            slug=f"file-{number}", name="x", address="x", households=1, created_at=ANNOUNCED
        )
        await CommunityProfile.create(
            community_id=community.id, version=1, public_reading=True, time_zone="Asia/Shanghai",
            notice_days=15, window_days_least=5, window_days_most=60, since=ANNOUNCED,
        )  # fmt: skip
        committee = await Organization.create(
            community_id=community.id, kind=OrganizationKind.OWNERS_COMMITTEE, name="x", since=ANNOUNCED
        )
        building = await Building.create(community_id=community.id, name="1", position=1)
        parties = dict.fromkeys((DEVELOPER, *(unit.owner for unit in file.units)), 0)
        names = set().union(*parties, *(ballot.by.split("+") for ballot in file.ballots))
        accounts = {
            name: int((await Account.create(name=f"{number}/{name}", created_at=ANNOUNCED)).id)
            for name in sorted(names)
        }
        for owners in parties:
            kind = PartyKind.DEVELOPER if owners == DEVELOPER else PartyKind.OWNERS
            parties[owners] = (await OwnerParty.create(community_id=community.id, kind=kind)).id
            await CoOwner.bulk_create(
                CoOwner(party_id=parties[owners], account_id=accounts[name], since=ANNOUNCED)
                for name in owners
            )
        for unit in file.units:
            row = await Unit.create(
                community_id=community.id, building_id=building.id, name=unit.unit[:32], area=unit.area,
                kind=unit.kind, status=unit.status,
            )  # fmt: skip
            await Ownership.create(unit_id=row.id, party_id=parties[unit.owner], since=ANNOUNCED)
    return Estate(community.id, committee.id, parties, accounts)


async def announced(file: VoteFile, estate: Estate) -> int:
    consulting = file.matter is Matter.CONSULTATION
    vote = await announce_vote(
        SYSTEM, ANNOUNCED, estate.community,
        convener=estate.committee, title="x", description="",
        form=VoteForm.CONSULTATION if consulting else VoteForm.STATUTORY_LOCAL,
        opens_at=OPENS, closes_at=CLOSES,
        questions=[NewQuestion("x", "", QuestionKind.RESOLUTION, file.matter)],
        parking_counts=file.rules.parking_counts, follow_majority=file.rules.follow_majority,
    )  # fmt: skip
    await open_vote(SYSTEM, OPENS, vote)
    return vote


async def cast(ballot: FileBallot, vote: int, question: int, estate: Estate) -> ErrorCode | None:
    """As somebody does on the page: looks for whom to vote, then casts; the refusal, if there is one."""
    names = ballot.by.split("+")
    account = estate.accounts[names[0]]
    row = await vote_row(vote)
    meant = estate.parties.get(frozenset(names))
    own = {entry.party for entry in await own_entries(Person(account), row, OPENS)}
    if meant not in own and len(names) > 1:
        return ErrorCode.NOT_ON_ROLL  # some of several co-owners are no party one could vote for
    viewer = await person_of(account, OPENS)
    party = meant if meant in own else None
    try:
        await cast_ballot(viewer, OPENS, vote, answers=[Answered(question, [ballot.choice])], party=party)
    except Refused as refusal:
        # A name that may mean several parties is not told apart in a file; a person is asked which one.
        return ErrorCode.NOT_ON_ROLL if refusal.code is ErrorCode.PARTY_REQUIRED else refusal.code
    return None


async def the_house_counts_as_the_file_says(file: VoteFile) -> None:
    expected = count_file(file)
    pending = expected.tally.outcome and Outcome.PENDING
    estate = await estate_of(file)
    vote = await announced(file, estate)
    (question,) = (await questions_of([vote]))[vote]

    outcomes = [await cast(ballot, vote, question.id, estate) for ballot in file.ballots]
    refused = [RefusedBallot(index, code) for index, code in enumerate(outcomes) if code]
    assert tuple(refused) == expected.refused
    assert await live(vote) == replace(expected.tally, outcome=pending)

    await close_vote(SYSTEM, counted_from(CLOSES), vote)
    assert await live(vote) == expected.tally
    result = await QuestionResult.get(question_id=question.id)
    assert (result.outcome, result.sequence) == (expected.tally.outcome, len(file.ballots) - len(refused))
    assert await recount(vote) == []


async def live(vote: int) -> Tally:
    progress = await progress_of(vote)
    (question,) = progress.questions
    assert progress.eligible == question.tally.eligible
    assert progress.participating == question.tally.participating
    return question.tally


NAMES = [*"ABCD", "DEVELOPER"]
STRANGER = "Z"

parties = st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=2)
units = st.lists(
    st.tuples(
        parties,
        st.integers(1, 30_000),
        st.sampled_from([UnitKind.DWELLING, UnitKind.DWELLING, UnitKind.SHOP, UnitKind.PARKING]),
        st.sampled_from([DeliveryStatus.DELIVERED, DeliveryStatus.DELIVERED, *DeliveryStatus]),
    ),
    min_size=1,
    max_size=9,
)
ballots = st.lists(
    st.builds(
        FileBallot,
        by=st.frozensets(st.sampled_from([*NAMES, STRANGER]), min_size=1, max_size=2).map(
            lambda names: "+".join(sorted(names))
        ),
        choice=st.sampled_from(Option),
    ),
    max_size=12,
)
files = st.builds(
    lambda matter, parking, follow, units, ballots: VoteFile(
        title="x",
        matter=matter,
        rules=CountingRules(parking_counts=parking, follow_majority=follow),
        units=tuple(
            RollUnit(str(index), owner, area, kind, status)
            for index, (owner, area, kind, status) in enumerate(units)
        ),
        ballots=tuple(ballots),
        served=(),
    ),
    st.sampled_from(Matter),
    st.booleans(),
    st.sampled_from(FollowMajority),
    units,
    ballots,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(file=files)
async def test_any_vote_file_cast_through_the_house_gives_the_same_count(
    database: str, file: VoteFile
) -> None:
    await the_house_counts_as_the_file_says(file)


CAST = [path for path in BY_FILE if read(path).rules.silence is Silence.ABSENT]


@pytest.mark.parametrize("path", CAST, ids=lambda path: path.stem)
async def test_every_worked_count_comes_out_of_the_house_too(database: str, path: Path) -> None:
    await the_house_counts_as_the_file_says(read(path))


def test_the_rest_counts_silence_which_no_vote_may_yet() -> None:
    assert 20 < len(CAST) < len(BY_FILE)
