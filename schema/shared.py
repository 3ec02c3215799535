"""A subscription run once for all who may see the same."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from strawberry.types.execution import PreExecutionError

from community.database import journal
from community.errors import CursorInvalid
from community.permissions import NOBODY, Permission, Place, Viewer, may, rights_of
from realtime.feed import KEPT, Items
from realtime.groups import Ended, Group, Groups, Step
from realtime.live import States
from realtime.standing import Standing
from schema.audience import Audience
from schema.context import Context
from schema.documents import Document, read
from schema.errors import presented, request_id
from schema.schema import graphql_schema
from schema.watching import Watching

Shown = States[Any] | Items


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks to watch, as JSON gave it."""

    query: str
    variables: Mapping[str, Any] | None
    operation_name: str | None

    @property
    def given(self) -> Mapping[str, Any]:
        return self.variables or {}


class Shared:
    """The source of a group: one stock execution a step, encoded once.

    Nobody in particular looks at it: its viewer has the rights of its audience, or none at all where the
    document says the same to everybody. `place` is where whoever joins must be allowed to read.
    """

    def __init__(self, document: Document, variables: dict[str, Any], context: Context) -> None:
        self.kept = KEPT if document.journal else 1
        self._document, self._variables, self._context = document, variables, context
        context.shared = self
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._place: Place | None = None
        self._shown: Shown | None = None
        self._number_of: Callable[[str], int] | None = None
        self.start = 0

    # What the run itself says

    def opened(self, place: Place, shown: Any, number_of: Callable[[str], int] | None) -> None:
        self._place, self._shown, self._number_of = place, shown, number_of
        self.start = shown.number
        self._opened.set_result(None)

    async def steps(self) -> AsyncGenerator[Step, None]:
        request_id.set(secrets.token_hex(4))  # not that of whoever came first
        stream = await graphql_schema.subscribe(self._document.text, self._variables, self._context)
        async with aclosing(stream):
            async for result in stream:
                if isinstance(result, PreExecutionError) or result.data is None:
                    raise Ended([presented(error).formatted for error in result.errors or ()])
                payload: dict[str, Any] = {"data": result.data}
                if result.errors:
                    payload["errors"] = [error.formatted for error in result.errors]
                assert self._shown is not None  # noqa: S101 - what is shown was opened before
                yield Step(self._shown.number, orjson.dumps(payload) + b"}")

    # What its group asks

    def newest(self, number: int) -> bool:
        shown = self._shown
        return not isinstance(shown, States) or (shown.newest and number == shown.number)

    def if_unchanged(self, call: Callable[[], None]) -> None:
        if isinstance(self._shown, States):
            self._shown.if_unchanged(call)

    def fail(self, errors: Sequence[Mapping[str, Any]]) -> None:
        if not self._opened.done():
            self._opened.set_exception(Ended(errors))
            self._opened.exception()  # also where nobody waits for it

    # What whoever joins asks

    @property
    def is_open(self) -> bool:
        return self._place is not None

    async def until_open(self) -> None:
        """Raises Ended."""
        await asyncio.shield(self._opened)

    def may_be_seen_by(self, viewer: Viewer) -> bool:
        """Once it is open."""
        return self._place is not None and may(viewer, Permission.READ_BULLETIN, self._place)

    @property
    def journal(self) -> bool:
        return self._document.journal

    async def begin(self, asked: Asked) -> int:
        """The number behind which a reader begins. Raises CursorInvalid."""
        if not isinstance(self._shown, Items):
            return 0
        head = self._shown.head
        cursor = self._document.cursor
        after = None if cursor is None else asked.given.get(cursor)
        if after is None or self._number_of is None:
            return head
        number = self._number_of(after)
        if number > head and number > await journal.head():
            raise CursorInvalid
        return number


class Sharing:
    """The shared subscriptions of a process: equal documents, variables and audiences are one group."""

    def __init__(self, watching: Watching, groups: Groups[Shared], clock: Callable[[], datetime]) -> None:
        self._watching, self._groups, self._clock = watching, groups, clock

    def enter(self, asked: Asked, viewer: Viewer) -> Group[Shared] | None:
        """The group for this, to be released again; None: it is to be run for the viewer alone."""
        document = read(asked.query, asked.operation_name)
        if document is None:
            return None
        same = {name: value for name, value in asked.given.items() if name in document.variables}
        if document.cursor is not None:  # readers of one journal begin apart and go on together
            after = same.pop(document.cursor, None)
            if not isinstance(after, str | None):
                return None
        audience = rights_of(viewer) if document.audience is Audience.RIGHTS else NOBODY
        key = document.text, orjson.dumps(same, option=orjson.OPT_SORT_KEYS), _key_of(audience)
        return self._groups.enter(key, lambda: Shared(document, same, self._context(audience)))

    def leave(self, group: Group[Shared]) -> None:
        self._groups.release(group)

    def _context(self, audience: Viewer) -> Context:
        async def renew() -> Viewer:
            return audience

        return Context(self._clock, self._watching, Standing(renew, self._clock), audience)


def _key_of(audience: Viewer) -> Hashable:
    return audience.account, frozenset(audience.roles.items()), audience.scopes
