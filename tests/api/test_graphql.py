"""GraphQL over HTTP and over graphql-transport-ws, on a real server."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

pytestmark = pytest.mark.xdist_group("graphql")

GRAPHQL_JSON = "application/graphql-response+json"
VIEWER = "{ viewer { account } }"
BROKEN = "{ viewer { account "
UNKNOWN = "{ nothing }"
SIGN_UP = "mutation($event: ID!) { signUp(eventId: $event) { id } }"
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version participating { heads } } }"
ATTENDANCE = "subscription($id: ID!) { eventAttendance(eventId: $id) { version signedUp } }"


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
    ],
)
@pytest.mark.parametrize("accept", [GRAPHQL_JSON, "application/json"])
def test_what_is_no_request_is_refused_with_a_code(server: Any, body: bytes, accept: str) -> None:
    response = server.client.post("/graphql", content=body, headers=JSON | {"accept": accept})
    assert response.status_code == 400 or (accept == "application/json" and response.status_code == 200)
    assert code(response) == "INVALID_INPUT"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_of_another_type_is_refused(server: Any, kind: str) -> None:
    body = json.dumps({"query": VIEWER}).encode()
    response = server.client.post("/graphql", content=body, headers={"content-type": kind})
    assert 400 <= response.status_code < 500
    assert code(response) == "INVALID_INPUT"


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


# Over a socket


async def test_a_socket_shows_the_snapshot_as_text(server: Any) -> None:
    async with server.socket() as socket:
        await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        async with asyncio.timeout(20):
            frame = await socket.line.recv()
    assert isinstance(frame, str)
    message = json.loads(frame)
    assert (message["id"], message["type"]) == ("a", "next")
    assert message["payload"] == {"data": {"voteProgress": {"version": 1, "participating": {"heads": 0}}}}


async def test_a_socket_answers_a_ping(server: Any) -> None:
    async with server.socket() as socket:
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


@pytest.mark.parametrize(("query", "kind"), [(VIEWER, "query"), (SIGN_UP, "mutation")])
async def test_only_subscriptions_run_on_a_socket(server: Any, query: str, kind: str) -> None:
    who = "spring/resident-6"
    event = server.town.id("Event", "picnic")
    async with server.socket(who) as socket:
        await socket.subscribe("a", query, **({"event": event} if kind == "mutation" else {}))
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("a", "error")
        assert message["payload"][0]["extensions"]["code"] == "INVALID_INPUT"
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}
    seen = server.post("query($id: ID!) { event(id: $id) { viewerSignUp { id } } }", who, id=event)
    assert seen == {"data": {"event": {"viewerSignUp": None}}}


@pytest.mark.parametrize("query", [BROKEN, UNKNOWN, PROGRESS, "", "{"])
async def test_an_operation_that_cannot_run_ends_itself_and_no_other(server: Any, query: str) -> None:
    async with server.socket() as socket:
        await socket.subscribe("good", ATTENDANCE, id=server.town.id("Event", "picnic"))
        assert (await socket.receive())["id"] == "good"
        await socket.subscribe("bad", query)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("bad", "error")
        (error,) = message["payload"]
        assert error["extensions"]["code"] == "INVALID_INPUT"
        assert error["extensions"]["zh"]
        await socket.subscribe("bad", ATTENDANCE, id=server.town.id("Event", "past"))  # its id is free again
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("bad", "next")


@pytest.mark.parametrize(("id_", "code"), [("x", "INVALID_ID"), ("quiet", "NOT_FOUND")])
async def test_a_refusal_on_a_socket_carries_the_same_code(server: Any, id_: str, code: str) -> None:
    async with server.socket("spring/resident-1") as socket:
        given = server.town.id("Vote", "quiet") if id_ == "quiet" else id_
        await socket.subscribe("a", PROGRESS, id=given)
        message = await socket.receive()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert [error["extensions"]["code"] for error in errors] == [code]


async def test_two_operations_live_on_one_socket_and_one_ends_alone(server: Any) -> None:
    vote, event = server.town.id("Vote", "survey"), server.town.id("Event", "picnic")
    async with server.socket() as socket:
        await socket.subscribe("vote", PROGRESS, id=vote)
        await socket.subscribe("event", ATTENDANCE, id=event)
        first = {message["id"]: message for message in [await socket.receive(), await socket.receive()]}
        assert set(first) == {"vote", "event"}
        await socket.send(type="complete", id="vote")
        question = {"questionId": server.town.id("Question", "survey/0"), "choices": ["GYM"]}
        cast = "mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a) { id } }"
        assert "errors" not in server.post(cast, "spring/resident-2", v=vote, a=[question])
        assert "errors" not in server.post(SIGN_UP, "spring/resident-2", event=event)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("event", "next")
        before = first["event"]["payload"]["data"]["eventAttendance"]
        assert message["payload"]["data"]["eventAttendance"]["version"] > before["version"]


@pytest.mark.parametrize("authorization", ["Bearer nothing", "Basic dTpw", 42, ["Bearer"]])
async def test_a_socket_with_a_token_that_opens_nothing_is_closed(server: Any, authorization: Any) -> None:
    async with server.line() as socket:
        await socket.send(type="connection_init", payload={"Authorization": authorization})
        assert await socket.until_closed() == 4403


async def test_a_token_may_come_with_the_handshake_and_is_as_strictly_taken(server: Any) -> None:
    async with server.line(**server.bearer("quiet/resident-1")) as socket:
        await socket.init()
        await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
        assert (await socket.receive())["type"] == "next"
    async with server.line(authorization="Bearer nothing") as socket:
        await socket.send(type="connection_init")
        assert await socket.until_closed() == 4403


async def test_an_operation_before_the_init_closes_the_socket(server: Any) -> None:
    async with server.line() as socket:
        await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        assert await socket.until_closed() == 4401


async def test_an_id_in_use_closes_the_socket(server: Any) -> None:
    async with server.socket() as socket:
        for _ in range(2):
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        assert await socket.until_closed() == 4409


async def test_a_second_init_closes_the_socket(server: Any) -> None:
    async with server.socket() as socket:
        await socket.send(type="connection_init")
        assert await socket.until_closed() == 4429


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "42",
        '"ping"',
        "[]",
        '[{"type": "ping"}]',
        "{}",
        '{"type": "unknown"}',
        '{"type": ["ping"]}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": "a"}',
        '{"type": "subscribe", "id": "a", "payload": null}',
        '{"type": "subscribe", "id": "a", "payload": []}',
        '{"type": "subscribe", "id": "a", "payload": {}}',
        '{"type": "subscribe", "id": "a", "payload": {"query": 42}}',
        '{"type": "subscribe", "id": "a", "payload": {"query": "{ a }", "variables": []}}',
        '{"type": "subscribe", "id": "a", "payload": {"query": "{ a }", "operationName": 42}}',
        '{"type": "subscribe", "id": {}, "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": 42, "payload": {"query": "{ a }"}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": []}',
    ],
)
async def test_a_message_that_is_none_closes_the_socket(server: Any, text: str) -> None:
    async with server.socket() as socket:
        await socket.line.send(text)
        assert await socket.until_closed() == 4400


@pytest.mark.parametrize("payload", ["[]", "42", '"x"'])
async def test_an_init_that_is_none_closes_the_socket(server: Any, payload: str) -> None:
    async with server.line() as socket:
        await socket.line.send(f'{{"type": "connection_init", "payload": {payload}}}')
        assert await socket.until_closed() == 4400


async def test_a_binary_frame_closes_the_socket(server: Any) -> None:
    async with server.socket() as socket:
        await socket.line.send(b'{"type": "ping"}')
        assert await socket.until_closed() == 4400


async def test_a_message_that_is_too_large_closes_the_socket(server: Any) -> None:
    async with server.socket() as socket:
        await socket.subscribe("a", "x" * 65 * 1024)
        assert await socket.until_closed() == 1009


async def test_another_protocol_is_not_spoken(server: Any) -> None:
    address = f"ws://127.0.0.1:{server.port}/graphql"
    async with connect(address, subprotocols=["graphql-ws"]) as line:
        with pytest.raises(ConnectionClosedError):
            await line.recv()
    assert line.close_code == 4406
