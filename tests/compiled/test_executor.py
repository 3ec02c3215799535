"""What a document and its values may do to compiled completion, case by case: clients see no difference."""

import asyncio
import gc
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import (
    AbortController,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    build_schema,
    execute,
    experimental_execute_incrementally,
    specified_directives,
)
from graphql.execution import MiddlewareManager
from graphql.type import GraphQLDeferDirective, GraphQLStreamDirective

from compiled import CLASS, IGNORES_INFO, PLAIN, CompiledExecutor, Plain, Plans
from realtime.syntax import parse
from tests.compiled.both import CORE, Core, Ours, Soon, executed, named, same, seen
from tests.compiled.loading import Context, World, field_of, load

THINGS = build_schema("""
    type Query { thing: Thing  things: [Thing!]!  named: [Named!]  any: [Any]  a: Holder  b: Holder }
    type Holder { named: Named }
    interface Named { name: String! }
    union Any = Thing | Other
    type Other implements Named { name: String!  other: Int }
    type Thing implements Named {
        name: String!  number: Int  share: Float  on: Boolean  id: ID  many: [[Int]!]
        thing: Thing  things: [Thing]  sure: Thing!  named: Named  with(a: Int = 2): Int
    }
    type Mutation { add: Thing  fail: Thing! }
""")


@pytest.fixture(autouse=True)
def counts() -> Iterator[None]:
    CORE.clear()
    yield
    CORE.clear()


def thing(**more: Any) -> dict[str, Any]:
    return {"__typename": "Thing", "name": "n", "number": 1, "share": 0.5, "on": True, "id": "i"} | more


def compiled() -> bool:
    """Whether graphql-core completed less of ours than of its own."""
    return CORE["Ours"] < CORE["Core"]


async def test_what_fits_is_compiled() -> None:
    root = {"things": [thing(thing=thing(), many=[[1, None], []]), thing(things=[thing(), None])]}
    text = "{things{name number share on id many __typename thing{a: name} things{sure: name}}}"
    result = await same(THINGS, parse(text), root)
    assert not result.errors
    assert CORE == {"Core": 9}
    assert list(result.data["things"][0]) == [
        "name",
        "number",
        "share",
        "on",
        "id",
        "many",
        "__typename",
        "thing",
        "things",
    ]  # type: ignore[index]


WRONG = (
    None, True, 0, 2**31, -(2**31) - 1, 2.0, 2.5, float("nan"), float("inf"), "", "7", b"x", [], {}, (),
    object, ValueError("as a value"), Soon("x"), Soon(None), len, 10**400,
)  # fmt: skip


@pytest.mark.parametrize(
    "field",
    [
        "name",
        "number",
        "share",
        "on",
        "id",
        "many",
        "thing{name}",
        "sure{name}",
        "things{name}",
        "named{name}",
    ],
)
@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:20])
async def test_what_does_not_fit_is_completed_by_graphql_core(field: str, value: Any) -> None:
    name = field.partition("{")[0]
    for text in (
        "{things{number %s on}}",
        "{thing{thing{%s}}}",
        "{things{x: with %s}}",
        "{things{things{%s}}}",
    ):
        given = thing(**{name: value})
        root = {"thing": {"thing": given}, "things": [thing(things=[thing()]), given | {"things": [given]}]}
        await same(THINGS, parse(text % field), root)


@pytest.mark.parametrize("value", [ValueError("an item"), Soon({"name": "n"}), None, 3, [], len], ids=named)
@pytest.mark.parametrize("field", ["things{name}", "thing{name}", "many", "things{number}"])
async def test_an_item_that_does_not_fit_is_completed_by_graphql_core(field: str, value: Any) -> None:
    """An exception among the items, most of all: an object type without an interface has no `is_type_of`."""
    root = {"things": [thing(), value], "thing": thing(things=[value], many=[[1, value], [value]])}
    for parent in ("things", "thing"):
        await same(THINGS, parse(f"{{{parent}{{{field}}}}}"), root)


