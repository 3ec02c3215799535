"""Answers to queries that are kept while nothing has changed of which they were made.

An answer belongs to all who may see the same (`realtime/audience.py`) and is executed for them, never for
the one who asks. It is kept with the communities that it was made of and what was known of their journals
before it was read (`realtime/versions.py`), and holds no longer than the clock lets it.
"""

import asyncio
import time
from collections.abc import Hashable
from datetime import datetime
from functools import partial

import orjson
from strawberry.types import ExecutionResult

from api.representations import Text
from community.errors import TryAgain
from community.permissions import NOBODY, Viewer
from community.waiting import unless_cancelled
from realtime.audience import Audience, executed_for, key_of
from realtime.execution import payload_of
from realtime.fields import SubscribeRequest
from realtime.recent import Recent
from realtime.sources import LiveSources
from realtime.versions import Versions
from schema.context import Context
from schema.loaders import BRIEFLY
from schema.noted import Noted
from schema.schema import PreparedSchema

BYTES_MORE = 1_000
"""What an answer takes besides its text, which is counted twice, and its key."""

PART = 8
"""No answer takes more of the memory for all than one of so many parts."""

JOINED = 1.0
"""Seconds after its beginning until which others wait for the same execution."""


class KeptAnswer:
    """`since`: the count of versions before it was read. `text`: None where it had errors, so that everybody
    is told their own.
    """

    def __init__(self, text: Text | None, since: int, noted: Noted) -> None:
        self.text, self._since = text, since
        self._until = noted.until
        everywhere = noted.anywhere or not noted.communities
        self._communities = None if everywhere else frozenset(noted.communities)

    def in_time(self, now: datetime) -> bool:
        return self._until is None or now < self._until

    def holds(self, versions: Versions, now: datetime) -> bool:
        return self.in_time(now) and versions.unchanged(self._since, self._communities)


class _Execution:
    """One that is under way. `since`, `begun`: the count of versions and the time before it."""

    def __init__(self, task: "asyncio.Task[KeptAnswer]", since: int) -> None:
        self.task, self.since, self.begun, self._waiting = task, since, time.monotonic(), 0

    def serves(self, versions: Versions) -> bool:
        """Whether somebody who asks only now may be given what it reads."""
        recent = self.since == versions.count and time.monotonic() - self.begun <= JOINED
        return recent and not (self.task.done() or self.task.cancelling())

    async def wait(self) -> KeptAnswer:
        """It ends with the last who waits for it. Raises TryAgain if something was cancelled under it."""
        self._waiting += 1
        try:
            return await unless_cancelled(asyncio.shield(self.task), TryAgain())
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.task.cancel()


class KeptAnswers:
    """`counts` answers. `hit`: from memory; `joined`: by an execution that was under way for others;
    `missed`: by one of its own.
    """

    def __init__(
        self,
        schema: PreparedSchema,
        sources: LiveSources,
        versions: Versions,
        *,
        most_bytes: int,
        most_cost: float,
    ) -> None:
        self._schema, self._sources, self.versions = schema, sources, versions
        self._most_bytes, self._most_cost = most_bytes, most_cost
        self._kept = Recent[Hashable, KeptAnswer](most_bytes)
        self._under_way: dict[Hashable, _Execution] = {}
        self.counts = {"hit": 0, "joined": 0, "missed": 0}

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes of all that is kept, as estimated."""
        return self._kept.size

    @property
    def usable(self) -> bool:
        """Whether anything may be answered from memory just now."""
        return self._most_bytes > 0 and self.versions.current

    def audience(self, request: SubscribeRequest, viewer: Viewer) -> Audience | None:
        """Who gets the same answer as this viewer; None where that is nobody else. What depends on who asks
        is the same for all who did not sign in.
        """
        prepared = self._schema.prepared.of(request.query)
        audience = prepared.audience if prepared.cost_of(request.operation_name) else None
        return None if audience is Audience.VIEWER and viewer is not NOBODY else audience

    async def answer(
        self, request: SubscribeRequest, audience: Audience, viewer: Viewer, now: datetime
    ) -> Text | None:
        """None where the viewer has to be told itself: of an error, or of what it may not ask."""
        asks = executed_for(audience, viewer)
        try:
            variables = orjson.dumps(request.given, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # nested too deeply
            return None
        key = request.query, request.operation_name, variables, key_of(asks)
        while True:
            if (kept := self._kept.get(key)) is not None and kept.holds(self.versions, now):
                self.counts["missed" if kept.text is None else "hit"] += 1
                return kept.text
            execution = self._under_way.get(key)
            if execution is None or not execution.serves(self.versions):
                break
            made = await execution.wait()
            if made.in_time(now):  # else the clock has changed it since that was begun
                self.counts["joined"] += 1
                return made.text
        since = self.versions.count
        task = asyncio.create_task(self._execute(request, asks, now, since, key, len(variables)))
        execution = self._under_way[key] = _Execution(task, since)
        task.add_done_callback(partial(self._ended, key, execution))
        self.counts["missed"] += 1
        return (await execution.wait()).text

    async def _execute(
        self, request: SubscribeRequest, asks: Viewer, now: datetime, since: int, key: Hashable, length: int
    ) -> KeptAnswer:
        context = Context(lambda: now, self._sources, asks, most_cost=self._most_cost)
        result: ExecutionResult = await self._schema.execute(
            request.query, dict(request.given), context, operation_name=request.operation_name
        )
        text = None if result.errors else Text(payload_of(result.data, ()))
        if text is None:
            context.loaders.noted.hold(now + BRIEFLY)  # a database that was away comes back without a fact
        made = KeptAnswer(text, since, context.loaders.noted)
        takes = (2 * len(text.body) if text else 0) + 4 * len(request.query) + length + BYTES_MORE
        if takes * PART <= self._most_bytes:
            self._kept.put(key, made, takes)
        return made

    def _ended(self, key: Hashable, execution: _Execution, task: "asyncio.Task[KeptAnswer]") -> None:
        if self._under_way.get(key) is execution:
            del self._under_way[key]
        if not task.cancelled():
            task.exception()  # whoever waited may be gone
