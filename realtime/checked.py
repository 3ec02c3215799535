"""Documents of subscriptions, read once it is known that they may be run."""

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import OperationType

from community.errors import InvalidInput
from community.permissions import Viewer
from realtime.documents import Document, Documents
from realtime.executable import Executable
from realtime.execution import Ended
from realtime.fields import SubscribeRequest

MOST_COST_OF_STEP = 10_000.0
"""The highest cost of a subscription: it is executed at each change, maybe in one step of the loop."""

MOST_VARIABLES = 8 * 1024
"""Bytes of the variables of a subscription; an id and a cursor need few."""


class CheckedDocuments:
    def __init__(self, executable: Executable) -> None:
        self._executable, self._documents = executable, Documents(executable)

    def known_type(self, request: SubscribeRequest) -> OperationType | None:
        """The type of the requested operation if nothing has to be parsed to run it."""
        return self._documents.known_type(request)

    def read(self, request: SubscribeRequest, viewer: Viewer) -> Document:
        """Raises Ended if it may not be run, GraphQLError if it is no subscription, and InvalidInput if its
        variables are too long.
        """
        if not _are_small(request.given):
            raise InvalidInput(
                problem_zh="变量太长，或嵌套太深", problem_en="variables too long, or nested too deeply"
            )
        if not self._documents.at_hand(request):
            self._check(request, viewer)
        return self._documents.read(request)

    def bind(self, document: Document, request: SubscribeRequest, viewer: Viewer) -> tuple[int, str | None]:
        """Returns the key, and the cursor after which a reader begins. It checks each request, whose cost
        depends on the variables. Raises Ended, GraphQLError and Refused.
        """
        self._check(request, viewer)
        return document.bind(request.given)

    def _check(self, request: SubscribeRequest, viewer: Viewer) -> None:
        """Raises Ended."""
        if refusals := self._executable.refusals(request, viewer, MOST_COST_OF_STEP):
            raise Ended([self._executable.formatted(error) for error in refusals])


def _are_small(variables: Mapping[str, Any]) -> bool:
    try:
        return len(orjson.dumps(variables)) <= MOST_VARIABLES
    except orjson.JSONEncodeError:  # nested too deep
        return False
