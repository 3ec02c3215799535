from collections import Counter, defaultdict
from datetime import datetime, timedelta

import pytest

from community.actions import found_community
from community.catalogue import catalogue
from community.database.due import due_now
from community.database.models import JournalRow
from community.events.models import Event, SignUp
from community.ledger.models import Entry
from community.ledger.reads import check_books, entries_page, resolutions_of
from community.ledger.rules import fault_of
from community.members.models import Account, CoOwner, OwnerParty, Ownership, RoleGrant, Tenancy
from community.members.rules import PartyKind
from community.permissions import SYSTEM, Role
from community.places.actions import NewCommunity
from community.places.models import Community, Organization, UnitState
from community.places.rules import DeliveryStatus, OrganizationKind, UnitKind
from community.votes.casting import VoteForm
from community.votes.counting import box_as_of, newest_sequence
from community.votes.models import BallotText, Counting, QuestionResult, Roll, Vote
from community.votes.recount import recount
from community.votes.rules import Outcome
from demo.estates import FAMILIAR
from demo.load import load
from demo.reads import community_of, loaded, names_in
from tests.engines import rows

# They share what is loaded once, which takes its time on a machine that has other things to do.
pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(600)]

SLUGS = ("meizai-meicheng", "zijin-xiyuan", "qiantang-shanshuiwan")
PARTIES = {"meizai-meicheng": 1651, "zijin-xiyuan": 2188, "qiantang-shanshuiwan": 1172}
OFFICES = {"developer", "committee", "manager", "grid", "branch", "clerk-1", "clerk-2"}

each_estate = pytest.mark.parametrize("slug", SLUGS)


async def _community(slug: str) -> int:
    found = await community_of(slug)
    assert found is not None
    community, demonstration = found
    assert demonstration
    return community


async def _open(community: int, now: datetime) -> list[Vote]:
    return await Vote.filter(community_id=community, opens_at__lte=now, closes_at__gt=now)


async def test_the_communities_are_those_of_the_article(loaded: datetime) -> None:
    estates = await Community.all().order_by("id").values_list("slug", "name", "households", "owner_cards")
    assert estates == [
        ("meizai-meicheng", "美哉美城", 1670, 1318),
        ("zijin-xiyuan", "紫金西苑", 2200, 2041),
        ("qiantang-shanshuiwan", "钱塘山水湾", 1180, 1046),
    ]
    kinds = await Organization.filter(community_id=await _community("zijin-xiyuan")).values_list(
        "kind", flat=True
    )
    assert OrganizationKind.MANAGEMENT_COMMITTEE in kinds
    assert OrganizationKind.OWNERS_COMMITTEE not in kinds


@each_estate
async def test_every_promised_account_is_there(loaded: datetime, slug: str) -> None:
    names = {
        name.removeprefix(f"{slug}/")
        for name in await Account.filter(name__startswith=f"{slug}/").values_list("name", flat=True)
    }
    residents = {f"resident-{number}" for number in range(1, PARTIES[slug] + 1)}
    assert residents | OFFICES <= names
    assert {f"tenant-{number}" for number in range(1, 31)} <= names
    others = names - residents - OFFICES
    assert all(name.startswith("tenant-") or name[:-2] in residents for name in others)


@each_estate
async def test_every_owner_party_has_somebody_who_can_sign_in(loaded: datetime, slug: str) -> None:
    community = await _community(slug)
    owners = OwnerParty.filter(community_id=community, kind=PartyKind.OWNERS)
    assert await owners.count() == PARTIES[slug]
    names = await names_in(community, slug)
    assert set(names.parties) == set(range(PARTIES[slug] + 1))
    assert len(set(names.parties.values())) == PARTIES[slug] + 1


async def test_the_city_has_its_two_offices(loaded: datetime) -> None:
    grants = await RoleGrant.filter(community_id=None).values_list("account__name", "role")
    assert sorted(grants) == [("city/integrator", Role.INTEGRATOR), ("city/regulator", Role.REGULATOR)]


