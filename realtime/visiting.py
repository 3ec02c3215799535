"""Walks documents and leaves no reference cycles to the garbage collector."""

from typing import Any

from graphql import Node, Visitor, visit
from graphql.language.visitor import VisitorKeyMap


def walk(root: Node, visitor: Visitor, *within: Visitor, keys: VisitorKeyMap | None = None) -> Any:
    """Like graphql-core's `visit`. `within`: the visitors that `visitor` delegates to.

    A visitor caches its own methods and so refers to itself and to its documents: thousands of documents that
    are used once would block the loop for a second when the collector finds them.
    """
    try:
        return visit(root, visitor, keys)
    finally:
        for each in (visitor, *within):
            each.enter_leave_map.clear()
