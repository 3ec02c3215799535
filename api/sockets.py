"""The sockets of /graphql: graphql-transport-ws to the letter, subscriptions only.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send
from strawberry.http.websocket_origin import is_same_origin, normalize_origin

from api.asgi_writer import writer_of
from api.clock import utc_now
from api.credentials import TwoCredentials, UnknownCredential, authorization_in
from api.metrics import Metrics
from api.operations import TRY_AGAIN_LATER, Operation, formatted
from api.sessions import COOKIE, secret_of, viewer_behind
from api.settings import Settings
from community.errors import ErrorCode, InvalidInput, LimitReached, Refused, TryAgain, Unauthenticated
from community.permissions import NOBODY, Viewer
from community.signals import Signal, Topic
from realtime.standing import Standing, Standings
from realtime.writer import Writer
from schema.context import Context
from schema.errors import request_id
from schema.shared import MOST_COST_OF_STEP, Asked, Sharing
from schema.watching import Watching

PROTOCOL = "graphql-transport-ws"
PATIENCE = 10.0
"""Seconds for the first message."""

MOST_OPERATIONS = 50
MOST_SOCKETS_OF_ACCOUNT = 50
"""On one process: the phones, tabs and integrations of one account."""

MOST_ALONE, MOST_ALONE_OF_ADDRESS = 10, 500
"""Operations of a socket, and of an address, that run for their viewer alone: each costs an execution a
moment, where all others share one.
"""

MOST_OF_IDS = 8 * 1024 * 1024
"""Bytes of the ids of all operations of an address, each of which is kept and sent along with every step."""

MOST_VARIABLES = 8 * 1024
"""Bytes of the variables of an operation; an id and a cursor need few."""

FLOOD = 16
"""Messages in a row, or KiB of them, after which a socket waits for its turn in the lane to say more."""

AT_ONCE = 32
"""Operations that are let in again in one turn."""

MOST_OF_A_REASON = 123
"""Bytes that fit into a close frame behind its code (RFC 6455 §5.5)."""

SESSION_OVER = 4401

log = logging.getLogger(__name__)


class NoSocketHere(Refused):
    code = ErrorCode.NOT_FOUND
    zh = "这个地址没有 WebSocket，订阅请连 /graphql。"
    en = "There is no websocket at this address; subscriptions are at /graphql."


class ForeignPage(Refused):
    code = ErrorCode.FORBIDDEN
    zh = "这个页面不是本站的。维护的人可以用 MEILIN_ALLOWED_ORIGINS 允许它。"
    en = "This page is not ours. Whoever runs this server can allow it by MEILIN_ALLOWED_ORIGINS."


class LongIds(Refused):
    code = ErrorCode.LIMIT_REACHED
    zh = "订阅的编号太长，一个地址合计最多 {most} 字节。"
    en = "The ids of your operations are too long; those of one address have {most} bytes at most."


class Sockets:
    """An ASGI app for websockets, and the sockets that it has open."""

    def __init__(
        self, settings: Settings, watching: Watching, sharing: Sharing, standings: Standings, metrics: Metrics
    ) -> None:
        self.watching, self.sharing, self.standings = watching, sharing, standings
        self._origin = normalize_origin(settings.public_url)
        self._most_of_address = settings.sockets_per_address
        self.metrics = metrics
        self._allowed = frozenset(map(normalize_origin, getattr(settings, "allowed_origins", ()) or ()))
        self._of_address: Counter[str] = Counter()
        self.alone: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self._sockets: set[Socket] = set()
        self._asking: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many subscriptions stand."""
        return sum(map(len, self._sockets))

    @property
    def open(self) -> int:
        return len(self._sockets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises NoSocketHere or ForeignPage instead of opening one."""
        knocking = HTTPConnection(scope)
        if scope["path"] != "/graphql":
            raise NoSocketHere
        if not ((ours := self._from_our_page(knocking.headers)) or self._from_allowed_page(knocking.headers)):
            raise ForeignPage
        speaks = PROTOCOL in scope.get("subprotocols", ())
        address = knocking.client.host if knocking.client else ""
        writer, receive = writer_of(scope, receive, send)
        cookie = knocking.cookies.get(COOKIE) if ours else None
        socket = Socket(self, writer, address, knocking.headers.get("authorization"), cookie)
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

    def _from_our_page(self, headers: Headers) -> bool:
        """Browsers send cookies also from foreign pages, but they say where from."""
        origin = headers.get("origin")
        return (
            origin is None
            or is_same_origin(origin, headers.get("host"))
            or (normalize_origin(origin) == self._origin)
        )

    def _from_allowed_page(self, headers: Headers) -> bool:
        """A page of somebody else's, which comes with a token and for which no cookie counts."""
        return bool({"*", normalize_origin(headers.get("origin", ""))} & self._allowed)

    # Who may read what

    def hear(self, signal: Signal) -> None:
        if signal.topic is Topic.READING:
            self.ask_again(signal.key)

    def ask_again(self, community: int | None = None) -> None:
        """Who may read `community` (none given: any) changed: nothing is shown before it is known to whom."""
        for socket in self._sockets:
            socket.reading_changed()
        operations = [
            cast(Operation, member)
            for group in self.sharing.reading_changed(community)
            for member in group.all_members()
        ]
        for operation in operations:
            operation.leave()
        if operations:
            asking = asyncio.create_task(self._let_in_again(operations))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)

    async def _let_in_again(self, operations: list[Operation]) -> None:
        turn = self.sharing.tempo.turn(lambda: len(operations))
        while operations:
            async with turn:
                for operation in operations[-AT_ONCE:]:
                    operation.socket.let_in_again(operation)
                del operations[-AT_ONCE:]


