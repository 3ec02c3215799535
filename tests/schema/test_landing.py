"""What is pushed, and what a mutation gives, leads to what it is about: a normalized cache finds by its id
what to renew. An object without an id lies within the one that holds it, and is renewed with that.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLNamedType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_object_type,
    is_required_argument,
)

from schema.schema import graphql_schema

CORE = graphql_schema.core
NODE = CORE.type_map["Node"]
ROOTS = (CORE.subscription_type, CORE.mutation_type)
FIELDS = {name: field for root in ROOTS if root for name, field in root.fields.items()}

APPENDED = "a line of a journal is appended to a list, by each client itself; it has a subject"
EXCEPTIONS = dict.fromkeys(("bulletin", "board", "ledgerEntries"), APPENDED)
"""Subscriptions and mutations that do not lead to what they are about, and why."""

FAR = 2
"""Fields from what is given to what it is about: `recordEntry { ledger { community } }`."""


def single(kind: GraphQLNamedType) -> Iterator[GraphQLNamedType]:
    """The types of the fields that hold one object, and can be asked for without an argument."""
    for field in kind.fields.values() if is_object_type(kind) else ():
        bare = not any(map(is_required_argument, field.args.values()))
        if bare and not is_list_type(get_nullable_type(field.type)):
            yield get_named_type(field.type)


def is_node(kind: GraphQLNamedType) -> bool:
    return kind is NODE or NODE in getattr(kind, "interfaces", ())


def around(kind: GraphQLNamedType) -> set[str]:
    """The types to which it leads."""
    found = {kind}
    for _ in range(FAR):
        found |= {below for each in found for below in single(each)}
    return {each.name for each in found}


def about(field: GraphQLField) -> str:
    """The type of the id with which it is asked: of `voteId`, Vote."""
    name = next(name for name in field.args if name.endswith("Id")).removesuffix("Id")
    return name[0].upper() + name[1:]


@pytest.mark.parametrize("name", FIELDS)
def test_it_is_a_node_or_has_one(name: str) -> None:
    assert any(is_node(CORE.type_map[found]) for found in around(get_named_type(FIELDS[name].type)))


@pytest.mark.parametrize("name", FIELDS)
def test_it_leads_to_what_it_is_about(name: str) -> None:
    field = FIELDS[name]
    leads = about(field) in around(get_named_type(field.type))
    assert leads is (name not in EXCEPTIONS)


# What is shown there


CAST = """mutation($vote: ID!, $answers: [AnswerInput!]!) {
  castBallot(voteId: $vote, answers: $answers) { vote { id tally { participating { heads } } } } }"""
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version %s } }"


async def cast(house: Any, who: str) -> Any:
    town = house.town
    answers = [{"questionId": town.id("Question", "open/0"), "choices": ["FOR"]}]
    return (await house.ask(CAST, who, vote=town.id("Vote", "open"), answers=answers))["castBallot"]["vote"]


async def test_a_progress_leads_to_its_vote_which_shows_that_very_progress_for_one_statement(
    house: Any, statements: list[str]
) -> None:
    vote, sent = house.town.id("Vote", "open"), []
    for below in ("", "vote { id tally { version participating { heads } } }"):
        async with house.watch(PROGRESS % below, id=vote) as following:
            await following()
            statements.clear()
            await cast(house, f"spring/resident-{len(sent) + 1}")
            pushed = (await following()).data["voteProgress"]
            sent.append(len(statements))
    assert pushed["vote"] == {
        "id": vote,
        "tally": {"version": pushed["version"], "participating": {"heads": 2}},
    }
    assert sent[1] == sent[0] + 1


async def test_a_receipt_leads_to_its_vote_with_that_ballot_counted(house: Any) -> None:
    vote = house.town.id("Vote", "open")
    for heads in (1, 2):
        shown = await cast(house, f"spring/resident-{heads}")
        assert shown == {"id": vote, "tally": {"participating": {"heads": heads}}}


async def test_an_attendance_leads_to_its_event(house: Any) -> None:
    event = house.town.id("Event", "picnic")
    query = """subscription($id: ID!) { eventAttendance(eventId: $id) {
      version event { id attendance { version signedUp } } } }"""
    async with house.watch(query, id=event) as following:
        await following()
        done = await house.ask(
            "mutation($id: ID!) { signUp(eventId: $id) { event { id attendance { signedUp } } } }",
            "spring/resident-2",
            id=event,
        )
        assert done["signUp"]["event"] == {"id": event, "attendance": {"signedUp": 1}}
        pushed = (await following()).data["eventAttendance"]
    assert pushed["event"] == {"id": event, "attendance": {"version": pushed["version"], "signedUp": 1}}


LEDGER = 'query { community(slug: "spring") { id ledger { id balance } } }'
REVERSE = """mutation($id: ID!) { reverseEntry(entryId: $id, reason: "记错了") {
  ledger { id balance community { id } } } }"""


async def test_a_balance_and_an_entry_lead_to_their_ledger(house: Any, statements: list[str]) -> None:
    query = """subscription($id: ID!) { ledgerBalance(communityId: $id) { balance %s } }"""
    spring = (await house.ask(LEDGER))["community"]
    ledger, sent = spring["ledger"]["id"], []
    assert spring["ledger"]["balance"] == "1645.60"
    for entry, below in (("audit", ""), ("rent", "ledger { id balance }")):
        async with house.watch(query % below, id=spring["id"]) as following:
            await following()
            statements.clear()
            done = await house.ask(REVERSE, "spring/manager", id=house.town.id("Entry", entry))
            pushed = (await following()).data["ledgerBalance"]
            sent.append(len(statements))
        here = {"id": ledger, "balance": pushed["balance"], "community": {"id": spring["id"]}}
        assert done["reverseEntry"]["ledger"] == here
    assert pushed == {"balance": "0.00", "ledger": {"id": ledger, "balance": "0.00"}}
    assert sent[0] == sent[1]
