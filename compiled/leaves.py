"""How scalars and enums are completed: the usual value by a test in the generated code, others by a call."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
)
from graphql.type import GraphQLLeafType

from compiled.classes import OrdinaryClasses, Surprise

UNUSUAL: dict[Callable[..., Any], str] = {
    GraphQLString.coerce_output_value: "type({0}) is not str",
    GraphQLID.coerce_output_value: "type({0}) is not str",
    GraphQLInt.coerce_output_value: "type({0}) is not int or not -2147483648 <= {0} <= 2147483647",
    GraphQLFloat.coerce_output_value: "type({0}) is not float or {0} - {0} != 0.0",
    GraphQLBoolean.coerce_output_value: "{0} is not True and {0} is not False",
}
"""For each way of coercing: the test, in generated code, of a value that does not stay as it is."""

MOST_MEMBERS = 1_000
"""Of one enum that are kept with their names."""


class Leaf:
    """Completes values of one type as graphql-core does, or raises Surprise and what the type raises.

    `names` finds the name of an enum's member by the `id` of the member, which is kept.
    """

    __slots__ = ("_classes", "_coerce", "_members", "names")

    def __init__(self, kind: GraphQLLeafType, classes: OrdinaryClasses) -> None:
        self._coerce, self._classes = kind.coerce_output_value, classes
        self._members: list[Enum] = []
        self.names: dict[int, str] = {}

    def complete(self, value: Any) -> Any:
        self.check(value)
        made = self._coerce(value)
        self.check(made)
        return made

    def check(self, value: Any) -> None:
        """Raises Surprise where it may be an error, awaitable or nothing at all."""
        if type(value) not in self._classes.known:
            self._classes.learn(value)

    def complete_member(self, value: Any) -> Any:
        """Of an enum."""
        made = self.complete(value)
        if not made:  # generated code asks `names` for something true
            raise Surprise
        if isinstance(value, Enum) and type(made) is str and len(self._members) < MOST_MEMBERS:
            self._members.append(value)
            self.names[id(value)] = made
        return made
