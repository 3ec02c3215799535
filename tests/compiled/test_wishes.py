"""What is gathered before a value is completed: level by level, once, and nothing in vain."""

import asyncio
import gc
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_nullable_type

from compiled import LOADED, Plans, plain_attribute
from compiled.classes import OrdinaryClasses, Surprise
from compiled.compiler import Compiled, Compiler
from realtime.syntax import parse
from tests.compiled import loading
from tests.compiled.both import CORE, Core, Ours, executed, same, seen
from tests.compiled.loading import SCHEMA, Context, Group, Item, Read, World, field_of, load, loaded_schema
from tests.compiled.test_compiler import details_of
from tests.leftovers import leftovers


class Known(World):
    """`brought`: by loader and key; None for what is not there."""

    def __init__(self, **brought: dict[Any, Any]) -> None:
        super().__init__()
        self._known, self._roots = brought, dict[str, Any]()

    def brought(self, name: str, key: Any) -> Any:
        return self._known.get(name, {}).get(key)


def item(name: str = "i", **more: Any) -> Item:
    made = Item()
    keys = {f"{each}_key": None for each in ("boss", "chief", "parts", "kin", "any", "label", "tags")}
    vars(made).update(keys | {"name": name, "count": 1, "inner": None, "many": None} | more)
    return made


def group(name: str = "g", **more: Any) -> Group:
    made = Group()
    vars(made).update(
        {"name": name, "items": None, "boss_key": None, "heads_key": None, "anies_key": None} | more
    )
    return made


async def read_by(
    by: Any, text: str, root: Any, world: World, schema: Any = SCHEMA
) -> tuple[Any, list[Read]]:
    context = Context(world)
    result = await executed(by, schema, parse(text), root, context=context)
    return seen(result), context.reads


async def reads(text: str, root: Any, world: World) -> list[Read]:
    """Of the compiled answer, which is that of graphql-core."""
    expected, _ = await read_by(Core, text, root, world)
    CORE.clear()
    found, read = await read_by(Ours, text, root, world)
    assert found == expected
    return read


BOSSES = {number: group(f"g{number}", boss_key=number + 1 if number < 3 else None) for number in range(9)}


async def test_a_level_is_read_in_one_batch_with_each_key_once() -> None:
    root = {"items": [item(boss_key=key) for key in (1, 2, 1, None, 3)]}
    found = await reads("{items{boss{name}}}", root, Known(boss=BOSSES))
    assert found == [Read("boss", [1, 2, 3])]
    assert CORE["Ours"] == 0


async def test_each_level_is_read_once_the_one_before_has_come() -> None:
    root = {"items": [item(boss_key=key) for key in (1, 0, 5)]}
    text = "{items{boss{name boss{name boss{name boss{name}}}}}}"
    assert await reads(text, root, Known(boss=BOSSES)) == [
        Read("boss", [1, 0, 5]), Read("boss", [2]), Read("boss", [3]),
    ]  # fmt: skip
    assert CORE["Ours"] == 0


async def test_several_loaders_are_read_side_by_side() -> None:
    root = {"items": [item(boss_key=1, label_key=7, tags_key=2), item(chief_key=2, label_key=7, tags_key=2)]}
    world = Known(boss=BOSSES, chief=BOSSES, label={7: "seven"}, tags={2: ["a"]})
    found = await reads("{items{tags label boss{name}}}", root, world)
    assert sorted(found) == [Read("boss", [1]), Read("label", [7]), Read("tags", [2])]


async def test_a_field_under_several_names_and_in_fragments_is_gathered_for_all() -> None:
    root = {"named": [item(boss_key=1), group(boss_key=2), None], "item": item(boss_key=3)}
    text = """{ named { ...on Item { x: boss { name } } ...N ...on Group { y: boss { boss { name } } } } }
        fragment N on Named { boss { name } }"""
    assert await reads(text, root, Known(boss=BOSSES)) == [Read("boss", [1, 2]), Read("boss", [3])]
    skipped = "{item{boss@skip(if: true){name} name}}"
    assert await reads(skipped, root, Known(boss=BOSSES)) == []


