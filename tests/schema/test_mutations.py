"""What holds for every mutation: it asks who it is, tells its own fate, and its key is for one thing."""

import time
from datetime import timedelta
from typing import Any

import pytest
from graphql import is_non_null_type

from community.database.models import IdempotencyRecord
from schema.mutations import mutation
from schema.nodes import parse_id
from schema.schema import graphql_schema
from tests.examples import MutationExample, demand, of_all
from tests.pace import slowness
from tests.topics.events import publish_event_example, sign_up_example
from tests.topics.ledger import record_entry_example
from tests.topics.places import set_public_reading_example
from tests.topics.votes import cast_ballot_example

FIELDS = graphql_schema.core.mutation_type.fields  # type: ignore[union-attr]

DAY = timedelta(days=1)

CASES = of_all(lambda topic: topic.mutations)

each = pytest.mark.parametrize("name", CASES)


def test_every_mutation_is_tried_here_has_a_key_and_may_be_null() -> None:
    demand("mutations", FIELDS, CASES)
    assert CASES.keys() <= FIELDS.keys()
    for name, field in FIELDS.items():
        assert str(field.args["key"].type) == "String", name
        assert not is_non_null_type(field.type), name


def test_every_mutation_asks_who_it_is_and_lets_what_follows_be_read_anew() -> None:
    """What the latter means is tried in `test_statements.py`."""
    made = mutation("subject", "").extensions[0]
    for name, field in FIELDS.items():
        definition = field.extensions["strawberry-definition"]
        assert [type(each) for each in definition.extensions] == [type(made)], name


@each
async def test_the_same_key_with_the_same_meaning_gives_the_first_result(house: Any, name: str) -> None:
    case = await CASES[name](house)
    first = (await house.ask(case.query, case.who, **case.given, key="k"))[name]
    told = list(house.told)
    for again in [{}, *case.same, {"key": " k\t"}]:
        assert (await house.ask(case.query, case.who, **({"key": "k"} | case.given | again)))[
            name
        ] == first, again
    assert house.told == told
    assert await IdempotencyRecord.filter(key="k").count() == 1


@each
async def test_the_same_key_with_anything_else_is_refused(house: Any, name: str) -> None:
    case = await CASES[name](house)
    await house.ask(case.query, case.who, **case.given, key="k")
    told = list(house.told)
    for change in case.other:
        result = await house.result(case.query, case.who, **(case.given | change), key="k")
        (error,) = result.errors
        assert error.extensions["code"] == "KEY_REUSED", change
        assert error.extensions["field"] == "key"
        assert result.data == {name: None}
    assert house.told == told


@each
async def test_an_id_of_another_type_is_refused_whatever_its_key_and_takes_no_result_away(
    house: Any, name: str
) -> None:
    """It can have led to no result, so that nobody asks what its key was for."""
    case = await CASES[name](house)
    first = (await house.ask(case.query, case.who, **case.given, key="k"))[name]
    told = list(house.told)
    subject, others = (
        next(iter(case.given)),
        (house.town.id("Notice", "water"), house.town.id("Vote", "open")),
    )
    other = next(id_ for id_ in others if parse_id(id_)[0] != parse_id(case.given[subject])[0])
    for key in ("k", "new"):
        given = case.given | {subject: other, "key": key}
        assert await house.refused(case.query, case.who, **given) == "NOT_FOUND"
    assert (await house.ask(case.query, case.who, **case.given, key="k"))[name] == first
    assert house.told == told
    assert await IdempotencyRecord.filter(key="new").count() == 0


async def test_of_what_is_hidden_an_id_of_another_type_says_no_more(house: Any) -> None:
    """The right is asked before the rule that finds no such question or vote."""
    cast, record = await cast_ballot_example(house), await record_entry_example(house)
    hidden = {"vote": house.town.id("Vote", "quiet")}
    answers = [{"questionId": hidden["vote"], "choices": ["FOR"]}]
    assert await house.refused(cast.query, cast.who, **hidden, answers=answers) == "NOT_FOUND"
    entry = record.given["entry"] | {"authorityVoteId": house.town.id("Community", "quiet")}
    for slug, code in (("quiet", "NOT_FOUND"), ("spring", "FORBIDDEN")):
        given = {"community": house.town.id("Community", slug), "entry": entry}
        assert await house.refused(record.query, cast.who, **given) == code
    given = record.given | {"entry": entry}
    assert await house.refused(record.query, record.who, **given) == "INVALID_INPUT"
    given = cast.given | {"party": hidden["vote"]}
    assert await house.refused(cast.query, cast.who, **given) == "NOT_ON_ROLL"
    given = cast.given | {"answers": answers}
    assert await house.refused(cast.query, cast.who, **given) == "UNKNOWN_QUESTION"


@each
async def test_a_key_from_before_fingerprints_is_judged_by_its_subject(
    house: Any, town_url: str, name: str
) -> None:
    case = await CASES[name](house)
    first = (await house.ask(case.query, case.who, **case.given))[name]
    viewer = await house.viewer(case.who)
    await IdempotencyRecord.create(
        account_id=viewer.account, deed=name, key="old", subject=parse_id(first["id"])[1], at=house.now
    )
    for again in [{}, *case.same]:
        assert (await house.ask(case.query, case.who, **(case.given | again), key="old"))[name] == first


