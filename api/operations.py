"""The operations of a socket: subscriptions last, queries and mutations have one answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from functools import partial
from typing import Any, Protocol

import orjson
from graphql import OperationType

from api import protocol
from api.clock import utc_now
from api.protocol import Close
from community.errors import InvalidInput, LimitReached, NotFound
from community.permissions import Viewer
from realtime.audience import Audience
from realtime.documents import Document
from realtime.execution import Ended, Errors
from realtime.fields import SubscribeRequest
from realtime.groups import Group, Member
from realtime.registry import SubscriptionRegistry
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

    @property
    def settled(self) -> bool:
        """Whether its rights are known, and not being read again."""

    def answer(self, operation: "Operation", *, writes: bool) -> asyncio.Task[None]:
        """Runs a query or a mutation, which outlives the operation. Raises LimitReached."""

    def check_alone(self) -> None:
        """Raises LimitReached if as many operations as may run for this viewer alone."""

    def end(self, id_: str, errors: Errors) -> None:
        """Forgets an operation and tells the client why, or that it is complete."""

    def close(self, why: Close) -> None: ...


class OperationState(Enum):
    WAITING = 0  # rights are being read again, or it has not begun
    ASKING = 1  # its document, or its right to watch, is being read
    SHOWN = 2  # a subscription that is a member of its group
    ANSWERING = 3  # a query or a mutation
    ENDED = 4


class Operation(Member):
    """A subscription is a member of the group of those who see the same; what depends on its viewer has a
    group of one. A query or a mutation has one answer, from a task of its own. Which of them it is, is known
    once its document is read.
    """

    __slots__ = (
        "_entered", "_last_in", "_last_seen", "_socket", "_task",
        "asked_at", "id", "request", "state",
    )  # fmt: skip

    def __init__(self, socket: Holder, id_: str, request: SubscribeRequest) -> None:
        super().__init__(socket.writer, protocol.prefix(id_), 0)
        self.id, self.state = id_, OperationState.WAITING
        self._socket, self.request = socket, request
        self.asked_at = utc_now()  # a ballot counts by this moment, however long it waits for its turn
        self._entered: Group | None = None
        self._last_in: Group | None = None
        self._last_seen: int | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def alone(self) -> bool:
        """Whether it has a group of one."""
        return self._entered is not None and self._entered.subscription.alone

    def begin(self) -> None:
        """Begins, or goes on after a pause, with the current rights; does nothing while they are being read.

        It begins at once if its document was read before; to read one takes a turn of the pacer.
        """
        if self.state is not OperationState.WAITING or not self._socket.settled:
            return
        self.state = OperationState.ASKING
        if not self._socket.registry.documents.at_hand(self.request):
            self._go(self._read_in_turn)
            return
        try:
            self._enter()
        except Exception as error:
            self._fail(error)

    def pause(self) -> None:
        """Leaves its group's deliveries until it begins again; the group stays. An answer goes on: its viewer
        is read when its turn comes.
        """
        if self.state is OperationState.ANSWERING:
            return
        if self.group is not None:
            self._last_seen, self._last_in = self.seen, self._entered
            self.group.leave(self)
        self._cancel()
        self.state = OperationState.WAITING

    def stop(self) -> None:
        """Drops the answer of a mutation, never the write."""
        self.pause()
        self._cancel()
        self.state = OperationState.ENDED
        self._change_group(None)

    def catch_up(self) -> None:
        if self.group is not None:
            self.group.catch_up(self)

    def end(self, errors: Errors) -> None:
        self._socket.end(self.id, errors)

    def fall_behind(self) -> None:
        self._socket.close(protocol.FELL_BEHIND)

    async def _read_in_turn(self) -> None:
        """Raises Ended, GraphQLError and Refused."""
        registry = self._socket.registry
        turn = registry.pacer.turn()
        await turn.begin()
        try:
            kind = registry.executable.operation_type(self.request)
            if kind in (OperationType.QUERY, OperationType.MUTATION):
                self.state, writes = OperationState.ANSWERING, kind is OperationType.MUTATION
                answering = self._socket.answer(self, writes=writes)
                self._task = None if writes else answering
            else:
                self._enter()
        finally:
            turn.end()

    def _enter(self) -> None:
        """Raises Ended, GraphQLError and Refused."""
        if not _are_small(self.request.given):
            raise InvalidInput(
                problem_zh="变量太长，或嵌套太深", problem_en="variables too long, or nested too deeply"
            )
        registry, viewer, after = self._socket.registry, self._socket.viewer, None
        document = registry.read(self.request, viewer)
        if document.audience is Audience.VIEWER:
            self._enter_alone(document, self._last_seen if document.is_journal else None)
        else:
            entered, after = registry.enter(document, self.request, viewer, self._socket.address)
            self._change_group(entered)
        access = self._group.subscription.access
        if document.is_journal or not access.at_hand:
            self._go(partial(self._ask, document, after))
        elif access.allows(viewer):
            self._join(self._seen_here)
        else:
            raise NotFound

    async def _ask(self, document: Document, after: str | None) -> None:
        """Waits for the right, and of a journal for the start. Raises what `_enter` raises."""
        shared, viewer = self._group.subscription, self._socket.viewer
        await shared.access.require(viewer)
        if not document.is_journal:
            self._join(self._seen_here)
            return
        await self._group.until_open()
        begin = self._last_seen
        if begin is None or shared.alone:
            begin = await shared.start_of(after)
        if not shared.access.allows(viewer):  # who may read there changed meanwhile
            await shared.access.require(viewer)
        if begin >= max(shared.start, self._group.forgotten):
            self._join(begin)
        else:
            await self._go_on_alone(document, begin)

    async def _go_on_alone(self, document: Document, begin: int) -> None:
        """Goes on in a group of its own: it is too far behind the others. `document` has the variables by the
        names of this client, which may differ from the group's. Raises what `_enter` raises.
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
        if not self.alone:
            self.request = group.subscription.request  # the same, but one for all
        group.join(self)

    @property
    def _group(self) -> Group:
        assert self._entered is not None  # noqa: S101 - it has entered one
        return self._entered

    @property
    def _seen_here(self) -> int:
        """The number of the value seen last, if it was one of this group."""
        return self._last_seen if self._last_seen is not None and self._last_in is self._entered else 0

    def _enter_alone(self, document: Document, after: int | None) -> None:
        """Raises Ended, GraphQLError and Refused."""
        if self.alone:
            self._change_group(None)  # so that it is not counted twice
        socket = self._socket
        socket.check_alone()
        self._change_group(
            socket.registry.enter_alone(document, self.request, socket.viewer, socket.address, after)
        )

    def _change_group(self, entered: Group | None) -> None:
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


def _are_small(variables: Mapping[str, Any]) -> bool:
    try:
        return len(orjson.dumps(variables)) <= MOST_VARIABLES
    except orjson.JSONEncodeError:  # nested too deep
        return False
