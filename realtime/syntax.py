"""Parses and walks documents, and leaves no reference cycles to the garbage collector."""

from typing import Any

from graphql import DocumentNode, FragmentDefinitionNode, Node, Source, Visitor, visit
from graphql.language.ast import Token
from graphql.language.lexer import Lexer
from graphql.language.parser import Parser
from graphql.language.visitor import VisitorKeyMap


def parse(text: str, **bounds: Any) -> DocumentNode:
    """Like graphql-core's `parse`, whose options `bounds` are. Raises GraphQLError.

    The lexer's tokens point forwards and backwards. They are let go here: left to the garbage collector,
    which is told to look rarely, they would pile up.
    """
    source = Source(text)
    lexer = Lexer(source)
    try:
        return Parser(source, lexer=lexer, **bounds).parse_document()
    finally:
        _let_go(lexer)


def _let_go(lexer: Lexer) -> None:
    token: Token | None = lexer.token
    while token and token.next:
        token = token.next
    while token:
        before, token.prev, token.next = token.prev, None, None
        token = before


def fragments_in(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """By name; of two with one name, which validation refuses, the last."""
    return {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }


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
