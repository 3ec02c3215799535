"""The groups of a process: which one a subscription joins, and how it is made where there is none."""

from functools import partial
from typing import Any

import orjson

from community.permissions import Viewer
from community.signals import Signal
from realtime.audience import executed_for, key_of
from realtime.bounds import GroupBounds
from realtime.checked import CheckedDocuments
from realtime.documents import Document
from realtime.executable import Executable
from realtime.fields import SubscribeRequest
from realtime.groups import Group, Groups
from realtime.pacing import WritePacer
from realtime.sources import LiveSources
from realtime.subscriptions import BoundDocument, Count, SharedSubscription


class SubscriptionRegistry:
    """Equal documents, variables and audiences are one group."""

    def __init__(
        self,
        executable: Executable,
        sources: LiveSources,
        groups: Groups,
        count: Count = lambda errors: None,
    ) -> None:
        self.executable, self.documents = executable, CheckedDocuments(executable)
        self._groups, self._bounds = groups, GroupBounds()
        self._subscription = partial(SharedSubscription, executable, sources, count)

    @property
    def pacer(self) -> WritePacer:
        return self._groups.pacer

    def enter(
        self, document: Document, request: SubscribeRequest, viewer: Viewer, address: str = ""
    ) -> tuple[Group, str | None]:
        """Returns the group, for `leave` later, and the cursor after which the reader begins. `address`
        is charged for a new group. Raises Ended, GraphQLError and Refused.
        """
        variables = document.renamed(request.given)
        after = self._cursor(document, request, variables, viewer)
        shared = executed_for(document.audience, viewer)

        def make() -> SharedSubscription:
            # Checked as `shared`, for whom it is executed; whoever joins later is not checked again.
            key, _ = self.documents.bind(document, request, shared)
            counted = self._bounds.begin(address, Signal(document.live.declaration.topic, key))
            return self._subscription(BoundDocument(document, variables, key, shared), counted)

        same = document.text, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS), key_of(shared)
        return self._groups.enter(same, make), after

    def _cursor(
        self, document: Document, request: SubscribeRequest, variables: dict[str, Any], viewer: Viewer
    ) -> str | None:
        """Takes the cursor out of the variables, if it is all that its variable is used for: then readers who
        begin apart share a group. Raises Ended, GraphQLError and Refused.
        """
        after = variables.pop(document.cursor, None) if document.cursor else None
        if not document.reads_after and isinstance(after, str | None):
            return after
        # It is computed of the arguments, or refused as no cursor. Checked as `viewer`, who alone is told.
        _, after = self.documents.bind(document, request, viewer)
        return after

    def enter_alone(
        self, document: Document, request: SubscribeRequest, viewer: Viewer, address: str, after: int | None
    ) -> Group:
        """Makes a group of one: for a document that depends on its viewer, and for a reader too far behind
        the others. It begins after `after`, if given, else where the request says. Raises Ended, GraphQLError
        and Refused.
        """
        key, cursor = self.documents.bind(document, request, viewer)
        variables, shared = document.renamed(request.given), executed_for(document.audience, viewer)
        bound, begin = BoundDocument(document, variables, key, shared), cursor if after is None else after
        made = self._subscription(bound, self._bounds.begin_alone(address), alone=True, begin=begin)
        return self._groups.enter(made, lambda: made)

    def leave(self, group: Group) -> None:
        if self._groups.release(group):
            self._bounds.end(group.subscription.counted)
