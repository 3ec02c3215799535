import re
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from community.ledger.actions import NewEntry, record_entries
from community.ledger.rules import Category, Direction
from community.permissions import SYSTEM
from community.votes.actions import NewQuestion, announce_vote, cast_ballot, close_vote, open_vote
from community.votes.casting import Answered, QuestionKind, VoteForm
from community.votes.reads import questions_of
from community.votes.rules import Matter
from schema.nodes import to_id
from schema.schema import graphql_schema
from tests.world.books import entry_of_before

DAY = timedelta(days=1)

BOOK = """{ community(slug: "spring") { ledger { balance
  month { month opening income expense closing entryCount categories { direction category amount } }
  months { month opening closing }
  entries { edges { node { number item amount balance direction category authorityClause date
    reverses { number } authorityVote { id } } } } } } }"""

REVERSE = (
    'mutation($id: ID!) { reverseEntry(entryId: $id, reason: "记错了") { amount balance reverses { id } } }'
)


async def test_the_book_adds_up_in_decimal_strings(house: Any) -> None:
    book = (await house.ask(BOOK))["community"]["ledger"]
    assert book["balance"] == "1645.60"
    entries = [edge["node"] for edge in book["entries"]["edges"]]
    assert [(entry["number"], entry["amount"], entry["balance"]) for entry in entries] == [
        (4, "-0.05", "1645.60"),
        (3, "500.00", "1645.55"),
        (2, "0.05", "2145.55"),
        (1, "2145.60", "2145.60"),
    ]
    assert entries[0]["reverses"] == {"number": 2}
    assert entries[3]["authorityClause"] == "业主大会决议"

    newest, *_, oldest = book["months"]
    assert (oldest["opening"], newest["closing"]) == ("0.00", "1645.60")
    assert {month["month"] for month in book["months"]} >= {str(entry["date"])[:7] for entry in entries}
    for later, earlier in zip(book["months"], book["months"][1:], strict=False):
        assert later["opening"] == earlier["closing"]
    assert book["month"]["month"] == newest["month"]


async def test_a_month_is_asked_for_by_its_name(house: Any) -> None:
    query = """query($month: String) { community(slug: "spring") { ledger {
      month(month: $month) { month entryCount income expense }
      entries(month: $month) { edges { node { number } } } } } }"""
    month = (await house.ask(BOOK))["community"]["ledger"]["months"][-1]["month"]
    book = (await house.ask(query, month=month))["community"]["ledger"]
    assert book["month"] == {"month": month, "entryCount": 3, "income": "2145.60", "expense": "500.05"}
    assert [edge["node"]["number"] for edge in book["entries"]["edges"]] == [3, 2, 1]
    empty = (await house.ask(query, month="1999-01"))["community"]["ledger"]
    assert empty == {"month": None, "entries": {"edges": []}}
    for wrong in ("1999", "1999-13", "x"):
        result = await house.result(query, month=wrong)
        assert {error.extensions["code"] for error in result.errors} == {"INVALID_INPUT"}


@pytest.mark.parametrize("who", [None, "spring/resident-1"])
async def test_a_closed_book_is_null_for_strangers(house: Any, who: str | None) -> None:
    query = '{ community(slug: "quiet") { ledger { balance } } }'
    assert await house.ask(query, who) == {"community": None}
    assert (await house.ask(query, "quiet/resident-1"))["community"]["ledger"] == {"balance": "1.00"}


async def test_an_entry_is_taken_back_once_and_by_bookkeepers_only(house: Any) -> None:
    audit = house.town.id("Entry", "audit")
    assert await house.refused(REVERSE, "spring/resident-1", id=audit) == "FORBIDDEN"
    assert await house.refused(REVERSE, "quiet/manager", id=audit) == "FORBIDDEN"
    assert await house.refused(REVERSE, id=audit) == "UNAUTHENTICATED"
    assert house.told == []
    back = (await house.ask(REVERSE, "spring/manager", id=audit))["reverseEntry"]
    assert back == {"amount": "-500.00", "balance": "2145.60", "reverses": {"id": audit}}
    assert await house.refused(REVERSE, "spring/manager", id=audit) == "ENTRY_REVERSED"
    assert await house.refused(REVERSE, "spring/manager", id="x") == "INVALID_ID"


