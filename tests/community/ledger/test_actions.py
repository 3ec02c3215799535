import asyncio
from contextvars import Context
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from tortoise.transactions import in_transaction

from community.bulletin.reads import items_page
from community.database import journal
from community.database.journal import News
from community.database.sql import lock_exclusive
from community.errors import Forbidden, InvalidInput, KeyReused, NotFound, Unauthenticated
from community.ledger.actions import NewEntry, record_entries, record_entry, reverse_entry
from community.ledger.models import Entry
from community.ledger.reads import Balance, balance_of, check_books, entries_page, entry_row
from community.ledger.rules import AuthorityInvalid, Category, Direction, EntryReversed
from community.permissions import NOBODY, SYSTEM, Role
from community.places.rules import OrganizationKind
from community.signals import Signal
from community.votes.casting import QuestionKind, VoteForm
from community.votes.facts import VOTE_CLOSED
from community.votes.lifecycle import VoteStep
from community.votes.models import (
    Count,
    CountResult,
    Question,
    Vote,
    VoteScopePart,
    VoteScopeRecord,
)
from community.votes.reads import vote_row
from community.votes.rules import Matter, Outcome, Silence
from tests.facts import written
from tests.steps import take
from tests.world.books import entry_of_before

INCOME, EXPENSE = Direction.INCOME, Direction.EXPENSE
TODAY = date(2026, 5, 20)
ADVERT = {
    "date": TODAY,
    "direction": INCOME,
    "category": Category.ADVERTISING,
    "item": " 电梯广告五月 ",
    "amount": 328_171,
}
REPAIR = {
    "date": TODAY,
    "direction": EXPENSE,
    "category": Category.REPAIR_UPGRADE,
    "item": "南门地库坡道改造",
    "amount": 100_000,
}


async def vote_in(
    community: int,
    convener: int,
    now: datetime,
    matter: Matter = Matter.SPEND_INCOME,
    outcome: Outcome | None = Outcome.ADOPTED,
    *,
    building: int | None = None,
    opened: timedelta = timedelta(days=30),
    annulled: bool = False,
) -> int:
    """One that opened so long ago, for ten days; counted where it has an outcome."""
    consultation, opens = matter is Matter.CONSULTATION, now - opened
    counted = opens + timedelta(days=11)
    vote = await Vote.create(
        community_id=community, convener_id=convener, title="坡道改造", description="",
        form=VoteForm.CONSULTATION if consultation else VoteForm.STATUTORY_LOCAL, profile_version=1,
        silence=Silence.ABSENT, announced_at=opens - timedelta(days=20), opens_at=opens,
        closes_at=opens + timedelta(days=10),
    )  # fmt: skip
    await take(vote.id, VoteStep.ANNOUNCED, VoteStep.OPENED, at=opens)
    if outcome or consultation:
        await take(vote.id, VoteStep.CLOSED, VoteStep.COUNTED, at=counted)
        await Count.create(vote_id=vote.id, number=1, sequence=0, at=counted)
    if annulled:
        await take(vote.id, VoteStep.ANNULLED, at=now)
    await ask(vote.id, matter, outcome, building=building)
    return int(vote.id)


async def ask(vote: int, matter: Matter, outcome: Outcome | None, building: int | None = None) -> None:
    community = (await vote_row(vote)).community_id
    scope = await VoteScopeRecord.create(community_id=community)
    part = {"building_id": building} if building else {"community_id": community}
    await VoteScopePart.create(scope_id=scope.id, **part)
    question = await Question.create(
        vote_id=vote, scope_id=scope.id, position=await Question.filter(vote_id=vote).count(), title="坡道",
        description="", kind=QuestionKind.RESOLUTION, matter=matter,
    )  # fmt: skip
    if outcome:
        await CountResult.create(
            count_id=(await Count.get(vote_id=vote)).id, question_id=question.id, outcome=outcome,
            participating_heads=1, participating_area=1, agreeing_heads=1, agreeing_area=1, choices="{}",
        )  # fmt: skip


