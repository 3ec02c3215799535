from typing import Any

import pytest

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


async def test_an_entry_names_the_vote_that_allows_it(house: Any) -> None:
    entry = {
        "date": "2026-01-31", "direction": "EXPENSE", "category": "REPAIR_UPGRADE", "item": "水泵",
        "amount": "100.00", "authorityVoteId": house.town.id("Vote", "closed"),
    }  # fmt: skip
    variables = {"community": house.town.id("Community", "spring"), "entry": entry, "key": "k"}
    made = (await house.ask(RECORD, "spring/manager", **variables))["recordEntry"]
    assert (made["number"], made["authorityVote"]) == (5, {"title": "表决 closed"})
    assert (await house.ask(RECORD, "spring/manager", **variables))["recordEntry"] == made
    elsewhere = entry | {"authorityVoteId": house.town.id("Vote", "quiet")}
    wrong = variables | {"entry": elsewhere, "key": "other"}
    assert await house.refused(RECORD, "spring/manager", **wrong) == "INVALID_INPUT"
    for amount in ("0.00", "-1.00"):
        wrong = variables | {"entry": entry | {"amount": amount}, "key": None}
        assert await house.refused(RECORD, "spring/manager", **wrong) == "INVALID_INPUT"