RECORD = """mutation($community: ID!, $entry: EntryInput!, $key: String) {
  recordEntry(communityId: $community, entry: $entry, key: $key) { id number authorityVote { title } } }"""


def local(house: Any) -> datetime:
    """The town's clock, by which a reversal is dated."""
    return cast(datetime, house.now.astimezone(ZoneInfo("Asia/Shanghai")))


async def voted(house: Any, matter: Matter, choice: str) -> int:
    """A vote of all six households that was counted."""
    town, opens = house.town, house.now - 40 * DAY
    asked = NewQuestion("换水泵", "", QuestionKind.RESOLUTION, matter)
    vote = await announce_vote(
        SYSTEM, opens - 20 * DAY, town.key("Community", "spring"),
        convener=town.key("Organization", "spring/committee"), title="换水泵", description="",
        form=VoteForm.STATUTORY_LOCAL, opens_at=opens, closes_at=opens + 20 * DAY, questions=[asked],
    )  # fmt: skip
    await open_vote(SYSTEM, opens, vote)
    (question,) = (await questions_of([vote]))[vote]
    for number in range(1, 7):
        voter = await house.viewer(f"spring/resident-{number}")
        await cast_ballot(voter, opens + DAY, vote, answers=[Answered(question.id, (choice,))])
    await close_vote(SYSTEM, opens + 21 * DAY, vote)
    return vote


def recording(house: Any, vote: str, **fields: Any) -> dict[str, Any]:
    entry = {
        "date": "2026-01-31", "direction": "EXPENSE", "category": "REPAIR_UPGRADE", "item": "水泵",
        "amount": "100.00", "authorityVoteId": vote,
    }  # fmt: skip
    return {"community": house.town.id("Community", "spring"), "entry": entry | fields}


async def test_an_entry_names_the_vote_that_allows_it(house: Any) -> None:
    vote = to_id("Vote", await voted(house, Matter.SPEND_INCOME, "FOR"))
    variables = recording(house, vote) | {"key": "k"}
    made = (await house.ask(RECORD, "spring/manager", **variables))["recordEntry"]
    assert (made["number"], made["authorityVote"]) == (5, {"title": "换水泵"})
    assert (await house.ask(RECORD, "spring/manager", **variables))["recordEntry"] == made
    elsewhere = recording(house, house.town.id("Vote", "quiet"))
    assert await house.refused(RECORD, "spring/manager", **elsewhere) == "INVALID_INPUT"
    for amount in ("0.00", "-1.00"):
        wrong = recording(house, vote, amount=amount)
        assert await house.refused(RECORD, "spring/manager", **wrong) == "INVALID_INPUT"


async def test_a_vote_that_was_not_adopted_allows_nothing_and_says_why(house: Any) -> None:
    town = house.town
    for_another = to_id("Vote", await voted(house, Matter.USE_FUND, "FOR"))
    failed = to_id("Vote", await voted(house, Matter.SPEND_INCOME, "AGAINST"))
    said = {}
    for vote in (failed, for_another, *(town.id("Vote", name) for name in ("open", "coming", "survey"))):
        result = await house.result(RECORD, "spring/manager", **recording(house, vote))
        (error,) = result.errors
        assert error.extensions["code"] == "AUTHORITY_INVALID"
        assert error.extensions["field"] == "entry.authorityVoteId"
        said[vote] = error.extensions["zh"]
    assert "没有通过" in said[failed]
    assert "使用共有收入" in said[for_another]
    clause = recording(house, failed, authorityVoteId=None, authorityClause="议事规则第九条")
    assert (await house.ask(RECORD, "spring/manager", **clause))["recordEntry"]["number"] == 5


OLD = """query($id: ID!) { node(id: $id) { ... on Entry {
  authorityVote { title } authorityFault recordedBy
  reversedBy { number reverses { number } authorityFault } } } }"""


