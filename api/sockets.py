"""The sockets of /graphql: graphql-transport-ws to the letter, subscriptions only.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
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

MOST_OF_A_REASON = 123
"""Bytes that fit into a close frame behind its code (RFC 6455 §5.5)."""

log = logging.getLogger(__name__)


class Sockets:
    """An ASGI app for websockets, and the sockets that it has open."""

    def __init__(
        self, settings: Settings, watching: Watching, sharing: Sharing, standings: Standings, metrics: Metrics
    ) -> None:
        self.watching, self.sharing, self.standings = watching, sharing, standings
        self._origin = normalize_origin(settings.public_url)
        self._most_of_address = settings.sockets_per_address
        self.metrics = metrics
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
        if scope["path"] != "/graphql" or not self._from_allowed_page(knocking.headers):
            await send({"type": "websocket.close", "code": 1008})
            return
        speaks = PROTOCOL in scope.get("subprotocols", ())
        address = knocking.client.host if knocking.client else ""
        line, receive = line_of(scope, receive, send)
        socket = Socket(self, line, knocking.headers.get("authorization"), knocking.cookies.get(COOKIE))
        del knocking, scope  # all that came with the handshake; thousands of sockets only wait from here on
        self._of_address[address] += 1
        self._sockets.add(socket)
        try:
            await send({"type": "websocket.accept", "subprotocol": PROTOCOL if speaks else None})
            if not speaks:
                socket.close(4406, "Subprotocol not acceptable")
            elif self._of_address[address] > self._most_of_address:
                socket.close(TRY_AGAIN_LATER, "Too many connections from one address")
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


class Socket:
    """One client. `viewer`: for whom it is, asked again whenever rights change."""

    __slots__ = (
        "_authorization", "_changes", "_context", "_cookie", "_expiry", "_operations", "_patience", "_ready",
        "_renewal", "_secret", "_sockets",
        "closed", "line", "viewer",
    )  # fmt: skip

    def __init__(self, sockets: Sockets, line: Line, authorization: str | None, cookie: str | None) -> None:
        self._sockets, self.line = sockets, line
        self._authorization, self._cookie = authorization, cookie
        self._secret: str | None = None
        self.viewer = NOBODY
        self._ready = self.closed = False
        self._changes = 0
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
        self.line.close(code, reason.encode()[:MOST_OF_A_REASON].decode(errors="ignore"))

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
        self._context = self.line.drained = None  # no circles: what is left goes at once

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
        if not isinstance(message, dict):
            self.close(4400, "A message is a JSON object in a text frame")
            return
        match message:
            case {"type": "connection_init"} if _is_object_or_none(payload := message.get("payload")):
                await self._begin(payload or {})
            case {"type": "ping"} if _is_object_or_none(message.get("payload")):
                self.line.write(b'{"type":"pong"}')
            case {"type": "pong"} if _is_object_or_none(message.get("payload")):
                pass
            case {"type": "subscribe", "id": str(id_), "payload": payload} if id_ and (
                asked := _asked(payload)
            ):
                self._subscribe(id_, asked)
            case {"type": "complete", "id": str(id_)} if id_:
                if operation := self._operations.pop(id_, None):
                    operation.stop()
            case _:
                self.close(4400, "No such message")

    async def _begin(self, payload: Mapping[str, Any]) -> None:
        if self._patience is None:
            self.close(4429, "Too many initialisation requests")
            return
        self._patience.cancel()
        self._patience = None
        given = payload.get("Authorization", self._authorization)
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
        """Finds out who it is for; what changes meanwhile is read again. Raises Refused.

        Until its account is known, a change of anybody's rights may be one of its own.
        """
        standings = self._sockets.standings
        while True:
            heard, asked = standings.changes, self._changes
            viewer = await viewer_behind(self._secret, utc_now(), strict=strict)
            if self.closed:
                return
            known = viewer.account == self.viewer.account
            if not known:
                self._keep(viewer)
            if asked == self._changes if known else heard == standings.changes:
                break
        self.viewer = viewer
        if self._context:
            self._context.viewer = viewer
            self._context.standing.renewed()
        if self._expiry:
            self._expiry.cancel()
        if viewer.expires_at is not None:
            left = (viewer.expires_at - utc_now()).total_seconds()
            self._expiry = asyncio.get_running_loop().call_later(max(0.0, left), self.changed)

    def _keep(self, viewer: Viewer) -> None:
        """From here on it is told of changes of this account's rights."""
        standings = self._sockets.standings
        if self.viewer.account is not None:
            standings.forget(self.viewer.account, self)
        self.viewer = viewer
        if viewer.account is not None:
            if standings.of(viewer.account) >= MOST_SOCKETS_OF_ACCOUNT:
                self.close(TRY_AGAIN_LATER, "Too many connections of one account")
            standings.keep(viewer.account, self)

    def _subscribe(self, id_: str, asked: Asked) -> None:
        if not self._ready:
            self.close(4401, "Unauthorized")
        elif id_ in self._operations:
            self.close(4409, f"Subscriber for {id_} already exists")
        elif len(self._operations) >= MOST_OPERATIONS:
            self.tell_errors(id_, [formatted(LimitReached(most=MOST_OPERATIONS))])
        else:
            operation = self._operations[id_] = Operation(self, id_, asked)
            if self._renewal is None:
                operation.begin()

    # What happens meanwhile

    def changed(self) -> None:
        """Rights changed, or the session is over: nothing more is shown until they were asked again."""
        self._changes += 1
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
        except Exception as error:
            if not isinstance(error, Refused):
                log.exception("could not ask for rights again")
            self.close(TRY_AGAIN_LATER, "Try again later")
            return
        self._renewal = None
        for id_, operation in list(self._operations.items()):
            if operation.has_left:
                self._operations[id_] = successor = operation.successor()
                successor.begin()
                operation.stop()

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
            standing = Standing(self._current, utc_now)
            if self._renewal:
                standing.changed()
            self._context = Context(utc_now, self._sockets.watching, standing, self.viewer, self._secret)
        return self._context

    async def _current(self) -> Viewer:
        await self._enter(strict=False)
        return self.viewer

    def tell_errors(self, id_: str, errors: Sequence[Mapping[str, Any]]) -> None:
        """Ends an operation by its errors, if any; where trying again helps, the whole socket."""
        self._operations.pop(id_, None)
        self._sockets.metrics.count(errors)
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
    if not (_is_object_or_none(variables) and _is_object_or_none(payload.get("extensions"))):
        return None
    return Asked(query, variables, name) if isinstance(name, str | None) else None


def _is_object_or_none(value: object) -> bool:
    return isinstance(value, dict | None)
