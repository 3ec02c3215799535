"""The sockets of /graphql: what each of them holds, and its limits."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from api import protocol
from api.answering import Answering, AnswerQueue
from api.asgi_writer import writer_of
from api.identity import Identity
from api.inbox import RECEIVED_AT
from api.metrics import Metrics
from api.operations import Operation
from api.origins import Origins
from api.protocol import SUBPROTOCOL, TRY_AGAIN_LATER, Close, Phase, TransportWs
from api.sessions import COOKIE
from api.settings import Settings
from community.errors import ErrorCode, LimitReached, Refused
from realtime.authorization import AuthorizationRegistry
from realtime.execution import Errors
from realtime.fields import SubscribeRequest
from realtime.registry import SubscriptionRegistry
from realtime.request_id import request_id
from realtime.writer import Writer

PATIENCE = 10.0
"""Seconds for the first message."""

MOST_OPERATIONS = 50

MOST_ALONE = 10
"""Subscriptions of a socket that run for their viewer alone: each costs an execution a round, where others
share one.
"""

MOST_OF_IDS = 8 * 1024 * 1024
"""Bytes of the ids of all operations of an address, each of which is kept and sent along with every step."""

FLOOD = 16
"""Messages in a row, or KiB of them, after which a socket waits for a turn before it may say more."""

MOST_OF_A_REASON = 123
"""Bytes that fit into a close frame behind its code (RFC 6455 §5.5)."""


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
        answering: Answering,
        registry: SubscriptionRegistry,
        authorizations: AuthorizationRegistry,
        metrics: Metrics,
    ) -> None:
        self.answering, self.registry = answering, registry
        self.authorizations, self.metrics = authorizations, metrics
        self._origins = Origins(settings.public_url, settings.allowed_origins)
        self._most_of_address = settings.sockets_per_address
        self._of_address: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self._sockets: set[Socket] = set()

    def __len__(self) -> int:
        """How many subscriptions are open."""
        return sum(socket.operations for socket in self._sockets)

    @property
    def open(self) -> int:
        return len(self._sockets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises NoSocketHere or ForeignPage instead of opening one."""
        writer, receive = writer_of(scope, receive, send)
        socket = self._opened(HTTPConnection(scope), writer)
        speaks, address = SUBPROTOCOL in scope.get("subprotocols", ()), socket.address
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
            _lower(self._of_address, address, 1)

    def _opened(self, knocking: HTTPConnection, writer: Writer) -> "Socket":
        """Keeps nothing else of the handshake: thousands of sockets only wait from here on."""
        if knocking.scope["path"] != "/graphql":
            raise NoSocketHere
        ours, origin = self._from_our_page(knocking.headers), knocking.headers.get("origin", "")
        if not (ours or self._origins.answer_to(origin)):
            raise ForeignPage
        address = knocking.client.host if knocking.client else ""
        cookie = knocking.cookies.get(COOKIE) if ours else None
        return Socket(self, writer, address, knocking.headers.get("authorization"), cookie)

    def _from_our_page(self, headers: Headers) -> bool:
        """Browsers send cookies also from foreign pages, but they say where from. A proxy may have spoken TLS
        in our stead.
        """
        origin, host = headers.get("origin"), headers.get("host", "")
        return origin is None or any(self._origins.own(origin, scheme, host) for scheme in ("http", "https"))


