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

from community.actions import found_community
from community.errors import ErrorCode, Refused
from community.members.actions import NewParty, add_co_owners, enter_owners, open_accounts, transfer_units
from community.members.reads import person_of
from community.permissions import SYSTEM, Person
from community.places.actions import (
    NewCommunity,
    NewUnit,
    enter_buildings,
    enter_organizations,
    enter_units,
)
from community.places.rules import FIRST_PROFILE, DeliveryStatus, OrganizationKind, UnitKind
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
from community.votes.file_count import RefusedBallot, count_file
from community.votes.files import DEVELOPER, FileBallot, Party, VoteFile, read
from community.votes.lifecycle import counted_from
from community.votes.models import Count, CountResult, Vote
from community.votes.progress import developer_of, progress_of
from community.votes.reads import own_entries, questions_of, vote_row
from community.votes.recount import recount, totals_differ
from community.votes.roll import RollUnit, form_roll
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
    number = next(_numbers)
    # Whoever is not on the roll may know of the vote.
    new = NewCommunity(f"file-{number}", "x", "x", 1, profile=replace(FIRST_PROFILE, public_reading=True))
    community = await found_community(SYSTEM, ANNOUNCED, new)
    (committee,) = await enter_organizations(
        SYSTEM, ANNOUNCED, community, [(OrganizationKind.OWNERS_COMMITTEE, "x")]
    )
    (building,) = await enter_buildings(SYSTEM, ANNOUNCED, community, ["1"])
    units = await enter_units(
        SYSTEM,
        ANNOUNCED,
        community,
        [NewUnit(building, unit.unit[:32], unit.kind, unit.area, unit.status) for unit in file.units],
    )
    held: dict[Party, list[int]] = {DEVELOPER: []}
    for key, unit in zip(units, file.units, strict=True):
        held.setdefault(unit.owner, []).append(key)
    names = sorted(set().union(*held, *(ballot.by.split("+") for ballot in file.ballots)))
    opened = await open_accounts(SYSTEM, ANNOUNCED, [f"{number}/{index}" for index, _ in enumerate(names)])
    accounts = dict(zip(names, opened, strict=True))
    parties = {DEVELOPER: await developer_of(community)}
    await transfer_units(SYSTEM, ANNOUNCED, parties[DEVELOPER], held.pop(DEVELOPER))
    await add_co_owners(SYSTEM, ANNOUNCED, parties[DEVELOPER], [accounts[name] for name in DEVELOPER])
    sold = [NewParty(own, [accounts[name] for name in owners]) for owners, own in held.items()]
    parties |= dict(zip(held, await enter_owners(SYSTEM, ANNOUNCED, community, sold), strict=True))
    return Estate(community, committee, parties, accounts)


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


async def serve(file: VoteFile, vote: int, estate: Estate) -> None:
    """Whom the ballots reached, and what silence counts as: no vote may be announced so yet."""
    rules = file.rules
    await Vote.filter(id=vote).update(silence=rules.silence, silence_floor=rules.silence_floor)
    roll = form_roll(file.units, DEVELOPER, parking_counts=rules.parking_counts)
    meant = (
        [owners for owners in roll if owners == frozenset(by.split("+"))]
        or [owners for owners in roll if by in owners]
        for by in file.served
    )
    parties = {estate.parties[found[0]] for found in meant if len(found) == 1}  # else it may mean several
    await record_service(SYSTEM, OPENS, vote, [Service(party, "签收", OPENS) for party in parties])


async def the_house_counts_as_the_file_says(file: VoteFile) -> None:
    expected = count_file(file)
    pending = expected.tally.outcome and Outcome.PENDING
    estate = await estate_of(file)
    vote = await announced(file, estate)
    await serve(file, vote, estate)
    (question,) = (await questions_of([vote]))[vote]

    outcomes = [await cast(ballot, vote, question.id, estate) for ballot in file.ballots]
    refused = [RefusedBallot(index, code) for index, code in enumerate(outcomes) if code]
    assert tuple(refused) == expected.refused
    assert await live(vote) == replace(expected.tally, outcome=pending)

    await close_vote(SYSTEM, counted_from(CLOSES), vote)
    assert await live(vote) == expected.tally
    result = await CountResult.get(question_id=question.id)
    assert result.outcome == expected.tally.outcome
    assert (await Count.get(vote_id=vote)).sequence == len(file.ballots) - len(refused)
    assert await recount(vote) == []


async def live(vote: int) -> Tally:
    progress = await progress_of(vote)
    (question,) = progress.questions
    assert progress.eligible == question.tally.eligible
    if (await vote_row(vote)).silence is Silence.ABSENT:
        assert progress.participating == question.tally.participating
    assert await totals_differ(vote) == []
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


@pytest.mark.parametrize("path", BY_FILE, ids=lambda path: path.stem)
async def test_every_worked_count_comes_out_of_the_house_too(database: str, path: Path) -> None:
    await the_house_counts_as_the_file_says(read(path))


def test_some_of_them_count_silence_and_most_do_not() -> None:
    assert 20 < len([path for path in BY_FILE if read(path).rules.silence is Silence.ABSENT]) < len(BY_FILE)
