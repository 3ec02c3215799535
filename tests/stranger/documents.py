"""Documents at random, out of the printed schema: good ones, nearly good ones, and ones that mean to hurt.

The same chance writes the same documents, so that whatever was found is found again by its seed.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

Composite = GraphQLObjectType | GraphQLInterfaceType


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks. `shape`: in which of our ways it was made."""

    shape: str
    query: str
    variables: Any = None
    operation: str | None = None

    @property
    def payload(self) -> dict[str, Any]:
        given = {"query": self.query, "variables": self.variables, "operationName": self.operation}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Words:
    """What a stranger has heard of: `ids` by type, and what else may stand for a string."""

    ids: Mapping[str, Sequence[str]]
    texts: Sequence[str]


@dataclass(slots=True)
class Node:
    """A field with what is selected below it; or `... on Type`, which has `fragment` set."""

    name: str
    kind: Composite | None = None
    alias: str | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    directives: str = ""
    below: list["Node"] = field(default_factory=list)
    fragment: bool = False

    def __str__(self) -> str:
        given = ", ".join(f"{name}: {value}" for name, value in self.arguments.items())
        head = f"... on {self.name}" if self.fragment else self.name
        alias = f"{self.alias}: " if self.alias else ""
        selected = f" {braced(self.below)}" if self.below else ""
        return f"{alias}{head}{f'({given})' if given else ''}{self.directives}{selected}"

    def nodes(self) -> Iterator["Node"]:
        yield self
        for node in self.below:
            yield from node.nodes()

    def copy(self) -> "Node":
        below = [node.copy() for node in self.below]
        return Node(
            self.name, self.kind, self.alias, dict(self.arguments), self.directives, below, self.fragment
        )


def braced(selected: Sequence[Node | str]) -> str:
    return "{" + " ".join(map(str, selected)) + "}"


class EnumName(str):
    """Printed without quotes in a document, with them in JSON."""

    __slots__ = ()


