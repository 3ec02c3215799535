"""What stands in the text of a function, and what is not compiled."""

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLSchema,
    NameNode,
    Visitor,
    build_schema,
    get_nullable_type,
    visit,
)
from graphql.execution.collect_fields import FieldDetails

from compiled import IGNORES_INFO, LOADED, PLAIN, Plain, plain_attribute, selections
from compiled.classes import OrdinaryClasses
from compiled.compiler import Compiler
from compiled.selections import NotCompiled, TooLarge, TooMuch
from compiled.wishes import Gatherer
from realtime.syntax import parse
from schema.schema import graphql_schema
from tests.compiled.both import Core, same
from tests.compiled.mutants import MUTANTS

DOCS = Path(__file__).parents[2] / "docs" / "compiled.md"
SCHEMA = build_schema("""
    type Query { t: T  ts: [T!] n: N }
    interface N { s: String }
    type T implements N {
        s: String  i: Int!  id: ID  e: E  t: T  ts: [[T]!]!  n: N  args(a: Int): Int  own: Int
    }
    enum E { A B }
""")


def compiler_of(text: str, most: int = 1_000, schema: GraphQLSchema = SCHEMA) -> tuple[Compiler, Any, Any]:
    """A compiler, and the type and the nodes of the first field."""
    executor = Core.build(schema, parse(text))
    assert isinstance(executor, Core)
    assert schema.query_type
    collected = executor.collect_subfields(schema.query_type, [details_of(executor)])
    fields = next(iter(collected.grouped_field_set.values()))
    kind: Any = get_nullable_type(schema.query_type.fields[fields[0].node.name.value].type)
    return Compiler(executor, OrdinaryClasses(), most), kind, fields


def details_of(executor: Core) -> Any:
    return FieldDetails(
        FieldNode(name=NameNode(value="q"), selection_set=executor.operation.selection_set), None
    )


def source(text: str, schema: GraphQLSchema = SCHEMA) -> str:
    compiler, kind, fields = compiler_of(text, schema=schema)
    compiler.compile(kind, fields)
    return compiler._program.source


def test_a_value_of_each_kind_takes_few_lines() -> None:
    assert source("{t{s i id e own}}").splitlines() == [
        "def run(v, info):",
        " x1 = k0(v)",
        " if x1 is not None and (type(x1) is not str): x1 = k1(x1)",
        " x2 = k2(v)",
        " if type(x2) is not int or not -2147483648 <= x2 <= 2147483647: x2 = k3(x2)",
        " x3 = k4(v)",
        " if x3 is not None and (type(x3) is not str): x3 = k5(x3)",
        " x4 = k6(v)",
        " if x4 is not None: x4 = k7(id(x4)) or k8(x4)",
        " x5 = k9(v)",
        " if x5 is not None and (type(x5) is not int or not -2147483648 <= x5 <= 2147483647): x5 = k10(x5)",
        " x6 = {'s': x1, 'i': x2, 'id': x3, 'e': x4, 'own': x5}",
        " return x6",
    ]


def test_a_path_of_attributes_stands_in_the_text() -> None:
    schema = build_schema("type Query { t: T } type T { i: Int! }")
    field = schema.type_map["T"].fields["i"]  # type: ignore[attr-defined]
    field.extensions[PLAIN] = Plain(None, lambda _: 1, ("row", "number"))
    assert " x1 = v.row.number" in source("{t{i}}", schema).splitlines()


HOSTILE = ("'", "a'b", "__import__('os')", "x\nimport os", "é", "", "a b", "1a", "k1);(", "\\", "s': v, 'x")


@pytest.mark.parametrize("alias", HOSTILE)
async def test_no_text_of_a_client_is_in_a_program_but_names(alias: str) -> None:
    """A parser lets none of these pass; a document may also be made without one."""
    document = visit(parse("{ts{x: s i}}"), Renaming(alias))
    root = {"ts": [{"s": "a", "i": 1}]}
    assert (await same(SCHEMA, document, root)).data == {"ts": [{alias: "a", "i": 1}]}