@each_estate
async def test_the_committee_role_is_that_of_the_estate(loaded: datetime, slug: str) -> None:
    (role,) = await RoleGrant.filter(account__name=f"{slug}/committee").values_list("role", flat=True)
    assert role == (Role.MANAGEMENT_COMMITTEE if slug == "zijin-xiyuan" else Role.COMMITTEE)


@each_estate
async def test_the_familiar_own_one_home_and_have_done_nothing_yet(loaded: datetime, slug: str) -> None:
    community = await _community(slug)
    votes = [vote.id for vote in await _open(community, loaded)]
    for number in range(1, FAMILIAR + 1):
        (owner,) = await CoOwner.filter(account__name=f"{slug}/resident-{number}")
        assert await CoOwner.filter(party_id=owner.party_id).count() == 1
        (unit,) = await Ownership.filter(party_id=owner.party_id).values("unit_id", "unit__kind")
        state = await UnitState.get(unit_id=unit["unit_id"])
        assert (unit["unit__kind"], state.status) == (UnitKind.DWELLING, DeliveryStatus.DELIVERED)
        assert not await Counting.filter(vote_id__in=votes, party_id=owner.party_id).exists()
        assert not await SignUp.filter(account_id=owner.account_id).exists()


async def _parties_in(vote: int) -> int:
    return len((await box_as_of(vote, await newest_sequence(vote))).of_parties)


@each_estate
async def test_two_votes_are_open(loaded: datetime, slug: str) -> None:
    community = await _community(slug)
    by_form = {vote.form: vote for vote in await _open(community, loaded)}
    assert set(by_form) == {VoteForm.STATUTORY_LOCAL, VoteForm.CONSULTATION}
    statutory, survey = by_form[VoteForm.STATUTORY_LOCAL], by_form[VoteForm.CONSULTATION]
    assert not statutory.revisable
    assert survey.revisable
    heads = (await Roll.get(id=statutory.roll_id)).heads
    assert 0.28 < await _parties_in(statutory.id) / heads < 0.4
    assert 300 < await _parties_in(survey.id) < 700
    assert await BallotText.filter(question__vote_id=survey.id).exists()


@each_estate
async def test_votes_stand_in_every_state(loaded: datetime, slug: str) -> None:
    community = await _community(slug)
    assert await Vote.filter(community_id=community, opens_at__gt=loaded, opened_at=None).count() == 1
    results = QuestionResult.filter(question__vote__community_id=community)
    outcomes = Counter(await results.values_list("outcome", flat=True))
    assert outcomes[Outcome.ADOPTED] >= 4
    assert outcomes[Outcome.NOT_ADOPTED] >= 1
    assert outcomes[Outcome.NO_QUORUM] >= 1
    assert outcomes[None] == 2
    closed = Vote.filter(community_id=community, closes_at__lte=loaded)
    assert not await closed.filter(counted_at=None).exists()


@each_estate
async def test_every_authority_holds_and_every_line_names_its_party(loaded: datetime, slug: str) -> None:
    community = await _community(slug)
    cited = (
        await Entry.filter(community_id=community)
        .exclude(authority_vote_id=None)
        .values("direction", "authority_vote_id")
    )
    resolutions = await resolutions_of({row["authority_vote_id"] for row in cited})
    assert len(cited) > 20
    assert {fault_of(row["direction"], resolutions[row["authority_vote_id"]]) for row in cited} == {None}
    committee = OrganizationKind.OWNERS_COMMITTEE
    if slug == "zijin-xiyuan":
        committee = OrganizationKind.MANAGEMENT_COMMITTEE
    newest = (await entries_page(community, 100)).rows
    assert {row.recorded_for for row in newest} == {committee, OrganizationKind.PROPERTY_SERVICE}


async def test_every_closed_vote_recounts_alike(loaded: datetime) -> None:
    votes = await Vote.exclude(counted_at=None).values_list("id", flat=True)
    assert len(votes) >= 24
    for vote in votes:
        assert await recount(vote) == []


