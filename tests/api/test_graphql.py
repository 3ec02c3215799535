"""GraphQL over HTTP, on a real server."""

import asyncio
import json
from typing import Any

import pytest

from api import viewers
from api.graphql import GraphQLEndpoint
from community.members.actions import end_role
from community.members.models import RoleGrant
from community.permissions import SYSTEM
from realtime import versions
from tests.schema.told import english_in

pytestmark = pytest.mark.xdist_group("graphql")

GRAPHQL_JSON = "application/graphql-response+json"
VIEWER = "{ viewer { account } }"
BROKEN = "{ viewer { account "
UNKNOWN = "{ nothing }"
SIGN_UP = "mutation($event: ID!) { signUp(eventId: $event) { id } }"
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version participating { heads } } }"


def media(response: Any) -> str:
    return str(response.headers["content-type"])


def code(response: Any) -> str:
    """The code of the only error, in the one shape that all refusals have."""
    assert media(response).startswith(("application/json", GRAPHQL_JSON))
    (error,) = response.json()["errors"]
    assert error["message"]
    assert error["extensions"]["zh"]
    assert error["extensions"]["en"]
    return str(error["extensions"]["code"])


# Over HTTP


def test_a_query_is_answered_as_json(server: Any) -> None:
    response = server.client.post("/graphql", json={"query": VIEWER})
    assert (response.status_code, response.json()) == (200, {"data": {"viewer": None}})
    assert media(response) == "application/json; charset=utf-8"
    assert "Accept" in response.headers["vary"]


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON),
        (f"application/json;q=0.9, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"application/json, {GRAPHQL_JSON};q=0.9", "application/json"),
        (f"{GRAPHQL_JSON}, application/json", GRAPHQL_JSON),
        (f"application/json, {GRAPHQL_JSON}", "application/json"),
        (f"{GRAPHQL_JSON};q=0", "application/json"),
        (f"{GRAPHQL_JSON};q=much", "application/json"),
    ],
)
def test_the_media_type_is_the_one_preferred(server: Any, accept: str | None, answered: str) -> None:
    headers = {} if accept is None else {"accept": accept}
    response = server.client.post("/graphql", json={"query": VIEWER}, headers=headers)
    assert response.status_code == 200
    assert media(response) == f"{answered}; charset=utf-8"


@pytest.mark.parametrize("query", [BROKEN, UNKNOWN, "query($id: ID!) { vote(id: $id) { id } }"])
def test_a_request_never_executed_is_a_400_for_clients_of_the_new_media_type(server: Any, query: str) -> None:
    new = server.client.post("/graphql", json={"query": query}, headers={"accept": GRAPHQL_JSON})
    assert new.status_code == 400
    assert "data" not in new.json()
    assert code(new) == "INVALID_INPUT"
    old = server.client.post("/graphql", json={"query": query}, headers={"accept": "application/json"})
    assert old.status_code == 200
    assert code(old) == "INVALID_INPUT"


def test_an_error_of_a_field_is_a_200_with_data(server: Any) -> None:
    body = {"query": '{ viewer { account } node(id: "x") { id } }'}
    for accept in (GRAPHQL_JSON, "application/json"):
        response = server.client.post("/graphql", json=body, headers={"accept": accept})
        assert response.status_code == 200
        assert response.json()["data"] == {"viewer": None, "node": None}
        assert code(response) == "INVALID_ID"


def test_a_query_by_get_takes_variables_and_an_operation_name(server: Any) -> None:
    params = {
        "query": "query a($slug: String!) { community(slug: $slug) { name } } query b { viewer { account } }",
        "variables": '{"slug": "spring"}',
        "operationName": "a",
    }
    response = server.client.get("/graphql", params=params)
    assert (response.status_code, response.json()) == (200, {"data": {"community": {"name": "春风里"}}})


