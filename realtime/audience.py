"""For whom a document says the same, by the marks on its fields: those who see the same share one execution.

A field without a mark says the same to everybody who may ask for it at all. `tests/schema/test_audience.py`
asks every field that a subscription reaches whether its mark is true.
"""

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

from realtime.fields import AUDIENCE
from realtime.visiting import walk


class Audience(IntEnum):
    EVERYBODY = 0
    RIGHTS = 1  # all who have the same roles and scopes
    VIEWER = 2  # each alone


def mark_of(field: GraphQLField) -> Audience:
    return Audience(field.extensions.get(AUDIENCE, Audience.EVERYBODY))


class _Marks(Visitor):
    """The widest mark among the fields that are selected; on an interface, of all that may stand there."""

    def __init__(self, schema: GraphQLSchema, types: TypeInfo) -> None:
        super().__init__()
        self._schema, self._types = schema, types
        self.found = Audience.EVERYBODY

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if (field := self._types.get_field_def()) is not None:
            self.found = max(self.found, mark_of(field))
        parent = self._types.get_parent_type()
        if is_abstract_type(parent):
            for kind in self._schema.get_possible_types(parent):
                if (field := kind.fields.get(node.name.value)) is not None:
                    self.found = max(self.found, mark_of(field))


def audience_of(schema: GraphQLSchema, document: DocumentNode) -> Audience:
    """Of a valid document."""
    types = TypeInfo(schema)
    marks = _Marks(schema, types)
    walk(document, TypeInfoVisitor(types, marks), marks)
    return marks.found
