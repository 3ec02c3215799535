"""A subscription run once for all who may see the same."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from graphql import GraphQLError
from strawberry.types.execution import ExecutionResult

from community.database import journal
from community.errors import CursorInvalid, ErrorCode, Refused
from community.permissions import NOBODY, Permission, Place, Viewer, may, rights_of
from realtime.feed import KEPT, Items
from realtime.groups import Ended, Group, Groups, Step
from realtime.live import States
from realtime.standing import Standing
from realtime.tempo import Tempo, Turn
from schema.audience import Audience
from schema.context import Context
from schema.documents import Document, Subject, read
from schema.errors import presented, request_id
from schema.schema import graphql_schema
from schema.watching import Watching

Shown = States[Any] | Items
Count = Callable[[Sequence[Mapping[str, Any]]], None]

MOST_COST_OF_STEP = 10_000.0
"""What is watched is run again with each change, in one step of the loop where nothing has to be read."""

MOST_VIEWS_OF_ADDRESS, MOST_VIEWS_OF_SUBJECT, MOST_VIEWS_OF_BOTH, FEW = 400, 200, 50, 4
"""Groups that an address has begun, that one vote, event or bulletin has, and those of an address among
these; a page needs one or two. `FEW` of a thing anybody may begin, so that no stranger keeps others out.
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks to watch, as JSON gave it."""

    query: str
    variables: Mapping[str, Any] | None
    operation_name: str | None

    @property
    def given(self) -> Mapping[str, Any]:
        return self.variables or {}


class TooManyViews(Refused):
    code = ErrorCode.LIMIT_REACHED
    zh = "从同一个地址对同一内容的不同写法的订阅太多，最多 {most} 种。请使用相同的写法。"
    en = "Too many different subscriptions of the same thing, {most} at most; ask for it in the same words."


class Shared:
    """The source of a group: one stock execution a step, encoded once.

    Nobody in particular looks at it: its viewer has the rights of its audience, or none at all where the
    document says the same to everybody. `place` is where whoever joins must be allowed to read; None until
    it is known, and again from when it changes until it was read anew.
    """

    turn: Turn
    bounded_by: tuple[str, Subject]

    def __init__(
        self,
        document: Document,
        variables: dict[str, Any],
        context: Context,
        count: Count = lambda errors: None,
    ) -> None:
        self.kept = KEPT if document.journal else 1
        self._document, self._variables, self._context = document, variables, context
        context.shared = self
        self.asked = Asked(document.text, variables, None)
        self._count = count
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._find: Callable[[], Awaitable[Place]] | None = None
        self._changes = 0
        self.place: Place | None = None
        self._finding: asyncio.Task[None] | None = None
        self._shown: Shown | None = None
        self._number_of: Callable[[str], int] | None = None
        self.start = 0

    # What the run itself says

    async def find(self, find: Callable[[], Awaitable[Place]]) -> None:
        """Reads the place, again where it changed meanwhile."""
        self._find, changes = find, -1
        while changes != self._changes:
            changes = self._changes
            place = await find()
        self.place = place

    def opened(self, shown: Any, number_of: Callable[[str], int] | None) -> None:
        self._shown, self._number_of = shown, number_of
        self.start = shown.number
        self.turn.end()
        self._opened.set_result(None)

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        request_id.set(secrets.token_hex(4))  # not that of whoever came first
        self.turn = turn
        await turn.begin()
        try:
            stream = await graphql_schema.subscribe(self._document.text, self._variables, self._context)
            async with aclosing(stream):
                async for result in stream:
                    text = text_of(result, self._count)
                    turn.end()
                    assert self._shown is not None  # noqa: S101 - what is shown was opened before
                    yield Step(self._shown.number, text + b"}")
        finally:
            turn.end()

    def fault(self, error: Exception) -> Sequence[Mapping[str, Any]]:
        return [presented(GraphQLError(str(error), original_error=error)).formatted]

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
        return self._opened.done() and self.place is not None

    async def until_open(self) -> None:
        """Raises Ended."""
        await asyncio.shield(self._opened)
        while self.place is None:
            if self._finding is None:
                self._finding = asyncio.create_task(self._find_again())
                self._finding.add_done_callback(_heed)
            await asyncio.shield(self._finding)

    async def _find_again(self) -> None:
        assert self._find is not None  # noqa: S101 - it is open
        try:
            await self.find(self._find)
        finally:
            self._finding = None

    def reading_changed(self, community: int | None) -> bool:
        """Who may read `community` (none given: any) changed. Whether that is, or may be, where this is."""
        self._changes += 1
        if self.place is not None and community not in (None, self.place.id):
            return False
        self.place = None
        return True

    def may_be_seen_by(self, viewer: Viewer) -> bool:
        """Once it is open."""
        return self.place is not None and may(viewer, Permission.READ_BULLETIN, self.place)

    @property
    def journal(self) -> bool:
        return self._document.journal

    async def begin(self, asked: Asked) -> int:
        """The number behind which a reader begins. Raises CursorInvalid."""
        if not isinstance(self._shown, Items):
            return 0
        head = self._shown.head
        document = read(asked.query, asked.operation_name)
        cursor = document.cursor if document else None
        after = None if cursor is None else asked.given.get(cursor)
        if after is None or self._number_of is None:
            return head
        number = self._number_of(after)
        if number > head and number > await journal.head():
            raise CursorInvalid
        return number


def _heed(task: asyncio.Task[None]) -> None:
    """Whoever asked for it may be gone by now."""
    if not task.cancelled():
        task.exception()


def text_of(result: ExecutionResult, count: Count = lambda errors: None) -> bytes:
    """What a `next` carries; `count` is told of errors in it. Raises Ended where there is nothing to be
    shown, or not now.

    An item of which a part could not be read just now is not shown in part: who watches comes back for it.
    """
    errors = [presented(error).formatted for error in result.errors or ()]
    again = any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors)
    if result.data is None or again:
        raise Ended(errors)
    if errors:
        count(errors)
    return orjson.dumps({"data": result.data} | ({"errors": errors} if errors else {}))


class Sharing:
    """The shared subscriptions of a process: equal documents, variables and audiences are one group.

    What its author called things makes no difference. What does is bounded by who asks and by what is asked
    for, since each group costs an execution a moment.
    """

    def __init__(
        self,
        watching: Watching,
        groups: Groups[Shared],
        clock: Callable[[], datetime],
        count: Count = lambda errors: None,
    ) -> None:
        self._watching, self._groups, self._clock, self._count = watching, groups, clock, count
        self._of_address, self._of_subject = Counter[str](), Counter[Subject]()
        self._of_both = Counter[tuple[str, Subject]]()

    @property
    def tempo(self) -> Tempo:
        return self._groups.tempo

    def enter(self, asked: Asked, viewer: Viewer, address: str = "") -> Group[Shared] | None:
        """The group for this, to be left again; None: it is to be run for the viewer alone.

        `address`: who answers for it where it is a new one. Raises TooManyViews.
        """
        document = read(asked.query, asked.operation_name)
        if document is None:
            return None
        same = document.renamed(asked.given)
        cursor = document.names.get(document.cursor or "", "")
        start = same.pop(cursor, None)  # readers of one journal begin apart and go on together
        audience = rights_of(viewer) if document.audience is Audience.RIGHTS else NOBODY
        try:
            key = document.text, orjson.dumps(same, option=orjson.OPT_SORT_KEYS), _key_of(audience)
        except orjson.JSONEncodeError:  # nested too deep; the stock way says what is wrong with it
            return None
        if not isinstance(start, str | None):
            return None
        if key not in self._groups and not document.takes(same):
            return None
        return self._groups.enter(key, lambda: self._made(document, same, audience, address))

    def _made(self, document: Document, variables: dict[str, Any], audience: Viewer, address: str) -> Shared:
        subject = document.subject(variables)
        mine = self._of_both[address, subject]
        if self._of_address[address] >= MOST_VIEWS_OF_ADDRESS:
            raise TooManyViews(most=MOST_VIEWS_OF_ADDRESS)
        if mine >= MOST_VIEWS_OF_BOTH or (mine >= FEW and self._of_subject[subject] >= MOST_VIEWS_OF_SUBJECT):
            raise TooManyViews(most=MOST_VIEWS_OF_BOTH)
        made = Shared(document, variables, self._context(audience), self._count)
        made.bounded_by = address, subject
        self._account(made, 1)
        return made

    def _account(self, shared: Shared, views: int) -> None:
        address, subject = shared.bounded_by
        for counter, key in (
            (self._of_address, address),
            (self._of_subject, subject),
            (self._of_both, (address, subject)),
        ):
            counter[key] += views  # type: ignore[index]
            if not counter[key]:  # type: ignore[index]
                del counter[key]

    def leave(self, group: Group[Shared]) -> None:
        if self._groups.release(group):
            self._account(group.source, -1)

    def reading_changed(self, community: int | None) -> set[Group[Shared]]:
        """Who may read `community` (none given: any) changed: whoever is there is to be asked again."""
        return {group for group in self._groups if group.source.reading_changed(community)}

    def _context(self, audience: Viewer) -> Context:
        async def renew() -> Viewer:
            return audience

        standing = Standing(renew, self._clock)
        return Context(self._clock, self._watching, standing, audience, most_cost=MOST_COST_OF_STEP)


def _key_of(audience: Viewer) -> Hashable:
    return audience.account, frozenset(audience.roles.items()), audience.scopes, audience.demonstration
