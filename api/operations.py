"""What stands under the ids of a socket: subscriptions last, queries and mutations have one answer.

    WAITING ──► PARSING ──┬──► ASKING ──► SHOWN    a subscription; ──► WAITING, when rights are read again
                          └──► ANSWERING           a query or a mutation; each state ──► ENDED

A subscription goes downwards through this file, from `begin` to `_show`; its group does the rest. It goes by

    end         called by itself or by its group: an error or a `complete`, through `_end`
    _end        has the holder forget it, and writes its last texts; once only
    forget      of the holder: frees its id and calls `stop`; also if the client completed it or is gone
    stop        `_withdraw`, for good; a mutation is executed all the same
    _withdraw   leaves the group and cancels the task; `pause` does no more, and it may begin again
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, Protocol

from graphql import OperationType

from api import protocol
from api.answering import Answer, AnswerQueue
from api.identity import Identity
from api.protocol import Close
from community.errors import ErrorCode, LimitReached, OutcomeUnknown, TryAgain, Unauthenticated
from community.waiting import unless_cancelled
from realtime.audience import Audience
from realtime.documents import Document
from realtime.execution import Ended, Errors
from realtime.fields import SubscribeRequest
from realtime.groups import Group, Member
from realtime.registry import SubscriptionRegistry
from realtime.writer import Writer


class Holder(Protocol):
    """A socket, as its operations see it."""

    writer: Writer
    address: str
    identity: Identity
    registry: SubscriptionRegistry

    @property
    def answers(self) -> AnswerQueue: ...

    def check_alone(self) -> None:
        """Raises LimitReached if as many operations as may run for this viewer alone."""

    def keep(self, task: asyncio.Task[None]) -> None:
        """The server does not end before it does."""

    def forget(self, id_: str, errors: Errors) -> None:
        """Stops an operation, and counts its errors."""

    def close(self, why: Close) -> None: ...


class OperationState(Enum):
    WAITING = 0  # while its rights are read again, or before it begins
    PARSING = 1  # its document, in a turn of the pacer where it is not known: that takes milliseconds
    ASKING = 2  # for its right to watch, and until its group is open
    SHOWN = 3  # a member of its group
    ANSWERING = 4
    ENDED = 5


class Position(NamedTuple):
    """Where a subscription was paused: it has seen the steps of `group` up to `seen`. Only the numbers of a
    journal are the same in every group.
    """

    group: Group
    seen: int


class Operation(Member):
    """A subscription is a member of the group of those who see the same; what depends on its viewer has a
    group of one. `_held` is the group that it keeps from ending, also while it is no member of it;
    `_paused_at` is given from a pause until it is shown again.
    """

    __slots__ = ("_asked_at", "_held", "_holder", "_paused_at", "_task", "id", "request", "state")

    def __init__(self, holder: Holder, id_: str, request: SubscribeRequest, asked_at: datetime) -> None:
        super().__init__(holder.writer, protocol.prefix(id_), 0)
        self.id, self.state = id_, OperationState.WAITING
        self._holder, self.request = holder, request
        self._asked_at = asked_at  # a ballot counts by when it came, however long it waits for its turn
        self._held: Group | None = None
        self._paused_at: Position | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def alone(self) -> bool:
        """Whether it has a group of one."""
        return self._held is not None and self._held.subscription.alone

    # Begun, paused and stopped

    def begin(self) -> None:
        """Begins, or goes on after a pause."""
        if self.state is OperationState.WAITING:
            self.state = OperationState.PARSING
            self._task = asyncio.create_task(self._run())
            self._holder.keep(self._task)

    def pause(self) -> None:
        """Shows nothing more until it begins again. What is read or answered goes on: its viewer is asked for
        when its turn comes.
        """
        if self.group is not None:
            self._paused_at = Position(self.group, self.seen)
        if self.state in (OperationState.ASKING, OperationState.SHOWN):
            self._withdraw()
            self.state = OperationState.WAITING

    def stop(self) -> None:
        """Drops the answer of a mutation, never the write, also where it is not known yet to be one."""
        if not (self.state is OperationState.PARSING and protocol.may_write(self.request)):
            self._withdraw()
        self.state = OperationState.ENDED
        self._hold(None)

    def _withdraw(self) -> None:
        if self.group is not None:
            self.group.leave(self)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = None

    # From its document to what the client gets

    async def _run(self) -> None:
        try:
            match await self._parse():
                case Document() as document:
                    await unless_cancelled(self._subscribe(document), TryAgain())
                case OperationType() as kind:
                    await self._answer(writes=kind is OperationType.MUTATION)
        except Exception as error:
            self.end(error.errors if isinstance(error, Ended) else [self._formatted(error)])
        finally:
            if self._task is asyncio.current_task():
                self._task = None  # thousands stand for hours, and need it no more

    async def _parse(self) -> Document | OperationType | None:
        """Returns the document of a subscription, or else its type; None if it goes no further now. Raises
        Ended, GraphQLError and Refused.
        """
        registry, request = self._holder.registry, self.request
        kind, turn = registry.documents.known_type(request), registry.pacer.turn()
        if kind is None:
            await turn.begin()
        try:
            kind = kind or registry.executable.operation_type(request)
            if self.state is OperationState.ENDED and kind is not OperationType.MUTATION:
                return None
            if kind in (OperationType.QUERY, OperationType.MUTATION):
                return kind
            if not self._holder.identity.settled:
                self.state = OperationState.WAITING
                return None
            return registry.documents.read(request, self._holder.identity.viewer)
        finally:
            turn.end()

    async def _answer(self, *, writes: bool) -> None:
        if self.state is OperationState.PARSING:
            self.state = OperationState.ANSWERING
        if writes:
            self._task = None  # nothing cancels it from here on
        try:
            answer = await unless_cancelled(
                self._holder.answers.execute(self.request, self._asked_at, None if writes else self.writer),
                OutcomeUnknown() if writes else TryAgain(),
            )
        except Exception as error:
            if isinstance(error, Unauthenticated):
                self._holder.close(protocol.SESSION_OVER)
            answer = Answer([self._formatted(error)], None)
        if answer.payload is None:
            self._end(answer.errors, protocol.error(self.id, answer.errors))
        else:
            self._end(answer.errors, self.prefix + answer.payload + b"}", protocol.complete(self.id))

    async def _subscribe(self, document: Document) -> None:
        """Enters its group, asks whether it may, and joins behind what it has seen. Raises Ended,
        GraphQLError and Refused.
        """
        self.state, paused_at = OperationState.ASKING, self._paused_at
        group, after = self._enter(document, paused_at.seen if paused_at and document.is_journal else None)
        seen = await self._admitted(group, after)
        if not group.reaches(seen):  # too far behind the others
            try:
                group = self._enter_alone(document, seen)
            except LimitReached:
                if paused_at is None:
                    raise
                self.fall_behind()
                return
            seen = await self._admitted(group, seen)
        self._show(group, seen)

    def _enter(self, document: Document, seen: int | None) -> tuple[Group, int | str | None]:
        """Enters the group of those who see the same. Returns it, and the number or the cursor behind which
        to begin: `seen`, if given. Raises Ended, GraphQLError and Refused.
        """
        if document.audience is Audience.VIEWER:
            return self._enter_alone(document, seen), seen
        holder, viewer = self._holder, self._holder.identity.viewer
        group, cursor = holder.registry.enter(document, self.request, viewer, holder.address)
        self._hold(group)
        return group, cursor if seen is None else seen

    def _enter_alone(self, document: Document, seen: int | None) -> Group:
        """Enters a group of one, which begins behind `seen`, if given, else where the request says. Raises
        Ended, GraphQLError and Refused.
        """
        holder, viewer = self._holder, self._holder.identity.viewer
        if self.alone:
            self._hold(None)  # so that it is not counted twice
        holder.check_alone()
        group = holder.registry.enter_alone(document, self.request, viewer, holder.address, seen)
        self._hold(group)
        return group

    async def _admitted(self, group: Group, after: int | str | None) -> int:
        """Asks for the right to watch. Returns up to which step of the group it has seen. Raises Ended,
        CursorInvalid and NotFound.
        """
        access, viewer = group.subscription.access, self._holder.identity.viewer
        await access.require(viewer)
        seen = await self._position_in(group, after)
        if not access.allows(viewer):  # who may read there changed meanwhile
            await access.require(viewer)
        return seen

    async def _position_in(self, group: Group, after: int | str | None) -> int:
        """Of a journal all is seen up to `after`; of a state nothing, if this group is not the one before a
        pause. Raises Ended and CursorInvalid.
        """
        if not group.subscription.document.is_journal:
            return self._paused_at.seen if self._paused_at and self._paused_at.group is group else 0
        await group.until_open()
        return await group.subscription.start_of(after)

    def _show(self, group: Group, seen: int) -> None:
        self.seen, self.state, self._paused_at = seen, OperationState.SHOWN, None
        if not self.alone:
            self.request = group.subscription.request  # the same, but one for all
        group.join(self)

    def _hold(self, group: Group | None) -> None:
        """Lets go of the one before only then: it may be the same one, which must not end in between."""
        before, self._held = self._held, group
        if before is not None:
            self._holder.registry.leave(before)

    # Ended

    def end(self, errors: Errors) -> None:
        """Ends the whole socket if trying again helps."""
        if any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors):
            self._end(errors)
            self._holder.close(protocol.AGAIN_LATER)
        else:
            self._end(errors, protocol.error(self.id, errors) if errors else protocol.complete(self.id))

    def fall_behind(self) -> None:
        self._holder.close(protocol.FELL_BEHIND)

    def _end(self, errors: Errors, *texts: bytes) -> None:
        if self.state is not OperationState.ENDED:  # else its id may be that of another one
            self._holder.forget(self.id, errors)
            for text in texts:
                self.writer.write(text)

    def _formatted(self, error: Exception) -> Mapping[str, Any]:
        return self._holder.registry.executable.formatted(error)
