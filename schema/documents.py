"""What clients ask to watch, read once: parsed, checked and brought into one form."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    get_operation_ast,
    print_ast,
    separate_operations,
    visit,
)

from schema.audience import Audience, audience_of
from schema.schema import graphql_schema

KEPT_DOCUMENTS = 512

_CORE = graphql_schema._schema

CURSOR = "after"
"""The argument that makes a subscription a journal: behind which item a reader goes on."""


@dataclass(frozen=True, slots=True)
class Document:
    """A subscription that may be run once for many. `text`: the same however it was laid out.

    `variables`: those it declares; `cursor`: the one of them that says where a reader begins.
    """

    text: str
    audience: Audience
    variables: frozenset[str]
    journal: bool
    cursor: str | None


@lru_cache(KEPT_DOCUMENTS)
def read(text: str, name: str | None) -> Document | None:
    """None where it is to be run for each viewer alone, as also whatever is refused."""
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
    return Document(
        print_ast(document),
        audience,
        frozenset(definition.variable.name.value for definition in operation.variable_definitions or ()),
        start.journal,
        start.cursor,
    )


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
    visit(document, uses)
    return _Start(journal, name) if own and uses.count == 2 else None


class _Uses(Visitor):
    """How often a variable stands in a document, its definition included."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self.count = name, 0

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.count += node.name.value == self._name