@each_estate
async def test_the_book_adds_up(loaded: datetime, slug: str) -> None:
    community = await _community(slug)
    assert await check_books(community) == []
    months: defaultdict[tuple[int, int], int] = defaultdict(int)
    for entry in await Entry.filter(community_id=community).order_by("number"):
        months[entry.date.year, entry.date.month] += 1
        assert entry.date < loaded.date()
        assert entry.balance > 0
    assert len(months) == 25
    assert all(15 <= number <= 28 for number in list(months.values())[:-1])
    assert months[2026, 10] >= 6
    assert await Entry.filter(community_id=community).exclude(reverses_id=None).count() == 1


async def test_attendance_is_what_the_sign_ups_say(loaded: datetime) -> None:
    seated: Counter[int] = Counter()
    for event, size in await SignUp.all().values_list("event_id", "party_size"):
        seated[event] += size
    events = await Event.all()
    assert {event.id: event.signed_up for event in events} == seated
    fair = next(event for event in events if event.title == "第四届美城美邻节")
    assert (fair.capacity, fair.signed_up) == (600, 487)


@each_estate
async def test_the_bulletin_was_written_in_the_order_of_time(loaded: datetime, slug: str) -> None:
    names = [fact.name for fact in catalogue().touching("bulletin")]
    items = JournalRow.filter(community_id=await _community(slug), fact__in=names).order_by("number")
    times = await items.values_list("at", flat=True)
    assert times == sorted(times)
    assert loaded - timedelta(days=2) < times[-1] < loaded


async def test_tenants_rent_what_somebody_owns(loaded: datetime) -> None:
    rented = await Tenancy.all().values_list("unit_id", flat=True)
    assert len(set(rented)) == len(rented) > 100


async def test_a_second_load_does_nothing(loaded_copy: datetime) -> None:
    before = await JournalRow.all().count()
    steps: list[tuple[str, int, int]] = []
    for later in (timedelta(0), timedelta(hours=3), timedelta(days=2)):
        await load(loaded_copy + later, lambda *step: steps.append(step))
    assert steps == []
    assert await JournalRow.all().count() == before


async def test_a_real_community_of_the_same_name_is_left_alone(empty: str, loaded_at: datetime) -> None:
    for slug in SLUGS:
        await found_community(SYSTEM, loaded_at, NewCommunity(slug, "同名", "萧山区", 3))
    steps: list[tuple[str, int, int]] = []
    await load(loaded_at, lambda *step: steps.append(step))
    assert steps == []
    assert (await Vote.all().count(), await Account.all().count()) == (0, 0)


async def _kept(url: str) -> dict[str, set[tuple[object, ...]]]:
    """Every row of what a load may not touch."""
    tables = ("vote", "question", "roll", "roll_entry", "ballot", "counting", "question_result",
              "event", "sign_up", "notice", "entry", "account", "unit", "journal")  # fmt: skip
    return {table: set(await rows(url, f"SELECT * FROM {table}")) for table in tables}


async def test_months_later_a_load_only_adds(loaded_copy: datetime, copy_url: str) -> None:
    before = await _kept(copy_url)
    later = loaded_copy + timedelta(days=140)
    steps: list[tuple[str, int, int]] = []
    await load(later, lambda *step: steps.append(step))
    after = await _kept(copy_url)
    assert all(kept <= after[table] for table, kept in before.items())
    assert after["account"] == before["account"]
    assert [done for _, done, _ in steps] == list(range(1, len(steps) + 1))
    assert {total for _, _, total in steps} == {len(steps)}
    for slug in SLUGS:
        community = await _community(slug)
        assert (await loaded(community, later)).complete
        fresh = [vote for vote in await _open(community, later) if vote.announced_at > loaded_copy]
        assert len(fresh) == 2
        assert "2027年第一季度满意度调查" in [vote.title for vote in fresh]
        assert await check_books(community) == []
        newest = await Entry.filter(community_id=community).order_by("-number").first()
        assert newest is not None
        assert newest.date > (later - timedelta(days=8)).date()


async def test_nothing_of_the_past_is_left_to_the_timers(loaded: datetime) -> None:
    assert await due_now(loaded + timedelta(hours=2)) == []
