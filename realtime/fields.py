"""A live field as `realtime/` sees it: its declaration, its key and its value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from community.live import Declaration

LIVE, AUDIENCE = "live", "audience"
"""Extensions of the schema's fields: the LiveField of a live field, and the audience of any field."""

AFTER = "after"
"""The argument of a journal's field: the cursor after which a reader goes on."""


@dataclass(frozen=True)
class LiveField:
    """`key_of` takes the arguments by their GraphQL names and raises Refused if they name no key. `show`
    turns a value, or an Item, into what the field's type resolves from.
    """

    declaration: Declaration[Any, Any]
    key_of: Callable[[Mapping[str, Any]], int]
    show: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class SubscribeRequest:
    """The payload of a `subscribe` message, as JSON gave it."""

    query: str
    variables: Mapping[str, Any] | None
    operation_name: str | None

    @property
    def given(self) -> Mapping[str, Any]:
        return self.variables or {}
