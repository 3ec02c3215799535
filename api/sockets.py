"""The sockets of /graphql: the viewer of each, and its limits."""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import orjson
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from api import protocol
from api.asgi_writer import writer_of
from api.clock import utc_now
from api.credentials import TwoCredentials, UnknownCredential, authorization_in
from api.graphql import is_request_error
from api.metrics import Metrics
from api.operations import Operation, OperationState
from api.origins import Origins
from api.protocol import AGAIN_LATER, SESSION_OVER, SUBPROTOCOL, TRY_AGAIN_LATER, Close, Phase, TransportWs
from api.sessions import COOKIE, secret_of, viewer_behind
from api.settings import Settings
from community.errors import (
    ErrorCode,
    InvalidInput,
    LimitReached,
    Refused,
    TryAgain,
    Unauthenticated,
)
from community.permissions import NOBODY, Person, Viewer, Visitor, account_of
from community.places.facts import READING
from community.signals import Signal
from realtime.authorization import AuthorizationRegistry
from realtime.execution import Errors, request_id
from realtime.fields import SubscribeRequest
from realtime.registry import SubscriptionRegistry
from realtime.sources import LiveSources
from realtime.writer import Writer
from schema.context import Context
from schema.schema import schema_of

PATIENCE = 10.0
"""Seconds for the first message."""

MOST_OPERATIONS = 50
MOST_AT_ONCE = 4
"""Queries and mutations of a socket that are executed at the same time; the others wait."""

MOST_SOCKETS_OF_ACCOUNT = 50
"""On one process: the phones, tabs and integrations of one account."""

MOST_ALONE = 10
"""Subscriptions of a socket that run for their viewer alone: each costs an execution a round, where others
share one.
"""

MOST_OF_IDS = 8 * 1024 * 1024
"""Bytes of the ids of all operations of an address, each of which is kept and sent along with every step."""

FLOOD = 16
"""Messages in a row, or KiB of them, after which a socket waits for a turn before it may say more."""

AT_ONCE = 32
"""Subscriptions that begin again in one turn."""

