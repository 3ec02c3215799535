"""One subscription on a socket."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from graphql import GraphQLError

from community.errors import NotFound, Refused
from realtime.groups import GONE, Ended, Group, Member
from schema import documents
from schema.errors import presented
from schema.schema import graphql_schema
from schema.shared import Asked, Shared, text_of

if TYPE_CHECKING:
    from api.sockets import Socket

TRY_AGAIN_LATER = 1013
"""After this code stock clients come back by themselves, which they do not after an error."""


def formatted(error: Exception) -> Mapping[str, Any]:
    """As clients are told it."""
    return presented(GraphQLError(str(error), original_error=error)).formatted


class Operation(Member):
    """What says the same to others is a member of their group; what depends on its viewer runs for it alone,
    by the stock way, in a task of its own.
    """

    __slots__ = ("_after", "_alone", "_asked", "_group", "_socket", "_task", "_was_in", "id")

    def __init__(self, socket: "Socket", id_: str, asked: Asked) -> None:
        super().__init__(socket.writer, b'{"id":%b,"type":"next","payload":' % orjson.dumps(id_), GONE)
        self.id, self._socket, self._asked = id_, socket, asked
        self._after: int | None = None
        self._was_in: Group[Shared] | None = None
        self._group: Group[Shared] | None = None
        self._task: asyncio.Task[None] | None = None
        self._alone = False

    @property
    def socket(self) -> "Socket":
        return self._socket

    def begin(self) -> None:
        """At once where the document was read before; to read one takes its turn in the lane."""
        if documents.at_hand(self._asked.query, self._asked.operation_name):
            try:
                self._enter()
            except Refused as refused:
                self.end([formatted(refused)])
        else:
            self._go(self._enter_in_turn)

    async def _enter_in_turn(self) -> None:
        turn = self._socket.sharing.tempo.turn()
        await turn.begin()
        try:
            self._enter()
        finally:
            turn.end()

    def _enter(self) -> None:
        """Raises LimitReached."""
        socket = self._socket
        self._group = socket.sharing.enter(self._asked, socket.viewer, socket.address)
        if self._group is None:
            self._begin_alone()
        elif self._group.source.is_open and not self._group.source.journal:
            self._join(self._group, self._seen_of(self._group))
        else:
            self._go(partial(self._join_when_open, self._group))

    def _seen_of(self, group: Group[Shared]) -> int:
        """The number of the state seen last, if it was one of this group."""
        return self._after if self._after is not None and group is self._was_in else 0

    def _go(self, run: Callable[[], Awaitable[None]]) -> None:
        async def to_its_end() -> None:
            try:
                await run()
            except Ended as ended:
                self.end(ended.errors)
            except Exception as error:
                self.end([formatted(error)])

        self._task = asyncio.create_task(to_its_end())

    async def _join_when_open(self, group: Group[Shared]) -> None:
        source = group.source
        await source.until_open()
        if not source.journal or not source.may_be_seen_by(self._socket.viewer):
            self._join(group, self._seen_of(group))
            return
        begin = await source.begin(self._asked) if self._after is None else self._after
        await source.until_open()  # who may read there may have changed meanwhile
        if begin >= max(source.start, group.forgotten):
            self._join(group, begin)
        elif self._after is None:  # too far behind what the others see
            self._release()
            self._begin_alone()
        else:
            self.fall_behind()

    def _join(self, group: Group[Shared], begin: int) -> None:
        if group.source.may_be_seen_by(self._socket.viewer):
            self.seen = begin
            self._asked = group.source.asked  # the same, but one for all
            self._was_in = None
            group.join(self)
        else:
            self.end([formatted(NotFound())])

    def _begin_alone(self) -> None:
        """Raises LimitReached."""
        self._socket.keep_alone()
        self._alone = True
        self.seen = 0
        self._go(self._run_alone)

    async def _run_alone(self) -> None:
        asked, writer, context = self._asked, self.writer, self._socket.context
        async with context.tempo.turn():
            stream = await graphql_schema.subscribe(
                asked.query, dict(asked.given), context, operation_name=asked.operation_name
            )
        async with aclosing(stream):
            async for result in stream:
                text = text_of(result, self._socket.count)
                if context.standing.uncertain:  # it was read with rights that may be lost
                    self._socket.close(TRY_AGAIN_LATER, "Try again later")
                    return
                writer.write(self.prefix + text + b"}")
                if writer.busy:
                    await writer.drain()
        self.end([])

    def catch_up(self) -> None:
        if self._group is not None:
            self._group.catch_up(self)

    def end(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.stop()
        self._socket.tell_errors(self.id, errors)

    def fall_behind(self) -> None:
        self._socket.close(TRY_AGAIN_LATER, "Read faster, and go on from the cursor")

    @property
    def has_left(self) -> bool:
        """It waits for its successor, or has not begun."""
        return self.seen == GONE

    def successor(self) -> "Operation":
        """The same again, for the rights of now; it goes on where this one was."""
        successor = Operation(self._socket, self.id, self._asked)
        successor._after, successor._was_in = self._after, self._was_in or self._group
        return successor

    def leave(self) -> None:
        """Is shown nothing more by its group, which stands until `stop`. What runs alone asks for its rights
        by itself.
        """
        if self._group is not None and not self.has_left:
            self._after = self.seen
            self._group.leave(self)
        if not self._alone:
            self._cancel()

    def stop(self) -> None:
        self.leave()
        self._release()
        if self._alone:
            self._alone = False
            self._socket.leave_alone()
        self._cancel()

    def _release(self) -> None:
        if self._group is not None:
            self._socket.sharing.leave(self._group)
            self._group = None

    def _cancel(self) -> None:
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
