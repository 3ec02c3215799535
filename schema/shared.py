"""A subscription run once for all who may see the same."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from strawberry.types.execution import ExecutionResult

from community.database import journal
from community.errors import CursorInvalid, ErrorCode
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
        self.asked = Asked(document.text, variables, None)
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
                text = text_of(result)
                assert self._shown is not None  # noqa: S101 - what is shown was opened before
                yield Step(self._shown.number, text + b"}")

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


def text_of(result: ExecutionResult) -> bytes:
    """What a `next` carries. Raises Ended where there is nothing to be shown, or not now.

    An item of which a part could not be read just now is not shown in part: who watches comes back for it.
    """
    errors = [presented(error).formatted for error in result.errors or ()]
    again = any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors)
    if result.data is None or again:
        raise Ended(errors)
    return orjson.dumps({"data": result.data} | ({"errors": errors} if errors else {}))


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
        start = same.pop(document.cursor or "", None)  # readers of one journal begin apart and go on together
        audience = rights_of(viewer) if document.audience is Audience.RIGHTS else NOBODY
        try:
            key = document.text, orjson.dumps(same, option=orjson.OPT_SORT_KEYS), _key_of(audience)
        except orjson.JSONEncodeError:  # nested too deep; the stock way says what is wrong with it
            return None
        if not isinstance(start, str | None):
            return None
        return self._groups.enter(key, lambda: Shared(document, same, self._context(audience)))

    def leave(self, group: Group[Shared]) -> None:
        self._groups.release(group)

    def _context(self, audience: Viewer) -> Context:
        async def renew() -> Viewer:
            return audience

        return Context(self._clock, self._watching, Standing(renew, self._clock), audience)


def _key_of(audience: Viewer) -> Hashable:
    return audience.account, frozenset(audience.roles.items()), audience.scopes, audience.demonstration
