"""The operations of a socket: subscriptions last, queries and mutations have one answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Any, Protocol

import orjson
from graphql import OperationType

from api import protocol
from api.clock import utc_now
from api.graphql import is_request_error
from community.errors import InvalidInput, LimitReached, NotFound
from community.permissions import Viewer
from realtime.audience import Audience
from realtime.documents import Document
from realtime.execution import Ended, Errors
from realtime.fields import SubscribeRequest
from realtime.groups import Group, Member
from realtime.subscriptions import SharedSubscription, SubscriptionRegistry
from realtime.writer import Writer

MOST_VARIABLES = 8 * 1024
"""Bytes of the variables of a subscription; an id and a cursor need few."""


class Holder(Protocol):
    """The socket as its operations see it."""

    writer: Writer
    address: str
    viewer: Viewer

    @property
    def registry(self) -> SubscriptionRegistry: ...

    def answer(self, id_: str, request: SubscribeRequest, kind: OperationType, asked_at: datetime) -> None:
        """Runs the query or mutation under this id. Raises LimitReached."""

    async def execute(self, request: SubscribeRequest, asked_at: datetime) -> Any:
        """Executes it as over HTTP, with the client's current viewer, as of `asked_at`. Raises Refused."""

    def execution_turn(self) -> AbstractAsyncContextManager[Any]:
        """Bounds how many are executed at once."""

    def keep_alone(self) -> None:
        """Counts one more operation that runs for this viewer alone. Raises LimitReached."""

    def leave_alone(self) -> None: ...

    def end(self, id_: str, errors: Errors) -> None:
        """Forgets an operation and tells the client why, or that it is complete."""

    def finish(self, id_: str, *texts: bytes, errors: Errors = ()) -> None:
        """Forgets an operation and writes its last texts."""

    def fall_behind(self) -> None:
        """Sends the client back to its cursor."""

    @property
    def settled(self) -> bool:
        """Whether its rights are known, and not being read again."""


class OperationState(Enum):
    """Of a subscription."""

    WAITING = 0  # rights are being read again, or it has not begun
    ASKING = 1  # its right to watch is being read
    SHOWN = 2  # a member of its group
    ENDED = 3


class Subscription(Member):
    """A member of the group of those who see the same; what depends on its viewer has a group of one."""

    __slots__ = (
        "_alone", "_asked_at", "_entered", "_last_in", "_last_seen", "_request", "_socket", "_task",
        "id", "state",
    )  # fmt: skip

    def __init__(self, socket: Holder, id_: str, request: SubscribeRequest) -> None:
        super().__init__(socket.writer, protocol.prefix(id_), 0)
        self.id, self.state = id_, OperationState.WAITING
        self._socket, self._request = socket, request
        self._asked_at: datetime | None = utc_now()  # until it is known to be a subscription
        self._entered: Group[SharedSubscription] | None = None
        self._last_in: Group[SharedSubscription] | None = None
        self._last_seen: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._alone = False

    def begin(self) -> None:
        """Begins at once if its document was read before; to read one takes a turn of the pacer."""
        self.state = OperationState.ASKING
        if not self._socket.registry.documents.at_hand(self._request):
            self._go(self._read_in_turn)
            return
        try:
            self._enter()
        except Exception as error:
            self._fail(error)

    def begin_again(self) -> None:
        """Begins with the current rights, if they are known and it was paused, or never began."""
        if self.state is OperationState.WAITING and self._socket.settled:
            self.begin()

    def pause(self) -> None:
        """Leaves its group's deliveries until it begins again; the group stays."""
        if self.group is not None:
            self._last_seen, self._last_in = self.seen, self._entered
            self.group.leave(self)
        self._cancel()
        self.state = OperationState.WAITING

    def stop(self) -> None:
        self.pause()
        self.state = OperationState.ENDED
        self._change_group(None)
        self._leave_alone()

    def catch_up(self) -> None:
        if self.group is not None:
            self.group.catch_up(self)

    def end(self, errors: Errors) -> None:
        self._socket.end(self.id, errors)

    def fall_behind(self) -> None:
        self._socket.fall_behind()

    async def _read_in_turn(self) -> None:
        """Raises Ended and Refused."""
        registry = self._socket.registry
        turn = registry.pacer.turn()
        await turn.begin()
        try:
            kind = registry.executable.operation_type(self._request)
            if kind in (OperationType.QUERY, OperationType.MUTATION):
                assert self._asked_at  # noqa: S101 - it was no subscription before
                self._socket.answer(self.id, self._request, kind, self._asked_at)
            else:
                self._enter()
        finally:
            turn.end()

    def _enter(self) -> None:
        """Raises Ended and Refused."""
        if len(_encoded(self._request)) > MOST_VARIABLES:
            raise InvalidInput(problem_zh="变量太长", problem_en="variables too long")
        registry, viewer, after = self._socket.registry, self._socket.viewer, None
        document = registry.read(self._request, viewer)
        self._asked_at = None
        if document.audience is Audience.VIEWER:
            self._enter_alone(document, self._last_seen if document.is_journal else None)
        else:
            entered, after = registry.enter(document, self._request, viewer, self._socket.address)
            self._change_group(entered)
            self._leave_alone()
        access = self._group.source.access
        if document.is_journal or not access.at_hand:
            self._go(partial(self._ask, document, after))
        elif access.allows(viewer):
            self._join(self._seen_here)
        else:
            raise NotFound

    async def _ask(self, document: Document, after: str | None) -> None:
        """Waits for the right, and of a journal for the start. Raises Ended and Refused."""
        source, viewer = self._group.source, self._socket.viewer
        await source.access.require(viewer)
        if not document.is_journal:
            self._join(self._seen_here)
            return
        self._group.open()
        await source.until_open()
        begin = self._last_seen
        if begin is None or source.alone:
            begin = await source.start_of(after)
        if not source.access.allows(viewer):  # who may read there changed meanwhile
            await source.access.require(viewer)
        if begin >= max(source.start, self._group.forgotten):
            self._join(begin)
        else:
            await self._go_on_alone(document, begin)

    async def _go_on_alone(self, document: Document, begin: int) -> None:
        """Goes on in a group of its own: it is too far behind the others. `document` has the variables by the
        names of this client, which may differ from the group's. Raises Ended and Refused.
        """
        try:
            self._enter_alone(document, begin)
        except LimitReached:
            if self._last_seen is None:
                raise
            self.fall_behind()
        else:
            await self._ask(document, None)

    def _join(self, seen: int) -> None:
        group = self._group
        self.seen, self.state, self._last_seen, self._last_in = seen, OperationState.SHOWN, None, None
        if not self._alone:
            self._request = group.source.request  # the same, but one for all
        group.join(self)

    @property
    def _group(self) -> Group[SharedSubscription]:
        assert self._entered is not None  # noqa: S101 - it has entered one
        return self._entered

    @property
    def _seen_here(self) -> int:
        """The number of the value seen last, if it was one of this group."""
        return self._last_seen if self._last_seen is not None and self._last_in is self._entered else 0

    def _enter_alone(self, document: Document, after: int | None) -> None:
        """Raises Ended and Refused."""
        if not self._alone:
            self._socket.keep_alone()
            self._alone = True
        registry, viewer = self._socket.registry, self._socket.viewer
        self._change_group(registry.enter_alone(document, self._request, viewer, after))

    def _leave_alone(self) -> None:
        if self._alone:
            self._alone = False
            self._socket.leave_alone()

    def _change_group(self, entered: Group[SharedSubscription] | None) -> None:
        """Enters the new group first: it may be the same one, which must not end in between."""
        before, self._entered = self._entered, entered
        if before is not None:
            self._socket.registry.leave(before)

    def _go(self, ask: Callable[[], Awaitable[None]]) -> None:
        async def to_its_end() -> None:
            try:
                await ask()
            except Exception as error:
                self._fail(error)
            finally:
                if self._task is asyncio.current_task():
                    self._task = None  # thousands stand for hours, and need it no more

        self._task = asyncio.create_task(to_its_end())

    def _fail(self, error: Exception) -> None:
        executable = self._socket.registry.executable
        self.end(error.errors if isinstance(error, Ended) else [executable.formatted(error)])

    def _cancel(self) -> None:
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = None