class Renaming(Visitor):
    """Gives fields that have an alias another one."""

    def __init__(self, alias: str) -> None:
        super().__init__()
        self._alias = alias

    def enter_field(self, node: FieldNode, *_: object) -> FieldNode | None:
        if node.alias is None or node.alias.value == self._alias:
            return None
        return replace(node, alias=NameNode(value=self._alias))


@pytest.mark.parametrize(
    "alias",
    ["k0", "v", "info", "x1", "type", "Surprise", "None", "lambda", "__class__", "run", "__builtins__"],
)
async def test_names_of_the_program_may_be_aliases(alias: str) -> None:
    root = {"ts": [{"s": "a", "i": 1, "t": {"s": "b", "i": 2}}]}
    await same(SCHEMA, parse(f"{{ts{{{alias}: s i t{{{alias}: i}}}}}}"), root)


def test_texts_have_only_strings_of_response_names_and_types() -> None:
    text = source("{ts{al: s __typename t{i} n{s ...on T{other: i}}}}")
    strings = {
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert strings == {"al", "__typename", "t", "i", "n", "s", "other", "T"}


@pytest.mark.parametrize(
    "text",
    ["{t{args}}", "{t{args(a: 1)}}", "{ts{s args}}", "{ts{t{n{s ...on T{args}}}}}", "{t{t{args}}}"],
)
def test_what_takes_arguments_is_not_compiled(text: str) -> None:
    compiler, kind, fields = compiler_of(text)
    with pytest.raises(NotCompiled):
        compiler.compile(kind, fields)


def test_of_the_outermost_object_it_is_left_over() -> None:
    compiler, kind, fields = compiler_of("{t{s t{args} x: args(a: 1) i n{...on T{args}}}}")
    run, wishes, rest, _ = compiler.compile(kind, fields)
    assert wishes == ()
    assert list(rest) == ["t", "x", "n"]
    assert run({"s": "a", "i": 1}, None) == {"s": "a", "t": None, "x": None, "i": 1, "n": None}


def test_a_field_with_a_resolver_is_compiled_if_it_is_marked() -> None:
    schema = build_schema("type Query { t: T } type T { a: Int b: Int }")
    a, b = (schema.type_map["T"].fields[name] for name in "ab")  # type: ignore[attr-defined]
    a.resolve = b.resolve = lambda *_: 1
    a.extensions[PLAIN] = plain_attribute(a.resolve, "a")
    compiler, kind, fields = compiler_of("{t{a b}}", schema=schema)
    assert list(compiler.compile(kind, fields).rest) == ["b"]


def test_types_are_told_apart_inside_only_where_info_is_not_looked_at() -> None:
    schema = build_schema(
        "type Query { t: T } interface N { s: Int } type T implements N { s: Int n: N t: T }"
    )
    named, thing = schema.type_map["N"], schema.type_map["T"]
    named.resolve_type = lambda *_: "T"  # type: ignore[attr-defined]
    for extensions, rest in (({}, ["n"]), ({IGNORES_INFO: True}, [])):
        named.extensions = extensions
        compiler, kind, fields = compiler_of("{t{s n{s}}}", schema=schema)
        assert list(compiler.compile(kind, fields).rest) == rest
    thing.is_type_of = lambda *_: True  # type: ignore[attr-defined]
    for extensions, rest in (({}, ["t", "n"]), ({IGNORES_INFO: True}, [])):
        thing.extensions = extensions
        compiler, kind, fields = compiler_of("{t{s t{s} n{s}}}", schema=schema)
        assert list(compiler.compile(kind, fields).rest) == rest


def nested(depth: int) -> str:
    return "{t" * depth + "{s}" + "}" * depth


async def test_however_deep_it_is_executed() -> None:
    root: Any = {"s": "x", "ts": [[]]}
    for _ in range(60):
        root = (
            {"t": root, "s": "y", "ts": [[root, None], [root]]}
            if not root.get("t")
            else {"t": root, "s": "y"}
        )
    await same(SCHEMA, parse(nested(55)), root)
    await same(SCHEMA, parse("{t{ts" * 1 + "{ts{ts{ts{ts{ts{s}}}}}" + "}}}"), root)


def test_only_so_many_fields_are_looked_at() -> None:
    text = "{ts{s t{s i} i}}"
    compiler, kind, fields = compiler_of(text, most=3)
    with pytest.raises(TooMuch):
        compiler.compile(kind, fields)
    assert compiler.taken == 3
    compiler, kind, fields = compiler_of(text, most=50)
    compiler.compile(kind, fields)
    assert compiler.taken == 4 + 3 + 4


def test_a_selection_that_is_too_large_is_never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selections, "MOST_FIELDS", 5)
    compiler, kind, fields = compiler_of("{ts{s t{s i} i}}", most=100)
    with pytest.raises(TooLarge):
        compiler.compile(kind, fields)