async def test_entries_stand_in_a_chain(estate: Any, now: datetime, told: list[Signal]) -> None:
    vote = await vote_in(estate.community, estate.committee, now)
    first = await record_entry(estate.manager, now, estate.community, **ADVERT, counterparty=" 某广告 ")
    second = await record_entry(
        estate.chair,
        now,
        estate.community,
        **REPAIR,
        voucher="记-5",
        authority_vote=vote,
        authority_clause=" ",
    )

    newest, oldest = (await entries_page(estate.community, 10)).rows
    assert (oldest.id, oldest.number, oldest.amount, oldest.balance) == (first, 1, 328_171, 328_171)
    assert (oldest.item, oldest.counterparty, oldest.voucher) == ("电梯广告五月", "某广告", None)
    assert (newest.id, newest.number, newest.amount, newest.balance) == (second, 2, 100_000, 228_171)
    assert (newest.voucher, newest.authority_vote, newest.authority_clause) == ("记-5", vote, None)
    assert (newest.recorded_at, newest.reverses) == (now, None)
    written = await Entry.get(id=first).values("recorded_by_id")
    assert written == {"recorded_by_id": estate.manager.account}
    assert told.count(Signal("ledger", estate.community)) == 2


async def test_the_bulletin_says_once_a_local_day_that_the_book_grew(estate: Any, now: datetime) -> None:
    midnight = datetime.fromisoformat("2026-05-21T00:00:00+08:00").astimezone(now.tzinfo)
    instants = [now, now + timedelta(hours=1), midnight - timedelta(seconds=1), midnight, midnight]
    for at in instants:
        entry = await record_entry(estate.manager, at, estate.community, **ADVERT)
    await reverse_entry(estate.manager, midnight + timedelta(hours=1), entry, reason="记重了")

    items = (await items_page(estate.community, 10)).rows
    assert [(item.kind, item.subject, item.at) for item in items] == [
        ("LEDGER_PUBLISHED", estate.community, midnight),
        ("LEDGER_PUBLISHED", estate.community, now),
    ]


async def test_today_is_the_day_of_the_community(estate: Any, now: datetime) -> None:
    late = datetime.fromisoformat("2026-05-21T00:30:00+08:00").astimezone(now.tzinfo)  # still the 20th in UTC
    tomorrow = ADVERT | {"date": date(2026, 5, 21)}
    await record_entry(estate.manager, late, estate.community, **tomorrow)
    with pytest.raises(InvalidInput, match="future"):
        await record_entry(estate.manager, late - timedelta(hours=1), estate.community, **tomorrow)


async def test_a_mistake_is_taken_back_whole_by_another_entry(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    await record_entry(estate.manager, now, estate.community, **ADVERT)
    wrong = await record_entry(
        estate.manager,
        now,
        estate.community,
        **REPAIR | {"date": date(2026, 4, 2)},
        authority_clause="议事规则第9条",
    )
    told.clear()
    back = await reverse_entry(estate.chair, now, wrong, reason=" 金额写错 ")

    row = (await entries_page(estate.community, 1)).rows[0]
    assert (row.id, row.number, row.reverses, row.date) == (back, 3, wrong, TODAY)
    assert (row.direction, row.category, row.amount) == (EXPENSE, Category.REPAIR_UPGRADE, -100_000)
    assert (row.item, row.authority_clause, row.balance) == ("冲正：金额写错", "议事规则第9条", 328_171)
    assert told == [Signal(topic, estate.community) for topic in ("ledger", "entries", "board")]
    assert await check_books(estate.community) == []

    undone = await entry_row(wrong)
    assert (undone.reversed_by, undone.reverses) == (back, None)
    assert ((await entry_row(back)).reversed_by, (await entry_row(back)).reverses) == (None, wrong)

    for entry in (wrong, back):
        with pytest.raises(EntryReversed):
            await reverse_entry(estate.chair, now, entry, reason="再来一次")
    assert await balance_of(estate.community) == Balance(estate.community, version=3, balance=328_171)


@pytest.mark.parametrize("reason", [" ", "错" * 101, "a\nb"])
async def test_a_reversal_says_why(estate: Any, now: datetime, reason: str) -> None:
    entry = await record_entry(estate.manager, now, estate.community, **ADVERT)
    with pytest.raises(InvalidInput):
        await reverse_entry(estate.manager, now, entry, reason=reason)
    assert await Entry.all().count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"category": Category.AUDIT},
        {"date": date(2026, 5, 21)},
        {"item": ""},
        {"item": "项" * 121},
        {"counterparty": "方" * 121},
        {"voucher": "号" * 65},
        {"authority_clause": "条" * 201},
        {"authority_vote": 1},
    ],
)
async def test_a_wrong_entry_is_not_written(
    estate: Any, now: datetime, wrong: dict[str, Any], told: list[Signal]
) -> None:
    with pytest.raises(InvalidInput):
        await record_entry(estate.manager, now, estate.community, **ADVERT | wrong)
    assert await Entry.all().count() == 0
    assert await written() == 0
    assert not told