async def test_behind_lists_and_plain_objects_it_is_gathered_too() -> None:
    inner = loading.Inner()
    inner.count, inner.item, inner.boss_key, inner.parts_key = 1, item(boss_key=4), 3, 8  # type: ignore[attr-defined]
    root = {"sure": [[item(many=[[item(boss_key=1), None], ()], inner=inner)], [item(boss_key=2)]]}
    world = Known(boss=BOSSES, parts={8: [item(boss_key=5), item(boss_key=1)]})
    text = "{sure{boss{name} many{boss{name}} inner{boss{name} item{boss{name}} parts{boss{name}}}}}"
    assert await reads(text, root, world) == [
        Read("boss", [1, 4, 2, 3]), Read("parts", [8]), Read("boss", [5]),
    ]  # fmt: skip
    assert CORE["Ours"] == 0


async def test_where_no_key_is_nothing_is_read_and_nothing_is_waited_for() -> None:
    root = {"items": [item(), item()]}
    context = Context(Known())
    result = Ours.build(SCHEMA, parse("{items{boss{name} label}}"), root, context).execute_operation()  # type: ignore[union-attr]
    assert not asyncio.iscoroutine(result)
    assert context.reads == []


async def test_what_was_read_before_is_not_waited_for() -> None:
    context, document = Context(Known(boss=BOSSES)), parse("{items{boss{name}}}")
    root = {"items": [item(boss_key=1)]}
    first = await executed(Ours, SCHEMA, document, root, context=context)
    again: Any = Ours.build(SCHEMA, document, root, context).execute_operation()  # type: ignore[union-attr]
    assert (again.data, len(context.reads)) == (first.data, 1)


async def test_where_the_first_level_was_read_before_the_next_one_is_read() -> None:
    context, root = Context(Known(boss=BOSSES)), {"items": [item(boss_key=1)]}
    await executed(Ours, SCHEMA, parse("{items{boss{name}}}"), root, context=context)
    CORE.clear()
    result = await executed(Ours, SCHEMA, parse("{items{boss{boss{boss{name}}}}}"), root, context=context)
    assert result.data == {"items": [{"boss": {"boss": {"boss": {"name": "g3"}}}}]}
    assert context.reads == [Read("boss", [1]), Read("boss", [2]), Read("boss", [3])]
    assert CORE["Ours"] == 0


async def test_a_plan_whose_wishes_surprise_too_often_is_given_up() -> None:
    document, root = parse("{items{boss{name}}}"), {"items": [item(), item(boss_key=[])]}
    for number in range(40):
        if number == 20:
            CORE.clear()
        assert (await executed(Ours, SCHEMA, document, root, context=Context(Known()))).errors
    good = {"items": [item(boss_key=1)]}
    CORE.clear()
    context = Context(Known(boss=BOSSES))
    assert (await executed(Ours, SCHEMA, document, good, context=context)).data
    assert CORE["Ours"] > 0


@pytest.mark.parametrize("text", ["{items{boss{name}}}", "{items{boss{boss{name}}}}", "{items{chief{name}}}"])
async def test_a_plan_outlives_what_its_loaders_cannot_bring(text: str) -> None:
    document, bad = parse(text), Known(boss={1: loading.OwnError("gone")}, chief={1: None})
    root = {"items": [item(boss_key=1, chief_key=1)]}
    for _ in range(40):
        assert (await executed(Ours, SCHEMA, document, root, context=Context(bad))).errors
    CORE.clear()
    good = Context(Known(boss=BOSSES, chief={1: group("c")}))
    result = await executed(Ours, SCHEMA, document, root, context=good)
    assert not result.errors
    assert CORE["Ours"] == 0