class Socket:
    """One client. `viewer`: for whom it is, asked again whenever rights change."""

    __slots__ = (
        "_authorization", "_changes", "_context", "_cookie", "_expiry", "_operations", "_patience", "_ready",
        "_renewal", "_running_alone", "_secret", "_sockets",
        "address", "closed", "viewer", "writer",
    )  # fmt: skip

    def __init__(
        self, sockets: Sockets, writer: Writer, address: str, authorization: str | None, cookie: str | None
    ) -> None:
        self._sockets, self.writer, self.address = sockets, writer, address
        self._authorization, self._cookie = authorization, cookie
        self._secret: str | None = None
        self.viewer = NOBODY
        self._ready = self.closed = False
        self._changes = self._running_alone = 0
        self._renewal: asyncio.Task[None] | None = None
        self._operations: dict[str, Operation] = {}
        self._context: Context | None = None
        self._expiry: asyncio.TimerHandle | None = None
        writer.drained = self._drained
        self._patience: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            PATIENCE, self.close, 4408, "Connection initialisation timeout"
        )

    def __len__(self) -> int:
        return len(self._operations)

    async def serve(self, receive: Receive) -> None:
        """Until the client is gone."""
        request_id.set(secrets.token_hex(4))
        said, turn = 0, self.sharing.tempo.turn()
        while cost := await self._take(await receive()):  # without a name for the message, which may be long
            said += cost
            if self.writer.busy:
                await self.writer.drain()
            if said >= FLOOD:
                said = 0
                async with turn:
                    pass

    def close(self, code: int, reason: str) -> None:
        self.closed = True
        self.writer.close(code, reason.encode()[:MOST_OF_A_REASON].decode(errors="ignore"))

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
        for id_ in list(self._operations):
            self._forget(id_)
        self._context = self.writer.drained = None  # no circles: what is left goes at once

    # What the client says

    async def _take(self, event: Message) -> int:
        """What it counts of a flood; 0 where nothing more may come."""
        if event["type"] != "websocket.receive":
            return 0
        text = event.get("text")
        if not self.closed:
            await self._obey(text)
        return 1 + len(text or "") // 1024

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
                self.writer.write(b'{"type":"pong"}')
            case {"type": "pong"} if _is_object_or_none(message.get("payload")):
                pass
            case {"type": "subscribe", "id": str(id_), "payload": payload} if id_ and (
                asked := _asked(payload)
            ):
                self._subscribe(id_, asked)
            case {"type": "complete", "id": str(id_)} if id_:
                self._forget(id_)
            case _:
                self.close(4400, "No such message")

    async def _begin(self, payload: Mapping[str, Any]) -> None:
        if self._patience is None:
            self.close(4429, "Too many initialisation requests")
            return
        self._patience.cancel()
        self._patience = None
        given = None
        try:
            given = authorization_in(payload)
            given = self._authorization if given is None else given
            self._secret = secret_of(given, self._cookie)
            await self._enter()
        except TryAgain:
            self.close(TRY_AGAIN_LATER, "Try again later")
        except InvalidInput as refused:
            self.close(4400, refused.en)
        except Refused as refused:
            if given is None and not isinstance(refused, UnknownCredential | TwoCredentials):
                self._session_is_over()
            else:
                self.close(4403, f"Forbidden: {refused.en}")
        else:
            self._ready = True
            self.writer.write(b'{"type":"connection_ack"}')

    def _session_is_over(self) -> None:
        """Nobody becomes a stranger without being told: stock clients do not come back by themselves."""
        self.close(SESSION_OVER, "Your session is over; sign in again")

    async def _enter(self) -> None:
        """Finds out who it is for; what changes meanwhile is read again. Raises Refused, also where what it
        came with opens nothing, or nothing more.

        Until its account is known, a change of anybody's rights may be one of its own.
        """
        standings = self._sockets.standings
        while True:
            heard, asked = standings.changes, self._changes
            viewer = await viewer_behind(self._secret, utc_now(), strict=True)
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
        elif self._sockets.ids[self.address] + len(id_) > MOST_OF_IDS:
            self.tell_errors(id_, [formatted(LongIds(most=MOST_OF_IDS))])
        elif len(_encoded(asked.variables)) > MOST_VARIABLES:
            self.tell_errors(
                id_, [formatted(InvalidInput(problem_zh="变量太长", problem_en="variables too long"))]
            )
        else:
            operation = self._operations[id_] = Operation(self, id_, asked)
            self._sockets.ids[self.address] += len(operation.prefix)
            if self._renewal is None:
                operation.begin()

    def _forget(self, id_: str) -> None:
        if operation := self._operations.pop(id_, None):
            ids = self._sockets.ids
            ids[self.address] -= len(operation.prefix)
            if not ids[self.address]:
                del ids[self.address]
            operation.stop()

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
            await self._enter()
        except Unauthenticated:
            self._session_is_over()
            return
        except Exception as error:
            if not isinstance(error, Refused):
                log.exception("could not ask for rights again")
            self.close(TRY_AGAIN_LATER, "Try again later")
            return
        self._renewal = None
        for operation in list(self._operations.values()):
            self.let_in_again(operation)

    def let_in_again(self, operation: Operation) -> None:
        """Where it has left, or not begun, and still stands."""
        if self._renewal is None and operation.has_left and self._operations.get(operation.id) is operation:
            self._operations[operation.id] = successor = operation.successor()
            successor.begin()
            operation.stop()

    def reading_changed(self) -> None:
        """What runs for it alone asks again."""
        if self._context:
            self._changes += 1
            self._context.standing.changed()

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
            self._context = Context(
                utc_now,
                self._sockets.watching,
                standing,
                self.viewer,
                self._secret,
                tempo=self.sharing.tempo,
                most_cost=MOST_COST_OF_STEP,
            )
        return self._context

    async def _current(self) -> Viewer:
        try:
            await self._enter()
        except Unauthenticated:
            self._session_is_over()
            raise
        return self.viewer

    def keep_alone(self) -> None:
        """One more operation runs for this viewer alone. Raises LimitReached."""
        alone = self._sockets.alone
        if self._running_alone >= MOST_ALONE or alone[self.address] >= MOST_ALONE_OF_ADDRESS:
            raise LimitReached(most=MOST_ALONE)
        self._running_alone += 1
        alone[self.address] += 1

    def leave_alone(self) -> None:
        alone = self._sockets.alone
        self._running_alone -= 1
        alone[self.address] -= 1
        if not alone[self.address]:
            del alone[self.address]

    def count(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self._sockets.metrics.count(errors)

    def tell_errors(self, id_: str, errors: Sequence[Mapping[str, Any]]) -> None:
        """Ends an operation by its errors, if any; where trying again helps, the whole socket."""
        self._forget(id_)
        self.count(errors)
        if any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors):
            self.close(TRY_AGAIN_LATER, "Try again later")
        elif errors:
            self.writer.write(orjson.dumps({"id": id_, "type": "error", "payload": errors}))
        else:
            self.writer.write(orjson.dumps({"id": id_, "type": "complete"}))


def _asked(payload: object) -> Asked | None:
    """None where it is no `subscribe` payload."""
    if not isinstance(payload, dict) or not isinstance(query := payload.get("query"), str):
        return None
    variables, name = payload.get("variables"), payload.get("operationName")
    if not (_is_object_or_none(variables) and _is_object_or_none(payload.get("extensions"))):
        return None
    return Asked(query, variables, name) if isinstance(name, str | None) else None


def _encoded(variables: Mapping[str, Any] | None) -> bytes:
    try:
        return orjson.dumps(variables) if variables else b""
    except orjson.JSONEncodeError:
        return b""  # nested too deep: the stock way says what is wrong with it


def _is_object_or_none(value: object) -> bool:
    return isinstance(value, dict | None)