SAMPLES: Mapping[str, tuple[Sequence[Any], Sequence[Any]]] = {
    "Int": ((1, 2, 20, 100), (0, 101, 1000, -1, 2**31 - 1)),
    "Float": ((0.5,), (-1.0, 1e300)),
    "Boolean": ((True, False), (True,)),
    "Date": (("2026-05-01",), ("2026-02-30", "0001-01-01", "9999-12-31", "明天")),
    "DateTime": (
        ("2027-05-01T10:00:00Z", "2027-05-02T10:00:00.123+08:00"),
        ("2027-05-01T10:00:00.123456789Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "now"),
    ),
    "Decimal": (("12.50", "0.01"), ("0.00", "-1.00", "9999999999999.99", "1e9", "1", "12.345")),
}
"""Of a scalar what is mostly taken, and what is of the right kind, and yet."""

WRONG: Sequence[Any] = (
    None, True, -1, 0, 2**31, 2**63, 2**64, 10**40, 1e308, "", "0", "x" * 200, [], [[]], [[[1]]], {},
    {"a": {"b": []}}, EnumName("FOR"), EnumName("NOBODY"), "\u202e", "\u200b", "\x00", "🧑‍🧑‍🧒", "\ufdd0",
)  # fmt: skip
ODD = (
    "\ufeff", "\u2028", "\u202e", "\u200d", "\x00", "\x7f", "\xa0", "🀄", "𐀀", "é", "e\u0301", "\ud800",
    "\\u{1F600}", "\\ud83d", '"', '"""', "#", "{", "}", "...", "$", "@", "&", "|", "!", ":", "=", "(", ")",
    "[", "]", "-0", "00", "1e", "0x1", "\r", "\n", ",",
)  # fmt: skip
STRINGS = (
    "", " ", "一句话", "é", "🧑\u200d🧑\u200d🧒", "\u202e倒", "\u200b", "\x00", "\ufdd0", "\ud800", "a\tb",
    "a\nb", "%", "'; --", "_" * 65, "x" * 200, "字" * 3000, "-", "==", "AAAA",
)  # fmt: skip
ALIASES = ("a", "b", "c", "__d", "__typename", "id", "edges", "long" * 30)


def literal(value: Any) -> str:
    """As a document writes it."""
    if isinstance(value, EnumName):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


Shape = Callable[["Writer"], Request]
SHAPES: dict[str, tuple[Shape, int]] = {}
"""The ways to make a request by name, each with how often it is taken."""


def shape(weight: int) -> Callable[[Shape], Shape]:
    def keep(make: Shape) -> Shape:
        SHAPES[make.__name__] = make, weight
        return make

    return keep


class Writer:
    """Writes requests by chance. `careful`: no wrong kinds, so that what it writes is mostly valid."""

    def __init__(
        self, schema: GraphQLSchema, chance: random.Random, words: Words, *, careful: bool | None = None
    ) -> None:
        self.schema, self.chance, self._words = schema, chance, words
        self.careful = chance.random() < 0.6 if careful is None else careful
        self._declared: dict[str, tuple[str, Any, Any]] = {}
        self._generosity = 0.4  # how often an argument is given that may be left out

    def request(self) -> Request:
        names = list(SHAPES)
        (name,) = self.chance.choices(names, [weight for _, weight in SHAPES.values()])
        return self.shaped(name)

    def shaped(self, name: str) -> Request:
        self._declared = {}
        self._generosity = self.chance.choice((0.2, 0.4, 0.9))
        return SHAPES[name][0](self)

    # Selections

    def root(self, operation: str = "query") -> Composite:
        found = {
            "query": self.schema.query_type,
            "mutation": self.schema.mutation_type,
            "subscription": self.schema.subscription_type,
        }[operation]
        assert found
        return found

    def selection(self, kind: Composite, depth: int, width: int) -> list[Node]:
        """At most `width` fields of it, going down where `depth` allows; never empty."""
        names = [
            name for name, definition in kind.fields.items() if depth > 1 or self._is_leaf(definition)
        ] or ["__typename"]
        picked = self.chance.sample(names, min(len(names), self.chance.randint(1, width)))
        deeper = [name for name in names if not self._is_leaf(kind.fields.get(name))]
        if depth > 1 and deeper and not set(picked) & set(deeper):
            picked.append(self.chance.choice(deeper))
        nodes = [self.field(kind, name, depth, width) for name in picked]
        if isinstance(kind, GraphQLInterfaceType) and depth > 1:
            nodes += [
                Node(each.name, each, below=self.selection(each, depth, width), fragment=True)
                for each in self.chance.sample(self.schema.get_possible_types(kind), 2)
            ]
        if self.chance.random() < 0.05:
            nodes.append(Node("__typename"))
        return nodes

    def _is_leaf(self, definition: GraphQLField | None) -> bool:
        return definition is None or is_leaf_type(get_named_type(definition.type))

    def field(self, kind: Composite, name: str, depth: int = 1, width: int = 3) -> Node:
        definition = kind.fields.get(name)
        node = Node(name)
        if definition is None:
            return node
        node.arguments = self.arguments(name, definition.args)
        below = get_named_type(definition.type)
        if isinstance(below, Composite):
            node.kind, node.below = below, self.selection(below, depth - 1, width)
        if self.chance.random() < 0.1:
            node.alias = self.chance.choice(ALIASES)
        if self.chance.random() < 0.05:
            node.directives = self.directive()
        return node

    def directive(self) -> str:
        condition = self.chance.choice(("true", "false", "$"))
        if condition == "$":
            condition = self._variable("Boolean!", True, self.chance.random() < 0.5)
        wrong = ("@nobody", "@skip", "@include(if: 1)", "@deprecated", "@skip(if: true) @skip(if: false)")
        if not self.careful and self.chance.random() < 0.2:
            return " " + self.chance.choice(wrong)
        return f" @{self.chance.choice(('include', 'skip'))}(if: {condition})"

    # Values

    def arguments(self, of: str, given: Mapping[str, GraphQLArgument]) -> dict[str, str]:
        found = {}
        for name, argument in given.items():
            if is_required_argument(argument) or self.chance.random() < self._generosity:
                if not self.careful and self.chance.random() < 0.02:
                    continue
                value = self.value(argument.type, f"{of} {name}")
                if self.chance.random() < 0.25:
                    found[name] = self._variable(str(argument.type), value, value)
                else:
                    found[name] = literal(value)
        if not self.careful and self.chance.random() < 0.02:
            found["nobody"] = literal(self.chance.choice(WRONG))
        return found

    def value(self, kind: GraphQLInputType, hint: str, depth: int = 0) -> Any:
        """Of this type, mostly; `hint` says what it is for."""
        if not self.careful and self.chance.random() < 0.06:
            return self.chance.choice(WRONG)
        inner = get_nullable_type(kind)
        if inner is kind and self.chance.random() < 0.1:
            return None
        if is_list_type(inner):
            size = self.chance.choice((0, 1, 1, 2, 3, 12))
            return [self.value(inner.of_type, hint, depth + 1) for _ in range(size)]
        if isinstance(inner, GraphQLEnumType):
            return EnumName(self.chance.choice(list(inner.values)))
        if isinstance(inner, GraphQLInputObjectType):
            return {
                name: self.value(each.type, name, depth + 1)
                for name, each in inner.fields.items()
                if is_required_input_field(each) or self.chance.random() < 0.5
            }
        return self._scalar(get_named_type(kind).name, hint)

    def _scalar(self, name: str, hint: str) -> Any:
        if name == "ID":
            return self._id(hint.lower())
        usual, odd = SAMPLES.get(name, (self._words.texts, STRINGS))
        return self.chance.choice(odd if self.chance.random() < (0.1 if self.careful else 0.3) else usual)

    def _id(self, hint: str) -> str:
        """Of the type that the field or argument speaks of, mostly."""
        fitting = [kind for kind in self._words.ids if kind.lower() in hint]
        if not fitting or self.chance.random() < 0.15:
            fitting = list(self._words.ids)
        found = self.chance.choice(self._words.ids[self.chance.choice(fitting)])
        if not self.careful and self.chance.random() < 0.05:
            return self.chance.choice(
                (found[:-1], found + "=", found.lower(), "", "Vm90ZTox", "\u200b" + found)
            )
        return found

    def _variable(self, kind: str, default: Any, value: Any) -> str:
        name = f"v{len(self._declared)}"
        self._declared[name] = kind, default, value
        return f"${name}"

    def head(self, operation: str, name: str = "") -> str:
        """Of an operation that declares what was used so far."""
        declared = ", ".join(
            f"${each}: {kind}" + (f" = {literal(default)}" if self.chance.random() < 0.3 else "")
            for each, (kind, default, _) in self._declared.items()
        )
        return f"{operation} {name}{f'({declared})' if declared else ''} "

    @property
    def variables(self) -> dict[str, Any] | None:
        """What goes along, as far as it is not forgotten."""
        forget = 0 if self.careful else 0.1
        given = {
            name: value for name, (_, _, value) in self._declared.items() if self.chance.random() >= forget
        }
        return given or None

    def operation(self, kind: str, depth: int, width: int, name: str = "") -> str:
        selected = self.selection(self.root(kind), depth, width)
        return self.head(kind, name) + braced(selected)

    def composite(self) -> Composite:
        kinds = [each for each in self.schema.type_map.values() if isinstance(each, Composite)]
        return self.chance.choice([each for each in kinds if not each.name.startswith("__")])

    def leaves(self, kind: Composite) -> list[Node]:
        return [self.field(kind, name) for name, each in kind.fields.items() if self._is_leaf(each)] or [
            Node("__typename")
        ]

    @property
    def node(self) -> GraphQLInterfaceType:
        found = self.schema.type_map["Node"]
        assert isinstance(found, GraphQLInterfaceType)
        return found

    def paths(self) -> dict[str, list[list[tuple[Composite, str]]]]:
        """The shortest ways to each type, from the root or from anything with an id, as (type, field)s."""
        found: dict[str, list[list[tuple[Composite, str]]]] = {}
        nodes = self.schema.get_possible_types(self.node)
        edge: list[tuple[Composite, list[tuple[Composite, str]]]] = [
            (each, []) for each in (self.root(), *nodes)
        ]
        for _ in range(6):
            further = []
            for kind, way in edge:
                for name, definition in kind.fields.items():
                    below = get_named_type(definition.type)
                    known = below.name in found and len(found[below.name][0]) < len(way) + 1
                    if isinstance(below, Composite) and not below.name.startswith("__") and not known:
                        found.setdefault(below.name, []).append([*way, (kind, name)])
                        further.append((below, [*way, (kind, name)]))
            edge = further
        return found

    def connections(self, kind: Composite) -> list[str]:
        return [name for name, definition in kind.fields.items() if "first" in definition.args]

    def paged(self, kind: Composite, depth: int, size: str) -> list[Node]:
        """Lists in lists, each with pages of this size, and some of what their items have."""
        lists = self.connections(kind)
        if not lists or not depth:
            return self.leaves(kind)
        picked = self.chance.sample(lists, min(len(lists), self.chance.choice((1, 1, 2, 5))))
        return [self._page(kind, name, depth, size) for name in picked]

    def _page(self, kind: Composite, name: str, depth: int, size: str) -> Node:
        below = get_named_type(kind.fields[name].type)
        node = Node(name, arguments={"first": size})
        if not isinstance(below, Composite):
            return node
        node.kind = below
        if "edges" not in below.fields:
            node.below = self.selection(below, 2, 4)
            return node
        edge = get_named_type(below.fields["edges"].type)
        assert isinstance(edge, Composite)
        item = get_named_type(edge.fields["node"].type)
        assert isinstance(item, Composite)
        found = [*self.paged(item, depth - 1, size), *self.selection(item, self.chance.randint(1, 3), 3)]
        node.below = [Node("edges", edge, below=[Node("node", item, below=found)])]
        return node


# The ways to make one


@shape(20)
def plain(writer: Writer) -> Request:
    chance = writer.chance
    text = writer.operation("query", chance.randint(1, 9), chance.randint(1, 4))
    return Request("plain", text, writer.variables)


@shape(16)
def path(writer: Writer) -> Request:
    """Down to one type, however rarely chance would come by, and all that is plain there."""
    paths = writer.paths()
    target = writer.chance.choice(sorted(paths))
    kind: Any = writer.schema.type_map[target]
    below = writer.selection(kind, 2, 20) if writer.chance.random() < 0.5 else writer.leaves(kind)
    for parent, name in reversed(writer.chance.choice(paths[target])):
        node = writer.field(parent, name, 1, 1)
        node.below = below
        implied = parent.name in {each.name for each in writer.schema.get_possible_types(writer.node)}
        below = [Node(parent.name, parent, below=[node], fragment=True)] if implied else [node]
    if below[0].fragment:
        below = [Node("node", arguments={"id": literal(writer._id(below[0].name.lower()))}, below=below)]
    return Request("path", writer.head("query") + braced(below), writer.variables)


@shape(12)
def mutation(writer: Writer) -> Request:
    """One action, or a few of them in one document."""
    kind = writer.root("mutation")
    picked = [writer.chance.choice(list(kind.fields)) for _ in range(writer.chance.choice((1, 1, 1, 2, 5)))]
    nodes = [writer.field(kind, name, writer.chance.randint(2, 4), 3) for name in picked]
    for number, node in enumerate(nodes):
        node.alias = f"m{number}"
    return Request("mutation", writer.head("mutation") + braced(nodes), writer.variables)


@shape(6)
def subscription(writer: Writer) -> Request:
    kind = writer.root("subscription")
    picked = writer.chance.sample(
        list(kind.fields), 1 if writer.careful else writer.chance.choice((1, 1, 1, 2))
    )
    nodes = [writer.field(kind, name, writer.chance.randint(2, 6), 3) for name in picked]
    return Request("subscription", writer.head("subscription", "S") + braced(nodes), writer.variables)


@shape(8)
def aliases(writer: Writer) -> Request:
    """One field under many names, somewhere down."""
    chance, kind = writer.chance, writer.root()
    top = here = Node("query", kind)
    for _ in range(chance.randint(0, 5)):
        deeper = [name for name, each in kind.fields.items() if not is_leaf_type(get_named_type(each.type))]
        if not deeper:
            break
        node = writer.field(kind, chance.choice(deeper), 2, 2)
        here.below = [node]
        assert node.kind
        here, kind = node, node.kind
    one = writer.field(kind, chance.choice(list(kind.fields)), chance.randint(1, 4), 3)
    here.below = [one.copy() for _ in range(chance.choice((2, 5, 20, 29, 31, 60, 400)))]
    for number, each in enumerate(here.below):
        each.alias = f"t{number}"
    return Request("aliases", writer.head("query") + braced(top.below), writer.variables)


@shape(4)
def repeated(writer: Writer) -> Request:
    """One response name many times in one place, which validation compares pair by pair."""
    kind = writer.root()
    name = writer.chance.choice(list(kind.fields))
    times = writer.chance.choice((10, 50, 76, 79, 200, 700))
    alike = writer.chance.random() < 0.5
    nodes = [writer.field(kind, name, 2, 2) for _ in range(1 if alike else times)]
    nodes = [nodes[0].copy() for _ in range(times)] if alike else nodes
    for node in nodes:
        node.alias = "same"
    return Request("repeated", writer.head("query") + braced(nodes), writer.variables)


def _spreading(edges: Mapping[int, Sequence[int]], kind: Composite, leaf: str, writer: Writer) -> Request:
    """Fragments that spread each other along `edges`; those without any select a leaf."""
    fragments = [
        f"fragment F{number} on {kind.name} " + braced([f"...F{other}" for other in others] or [leaf])
        for number, others in edges.items()
    ]
    writer.chance.shuffle(fragments)
    start = braced(["...F0"])
    if kind is not writer.root():
        start = braced([Node("node", arguments={"id": literal(writer._id(kind.name.lower()))}, below=[])])
        start = start.rstrip("}") + " {... on " + kind.name + " {...F0}}}"
    return Request("fragments", start + " " + " ".join(fragments), None)


@shape(10)
def fragments(writer: Writer) -> Request:
    """Chains that double, meshes, circles, stars: few fragments with very many paths through them."""
    chance = writer.chance
    kind: Composite = chance.choice([writer.root(), *writer.schema.get_possible_types(writer.node)])
    size = chance.choice((2, 4, 8, 16, 30, 90, 140))
    way = chance.choice(("chain", "mesh", "later", "circle", "star", "random"))
    each_of = range(size)
    edges: dict[int, list[int]] = {
        "chain": {n: [n + 1] * chance.choice((1, 2, 3)) if n + 1 < size else [] for n in each_of},
        "mesh": {n: [other for other in each_of if other != n] for n in each_of},
        "later": {n: list(range(n + 1, size)) for n in each_of},
        "circle": {n: [(n + 1) % size] for n in each_of},
        "star": {n: [1] * (size * 4) if n == 0 else [] for n in each_of},
        "random": {n: [chance.randrange(size) for _ in range(chance.randint(0, 3))] for n in each_of},
    }[way]
    leaf = "__typename" if kind is writer.root() else chance.choice(("id", "__typename"))
    return _spreading(edges, kind, leaf, writer)


@shape(5)
def named_fragments(writer: Writer) -> Request:
    """A good document whose parts are in fragments, also one that nobody spreads or that is not there."""
    chance = writer.chance
    kinds = [writer.composite() for _ in range(chance.randint(1, 5))]
    parts = [
        f"fragment P{number} on {kind.name} " + braced(writer.selection(kind, chance.randint(1, 4), 3))
        for number, kind in enumerate(kinds)
    ]
    tree = writer.selection(writer.root(), 6, 3)
    places = [node for top in tree for node in top.nodes() if node.kind]
    for number, kind in enumerate(kinds):
        for place in places:
            if place.kind is kind or chance.random() < 0.05:
                place.below.append(Node(f"...P{number}"))
    text = writer.head("query") + braced(tree) + " " + " ".join(parts)
    return Request("named_fragments", text, writer.variables)


@shape(3)
def nested(writer: Writer) -> Request:
    """Brackets within brackets: selections, lists, objects, types of variables."""
    depth = writer.chance.choice((5, 14, 40, 63, 65, 200, 1000, 3000))
    text = {
        "inline": "{" + "...{" * depth + "__typename" + "}" * depth + "}",
        "list": "{community(slug: " + "[" * depth + "]" * depth + "){id}}",
        "object": "{community(slug: " + "{a: " * depth + "1" + "}" * depth + "){id}}",
        "type": "query($a: " + "[" * depth + "Int" + "]" * depth + "){errorCodes}",
        "unclosed": "{a" * depth,
    }[writer.chance.choice(("inline", "list", "object", "type", "unclosed"))]
    return Request("nested", text, None)


@shape(8)
def pages(writer: Writer) -> Request:
    """Lists in lists in lists, with pages as large as they may be, or as a variable says."""
    chance = writer.chance
    size = chance.choice(("1", "7", "20", "100", "101", "1000000", "$n"))
    if size == "$n":
        writer._declared["n"] = "Int", 100, chance.choice((1, 20, 100, 10**9, None, "100", -1))
    selected = writer.paged(writer.root(), chance.randint(1, 4), size)
    return Request("pages", writer.head("query") + braced(selected), writer.variables)


@shape(4)
def introspection(writer: Writer) -> Request:
    chance = writer.chance
    whole = get_introspection_query(descriptions=chance.random() < 0.5)
    deep = "fields{type{" * chance.choice((1, 3, 6)) + "name"
    deep += "}" * deep.count("{")
    types = " ".join(f"a{n}: __schema {{types{{{deep}}}}}" for n in range(chance.choice((1, 5, 30))))
    of_type = "ofType{" * 30
    text = chance.choice(
        (
            whole,
            "{" + types + "}",
            '{__type(name: "Vote"){' + of_type + "name" + "}" * 30 + "}}",
            "{__schema{types{" + " ".join(f"x{n}: possibleTypes{{name}}" for n in range(25)) + "}}}",
            "{__typename " * 3 + "}" * 3,
        )
    )
    return Request("introspection", text, None)


@shape(3)
def operations(writer: Writer) -> Request:
    """Several in one document, one of which is meant, or none that is there."""
    count = writer.chance.choice((2, 3, 19, 21, 60))
    names = [writer.chance.choice((f"O{number}", "O1", "")) for number in range(count)]
    kinds = [writer.chance.choice(("query", "query", "mutation", "subscription")) for _ in names]
    text = " ".join(writer.operation(kind, 2, 2, name) for kind, name in zip(kinds, names, strict=True))
    return Request("operations", text, writer.variables, writer.chance.choice(("O0", "O1", "O9", "", None)))


@shape(3)
def directives(writer: Writer) -> Request:
    times = writer.chance.choice((1, 10, 100, 900))
    one = writer.directive()
    tree = writer.selection(writer.root(), 3, 3)
    tree[0].directives = one * times
    return Request("directives", writer.head("query") + braced(tree), writer.variables)


@shape(4)
def variables(writer: Writer) -> Request:
    """Many of them, of types that there are and that there are not, with what does not fit."""
    chance = writer.chance
    kinds = ["Int", "[Int!]!", "ID!", "String", "[[Boolean]]", "AnswerInput", "EventInput", "Nobody", "Vote"]
    count = chance.choice((1, 10, 99, 101, 500))
    declared = " ".join(
        f"$x{n}: {chance.choice(kinds)} = {literal(chance.choice(WRONG))}" for n in range(count)
    )
    given: dict[str, Any] = {f"x{n}": chance.choice(WRONG) for n in range(min(count, 20))}
    deep: Any = 1
    for _ in range(chance.choice((0, 10, 200))):
        deep = [deep]
    given["x0"] = chance.choice((deep, [1] * 7000, {"a" * 1000: 1}, "9" * 5000, 10**30))
    used = " ".join(f"b{n}: community(slug: $x{n}) {{id}}" for n in range(min(count, 12)))
    return Request("variables", f"query({declared}) {{errorCodes {used}}}", given)


@shape(3)
def answers(writer: Writer) -> Request:
    """Lists and objects far longer than anybody needs, in an action."""
    chance = writer.chance
    size = chance.choice((50, 500, 7000))
    kind = writer.root("mutation")
    name = chance.choice(
        [n for n, each in kind.fields.items() if any("Input" in str(a.type) for a in each.args.values())]
    )
    definition = kind.fields[name]
    given: dict[str, Any] = {}
    for argument, each in definition.args.items():
        value = writer.value(each.type, f"{name} {argument}")
        if isinstance(value, list):  # and yet never more than a body may have
            value = (value or [{}]) * min(size, 250_000 // len(json.dumps(value)) + 1)
        given[argument] = value
    declared = ", ".join(f"${argument}: {each.type}" for argument, each in definition.args.items())
    used = ", ".join(f"{argument}: ${argument}" for argument in definition.args)
    return Request("answers", f"mutation({declared}) {{{name}({used}) {{id}}}}", given)


@shape(4)
def long_tokens(writer: Writer) -> Request:
    chance = writer.chance
    size = chance.choice((300, 4301, 20_000, 40_000))
    text = {
        "int": "{communities(first: " + "9" * size + "){edges{cursor}}}",
        "float": "{communities(first: 1." + "9" * size + "e9){edges{cursor}}}",
        "name": "{" + "n" * size + "}",
        "alias": "{" + "n" * size + ": errorCodes}",
        "string": '{community(slug: "' + "字" * (size // 3) + '"){id}}',
        "block": '{community(slug: """' + " \n" * (size // 2) + '"""){id}}',
        "escapes": '{community(slug: "' + "\\u0041" * (size // 6) + '"){id}}',
        "variable": "query($" + "v" * size + ": Int){errorCodes}",
        "spaces": "{errorCodes" + " ,\t" * (size // 3) + "}",
    }[chance.choice(("int", "float", "name", "alias", "string", "block", "escapes", "variable", "spaces"))]
    return Request("long_tokens", text, None)


@shape(4)
def comments(writer: Writer) -> Request:
    """Each different, so that whoever keeps texts keeps all of them."""
    size = writer.chance.choice((10, 1000, 30_000, 200_000))
    words = (f"{writer.chance.getrandbits(64):x}" for _ in range(size // 16 + 1))
    joint = writer.chance.choice(("", "\n#", "#"))
    return Request("comments", "{errorCodes} #" + joint.join(words)[:size], None)


@shape(10)
def damaged(writer: Writer) -> Request:
    """A good document with something cut out, doubled, moved, or put in."""
    chance = writer.chance
    request = writer.shaped(chance.choice([name for name in SHAPES if name != "damaged"]))
    text = request.query[:60_000]
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((1, 3, 20, 200)))
        piece = text[start:end]
        put_in = chance.choice(("", piece * 2, piece[::-1], chance.choice(ODD), piece.swapcase()))
        text = text[:start] + put_in + text[end:]
    return Request("damaged", text, request.variables, request.operation)


@shape(4)
def noise(writer: Writer) -> Request:
    chance = writer.chance
    size = chance.choice((0, 1, 5, 100, 2000))
    text = "".join(
        chance.choice(
            (chance.choice(ODD), chr(chance.randrange(0x20, 0x7F)), chr(chance.randrange(0x3000, 0xD000)))
        )
        for _ in range(size)
    )
    return Request("noise", text, None)


def printed_schema(text: str) -> GraphQLSchema:
    return build_schema(text)
