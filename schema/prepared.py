"""Prepares documents: parses, bounds, validates and costs them, once for each text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    MaxIntrospectionDepthRule,
    OperationType,
    ParallelVisitor,
    TypeInfo,
    TypeInfoVisitor,
    ValidationContext,
    specified_rules,
)
from graphql.error import GraphQLSyntaxError
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.validation.validate import ValidationAbortedError
from graphql.validation.validation_context import NodeWithSelectionSet, VariableUsage, VariableUsageVisitor
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from community.errors import ErrorCode, Refused, without_frames
from realtime.audience import Audience, audience_of
from realtime.recent import Recent, weight
from realtime.syntax import fragments_in, parse, walk
from schema.cost import Cost, Costing
from schema.limits import (
    MOST_COMMENTS,
    MOST_TOKENS,
    check_document,
    check_text,
    operations_in,
)

MOST_ERRORS = 10
"""Errors reported of one document at most; suggestions of names take time."""

MOST_KEPT = 8 * 1024 * 1024
"""Bytes of cached documents, as estimated: reached within seconds where each is another one."""

BYTES_AN_ERROR = 1_000

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
    """`document` may be run if there are no `errors`; `costs` by the name of the operation. `audience`: who
    gets the same answer to all its queries; None: there is something else in it, or an error.
    """

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    costs: Mapping[str | None, Cost] = field(default_factory=dict)
    audience: Audience | None = None

    def cost_of(self, operation: str | None) -> Cost | None:
        """The cost of the requested operation; None if there is no such operation."""
        if not operation and len(self.costs) == 1:
            return next(iter(self.costs.values()))
        return self.costs.get(operation or None)


def prepare(schema: GraphQLSchema, text: str) -> Prepared:
    """Prepares a document; its faults are in `errors`."""
    try:
        check_text(text)
        document = parse(text, max_tokens=MOST_TOKENS, max_comments=MOST_COMMENTS)
        alone = check_document(document)
        costing = Costing(schema, fragments_in(document))
        costs = {
            operation.name.value if operation.name else None: costing.of(operation)
            for operation in operations_in(document)
        }
        for fragment in alone:
            costing.compare_in(fragment)
    except (Refused, RecursionError) as error:
        refused = error if isinstance(error, Refused) else NestedTooDeeply()
        return Prepared(None, (without_frames(GraphQLError(refused.en, original_error=refused)),))
    except GraphQLSyntaxError as error:
        return Prepared(None, (without_frames(error),))
    if errors := tuple(map(_of_the_client, _mistakes(schema, document))):
        return Prepared(document, errors, costs)
    reads = all(operation.operation is OperationType.QUERY for operation in operations_in(document))
    return Prepared(document, (), costs, audience_of(schema, document) if reads else None)


class _Enough(Exception):
    pass


class _Context(ValidationContext):
    """Finds the uses of variables as graphql-core does, but for what that leaves to the collector."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        types: TypeInfo,
        collect: Callable[[GraphQLError], None],
    ) -> None:
        super().__init__(schema, document, types, collect)
        self._types, self._used = types, dict[NodeWithSelectionSet, list[VariableUsage]]()

    def get_variable_usages(self, node: NodeWithSelectionSet) -> list[VariableUsage]:
        if node not in self._used:
            fragment = node if isinstance(node, FragmentDefinitionNode) else None
            uses = VariableUsageVisitor(self._types, fragment)
            walk(node, TypeInfoVisitor(self._types, uses), uses)
            self._used[node] = uses.usages
        return self._used[node]


def _mistakes(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """As graphql-core's `validate` finds them, but for what it leaves to the garbage collector."""
    errors: list[GraphQLError] = []

    def collect(error: GraphQLError) -> None:
        errors.append(error)
        if len(errors) > MOST_ERRORS:
            raise _Enough

    types = TypeInfo(schema)
    context = _Context(schema, document, types, collect)
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
    """The documents used last, by their texts."""

    def __init__(self, schema: GraphQLSchema, most_bytes: int = MOST_KEPT) -> None:
        self._schema, self.recent = schema, Recent[str, Prepared](most_bytes)

    def of(self, text: str) -> Prepared:
        if found := self.recent.get(text):
            return found
        made = prepare(self._schema, text)
        tokens = made.document.token_count or 0 if made.document else 0
        self.recent.put(text, made, weight(text, tokens) + BYTES_AN_ERROR * len(made.errors))
        return made
