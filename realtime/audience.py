"""Who sees the same result of a document, by the marks on its fields; those share one execution.

A field without a mark gives the same value to everybody who may read it; but what a query begins with, each
viewer alone. `tests/schema/test_audience.py` checks the mark of every field.
"""

from collections.abc import Hashable
from enum import IntEnum
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    is_abstract_type,
)

from community.permissions import NOBODY, Person, Rights, Viewer, rights_of
from realtime.fields import AUDIENCE
from realtime.syntax import walk


class Audience(IntEnum):
    EVERYBODY = 0
    RIGHTS = 1  # all who have the same roles and scopes
    VIEWER = 2  # each alone


def mark_of(field: GraphQLField, unmarked: Audience = Audience.EVERYBODY) -> Audience:
    return Audience(field.extensions.get(AUDIENCE, unmarked))


class _Marks(Visitor):
    """Finds the narrowest audience among the selected fields; on an interface, of all its possible types."""

    def __init__(self, schema: GraphQLSchema, types: TypeInfo) -> None:
        super().__init__()
        self._schema, self._types = schema, types
        self.found = Audience.EVERYBODY

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self._types.get_parent_type()
        if (field := self._types.get_field_def()) is not None:
            asked_first = parent is not None and parent is self._schema.query_type
            self.found = max(
                self.found, mark_of(field, Audience.VIEWER if asked_first else Audience.EVERYBODY)
            )
        if is_abstract_type(parent):
            for kind in self._schema.get_possible_types(parent):
                if (field := kind.fields.get(node.name.value)) is not None:
                    self.found = max(self.found, mark_of(field))


def executed_for(audience: Audience, viewer: Viewer) -> Viewer:
    """Whose execution is the same for all who share one with `viewer`: somebody who has their rights only."""
    if audience is Audience.VIEWER:
        return viewer
    return NOBODY if audience is Audience.EVERYBODY else rights_of(viewer)


def audience_of(schema: GraphQLSchema, document: DocumentNode) -> Audience:
    """The audience of a valid document."""
    types = TypeInfo(schema)
    marks = _Marks(schema, types)
    walk(document, TypeInfoVisitor(types, marks), marks)
    return marks.found


def key_of(viewer: Viewer) -> Hashable:
    """Equal for viewers who have the same rights."""
    if not isinstance(viewer, Person | Rights):
        return viewer
    return frozenset(viewer.roles.items()), viewer.scopes, viewer.demonstration
