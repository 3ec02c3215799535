"""The limits that a form reads are those that the actions hold."""

from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, get_named_type

from community.ledger.rules import Category
from community.votes.casting import LONGEST_TEXT
from schema.schema import graphql_schema

LIMITS = """{ limits { dish ballotText reason notice { title body }
  event { title place description capacity maxPartySize }
  entry { item counterparty voucher authorityClause reason amount date income expense } } }"""
DAY = timedelta(days=1)

NOTICE = """mutation($of: ID!, $input: NoticeInput!) {
  done: publishNotice(communityId: $of, notice: $input) { id title body } }"""
EVENT = """mutation($of: ID!, $input: EventInput!) { done: publishEvent(communityId: $of, event: $input) {
  id title place description maxPartySize attendance { capacity } } }"""
ENTRY = """mutation($of: ID!, $input: EntryInput!) { done: recordEntry(communityId: $of, entry: $input) {
  id item counterparty voucher authorityClause amount } }"""
REVERSE = (
    "mutation($of: ID!, $reason: String!) { done: reverseEntry(entryId: $of, reason: $reason) { item } }"
)
WITHDRAW = (
    "mutation($of: ID!, $reason: String!) {"
    " done: withdrawNotice(noticeId: $of, reason: $reason) { withdrawnReason } }"
)
SIGN_UP = "mutation($of: ID!, $dish: String!) { done: signUp(eventId: $of, dish: $dish) { dish } }"

FORMS = {"notice": ("NoticeInput", NOTICE), "event": ("EventInput", EVENT), "entry": ("EntryInput", ENTRY)}
TEXTS = [
    (form, name)
    for form, (kind, _) in FORMS.items()
    if isinstance(inputs := graphql_schema.core.type_map[kind], GraphQLInputObjectType)
    for name, field in inputs.fields.items()
    if get_named_type(field.type).name == "String"
]


def written(house: Any, form: str) -> dict[str, Any]:
    starts = house.now + 9 * DAY
    whole: dict[str, dict[str, Any]] = {
        "notice": {"title": "停水", "body": "周日"},
        "event": {
            "title": "茶", "place": "亭", "startsAt": starts.isoformat(),
            "endsAt": (starts + DAY / 9).isoformat(),
        },
        "entry": {
            "date": "2026-01-31", "direction": "EXPENSE", "category": "AUDIT", "item": "审计",
            "amount": "1.00",
        },
    }  # fmt: skip
    return whole[form]


async def write(house: Any, form: str, **changed: Any) -> Any:
    community = house.town.id("Community", "spring")
    given = {"of": community, "input": written(house, form) | changed}
    return await house.result(FORMS[form][1], "spring/committee", **given)


async def limits(house: Any) -> Any:
    return (await house.ask(LIMITS))["limits"]


def refused(result: Any, field: str) -> None:
    (error,) = result.errors
    assert (error.extensions["code"], error.extensions["field"]) == ("INVALID_INPUT", field)


@pytest.mark.parametrize(("form", "name"), TEXTS)
async def test_a_text_is_taken_whole_up_to_its_limit_and_refused_beyond(
    house: Any, form: str, name: str
) -> None:
    most = (await limits(house))[form][name]
    whole = "邻" * (most - 1) + "😀"
    done = await write(house, form, **{name: f" {whole}\n"})
    assert done.errors is None
    assert done.data["done"][name] == whole
    refused(await write(house, form, **{name: whole + "x"}), f"{form}.{name}")


async def test_a_number_is_taken_up_to_its_limit_and_refused_beyond(house: Any) -> None:
    most = (await limits(house))["event"]
    done = await write(house, "event", capacity=most["capacity"], maxPartySize=most["maxPartySize"])
    assert done.data["done"]["maxPartySize"] == most["maxPartySize"]
    assert done.data["done"]["attendance"] == {"capacity": most["capacity"]}
    for name in ("capacity", "maxPartySize"):
        refused(await write(house, "event", **{name: most[name] + 1}), f"event.{name}")


async def test_an_entry_is_taken_within_its_amount_and_days(house: Any) -> None:
    most = (await limits(house))["entry"]
    done = await write(house, "entry", amount=most["amount"], date=most["date"])
    assert done.data["done"]["amount"] == most["amount"]
    refused(await write(house, "entry", amount=most["amount"][:-1] + "1"), "entry.amount")
    refused(await write(house, "entry", date="1989-12-31"), "entry.date")


async def test_each_category_stands_on_one_side_and_is_taken_there_only(house: Any) -> None:
    sides = (await limits(house))["entry"]
    assert sorted(sides["income"] + sides["expense"]) == sorted(category.value for category in Category)
    for here, other in (("income", "expense"), ("expense", "income")):
        for category in (sides[here][0], sides[here][-1]):
            done = await write(house, "entry", direction=here.upper(), category=category)
            assert done.errors is None
            refused(await write(house, "entry", direction=other.upper(), category=category), "entry.category")


async def test_a_reason_and_a_dish_have_the_limits_that_are_told(house: Any) -> None:
    most = await limits(house)
    assert most["ballotText"] == LONGEST_TEXT  # test_casting holds it
    audit, picnic = house.town.id("Entry", "audit"), house.town.id("Event", "picnic")
    water = house.town.id("Notice", "water")
    for text, who, query, of, name in (
        ("邻" * most["entry"]["reason"], "spring/manager", REVERSE, audit, "reason"),
        ("邻" * most["reason"], "spring/committee", WITHDRAW, water, "reason"),
        ("邻" * most["dish"], "spring/resident-1", SIGN_UP, picnic, "dish"),
    ):
        refused(await house.result(query, who, of=of, **{name: text + "x"}), name)
        done = await house.result(query, who, of=of, **{name: text})
        assert done.errors is None
        assert text in next(iter(done.data["done"].values()))
