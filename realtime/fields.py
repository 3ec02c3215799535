"""A live field as the machinery sees it: what it shows, of which key, and as what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField

from community.live import Declaration

LIVE, AUDIENCE = "live", "audience"
"""Under these names the schema keeps, in the extensions of its fields, what a live field shows, and for
whom a field says the same.
"""

AFTER = "after"
"""The argument of a journal behind whose cursor a reader goes on."""


@dataclass(frozen=True)
class LiveField:
    """`key_of` takes the arguments as GraphQL names them and raises Refused if they name no key. `show` makes
    of a value, or of an item and its cursor, what the field's type is made of.
    """

    declaration: Declaration[Any, Any]
    key_of: Callable[[Mapping[str, Any]], int]
    show: Callable[..., Any]


def live_field(field: GraphQLField) -> LiveField:
    declared: LiveField = field.extensions[LIVE]
    return declared


@dataclass(frozen=True, slots=True)
class SubscribeRequest:
    """What somebody asks to be run on a socket, as JSON gave it."""

    query: str
    variables: Mapping[str, Any] | None
    operation_name: str | None

    @property
    def given(self) -> Mapping[str, Any]:
        return self.variables or {}
