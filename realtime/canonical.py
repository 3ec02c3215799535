"""The canonical form of a document: equal for documents that differ only in layout and in their own names.

The operation loses its name; variables and fragments are numbered in order of appearance. Aliases stay: they
name what the client gets back.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    NameNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    StringValueNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
)

from realtime.syntax import fragments_in, walk

N = TypeVar("N", ArgumentNode, ObjectFieldNode, VariableDefinitionNode)


class Canonical(NamedTuple):
    """`names` are the new names of the variables, `uses` how often each occurs, its declaration included."""

    document: DocumentNode
    names: Mapping[str, str]
    uses: Mapping[str, int]


def canonical(document: DocumentNode) -> Canonical:
    """Returns the canonical form of a valid document of one operation.

    Each definition is walked once, however often its fragments are spread.
    """
    (operation,) = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    fragments, names = fragments_in(document), _Names()
    bare = replace(operation, name=None, description=None, variable_definitions=())
    definitions: list[Any] = [walk(bare, names)]
    definitions.extend(walk(fragments[name], names) for name in names.found)  # of which walking finds more
    declared = [walk(each, names) for each in operation.variable_definitions or ()]
    definitions[0] = replace(
        definitions[0], variable_definitions=_sorted(declared, lambda each: each.variable.name)
    )
    return Canonical(DocumentNode(definitions=tuple(definitions)), names.variables, names.uses)


class _Names(Visitor):
    """Renames variables and fragments. `variables`: new names by the client's own.

    Arguments and object fields, which have no order, are sorted before they are walked, so that their order
    changes no name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.variables: dict[str, str] = {}
        self.uses = Counter[str]()
        self.found: list[str] = []
        """Fragments in order of appearance."""
        self._fragments: dict[str, str] = {}

    def enter_variable(self, node: VariableNode, *_: Any) -> VariableNode:
        self.uses[node.name.value] += 1
        name = self.variables.setdefault(node.name.value, f"v{len(self.variables)}")
        return replace(node, name=NameNode(value=name))

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> FragmentSpreadNode:
        return replace(node, name=self._fragment(node.name))

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> FragmentDefinitionNode:
        return replace(node, name=self._fragment(node.name), description=None)

    def _fragment(self, name: NameNode) -> NameNode:
        if name.value not in self._fragments:
            self._fragments[name.value] = f"F{len(self.found)}"
            self.found.append(name.value)
        return NameNode(value=self._fragments[name.value])

    def enter_field(self, node: FieldNode, *_: Any) -> FieldNode:
        same = node.alias is not None and node.alias.value == node.name.value
        return replace(
            node,
            alias=None if same else node.alias,
            arguments=_sorted(node.arguments, lambda each: each.name),
        )

    def enter_directive(self, node: DirectiveNode, *_: Any) -> DirectiveNode:
        return replace(node, arguments=_sorted(node.arguments, lambda each: each.name))

    def enter_object_value(self, node: ObjectValueNode, *_: Any) -> ObjectValueNode:
        return replace(node, fields=_sorted(node.fields, lambda each: each.name))

    def enter_string_value(self, node: StringValueNode, *_: Any) -> StringValueNode:
        return replace(node, block=False)


def _sorted(nodes: Iterable[N] | None, name: Callable[[N], NameNode]) -> tuple[N, ...]:
    return tuple(sorted(nodes or (), key=lambda each: name(each).value))
