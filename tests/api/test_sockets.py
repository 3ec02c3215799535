"""graphql-transport-ws to the letter, on a real server, whichever way it writes.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from api import answering
from api import sockets as sockets_
from api.sockets import MOST_OPERATIONS
from community.members.models import RoleGrant, Session

pytestmark = pytest.mark.xdist_group("sockets")

VIEWER = "{ viewer { account } }"
BROKEN = "{ viewer { account "
UNKNOWN = "{ nothing }"
SIGN_UP = "mutation($event: ID!) { signUp(eventId: $event) { id } }"
CAST = "mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a) { id } }"
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version participating { heads } } }"
ATTENDANCE = "subscription($id: ID!) { eventAttendance(eventId: $id) { version signedUp } }"
BULLETIN = (
    "subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) { cursor kind } }"
)


@pytest.fixture(scope="module")
def server(either_server: Any) -> Any:
    return either_server


async def lives(socket: Any) -> None:
    """It answers, and has said nothing else before."""
    await socket.send(type="ping")
    assert await socket.receive() == {"type": "pong"}


async def test_a_socket_shows_the_snapshot_as_text(server: Any) -> None:
    async with server.socket() as socket:
        await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        async with asyncio.timeout(20):
            frame = await socket.connection.recv()
    assert isinstance(frame, str)
    message = json.loads(frame)
    assert (message["id"], message["type"]) == ("a", "next")
    assert message["payload"] == {"data": {"voteProgress": {"version": 1, "participating": {"heads": 0}}}}


async def test_a_socket_answers_a_ping(server: Any) -> None:
    async with server.socket() as socket:
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


async def test_queries_and_mutations_are_answered_once_and_are_complete(server: Any) -> None:
    who, event = "spring/resident-6", server.town.id("Event", "picnic")
    async with server.socket(who) as socket:
        for _ in range(2):  # its id is free again
            await socket.subscribe("a", VIEWER)
            message = await socket.receive()
            assert (message["id"], message["type"]) == ("a", "next")
            assert message["payload"] == server.post(VIEWER, who)
            assert await socket.receive() == {"id": "a", "type": "complete"}
        await socket.subscribe("a", SIGN_UP, event=event)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("a", "next")
        assert await socket.receive() == {"id": "a", "type": "complete"}
        await lives(socket)
    seen = server.post("query($id: ID!) { event(id: $id) { viewerSignUp { id } } }", who, id=event)
    assert seen == {"data": {"event": {"viewerSignUp": message["payload"]["data"]["signUp"]}}}


@pytest.mark.parametrize(
    ("who", "query", "given", "code"),
    [
        (None, SIGN_UP, {"event": "picnic"}, "UNAUTHENTICATED"),
        ("spring/resident-1", SIGN_UP, {"event": "past"}, "EVENT_OVER"),
        (None, "query($event: ID!) { event(id: $event) { nothing } }", {"event": "picnic"}, "INVALID_INPUT"),
        (None, "query($event: ID!) { node(id: $event) { id } viewer { account } }", {}, "INVALID_INPUT"),
        (None, "{ viewer { account } } query B { viewer { account } }", {}, "INVALID_INPUT"),
        (
            None,
            "{ communities(first: 100) { edges { node {"
            " votes(first: 100) { edges { node { tally { version } } } } } } } }",
            {},
            "TOO_COSTLY",
        ),
    ],
)
async def test_what_is_refused_over_http_is_refused_on_a_socket_alike(
    server: Any, who: str | None, query: str, given: dict[str, str], code: str
) -> None:
    variables = {name: server.town.id("Event", each) for name, each in given.items()}
    expected = server.post(query, who, **variables)
    async with server.socket(who) as socket:
        await socket.subscribe("a", query, **variables)
        message = await socket.receive()
        if message["type"] == "next":
            assert await socket.receive() == {"id": "a", "type": "complete"}
        errors = message["payload"]["errors"] if message["type"] == "next" else message["payload"]
        await lives(socket)
    assert (message["type"] == "next") == ("path" in expected["errors"][0])
    assert [error["extensions"]["code"] for error in errors] == [code]
    assert [_plain(error) for error in errors] == [_plain(error) for error in expected["errors"]]


def _plain(error: dict[str, Any]) -> dict[str, Any]:
    """Without the number of the request."""
    extensions = {name: value for name, value in error["extensions"].items() if name != "requestId"}
    return error | {"extensions": extensions}


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
        assert "errors" not in server.post(CAST, "spring/resident-2", v=vote, a=[question])
        assert "errors" not in server.post(SIGN_UP, "spring/resident-2", event=event)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("event", "next")
        before = first["event"]["payload"]["data"]["eventAttendance"]
        assert message["payload"]["data"]["eventAttendance"]["version"] > before["version"]


@pytest.mark.parametrize("authorization", ["Bearer nothing", "Basic dTpw", 42, ["Bearer"]])
async def test_a_socket_with_a_token_that_opens_nothing_is_closed(server: Any, authorization: Any) -> None:
    async with server.connection() as socket:
        await socket.send(type="connection_init", payload={"Authorization": authorization})
        assert await socket.until_closed() == 4403


async def test_a_token_may_come_with_the_handshake_and_is_as_strictly_taken(server: Any) -> None:
    async with server.connection(**server.bearer("quiet/resident-1")) as socket:
        await socket.init()
        await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
        assert (await socket.receive())["type"] == "next"
    async with server.connection(authorization="Bearer nothing") as socket:
        await socket.send(type="connection_init")
        assert await socket.until_closed() == 4403


async def test_an_operation_before_the_init_closes_the_socket(server: Any) -> None:
    async with server.connection() as socket:
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
        '{"type": "subscribe", "id": "a", "payload": {"query": "mutation { a }",'
        ' "variables": {"b": 1, "b": 2}}}',
        '{"type": "subscribe", "id": "a", "payload": {"query": "{ a }", "operationName": 42}}',
        '{"type": "subscribe", "id": {}, "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": "a", "payload": {"query": "{ a }", "extensions": 42}}',
        '{"type": "subscribe", "id": 42, "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "payload": {"query": "{ a }"}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": []}',
        '{"type": "complete", "id": ""}',
        '{"type": "ping", "payload": 42}',
        '{"type": "pong", "payload": []}',
        '{"type": "next", "id": "a", "payload": {}}',
        '{"type": "connection_ack"}',
        '{"type": "ping"',
        '{"type": "ping", "id": "\\ud800"}',
        "[" * 5_000,
    ],
)
async def test_a_message_that_is_none_closes_the_socket(server: Any, text: str) -> None:
    async with server.socket() as socket:
        await socket.connection.send(text)
        assert await socket.until_closed() == 4400


@pytest.mark.parametrize("payload", ["[]", "42", '"x"'])
async def test_an_init_that_is_none_closes_the_socket(server: Any, payload: str) -> None:
    async with server.connection() as socket:
        await socket.connection.send(f'{{"type": "connection_init", "payload": {payload}}}')
        assert await socket.until_closed() == 4400


async def test_a_binary_frame_closes_the_socket(server: Any) -> None:
    async with server.socket() as socket:
        await socket.connection.send(b'{"type": "ping"}')
        assert await socket.until_closed() == 4400


async def test_a_message_that_is_too_large_closes_the_socket(server: Any) -> None:
    async with server.socket() as socket:
        await socket.subscribe("a", "x" * 65 * 1024)
        assert await socket.until_closed() == 1009


async def test_another_protocol_is_not_spoken(server: Any) -> None:
    address = f"ws://127.0.0.1:{server.port}/graphql"
    for spoken in (["graphql-ws"], None):
        async with connect(address, subprotocols=spoken) as connection:
            with pytest.raises(ConnectionClosedError):
                await connection.recv()
        assert connection.close_code == 4406


# Pings, in both directions and at any time


async def test_a_ping_is_answered_also_before_the_init(server: Any) -> None:
    async with server.connection() as socket:
        await lives(socket)
        await socket.send(type="ping", payload={"any": "thing"})
        assert await socket.receive() == {"type": "pong"}
        await socket.init()


async def test_a_pong_is_taken_without_a_word_also_before_the_init(server: Any) -> None:
    async with server.connection() as socket:
        await socket.send(type="pong")
        await socket.send(type="pong", payload={"any": "thing"})
        await lives(socket)
        await socket.init()
        await socket.send(type="pong", payload=None)
        await lives(socket)


async def test_an_init_needs_no_payload(server: Any) -> None:
    for given in ({}, {"payload": None}, {"payload": {}}, {"payload": {"any": "thing"}}):
        async with server.connection() as socket:
            await socket.send(type="connection_init", **given)
            assert await socket.receive() == {"type": "connection_ack"}


# Ids


async def test_completing_what_is_not_there_says_nothing(server: Any) -> None:
    async with server.connection() as socket:
        await socket.send(type="complete", id="nothing")
        await socket.init()
        await socket.send(type="complete", id="nothing")
        await lives(socket)


async def test_an_id_is_free_again_once_its_operation_is_completed(server: Any) -> None:
    vote = server.town.id("Vote", "open")
    async with server.socket() as socket:
        for _ in range(3):
            await socket.subscribe("a", PROGRESS, id=vote)
            assert (await socket.receive())["type"] == "next"
            await socket.send(type="complete", id="a")
        await lives(socket)


async def test_what_is_completed_before_it_began_says_nothing(server: Any) -> None:
    """The snapshot may be on its way; after the pong there is nothing more."""
    async with server.socket("spring/resident-1") as socket:
        for query, name in ((ATTENDANCE, "Event"), (PRIVATE, "Community")):
            given = server.town.id(name, {"Event": "past", "Community": "spring"}[name])
            await socket.subscribe("a", query, id=given)
            await socket.send(type="complete", id="a")
            await socket.send(type="ping")
            while (message := await socket.receive()) != {"type": "pong"}:
                assert message["type"] == "next"
            await lives(socket)


async def test_any_text_may_be_an_id(server: Any) -> None:
    ids = ["0", " ", "a" * 200, '"\\', "表决" * 50, "\n", "🏠"]
    async with server.socket() as socket:
        for id_ in ids:
            await socket.subscribe(id_, PROGRESS, id=server.town.id("Vote", "open"))
            message = await socket.receive()
            assert (message["id"], message["type"]) == (id_, "next")


@pytest.mark.parametrize("id_", ["a" * 500, "表决" * 100, "🏠" * 100])
async def test_an_id_in_use_is_named_as_far_as_a_closing_takes_it(server: Any, id_: str) -> None:
    async with server.socket() as socket:
        for _ in range(2):
            await socket.subscribe(id_, PROGRESS, id=server.town.id("Vote", "open"))
        assert await socket.until_closed() == 4409
        assert socket.connection.close_reason.startswith(f"Subscriber for {id_[:20]}")


async def test_an_operation_of_a_quick_client_comes_with_its_init(server: Any) -> None:
    """It does not wait for the ack, and all is there before anybody reads."""
    vote = server.town.id("Vote", "open")
    async with server.connection() as socket:
        await socket.send(type="connection_init")
        await socket.subscribe("a", PROGRESS, id=vote)
        assert (await socket.receive())["type"] == "connection_ack"
        assert (await socket.receive())["type"] == "next"


# Beginning


async def test_a_second_init_closes_the_socket_also_before_the_first_is_answered(server: Any) -> None:
    async with server.connection() as socket:
        for _ in range(2):
            await socket.send(type="connection_init")
        assert await socket.until_closed() == 4429


async def test_a_socket_on_which_nothing_is_said_is_closed(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets_, "PATIENCE", 0.05)
    async with here() as server:
        async with server.connection() as socket:
            await socket.send(type="pong")
            assert await socket.until_closed() == 4408
        monkeypatch.setattr(sockets_, "PATIENCE", 0.6)  # enough for a slow machine to say the first word
        async with server.socket() as socket:
            await asyncio.sleep(0.8)
            await lives(socket)
        await server.until(lambda: not server.sockets.open)


# Operations


PRIVATE = """subscription($id: ID!) { bulletin(communityId: $id) {
  subject { ... on Vote { viewerEntries { party } } } } }"""


@pytest.mark.parametrize(
    "variables",
    [{}, {"id": 42.5}, {"id": [[]]}, {"id": None}, {"id": {"a": 1}}, {"id": "x" * 2000}],
    ids=lambda given: json.dumps(given)[:20],
)
@pytest.mark.parametrize("query", [PROGRESS, ATTENDANCE, BULLETIN, PRIVATE])
async def test_variables_that_do_not_fit_are_refused(server: Any, query: str, variables: Any) -> None:
    async with server.socket() as socket:
        await socket.subscribe("a", query, **variables)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("a", "error")
        assert message["payload"][0]["extensions"]["code"] in {"INVALID_INPUT", "INVALID_ID"}
        await lives(socket)


@pytest.mark.parametrize("after", [42, [], {}, True, "", "x", "表决", "AAAA"], ids=str)
async def test_a_cursor_that_is_none_is_refused(server: Any, after: Any) -> None:
    async with server.socket() as socket:
        await socket.subscribe("a", BULLETIN, id=server.town.id("Community", "spring"), after=after)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("a", "error")
        assert message["payload"][0]["extensions"]["code"] in {"INVALID_INPUT", "CURSOR_INVALID"}
        await lives(socket)


async def test_a_cursor_may_be_asked_for_with_emphasis(server: Any) -> None:
    query = BULLETIN.replace("$after: String", "$after: String!")
    newest = """query($id: ID!) { node(id: $id) { ... on Community {
      bulletin(first: 2) { edges { cursor } } } } }"""
    community = server.town.id("Community", "spring")
    seen = server.post(newest, id=community)["data"]["node"]["bulletin"]["edges"]
    async with server.socket() as socket:
        await socket.subscribe("a", query, id=community, after=seen[1]["cursor"])
        message = await socket.receive()
        assert message["type"] == "next", message
        assert message["payload"]["data"]["bulletin"]["cursor"] == seen[0]["cursor"]
        await socket.subscribe("b", query, id=community)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("b", "error")
        assert message["payload"][0]["extensions"]["code"] == "INVALID_INPUT"


DEEP = [
    pytest.param(PROGRESS, {"id": json.loads("[" * 400 + "]" * 400)}, id="variables"),
    pytest.param("subscription " + "{ a" * 600 + " }" * 600, {}, id="selections"),
    pytest.param("subscription { a(b: " + "[" * 900 + "]" * 900 + ") }", {}, id="values"),
    pytest.param("subscription { a " * 3000, {}, id="tokens"),
]


@pytest.mark.parametrize(("query", "variables"), DEEP)
async def test_what_is_nested_too_deep_is_refused(server: Any, query: str, variables: Any) -> None:
    async with server.socket() as socket:
        await socket.subscribe("a", query, **variables)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("a", "error")
        assert message["payload"][0]["extensions"]["code"] == "INVALID_INPUT"
        await lives(socket)


async def test_one_of_several_operations_is_chosen_by_its_name(server: Any) -> None:
    both = f"{PROGRESS.replace('subscription', 'subscription first', 1)} " + ATTENDANCE.replace(
        "subscription", "subscription second", 1
    )
    given = {"id": server.town.id("Event", "past")}
    async with server.socket() as socket:
        for name, kind in (("second", "next"), ("third", "error"), (None, "error")):
            payload = {"query": both, "variables": given, "operationName": name, "extensions": {}}
            await socket.send(type="subscribe", id=str(name), payload=payload)
            message = await socket.receive()
            assert (message["id"], message["type"]) == (str(name), kind)


async def test_more_operations_than_a_socket_takes_are_refused_one_by_one(server: Any) -> None:
    vote = server.town.id("Vote", "open")
    async with server.socket() as socket:
        for number in range(MOST_OPERATIONS):
            await socket.subscribe(str(number), PROGRESS, id=vote)
            assert (await socket.receive())["type"] == "next"
        await socket.subscribe("more", PROGRESS, id=vote)
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("more", "error")
        assert [error["extensions"]["code"] for error in message["payload"]] == ["LIMIT_REACHED"]
        await socket.send(type="complete", id="0")
        await socket.subscribe("more", PROGRESS, id=vote)
        assert (await socket.receive())["type"] == "next"


class Narrow:
    """Takes one text, and no other until that one is read. `ids`: whose they were."""

    def __init__(self, writer: Any) -> None:
        self.drained, self.close, self.busy = writer.drained, writer.close, False
        self.ids: list[str] = []

    def write(self, text: bytes) -> None:
        assert not self.busy
        self.ids.append(json.loads(text)["id"])
        self.busy = True

    def read(self) -> None:
        self.busy = False
        self.drained()


async def test_on_a_slow_connection_each_subscription_has_its_turn(here: Any) -> None:
    """Though all of them have something new each time."""
    async with here() as server, server.socket() as socket:
        for id_ in "abc":
            await socket.subscribe(id_, PROGRESS, id=server.town.id("Vote", "open"))
            await socket.receive()
        (held,) = server.sockets._sockets
        narrow = Narrow(held.writer)
        for _ in range(6):
            for operation in held._operations.values():
                operation.writer, operation.seen = narrow, 0
            narrow.read()
        assert narrow.ids == [*"abcabc"]


async def test_nothing_of_it_was_a_fault(server: Any) -> None:
    """Last, as it looks at all that was logged for the tests above."""
    assert "Traceback" not in server.log()
    assert '"level": "error"' not in server.log()


async def test_only_four_are_executed_at_once_and_each_is_answered(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = now = 0
    execute = answering.Answering.execute

    async def counted(self: Any, *given: Any) -> Any:
        nonlocal most, now
        now += 1
        most = max(most, now)
        try:
            await asyncio.sleep(0.01)
            return await execute(self, *given)
        finally:
            now -= 1

    monkeypatch.setattr(answering.Answering, "execute", counted)
    async with here() as server, server.socket("spring/resident-1") as socket:
        for number in range(20):
            await socket.subscribe(str(number), f"{{ viewer {{ a{number}: account }} }}")
        told = [await socket.receive() for _ in range(40)]
        assert most == answering.MOST_AT_ONCE
        assert {message["id"] for message in told if message["type"] == "complete"} == set(
            map(str, range(20))
        )
        assert all("errors" not in message["payload"] for message in told if message["type"] == "next")
        assert len(server.sockets) == 0
        assert not server.sockets.answering.tasks


@pytest.mark.parametrize("end", ["complete", "close", "abort"])
async def test_whoever_goes_is_not_answered_and_what_it_asked_for_is_done(
    here: Any, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    execute, begun, go_on = answering.Answering.execute, asyncio.Event(), asyncio.Event()

    async def waiting(self: Any, *given: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await execute(self, *given)

    async with here() as server:
        event, who = server.town.id("Event", "picnic"), "spring/resident-5"
        async with server.socket(who) as socket:
            monkeypatch.setattr(answering.Answering, "execute", waiting)
            await socket.subscribe("a", SIGN_UP, event=event)
            await begun.wait()
            if end == "complete":
                await socket.send(type="complete", id="a")
                await lives(socket)
                go_on.set()
                await server.until(lambda: not server.sockets.answering.tasks)
                await lives(socket)
            elif end == "abort":
                socket.connection.transport.abort()
        await server.until(lambda: not server.sockets.open)
        go_on.set()
        await server.until(lambda: not server.sockets.answering.tasks)
        seen = await server.ask(
            "query($id: ID!) { event(id: $id) { viewerSignUp { partySize } } }", who, id=event
        )
        assert seen["data"]["event"]["viewerSignUp"] == {"partySize": 1}


async def test_a_query_that_nobody_waits_for_is_not_executed_to_its_end(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def for_ever(self: Any, *given: Any) -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with here() as server, server.socket() as socket:
        monkeypatch.setattr(answering.Answering, "execute", for_ever)
        await socket.subscribe("a", VIEWER)
        await begun.wait()
        await socket.send(type="complete", id="a")
        await asyncio.wait_for(cancelled.wait(), 20)
        await lives(socket)


async def test_an_answer_is_for_whoever_the_client_is_by_then(here: Any) -> None:
    """Also where no signal told of the change."""
    publish = 'mutation($c: ID!) { publishNotice(communityId: $c, notice: {title: "一", body: "。"}) { id } }'
    async with here() as server, server.socket("spring/committee") as socket:
        spring = server.town.id("Community", "spring")
        await socket.subscribe("a", publish, c=spring)
        assert "errors" not in (await socket.receive())["payload"]
        await socket.receive()
        await RoleGrant.filter(account_id=server.town.key("Account", "spring/committee")).update(
            until=server.town.now
        )
        await socket.subscribe("a", publish, c=spring)
        errors = (await socket.receive())["payload"]["errors"]
        assert [error["extensions"]["code"] for error in errors] == ["FORBIDDEN"]


async def test_whoever_comes_back_after_the_session_ended_is_told_so(here: Any) -> None:
    async with here() as server, server.socket("spring/resident-1") as socket:
        await Session.filter(account_id=server.town.key("Account", "spring/resident-1")).delete()
        await socket.subscribe("a", VIEWER)
        assert await socket.until_closed() == 4401
