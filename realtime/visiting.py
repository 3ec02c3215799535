"""Parses and walks documents, and leaves no reference cycles to the garbage collector."""

from typing import Any

from graphql import DocumentNode, Node, Source, Visitor, visit
from graphql.language.ast import Token
from graphql.language.lexer import Lexer
from graphql.language.parser import Parser
from graphql.language.visitor import VisitorKeyMap

BYTES_A_TOKEN = 700
"""Its node with the location, and its part of the costs."""

BYTES_A_DOCUMENT = 4_000
"""Whatever is in it."""


def read(text: str, **bounds: Any) -> DocumentNode:
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


def weight(text: str, tokens: int) -> int:
    """Bytes that a document takes up at most, parsed, with its text."""
    return 4 * len(text) + BYTES_A_TOKEN * tokens + BYTES_A_DOCUMENT


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
