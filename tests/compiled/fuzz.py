"""Random documents over random values of our whole schema, executed by graphql-core alone and compiled."""

import random
from collections import Counter
from collections.abc import Collection, Hashable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, get_nullable_type

from community.permissions import NOBODY
from compiled import LOADED, PLAIN, Plans
from realtime.syntax import parse
from schema.context import Context
from schema.executor import AcyclicExecutor, CompletingExecutor
from schema.loaders import Loaders
from schema.schema import graphql_schema
from tests.compiled.both import CORE, executed, name_of, seen
from tests.compiled.documents import VARIABLES, Writer
from tests.compiled.values import Values
from tests.schema.asked import page_operations

SCHEMA = graphql_schema.core


class Core(AcyclicExecutor):
    def complete_list_value(self, *given: Any) -> Any:
        CORE[name_of(self)] += 1
        return super().complete_list_value(*given)

    def complete_object_value(self, *given: Any) -> Any:
        CORE[name_of(self)] += 1
        return super().complete_object_value(*given)


class Eager(CompletingExecutor, Core):
    plans = Plans(objects_a_field=0)


class Thrifty(CompletingExecutor, Core):
    plans = Plans(200_000, objects_a_field=1)


class World:
    """What resolvers give: the same at a path, whoever asks, until `renew`."""

    def __init__(self) -> None:
        self._given: dict[tuple[Any, ...], Any] = {}
        self._seed, self._wrong = "", 0.0

    def renew(self, seed: str, wrong: float) -> None:
        self._given, self._seed, self._wrong = {}, seed, wrong

    def resolve(self, field: GraphQLField, info: GraphQLResolveInfo[Any]) -> Any:
        path = tuple(info.path.as_list())
        if path not in self._given:
            chance = random.Random(f"{self._seed} {path}")  # noqa: S311
            self._given[path] = Values(SCHEMA, chance, self._wrong).of_field(field)
        return self._given[path]

    def brought(self, kind: Any, key: Any) -> Any:
        if (kind, key) not in self._given:
            chance = random.Random(f"{self._seed} {kind} {key}")  # noqa: S311
            self._given[kind, key] = Values(SCHEMA, chance, self._wrong).of(kind, 2)
        return self._given[kind, key]


WORLD = World()
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Loaded(Loaders):
    """Brings what there is by chance; nobody fails to read, which `test_loading.py` tries.

    `used`: whether anything was asked for. `kept`: the key by which a loader was asked for last.
    """

    used = False
    kept: Any = None

    def _kept(self, key: Hashable, read: Any) -> Any:
        self.used, self.kept = True, key
        kind = LOADED_TYPES.get(key)

        async def by_chance(keys: Collection[Any]) -> dict[Any, Any]:
            return {each: WORLD.brought(kind, each) for each in keys}

        return super()._kept(key, by_chance)


def _loaded_types() -> dict[Hashable, Any]:
    """The type of what each loader brings."""
    found: dict[Hashable, Any] = {}
    for kind in SCHEMA.type_map.values():
        for field in kind.fields.values() if isinstance(kind, GraphQLObjectType) else ():
            if loaded := field.extensions.get(LOADED):
                context = context_of_chance()
                loaded.loader(context)
                assert found.setdefault(
                    context.loaders.kept, get_nullable_type(field.type)
                ) == get_nullable_type(field.type)
    return found


def context_of_chance() -> Any:
    context = Context(lambda: NOW, None)  # type: ignore[arg-type]
    context.loaders = Loaded(NOBODY, lambda: NOW)
    return context


LOADED_TYPES: dict[Hashable, Any] = {}
LOADED_TYPES.update(_loaded_types())


@contextmanager
def resolvers_of_chance() -> Iterator[None]:
    """For every field that is neither plain nor loaded."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in SCHEMA.type_map.values():
            if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
                for field in kind.fields.values():
                    if PLAIN not in field.extensions and LOADED not in field.extensions:
                        patch.setattr(field, "resolve", _by_chance(field))
        yield


def _by_chance(field: GraphQLField) -> Any:
    def resolve(_source: Any, info: GraphQLResolveInfo[Any], **_given: Any) -> Any:
        return WORLD.resolve(field, info)

    return resolve


async def differences(seed: int, executions: int) -> tuple[list[str], Counter[str]]:
    """What was found, and what was done: `documents`, `executions`, `errors` and completions by executor."""
    chance = random.Random(seed)  # noqa: S311
    writer, page = Writer(SCHEMA, chance), list(page_operations().values())
    found, done = list[str](), Counter[str]()
    CORE.clear()
    with resolvers_of_chance():
        while done["executions"] < executions:
            of_page = chance.random() < 0.1
            text = chance.choice(page) if of_page else writer.document()
            document = parse(text)
            done["documents"] += 1
            for round_ in range(3):
                given = writer.variables(document) if of_page else chance.choice(VARIABLES)
                WORLD.renew(f"{seed} {done['documents']} {round_}", chance.choice((0, 10, 30, 60)))
                context = context_of_chance()
                expected = seen(await executed(Core, SCHEMA, document, None, given, context=context))
                done["errors"] += bool(expected[1])
                done["loaded"] += context.loaders.used
                for ours in (Eager, Thrifty):
                    done["executions"] += 1
                    mine = context_of_chance()
                    got = seen(await executed(ours, SCHEMA, document, None, given, context=mine))
                    if got != expected:
                        found.append(f"{ours.__name__} {given} {text}\n{expected}\n{got}")
    return found, done + CORE
