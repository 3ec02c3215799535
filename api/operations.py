"""What stands under the ids of a socket: subscriptions last, queries and mutations have one answer.

A subscription goes downwards through this file, from `begin` to `_subscribe`; its group does the rest.
"""

import asyncio
from enum import Enum
from typing import Protocol

from graphql import OperationType

from api import protocol
from api.answering import Answers
from api.clock import utc_now
from api.graphql import is_request_error
from api.identity import Identity
from api.protocol import Close
from community.errors import LimitReached, Unauthenticated
from realtime.audience import Audience
from realtime.documents import Document
from realtime.execution import Ended, Errors, payload_of
from realtime.fields import SubscribeRequest
from realtime.groups import Group, Member
from realtime.registry import SubscriptionRegistry
from realtime.writer import Writer


class Holder(Protocol):
    """The socket as its operations see it."""

    writer: Writer
    address: str
    identity: Identity
    registry: SubscriptionRegistry

    @property
    def answers(self) -> Answers: ...

    def check_alone(self) -> None:
        """Raises LimitReached if as many operations as may run for this viewer alone."""

    def end(self, id_: str, errors: Errors) -> None:
        """Forgets an operation and tells the client why, or that it is complete."""

    def finish(self, id_: str, *texts: bytes, errors: Errors) -> None:
        """Forgets an operation, counts its errors and says `texts`."""

    def close(self, why: Close) -> None: ...


class OperationState(Enum):
    WAITING = 0  # rights are being read again, or it has not begun
    ASKING = 1  # its document, or its right to watch, is being read
    SHOWN = 2  # a subscription that is a member of its group
    ANSWERING = 3  # a query or a mutation
    ENDED = 4