async def test_a_vote_of_elsewhere_allows_nothing(estate: Any, build: Any, now: datetime) -> None:
    elsewhere = await build.community()
    convener = await build.organization(elsewhere, OrganizationKind.OWNERS_COMMITTEE)
    vote = await vote_in(elsewhere, convener, now)
    with pytest.raises(InvalidInput, match="not one of this community"):
        await record_entry(estate.manager, now, estate.community, **REPAIR, authority_vote=vote)


EXPENSE_MATTER, INCOME_MATTER = Matter.SPEND_INCOME, Matter.CHANGE_COMMON_PARTS
VOTES_THAT_ALLOW_NOTHING = [
    ({"outcome": Outcome.NOT_ADOPTED}, "not adopted"),
    ({"outcome": Outcome.NO_QUORUM}, "too few owners"),
    ({"outcome": None, "opened": timedelta(days=-1)}, "not been counted"),  # announced
    ({"outcome": None, "opened": timedelta(days=1)}, "not been counted"),  # open
    ({"outcome": None}, "not been counted"),  # closed by the clock
    ({"annulled": True}, "annulled"),
    ({"matter": Matter.CONSULTATION, "outcome": None}, "opinions"),
    *[
        ({"matter": matter}, "no decision of all owners on spending")
        for matter in Matter
        if matter not in {EXPENSE_MATTER, Matter.CONSULTATION}
    ],
]


@pytest.mark.parametrize(("vote", "why"), VOTES_THAT_ALLOW_NOTHING)
async def test_a_vote_allows_an_expense_only_if_it_was_adopted(
    estate: Any, now: datetime, vote: dict[str, Any], why: str
) -> None:
    cited = await vote_in(estate.community, estate.committee, now, **vote)
    for clause in (None, "议事规则第9条"):
        with pytest.raises(AuthorityInvalid, match=why) as refused:
            await record_entry(
                estate.manager, now, estate.community, **REPAIR, authority_vote=cited, authority_clause=clause
            )
        assert refused.value.field == "entry.authorityVoteId"
    with pytest.raises(AuthorityInvalid, match=why):
        await record_entries(
            SYSTEM, now, estate.community, [NewEntry(**ADVERT), NewEntry(**REPAIR, authority_vote=cited)]
        )
    assert await Entry.all().count() == 0


async def test_a_vote_of_one_building_does_not_spend_the_money_of_all(estate: Any, now: datetime) -> None:
    vote = await vote_in(estate.community, estate.committee, now, building=estate.building)
    with pytest.raises(AuthorityInvalid, match="all owners"):
        await record_entry(estate.manager, now, estate.community, **REPAIR, authority_vote=vote)