async def test_enums_have_names_of_their_own() -> None:
    schema = build_schema("type Query { ts: [T] } type T { e: E f: F } enum E { A B } enum F { A B }")
    e, f = schema.type_map["E"], schema.type_map["F"]
    assert isinstance(e, GraphQLEnumType)
    assert isinstance(f, GraphQLEnumType)
    one, two = object(), object()
    e.values["A"].value, e.values["B"].value = one, two
    f.values["A"].value, f.values["B"].value = two, one
    for kind in (e, f):
        vars(kind).pop("_value_lookup", None)
    await same(schema, parse("{ts{e f}}"), {"ts": [{"e": "A", "f": "B"}, {"e": one, "f": one}]}, times=3)


def test_the_text_in_the_docs_is_what_is_made() -> None:
    """And what is used there can be used so."""
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    schema = build_schema("type Query { rows: [Row!]! } type Row { id: ID! count: Int }")
    made = source("{ rows { id count } }", schema)
    assert ast.dump(ast.parse(blocks[2])) == ast.dump(ast.parse(made)), "but for its layout"
    shown: list[object] = []
    exec(blocks[0], {"print": shown.append})  # noqa: S102
    assert shown == [{"id": "a", "count": 1}]


def test_what_the_docs_say_of_a_loader_is_so() -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    schema = build_schema(
        "type Query { rows: [Row!]! } type Row { id: ID! owner: Owner } type Owner { name: String! }"
    )
    exec(blocks[3], {"schema": schema})  # noqa: S102
    compiler, kind, fields = compiler_of("{ rows { id owner { name } } }", schema=schema)
    assert len(compiler.compile(kind, fields).wishes) == 1
    gatherer = Gatherer(compiler._selections, 0, {})
    made = gatherer.program(kind, fields).source
    assert ast.dump(ast.parse(blocks[4])) == ast.dump(ast.parse(made)), "but for its layout"


def test_the_docs_count_our_fields() -> None:
    kinds = [kind for kind in graphql_schema.core.type_map.values() if isinstance(kind, GraphQLObjectType)]
    ours = [field for kind in kinds if not kind.name.startswith("__") for field in kind.fields.values()]
    plain = [field.extensions[PLAIN] for field in ours if PLAIN in field.extensions]
    functions, loaded = [each for each in plain if not each.path], [f for f in ours if LOADED in f.extensions]
    assert (
        f"{len(plain)} fields of {len(ours)} are plain, {len(functions)} of them functions,"
        f" {sum(each.in_context for each in functions)} of these of the context; {len(loaded)} are loaded."
    ) in DOCS.read_text(encoding="utf-8")
    assert f"**Planted faults**: {len(MUTANTS)} " in DOCS.read_text(encoding="utf-8")
