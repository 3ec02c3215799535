"""The protocol graphql-transport-ws without a socket: messages in, outputs and replies out.

A state machine without I/O: whoever holds the connection hands in each text and does what comes back. The
text of a `next` is not made here: thousands share what comes behind their prefix.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from collections.abc import Container, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

import orjson

from api.bodies import repeats_a_key
from realtime.fields import SubscribeRequest

SUBPROTOCOL = "graphql-transport-ws"

BAD_REQUEST = 4400

TRY_AGAIN_LATER = 1013
"""After this code stock clients come back by themselves, which they do not after an error."""


class Phase(Enum):
    """Of a connection."""

    CONNECTED = 0  # nothing was said
    INITIALISING = 1  # who the client is, is being found out
    ACKNOWLEDGED = 2
    CLOSED = 3


class Initialise(NamedTuple):
    """Read the viewer; then `acknowledge`, or close."""

    payload: Mapping[str, Any]


class Start(NamedTuple):
    """Begin an operation under this id."""

    id: str
    request: SubscribeRequest


class Stop(NamedTuple):
    """Stop this operation."""

    id: str


class Reply(NamedTuple):
    text: bytes


class Close(NamedTuple):
    """Close the connection; later messages are ignored."""

    code: int
    reason: str


Output: TypeAlias = Initialise | Start | Stop | Reply | Close

BAD_SUBPROTOCOL = Close(4406, "Subprotocol not acceptable")
TOO_LATE = Close(4408, "Connection initialisation timeout")
TOO_MANY_INITIALISATIONS = Close(4429, "Too many initialisation requests")
NOT_ACKNOWLEDGED = Close(4401, "Unauthorized")
SESSION_OVER = Close(4401, "Your session is over; sign in again")
"""Closes instead of going on as a stranger: stock clients do not come back after this code."""

NO_OBJECT = Close(BAD_REQUEST, "A message is a JSON object in a text frame")
NO_MESSAGE = Close(BAD_REQUEST, "No such message")
REPEATED_KEY = Close(BAD_REQUEST, "A key is given twice in one object")
"""As over HTTP: nobody may cast one ballot and have another one counted. Only what may write is looked
through, which takes longer than the rest of a `subscribe`.
"""

AGAIN_LATER = Close(TRY_AGAIN_LATER, "Try again later")
FELL_BEHIND = Close(TRY_AGAIN_LATER, "Read faster, and go on from the cursor")


def forbidden(reason: str) -> Close:
    return Close(4403, f"Forbidden: {reason}")


def prefix(id_: str) -> bytes:
    """Of a `next`: its payload and a closing brace come behind it."""
    return b'{"id":%b,"type":"next","payload":' % orjson.dumps(id_)


def error(id_: str, errors: Sequence[Mapping[str, Any]]) -> bytes:
    return orjson.dumps({"id": id_, "type": "error", "payload": errors})


def complete(id_: str) -> bytes:
    return orjson.dumps({"id": id_, "type": "complete"})


def may_write(request: SubscribeRequest) -> bool:
    """Whether it may be a mutation; none goes without this word."""
    return "mutation" in request.query


class TransportWs:
    """One connection. `standing`: the ids of its operations, which its holder begins and stops."""

    __slots__ = ("_standing", "phase")

    def __init__(self, standing: Container[str]) -> None:
        self._standing, self.phase = standing, Phase.CONNECTED

    def receive(self, text: str | None) -> Output | None:
        """Returns what to do about a message, None for nothing; `text` is None if it was not text."""
        if self.phase is Phase.CLOSED:
            return None
        output = self._output_of(text)
        if isinstance(output, Close):
            self.phase = Phase.CLOSED
        return output

    def acknowledge(self) -> Reply:
        self.phase = Phase.ACKNOWLEDGED
        return Reply(b'{"type":"connection_ack"}')

    def late(self) -> Close | None:
        """Closes a connection that was not initialised in time."""
        return self.close(TOO_LATE) if self.phase is Phase.CONNECTED else None

    def close(self, why: Close) -> Close:
        self.phase = Phase.CLOSED
        return why

    def _output_of(self, text: str | None) -> Output | None:
        try:
            message = orjson.loads(text) if text is not None else None
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            return NO_OBJECT
        payload = message.get("payload")
        match message:
            case {"type": "connection_init"} if _is_object_or_none(payload):
                if self.phase is not Phase.CONNECTED:
                    return TOO_MANY_INITIALISATIONS
                self.phase = Phase.INITIALISING
                return Initialise(payload or {})
            case {"type": "ping"} if _is_object_or_none(payload):
                return Reply(b'{"type":"pong"}')
            case {"type": "pong"} if _is_object_or_none(payload):
                return None
            case {"type": "subscribe", "id": str(id_)} if id_ and (request := _request(payload)):
                if may_write(request) and text and repeats_a_key(text, message):
                    return REPEATED_KEY
                return self._start(id_, request)
            case {"type": "complete", "id": str(id_)} if id_:
                return Stop(id_)
        return NO_MESSAGE

    def _start(self, id_: str, request: SubscribeRequest) -> Output:
        if self.phase is not Phase.ACKNOWLEDGED:
            return NOT_ACKNOWLEDGED
        if id_ in self._standing:
            return Close(4409, f"Subscriber for {id_} already exists")
        return Start(id_, request)


def _request(payload: object) -> SubscribeRequest | None:
    """Returns None if it is not a valid `subscribe` payload."""
    if not isinstance(payload, dict) or not isinstance(query := payload.get("query"), str):
        return None
    variables, name = payload.get("variables"), payload.get("operationName")
    if not (_is_object_or_none(variables) and _is_object_or_none(payload.get("extensions"))):
        return None
    return SubscribeRequest(query, variables, name) if isinstance(name, str | None) else None


def _is_object_or_none(value: object) -> bool:
    return isinstance(value, dict | None)
