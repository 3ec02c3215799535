"""The sockets of /graphql: graphql-transport-ws to the letter, subscriptions only.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send
from strawberry.http.websocket_origin import is_same_origin, normalize_origin

from api.clock import utc_now
from api.lines import line_of
from api.metrics import Metrics
from api.operations import TRY_AGAIN_LATER, Operation, formatted
from api.sessions import COOKIE, secret_of, viewer_behind
from api.settings import Settings
from community.errors import ErrorCode, LimitReached, Refused, TryAgain, Unauthenticated
from community.permissions import NOBODY, Viewer
from realtime.lines import Line
from realtime.standing import Standing, Standings
from schema.context import Context
from schema.errors import request_id
from schema.shared import Asked, Sharing
from schema.watching import Watching

PROTOCOL = "graphql-transport-ws"
PATIENCE = 10.0
"""Seconds for the first message."""

MOST_OPERATIONS = 50
MOST_SOCKETS_OF_ACCOUNT = 50
"""On one process: the phones, tabs and integrations of one account."""


class Sockets:
    """An ASGI app for websockets, and the sockets that it has open."""

    def __init__(
        self, settings: Settings, watching: Watching, sharing: Sharing, standings: Standings, metrics: Metrics
    ) -> None:
        self.watching, self.sharing, self.standings = watching, sharing, standings
        self._origin = normalize_origin(settings.public_url)
        self._most_of_address = settings.sockets_per_address
        self._metrics = metrics
        self._of_address: Counter[str] = Counter()
        self._sockets: set[Socket] = set()

    def __len__(self) -> int:
        """How many subscriptions stand."""
        return sum(map(len, self._sockets))

    @property
    def open(self) -> int:
        return len(self._sockets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # that somebody knocks
        knocking = HTTPConnection(scope)
        if knocking.url.path != "/graphql" or not self._from_allowed_page(knocking.headers):
            await send({"type": "websocket.close", "code": 1008})
            return
        speaks = PROTOCOL in scope.get("subprotocols", ())
        address = knocking.client.host if knocking.client else ""
        socket = Socket(
            self, line_of(scope, send), knocking.headers.get("authorization"), knocking.cookies.get(COOKIE)
        )
        del knocking, scope  # all that came with the handshake; thousands of sockets only wait from here on
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL if speaks else None})
        if not speaks:
            socket.close(4406, "Subprotocol not acceptable")
        if self._of_address[address] >= self._most_of_address:
            socket.close(TRY_AGAIN_LATER, "Too many connections from one address")
        self._of_address[address] += 1
        self._sockets.add(socket)
        try:
            await socket.serve(receive)
        finally:
            socket.gone()
            self._sockets.discard(socket)
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def _from_allowed_page(self, headers: Headers) -> bool:
        """Browsers send cookies also from foreign pages, but they say where from."""
        origin = headers.get("origin")
        return (
            origin is None
            or is_same_origin(origin, headers.get("host"))
            or (normalize_origin(origin) == self._origin)
        )

    def count(self, errors: Iterable[Mapping[str, Any]]) -> None:
        for error in errors:
            self._metrics.errors.labels(error["extensions"]["code"]).inc()


class Socket:
    """One client. `viewer`: for whom it is, asked again whenever rights change."""

    __slots__ = (
        "_authorization", "_context", "_cookie", "_expiry", "_operations", "_patience", "_ready", "_renewal",
        "_secret", "_sockets",
        "closed", "line", "viewer",
    )  # fmt: skip

    def __init__(self, sockets: Sockets, line: Line, authorization: str | None, cookie: str | None) -> None:
        self._sockets, self.line = sockets, line
        self._authorization, self._cookie = authorization, cookie
        self._secret: str | None = None
        self.viewer = NOBODY
        self._ready = self.closed = False
        self._renewal: asyncio.Task[None] | None = None
        self._operations: dict[str, Operation] = {}
        self._context: Context | None = None
        self._expiry: asyncio.TimerHandle | None = None
        line.drained = self._drained
        self._patience: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            PATIENCE, self.close, 4408, "Connection initialisation timeout"
        )

    def __len__(self) -> int:
        return len(self._operations)

    async def serve(self, receive: Receive) -> None:
        """Until the client is gone."""
        request_id.set(secrets.token_hex(4))
        while await self._take(await receive()):  # without a name for the message, which may be long
            if self.line.busy:
                await self.line.drain()

    def close(self, code: int, reason: str) -> None:
        self.closed = True
        self.line.close(code, reason)

    def gone(self) -> None:
        self.closed = True
        if self._patience:
            self._patience.cancel()
        if self._expiry:
            self._expiry.cancel()
        if self._renewal:
            self._renewal.cancel()
        if self.viewer.account is not None:
            self._sockets.standings.forget(self.viewer.account, self)
        for operation in self._operations.values():
            operation.stop()
        self._operations.clear()
        self._context = None  # it knows its socket

    # What the client says

    async def _take(self, event: Message) -> bool:
        """Whether there may be more to come."""
        if event["type"] != "websocket.receive":
            return False
        if not self.closed:
            await self._obey(event.get("text"))
        return True

    async def _obey(self, text: str | None) -> None:
        try:
            message = orjson.loads(text) if text is not None else None
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("id", ""), str):
            self.close(4400, "A message is a JSON object in a text frame")
            return
        match message.get("type"):
            case "connection_init":
                await self._begin(message.get("payload", {}))
            case "ping":
                self.line.write(b'{"type":"pong"}')
            case "pong":
                pass
            case "subscribe" if "id" in message and (asked := _asked(message.get("payload"))):
                self._subscribe(message["id"], asked)
            case "complete" if "id" in message:
                if operation := self._operations.pop(message["id"], None):
                    operation.stop()
            case _:
                self.close(4400, "No such message")

    async def _begin(self, payload: object) -> None:
        if self._patience is None:
            self.close(4429, "Too many initialisation requests")
            return
        self._patience.cancel()
        self._patience = None
        if not isinstance(payload, dict | None):
            self.close(4400, "Invalid connection init payload")
            return
        given = (payload or {}).get("Authorization", self._authorization)
        try:
            if given is not None and not isinstance(given, str):
                raise Unauthenticated
            self._secret = secret_of(given, self._cookie)
            await self._enter(strict=given is not None)
        except TryAgain:
            self.close(TRY_AGAIN_LATER, "Try again later")
        except Refused:
            self.close(4403, "Forbidden")
        else:
            self._ready = True
            self.line.write(b'{"type":"connection_ack"}')

    async def _enter(self, *, strict: bool) -> None:
        """Finds out who it is for; what changes meanwhile is read again. Raises Refused."""
        standings, changes = self._sockets.standings, -1
        while changes != standings.changes:
            changes = standings.changes
            viewer = await viewer_behind(self._secret, utc_now(), strict=strict)
        if viewer.account != self.viewer.account and not self.closed:
            if self.viewer.account is not None:
                standings.forget(self.viewer.account, self)
            if viewer.account is not None:
                if standings.of(viewer.account) >= MOST_SOCKETS_OF_ACCOUNT:
                    self.close(TRY_AGAIN_LATER, "Too many connections of one account")
                standings.keep(viewer.account, self)
        self.viewer = viewer
        if self._context:
            self._context.viewer = viewer
        if self._expiry:
            self._expiry.cancel()
        if viewer.expires_at is not None and not self.closed:
            left = (viewer.expires_at - utc_now()).total_seconds()
            self._expiry = asyncio.get_running_loop().call_later(max(0.0, left), self.changed)

    def _subscribe(self, id_: str, asked: Asked) -> None:
        if not self._ready:
            self.close(4401, "Unauthorized")
        elif id_ in self._operations:
            self.close(4409, f"Subscriber for {id_[:64]} already exists")
        elif len(self._operations) >= MOST_OPERATIONS:
            self.tell_errors(id_, [formatted(LimitReached(most=MOST_OPERATIONS))])
        else:
            operation = self._operations[id_] = Operation(self, id_, asked)
            if self._renewal is None:
                operation.begin()

    # What happens meanwhile

    def changed(self) -> None:
        """Rights changed, or the session is over: nothing more is shown until they were asked again."""
        if self._context:
            self._context.standing.changed()
        for operation in self._operations.values():
            operation.leave()
        if self._renewal:
            self._renewal.cancel()
        self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            await self._enter(strict=False)
        except Refused:
            self.close(TRY_AGAIN_LATER, "Try again later")
            return
        self._renewal = None
        for id_, operation in list(self._operations.items()):
            if operation.has_left:
                self._operations[id_] = successor = operation.successor()
                successor.begin()

    def _drained(self) -> None:
        for operation in self._operations.values():
            operation.catch_up()

    # What its operations need

    @property
    def sharing(self) -> Sharing:
        return self._sockets.sharing

    @property
    def context(self) -> Context:
        """For what runs for this viewer alone."""
        if self._context is None:
            self._context = Context(
                utc_now, self._sockets.watching, Standing(self._current, utc_now), self.viewer, self._secret
            )
        return self._context

    async def _current(self) -> Viewer:
        await self._enter(strict=False)
        return self.viewer

    def tell_errors(self, id_: str, errors: Sequence[Mapping[str, Any]]) -> None:
        """Ends an operation by its errors, if any; where trying again helps, the whole socket."""
        self._operations.pop(id_, None)
        self._sockets.count(errors)
        if any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors):
            self.close(TRY_AGAIN_LATER, "Try again later")
        elif errors:
            self.line.write(orjson.dumps({"id": id_, "type": "error", "payload": errors}))
        else:
            self.line.write(orjson.dumps({"id": id_, "type": "complete"}))


def _asked(payload: object) -> Asked | None:
    """None where it is no `subscribe` payload."""
    if not isinstance(payload, dict) or not isinstance(query := payload.get("query"), str):
        return None
    variables, name = payload.get("variables"), payload.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        return None
    return Asked(query, variables, name)