class SingleResult:
    """A query or a mutation, in a task of its own. To stop it drops the answer, never a write. However long
    it waits for its turn, a ballot counts by the moment `asked_at`.
    """

    __slots__ = ("_asked_at", "_request", "_socket", "_stopped", "_task", "_writes", "id", "prefix")

    def __init__(
        self, socket: Holder, id_: str, request: SubscribeRequest, kind: OperationType, asked_at: datetime
    ) -> None:
        self.id, self.prefix, self._asked_at = id_, protocol.prefix(id_), asked_at
        self._socket, self._request, self._writes = socket, request, kind is OperationType.MUTATION
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def begin(self) -> asyncio.Task[None]:
        """Starts the task; the caller has to hold a reference to it."""
        self._task = asyncio.create_task(self._answer())
        return self._task

    def pause(self) -> None:
        """Does nothing: its viewer is read when its turn comes."""

    def begin_again(self) -> None:
        """Does nothing: it goes on."""

    def catch_up(self) -> None:
        """Does nothing: it has one text, which is written whole."""

    def stop(self) -> None:
        self._stopped = True
        if self._task and not self._writes and self._task is not asyncio.current_task():
            self._task.cancel()
            self._task = None  # its end keeps frames, which keep us

    async def _answer(self) -> None:
        formatted = self._socket.registry.executable.formatted
        async with self._socket.execution_turn():
            if not self._writes:
                await self._socket.writer.drain()  # answers that nobody reads do not pile up
            try:
                result = await self._socket.execute(self._request, self._asked_at)
                errors = [formatted(error) for error in result.errors or ()]
                if is_request_error(result):
                    texts = [protocol.error(self.id, errors)]
                else:
                    payload = {"data": result.data} | ({"errors": errors} if errors else {})
                    texts = [self.prefix + orjson.dumps(payload) + b"}", protocol.complete(self.id)]
            except Exception as error:
                errors = [formatted(error)]
                texts = [protocol.error(self.id, errors)]
        if not self._stopped:
            self._socket.finish(self.id, *texts, errors=errors)


def _encoded(request: SubscribeRequest) -> bytes:
    try:
        return orjson.dumps(request.variables) if request.variables else b""
    except orjson.JSONEncodeError:
        return b""  # nested too deep, as is said when they are looked at
