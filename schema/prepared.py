"""Prepares documents: parses, bounds, validates and costs them, once for each text."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    MaxIntrospectionDepthRule,
    ParallelVisitor,
    Source,
    TypeInfo,
    TypeInfoVisitor,
    ValidationContext,
    specified_rules,
)
from graphql.error import GraphQLSyntaxError
from graphql.language.ast import QUERY_DOCUMENT_KEYS, Token
from graphql.language.lexer import Lexer
from graphql.language.parser import Parser
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from community.errors import ErrorCode, Refused, without_frames
from realtime.visiting import walk
from schema.cost import Cost, Costing
from schema.limits import (
    MOST_COMMENTS,
    MOST_TOKENS,
    check_document,
    check_text,
    fragments_in,
    operations_in,
)

MOST_ERRORS = 10
"""Errors reported of one document at most; suggestions of names take time."""

KEPT = 24 * 1024 * 1024
"""Bytes of cached documents, as estimated."""

BYTES_A_TOKEN = 2_000
"""Bytes for each token: its nodes, their locations and costs."""

_KEYS = {
    kind: tuple(key for key in keys if key != "description") for kind, keys in QUERY_DOCUMENT_KEYS.items()
}
"""The parts of nodes that are walked; descriptions mean nothing to execution."""

RULES = (*specified_rules, MaxIntrospectionDepthRule, MaybeNullValidationRule, OneOfInputValidationRule)


class NestedTooDeeply(Refused):
    code = ErrorCode.INVALID_INPUT
    zh = "请求嵌套得太深。"
    en = "The document is nested too deeply."


@dataclass(frozen=True, slots=True)
class Prepared:
    """`document` may be run if there are no `errors`; `costs` by the name of the operation."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    costs: Mapping[str | None, Cost] = field(default_factory=dict)

    def cost_of(self, operation: str | None) -> Cost | None:
        """The cost of the requested operation; None if there is no such operation."""
        if not operation and len(self.costs) == 1:
            return next(iter(self.costs.values()))
        return self.costs.get(operation or None)


def parsed(text: str) -> DocumentNode:
    """Raises GraphQLError and Refused.

    The lexer's tokens point forwards and backwards. They are let go here: left to the garbage collector,
    which is told to look rarely, they would pile up.
    """
    check_text(text)
    source = Source(text)
    lexer = Lexer(source)
    try:
        return Parser(
            source, lexer=lexer, max_tokens=MOST_TOKENS, max_comments=MOST_COMMENTS
        ).parse_document()
    except RecursionError:
        raise NestedTooDeeply from None
    finally:
        _let_go(lexer)


def _let_go(lexer: Lexer) -> None:
    token: Token | None = lexer.token
    while token and token.next:
        token = token.next
    while token:
        before, token.prev, token.next = token.prev, None, None
        token = before


def prepare(schema: GraphQLSchema, text: str) -> Prepared:
    """Prepares a document; its faults are in `errors`."""
    try:
        document = parsed(text)
        alone = check_document(document)
        costing = Costing(schema, fragments_in(document))
        costs = {
            operation.name.value if operation.name else None: costing.of(operation)
            for operation in operations_in(document)
        }
        for fragment in alone:
            costing.compare_in(fragment)
    except Refused as refused:
        return Prepared(None, (without_frames(GraphQLError(refused.en, original_error=refused)),))
    except GraphQLSyntaxError as error:
        return Prepared(None, (without_frames(error),))
    return Prepared(document, tuple(map(_of_the_client, _mistakes(schema, document))), costs)


class _Enough(Exception):
    pass


def _mistakes(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """As graphql-core's `validate` finds them, but for what it leaves to the garbage collector."""
    errors: list[GraphQLError] = []

    def collect(error: GraphQLError) -> None:
        errors.append(error)
        if len(errors) > MOST_ERRORS:
            raise _Enough

    types = TypeInfo(schema)
    context = ValidationContext(schema, document, types, collect)
    rules = [rule(context) for rule in RULES]
    together = ParallelVisitor(rules)
    try:
        walk(document, TypeInfoVisitor(types, together), together, *rules, keys=_KEYS)
    except _Enough:
        errors[-1] = GraphQLError("There are more mistakes than these.")
    except ValidationAbortedError:  # nothing within our bounds should be as much as that
        errors.append(GraphQLError("The document has too many fields of one response name."))
    except RecursionError:
        errors.append(GraphQLError("The document is nested too deeply."))
    return errors


def _of_the_client(error: GraphQLError) -> GraphQLError:
    """Raises an exception over a literal, such as a number with too many digits, as the client's error."""
    without_frames(error)
    if error.original_error is None or isinstance(error.original_error, Refused | GraphQLError):
        return error
    return GraphQLError(error.message, error.nodes)


class PreparedDocuments:
    """The documents used last, by their texts, within `KEPT` bytes."""

    def __init__(self, schema: GraphQLSchema, kept: int = KEPT) -> None:
        self._schema, self._most = schema, kept
        self._kept: OrderedDict[str, tuple[Prepared, int]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, text: str) -> Prepared:
        if found := self._kept.get(text):
            self._kept.move_to_end(text)
            return found[0]
        made = prepare(self._schema, text)
        weight = _weight(text, made.document)
        self._kept[text] = made, weight
        self.size += weight
        while self.size > self._most:
            _, (_, weight) = self._kept.popitem(last=False)
            self.size -= weight
        return made


def _weight(text: str, document: DocumentNode | None) -> int:
    tokens: int = getattr(document, "token_count", 0)
    return 4 * len(text) + BYTES_A_TOKEN * (tokens + 1)