async def test_what_stands_wrongly_in_an_old_book_is_shown_as_such(house: Any) -> None:
    town, day = house.town, (house.now - 2 * DAY).date()
    manager, spring = town.key("Account", "spring/manager"), town.key("Community", "spring")
    failed, adopted = [await voted(house, Matter.SPEND_INCOME, choice) for choice in ("AGAINST", "FOR")]
    for vote, fault in (
        (failed, "NOT_ADOPTED"),
        (town.key("Vote", "closed"), "OTHER_MATTER"),
        (town.key("Vote", "survey"), "CONSULTATION"),
        (adopted, None),
    ):
        entry = await entry_of_before(spring, vote, day, house.now, recorded_by=manager)
        id_ = to_id("Entry", entry)
        found = (await house.ask(OLD, id=id_))["node"]
        assert (found["authorityFault"], found["recordedBy"]) == (fault, "PROPERTY_SERVICE")
        back = (await house.ask(REVERSE, "spring/manager", id=id_))["reverseEntry"]
        assert back["reverses"] == {"id": id_}
        taken_back = (await house.ask(OLD, id=id_))["node"]
        own = (await house.ask("query($id: ID!) { node(id: $id) { ... on Entry { number } } }", id=id_))[
            "node"
        ]
        assert taken_back["reversedBy"]["reverses"] == own
        assert taken_back["reversedBy"]["authorityFault"] is None


async def test_a_month_says_what_of_it_was_reversed(house: Any) -> None:
    query = """query($month: String) { community(slug: "spring") { ledger {
      month(month: $month) { expense expenseReversed expenseReversals incomeReversed incomeReversals
        categories { category amount reversed reversals } }
      years { year firstMonth lastMonth expense expenseReversed expenseReversals closing entryCount } } } }"""
    then, today = (house.now - 40 * DAY).strftime("%Y-%m"), local(house).strftime("%Y-%m")
    book = (await house.ask(query, month=then))["community"]["ledger"]
    kept = {"incomeReversed": "0.00", "incomeReversals": "0.00"}
    assert book["month"].pop("categories") == [
        {"category": "ADVERTISING", "amount": "2145.60", "reversed": "0.00", "reversals": "0.00"},
        {"category": "AUDIT", "amount": "500.05", "reversed": "0.05", "reversals": "0.00"},
    ]
    assert (
        book["month"] == {"expense": "500.05", "expenseReversed": "0.05", "expenseReversals": "0.00"} | kept
    )
    later = (await house.ask(query, month=today))["community"]["ledger"]["month"]
    assert later.pop("categories") == [
        {"category": "AUDIT", "amount": "-0.05", "reversed": "0.00", "reversals": "-0.05"}
    ]
    assert later == {"expense": "-0.05", "expenseReversed": "0.00", "expenseReversals": "-0.05"} | kept
    assert sum(year["entryCount"] for year in book["years"]) == 4
    assert (book["years"][0]["lastMonth"], book["years"][-1]["firstMonth"]) == (today, then)
    assert book["years"][0]["closing"] == "1645.60"


async def test_months_of_long_ago_are_reached(house: Any) -> None:
    old = [
        NewEntry(date(year, 6, 18), Direction.INCOME, Category.OTHER, "旧账", 100)
        for year in (1999, 2010, 2020)
    ]
    await record_entries(SYSTEM, house.now, house.town.key("Community", "spring"), old)
    query = """query($before: String) { community(slug: "spring") { ledger {
      months(first: 100, before: $before) { month closing } years { year closing } } } }"""
    found: list[dict[str, str]] = []
    while True:
        before = found[-1]["month"] if found else None
        page = (await house.ask(query, before=before))["community"]["ledger"]
        if not page["months"]:
            break
        found += page["months"]
    names = [month["month"] for month in found]
    assert names == sorted(set(names), reverse=True)
    assert (names[-1], found[-1]["closing"]) == ("1999-06", "1.00")
    today = local(house)
    assert [year["year"] for year in page["years"]] == list(range(today.year, 1998, -1))
    assert len(names) == 12 * (today.year - 1999) + today.month - 5
    for wrong in ("1999", "2026-13", ""):
        (error,) = (await house.result(query, before=wrong)).errors
        assert (error.extensions["code"], error.extensions["field"]) == ("INVALID_INPUT", "before")