@each
async def test_a_stranger_is_asked_who_it_is_before_anything_else(house: Any, name: str) -> None:
    case = await CASES[name](house)
    house.told.clear()
    for wrong in ({}, {variable: "x" for variable, value in case.given.items() if isinstance(value, str)}):
        (error,) = (await house.result(case.query, **(case.given | wrong))).errors
        assert error.extensions["code"] == "UNAUTHENTICATED"
    assert house.told == []


@each
async def test_a_malformed_id_is_named(house: Any, name: str) -> None:
    case = await CASES[name](house)
    argument = next(argument for argument in FIELDS[name].args if argument.endswith("Id"))
    variable = next(variable for variable in case.given if isinstance(case.given[variable], str))
    (error,) = (await house.result(case.query, case.who, **(case.given | {variable: "x"}))).errors
    assert (error.extensions["code"], error.extensions["field"]) == ("INVALID_ID", argument)
    unknown = house.town.id("Community", "spring")[:-2] + "A="
    (error,) = (await house.result(case.query, case.who, **(case.given | {variable: unknown}))).errors
    assert error.extensions["code"] in {"NOT_FOUND", "INVALID_ID"}
    assert error.extensions["field"] == argument


@pytest.mark.parametrize(("who", "code"), [(None, "UNAUTHENTICATED"), ("spring/resident-1", "INVALID_INPUT")])
async def test_seven_thousand_answers_are_refused_for_little(house: Any, who: str | None, code: str) -> None:
    case = await cast_ballot_example(house)
    for count in (150, 7_000):
        given = case.given | {"answers": case.given["answers"] * count}
        context = await house.context(who)
        began = time.process_time()
        result = await graphql_schema.execute(case.query, variable_values=given, context_value=context)
        assert who or time.process_time() - began < 0.1 * slowness()
        (error,) = result.errors
        assert error.extensions["code"] == code
    if who:
        assert error.extensions["field"] == "answers"


async def test_each_field_of_a_document_tells_its_own_fate(house: Any) -> None:
    query = """mutation($c: ID!, $n: NoticeInput!, $bad: NoticeInput!) {
      first: publishNotice(communityId: $c, notice: $n) { title }
      second: publishNotice(communityId: $c, notice: $bad) { title }
      third: publishNotice(communityId: $c, notice: $n) { title } }"""
    notice = {"title": "停水", "body": "明天"}
    result = await house.result(
        query,
        "spring/committee",
        c=house.town.id("Community", "spring"),
        n=notice,
        bad=notice | {"title": " "},
    )
    assert result.data == {"first": {"title": "停水"}, "second": None, "third": {"title": "停水"}}
    (error,) = result.errors
    assert (error.path, error.extensions["field"]) == (["second"], "notice.title")


# A result that no longer stands


async def refusal(house: Any, case: MutationExample) -> Any:
    (error,) = (await house.result(case.query, case.who, **case.given, key="k")).errors
    return error.extensions["code"], error.extensions["en"]


GONE = "cancelled, replaced or reversed"


async def test_the_key_of_a_cancelled_sign_up_says_so(house: Any) -> None:
    case = await sign_up_example(house)
    made = (await house.ask(case.query, case.who, **case.given, key="k"))["signUp"]["id"]
    cancel = 'mutation($id: ID!) { cancelSignUp(signUpId: $id, key: "c") { cancelledAt } }'
    first = await house.ask(cancel, case.who, id=made)
    code, en = await refusal(house, case)
    assert code == "KEY_REUSED"
    assert GONE in en
    await house.ask(case.query, case.who, **case.given, key="new")
    assert await house.ask(cancel, case.who, id=made) == first  # which cancels nothing of the new one
    assert (await refusal(house, case))[0] == "KEY_REUSED"


async def test_the_key_of_a_ballot_that_was_changed_since_says_so(house: Any) -> None:
    case = await cast_ballot_example(house)
    await house.ask(case.query, case.who, **case.given, key="k")
    later = case.given | case.other[0]
    changed = await house.ask(case.query, case.who, **later, key="later")
    code, en = await refusal(house, case)
    assert code == "KEY_REUSED"
    assert GONE in en
    assert await house.ask(case.query, case.who, **later, key="later") == changed


async def test_the_key_of_an_entry_that_was_reversed_says_so(house: Any) -> None:
    case = await record_entry_example(house)
    made = (await house.ask(case.query, case.who, **case.given, key="k"))["recordEntry"]["id"]
    back = 'mutation($id: ID!) { reverseEntry(entryId: $id, reason: "错", key: "r") { id } }'
    first = await house.ask(back, case.who, id=made)
    code, en = await refusal(house, case)
    assert code == "KEY_REUSED"
    assert GONE in en
    assert await house.ask(back, case.who, id=made) == first


async def test_the_key_of_a_setting_that_was_changed_back_says_so(house: Any) -> None:
    case = await set_public_reading_example(house)
    await house.ask(case.query, case.who, **case.given, key="k")
    await house.ask(case.query, case.who, **case.given | {"public": True})
    assert await house.refused(case.query, case.who, **case.given, key="k") == "KEY_REUSED"


async def test_a_retry_after_the_start_finds_what_was_published(house: Any) -> None:
    case = await publish_event_example(house)
    first = await house.ask(case.query, case.who, **case.given, key="k")
    context = await house.context(case.who)
    context.clock = lambda: house.now + 30 * DAY
    result = await graphql_schema.execute(
        case.query, variable_values=case.given | {"key": "k"}, context_value=context
    )
    assert (result.data, result.errors) == (first, None)