class Operation(Member):
    """Which kind it is, is known once its document is read. A subscription is a member of the group of those
    who see the same; what depends on its viewer has a group of one.

    `_entered` is the group that it holds on to, also while it is paused; `_shown_in` the one in which it has
    seen what it has `seen`.
    """

    __slots__ = ("_entered", "_shown_in", "_socket", "_task", "asked_at", "id", "request", "state")

    def __init__(self, socket: Holder, id_: str, request: SubscribeRequest) -> None:
        super().__init__(socket.writer, protocol.prefix(id_), 0)
        self.id, self.state = id_, OperationState.WAITING
        self._socket, self.request = socket, request
        self.asked_at = utc_now()  # a ballot counts by this moment, however long it waits for its turn
        self._entered: Group | None = None
        self._shown_in: Group | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def alone(self) -> bool:
        """Whether it has a group of one."""
        return self._entered is not None and self._entered.subscription.alone

    # Begun, paused and stopped

    def begin(self) -> None:
        """Begins, or goes on after a pause. Does nothing while rights are read again."""
        if self.state is OperationState.WAITING and self._socket.identity.settled:
            self.state = OperationState.ASKING
            self._task = asyncio.create_task(self._run())

    def pause(self) -> None:
        """Shows nothing more until it begins again; the group stays. An answer goes on: its viewer is read
        when its turn comes.
        """
        if self.state is not OperationState.ANSWERING:
            self._withdraw()
            self.state = OperationState.WAITING

    def stop(self) -> None:
        """Drops the answer of a mutation, never the write."""
        self._withdraw()
        self.state = OperationState.ENDED
        self._change_group(None)

    def _withdraw(self) -> None:
        if self.group is not None:
            self.group.leave(self)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = None

    # From its document to what the client gets

    async def _run(self) -> None:
        try:
            match await self._read():
                case Document() as document:
                    await self._subscribe(document)
                case kind:
                    await self._answer(writes=kind is OperationType.MUTATION)
        except Exception as error:
            formatted = self._socket.registry.executable.formatted
            self.end(error.errors if isinstance(error, Ended) else [formatted(error)])
        finally:
            if self._task is asyncio.current_task():
                self._task = None  # thousands stand for hours, and need it no more

    async def _read(self) -> Document | OperationType:
        """Returns the document of a subscription, else which kind it is. One that is not at hand is read in a
        turn of the pacer, as it takes milliseconds. Raises Ended, GraphQLError and Refused.
        """
        registry, viewer = self._socket.registry, self._socket.identity.viewer
        if registry.documents.at_hand(self.request):
            return registry.documents.read(self.request, viewer)
        turn = registry.pacer.turn()
        await turn.begin()
        try:
            kind = registry.executable.operation_type(self.request)
            if kind in (OperationType.QUERY, OperationType.MUTATION):
                return kind
            return registry.documents.read(self.request, viewer)
        finally:
            turn.end()

    async def _answer(self, *, writes: bool) -> None:
        self.state = OperationState.ANSWERING
        if writes:
            self._task = None  # nothing cancels it from here on
        formatted = self._socket.registry.executable.formatted
        try:
            result = await self._socket.answers.execute(
                self.request, self.asked_at, None if writes else self.writer
            )
            errors = [formatted(error) for error in result.errors or ()]
            if is_request_error(result):
                texts = [protocol.error(self.id, errors)]
            else:
                answer = self.prefix + payload_of(result.data, errors) + b"}"
                texts = [answer, protocol.complete(self.id)]
        except Exception as error:
            if isinstance(error, Unauthenticated):
                self._socket.close(protocol.SESSION_OVER)
            errors = [formatted(error)]
            texts = [protocol.error(self.id, errors)]
        if self.state is OperationState.ANSWERING:
            self._socket.finish(self.id, *texts, errors=errors)

    async def _subscribe(self, document: Document) -> None:
        """Enters its group, asks whether it may, and joins behind what it has seen. Raises Ended,
        GraphQLError and Refused.
        """
        socket, cursor = self._socket, None
        seen = self.seen if self._shown_in is not None and document.is_journal else None
        if document.audience is Audience.VIEWER:
            group = self._enter_alone(document, seen)
        else:
            group, cursor = socket.registry.enter(
                document, self.request, socket.identity.viewer, socket.address
            )
            self._change_group(group)
        start = await self._admitted(group, cursor if seen is None else seen)
        if not group.reaches(start):  # too far behind the others
            try:
                group = self._enter_alone(document, start)
            except LimitReached:
                if seen is None:
                    raise
                self.fall_behind()
                return
            start = await self._admitted(group, start)
        self.seen, self.state, self._shown_in = start, OperationState.SHOWN, group
        if not self.alone:
            self.request = group.subscription.request  # the same, but one for all
        group.join(self)

    def _enter_alone(self, document: Document, after: int | None) -> Group:
        """Enters a group of one, which begins behind `after`, if given, else where the request says. Raises
        Ended, GraphQLError and Refused.
        """
        socket = self._socket
        if self.alone:
            self._change_group(None)  # so that it is not counted twice
        socket.check_alone()
        group = socket.registry.enter_alone(
            document, self.request, socket.identity.viewer, socket.address, after
        )
        self._change_group(group)
        return group

    async def _admitted(self, group: Group, after: int | str | None) -> int:
        """Asks for the right to watch. Returns the number of the step behind which it is shown what comes.
        `after`: the number or the cursor of the last item of a journal that it has seen, if any. Raises
        Ended, CursorInvalid and NotFound.
        """
        subscription, viewer = group.subscription, self._socket.identity.viewer
        await subscription.access.require(viewer)
        if not subscription.document.is_journal:
            return self.seen if self._shown_in is group else 0
        await group.until_open()
        start = await subscription.start_of(after)
        if not subscription.access.allows(viewer):  # who may read there changed meanwhile
            await subscription.access.require(viewer)
        return start

    # In its group

    def _change_group(self, entered: Group | None) -> None:
        """Enters the new group first: it may be the same one, which must not end in between."""
        before, self._entered = self._entered, entered
        if before is not None:
            self._socket.registry.leave(before)

    def end(self, errors: Errors) -> None:
        self._socket.end(self.id, errors)

    def fall_behind(self) -> None:
        self._socket.close(protocol.FELL_BEHIND)