async def test_merged_fields_mean_what_they_mean() -> None:
    """The same first node, merged with others under one runtime type than under another."""
    text = """{ things { ...on Named { named { ...F } } }
        named { ...on Thing { named { ...F } named { number } }
        ...on Other { name } } }
        fragment F on Named { name ...on Thing { thing { name } thing { number } } }"""
    inner = thing(thing=thing())
    root = {
        "things": [thing(named=inner)],
        "named": [thing(named=inner), {"__typename": "Other", "name": "o"}],
    }
    await same(THINGS, parse(text), root)
    merged = """{ any { ...on Named { ...G } ...on Thing { named { number: name } } } }
        fragment G on Named { ...on Thing { named { name } } }"""
    text = """{ a { named { name ...on Thing { x: thing { name } } ...on Other { x: other } } }
        b { named { name } } }"""
    await same(
        THINGS,
        parse(merged),
        {"any": [thing(named=inner), thing(named={"__typename": "Other", "name": "o"})]},
    )
    await same(
        THINGS, parse(text), {"a": {"named": inner}, "b": {"named": {"__typename": "Other", "name": "o"}}}
    )


async def test_the_same_first_field_merged_in_two_ways() -> None:
    """`next` of F is alone where the runtime type is A, and together with B's own where it is B; graphql-core
    executes it, since it takes an argument.
    """
    schema = build_schema("""
        type Query { all: [N!]! }
        interface N { next(a: Int): Leaf }
        type Leaf { p: Int  q: Int }
        type A implements N { next(a: Int): Leaf }
        type B implements N { next(a: Int): Leaf }
    """)
    document = parse("{ all { ...F ...on B { next { q } } } } fragment F on N { next { p } }")
    leaf = {"p": 1, "q": 2}
    root = {"all": [{"__typename": name, "next": leaf} for name in "ABA"]}
    result = await same(schema, document, root)
    assert result.data == {"all": [{"next": {"p": 1}}, {"next": {"p": 1, "q": 2}}, {"next": {"p": 1}}]}


@pytest.mark.parametrize(
    "given", [{}, {"a": True}, {"a": False}, {"b": False}, {"a": False, "b": True}, {"b": None}], ids=str
)
async def test_variables_of_skip_and_include(given: dict[str, Any]) -> None:
    document = parse("""query ($a: Boolean! = true, $b: Boolean = true) {
        things { name number @include(if: $a) ...on Thing @skip(if: $b) { on } ...F @include(if: $b) } }
        fragment F on Thing { share @skip(if: $a) thing @include(if: $b) { name } }""")
    root = {"things": [thing(thing=thing())]}
    for also in ({}, {"a": False, "b": True}, given):
        await same(THINGS, document, root, also, times=1)


async def test_an_operation_may_stand_in_two_documents() -> None:
    one = parse("{things{...F}} fragment F on Thing {name}")
    two = parse("fragment F on Thing {number}")
    both = type(one)(definitions=(one.definitions[0], two.definitions[0]))
    root = {"things": [thing()]}
    assert (await same(THINGS, one, root)).data == {"things": [{"name": "n"}]}
    assert (await same(THINGS, both, root)).data == {"things": [{"number": 1}]}


async def test_one_document_in_two_schemas() -> None:
    other = build_schema("type Query { things: [Thing!]! } type Thing { name: Int }")
    document = parse("{things{name}}")
    root = {"things": [{"name": 5}]}
    await same(THINGS, document, root)
    assert (await same(other, document, root)).data == {"things": [{"name": 5}]}


# Types


def typed(**given: Any) -> GraphQLSchema:
    """Of a list of `N`, of which `A` and `B` are; `given`: how they are told apart."""
    resolve, is_a, is_b, extensions = (given.get(name) for name in ("resolve", "is_a", "is_b", "extensions"))
    named = GraphQLInterfaceType(
        "N",
        lambda: {"n": GraphQLField(GraphQLString), "next": GraphQLField(named)},
        resolve_type=resolve,
        extensions=dict(extensions or {}),
    )
    kinds = [
        GraphQLObjectType(
            name,
            lambda: {"n": GraphQLField(GraphQLString), "next": GraphQLField(named)},
            [named],
            is_type_of=test,
            extensions=dict(extensions or {}),
        )
        for name, test in (("A", is_a), ("B", is_b))
    ]
    both = GraphQLUnionType("U", kinds, resolve_type=resolve)
    fields = {
        "all": GraphQLField(GraphQLList(named)),
        "union": GraphQLField(GraphQLList(both)),
        "a": GraphQLField(kinds[0]),
    }
    return GraphQLSchema(GraphQLObjectType("Query", fields), types=kinds)


TREE = {"n": "A", "next": {"n": "B", "next": {"n": "A"}}}
TYPED = parse(
    """{all{n __typename ...on A{next{n __typename next{__typename}}}}
        union{__typename ...on N{next{__typename n}}} a{n next{n}}}"""
)


