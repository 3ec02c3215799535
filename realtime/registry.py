"""The shared subscriptions of a process: who joins which group, and how many groups there may be."""

import asyncio
from collections import Counter
from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import orjson

from community.errors import ErrorCode, InvalidInput, LimitReached, Refused
from community.permissions import Viewer
from community.places.facts import READING
from community.signals import Signal
from realtime.audience import key_of, standing_for
from realtime.documents import Document, Documents
from realtime.execution import Count, Ended, Executable
from realtime.fields import SubscribeRequest
from realtime.groups import Group, Groups, Member
from realtime.pacing import WritePacer
from realtime.sources import LiveSources
from realtime.subscriptions import SharedSubscription

MOST_COST_OF_STEP = 10_000.0
"""The highest cost of a subscription: it is executed at each change, maybe in one step of the loop."""

MOST_VIEWS_OF_ADDRESS = 400
"""Groups that an address has begun; a page needs one or two."""

MOST_VIEWS_OF_SUBJECT, MOST_VIEWS_OF_BOTH = 200, 50
"""Groups that one vote, event or bulletin has, and those of one address among these."""

FEW = 4
"""Of one subject any address may begin so many, however many there are: no stranger keeps others out."""

MOST_ALONE_OF_ADDRESS = 500
"""Groups of one that an address has."""


MOST_VARIABLES = 8 * 1024
"""Bytes of the variables of a subscription; an id and a cursor need few."""

AT_ONCE = 32
"""Members that begin again in one turn of the pacer."""


class TooManyViews(Refused):
    code = ErrorCode.LIMIT_REACHED
    zh = "从同一个地址对同一内容的不同写法的订阅太多，最多 {most} 种。请使用相同的写法。"
    en = "Too many different subscriptions of the same thing, {most} at most; ask for it in the same words."


class SubscriptionRegistry:
    """The shared subscriptions of a process: equal documents, variables and audiences are one group.

    Each group costs an execution a round, so their number is bounded by address and by subject.
    """

    def __init__(
        self,
        executable: Executable,
        sources: LiveSources,
        groups: Groups,
        count: Count = lambda errors: None,
    ) -> None:
        self.executable, self.documents = executable, Documents(executable)
        self._groups, self._shared = groups, partial(SharedSubscription, executable, sources, count)
        self._paused: list[Member] = []
        self._resuming: asyncio.Task[None] | None = None
        self._views = Counter[Hashable]()
        """How many groups each address began, each key has, and each address began of each key; and how many
        groups of one each address has.
        """

    @property
    def pacer(self) -> WritePacer:
        return self._groups.pacer

    def read(self, request: SubscribeRequest, viewer: Viewer) -> Document:
        """Reads the request's document. Raises Ended if it may not be run, GraphQLError if it is none of a
        subscription, and InvalidInput if its variables are too long.
        """
        if not _are_small(request.given):
            raise InvalidInput(
                problem_zh="变量太长，或嵌套太深", problem_en="variables too long, or nested too deeply"
            )
        if not self.documents.at_hand(request):
            self._check(request, viewer)
        return self.documents.read(request)

    def enter(
        self, document: Document, request: SubscribeRequest, viewer: Viewer, address: str = ""
    ) -> tuple[Group, str | None]:
        """Returns the group, for `leave` later, and the cursor after which the reader begins. `address`
        is charged for a new group. Raises Ended, GraphQLError and Refused.
        """
        variables = document.renamed(request.given)
        after = variables.pop(document.cursor, None) if document.cursor else None
        if document.reads_after or not isinstance(after, str | None):  # which `bind` refuses
            _, after = self._bound(document, request, viewer)
        audience = standing_for(document.audience, viewer)
        key = document.text, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS), key_of(audience)

        def for_many() -> SharedSubscription:
            watched, _ = self._bound(document, request, audience)
            made = self._shared(document, variables, watched, audience)
            made.counted_under = self._count_view(address, Signal(document.live.declaration.topic, watched))
            return made

        return self._groups.enter(key, for_many), after

    def enter_alone(
        self, document: Document, request: SubscribeRequest, viewer: Viewer, address: str, after: int | None
    ) -> Group:
        """Makes a group of one: for a document that depends on its viewer, and for a reader too far behind
        the others. It begins after `after`, if given, else where the request says. Raises Ended, GraphQLError
        and Refused.
        """
        key, cursor = self._bound(document, request, viewer)
        begin, variables = cursor if after is None else after, document.renamed(request.given)
        audience = standing_for(document.audience, viewer)
        made = self._shared(document, variables, key, audience, alone=True, after=begin)
        made.counted_under = (alone,) = (("alone", address),)
        if self._views[alone] >= MOST_ALONE_OF_ADDRESS:
            raise LimitReached(most=MOST_ALONE_OF_ADDRESS)
        self._views[alone] += 1
        return self._groups.enter(made, lambda: made)

    def _bound(self, document: Document, request: SubscribeRequest, viewer: Viewer) -> tuple[int, str | None]:
        """Checks also a document that is at hand: its cost depends on the variables. Raises Ended,
        GraphQLError and Refused.
        """
        self._check(request, viewer)
        return document.bind(request.given)

    def _check(self, request: SubscribeRequest, viewer: Viewer) -> None:
        """Raises Ended."""
        if refusals := self.executable.refusals(request, viewer, MOST_COST_OF_STEP):
            raise Ended([self.executable.formatted(error) for error in refusals])

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

    def leave(self, group: Group) -> None:
        if self._groups.release(group):
            for each in group.subscription.counted_under:
                self._views[each] -= 1
                if not self._views[each]:
                    del self._views[each]

    def handle(self, signal: Signal) -> None:
        if signal.topic == READING.topic:
            self.ask_again(signal.key)

    def ask_again(self, community: int | None = None) -> None:
        """Pauses the members of all groups of `community` (None: any), and asks each again whether it may
        watch, after public reading changed there.
        """
        changed = [each for each in self._groups if each.subscription.access.reading_changed(community)]
        paused = [member for group in changed for member in group]
        for member in paused:
            member.pause()
        self._paused += paused
        if self._paused and self._resuming is None:
            self._resuming = asyncio.create_task(self._resume())

    async def _resume(self) -> None:
        turn = self.pacer.turn(lambda: len(self._paused))
        while self._paused:
            async with turn:
                for member in self._paused[-AT_ONCE:]:
                    member.begin()
                del self._paused[-AT_ONCE:]
        self._resuming = None


def _are_small(variables: Mapping[str, Any]) -> bool:
    try:
        return len(orjson.dumps(variables)) <= MOST_VARIABLES
    except orjson.JSONEncodeError:  # nested too deep
        return False
