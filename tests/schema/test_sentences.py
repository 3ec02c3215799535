from typing import Any

import pytest
from graphql import GraphQLError

from schema.errors import presented
from schema.sentences import LONGEST, in_chinese, misspoken, shortened
from tests.schema.told import english_in

RECORD = 'mutation($e: EntryInput!) { recordEntry(communityId: "x", entry: $e) { id } }'
ENTRY = {"date": "2026-01-31", "direction": "EXPENSE", "category": "AUDIT", "item": "x", "amount": "1.00"}

FIRST = "query($n: Int) { communities(first: $n) { edges { cursor } } }"


def literal(entry: str) -> str:
    return f'mutation {{ recordEntry(communityId: "x", entry: {{{entry}}}) {{ id }} }}'


REQUESTS: list[tuple[str, dict[str, Any], str | None, list[str]]] = [
    # (what is asked, with which variables, the field at fault, what the Chinese sentence must name)
    (RECORD, {"e": ENTRY | {"direction": "OUT"}}, "entry.direction", ["OUT", "EntryDirection"]),
    (RECORD, {"e": ENTRY | {"direction": 7}}, "entry.direction", ["7", "EntryDirection"]),
    (RECORD, {"e": ENTRY | {"amount": 5}}, "entry.amount", ["123.45"]),
    (RECORD, {"e": ENTRY | {"date": "31.1."}}, "entry.date", ["2026-01-31"]),
    (RECORD, {"e": ENTRY | {"item": None}}, "entry.item", ["null", "String!"]),
    (RECORD, {"e": ENTRY | {"item": 7}}, "entry.item", ["7", "String"]),
    (RECORD, {"e": ENTRY | {"itme": "x"}}, "entry.itme", ["itme", "item", "EntryInput"]),
    (RECORD, {"e": {"item": "x"}}, "entry.date", ["date", "EntryInput"]),
    (RECORD, {"e": []}, "entry", ["EntryInput", "[]"]),
    (RECORD, {"e": None}, "entry", ["null", "EntryInput!"]),
    (RECORD, {}, "entry", ["EntryInput!"]),
    (
        "mutation($x: [AnswerInput!]!) { castBallot(voteId: \"x\", answers: $x) { id } }",
        {"x": [{"questionId": "q"}, {"questionId": "q", "choices": ["A", 7]}]},
        "answers.1.choices.1",
        ["7", "String"],
    ),
    (FIRST, {"n": 2**31}, "first", [str(2**31), "Int"]),
    (FIRST, {"n": 1.5}, "first", ["1.5", "Int"]),
    (FIRST, {"n": "x"}, "first", ["x", "Int"]),
    ("query($i: ID!) { node(id: $i) { id } }", {"i": True}, "id", ["True", "ID"]),
    (
        literal('date: "x", direction: EXPENSE, category: AUDIT, item: "x", amount: "1.00"'),
        {}, "entry.date", ["2026-01-31"],
    ),
    (
        literal('date: "2026-01-31", direction: EXPENS, category: AUDIT, item: "x", amount: "1.00"'),
        {}, "entry.direction", ["EXPENS", "EXPENSE"],
    ),
    (literal('direction: EXPENSE, category: AUDIT, item: "x", amount: "1.00"'), {}, "entry.date", ["date"]),
    (
        'query($e: ID = 1.5) { node(id: $e) { id } }', {}, "id", ["1.5", "ID"],
    ),
    ('mutation { signUp(eventId: "x", partySize: "two") { id } }', {}, "partySize", ["two", "Int"]),
    ('mutation { signUp(partySize: 1) { id } }', {}, "eventId", ["eventId", "ID!"]),
    ('mutation { signUp(eventId: "x", size: 1) { id } }', {}, "size", ["size", "signUp"]),
    ("{ nothing }", {}, None, ["nothing", "Query"]),
    ("{ viewer }", {}, None, ["viewer", "Viewer"]),
    ("{ viewer { account { id } } }", {}, None, ["account"]),
    ("{ ...F }", {}, None, ["F"]),
    ("{ viewer { account @no } }", {}, None, ["@no"]),
    ("query($x: No) { viewer { account } }", {}, None, ["No"]),
    ("query($x: Int) { viewer { account } }", {}, None, ["$x"]),
    ("query($i: Int!) { node(id: $i) { id } }", {"i": 1}, "id", ["$i", "Int!", "ID!"]),
    ("{ node(id: $i) { id } }", {}, "id", ["$i"]),
    ("{", {}, None, ["Name", "<EOF>"]),
    ('{ node(id: "x', {}, None, ["字符串"]),
    ("{ a: viewer { account } a: errorCodes }", {}, None, ["a", "viewer", "errorCodes"]),
    ("{ v: viewer { a: account } v: viewer { a: __typename } }", {}, None, ["v", "account", "__typename"]),
    ("{ c: community(slug: \"a\") { id } c: community(slug: \"b\") { id } }", {}, None, ["c", "参数"]),
    (
        'query { node(id: "x") { ... on Vote { x: title y: form } ... on Event { x: startsAt y: place } } }',
        {}, None, ["x", "y", "String!", "DateTime!"],
    ),
    ('{ node(id: "x") { title } }', {}, None, ["title", "Vote"]),
    ("{ viewer { ... on Int { id } } }", {}, None, ["Int"]),
    ("{" + " ".join(f"nothing{n}" for n in range(20)) + "}", {}, None, ["nothing3", "错误太多"]),
    (
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        {}, None, ["内省"],
    ),
    ("subscription S { __typename }", {}, None, ["S", "内省"]),
    (
        'subscription { voteProgress(voteId: "a") { version } eventAttendance(eventId: "a") { version } }',
        {}, None, ["订阅"],
    ),
    (
        'subscription($s: Boolean!) { voteProgress(voteId: "a") @skip(if: $s) { version } }',
        {"s": False}, None, ["@skip", "@include"],
    ),
    ("{ node(id: 01) { id } }", {}, None, ["数字", "1"]),
    ("{ node(id: 1.) { id } }", {}, None, ["数字", ")"]),
    ("{ node(id: .5) { id } }", {}, None, ["数字", "0.5"]),
    ("{ node(id: 'x') { id } }", {}, None, ["单引号", "双引号"]),
    ('{ node(id: "\\q") { id } }', {}, None, ["转义", "q"]),
    ('{ node(id: "\\u12") { id } }', {}, None, ["转义", "u12"]),
    ("{ viewer ? }", {}, None, ["?"]),
    ("{ viewer .. }", {}, None, ["..."]),
    ('"about" { viewer { account } }', {}, None, ["说明"]),
    ("query($n: Int = $m) { communities(first: $n) { edges { cursor } } }", {}, None, ["$m"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "variables", "field", "named"), REQUESTS)
async def test_a_wrong_request_is_told_in_both_languages_and_where(
    house: Any, query: str, variables: dict[str, Any], field: str | None, named: list[str]
) -> None:
    errors = [presented(error) for error in (await house.result(query, "spring/manager", **variables)).errors]
    assert {error.extensions["code"] for error in errors} == {"INVALID_INPUT"}
    assert field in [error.extensions.get("field") for error in errors]
    told = " ".join(error.extensions["zh"] for error in errors)
    assert all(name in told for name in named), told
    assert [english_in(error.extensions["zh"]) for error in errors] == [None] * len(errors), told


@pytest.mark.parametrize(
    "position", ["Int", "ID", "String", "Boolean", "DateTime", "Date", "Decimal", "enum", "input"]
)
@pytest.mark.parametrize("number", ["9" * 5_000, "-" + "9" * 5_000, "1e400", "1." + "9" * 5_000])
async def test_a_number_of_any_length_is_no_fault_of_ours_wherever_it_stands(
    house: Any, position: str, number: str
) -> None:
    entry = {
        "date": '"2026-01-31"',
        "direction": "EXPENSE",
        "category": "AUDIT",
        "item": '"x"',
        "amount": '"1.00"',
    }

    def written(**changed: str) -> str:
        return literal(", ".join(f"{name}: {value}" for name, value in (entry | changed).items()))

    query = {
        "Int": f'mutation {{ signUp(eventId: "x", partySize: {number}) {{ id }} }}',
        "ID": f"{{ node(id: {number}) {{ id }} }}",
        "String": written(item=number),
        "Boolean": f'{{ viewer {{ account @skip(if: {number}) }} }}',
        "DateTime": 'mutation { publishNotice(communityId: "x",'
        f' notice: {{title: "a", body: "b", effectiveFrom: {number}}}) {{ id }} }}',
        "Date": written(date=number),
        "Decimal": written(amount=number),
        "enum": written(direction=number),
        "input": f'mutation {{ recordEntry(communityId: "x", entry: {number}) {{ id }} }}',
    }[position]  # fmt: skip
    for error in (await house.result(query, "spring/manager")).errors:
        found = presented(error).extensions
        assert found["code"] in {"INVALID_INPUT", "INVALID_ID"}
        assert len(found["zh"]) < 2 * LONGEST
        assert len(found["en"]) < 2 * LONGEST


def test_what_is_not_known_is_passed_on_and_what_is_long_is_cut() -> None:
    assert in_chinese("Something new.") == "Something new."
    assert len(shortened("x " * 5_000)) == LONGEST + 1
    assert shortened("9" * 5_000) == "9" * 60 + "…"
    error = presented(GraphQLError("Something new."))
    assert "Something new." in error.extensions["zh"]


@pytest.mark.parametrize(
    ("said", "zh", "en"),
    [
        ("subscriptions are not allowed when using POST", "WebSocket", "websocket"),
        ("subscriptions are not allowed when using GET", "WebSocket", "websocket"),
        ("mutations are not allowed when using GET", "POST", "by POST"),
    ],
)
def test_whoever_knocks_at_the_wrong_door_is_shown_the_right_one(said: str, zh: str, en: str) -> None:
    refusal = misspoken(said)
    assert zh in refusal.zh
    assert en in refusal.en
    assert "not allowed" not in refusal.en
