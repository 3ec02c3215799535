"""graphql-transport-ws without a socket: every message in every phase, and every close code."""

import json
from typing import Any

import pytest

from api import protocol
from api.protocol import Close, Initialise, Phase, Reply, Start, Stop, TransportWs
from realtime.fields import SubscribeRequest

INIT = {"type": "connection_init"}
SUBSCRIBE = {"type": "subscribe", "id": "a", "payload": {"query": "{ a }"}}
COMPLETE = {"type": "complete", "id": "a"}
PING, PONG = {"type": "ping"}, {"type": "pong"}


def connection(phase: Phase = Phase.ACKNOWLEDGED, *ids: str) -> TransportWs:
    made = TransportWs(ids)
    made.phase = phase
    return made


def said(made: TransportWs, message: Any) -> Any:
    return made.receive(json.dumps(message))


STARTED = Start("a", SubscribeRequest("{ a }", None, None))
TOO_MANY, EARLY = Close(4429, "Too many initialisation requests"), Close(4401, "Unauthorized")


@pytest.mark.parametrize(
    ("phase", "message", "output", "after"),
    [
        (Phase.CONNECTED, INIT, Initialise({}), Phase.INITIALISING),
        (Phase.CONNECTED, SUBSCRIBE, EARLY, Phase.CLOSED),
        (Phase.CONNECTED, COMPLETE, Stop("a"), Phase.CONNECTED),
        (Phase.INITIALISING, INIT, TOO_MANY, Phase.CLOSED),
        (Phase.INITIALISING, SUBSCRIBE, EARLY, Phase.CLOSED),
        (Phase.ACKNOWLEDGED, INIT, TOO_MANY, Phase.CLOSED),
        (Phase.ACKNOWLEDGED, SUBSCRIBE, STARTED, Phase.ACKNOWLEDGED),
        (Phase.ACKNOWLEDGED, COMPLETE, Stop("a"), Phase.ACKNOWLEDGED),
        *((phase, PING, Reply(b'{"type":"pong"}'), phase) for phase in list(Phase)[:3]),
        *((phase, PONG, None, phase) for phase in list(Phase)[:3]),
        *((Phase.CLOSED, each, None, Phase.CLOSED) for each in (INIT, SUBSCRIBE, COMPLETE, PING, PONG, 5)),
    ],
)
def test_each_message_asks_for_what_its_phase_allows(
    phase: Phase, message: Any, output: object, after: Phase
) -> None:
    made = connection(phase)
    assert said(made, message) == output
    assert made.phase is after


@pytest.mark.parametrize(
    "text",
    [
        None, "", "nonsense", "5", "[]", "null", '"ping"', "{}", '{"type":"hello"}', '{"type":null}',
        '{"type":"ping","payload":5}', '{"type":"pong","payload":[]}',
        '{"type":"connection_init","payload":"x"}', '{"type":"subscribe"}', '{"type":"subscribe","id":"a"}',
        '{"type":"subscribe","id":"","payload":{"query":""}}',
        '{"type":"subscribe","id":5,"payload":{"query":""}}', '{"type":"subscribe","id":"a","payload":[]}',
        '{"type":"subscribe","id":"a","payload":{}}', '{"type":"subscribe","id":"a","payload":{"query":5}}',
        '{"type":"subscribe","id":"a","payload":{"query":"","variables":[]}}',
        '{"type":"subscribe","id":"a","payload":{"query":"","operationName":5}}',
        '{"type":"subscribe","id":"a","payload":{"query":"","extensions":5}}',
        '{"type":"complete"}', '{"type":"complete","id":""}', '{"type":"next","id":"a","payload":{}}',
        "[" * 2000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("phase", list(Phase)[:3])
def test_what_is_no_message_closes(phase: Phase, text: str | None) -> None:
    made = connection(phase)
    output = made.receive(text)
    assert isinstance(output, Close)
    assert output.code == 4400
    assert made.phase is Phase.CLOSED
    assert said(made, PING) is None


def test_an_id_that_stands_is_not_given_twice() -> None:
    made = connection(Phase.ACKNOWLEDGED, "a")
    assert said(made, SUBSCRIBE) == Close(4409, "Subscriber for a already exists")
    assert made.phase is Phase.CLOSED


def test_an_id_is_free_again_once_it_was_forgotten() -> None:
    standing = {"a"}
    made = TransportWs(standing)
    made.phase = Phase.ACKNOWLEDGED
    standing.remove("a")
    assert said(made, SUBSCRIBE) == STARTED


def test_who_says_nothing_is_late_and_whoever_began_is_not() -> None:
    assert connection(Phase.CONNECTED).late() == Close(4408, "Connection initialisation timeout")
    for phase in list(Phase)[1:]:
        assert connection(phase).late() is None


def test_the_whole_payload_is_handed_on() -> None:
    payload = {"Authorization": "Bearer x", "more": {"a": [1]}}
    assert said(connection(Phase.CONNECTED), INIT | {"payload": payload}) == Initialise(payload)
    asked = {"query": "{ a }", "variables": {"a": 1}, "operationName": "A", "extensions": {"b": 2}}
    output = said(connection(), SUBSCRIBE | {"payload": asked})
    assert output == Start("a", SubscribeRequest("{ a }", {"a": 1}, "A"))


def test_it_is_acknowledged_and_then_takes_operations() -> None:
    made = connection(Phase.INITIALISING)
    assert json.loads(made.acknowledge().text) == {"type": "connection_ack"}
    assert said(made, SUBSCRIBE) == STARTED


@pytest.mark.parametrize("id_", ["a", '"', "\\", "表", "\u2028", "x" * 1000])
def test_what_is_said_of_an_operation_carries_its_id(id_: str) -> None:
    assert json.loads(protocol.complete(id_)) == {"id": id_, "type": "complete"}
    errors = [{"message": "m", "extensions": {"code": "NOT_FOUND"}}]
    assert json.loads(protocol.error(id_, errors)) == {"id": id_, "type": "error", "payload": errors}
    text = protocol.prefix(id_) + b'{"data":{}}' + b"}"
    assert json.loads(text) == {"id": id_, "type": "next", "payload": {"data": {}}}


def test_closing_says_why_and_ends_all() -> None:
    made = connection(Phase.ACKNOWLEDGED, "a")
    assert made.close(protocol.SESSION_OVER).code == 4401
    assert made.phase is Phase.CLOSED
    assert protocol.forbidden("no").code == 4403
    assert protocol.BAD_SUBPROTOCOL.code == 4406
    assert protocol.AGAIN_LATER.code == 1013
