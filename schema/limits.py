"""How large a document may be: measured in one linear pass, before anything walks its every path.

Fragments make a short text long: `fragment F0 on Query {...F1 ...F1}` doubles with each step. Rules that
follow every path, as validation does, would be held for minutes by a kilobyte. So each fragment is measured
once, what it spreads is added up by numbers, and only a document within these bounds goes on.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from community.errors import ErrorCode, Refused
from realtime.syntax import fragments_in

LONGEST = 32 * 1024
"""Bytes of a text in UTF-8; the longest document of our own page has a tenth of them."""

MOST_TOKENS, MOST_COMMENTS = 2_000, 500

MOST_OPERATIONS, MOST_FRAGMENTS, MOST_VARIABLES = 20, 100, 100
"""Of a text; an operation is looked through with all fragments that it reaches."""

MOST_FIELDS_IN_ALL = 2_000
"""Of all operations of a text together, since each is looked through by itself."""

MOST_SPREADS, MOST_FIELDS, MOST_ALIASES, MOST_INTROSPECTIONS = 400, 1_000, 30, 5
"""Of an operation, counted each time that its fragments bring them."""

LONGEST_ALIAS = 100
"""Signs, all of which stand in the answer as often as its lists are long."""

INTROSPECTION = ("__schema", "__type")

DEEPEST, DEEPEST_INTROSPECTION = 15, 20
"""Levels of fields; clients ask a schema for types of types of types."""

MOST_NESTED = 64
"""Selection sets within each other, through fragments too: inline fragments nest without a field."""

MOST_PAIRS = 3_000
"""Of fields with one response name in one place: validation compares each with each (§5.3.2 of the spec)."""


class TooLarge(Refused):
    code = ErrorCode.INVALID_INPUT
    zh = "请求太大：{what_zh}有 {found}，最多 {most}。"
    en = "The document has {found} {what}; {most} at most."


class SpreadsItself(Refused):
    code = ErrorCode.INVALID_INPUT
    zh = "片段 {name} 把自己包含在内了。"
    en = 'Cannot spread fragment "{name}" within itself.'


class Measure(NamedTuple):
    """Of a selection set with all that it spreads. `depth`, `introspection`: levels of fields in it, without
    and below the fields that ask for the schema; `introspections`: how many of those.
    """

    fields: int = 0
    aliases: int = 0
    spreads: int = 0
    depth: int = 0
    introspection: int = 0
    introspections: int = 0

    def beside(self, other: "Measure") -> "Measure":
        return Measure(
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.spreads + other.spreads,
            max(self.depth, other.depth),
            max(self.introspection, other.introspection),
            self.introspections + other.introspections,
        )

    def below(self, field: FieldNode) -> "Measure":
        """Of `field` that selects this."""
        hidden = field.name.value in INTROSPECTION
        return Measure(
            self.fields + 1,
            self.aliases + (field.alias is not None),
            self.spreads,
            0 if hidden else self.depth + 1,
            max(self.introspection, self.depth) + 1 if hidden else self.introspection,
            self.introspections + hidden,
        )


class _Measuring:
    """Measures each fragment once, whoever spreads it and however often."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._known: dict[str, Measure] = {}
        self.spread: set[str] = set()
        self._under_way: set[str] = set()
        self._nested = 0

    def of(self, selected: SelectionSetNode | None) -> Measure:
        if not selected:
            return Measure()
        self._nested += 1
        _bound("selection sets within each other", "层嵌套", self._nested, MOST_NESTED)
        found = Measure()
        for node in selected.selections:
            if isinstance(node, FieldNode):
                signs = len(node.alias.value) if node.alias else 0
                _bound("signs in an alias", "个字符的别名", signs, LONGEST_ALIAS)
                found = found.beside(self.of(node.selection_set).below(node))
            elif isinstance(node, InlineFragmentNode):
                found = found.beside(self.of(node.selection_set))
            elif isinstance(node, FragmentSpreadNode):
                found = found.beside(Measure(spreads=1)).beside(self._fragment(node))
        self._nested -= 1
        return found

    def _fragment(self, spread: FragmentSpreadNode) -> Measure:
        name = spread.name.value
        self.spread.add(name)
        if name in self._under_way:
            raise SpreadsItself(name=name)
        if name not in self._known:
            fragment = self._fragments.get(name)  # one that is not there is validation's to name
            self._under_way.add(name)
            self._known[name] = self.of(fragment.selection_set) if fragment else Measure()
            self._under_way.discard(name)
        return self._known[name]


def operations_in(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def check_text(text: str) -> None:
    """Raises TooLarge."""
    if len(text) > LONGEST or len(text.encode(errors="surrogatepass")) > LONGEST:
        raise TooLarge(what="bytes or more", what_zh="的字节", found=len(text), most=LONGEST)


def check_document(document: DocumentNode) -> list[FragmentDefinitionNode]:
    """Raises TooLarge where a part of the document, or all that its fragments make of it, is. Returns the
    fragments to which nothing leads: validation walks them, too.
    """
    operations, known = operations_in(document), fragments_in(document)
    fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    _bound("operations", "操作", len(operations), MOST_OPERATIONS)
    _bound("fragments", "片段", len(fragments), MOST_FRAGMENTS)
    for operation in operations:
        _bound("variables", "变量", len(operation.variable_definitions or ()), MOST_VARIABLES)
    measuring = _Measuring(known)
    found = [(node, _checked(node, measuring)) for node in (*operations, *fragments)]
    led_to = {id(known[name]) for name in measuring.spread if name in known}
    roots = [(node, size) for node, size in found if id(node) not in led_to]
    _bound("fields in all", "字段（合计）", sum(size.fields for _, size in roots), MOST_FIELDS_IN_ALL)
    return [node for node, _ in roots if isinstance(node, FragmentDefinitionNode)]


def _checked(node: ExecutableDefinitionNode, measuring: _Measuring) -> Measure:
    found = measuring.of(node.selection_set)
    _bound("fields", "字段", found.fields, MOST_FIELDS)
    _bound("aliases", "别名", found.aliases, MOST_ALIASES)
    _bound("fragment spreads", "片段引用", found.spreads, MOST_SPREADS)
    _bound("levels", "层", found.depth, DEEPEST)
    _bound("introspections", "次结构查询", found.introspections, MOST_INTROSPECTIONS)
    _bound("levels of introspection", "层结构查询", found.introspection, DEEPEST_INTROSPECTION)
    return found


def _bound(what: str, what_zh: str, found: int, most: int) -> None:
    if found > most:
        raise TooLarge(what=what, what_zh=what_zh, found=found, most=most)


class Pairs:
    """Counts, place by place, how many pairs of fields validation would compare. Raises TooLarge."""

    def __init__(self) -> None:
        self.found = 0

    def add(self, names: Iterable[str]) -> None:
        """The response names of one place, as often as they stand there."""
        self.found += sum(count * (count - 1) // 2 for count in Counter(names).values())
        _bound("pairs of fields with one response name in one place", "对同名字段", self.found, MOST_PAIRS)
