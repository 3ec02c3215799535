"""Subscription documents, parsed once and brought into canonical form, so that equal ones are shared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    get_argument_values,
    get_operation_ast,
    get_variable_values,
    print_ast,
    separate_operations,
)

from community.live import Journal
from realtime.audience import Audience, audience_of
from realtime.canonical import canonical
from realtime.executable import Executable
from realtime.fields import AFTER, LIVE, LiveField, SubscribeRequest
from realtime.recent import Recent, weight
from realtime.syntax import fragments_in, parse

KEPT_DOCUMENTS = 512

MOST_KEPT = 4 * 1024 * 1024
"""Bytes of the documents that are kept, as estimated."""

ArgumentReader: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Makes the arguments of the field of given variables. Raises GraphQLError."""


@dataclass(frozen=True, slots=True)
class Document:
    """A subscription in canonical form. `text` is equal for documents that differ only in layout and names.

    `names`: the names in `text` of the variables that the client declares; `cursor`: the one of these that
    gives `after` and is used for nothing else. `reads_after`: a literal gives it, or a variable of more uses.
    """

    text: str
    node: DocumentNode
    audience: Audience
    live: LiveField
    names: Mapping[str, str]
    cursor: str | None
    reads_after: bool
    _arguments: ArgumentReader = field(repr=False)

    @property
    def is_journal(self) -> bool:
        return isinstance(self.live.declaration, Journal)

    def renamed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The given variables that the document declares, by their names in `text`."""
        return {self.names[name]: value for name, value in given.items() if name in self.names}

    def bind(self, given: Mapping[str, Any]) -> tuple[int, str | None]:
        """Returns the key, and the cursor after which a reader begins. Raises GraphQLError, in the client's
        own names, if the variables do not fit, and Refused if they name no key.
        """
        arguments = self._arguments(given)
        return self.live.key_of(arguments), arguments.get(AFTER)


class Documents:
    """The documents used last, bounded in number and in bytes."""

    def __init__(self, executable: Executable) -> None:
        self._executable = executable
        self.recent = Recent[tuple[str, str | None], Document](MOST_KEPT, KEPT_DOCUMENTS)

    def at_hand(self, request: SubscribeRequest) -> bool:
        """Whether `read` finds it without parsing."""
        return (request.query, request.operation_name) in self.recent

    def known_type(self, request: SubscribeRequest) -> OperationType | None:
        """The type of the requested operation if nothing has to be parsed to run it."""
        if self.at_hand(request):
            return OperationType.SUBSCRIPTION
        known = self._executable.is_prepared(request.query)
        kind = self._executable.operation_type(request) if known else None
        return None if kind is OperationType.SUBSCRIPTION else kind

    def read(self, request: SubscribeRequest) -> Document:
        """Raises GraphQLError if the request names no subscription. Check before whether it may be run."""
        key = request.query, request.operation_name
        if found := self.recent.get(key):
            return found
        whole = self._executable.parsed(request.query)
        operation = get_operation_ast(whole, request.operation_name or None)
        if operation is None:
            raise GraphQLError(f"Unknown operation named '{request.operation_name or ''}'.")
        alone = separate_operations(whole)[operation.name.value if operation.name else ""]
        document = _read(self._executable.core, alone, operation)
        self.recent.put(key, document, weight(request.query, whole.token_count or 0))
        return document


def _read(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Document:
    root = _root_of(document, operation)
    assert schema.subscription_type  # noqa: S101 - the operation is one of it
    definition = schema.subscription_type.fields[root.name.value]
    form, names, uses = canonical(document)
    text = print_ast(form)
    cursor = _own_cursor(operation, root, uses)
    return Document(
        text=text,
        node=parse(text, no_location=True),
        audience=audience_of(schema, document),
        live=definition.extensions[LIVE],
        names=names,
        cursor=names[cursor] if cursor else None,
        reads_after=cursor is None and any(each.name.value == AFTER for each in root.arguments or ()),
        _arguments=_argument_reader(schema, definition, operation, root),
    )


def _root_of(document: DocumentNode, operation: OperationDefinitionNode) -> FieldNode:
    """The one field of a valid subscription (§5.2.4.1 of the specification), wherever a fragment hides it."""
    fragments = fragments_in(document)
    selected: Any = operation.selection_set.selections[0]
    while not isinstance(selected, FieldNode):
        within = fragments[selected.name.value] if isinstance(selected, FragmentSpreadNode) else selected
        selected = within.selection_set.selections[0]
    return selected


def _own_cursor(operation: OperationDefinitionNode, root: FieldNode, uses: Mapping[str, int]) -> str | None:
    """The variable of the cursor, if nothing else depends on it: then readers with different cursors share
    one execution.
    """
    given = next((each.value for each in root.arguments or () if each.name.value == AFTER), None)
    if not isinstance(given, VariableNode):
        return None
    name = given.name.value
    declared = next(each for each in operation.variable_definitions or () if each.variable.name.value == name)
    if declared.default_value is not None or not isinstance(declared.type, NamedTypeNode):
        return None
    return name if uses[name] == 2 else None  # where it is declared, and here


def _argument_reader(
    schema: GraphQLSchema, definition: GraphQLField, operation: OperationDefinitionNode, root: FieldNode
) -> ArgumentReader:
    """Keeps no selections, which are long."""
    declared, bare = operation.variable_definitions or (), replace(root, selection_set=None)

    def read(given: Mapping[str, Any]) -> Mapping[str, Any]:
        values = get_variable_values(schema, declared, dict(given))
        if isinstance(values, list):
            raise values[0]
        return get_argument_values(definition, bare, values)

    return read