async def test_earning_and_spending_are_allowed_by_different_matters(estate: Any, now: datetime) -> None:
    earning = await vote_in(estate.community, estate.committee, now, INCOME_MATTER)
    spending = await vote_in(estate.community, estate.committee, now, EXPENSE_MATTER)
    for entry, allowed, other in ((ADVERT, earning, spending), (REPAIR, spending, earning)):
        await record_entry(estate.manager, now, estate.community, **entry, authority_vote=allowed)
        with pytest.raises(AuthorityInvalid):
            await record_entry(estate.manager, now, estate.community, **entry, authority_vote=other)
    failed = await vote_in(estate.community, estate.committee, now, INCOME_MATTER, Outcome.NOT_ADOPTED)
    with pytest.raises(AuthorityInvalid, match="not adopted"):
        await record_entry(estate.manager, now, estate.community, **ADVERT, authority_vote=failed)


@pytest.mark.parametrize("spending", [Outcome.ADOPTED, Outcome.NOT_ADOPTED])
async def test_of_several_questions_the_one_on_the_money_decides(
    estate: Any, now: datetime, spending: Outcome
) -> None:
    vote = await vote_in(estate.community, estate.committee, now, Matter.REBUILD)
    await ask(vote, EXPENSE_MATTER, spending)
    recording = record_entry(estate.manager, now, estate.community, **REPAIR, authority_vote=vote)
    if spending is Outcome.ADOPTED:
        await recording
    else:
        with pytest.raises(AuthorityInvalid, match="not adopted"):
            await recording


async def test_an_old_entry_under_a_vote_that_failed_is_taken_back_like_any_other(
    estate: Any, now: datetime
) -> None:
    vote = await vote_in(estate.community, estate.committee, now, outcome=Outcome.NOT_ADOPTED)
    wrong = await entry_of_before(estate.community, vote, TODAY, now, fen=9_000_000)
    back = await reverse_entry(estate.chair, now, wrong, reason="表决没有通过")
    assert (await entry_row(back)).amount == -9_000_000
    assert await check_books(estate.community) == []


async def test_a_retry_finds_its_entry_whatever_became_of_the_vote(estate: Any, now: datetime) -> None:
    vote = await vote_in(estate.community, estate.committee, now)
    asked = {**REPAIR, "authority_vote": vote, "key": "k"}
    first = await record_entry(estate.manager, now, estate.community, **asked)
    await take(vote, VoteStep.ANNULLED, at=now)
    assert await record_entry(estate.manager, now, estate.community, **asked) == first


async def test_who_may_not_write_in_the_book(estate: Any, build: Any, now: datetime) -> None:
    entry = await record_entry(estate.manager, now, estate.community, **ADVERT)
    grid = await build.staff(estate.community, Role.GRID_WORKER, None)
    for viewer in (estate.owner, estate.tenant, estate.stranger, grid):
        refusal = NotFound if viewer is estate.stranger else Forbidden
        with pytest.raises(refusal):
            await record_entry(viewer, now, estate.community, **ADVERT)
        with pytest.raises(refusal):
            await reverse_entry(viewer, now, entry, reason="不认")
        with pytest.raises(refusal):
            await record_entries(viewer, now, estate.community, [])
    with pytest.raises(Unauthenticated):
        await record_entry(NOBODY, now, estate.community, **ADVERT)
    with pytest.raises(NotFound):
        await reverse_entry(estate.manager, now, 1, reason="没有这笔")
    assert await Entry.all().count() == 1


async def test_the_same_key_gives_the_first_entry_again(estate: Any, build: Any, now: datetime) -> None:
    tries = (record_entry(estate.manager, now, estate.community, **ADVERT, key="k") for _ in range(4))
    assert len(set(await asyncio.gather(*tries))) == 1
    assert await Entry.all().count() == 1
    elsewhere = await build.community()
    await build.role(estate.manager.account, elsewhere, Role.PROPERTY_MANAGER)
    both = await build.viewer(estate.manager.account)
    with pytest.raises(KeyReused):
        await record_entry(both, now, elsewhere, **ADVERT, key="k")


