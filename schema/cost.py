"""What a document costs before it is run: a polynomial in its variables, and the statements it needs.

`{communities(first: $n) {edges {node {votes(first: 20) {edges {node {title}}}}}}}` costs a constant for each
of n communities, and twenty times as much again for each one's votes. The polynomial is made once a document;
each request only puts in its own variables. Units are about a microsecond of CPU on one small core.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from community.database.paging import MOST as LARGEST_PAGE
from community.errors import TooCostly
from schema.limits import Pairs

PAGE = "first"
"""The argument that says how many items a list has at most."""

MOST_COST = 150_000.0
"""Of a request, unless a setting says otherwise."""

MOST_STATEMENTS = 40


class Price(NamedTuple):
    """Of one field: `statements` that it leads to, `item` each time that it is resolved; `size`: how many
    there are, on the average, where no argument says so; `once`: what its statements walk through, however
    many ask.
    """

    statements: int = 0
    item: float = 0
    size: float = 1
    once: float = 0


Prices: TypeAlias = Mapping[str, Price]
"""By type and field, `Vote.tally`: what the schema cannot tell by itself. Each module of types ends with its
own.
"""

LEAF, OBJECT, STATEMENT = 4.0, 8.0, 400.0

WRITE = 10
"""Statements of a mutation, about; so a document has at most four of them."""

INTROSPECTION: Prices = {
    "__Schema.types": Price(size=100),
    "__Schema.directives": Price(size=6),
    "__Directive.locations": Price(size=4),
    "__Directive.args": Price(size=2),
    "__Type.fields": Price(size=4),
    "__Type.ofType": Price(size=0.4),
    "__Type.interfaces": Price(size=0.2),
    "__Type.possibleTypes": Price(size=0.2),
    "__Type.enumValues": Price(size=2),
    "__Type.inputFields": Price(size=1),
    "__Field.args": Price(size=0.3),
}
"""As the schema has it on the average; a request may ask for it only a few times."""


PRICE = "price"
"""Among the `extensions` of a field."""


def put_prices(schema: GraphQLSchema, prices: Prices) -> None:
    """Onto the fields. Raises KeyError where there is none of this name."""
    for name, price in prices.items():
        type_name, field_name = name.split(".")
        kind = schema.get_type(type_name)
        if not isinstance(kind, GraphQLObjectType) or field_name not in kind.fields:
            raise KeyError(f"{name} has a price, and is no field")
        kind.fields[field_name].extensions[PRICE] = price


def price_of(parent: GraphQLNamedType, name: str, definition: GraphQLField) -> Price:
    """As was put on it, or what a mutation costs, or a field that only hands on what is there."""
    usual = Price(statements=WRITE) if parent.name == "Mutation" else Price()
    known = definition.extensions.get(PRICE) or INTROSPECTION.get(f"{parent.name}.{name}", usual)
    return known._replace(
        item=known.item + (LEAF if is_leaf_type(get_named_type(definition.type)) else OBJECT),
    )


class Unknown(NamedTuple):
    """A size that a variable says; `otherwise` where the request leaves it out."""

    variable: str
    otherwise: float


Size = float | Unknown
Term = tuple[Unknown, ...]


@dataclass(slots=True)
class Cost:
    """`terms`: what stands before each product of unknown sizes; the empty product is what is certain."""

    terms: dict[Term, float] = field(default_factory=dict)
    statements: int = 0

    def add(self, other: "Cost", times: Size = 1.0) -> None:
        for term, factor in other.terms.items():
            if isinstance(times, Unknown):
                term, weight = tuple(sorted((*term, times))), factor
            else:
                weight = factor * times
            self.terms[term] = self.terms.get(term, 0.0) + weight

    def of(self, variables: Mapping[str, Any]) -> float:
        """With the variables of a request, whatever they are."""
        total = 0.0
        for term, factor in self.terms.items():
            for unknown in term:
                factor *= _clamped(variables.get(unknown.variable), unknown.otherwise)
            total += factor
        return total


def _clamped(given: object, otherwise: float) -> float:
    """A page is never larger; what is no number is refused later."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return min(float(LARGEST_PAGE), max(0.0, float(given)))
    return otherwise if given is None else float(LARGEST_PAGE)


def check_cost(cost: Cost, variables: Mapping[str, Any], most: float) -> None:
    """Raises TooCostly above `most`, or above what a request may ask of the database."""
    found = cost.of(variables)
    if found > most:
        raise TooCostly(cost=round(found), most=round(most))
    if cost.statements > MOST_STATEMENTS:
        raise TooCostly(cost=f"{cost.statements} statements", most=f"{MOST_STATEMENTS} statements")


Selected = list[tuple[GraphQLNamedType | None, FieldNode]]


class Costing:
    """Walks an operation as it is executed: fields of one response name in one place are one field.

    A document that is not valid yet is walked as far as it can be understood.
    """

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema, self._fragments = schema, fragments
        self._pairs = Pairs()

    def compare_in(self, fragment: FragmentDefinitionNode) -> None:
        """One that no operation leads to. Raises TooLarge."""
        kind = self._schema.get_type(fragment.type_condition.name.value)
        _Walk(self._schema, self._fragments, {}, self._pairs).of([(kind, fragment.selection_set)], 1.0)

    def of(self, operation: OperationDefinitionNode) -> Cost:
        """Raises TooLarge where validation would have too much to compare in all that was walked so far."""
        root = self._schema.get_root_type(operation.operation)
        defaults = {
            definition.variable.name.value: definition.default_value
            for definition in operation.variable_definitions or ()
        }
        walk = _Walk(self._schema, self._fragments, defaults, self._pairs)
        total = walk.of([(root, operation.selection_set)], 1.0)
        total.statements = sum(price.statements for price in walk.read.values())
        once = sum(price.once for price in walk.read.values())
        total.add(Cost({(): STATEMENT * total.statements + once}))
        return total


