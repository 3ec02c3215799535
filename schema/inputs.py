"""Finds the path of the input that an error of graphql-core is about, from the field's argument."""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from graphql import (
    ArgumentNode,
    DocumentNode,
    GraphQLError,
    ListValueNode,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    VariableDefinitionNode,
    VariableNode,
)

Path: TypeAlias = tuple[str | int, ...]

_IN_A_VARIABLE = re.compile(
    r"Variable '\$(?P<name>\w+)' has invalid (?:default )?value(?: at (?P<path>(?:\.\w+|\[\d+\])+))?: "
)
_NAMED = (
    re.compile(r"to include required field '(\w+)', found"),
    re.compile(r"not to include unknown field '(\w+)'"),
    re.compile(r"^Argument '@?[\w.]*?\(?(\w+):?\)?' of (?:required )?type"),
)
"""An input that is not there, so that no node stands for it."""


def path_of(error: GraphQLError, document: DocumentNode | None) -> str | None:
    """As in `entry.amount`, `answers.0.choices.1`; None where the error is about no input.

    Whatever a client calls its variables, the path begins with the argument in which one stands.
    """
    named = next((found[1] for pattern in _NAMED if (found := pattern.search(error.message))), None)
    missing = (named,) if named else ()
    if found := _IN_A_VARIABLE.match(error.message):
        inner: Path = tuple(re.findall(r"\w+", found["path"] or ""))
        path = _path_of_variable(document, found["name"]) + inner + missing
    else:
        nodes = error.nodes or ()
        path = _path_to(document, lambda other: any(other is node for node in nodes)) or ()
        path += missing if path[-1:] != missing else ()
    return ".".join(map(str, path)) or None


def _path_of_variable(document: DocumentNode | None, name: str) -> Path:
    def stands_for_it(node: Node) -> bool:
        return isinstance(node, VariableNode) and node.name.value == name

    return _path_to(document, stands_for_it, defaults=False) or (name,)


def _path_to(
    document: DocumentNode | None, wanted: Callable[[Node], bool], *, defaults: bool = True
) -> Path | None:
    """To the first input of the document that is wanted. A default value stands where its variable does."""
    waiting: list[tuple[Node, Path]] = [] if document is None else [(document, ())]
    while waiting:
        node, path = waiting.pop()
        if path and wanted(node):
            return path
        if isinstance(node, VariableDefinitionNode):
            if defaults and node.default_value is not None:
                waiting.append((node.default_value, _path_of_variable(document, node.variable.name.value)))
        else:
            waiting += reversed([(child, (*path, *step)) for child, step in _children(node)])
    return None


def _children(node: Node) -> Iterator[tuple[Node, Path]]:
    if isinstance(node, ListValueNode):
        yield from ((value, (index,)) for index, value in enumerate(node.values))
    elif isinstance(node, ObjectValueNode):
        yield from ((field, (field.name.value,)) for field in node.fields)
    elif isinstance(node, ObjectFieldNode | ArgumentNode):
        yield node.value, ()
    else:
        for name in ("definitions", "variable_definitions", "arguments", "directives"):
            yield from ((child, _step_to(child)) for child in getattr(node, name, None) or ())
        selections = getattr(node, "selection_set", None)
        yield from ((child, ()) for child in (selections.selections if selections else ()))


def _step_to(node: Node) -> Path:
    return (node.name.value,) if isinstance(node, ArgumentNode) else ()