async def test_a_cursor_behind_no_entry_of_this_book_is_refused(house: Any) -> None:
    query = """query($slug: String!, $after: String) { community(slug: $slug) { ledger {
      entries(first: 4, after: $after) { edges { cursor node { number } } } } } }"""
    edges = (await house.ask(query, slug="spring"))["community"]["ledger"]["entries"]["edges"]
    end = (await house.ask(query, slug="spring", after=edges[-1]["cursor"]))["community"]["ledger"]["entries"]
    assert end == {"edges": []}
    latest = next(edge["cursor"] for edge in edges if edge["node"]["number"] == 4)
    who = "quiet/resident-1"  # whose book has one entry
    assert await house.refused(query, who, slug="quiet", after=latest) == "CURSOR_INVALID"


async def test_the_schema_says_how_often_the_bulletin_tells_of_the_book() -> None:
    types = graphql_schema.core.type_map
    kinds, ledger = types["BulletinKind"].values, types["Ledger"].fields
    for said in (
        kinds["LEDGER_PUBLISHED"].description,
        ledger["entries"].description,
        types["Community"].fields["bulletin"].description,
        types["Subscription"].fields["bulletin"].description,
        types["Mutation"].fields["recordEntry"].description,
    ):
        assert re.search(r"\bday\b", said)


BALANCE = "subscription($id: ID!) { ledgerBalance(communityId: $id) { communityId version balance } }"


async def test_a_watcher_sees_the_balance_and_then_each_newer_one(house: Any) -> None:
    spring = house.town.id("Community", "spring")
    async with house.watch(BALANCE, id=spring) as following:
        first = (await following()).data["ledgerBalance"]
        assert first == {"communityId": spring, "version": 4, "balance": "1645.60"}
        await house.ask(REVERSE, "spring/manager", id=house.town.id("Entry", "audit"))
        second = (await following()).data["ledgerBalance"]
        assert second == {"communityId": spring, "version": 5, "balance": "2145.60"}
    assert house.sources.watchers == 0


@pytest.mark.parametrize("who", [None, "spring/resident-1"])
async def test_the_balance_of_a_closed_book_is_not_watched(house: Any, who: str | None) -> None:
    async with house.watch(BALANCE, who, id=house.town.id("Community", "quiet")) as following:
        (error,) = (await following()).errors
    assert error.extensions["code"] == "NOT_FOUND"


ENTRIES = """subscription($id: ID!, $after: String) { ledgerEntries(communityId: $id, after: $after) {
  cursor node { number amount balance reverses { number reversedBy { number } } } } }"""
LISTED = """query($first: Int, $after: String) { community(slug: "spring") { ledger {
  entries(first: $first, after: $after) { edges { cursor node { number } } } } } }"""


async def test_whoever_follows_the_book_sees_each_entry_once_and_reversals_with_what_they_take_back(
    house: Any,
) -> None:
    spring, town = house.town.id("Community", "spring"), house.town
    edges = (await house.ask(LISTED))["community"]["ledger"]["entries"]["edges"]
    cursors = {edge["node"]["number"]: edge["cursor"] for edge in edges}
    async with house.watch(ENTRIES, id=spring, after=cursors[2]) as following:
        seen = [(await following()).data["ledgerEntries"] for _ in range(2)]
        await house.ask(REVERSE, "spring/manager", id=town.id("Entry", "audit"))
        seen.append((await following()).data["ledgerEntries"])
    assert [edge["node"]["number"] for edge in seen] == [3, 4, 5]
    assert [edge["cursor"] for edge in seen[:2]] == [cursors[3], cursors[4]]
    assert seen[2]["node"] == {
        "number": 5, "amount": "-500.00", "balance": "2145.60",
        "reverses": {"number": 3, "reversedBy": {"number": 5}},
    }  # fmt: skip
    below = (await house.ask(LISTED, after=seen[2]["cursor"]))["community"]["ledger"]["entries"]["edges"]
    assert 5 not in [edge["node"]["number"] for edge in below]
    assert below
    assert house.sources.watchers == 0


async def test_a_cursor_of_a_month_resumes_no_book(house: Any) -> None:
    month = (await house.ask(BOOK))["community"]["ledger"]["months"][-1]["month"]
    query = LISTED.replace("first: $first", f'first: $first, month: "{month}"')
    (edge, *_) = (await house.ask(query))["community"]["ledger"]["entries"]["edges"]
    async with house.watch(
        ENTRIES, id=house.town.id("Community", "spring"), after=edge["cursor"]
    ) as following:
        (error,) = (await following()).errors
    assert error.extensions["code"] == "CURSOR_INVALID"