class _Walk:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        defaults: Mapping[str, Any],
        pairs: Pairs,
    ) -> None:
        self._schema, self._fragments, self._defaults = schema, fragments, defaults
        self._pairs = pairs
        self.read: dict[Hashable, Price] = {}
        """Of one field with the same arguments, below as many others that read: loaders ask for it once."""

    def of(
        self, merged: list[tuple[GraphQLNamedType | None, SelectionSetNode]], page: Size, level: int = 0
    ) -> Cost:
        """Of selection sets that are merged in one place; `page`: the size of its `edges`; `level`: how many
        reads lie above it.
        """
        total = Cost()
        fields: dict[str, Selected] = {}
        for kind, selected in merged:
            for parent, node in self._collect(kind, selected):
                fields.setdefault((node.alias or node.name).value, []).append((parent, node))
        self._pairs.add(name for name, nodes in fields.items() for _ in nodes)
        for nodes in fields.values():
            for parent in dict.fromkeys(parent for parent, _ in nodes):
                same = [node for other, node in nodes if other is parent]
                total.add(self._field(parent, same, page, level))
        return total

    def _collect(
        self, kind: GraphQLNamedType | None, selected: SelectionSetNode
    ) -> Iterator[tuple[GraphQLNamedType | None, FieldNode]]:
        for node in selected.selections:
            if isinstance(node, FieldNode):
                yield kind, node
            elif isinstance(node, InlineFragmentNode):
                yield from self._collect(self._narrowed(kind, node), node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and (fragment := self._fragments.get(node.name.value)):
                yield from self._collect(self._narrowed(kind, fragment), fragment.selection_set)

    def _narrowed(
        self, kind: GraphQLNamedType | None, node: InlineFragmentNode | FragmentDefinitionNode
    ) -> GraphQLNamedType | None:
        condition = node.type_condition
        return kind if condition is None else self._schema.get_type(condition.name.value)

    def _field(self, parent: GraphQLNamedType | None, nodes: list[FieldNode], page: Size, level: int) -> Cost:
        name = nodes[0].name.value
        definition = self._definition(parent, name)
        below = [(None, node.selection_set) for node in nodes if node.selection_set]
        if parent is None or definition is None:
            return self.of(below, 1.0) if below else Cost()  # type: ignore[arg-type]
        price = price_of(parent, name, definition)
        size, inner = self._sizes(definition, nodes[0], price, name, page)
        if price.statements:
            given = frozenset((each.name.value, _meaning(each.value)) for each in nodes[0].arguments or ())
            # Loaders read once for all who ask the same; what is written is written each time.
            called = (nodes[0].alias or nodes[0].name).value if parent is self._schema.mutation_type else ""
            self.read[parent.name, name, called, given, level] = price
            level += 1
        total, each = Cost(), Cost({(): price.item})
        if below:
            kind = get_named_type(definition.type)
            each.add(self.of([(kind, selected) for _, selected in below], inner, level))
        total.add(each, size)
        return total

    def _definition(self, parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return self._schema.get_field(parent, name)
        return None

    def _sizes(
        self, definition: GraphQLField, node: FieldNode, price: Price, name: str, page: Size
    ) -> tuple[Size, Size]:
        """How often the field's selection is resolved, and how many `edges` lie directly below it."""
        listed = is_list_type(get_nullable_type(definition.type))
        if PAGE in definition.args:
            asked = self._asked(definition, node)
            return (asked, 1.0) if listed else (1.0, asked)
        if listed and name == "edges":
            return page, 1.0
        return price.size, 1.0

    def _asked(self, definition: GraphQLField, node: FieldNode) -> Size:
        usual = _usual(definition.args[PAGE])
        given = next((each.value for each in node.arguments or () if each.name.value == PAGE), None)
        if isinstance(given, VariableNode):
            return Unknown(given.name.value, self._otherwise(given.name.value, usual))
        return _literal(given, usual)

    def _otherwise(self, variable: str, usual: float) -> float:
        return _literal(self._defaults.get(variable), usual)


def _meaning(value: ValueNode | VariableNode) -> Hashable:
    """Equal for values that mean the same."""
    if isinstance(value, VariableNode):
        return value.kind, value.name.value
    if isinstance(value, ListValueNode):
        return tuple(map(_meaning, value.values))
    if isinstance(value, ObjectValueNode):
        return frozenset((each.name.value, _meaning(each.value)) for each in value.fields)
    return value.kind, getattr(value, "value", None)


def _usual(argument: GraphQLArgument) -> float:
    """The size of a list of which nobody says how much is wanted."""
    if isinstance(argument.default_value, int):
        return float(argument.default_value)
    return _literal(argument.default and argument.default.literal, float(LARGEST_PAGE))


def _literal(given: object, usual: float) -> float:
    """The number that a document holds, as far as it is one."""
    if given is None or isinstance(given, NullValueNode):
        return usual
    if isinstance(given, IntValueNode) and len(given.value) < 10:
        return min(float(LARGEST_PAGE), max(0.0, float(given.value)))
    return float(LARGEST_PAGE)
