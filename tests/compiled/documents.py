"""Documents at random over a schema: aliases, merged fields, fragments, @skip and @include."""

import random
from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    parse_value,
    type_from_ast,
    value_from_ast_untyped,
)

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType

SCALARS = {
    "Int": "1", "Float": "0.5", "Boolean": "true", "Date": '"2026-05-01"',
    "DateTime": '"2026-05-01T10:00:00Z"', "Decimal": '"12.50"',
}  # fmt: skip

DECLARED = "($a: Boolean! = true, $b: Boolean = false)"
DIRECTIVES = (
    "@include(if: $a)", "@skip(if: $b)", "@include(if: true)", "@skip(if: true)",
    "@include(if: $b) @skip(if: $a)",
)  # fmt: skip
VARIABLES = ({}, {"a": False}, {"b": True}, {"a": False, "b": True}, {"a": True, "b": None})


class Writer:
    """Writes documents by chance, at most `width` selections at a time."""

    def __init__(
        self, schema: GraphQLSchema, chance: random.Random, *, depth: int = 6, width: int = 5
    ) -> None:
        self._schema, self._chance, self._depth, self._width = schema, chance, depth, width
        self._fragments: list[str] = []

    def document(self) -> str:
        self._fragments = []
        roots = {
            "query": self._schema.query_type,
            "mutation": self._schema.mutation_type,
            "subscription": self._schema.subscription_type,
        }
        there = [name for name, kind in roots.items() if kind]
        operation = self._chance.choice([*there, *["query"] * 4])
        root = roots[operation]
        assert root
        selected = self._selection(root, self._depth)
        return "\n".join([f"{operation} Q{DECLARED} {selected}", *self._fragments])

    def variables(self, document: DocumentNode) -> dict[str, Any]:
        """Values for those that its only operation wants."""
        (operation,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
        given = {}
        for each in operation.variable_definitions or ():
            kind: Any = type_from_ast(self._schema, each.type)
            if each.default_value is None and (is_non_null_type(kind) or self._chance.random() < 0.5):
                given[each.variable.name.value] = value_from_ast_untyped(parse_value(self.literal(kind)))
        return given

    def _selection(self, kind: Composite, depth: int) -> str:
        count = self._chance.randint(1, self._width)
        return "{ " + " ".join(self._selected(kind, depth) for _ in range(count)) + " }"

    def _selected(self, kind: Composite, depth: int) -> str:
        if self._chance.random() < (0.35 if not isinstance(kind, GraphQLObjectType) else 0.1) and depth > 1:
            return self._fragment(kind, depth)
        fields = {} if isinstance(kind, GraphQLUnionType) else kind.fields
        names = [
            name for name, field in fields.items() if depth > 1 or is_leaf_type(get_named_type(field.type))
        ]
        if not names or self._chance.random() < 0.05:
            return f"__typename {self._directive()}"
        name = self._chance.choice(names)
        alias = (
            f"{self._chance.choice('xyz')}{self._chance.randint(0, 2)}: "
            if self._chance.random() < 0.15
            else ""
        )
        return f"{alias}{name}{self._field(fields[name], depth)}"

    def _field(self, field: GraphQLField, depth: int) -> str:
        given = [
            f"{name}: {self.literal(argument.type)}"
            for name, argument in field.args.items()
            if is_required_argument(argument) or self._chance.random() < 0.1
        ]
        kind = get_named_type(field.type)
        below = "" if is_leaf_type(kind) else f" {self._selection(kind, depth - 1)}"
        return f"{'(' + ', '.join(given) + ')' if given else ''} {self._directive()}{below}"

    def _fragment(self, kind: Composite, depth: int) -> str:
        on = self._chance.choice(list(self._fitting(kind)))
        way = self._chance.random()
        if way < 0.1:
            return f"... {self._directive()} {self._selection(kind, depth - 1)}"
        if way < 0.6:
            return f"... on {on.name} {self._directive()} {self._selection(on, depth - 1)}"
        number = len(self._fragments)
        self._fragments.append("")
        self._fragments[number] = f"fragment F{number} on {on.name} {self._selection(on, depth - 1)}"
        return f"...F{number} {self._directive()}" + (f" ...F{number}" if self._chance.random() < 0.2 else "")

    def _fitting(self, kind: Composite) -> Iterator[Composite]:
        yield kind
        if isinstance(kind, GraphQLObjectType):
            yield from kind.interfaces
        else:
            yield from self._schema.get_possible_types(kind)

    def _directive(self) -> str:
        return self._chance.choice(DIRECTIVES) if self._chance.random() < 0.08 else ""

    def literal(self, kind: GraphQLInputType) -> str:
        """A value for an argument or a variable, as a document writes it."""
        bare = get_nullable_type(kind)
        if is_list_type(bare):
            return f"[{self.literal(bare.of_type)}]"
        return self._named(get_named_type(bare))

    def _named(self, kind: GraphQLNamedType) -> str:
        if isinstance(kind, GraphQLEnumType):
            return self._chance.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            fields = [
                f"{name}: {self.literal(field.type)}"
                for name, field in kind.fields.items()
                if is_required_input_field(field)
            ]
            return "{" + ", ".join(fields) + "}"
        return SCALARS.get(kind.name, '"x"')
