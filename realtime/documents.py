"""Subscription documents, parsed once and brought into canonical form, so that equal ones are shared."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_argument_values,
    get_operation_ast,
    get_variable_values,
    print_ast,
    separate_operations,
)

from community.live import Journal
from realtime.audience import Audience, audience_of
from realtime.canonical import canonical
from realtime.execution import Executable
from realtime.fields import AFTER, LiveField, SubscribeRequest, live_field
from realtime.visiting import read, walk, weight

KEPT_DOCUMENTS = 512

MOST_KEPT = 4 * 1024 * 1024
"""Bytes of the documents that are kept, as estimated."""


class Subject(NamedTuple):
    """What a subscription watches: a field and a key."""

    field: str
    key: int


class Bound(NamedTuple):
    """The arguments of a request: the key, and the cursor after which a reader begins."""

    key: int
    after: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """A subscription in canonical form. `text` is equal for documents that differ only in layout and names.

    `names`: the names in `text` of the variables that the client declares; `cursor`: the one of these that is
    used for `after` and nothing else. `reads_after`: `after` is given in another way.
    """

    text: str
    node: DocumentNode
    audience: Audience
    live: LiveField
    name: str
    names: Mapping[str, str]
    cursor: str | None
    reads_after: bool
    _schema: GraphQLSchema = field(repr=False)
    _declared: tuple[VariableDefinitionNode, ...] = field(repr=False)
    _root: FieldNode = field(repr=False)
    _definition: GraphQLField = field(repr=False)

    @property
    def is_journal(self) -> bool:
        return isinstance(self.live.declaration, Journal)

    def renamed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The given variables that the document declares, by their names in `text`."""
        return {self.names[name]: value for name, value in given.items() if name in self.names}

    def bind(self, given: Mapping[str, Any]) -> Bound:
        """Raises GraphQLError, in the client's own names, if the variables do not fit, and Refused if they
        name no key.
        """
        values = get_variable_values(self._schema, self._declared, dict(given))
        if isinstance(values, list):
            raise values[0]
        arguments = get_argument_values(self._definition, self._root, values)
        return Bound(self.live.key_of(arguments), arguments.get(AFTER))


class Documents:
    """The documents used last, bounded in number and in bytes."""

    def __init__(self, executable: Executable) -> None:
        self._executable = executable
        self._by_request: OrderedDict[tuple[str, str | None], tuple[Document, int]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._by_request)

    def at_hand(self, request: SubscribeRequest) -> bool:
        """Whether `read` finds it without parsing."""
        return (request.query, request.operation_name) in self._by_request

    def read(self, request: SubscribeRequest) -> Document:
        """Raises GraphQLError if the request names no subscription. Check before whether it may be run."""
        key = request.query, request.operation_name
        if key in self._by_request:
            self._by_request.move_to_end(key)
            return self._by_request[key][0]
        whole = self._executable.parsed(request.query)
        document = _read(self._executable.core, *self._operation(request, whole))
        takes = weight(request.query, whole.token_count or 0)
        self._by_request[key] = document, takes
        self.size += takes
        while len(self._by_request) > KEPT_DOCUMENTS or self.size > MOST_KEPT:
            _, (_, takes) = self._by_request.popitem(last=False)
            self.size -= takes
        return document

    def _operation(
        self, request: SubscribeRequest, whole: DocumentNode
    ) -> tuple[DocumentNode, OperationDefinitionNode]:
        """The operation of the request, with the fragments that it uses."""
        operations = separate_operations(whole)
        name = request.operation_name or ""
        document = (
            next(iter(operations.values())) if len(operations) == 1 and not name else operations.get(name)
        )
        operation = get_operation_ast(document) if document else None
        if document is None or operation is None:
            raise GraphQLError(f"Unknown operation named '{name}'.")
        return document, operation


def _read(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Document:
    root = _root_of(document, operation)
    assert schema.subscription_type  # noqa: S101 - the operation is one of it
    definition = schema.subscription_type.fields[root.name.value]
    form, names = canonical(document)
    text = print_ast(form)
    cursor = _own_cursor(document, operation, root)
    return Document(
        text=text,
        node=read(text, no_location=True),
        audience=audience_of(schema, document),
        live=live_field(definition),
        name=root.name.value,
        names=names,
        cursor=names[cursor] if cursor else None,
        reads_after=cursor is None and any(each.name.value == AFTER for each in root.arguments or ()),
        _schema=schema,
        _declared=tuple(operation.variable_definitions or ()),
        _root=replace(root, selection_set=None),
        _definition=definition,
    )


def _root_of(document: DocumentNode, operation: OperationDefinitionNode) -> FieldNode:
    """The one field of a valid subscription (§5.2.4.1 of the specification), wherever a fragment hides it."""
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    return next(_fields(operation.selection_set, fragments))


def _fields(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    for each in selected.selections:
        if isinstance(each, FieldNode):
            yield each
        elif isinstance(each, InlineFragmentNode):
            yield from _fields(each.selection_set, fragments)
        elif isinstance(each, FragmentSpreadNode):
            yield from _fields(fragments[each.name.value].selection_set, fragments)


def _own_cursor(document: DocumentNode, operation: OperationDefinitionNode, root: FieldNode) -> str | None:
    """The variable of the cursor, if nothing else depends on it: then readers with different cursors share
    one execution.
    """
    given = next((each.value for each in root.arguments or () if each.name.value == AFTER), None)
    if not isinstance(given, VariableNode):
        return None
    name = given.name.value
    own = any(
        definition.variable.name.value == name
        and definition.default_value is None
        and isinstance(definition.type, NamedTypeNode)
        for definition in operation.variable_definitions or ()
    )
    uses = _Uses(name)
    walk(document, uses)
    return name if own and uses.count == 2 else None


class _Uses(Visitor):
    """Counts how often a variable occurs in a document, its definition included."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self.count = name, 0

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.count += node.name.value == self._name