MOST_OF_A_REASON = 123
"""Bytes that fit into a close frame behind its code (RFC 6455 §5.5)."""

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
        self,
        settings: Settings,
        sources: LiveSources,
        registry: SubscriptionRegistry,
        authorizations: AuthorizationRegistry,
        metrics: Metrics,
    ) -> None:
        self.sources, self.registry, self.authorizations = sources, registry, authorizations
        self.most_cost, self.schema = settings.most_cost, schema_of(compiled=settings.compiled)
        self._origins = Origins(settings.public_url, settings.allowed_origins)
        self._most_of_address = settings.sockets_per_address
        self.metrics = metrics
        self._of_address: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self._sockets: set[Socket] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        """Tasks to which nothing else holds a reference."""

    def __len__(self) -> int:
        """How many subscriptions are open."""
        return sum(map(len, self._sockets))

    @property
    def open(self) -> int:
        return len(self._sockets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises NoSocketHere or ForeignPage instead of opening one."""
        knocking = HTTPConnection(scope)
        if scope["path"] != "/graphql":
            raise NoSocketHere
        ours, origin = self._from_our_page(knocking.headers), knocking.headers.get("origin", "")
        if not (ours or self._origins.answer_to(origin)):
            raise ForeignPage
        speaks = SUBPROTOCOL in scope.get("subprotocols", ())
        address = knocking.client.host if knocking.client else ""
        writer, receive = writer_of(scope, receive, send)
        cookie = knocking.cookies.get(COOKIE) if ours else None
        socket = Socket(self, writer, address, knocking.headers.get("authorization"), cookie)
        del knocking, scope  # all that came with the handshake; thousands of sockets only wait from here on
        self._of_address[address] += 1
        self._sockets.add(socket)
        try:
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if speaks else None})
            if not speaks:
                socket.close(protocol.BAD_SUBPROTOCOL)
            elif self._of_address[address] > self._most_of_address:
                socket.close(Close(TRY_AGAIN_LATER, "Too many connections from one address"))
            await socket.serve(receive)
        finally:
            socket.gone()
            self._sockets.discard(socket)
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def _from_our_page(self, headers: Headers) -> bool:
        """Browsers send cookies also from foreign pages, but they say where from. A proxy may have spoken TLS
        in our stead.
        """
        origin, host = headers.get("origin"), headers.get("host", "")
        return origin is None or any(self._origins.own(origin, scheme, host) for scheme in ("http", "https"))

    # Who may read what

    def handle(self, signal: Signal) -> None:
        if signal.topic == READING.topic:
            self.ask_again(signal.key)

    def ask_again(self, community: int | None = None) -> None:
        """Pauses the subscriptions of `community` (None: any), until the right to read it is checked
        again.
        """
        paused = [cast(Operation, member) for member in self.registry.reading_changed(community)]
        for subscription in paused:
            subscription.pause()
        if paused:
            self.keep(asyncio.create_task(self._begin_again(paused)))

    async def _begin_again(self, paused: list[Operation]) -> None:
        turn = self.registry.pacer.turn(lambda: len(paused))
        while paused:
            async with turn:
                for subscription in paused[-AT_ONCE:]:
                    subscription.begin()
                del paused[-AT_ONCE:]

    def keep(self, task: asyncio.Task[None]) -> None:
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def all_answered(self) -> None:
        """Waits for the mutations of clients, also those whose turn has not come."""
        while self.tasks:
            await asyncio.wait(self.tasks)


class Socket:
    """One client. `viewer` is read again whenever rights change."""

    __slots__ = (
        "_answering", "_authorization", "_changes", "_cookie", "_executing", "_expiry", "_operations",
        "_patience", "_protocol", "_renewal", "_secret", "_sockets",
        "address", "viewer", "writer",
    )  # fmt: skip

    def __init__(
        self, sockets: Sockets, writer: Writer, address: str, authorization: str | None, cookie: str | None
    ) -> None:
        self._sockets, self.writer, self.address = sockets, writer, address
        self._authorization, self._cookie = authorization, cookie
        self._secret: str | None = None
        self.viewer: Viewer = NOBODY
        self._operations: dict[str, Operation] = {}
        self._protocol = TransportWs(self._operations)
        self._changes = self._answering = 0
        self._renewal: asyncio.Task[None] | None = None
        self._executing: asyncio.Semaphore | None = None
        self._expiry: asyncio.TimerHandle | None = None
        writer.drained = self._drained
        self._patience: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            PATIENCE, self._late
        )

    def __len__(self) -> int:
        return len(self._operations)

    async def serve(self, receive: Receive) -> None:
        """Runs until the client is gone."""
        request_id.set(secrets.token_hex(4))
        said, turn = 0, self.registry.pacer.turn()
        while cost := await self._take(await receive()):  # without a name for the message, which may be long
            said += cost
            if self.writer.busy:
                await self.writer.drain()
            if said >= FLOOD:
                said = 0
                async with turn:
                    pass

    def close(self, why: Close) -> None:
        self._protocol.close(why)
        reason = why.reason.encode()[:MOST_OF_A_REASON].decode(errors="ignore")
        self.writer.close(why.code, reason)

    def gone(self) -> None:
        self._protocol.phase = Phase.CLOSED
        for handle in (self._patience, self._expiry, self._renewal):
            if handle:
                handle.cancel()
        if isinstance(self.viewer, Person):
            self._sockets.authorizations.remove(self.viewer.account, self)
        for id_ in list(self._operations):
            self._forget(id_)
        self.writer.drained = None  # no circle: what is left goes at once

    # What the client says

    async def _take(self, event: Message) -> int:
        """Does what a message asks for. Returns what it counts of a flood; 0 if nothing more may come."""
        if event["type"] != "websocket.receive":
            return 0
        text = event.get("text")
        match output := self._protocol.receive(text):
            case protocol.Initialise(payload):
                await self._initialise(payload)
            case protocol.Start(id_, request):
                self._start(id_, request)
            case protocol.Stop(id_):
                self._forget(id_)
            case protocol.Reply(reply):
                self.writer.write(reply)
            case protocol.Close():
                self.close(output)
        return 1 + len(text or "") // 1024

    def _late(self) -> None:
        if why := self._protocol.late():
            self.close(why)

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        assert self._patience  # noqa: S101 - only the first time
        self._patience.cancel()
        self._patience = given = None
        try:
            given = authorization_in(payload)
            given = self._authorization if given is None else given
            self._secret = secret_of(given, self._cookie)
            await self._enter()
        except TryAgain:
            self.close(AGAIN_LATER)
        except InvalidInput as refused:
            self.close(Close(4400, refused.en))
        except Refused as refused:
            if given is None and not isinstance(refused, UnknownCredential | TwoCredentials):
                self.close(SESSION_OVER)
            else:
                self.close(protocol.forbidden(refused.en))
        else:
            if not self._protocol.closed:
                self.writer.write(self._protocol.acknowledge().text)

    async def _enter(self) -> None:
        """Finds out who it is for; what changes meanwhile is read again. Raises Refused, also if what it came
        with opens nothing, or nothing more.

        Until its account is known, a change of anybody's rights may be one of its own.
        """
        authorizations = self._sockets.authorizations
        while True:
            of_anybody, of_account = authorizations.changes, self._changes
            viewer = await viewer_behind(self._secret, utc_now(), strict=True)
            if self._protocol.closed:
                return
            known = account_of(viewer) == account_of(self.viewer)
            if not known:
                self._register(viewer)
            if of_account == self._changes if known else of_anybody == authorizations.changes:
                break
        self.viewer = viewer
        if self._expiry:
            self._expiry.cancel()
        if isinstance(viewer, Person) and viewer.expires_at is not None:
            left = (viewer.expires_at - utc_now()).total_seconds()
            self._expiry = asyncio.get_running_loop().call_later(max(0.0, left), self.changed)

    def _register(self, viewer: Person | Visitor) -> None:
        """Sets the viewer, and registers for changes of the account's rights."""
        authorizations = self._sockets.authorizations
        if isinstance(self.viewer, Person):
            authorizations.remove(self.viewer.account, self)
        self.viewer = viewer
        if isinstance(viewer, Person):
            if authorizations.count(viewer.account) >= MOST_SOCKETS_OF_ACCOUNT:
                self.close(Close(TRY_AGAIN_LATER, "Too many connections of one account"))
            authorizations.add(viewer.account, self)

    def _start(self, id_: str, request: SubscribeRequest) -> None:
        refused: Refused | None = None
        if len(self) >= MOST_OPERATIONS:
            refused = LimitReached(most=MOST_OPERATIONS)
        elif self._sockets.ids[self.address] + len(id_) > MOST_OF_IDS:
            refused = LongIds(most=MOST_OF_IDS)
        if refused:
            self.end(id_, [self.registry.executable.formatted(refused)])
            return
        self._operations[id_] = operation = Operation(self, id_, request)
        self._sockets.ids[self.address] += len(operation.prefix)
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
        """Rights changed, or the session is over: delivers nothing more until they were read again."""
        self._changes += 1
        for operation in self._operations.values():
            operation.pause()
        if self._renewal:
            self._renewal.cancel()
        self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            await self._enter()
        except Unauthenticated:
            self.close(SESSION_OVER)
            return
        except Exception as error:
            if not isinstance(error, Refused):
                log.exception("could not ask for rights again")
            self.close(AGAIN_LATER)
            return
        self._renewal = None
        for operation in list(self._operations.values()):
            operation.begin()

    def _drained(self) -> None:
        for operation in self._operations.values():
            operation.catch_up()

    # What its operations need: the `Holder` of operations.py

    @property
    def registry(self) -> SubscriptionRegistry:
        return self._sockets.registry

    @property
    def settled(self) -> bool:
        return self._renewal is None

    def check_alone(self) -> None:
        if sum(operation.alone for operation in self._operations.values()) >= MOST_ALONE:
            raise LimitReached(most=MOST_ALONE)

    def answer(self, operation: Operation, *, writes: bool) -> asyncio.Task[None]:
        if self._answering >= MOST_OPERATIONS:  # also those whose answer nobody waits for any more
            raise LimitReached(most=MOST_OPERATIONS)
        if self._executing is None:
            self._executing = asyncio.Semaphore(MOST_AT_ONCE)
        self._answering += 1
        task = asyncio.create_task(self._answer(operation, self._executing, writes=writes))
        task.add_done_callback(self._answered)
        self._sockets.keep(task)
        return task

    def _answered(self, _: asyncio.Task[None]) -> None:
        self._answering -= 1

    async def _answer(self, operation: Operation, turns: asyncio.Semaphore, *, writes: bool) -> None:
        formatted = self.registry.executable.formatted
        async with turns:
            if not writes:
                await self.writer.drain()  # answers that nobody reads do not pile up
            try:
                result = await self.execute(operation.request, operation.asked_at)
                errors = [formatted(error) for error in result.errors or ()]
                if is_request_error(result):
                    texts = [protocol.error(operation.id, errors)]
                else:
                    payload = {"data": result.data} | ({"errors": errors} if errors else {})
                    answer = operation.prefix + orjson.dumps(payload) + b"}"
                    texts = [answer, protocol.complete(operation.id)]
            except Exception as error:
                errors = [formatted(error)]
                texts = [protocol.error(operation.id, errors)]
        if operation.state is OperationState.ANSWERING:
            self.finish(operation.id, *texts, errors=errors)

    async def execute(self, request: SubscribeRequest, asked_at: datetime) -> Any:
        """Executes as over HTTP, for the viewer of now, as of `asked_at`. Raises Refused."""
        try:
            viewer = await viewer_behind(self._secret, utc_now(), strict=True)
        except Unauthenticated:
            self.close(SESSION_OVER)
            raise
        context = Context(lambda: asked_at, self._sockets.sources, viewer, most_cost=self._sockets.most_cost)
        return await self._sockets.schema.execute(
            request.query, dict(request.given), context, operation_name=request.operation_name
        )

    def end(self, id_: str, errors: Errors) -> None:
        """Ends an operation by its errors, if any; if trying again helps, the whole socket."""
        if any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors):
            self.finish(id_, errors=errors)
            self.close(AGAIN_LATER)
        else:
            self.finish(id_, protocol.error(id_, errors) if errors else protocol.complete(id_), errors=errors)

    def finish(self, id_: str, *texts: bytes, errors: Errors = ()) -> None:
        self._forget(id_)
        self._sockets.metrics.count(errors)
        for text in texts:
            self.writer.write(text)
