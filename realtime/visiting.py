"""Walks through documents that leave nothing to the garbage collector."""

from typing import Any

from graphql import Node, Visitor, visit
from graphql.language.visitor import VisitorKeyMap


def walk(root: Node, visitor: Visitor, *within: Visitor, keys: VisitorKeyMap | None = None) -> Any:
    """As graphql-core's `visit` does. `within`: the visitors that `visitor` asks in its turn.

    Each remembers its own methods and so holds itself, and what it was made for: thousands of documents that
    nobody asks for twice would keep the loop for a second when the collector finds them.
    """
    try:
        return visit(root, visitor, keys)
    finally:
        for each in (visitor, *within):
            each.enter_leave_map.clear()
