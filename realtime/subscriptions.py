"""Subscriptions executed once for all who may see the same, and their registry."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable
from functools import partial
from typing import Any

import orjson
from graphql import GraphQLError

from community.errors import ErrorCode, Refused
from community.live import Journal
from community.permissions import NOBODY, Person, Rights, Viewer, rights_of
from community.signals import Signal
from realtime.audience import Audience
from realtime.authorization import Access
from realtime.documents import Bound, Document, Documents
from realtime.execution import Count, Ended, Errors, Executable, encoded, execute, request_id
from realtime.fields import SubscribeRequest
from realtime.groups import Group, Groups, Step
from realtime.journals import KEPT, Item, JournalReader
from realtime.pacing import Turn, WritePacer
from realtime.sources import LiveSources, Reader
from realtime.states import StateReader

MOST_COST_OF_STEP = 10_000.0
"""The highest cost of a subscription: it is executed at each change, maybe in one step of the loop."""

MOST_VIEWS_OF_ADDRESS, MOST_VIEWS_OF_SUBJECT, MOST_VIEWS_OF_BOTH, FEW = 400, 200, 50, 4
"""Groups that an address has begun, that one vote, event or bulletin has, and those of an address among
these; a page needs one or two. `FEW` of a thing anybody may begin, so that no stranger keeps others out.
"""


class TooManyViews(Refused):
    code = ErrorCode.LIMIT_REACHED
    zh = "从同一个地址对同一内容的不同写法的订阅太多，最多 {most} 种。请使用相同的写法。"
    en = "Too many different subscriptions of the same thing, {most} at most; ask for it in the same words."


class SharedSubscription:
    """The StepSource of a group: one execution a step, encoded once.

    `viewer` has the rights of the members, and an account only if there is one member, `alone`. That one
    begins after `after`, a number or a cursor, or with new items; several members begin with the newest
    items, so that each finds its position among them.
    """

    def __init__(
        self,
        executable: Executable,
        sources: LiveSources,
        count: Count,
        document: Document,
        variables: dict[str, Any],
        key: int,
        viewer: Viewer,
        *,
        alone: bool = False,
        after: int | str | None = None,
    ) -> None:
        self.document, self.request = document, SubscribeRequest(document.text, variables, None)
        self.access = Access(document.live.declaration, key)
        self.kept = KEPT if document.is_journal else 1
        self.counted_under: tuple[Hashable, ...] = ()
        self.alone, self.start = alone, 0
        self._executable, self._sources, self._count = executable, sources, count
        self._variables, self._key, self._viewer, self._after = variables, key, viewer, after
        self._reader: Reader | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        request_id.set(secrets.token_hex(4))  # not that of whoever came first
        declaration, after = self.document.live.declaration, self._after
        try:
            if isinstance(declaration, Journal) and not self.alone:
                after = await declaration.recent(self._key)
            async with self._sources.watch(declaration, self._key, after) as reader:
                self._reader, self.start = reader, reader.number
                self._opened.set_result(None)
                while True:
                    await turn.begin(reader.when_more)
                    text = await self._shown(await anext(reader))
                    turn.end()
                    yield Step(reader.number, text + b"}")
        finally:
            turn.end()

    async def _shown(self, value: Any) -> bytes:
        show = self.document.live.show
        shown = show(*value) if isinstance(value, Item) else show(value)
        result = await execute(self._executable, self.document.node, self._variables, shown, self._viewer)
        return encoded(self._executable, result, self._count)

    def fault(self, error: Exception) -> Errors:
        return [self._executable.formatted(error)]

    def fail(self, errors: Errors) -> None:
        if not self._opened.done():
            self._opened.set_exception(Ended(errors))
            self._opened.exception()  # also if nobody waits for it

    def newest(self, number: int) -> bool:
        """Of a journal every step counts, whatever comes behind it."""
        reader = self._reader
        return not isinstance(reader, StateReader) or (reader.newest and number == reader.number)

    def if_unchanged(self, call: Callable[[], None]) -> None:
        if isinstance(self._reader, StateReader):
            self._reader.if_unchanged(call)

    async def until_open(self) -> None:
        """Raises Ended."""
        await asyncio.shield(self._opened)

    async def start_of(self, after: str | None) -> int:
        """The number behind which a reader begins, once it is open. Raises CursorInvalid."""
        assert isinstance(self._reader, JournalReader)  # noqa: S101 - a state has no cursor
        return self.start if self.alone else await self._reader.shared.number_after(after)


class SubscriptionRegistry:
    """The shared subscriptions of a process: equal documents, variables and audiences are one group.

    Each group costs an execution a round, so their number is bounded by address and by subject.
    """

    def __init__(
        self,
        executable: Executable,
        sources: LiveSources,
        groups: Groups[SharedSubscription],
        count: Count = lambda errors: None,
    ) -> None:
        self.executable, self.documents = executable, Documents(executable)
        self._groups, self._shared = groups, partial(SharedSubscription, executable, sources, count)
        self._views = Counter[Hashable]()
        """How many groups each address began, each key has, and each address began of each key."""

    @property
    def pacer(self) -> WritePacer:
        return self._groups.pacer

    def read(self, request: SubscribeRequest, viewer: Viewer) -> Document:
        """Reads the request's document. Raises Ended if it may not be run."""
        if not self.documents.at_hand(request):
            self._check(request, viewer)
        try:
            return self.documents.read(request)
        except GraphQLError as error:
            raise Ended([self.executable.formatted(error)]) from None

    def _check(self, request: SubscribeRequest, viewer: Viewer) -> None:
        """Raises Ended."""
        if refusals := self.executable.refusals(request, viewer, MOST_COST_OF_STEP):
            raise Ended([self.executable.formatted(error) for error in refusals])

    def enter(
        self, document: Document, request: SubscribeRequest, viewer: Viewer, address: str = ""
    ) -> tuple[Group[SharedSubscription], str | None]:
        """Returns the group, for `leave` later, and the cursor after which the reader begins. `address`
        is charged for a new group. Raises Ended and Refused.
        """
        variables = document.renamed(request.given)
        after = variables.pop(document.cursor, None) if document.cursor else None
        if document.reads_after or not isinstance(after, str | None):
            after = self._bound(document, request, viewer).after
        audience = _audience(document, viewer)
        key = document.text, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS), _key_of(audience)

        def for_many() -> SharedSubscription:
            watched = self._bound(document, request, audience).key
            made = self._shared(document, variables, watched, audience)
            made.counted_under = self._count_view(address, Signal(document.live.declaration.topic, watched))
            return made

        return self._groups.enter(key, for_many), after

    def enter_alone(
        self, document: Document, request: SubscribeRequest, viewer: Viewer, after: int | None = None
    ) -> Group[SharedSubscription]:
        """Makes a group of one: for a document that depends on its viewer, and for a reader too far behind
        the others. It begins after `after`, if given, else where the request says. Raises Ended and Refused.
        """
        key, cursor = self._bound(document, request, viewer)
        begin, variables = cursor if after is None else after, document.renamed(request.given)
        audience = _audience(document, viewer)
        made = self._shared(document, variables, key, audience, alone=True, after=begin)
        return self._groups.enter(made, lambda: made)

    def _bound(self, document: Document, request: SubscribeRequest, viewer: Viewer) -> Bound:
        """Raises Ended and Refused."""
        self._check(request, viewer)
        try:
            return document.bind(request.given)
        except GraphQLError as error:
            raise Ended([self.executable.formatted(error)]) from None

    def _count_view(self, address: str, watched: Signal) -> tuple[Hashable, ...]:
        """Returns what it is counted under. Raises TooManyViews."""
        of_address, of_key, of_both = counted_under = address, watched, (address, watched)
        views = self._views
        if views[of_address] >= MOST_VIEWS_OF_ADDRESS:
            raise TooManyViews(most=MOST_VIEWS_OF_ADDRESS)
        crowded = views[of_key] >= MOST_VIEWS_OF_SUBJECT and views[of_both] >= FEW
        if crowded or views[of_both] >= MOST_VIEWS_OF_BOTH:
            raise TooManyViews(most=MOST_VIEWS_OF_BOTH)
        views.update(counted_under)
        return counted_under

    def leave(self, group: Group[SharedSubscription]) -> None:
        if self._groups.release(group):
            for each in group.source.counted_under:
                self._views[each] -= 1
                if not self._views[each]:
                    del self._views[each]

    def reading_changed(self, community: int | None) -> set[Group[SharedSubscription]]:
        """Returns the groups whose members' right has to be checked again, after public reading of
        `community` (None: any) changed.
        """
        return {group for group in self._groups if group.source.access.reading_changed(community)}


def _audience(document: Document, viewer: Viewer) -> Viewer:
    """For whom it is executed: somebody with the rights of all who are shown the same."""
    if document.audience is Audience.VIEWER:
        return viewer
    return NOBODY if document.audience is Audience.EVERYBODY else rights_of(viewer)


def _key_of(audience: Viewer) -> Hashable:
    if not isinstance(audience, Person | Rights):
        return audience
    return frozenset(audience.roles.items()), audience.scopes, audience.demonstration