def test_nothing_is_done_by_get(server: Any) -> None:
    who = "spring/resident-6"
    params = {"query": SIGN_UP, "variables": json.dumps({"event": server.town.id("Event", "picnic")})}
    response = server.client.get("/graphql", params=params, headers=server.bearer(who))
    assert response.status_code in (400, 405)
    assert code(response) == "INVALID_INPUT"
    seen = server.post(
        "query($id: ID!) { event(id: $id) { viewerSignUp { id } } }",
        who,
        id=server.town.id("Event", "picnic"),
    )
    assert seen == {"data": {"event": {"viewerSignUp": None}}}


def test_a_get_without_a_query_is_refused_like_any_other(server: Any) -> None:
    for accept in ("*/*", "text/html", GRAPHQL_JSON):
        response = server.client.get("/graphql", headers={"accept": accept})
        assert response.status_code == 400
        assert code(response) == "INVALID_INPUT"


def test_a_subscription_wants_a_socket(server: Any) -> None:
    for answer in (
        server.client.post(
            "/graphql", json={"query": PROGRESS, "variables": {"id": server.town.id("Vote", "open")}}
        ),
        server.client.get(
            "/graphql",
            params={"query": PROGRESS, "variables": json.dumps({"id": server.town.id("Vote", "open")})},
        ),
    ):
        assert code(answer) == "INVALID_INPUT"


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"42",
        b'"{ viewer { account } }"',
        b"[]",
        b'[{"query": "{ viewer { account } }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": 42}',
        b'{"query": ""}',
        b'{"query": "{ viewer { account } }", "variables": []}',
        b'{"query": "{ viewer { account } }", "variables": "x"}',
        b'{"query": "{ viewer { account } }", "operationName": 42}',
        b'{"query": "{ viewer { account } }", "operationName": "other"}',
        b'{"query": "{ viewer { account } }", "extensions": []}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"query": "{ viewer { account } }", "variables": ' + b'{"a":' * 2000 + b"1" + b"}" * 2001,
        b'{"query": "{ viewer { account } }", "variables": {"x": ' + b"9" * 5000 + b"}}",
        b'{"query": "{ viewer { account } }", "variables": {"x": 1e999}}',
        b'{"query": "{ viewer { account } }", "variables": {"x": NaN}}',
        b'{"query": "{ viewer { account } }", "variables": {"x": -Infinity}}',
        b'{"query": "{ viewer { account } }", "variables": {"x": "\xff"}}',
        b'{"query": "{ viewer { account } }", "variables": {"x": "\\ud800"}}',
        b'{"query": "{ nothing }", "query": "{ viewer { account } }"}',
        b'{"query": "{ viewer { account } }", "variables": {"x": [{"a": 1, "\\u0061": 2}]}}',
        b'{"query": "{ viewer { account } }", "operationName": {}}',
        b'{"query": "{ viewer { account } }", "operationName": []}',
        b'{"query": "{ viewer { account } }", "operationName": true}',
        b'{"query": ["{ viewer { account } }"]}',
        b'{"query": "   "}',
        b'{"query": "\\u0000"}',
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b'{"query": "query($x: Int) { viewer { account } }", "variables": {"x": 1e25}}',
        b'{"query": "query($x: Int) { viewer { account } }", "variables": {"x": ' + b"9" * 300 + b"}}",
        b'{"query": "query($x: ID!) { vote(id: $x) { id } }", "variables": {"x": {"a": 1}}}',
        b'{"query": "query($x: [ID!]!) { viewer { account } }", "variables": {"x": %b}}'
        % (b"[" * 500 + b"]" * 500),
    ],
    ids=lambda body: repr(body[:60]),
)
@pytest.mark.parametrize("accept", [GRAPHQL_JSON, "application/json"])
def test_what_is_no_request_is_refused_with_a_code(server: Any, body: bytes, accept: str) -> None:
    response = server.client.post("/graphql", content=body, headers=JSON | {"accept": accept})
    assert response.status_code == 400 or (accept == "application/json" and response.status_code == 200)
    assert code(response) == "INVALID_INPUT"