def by_info(value: Any, info: Any, _kind: Any) -> str:
    """`A` at the first place of a list, `B` below it."""
    return "A" if info.path.key == "all" or info.field_name == "union" else "B"


@pytest.mark.parametrize(
    "given",
    [
        {"resolve": lambda value, _info, _kind: value["n"]},
        {"resolve": by_info},
        {"resolve": lambda value, info, _kind: "A" if len(info.path.as_list()) < 3 else "B"},
        {"resolve": lambda value, _info, _kind: {"A": "C", "B": None}[value["n"]]},
        {"resolve": lambda value, _info, _kind: soon_text(value["n"])},
        {"resolve": lambda *_: 1 / 0},
        {"is_a": lambda value, _info: value["n"] == "A", "is_b": lambda value, _info: value["n"] == "B"},
        {"is_a": lambda value, info: info.field_name != "next", "is_b": lambda *_: True},
        {"is_a": lambda *_: 1, "is_b": lambda *_: 0},
        {"is_a": lambda value, _info: soon_text(value["n"] == "A"), "is_b": lambda *_: soon_text(True)},
        {"resolve": lambda value, *_: value["n"], "is_a": lambda *_: False, "is_b": lambda *_: True},
        {"resolve": lambda value, *_: value["n"], "is_a": lambda *_: 1, "extensions": {IGNORES_INFO: True}},
    ],
    ids=range(12),
)  # fmt: skip
async def test_types_are_told_apart_as_graphql_core_does(given: dict[str, Any]) -> None:
    """Also by what `info` says, which is that of the field whose value it is."""
    root = {"all": [TREE, None, TREE["next"], TREE], "union": [TREE], "a": TREE}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await same(typed(**given), TYPED, root, times=3)
        gc.collect()
    assert [str(each.message) for each in warned] == [], "a coroutine was left"


async def soon_text(value: Any) -> Any:
    return value


class Known:
    def __init__(self, n: str, next_: Any = None) -> None:
        self.n, self.next = n, next_


class Younger(Known):
    pass


async def test_only_very_instances_of_its_class_are_of_a_type_unasked() -> None:
    schema = typed(
        is_a=lambda value, _info: type(value) is Known, is_b=lambda *_: False, extensions={IGNORES_INFO: True}
    )
    schema.type_map["A"].extensions[CLASS] = Known
    assert (await same(schema, TYPED, {"all": [Known("x", Known("y"))], "a": Known("z")})).errors is None
    assert (await same(schema, TYPED, {"all": [Younger("x")], "a": Younger("z")})).errors


# Resolvers


def mixed() -> GraphQLSchema:
    """Fields that graphql-core executes between fields that are compiled."""

    async def late(source: Any, *_: Any) -> Any:
        await asyncio.sleep(0)
        return source["late"]

    def now(source: Any, info: Any, **given: Any) -> Any:
        if isinstance(source["now"], Exception):
            raise source["now"]
        return f"{source['now']} {info.path.as_list()} {info.field_name} {given}"

    inner = GraphQLObjectType(
        "M",
        lambda: {
            "a": GraphQLField(GraphQLInt),
            "late": GraphQLField(GraphQLString, resolve=late),
            "sureLate": GraphQLField(GraphQLNonNull(GraphQLString), resolve=late),
            "now": GraphQLField(
                GraphQLString, {"x": GraphQLArgument(GraphQLInt, default_value=3)}, resolve=now
            ),
            "sureNow": GraphQLField(GraphQLNonNull(GraphQLString), resolve=now),
            "b": GraphQLField(GraphQLNonNull(GraphQLString)),
            "m": GraphQLField(inner),
            "ms": GraphQLField(GraphQLList(inner)),
            "plain": GraphQLField(
                GraphQLString, resolve=now, extensions={PLAIN: Plain(late, lambda _: "of another")}
            ),
        },
    )
    return GraphQLSchema(
        GraphQLObjectType("Query", {"m": GraphQLField(inner), "ms": GraphQLField(GraphQLList(inner))})
    )


MIXED = parse("""{ m { ...F m { ...F } ms { ...F ms { late a } } }
        ms { a x: now(x: 5) sureNow b y: late sureLate c: b } }
    fragment F on M { now a late b plain sureLate __typename }""")


