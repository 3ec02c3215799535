"""A schema with fields that loaders bring, what they bring by chance, and who reads it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, NamedTuple

from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, build_schema

from compiled import CLASS, IGNORES_INFO, LOADED, PLAIN, Loaded, Plain, plain_attribute
from tests.compiled.both import Soon

ROOTS = """
    type %s {
        item: Item  items: [Item!]  sure: [[Item!]!]  named: [Named]  any: [Any!]  group: Group  inner: Inner
    }
"""
TEXT = """
    interface Named { name: String!  boss: Group }
    union Any = Item | Group
    type Inner { count: Int  boss: Group  parts: [Item!]  item: Item }
    type Item implements Named {
        name: String!  count: Int  scaled: Int!  inner: Inner  many: [[Item]!]
        boss: Group  chief: Group!  parts: [Item!]  kin: [Named]!  any: Any  label: String  tags: [String!]!
        %s
    }
    type Group implements Named { name: String!  boss: Group  heads: [Item!]!  any: [Any]  items: [Item] }
"""

LEFT_OVER = "with(a: Int = 1): Item  now: String!  late: Item  lateSure: Item!"
"""Fields that graphql-core executes."""

TURNS = 8
"""Of the loop, behind which a level is read."""


class Item:
    name: Any
    count: Any
    inner: Any
    many: Any


class Group:
    name: Any
    items: Any


class Inner:
    count: Any
    item: Any


class OwnError(Exception):
    pass


class Read(NamedTuple):
    """One batch."""

    loader: str
    keys: list[Any]


class KeyLoader:
    """Reads its keys together; each fails for itself, so that it does not matter which others are read."""

    def __init__(
        self, name: str, world: "World", reads: list[Read], before: "KeyLoader | None" = None
    ) -> None:
        self._before = before
        self.found: dict[Hashable, Any] = {}
        self._failed: dict[Hashable, Exception] = {}
        self._name, self._world, self._reads = name, world, reads
        self._waiting: dict[Hashable, None] = {}
        self._waiters: list[asyncio.Future[None]] = []

    def want(self, keys: Iterable[Hashable]) -> Awaitable[object] | None:
        missing = [key for key in keys if key not in self.found and key not in self._failed]
        if not missing:
            return None
        loop = asyncio.get_running_loop()
        if not self._waiters:
            loop.call_soon(self._turn, TURNS)
        self._waiting.update(dict.fromkeys(missing))
        self._waiters.append(loop.create_future())
        return self._waiters[-1]

    async def load(self, key: Hashable) -> Any:
        if wanted := self.want([key]):
            await wanted
        if key in self._failed:
            raise self._failed[key]
        return self.found[key]

    def _turn(self, left: int) -> None:
        if left:
            asyncio.get_running_loop().call_soon(self._turn, left - 1)
            return
        waiters, keys = self._waiters, list(self._waiting)
        self._waiters, self._waiting = [], {}
        known = {*self._before.found, *self._before._failed} if self._before else set()
        if new := [key for key in keys if key not in known]:
            self._reads.append(Read(self._name, new))
        for key in keys:
            value = self._world.brought(self._name, key)
            if isinstance(value, OwnError):
                self._failed[key] = value
            else:
                self.found[key] = value
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class Context:
    """Of one execution. `reads`: what was read, in turn."""

    factor = 3

    def __init__(self, world: "World", before: "Context | None" = None) -> None:
        self.reads: list[Read] = before.reads if before else []
        self._world, self._before = world, before._loaders if before else {}
        self._loaders: dict[str, KeyLoader] = {}

    def again(self) -> "Context":
        """Another one, in which nothing is read that was read in this one."""
        return Context(self._world, self)

    def loader(self, name: str) -> KeyLoader:
        if name not in self._loaders:
            before = self._before.get(name)
            self._loaders[name] = KeyLoader(name, self._world, self.reads, before)
        return self._loaders[name]


class World:
    """What there is: the same whoever asks. `wrong`: how many of a thousand values are."""

    def __init__(self, seed: str = "", wrong: float = 0) -> None:
        self._seed, self._wrong = seed, wrong
        self._brought: dict[Any, Any] = {}

    def root(self) -> Mapping[str, Any]:
        one = Values(random.Random(f"{self._seed} root"), self._wrong)  # noqa: S311
        root = {
            "item": one.item(3), "items": one.items(3), "sure": [one.items(3), one.items(2)],
            "named": one.several(one.named, 3), "any": one.several(one.named, 3), "group": one.group(3),
            "inner": one.inner(3),
        }  # fmt: skip
        return {**root, "root": root}

    def brought(self, name: str, key: Any) -> Any:
        if (name, key) not in self._brought:
            chance = random.Random(f"{self._seed} {name} {key}")  # noqa: S311
            self._brought[name, key] = Values(chance, self._wrong).of_loader(name)
        return self._brought[name, key]


class Values:
    def __init__(self, chance: random.Random, wrong: float) -> None:
        self._chance, self._wrong = chance, wrong

    def of_loader(self, name: str) -> Any:
        if self._happens(self._wrong):
            return OwnError(f"{name} {self._chance.randint(0, 9)}")
        if self._happens(self._wrong + 15):
            return None
        make: dict[str, Callable[[], Any]] = {
            "boss": lambda: self.group(1), "chief": lambda: self.group(1), "parts": lambda: self.items(1),
            "heads": lambda: self.items(1), "kin": lambda: self.several(self.named, 1),
            "any": lambda: self.named(1), "anies": lambda: self.several(self.named, 1),
            "label": lambda: self.odd("label"), "tags": lambda: self.several(lambda _: self.odd("tag"), 1),
        }  # fmt: skip
        return make[name]()

    def named(self, depth: int) -> Any:
        return self.item(depth) if self._happens(500) else self.group(depth)

    def item(self, depth: int) -> Any:
        item = Item()
        item.name, item.count = (
            self.odd(f"i{self._chance.randint(0, 99)}"),
            self.odd(self._chance.randint(0, 9)),
        )
        item.inner = None if depth < 1 or self._happens(100) else self.inner(depth - 1)
        item.many = None if depth < 1 else [self.items(depth - 2), self.items(depth - 2)]
        for name in ("boss", "chief", "parts", "kin", "any", "label", "tags"):
            setattr(item, f"{name}_key", self.key(needed=name in {"chief", "kin", "tags"}))
        return self.odd(item)

    def group(self, depth: int) -> Any:
        group = Group()
        group.name, group.items = self.odd("g"), self.items(depth - 1) if depth > 0 else None
        for name in ("boss", "heads", "anies"):
            setattr(group, f"{name}_key", self.key(needed=name == "heads"))
        return self.odd(group)

    def inner(self, depth: int) -> Any:
        inner = Inner()
        inner.count, inner.item = self.odd(1), None if depth < 1 else self.item(depth - 1)
        inner.boss_key, inner.parts_key = self.key(), self.key()  # type: ignore[attr-defined]
        return self.odd(inner)

    def items(self, depth: int) -> Any:
        return self.several(self.item, depth)

    def several(self, make: Callable[[int], Any], depth: int) -> Any:
        made = [make(depth - 1) for _ in range(self._chance.randint(0, 3))]
        if self._happens(self._wrong / 3):
            return self._chance.choice((iter(()), {}, "x", 5, Soon(made), OwnError("no list")))
        return tuple(made) if self._happens(100) else made

    def key(self, *, needed: bool = False) -> Any:
        if self._happens(self._wrong / 3):
            return self._chance.choice((None, [], "x"))
        return None if not needed and self._happens(150) else self._chance.randint(0, 6)

    def odd(self, value: Any) -> Any:
        """Now and then something else."""
        if not self._happens(self._wrong):
            return value
        return self._chance.choice((None, OwnError("as a value"), Soon(value), b"x", [], object))

    def _happens(self, of_a_thousand: float) -> bool:
        return self._chance.random() * 1000 < of_a_thousand


def loaded_schema(*, whole: bool = False) -> GraphQLSchema:
    """`whole`: everything below its only root field is compiled together, and nothing is left over."""
    text = f"type Query {{ root: Root }} {ROOTS % 'Root'} {TEXT % ''}"
    text = text if whole else ROOTS % "Query" + TEXT % LEFT_OVER
    schema = build_schema(text)
    for name, kind in (("Item", Item), ("Group", Group)):
        found = schema.type_map[name]
        assert isinstance(found, GraphQLObjectType)
        found.is_type_of = _is_of(kind)
        found.extensions[IGNORES_INFO] = True
    schema.type_map["Item"].extensions[CLASS] = Item
    assert isinstance(schema.type_map["Named"], GraphQLInterfaceType)
    fields = {
        "Item": ("boss", "chief", "parts", "kin", "any", "label", "tags"),
        "Group": ("boss", "heads"),
        "Inner": ("boss", "parts"),
    }
    for kind_name, names in fields.items():
        for name in names:
            load(field_of(schema, kind_name, name), name, optional=name in {"boss", "any", "label"})
    load(field_of(schema, "Group", "any"), "anies", optional=True)
    in_context = field_of(schema, "Item", "scaled")
    in_context.resolve = lambda source, info: source.count * info.context.factor
    in_context.extensions[PLAIN] = Plain(
        in_context.resolve, lambda source, context: source.count * context.factor, in_context=True
    )
    if not whole:
        field_of(schema, "Item", "with").resolve = lambda source, info, a: source if a else None
        field_of(schema, "Item", "now").resolve = lambda source, info: f"{source.name} {info.path.key}"
        for name in ("late", "lateSure"):
            field_of(schema, "Item", name).resolve = _late
    return schema


async def _late(source: Any, _info: Any) -> Any:
    return source.inner and source.inner.item


def field_of(schema: GraphQLSchema, kind: str, name: str) -> GraphQLField:
    found = schema.type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    return found.fields[name]


def _is_of(kind: type) -> Callable[[Any, Any], bool]:
    return lambda value, _info: type(value) is kind


def load(field: GraphQLField, name: str, *, optional: bool, key: Plain | None = None) -> None:
    """Makes it one that the loader of this name brings, by the attribute `…_key`."""
    key = key or plain_attribute(None, f"{name}_key")

    async def resolve(source: Any, info: Any) -> Any:
        wanted = key.get(source)
        value = None if wanted is None else await info.context.loader(name).load(wanted)
        if value is None and wanted is not None and not optional:
            raise OwnError(f"nothing under {name}")
        return value

    field.resolve = resolve
    field.extensions[LOADED] = Loaded(resolve, key, lambda context: context.loader(name), optional)


SCHEMA, WHOLE = loaded_schema(), loaded_schema(whole=True)


def keys_read(reads: Collection[Read]) -> list[tuple[str, Any]]:
    return [(read.loader, key) for read in reads for key in read.keys]