@pytest.mark.parametrize("there", [True, False])
async def test_what_is_missing_is_null_where_it_may_be(there: bool) -> None:
    world = Known(boss={1: group("x") if there else None}, any={2: None})
    root = {"items": [item(boss_key=1, any_key=2)]}
    await reads("{items{boss{name} any{__typename}}}", root, world)
    assert CORE["Ours"] == 0, "which is no surprise"


async def test_what_fails_is_completed_by_graphql_core_without_reading_again() -> None:
    world = Known(boss={1: loading.OwnError("gone"), 2: group("b")}, chief={1: None})
    root = {"items": [item(boss_key=1), item(boss_key=2), item(chief_key=1)]}
    assert await reads("{items{boss{name}}}", root, world) == [Read("boss", [1, 2])]
    assert CORE["Ours"] > 0
    assert await reads("{items{x: chief{name}}}", root, world) == [Read("chief", [1])]
    root = {"items": [item(boss_key=1, chief_key=2), item(boss_key=2, chief_key=1)]}
    world = Known(boss={1: loading.OwnError("gone"), 2: group("b")}, chief={2: group("c"), 1: None})
    found = await reads("{items{boss{boss{name}} chief{name}}}", root, world)
    assert sorted(found) == [Read("boss", [1, 2]), Read("chief", [2, 1])]


async def test_what_is_no_list_is_not_gone_through() -> None:
    """graphql-core takes a generator, and may take it once."""
    taken = list[int]()

    def once() -> Any:
        for number in range(3):
            taken.append(number)
            yield item(str(number), boss_key=number)

    expected, _ = await read_by(Core, "{items{name boss{name}}}", {"items": once()}, Known(boss=BOSSES))
    taken.clear()
    found, _ = await read_by(Ours, "{items{name boss{name}}}", {"items": once()}, Known(boss=BOSSES))
    assert found == expected
    assert taken == [0, 1, 2]
    for below in ("items{boss{name}}", "items{items{boss{name}}}"):
        _, kind = "group", below
        taken.clear()
        root = {"group": group(items=[group(items=once())] if below.count("items") > 1 else once())}
        text = f"{{group{{{kind}}}}}" if below.count("items") == 1 else "{group{items{name}}}"
        got, _ = await read_by(Ours, text, root, Known(boss=BOSSES))
        assert len(taken) in {0, 3}
        assert got[0]


async def test_beside_what_graphql_core_executes_it_is_read_once() -> None:
    root = {
        "item": item("a", boss_key=1, label_key=3),
        "items": [item("b", boss_key=1), item("c", boss_key=2)],
    }
    world = Known(boss=BOSSES, label={3: "three"})
    text = "{item{now label boss{name} with(a: 1){boss{name} now}}}"
    found = await reads(text, root, world)
    assert sorted(found) == [Read("boss", [1]), Read("label", [3])]
    assert CORE["Ours"] == 0


async def test_a_loader_of_another_resolver_says_nothing() -> None:
    schema = loaded_schema()
    field = field_of(schema, "Item", "boss")
    field.resolve = lambda source, info: group("of another")
    root = {"items": [item(boss_key=1)]}
    found, read = await read_by(Ours, "{items{boss{name}}}", root, Known(boss=BOSSES), schema)
    assert found[0] == "{'items': [{'boss': {'name': 'of another'}}]}"
    assert read == []


