"""What clients ask to watch, read once: parsed, checked and brought into one form."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    ValueNode,
    VariableNode,
    Visitor,
    get_operation_ast,
    get_variable_values,
    print_ast,
    separate_operations,
    value_from_ast_untyped,
)

from schema.audience import Audience, audience_of
from schema.canonical import canonical
from schema.schema import graphql_schema
from schema.visiting import walk

KEPT_DOCUMENTS = 512

_CORE = graphql_schema._schema

MOST_KEPT = 4_000_000
"""Characters of the documents that are kept."""

CURSOR = "after"
"""The argument that makes a subscription a journal: behind which item a reader goes on."""


class Subject(NamedTuple):
    """What a subscription is about: its field and the id it is given."""

    field: str
    id: str


@dataclass(frozen=True, slots=True)
class Document:
    """A subscription that may be run once for many. `text`: the same however it was laid out and whatever
    its names are; it has names of its own.

    `variables`: those that the client declares; `cursor`: the one of them that says where a reader begins;
    `names`: what they are called in `text`.
    """

    text: str
    audience: Audience
    variables: frozenset[str]
    journal: bool
    cursor: str | None
    names: Mapping[str, str] = field(compare=False)
    _operation: OperationDefinitionNode = field(compare=False, repr=False)
    _id: ValueNode | None = field(compare=False, repr=False)

    def renamed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the variables `given` that it declares, by their names in `text`."""
        return {self.names[name]: value for name, value in given.items() if name in self.names}

    def takes(self, renamed: dict[str, Any]) -> bool:
        """Whether the variables are what it declares; else the stock way says by their own names why not."""
        declared = self._operation.variable_definitions or ()
        return not isinstance(get_variable_values(_CORE, declared, renamed), list)

    def subject(self, renamed: Mapping[str, Any]) -> Subject:
        first = self._operation.selection_set.selections[0]
        assert isinstance(first, FieldNode)  # noqa: S101 - `_start_of` looked
        id_ = None if self._id is None else value_from_ast_untyped(self._id, dict(renamed))
        return Subject(first.name.value, str(id_))


class _Kept:
    """What was read last, bounded by number and in bytes."""

    def __init__(self) -> None:
        self._by_text: OrderedDict[tuple[str, str | None], Document | None] = OrderedDict()
        self._bytes = 0

    def __contains__(self, asked: tuple[str, str | None]) -> bool:
        return asked in self._by_text

    def get(self, asked: tuple[str, str | None]) -> Document | None:
        self._by_text.move_to_end(asked)
        return self._by_text[asked]

    def keep(self, asked: tuple[str, str | None], document: Document | None) -> None:
        self._by_text[asked] = document
        self._bytes += _length(asked)
        while len(self._by_text) > KEPT_DOCUMENTS or self._bytes > MOST_KEPT:
            gone, _ = self._by_text.popitem(last=False)
            self._bytes -= _length(gone)

    def clear(self) -> None:
        self._by_text.clear()
        self._bytes = 0


def _length(asked: tuple[str, str | None]) -> int:
    text, name = asked
    return len(text) + len(name or "")


kept = _Kept()


def at_hand(text: str, name: str | None) -> bool:
    """To `read` it costs next to nothing."""
    return (text, name) in kept


def read(text: str, name: str | None) -> Document | None:
    """None where it is to be run for each viewer alone, as also whatever is refused."""
    asked = text, name
    if asked in kept:
        return kept.get(asked)
    document = _read(text, name)
    kept.keep(asked, document)
    return document


def _read(text: str, name: str | None) -> Document | None:
    prepared = graphql_schema.prepared.of(text)
    whole = prepared.document
    if whole is None or prepared.errors:
        return None
    operations = separate_operations(whole)
    document = operations.get(name or "") if name or len(operations) > 1 else next(iter(operations.values()))
    operation = get_operation_ast(document) if document else None
    if document is None or operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        return None
    audience, start = audience_of(_CORE, document), _start_of(document, operation)
    if audience is Audience.VIEWER or start is None:
        return None
    variables = frozenset(each.variable.name.value for each in operation.variable_definitions or ())
    document, names = canonical(document)
    operation = get_operation_ast(document)
    assert operation is not None  # noqa: S101 - it was there before
    return Document(
        print_ast(document),
        audience,
        variables,
        start.journal,
        start.cursor,
        names,
        operation,
        _id(operation),
    )


def _id(operation: OperationDefinitionNode) -> ValueNode | None:
    field = operation.selection_set.selections[0]
    given = (field.arguments or ()) if isinstance(field, FieldNode) else ()
    return next((each.value for each in given if each.name.value != CURSOR), None)


class _Start(NamedTuple):
    journal: bool
    cursor: str | None


def _start_of(document: DocumentNode, operation: OperationDefinitionNode) -> _Start | None:
    """None where the cursor is not a variable of its own, so that readers could not go on apart."""
    field = operation.selection_set.selections[0]
    if not isinstance(field, FieldNode):
        return None
    journal = CURSOR in _CORE.subscription_type.fields[field.name.value].args  # type: ignore[union-attr]
    given = next(
        (argument.value for argument in field.arguments or () if argument.name.value == CURSOR), None
    )
    if given is None:
        return _Start(journal, None)
    if not isinstance(given, VariableNode):
        return None
    name = given.name.value
    own = [
        definition
        for definition in operation.variable_definitions or ()
        if definition.variable.name.value == name
        and definition.default_value is None
        and isinstance(definition.type, NamedTypeNode)  # who must give one is told so by the stock way
    ]
    uses = _Uses(name)
    walk(document, uses)
    return _Start(journal, name) if own and uses.count == 2 else None


class _Uses(Visitor):
    """How often a variable stands in a document, its definition included."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self.count = name, 0

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.count += node.name.value == self._name