def test_what_a_client_says_of_an_entry_is_what_its_key_stands_for() -> None:
    """Another name more, and no key given before an update would be known after it."""
    assert list(NewEntry(**ADVERT, recorded_by=7).terms) == [
        "date", "direction", "category", "item", "amount", "counterparty", "voucher", "authority_vote",
        "authority_clause",
    ]  # fmt: skip


async def test_two_books_written_at_once_have_no_gap_and_add_up(
    estate: Any, build: Any, now: datetime
) -> None:
    elsewhere = await build.community()
    bookkeeper = await build.staff(elsewhere, Role.PROPERTY_MANAGER, None)
    writers = [
        (viewer, community)
        for _ in range(10)
        for viewer, community in ((estate.manager, estate.community), (bookkeeper, elsewhere))
    ]
    await asyncio.gather(
        *(record_entry(viewer, now, community, **ADVERT) for viewer, community in writers),
        *(record_entry(viewer, now, community, **REPAIR) for viewer, community in writers),
    )
    for community in (estate.community, elsewhere):
        numbers = [row.number for row in (await entries_page(community, 100)).rows]
        assert numbers == list(range(20, 0, -1))
        assert await check_books(community) == []
        assert await balance_of(community) == Balance(community, version=20, balance=10 * (328_171 - 100_000))
        assert len((await items_page(community, 10)).rows) == 1


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_an_entry_and_the_closing_of_its_vote_do_not_wait_for_each_other(
    url: str, estate: Any, now: datetime
) -> None:
    """A closing holds its vote and then wants the journal; an entry must not hold the journal meanwhile."""
    vote = await vote_in(estate.community, estate.committee, now)
    watcher = await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    async with asyncio.timeout(30):
        async with in_transaction():
            await lock_exclusive("vote", vote)
            entry = asyncio.create_task(
                record_entry(estate.manager, now, estate.community, **REPAIR, authority_vote=vote),
                context=Context(),
            )
            while not await watcher.fetchval(waiting):  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.01)
            await journal.write([News(VOTE_CLOSED, vote, estate.community)], now)
        await entry
    await watcher.close()
    assert await written() == 3


def two_years() -> list[NewEntry]:
    start = date(2024, 5, 1)
    return [
        NewEntry(start + timedelta(days=day), INCOME, Category.PARKING_COMMON, " 停车费 ", 50_000 + day)
        for day in range(700)
    ]


async def test_a_book_kept_elsewhere_is_taken_in_at_once(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    await record_entry(estate.manager, now, estate.community, **ADVERT)
    told.clear()
    head = await written()
    await record_entries(SYSTEM, now, estate.community, two_years())
    assert await Entry.all().count() == 701
    assert await check_books(estate.community) == []
    assert (await entries_page(estate.community, 2)).rows[1].item == "停车费"
    assert told == [Signal(topic, estate.community) for topic in ("ledger", "entries", "board")]
    assert await written() == head + 1
    await record_entries(SYSTEM, now, estate.community, two_years()[:2], posted=True)  # said today already
    assert await written() == head + 2
    tomorrow = now + timedelta(days=1)
    await record_entries(SYSTEM, tomorrow, estate.community, two_years()[:2], posted=True)
    assert await written() == head + 4
    assert (await Entry.filter(number=2).values("recorded_by_id")) == [{"recorded_by_id": None}]


async def test_a_book_with_one_slip_is_not_taken_in_at_all(estate: Any, now: datetime) -> None:
    entries = [*two_years(), NewEntry(TODAY, EXPENSE, Category.AUDIT, "审计", 0)]
    with pytest.raises(InvalidInput):
        await record_entries(SYSTEM, now, estate.community, entries)
    assert await Entry.all().count() == 0
    await record_entries(SYSTEM, now, estate.community, [])
    assert await Entry.all().count() == 0
