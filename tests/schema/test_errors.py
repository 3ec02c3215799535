import logging
from typing import Any

import pytest
from graphql import GraphQLError

from community.errors import Late, NotFound, OutcomeUnknown, Refused, TryAgain, Unwritable
from realtime.fields import LIVE
from schema import loaders
from schema.errors import presented
from schema.schema import graphql_schema

SECRET = "身份证 330101199001011234"


async def test_a_refusal_carries_its_code_and_both_sentences(house: Any) -> None:
    result = await house.result('{ node(id: "x") { id } }')
    (error,) = result.errors
    assert error.message == error.extensions["en"] == "This is not a well-formed id."
    assert error.extensions == {
        "code": "INVALID_ID",
        "zh": "编号的写法不对。",
        "en": error.message,
        "field": "id",
    }
    assert error.path == ["node"]


async def test_what_is_our_fault_is_masked_and_logged_under_a_number(
    house: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(loaders, "communities_by_slug", fail)
    with caplog.at_level(logging.ERROR):
        result = await house.result('{ community(slug: "spring") { id } viewer { account } }')
    (error,) = result.errors
    assert result.data == {"community": None, "viewer": None}
    assert error.extensions["code"] == "INTERNAL"
    assert error.path == ["community"]
    assert SECRET not in repr(error.formatted)
    number = error.extensions["requestId"]
    assert number in error.extensions["zh"]
    assert number in error.extensions["en"]
    (record,) = [record for record in caplog.records if record.name == "schema.errors"]
    assert number in record.getMessage()
    assert SECRET not in record.getMessage()


async def test_a_step_of_a_subscription_is_masked_too(
    house: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError(SECRET)

    subscription_type = graphql_schema.core.subscription_type
    assert subscription_type
    monkeypatch.setitem(vars(subscription_type.fields["voteProgress"].extensions[LIVE]), "show", fail)
    query = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
    async with house.watch(query, id=house.town.id("Vote", "open")) as following:
        (error,) = (await following()).errors
    assert error.extensions["code"] == "INTERNAL"
    assert SECRET not in repr(error.formatted)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{", {}),
        ("{ nothing }", {}),
        ("{ community { id } }", {}),
        ("query($id: ID!) { node(id: $id) { id } }", {}),
        ("query($first: Int) { communities(first: $first) { edges { cursor } } }", {"first": "many"}),
        ("query($first: Int) { communities(first: $first) { edges { cursor } } }", {"first": 2**31}),
        ("{ viewer { account } }" + " " * 9 + "#" * 9 + "\n{ viewer { account } }", {}),
    ],
)
async def test_a_request_that_cannot_be_executed_has_a_code(house: Any, query: str, variables: Any) -> None:
    result = await house.result(query, **variables)
    assert result.errors
    for error in map(presented, result.errors):
        assert error.extensions["code"] == "INVALID_INPUT"
        assert error.extensions["zh"]
        assert error.extensions["en"] == error.message


async def test_an_operation_that_is_too_large_is_refused_before_it_runs(house: Any) -> None:
    deep = "{ communities { edges { node { " + "votes { edges { node { community { " * 4
    aliases = "{" + " ".join(f"a{number}: viewer {{ account }}" for number in range(40)) + "}"
    tokens = "{ viewer { " + "account " * 3000 + "} }"
    for query in (deep + "id " + "} " * 21, aliases, tokens):
        result = await house.result(query)
        assert result.data is None
        assert {presented(error).extensions["code"] for error in result.errors} == {"INVALID_INPUT"}


async def test_presenting_twice_changes_nothing(house: Any) -> None:
    (error,) = (await house.result('{ node(id: "x") { id } }')).errors
    assert presented(error) is error


async def test_every_code_is_said_by_the_schema(house: Any) -> None:
    codes = (await house.ask("{ errorCodes }"))["errorCodes"]
    assert {"INTERNAL", "CURSOR_INVALID", "ALREADY_CAST"} <= {str(code) for code in codes}


async def test_a_refused_ballot_names_its_question_and_its_choice(house: Any) -> None:
    vote = house.town.id("Vote", "survey")
    query = "query($id: ID!) { vote(id: $id) { questions { id } } }"
    (question,) = (await house.ask(query, id=vote))["vote"]["questions"]
    cast = "mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a) { id } }"
    answers = [{"questionId": question["id"], "choices": ["PARK", "POND"]}]
    (error,) = (await house.result(cast, "spring/resident-1", v=vote, a=answers)).errors
    assert error.extensions["code"] == "UNKNOWN_CHOICE"
    assert error.extensions["field"] == "answers.0.choices.1"
    assert error.extensions["question"] == question["id"]
    assert error.extensions["choice"] == "POND"


@pytest.mark.parametrize(
    ("refusal", "code", "more"),
    [
        (TryAgain, "TRY_AGAIN", {"retryAfter": 1}),
        (Late, "TRY_AGAIN", {"retryAfter": 5}),
        (Unwritable, "TRY_AGAIN", {"retryAfter": 15}),
        (OutcomeUnknown, "OUTCOME_UNKNOWN", {"retryAfter": 5}),
        (NotFound, "NOT_FOUND", {}),
    ],
)
def test_what_may_be_asked_again_says_when(refusal: type[Refused], code: str, more: dict[str, int]) -> None:
    shown = presented(GraphQLError("", original_error=refusal()))
    assert shown.extensions == {"code": code, "zh": refusal.zh, "en": refusal.en} | more