async def test_keys_may_be_computed_and_odd() -> None:
    schema = loaded_schema()
    key = plain_attribute(None, "name")
    load(
        field_of(schema, "Item", "boss"),
        "boss",
        optional=True,
        key=type(key)(None, lambda source: source.name),
    )
    world = Known(boss={"a": group("of a")})
    for name in ("a", None, [], ValueError("no key")):
        root = {"items": [item("a"), item(name)]}  # type: ignore[arg-type]
        expected, _ = await read_by(Core, "{items{boss{name}}}", root, world, schema)
        found, _ = await read_by(Ours, "{items{boss{name}}}", root, world, schema)
        assert found == expected


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("{items{boss{name boss{name}}}}", 0),
        ("{items{boss{name} now late{name}}}", 0),
        ("{items{x: boss{name} parts{name}}}", 1),
        ("{named{boss{boss{heads{name}}}}}", 1),
    ],
)
async def test_an_answer_leaves_nothing_to_the_collector(text: str, errors: int) -> None:
    document = parse(text)
    failing = group("h", heads_key=1)
    world = Known(boss={**BOSSES, 7: group("h", boss_key=8), 8: failing})
    root = {"items": [item(boss_key=1, parts_key=4 if errors else None)], "named": [item(boss_key=7)]}

    async def ask() -> int:
        result = await executed(Lean, SCHEMA, document, root, context=Context(world))
        return len(result.errors or ())

    assert await ask() == errors
    gc.collect()
    if errors:  # whoever presents an error takes its frames; here it is enough that good answers leave none
        return
    with leftovers() as left:
        await ask()
        await asyncio.sleep(0)
    assert left == []


class Lean(Ours):
    """Without graphql-core's own circle: methods that are lent to resolvers."""

    plans = Plans(objects_a_field=0)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.async_helpers = None  # type: ignore[assignment]


# The functions themselves


def compiled(text: str, schema: Any = SCHEMA) -> tuple[Compiled, Compiler]:
    executor = Core.build(schema, parse(text))
    assert isinstance(executor, Core)
    query = schema.query_type
    assert isinstance(query, GraphQLObjectType)
    fields = next(iter(executor.collect_subfields(query, [details_of(executor)]).grouped_field_set.values()))
    kind: Any = get_nullable_type(query.fields[fields[0].node.name.value].type)
    compiler = Compiler(executor, OrdinaryClasses(), 1_000)
    return compiler.compile(kind, fields), compiler


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("{items{name}}", 0),
        ("{items{name inner{count item{name}}}}", 0),
        ("{items{label}}", 1),
        ("{items{inner{boss{name}}}}", 1),
        ("{items{boss{name} chief{boss{heads{name}}}}}", 3),
        ("{items{chief{boss{name}} label}}", 2),
        ("{item{boss{name} with{chief{boss{name}}}}}", 1),
        ("{item{boss{name boss{name}} with{name}}}", 2),
    ],
)
def test_there_is_one_function_for_each_level(text: str, levels: int) -> None:
    made, _ = compiled(text)
    assert len(made.wishes) == levels


class Info:
    def __init__(self, context: Any) -> None:
        self.context = context


def test_a_function_gives_loaders_with_their_keys_in_order() -> None:
    made, _ = compiled("{items{boss{name} x: boss{name} label inner{boss{name}}}}")
    context = Context(Known())
    (first,) = made.wishes
    items = [item(boss_key=2, label_key="l"), item(), item(boss_key=1)]
    (boss, bosses), (label, labels), (inner, inners) = first(items, Info(context))
    assert boss is inner is context.loader("boss")
    assert label is context.loader("label")
    assert (bosses, labels, inners) == ([2, 2, 1, 1], ["l"], [])
    assert [keys for _, keys in first([], Info(context))] == [[], [], []], "and none of the one before"


def test_what_is_not_a_list_or_not_of_its_type_is_a_surprise() -> None:
    made, _ = compiled("{items{boss{name}}}")
    (first,) = made.wishes
    for wrong in (iter([item()]), {}, "x", [group()], [ValueError("x")], [3]):
        with pytest.raises(Surprise):
            first(wrong, Info(Context(Known())))


async def test_clients_see_the_same_of_mixed_levels() -> None:
    world = Known(
        boss=BOSSES, kin={1: [item(boss_key=1), group(boss_key=2), None]}, any={1: item(boss_key=3)}
    )
    root = {"any": [item(kin_key=1, any_key=1), group(), item(any_key=9)]}
    text = (
        "{any{...on Item{kin{__typename boss{name}} any{...on Named{boss{boss{name}}}}} ...on Group{name}}}"
    )
    await same(SCHEMA, parse(text), root, context=Context(world))
    assert LOADED in field_of(SCHEMA, "Item", "kin").extensions