class Socket:
    """One client: it does what comes back from the protocol, and holds the operations under their ids."""

    __slots__ = (
        "_answers", "_operations", "_patience", "_protocol", "_sockets",
        "address", "identity", "registry", "writer",
    )  # fmt: skip

    def __init__(
        self, sockets: Sockets, writer: Writer, address: str, authorization: str | None, cookie: str | None
    ) -> None:
        self._sockets, self.registry, self.writer, self.address = sockets, sockets.registry, writer, address
        self.identity = Identity(sockets.authorizations, self, authorization, cookie)
        self._operations: dict[str, Operation] = {}
        self._protocol = TransportWs(self._operations)
        self._answers: AnswerQueue | None = None
        writer.drained = self._drained
        late = asyncio.get_running_loop().call_later(PATIENCE, self._late)
        self._patience: asyncio.TimerHandle | None = late

    @property
    def operations(self) -> int:
        return len(self._operations)

    async def serve(self, receive: Receive) -> None:
        """Runs until the client is gone."""
        request_id.set(secrets.token_hex(4))
        said = 0
        while (cost := await self._do(await receive())) is not None:  # no name for what may be long
            said += cost
            if self.writer.busy:
                await self.writer.drain()
            if said >= FLOOD:
                said = 0
                async with self.registry.pacer.turn():
                    pass

    def close(self, why: Close) -> None:
        self._protocol.close(why)
        reason = why.reason.encode()[:MOST_OF_A_REASON].decode(errors="ignore")
        self.writer.close(why.code, reason)

    def gone(self) -> None:
        self._protocol.phase = Phase.CLOSED
        if self._patience:
            self._patience.cancel()
        self.identity.leave()
        for id_ in list(self._operations):
            self.forget(id_)
        self.writer.drained = None  # no circle: what is left goes at once

    # What the client says

    async def _do(self, event: Message) -> int | None:
        """Does what a message asks for. Returns what it counts of a flood; None if nothing more may come."""
        if event["type"] != "websocket.receive":
            return None
        text = event.get("text")
        match output := self._protocol.receive(text):
            case protocol.Initialise(payload):
                await self._initialise(payload)
            case protocol.Start(id_, request):
                self._start(id_, request, event[RECEIVED_AT])
            case protocol.Stop(id_):
                self.forget(id_)
            case protocol.Reply(reply):
                self.writer.write(reply)
            case protocol.Close():
                self.close(output)
        return 1 + len(text or "") // 1024

    def _late(self) -> None:
        if why := self._protocol.late():
            self.close(why)

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None
        if why := await self.identity.enter(payload):
            self.close(why)
        elif self._protocol.phase is not Phase.CLOSED:
            self.writer.write(self._protocol.acknowledge().text)

    def _start(self, id_: str, request: SubscribeRequest, asked_at: datetime) -> None:
        operation = Operation(self, id_, request, asked_at)
        if refused := self._refusal(operation):
            operation.end([self.registry.executable.formatted(refused)])
            return
        self._operations[id_] = operation
        self._sockets.ids[self.address] += len(operation.prefix)
        operation.begin()

    def _refusal(self, operation: Operation) -> Refused | None:
        if self.operations >= MOST_OPERATIONS:
            return LimitReached(most=MOST_OPERATIONS)
        if self._sockets.ids[self.address] + len(operation.prefix) > MOST_OF_IDS:
            return LongIds(most=MOST_OF_IDS)
        return None

    # What happens meanwhile

    def pause(self) -> None:
        for operation in self._operations.values():
            operation.pause()

    def resume(self) -> None:
        for operation in self._operations.values():
            operation.begin()

    def _drained(self) -> None:
        """Whose text fills the connection again comes last next time: each subscription has its turn."""
        for id_, operation in self._operations.items():
            if operation.group is not None:
                operation.group.catch_up(operation)
                if operation.writer.busy:
                    self._operations[id_] = self._operations.pop(id_)
                    break

    # What its operations need, as operations.py says

    @property
    def answers(self) -> AnswerQueue:
        if self._answers is None:  # few sockets ask for any
            self._answers = AnswerQueue(
                self._sockets.answering, self.identity, self.registry.executable.formatted
            )
        return self._answers

    def check_alone(self) -> None:
        if sum(operation.alone for operation in self._operations.values()) >= MOST_ALONE:
            raise LimitReached(most=MOST_ALONE)

    def keep(self, task: asyncio.Task[None]) -> None:
        self._sockets.answering.keep(task)

    def forget(self, id_: str, errors: Errors = ()) -> None:
        self._sockets.metrics.count(errors)
        if operation := self._operations.pop(id_, None):
            _lower(self._sockets.ids, self.address, len(operation.prefix))
            operation.stop()


def _lower(counter: Counter[str], address: str, number: int) -> None:
    counter[address] -= number
    if not counter[address]:
        del counter[address]