@pytest.mark.parametrize(
    "params",
    [
        {"query": ""},
        {"query": VIEWER, "variables": "{"},
        {"query": VIEWER, "variables": "[]"},
        {"query": VIEWER, "variables": "1"},
        {"query": VIEWER, "variables": '{"a": 1, "a": 2}'},
        {"query": VIEWER, "variables": "[" * 5000},
        {"query": VIEWER, "variables": "9" * 5000},
        {"query": VIEWER, "variables": "NaN"},
        {"query": VIEWER, "extensions": "x"},
        {"query": VIEWER, "operationName": "other"},
        {"query": "mutation { __typename }"},
        {"query": "\x00"},
        {"variables": "{}"},
    ],
    ids=lambda params: str(params)[:60],
)
def test_a_get_that_is_no_request_is_refused_with_a_code(server: Any, params: dict[str, str]) -> None:
    response = server.client.get("/graphql", params=params, headers={"accept": GRAPHQL_JSON})
    assert response.status_code == 400
    assert code(response) == "INVALID_INPUT"
    assert english_in(response.json()["errors"][0]["extensions"]["zh"]) is None


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"5", b"[]", b'[{"query":"{a}"}]', b"{}", b'{"query":5}',
        b'{"query":"{a}","variables":[]}', b'{"query":"{a}","extensions":"x"}',
        b'{"query":"{a}","operationName":5}', b'{"query":"{a}","query":"{b}"}',
        b'{"query":"query A { viewer { account } }","operationName":"B"}',
    ],
)  # fmt: skip
def test_a_post_that_is_no_request_is_told_in_both_languages(server: Any, body: bytes) -> None:
    response = server.client.post("/graphql", content=body, headers={"content-type": "application/json"})
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert english_in(error["extensions"]["zh"]) is None, error
    assert len(error["extensions"]["zh"]) > len("填写有误：请求的写法不对")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/json-patch+json"},
        {"content-type": "text/plain; application/json"},
        {"content-type": "text/plain, application/json"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_a_body_of_another_type_is_refused(server: Any, headers: dict[str, str]) -> None:
    body = json.dumps({"query": VIEWER}).encode()
    for path in ("/graphql", "/session"):
        response = server.client.post(path, content=body, headers=headers)
        assert response.status_code == 415
        assert code(response) == "INVALID_INPUT"


@pytest.mark.parametrize(
    "kind",
    [
        "Application/JSON",
        "APPLICATION/JSON;charset=UTF-8",
        'application/json ; Charset="utf-8"',
    ],
)
def test_the_name_of_a_media_type_has_no_case(server: Any, kind: str) -> None:
    body = json.dumps({"query": VIEWER}).encode()
    response = server.client.post("/graphql", content=body, headers={"content-type": kind})
    assert (response.status_code, response.json()) == (200, {"data": {"viewer": None}})
    signed_in = server.client.post(
        "/session", content=b'{"account": "quiet/resident-1"}', headers={"content-type": kind}
    )
    assert signed_in.status_code == 200
    server.client.cookies.clear()


def test_a_body_that_is_too_large_is_refused_however_it_comes(server: Any) -> None:
    large = json.dumps({"query": VIEWER, "variables": {"x": "x" * 256 * 1024}}).encode()

    def in_pieces() -> Any:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    for content in (large, in_pieces()):
        response = server.client.post("/graphql", content=content, headers=JSON)
        assert response.status_code == 413
        assert code(response) == "INVALID_INPUT"
    nearly = json.dumps({"query": VIEWER, "variables": {"x": "x" * 255 * 1024}}).encode()
    assert server.client.post("/graphql", content=nearly, headers=JSON).status_code == 200


@pytest.mark.parametrize("authorization", ["Bearer nothing", "Basic dTpw", "Bearer", "nothing"])
def test_a_token_that_opens_nothing_is_said_so(server: Any, authorization: str) -> None:
    response = server.client.post(
        "/graphql", json={"query": VIEWER}, headers={"authorization": authorization}
    )
    assert response.status_code == 401
    assert code(response) == "UNAUTHENTICATED"


def test_a_token_opens_its_account(server: Any) -> None:
    assert server.post(VIEWER, "quiet/resident-1") == {"data": {"viewer": {"account": "quiet/resident-1"}}}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(server: Any, method: str) -> None:
    assert server.client.request(method, "/graphql").status_code == 405


def test_an_answer_is_not_escaped_chinese(server: Any) -> None:
    response = server.client.post("/graphql", json={"query": '{ community(slug: "spring") { name } }'})
    assert "春风里".encode() in response.content


# Kept answers

SPRING = '{ community(slug: "spring") { name } }'
NOTICES = '{ community(slug: "spring") { notices { edges { node { title } } } } }'
WROTE = "mutation($c: ID!, $n: NoticeInput!) { publishNotice(communityId: $c, notice: $n) { id } }"


def reads(statements: list[str]) -> list[str]:
    """Those of requests: the app looks at its journals and deadlines, too."""
    return [text for text in statements if "FROM community" in text or "session s" in text]


def counts(app: Any) -> dict[str, int]:
    return dict(app.endpoint._kept.counts)


async def test_a_hit_asks_the_database_for_nothing(inside: Any, statements: list[str]) -> None:
    async with inside() as app:
        for who in (None, "spring/resident-1"):
            first = await app.post(SPRING, who)
            statements.clear()
            assert (await app.post(SPRING, who)).content == first.content
            assert reads(statements) == []


async def test_with_0_bytes_every_answer_is_a_new_one(inside: Any, statements: list[str]) -> None:
    async with inside(kept_answers=0) as app:
        await app.post(SPRING)
        statements.clear()
        await app.post(SPRING)
        assert len(reads(statements)) == 1
        assert counts(app) == {"hit": 0, "joined": 0, "missed": 0}


async def test_while_the_journals_are_not_known_nothing_is_from_memory(
    inside: Any, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the database was away, and until the poller has looked again."""
    async with inside() as app:
        await app.post(SPRING, "spring/resident-1")
        before = counts(app)
        with monkeypatch.context() as outage:
            outage.setattr(versions, "BEHIND", -1.0)
            statements.clear()
            await app.post(SPRING, "spring/resident-1")
            assert len(reads(statements)) == 2
            assert counts(app) == before
        await app.post(SPRING, "spring/resident-1")
        assert counts(app)["hit"] == before["hit"] + 1


async def test_nor_is_it_where_the_database_took_too_long_to_say_who_asks(
    inside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inside() as app:
        await app.post(SPRING, "spring/resident-1")
        before, real = counts(app), viewers.viewer_behind

        async def slow(*given: Any, **named: Any) -> Any:
            found = await real(*given, **named)
            monkeypatch.setattr(versions, "BEHIND", -1.0)
            return found

        monkeypatch.setattr(viewers, "viewer_behind", slow)
        assert (await app.post(SPRING, "spring/resident-2")).json() == {
            "data": {"community": {"name": "春风里"}}
        }
        assert counts(app) == before


async def test_the_same_letters_sent_otherwise_are_another_request(inside: Any) -> None:
    """A POST has no query in its address, and a GET none in its body."""
    async with inside() as app:
        for _ in range(2):
            got = await app.client.get("/graphql", params={"query": SPRING})
            assert got.json()["data"] == {"community": {"name": "春风里"}}
            posted = await app.client.post("/graphql", params={"query": SPRING}, headers=JSON)
            assert (posted.status_code, code(posted)) == (400, "INVALID_INPUT")
            body = json.dumps({"query": VIEWER}).encode()
            both = {"params": {"query": SPRING}, "content": body, "headers": JSON}
            assert (await app.client.post("/graphql", **both)).json() == {"data": {"viewer": None}}
            got = await app.client.request("GET", "/graphql", **both)
            assert got.json()["data"] == {"community": {"name": "春风里"}}


async def test_each_who_asks_gets_its_own_error(inside: Any) -> None:
    async with inside() as app:
        ids = set()
        for _ in range(3):
            response = await app.post('{ community(slug: "spring") { name } vote(id: "x") { id } }')
            (error,) = response.json()["errors"]
            assert error["extensions"]["requestId"] == response.headers["x-request-id"]
            assert response.json()["data"] == {"community": {"name": "春风里"}, "vote": None}
            ids.add(response.headers["x-request-id"])
        assert len(ids) == 3
        assert counts(app)["hit"] == 0


async def test_a_change_of_this_process_is_shown_at_once(inside: Any) -> None:
    async with inside() as app:
        titles = []
        for title in ("停水", "停电", "停气"):
            notice = {"title": title, "body": "请存水"}
            wrote = await app.post(WROTE, "spring/manager", c=app.town.id("Community", "spring"), n=notice)
            assert "errors" not in wrote.json()
            titles.append(title)
            for _ in range(2):
                shown = (await app.post(NOTICES)).json()["data"]["community"]["notices"]["edges"]
                assert [edge["node"]["title"] for edge in shown][: len(titles)] == titles[::-1]


async def test_who_writes_is_always_asked_for_in_the_database(inside: Any, statements: list[str]) -> None:
    async with inside() as app:
        who, community = "spring/manager", app.town.id("Community", "spring")
        for _ in range(2):
            await app.post(SPRING, who)
        for _ in range(2):
            statements.clear()
            await app.post(WROTE, who, c=community, n={"title": "停水", "body": "请存水"})
            assert sum("session s" in text for text in statements) == 1
        statements.clear()
        await app.post(SPRING, who)
        assert sum("session s" in text for text in statements) == 0


async def test_whoever_signed_out_is_nobody_from_then_on(inside: Any) -> None:
    async with inside() as app:
        who = "quiet/resident-1"
        asked = [SPRING, VIEWER, '{ community(slug: "quiet") { name } }']
        for _ in range(2):
            for query in asked:
                assert "errors" not in (await app.post(query, who)).json()
        assert (await app.client.delete("/session", headers=app.bearer(who))).status_code == 204
        for query in asked:
            response = await app.post(query, who)
            assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")


async def test_who_may_no_longer_read_is_shown_nothing_from_memory(inside: Any) -> None:
    async with inside() as app:
        quiet, who = '{ community(slug: "quiet") { name } }', "quiet/committee"
        for _ in range(2):
            assert (await app.post(quiet, who)).json() == {"data": {"community": {"name": "静园"}}}
            assert (await app.post(quiet)).json() == {"data": {"community": None}}
        account = app.town.key("Account", who)
        (grant,) = await RoleGrant.filter(account_id=account)
        await end_role(SYSTEM, app.town.now, grant.id)
        assert (await app.post(quiet, who)).json() == {"data": {"community": None}}


async def test_two_hundred_who_ask_at_once_are_one_execution(inside: Any) -> None:
    async with inside() as app:
        responses = await asyncio.gather(*(app.post(SPRING) for _ in range(200)))
        assert {response.text for response in responses} == {'{"data":{"community":{"name":"春风里"}}}'}
        assert (counts(app)["missed"], sum(counts(app).values())) == (1, 200)


@pytest.mark.parametrize("document", [SPRING, WROTE])
async def test_a_body_is_parsed_once(inside: Any, monkeypatch: pytest.MonkeyPatch, document: str) -> None:
    real, parsed = GraphQLEndpoint.parse_json, list[bytes]()

    def parse_json(self: Any, data: Any) -> Any:
        parsed.append(data)
        return real(self, data)

    monkeypatch.setattr(GraphQLEndpoint, "parse_json", parse_json)
    async with inside(kept_answers=0) as app:
        given = {"c": app.town.id("Community", "spring"), "n": {"title": "停水", "body": "请存水"}}
        for number in (1, 2):
            answer = (await app.post(document, "spring/manager", **given)).json()
            assert "errors" not in answer
            assert len(parsed) == number