@pytest.mark.usefixtures("nothing_left_unawaited")
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"late": None},
        {"late": ValueError("late")},
        {"now": ValueError("now")},
        {"a": "no"},
        {"b": None},
        {"b": ValueError("b"), "late": None},
    ],
    ids=str,
)
async def test_what_graphql_core_executes_stands_at_its_place(change: dict[str, Any]) -> None:
    good = {"a": 1, "b": "b", "late": "l", "now": "n"}
    bad = good | change
    root = {
        "m": bad | {"m": good | {"ms": [bad]}, "ms": [good, bad | {"ms": [good, bad]}]},
        "ms": [good, bad, good],
    }
    await same(mixed(), MIXED, root)
    assert CORE["Ours"] < 2 * CORE["Core"]


async def test_a_mark_holds_for_its_resolver_only() -> None:
    schema = mixed()
    root = {"m": {"a": 1, "now": "n"}}
    assert (await same(schema, parse("{m{a plain}}"), root)).data == {
        "m": {"a": 1, "plain": "n ['m', 'plain'] plain {}"}
    }


async def test_a_value_that_can_be_called_is_called_with_info() -> None:
    calls = list[str]()

    def called(info: Any, **_: Any) -> str:
        calls.append(info.field_name)
        return "called"

    root = {"things": [thing(name=called, id=called)]}
    result = await same(THINGS, parse("{things{name id}}"), root, times=1)
    assert result.data == {"things": [{"name": "called", "id": "called"}]}


async def test_a_root_resolver_runs_once_whatever_surprises() -> None:
    calls = list[str]()
    schema = build_schema("type Query {t: T} type Mutation {t: T u: T} type T {a: Int! b: Int}")
    kind = schema.mutation_type
    assert kind
    for name, value in (("t", {"a": None}), ("u", {"a": 1, "b": "x"})):
        kind.fields[name].resolve = lambda *_, n=name, v=value: calls.append(n) or v
    result = await executed(Ours, schema, parse("mutation {t{a b} u{a b} v: t{b}}"))
    assert calls == ["t", "u", "t"]
    assert result.data == {"t": None, "u": {"a": 1, "b": None}, "v": {"b": None}}
    calls.clear()
    await same(schema, parse("mutation {t{a b} u{a b} v: t{b}}"))
    assert calls == ["t", "u", "t"] * 3


async def test_a_mutation_runs_once_whatever_its_loaders_cannot_bring() -> None:
    calls = list[str]()
    schema = build_schema("type Query {t: T} type Mutation {t: [T]} type T {a: Int! owner: T}")
    kind = schema.mutation_type
    assert kind
    things = [SimpleNamespace(a=1, boss_key=1), SimpleNamespace(a=None, boss_key=2)]
    kind.fields["t"].resolve = lambda *_: calls.append("t") or things
    load(field_of(schema, "T", "owner"), "boss", optional=True)
    document = parse("mutation {t{a owner{a}}}")
    expected = await executed(Core, schema, document, context=Context(World()))
    found = await executed(Ours, schema, document, context=Context(World()))
    assert seen(found) == seen(expected)
    assert expected.errors
    assert calls == ["t"] * 2


# What is in the way of compiling


async def test_middleware_sees_every_field() -> None:
    def upper(resolve: Any, source: Any, info: Any, **given: Any) -> Any:
        value = resolve(source, info, **given)
        return value.upper() if isinstance(value, str) else value

    root = {"things": [thing()]}
    result = await same(THINGS, parse("{things{name}}"), root, middleware=MiddlewareManager(upper))
    assert result.data == {"things": [{"name": "N"}]}
    assert not compiled_twice()
    await same(THINGS, parse("{things{name}}"), root, middleware=MiddlewareManager())


def compiled_twice() -> bool:
    return CORE["Ours"] < 2 * CORE["Core"]


@pytest.mark.parametrize(
    "given",
    [
        {"field_resolver": lambda *_: "mine"},
        {"type_resolver": lambda *_: "Thing"},
        {"is_awaitable": lambda value: False},
        {"abort_signal": AbortController().signal},
    ],
    ids=lambda given: next(iter(given)),
)
async def test_what_executes_otherwise_is_left_alone(given: dict[str, Any]) -> None:
    await same(THINGS, parse("{thing{name} named{name}}"), {"thing": thing(), "named": [thing()]}, **given)
    assert not compiled_twice()


