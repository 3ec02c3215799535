"""The only module that reaches into privates of Strawberry.

What is reached: `Schema._schema`, the schema as graphql-core knows it, and `Schema._extend_introspection`
(strawberry-graphql 0.341.2).

Why the public door does not do: there is none to graphql-core's schema, without which no document can be
validated, costed or executed over a value; the maintainer points to `_schema` (strawberry#2590, closed). And
Strawberry's own answer to `isOneOf` reads `obj.extensions`, which lists and non-null types lack, so that a
stock introspection with `isOneOf` fails (strawberry#3528, closed, mended scalars only); graphql-core answers
it by itself.

When it can go: tests/schema/test_strawberry_privates.py shows the fault of a stock schema, and looks for a
public attribute that is a GraphQLSchema.
"""

import strawberry
from graphql import GraphQLSchema


class OpenSchema(strawberry.Schema):
    """A schema whose `core` can be asked for, and whose introspection is graphql-core's."""

    @property
    def core(self) -> GraphQLSchema:
        """As graphql-core knows it."""
        return self._schema

    def _extend_introspection(self) -> None:
        pass
