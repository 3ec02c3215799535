"""The queries and mutations of sockets: executed as over HTTP, a few of each socket at once."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from strawberry.types import ExecutionResult

from api.graphql import is_request_error
from api.identity import Identity
from api.kept import KeptAnswers
from api.representations import Text
from api.seen import EXTENSION, text_of
from community.database.journal import Heads
from community.database.work import WROTE
from community.errors import LimitReached
from community.permissions import NOBODY, Viewer
from realtime.execution import Errors, payload_of
from realtime.fields import SubscribeRequest
from realtime.sources import LiveSources
from realtime.writer import Writer
from schema.context import Context
from schema.schema import PreparedSchema

MOST_AT_ONCE = 4
"""Queries of a socket, and mutations, executed at the same time; the others wait."""

MOST_UNDER_WAY = 50
"""Of a socket, also those whose answer nobody waits for any more."""


class Answering:
    """Answers for all sockets of a process. `tasks`: those of operations that are read or answered."""

    def __init__(
        self, schema: PreparedSchema, sources: LiveSources, kept: KeptAnswers, most_cost: float
    ) -> None:
        self._schema, self._sources, self._kept, self._most_cost = schema, sources, kept, most_cost
        self.tasks: set[asyncio.Task[None]] = set()

    async def execute(
        self, request: SubscribeRequest, viewer: Viewer, asked_at: datetime
    ) -> ExecutionResult | Text:
        """Of a visitor's query the text that is kept for all of them. Others may have written by way of
        another process, and nothing here says what they have seen.
        """
        audience = self._kept.audience(request, viewer) if viewer is NOBODY and self._kept.usable else None
        if audience is not None:
            text = await self._kept.answer(request, audience, viewer, asked_at)
            if text is not None:
                return text
        context = Context(lambda: asked_at, self._sources, viewer, most_cost=self._most_cost)
        return await self._schema.execute(
            request.query, dict(request.given), context, operation_name=request.operation_name
        )

    def keep(self, task: asyncio.Task[None]) -> None:
        """Keeps it to its end, whoever else forgets it."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def all_answered(self) -> None:
        """Waits for the mutations of clients, also of those that are still read or wait for a slot."""
        while self.tasks:
            await asyncio.wait(self.tasks)


class Answer(NamedTuple):
    """`payload` is that of a `next`; None if nothing was executed."""

    errors: Errors
    payload: bytes | None


class AnswerQueue:
    """The queries and mutations of one socket. `formatted`: an error as clients get it."""

    __slots__ = ("_answering", "_formatted", "_identity", "_mutations", "_queries", "_under_way")

    def __init__(
        self, answering: Answering, identity: Identity, formatted: Callable[[Exception], Mapping[str, Any]]
    ) -> None:
        self._answering, self._identity, self._formatted = answering, identity, formatted
        self._queries, self._mutations = asyncio.Semaphore(MOST_AT_ONCE), asyncio.Semaphore(MOST_AT_ONCE)
        self._under_way = 0

    async def execute(
        self, request: SubscribeRequest, asked_at: datetime, read_first: Writer | None
    ) -> Answer:
        """Executes a query once `read_first` is free: answers that nobody reads do not pile up. A mutation
        comes without it, and waits for no query. Its viewer is who it is by then.

        Raises LimitReached if too many wait already, and Unauthenticated if the session is over.
        """
        if self._under_way >= MOST_UNDER_WAY:
            raise LimitReached(most=MOST_UNDER_WAY)
        self._under_way += 1
        wrote: dict[int | None, int] = {}
        before = WROTE.set(wrote)
        try:
            async with self._mutations if read_first is None else self._queries:
                if read_first is not None:
                    await read_first.drain()
                viewer = await self._identity.now()
                return self._answer_of(await self._answering.execute(request, viewer, asked_at), wrote)
        finally:
            WROTE.reset(before)
            self._under_way -= 1

    def _answer_of(self, result: ExecutionResult | Text, wrote: Heads) -> Answer:
        """Says what was written as HTTP does in a header, for the next read by way of that."""
        if isinstance(result, Text):
            return Answer((), result.body)
        errors = [self._formatted(error) for error in result.errors or ()]
        if is_request_error(result):
            return Answer(errors, None)
        seen = {EXTENSION: text_of(wrote)} if wrote else {}
        return Answer(errors, payload_of(result.data, errors, **seen))