@pytest.mark.usefixtures("nothing_left_unawaited")
async def test_an_abort_stops_it_as_ever() -> None:
    ends = list[Any]()
    for by in (Core, Ours):
        control = AbortController()
        schema = mixed()
        field = schema.type_map["M"].fields["late"]  # type: ignore[attr-defined]

        async def hang(_: Any, __: Any, control: Any = control) -> None:
            control.abort(ValueError("enough"))
            await asyncio.sleep(60)

        field.resolve = hang
        try:
            async with asyncio.timeout(5):
                await executed(
                    by,
                    schema,
                    parse("{ms{a late b}}"),
                    {"ms": [{"a": 1, "b": "b"}]},
                    abort_signal=control.signal,
                )
        except Exception as error:
            ends.append((type(error), str(error), str(error.__cause__)))
    assert len(ends) == 2
    assert ends[0] == ends[1]


@pytest.mark.parametrize("directive", ["@odd", "@odd(x: $a)"])
async def test_other_directives_are_left_alone(directive: str) -> None:
    await same(THINGS, parse(f"query ($a: Int) {{things{{name {directive}}}}}"), {"things": [thing()]})
    assert not compiled_twice()


async def test_defer_and_stream_are_left_alone() -> None:
    schema = GraphQLSchema(
        **THINGS.to_kwargs()
        | {"directives": [*specified_directives, GraphQLDeferDirective, GraphQLStreamDirective]}
    )
    root = {"things": [thing(), thing()]}
    document = parse(
        "query ($d: Boolean = true) {things @stream(initialCount: 1) {name ...@defer(if: $d) {number}}}"
    )
    for given in ({"d": False}, {}):
        parts = []
        for by in (Core, Ours):
            result: Any = experimental_execute_incrementally(
                schema, document, root, variable_values=given, executor_class=by
            )
            parts.append(
                [repr(result.initial_result), *[repr(each) async for each in result.subsequent_results]]
            )
        assert parts[0] == parts[1]


async def test_without_error_propagation_it_is_left_alone() -> None:
    schema = build_schema(
        "type Query {t: T} type T {a: Int!} directive @experimental_disableErrorPropagation on QUERY"
    )
    document = parse("query @experimental_disableErrorPropagation {t{a}}")
    assert (await same(schema, document, {"t": {"a": None}})).data == {"t": {"a": None}}


async def test_a_field_that_is_not_there_is_left_out() -> None:
    """Nobody has validated the document."""
    assert (await same(THINGS, parse("{things{name nothing}}"), {"things": [thing()]})).data == {
        "things": [{"name": "n"}]
    }


@pytest.mark.usefixtures("nothing_left_unawaited")
async def test_many_at_once_do_not_disturb_each_other() -> None:
    schema, document = mixed(), MIXED
    good = {"a": 1, "b": "b", "late": "l", "now": "n"}

    def root(number: int) -> Any:
        given = good | {"a": number, "b": None if number % 7 == 0 else str(number)}
        return {"m": given | {"ms": [given, good]}, "ms": [given] * (number % 3)}

    expected = [seen(await executed(Core, schema, document, root(number))) for number in range(40)]
    found = await asyncio.gather(*(executed(Ours, schema, document, root(number)) for number in range(40)))
    assert list(map(seen, found)) == expected


def test_it_stands_before_another_executor_or_alone() -> None:
    class Alone(CompiledExecutor):
        plans = Plans(objects_a_field=0)

    result = execute(THINGS, parse("{things{name}}"), {"things": [thing()]}, executor_class=Alone)
    assert result == execute(THINGS, parse("{things{name}}"), {"things": [thing()]})
    assert Alone.plans.fields == 2 + 1


def test_a_plan_that_surprises_too_often_is_given_up() -> None:
    document = parse("{things{name}}")
    for number in range(40):
        result: Any = execute(THINGS, document, {"things": [thing(name=b"x")]}, executor_class=Ours)
        assert result.errors
        if number == 20:
            CORE.clear()
    again: Any = execute(THINGS, document, {"things": [thing()]}, executor_class=Ours)
    assert again.data == {"things": [{"name": "n"}]}
    assert CORE["Ours"] > 0


def test_errors_name_their_place(recwarn: pytest.WarningsRecorder) -> None:
    result: Any = execute(
        THINGS,
        parse("{things{name thing{name}}}"),
        {"things": [thing(), thing(thing={})]},
        executor_class=Ours,
    )
    (error,) = result.errors
    assert isinstance(error, GraphQLError)
    assert error.path == ["things", 1, "thing", "name"]
    assert [(at.line, at.column) for at in error.locations or ()] == [(1, 20)]
