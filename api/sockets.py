"""The sockets of /graphql: graphql-transport-ws to the letter, subscriptions only.

A subscription that says the same to others is a member of their group; one that depends on its viewer
runs for it alone, by the stock way. https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from strawberry.http.websocket_origin import is_same_origin, normalize_origin

from api.clock import utc_now
from api.lines import line_of
from api.metrics import Metrics
from api.sessions import COOKIE, secret_of, viewer_behind
from api.settings import Settings
from community.errors import ErrorCode, LimitReached, NotFound, Refused, TryAgain, Unauthenticated
from community.permissions import NOBODY, Viewer
from realtime.groups import GONE, Ended, Group, Member
from realtime.lines import Line
from realtime.standing import Standing, Standings
from schema.context import Context
from schema.errors import presented, request_id
from schema.schema import graphql_schema
from schema.shared import Asked, Shared, Sharing
from schema.watching import Watching

PROTOCOL = "graphql-transport-ws"
PATIENCE = 10.0
"""Seconds for the first message."""

MOST_OPERATIONS = 50
MOST_SOCKETS_OF_ACCOUNT = 50
"""On one process: the phones, tabs and integrations of one account."""

MOST_OF_A_REASON = 123
"""Bytes that fit into a close frame behind its code (RFC 6455 §5.5)."""

TRY_AGAIN_LATER = 1013
"""After this code stock clients come back by themselves, which they do not after an error."""

log = logging.getLogger(__name__)


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

    def count(self, errors: Iterable[Mapping[str, Any]]) -> None:
        for error in errors:
            self._metrics.errors.labels(error["extensions"]["code"]).inc()


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
        while (message := await receive())["type"] == "websocket.receive":
            if not self.closed:
                await self._take(message.get("text"))
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

    async def _take(self, text: str | None) -> None:
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
            self.tell_errors(id_, [_formatted(LimitReached(most=MOST_OPERATIONS))])
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
    if not (_is_object_or_none(variables) and _is_object_or_none(payload.get("extensions"))):
        return None
    return Asked(query, variables, name) if isinstance(name, str | None) else None


def _is_object_or_none(value: object) -> bool:
    return isinstance(value, dict | None)


def _formatted(error: Exception) -> Mapping[str, Any]:
    return presented(GraphQLError(str(error), original_error=error)).formatted


class Operation(Member):
    """One subscription of a socket: a member of a group, or alone in a task of its own."""

    __slots__ = ("_after", "_asked", "_group", "_socket", "_task", "id")

    def __init__(self, socket: Socket, id_: str, asked: Asked, after: int | None = None) -> None:
        super().__init__(socket.line, b'{"id":%b,"type":"next","payload":' % orjson.dumps(id_), GONE)
        self.id, self._socket, self._asked, self._after = id_, socket, asked, after
        self._group: Group[Shared] | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._group = self._socket.sharing.enter(self._asked, self._socket.viewer)
        if self._group is None:
            self._begin_alone()
        elif self._group.source.is_open and not self._group.source.journal:
            self._join(self._group, 0)
        else:
            self._go(partial(self._join_when_open, self._group))

    def _go(self, run: Callable[[], Awaitable[None]]) -> None:
        async def to_its_end() -> None:
            try:
                await run()
            except Ended as ended:
                self.end(ended.errors)
            except Exception as error:
                self.end([_formatted(error)])

        self._task = asyncio.create_task(to_its_end())

    async def _join_when_open(self, group: Group[Shared]) -> None:
        source = group.source
        await source.until_open()
        begin = await source.begin(self._asked) if self._after is None else self._after
        if not source.journal or begin >= max(source.start, group.forgotten):
            self._join(group, begin)
        elif self._after is None:  # too far behind what the others see
            self._release()
            self._begin_alone()
        else:
            self.fall_behind()

    def _join(self, group: Group[Shared], begin: int) -> None:
        if group.source.may_be_seen_by(self._socket.viewer):
            self.seen = begin
            group.join(self)
        else:
            self.end([_formatted(NotFound())])

    def _begin_alone(self) -> None:
        self.seen = 0
        self._go(self._run_alone)

    async def _run_alone(self) -> None:
        asked, line, context = self._asked, self.line, self._socket.context
        stream = await graphql_schema.subscribe(
            asked.query, dict(asked.given), context, operation_name=asked.operation_name
        )
        async with aclosing(stream):
            async for result in stream:
                errors = [presented(error).formatted for error in result.errors or ()]
                if result.data is None:
                    self.end(errors)
                    return
                if context.standing.uncertain:  # it was read with rights that may be lost
                    self._socket.close(TRY_AGAIN_LATER, "Try again later")
                    return
                payload = {"data": result.data} | ({"errors": errors} if errors else {})
                line.write(self.prefix + orjson.dumps(payload) + b"}")
                if line.busy:
                    await line.drain()
        self.end([])

    def catch_up(self) -> None:
        if self._group is not None:
            self._group.catch_up(self)

    def end(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.leave()
        self._socket.tell_errors(self.id, errors)

    def fall_behind(self) -> None:
        self._socket.close(TRY_AGAIN_LATER, "Read faster, and go on from the cursor")

    @property
    def has_left(self) -> bool:
        """It waits for `successor` to begin in its place, or has not begun."""
        return self.seen == GONE

    def successor(self) -> "Operation":
        """The same again, for the rights of now; a journal goes on where this one was."""
        return Operation(self._socket, self.id, self._asked, self._after)

    def leave(self) -> None:
        """Is shown nothing more by others. What runs alone asks for its rights by itself."""
        if self._group is None:
            return
        if self._group.source.journal and not self.has_left:
            self._after = self.seen
        self._group.leave(self)
        self._release()
        self._cancel()

    def stop(self) -> None:
        self.leave()
        self._cancel()

    def _release(self) -> None:
        if self._group is not None:
            self._socket.sharing.leave(self._group)
            self._group = None

    def _cancel(self) -> None:
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
