"""No difference between what graphql-core answers by itself and with loaded fields compiled."""

import random
from collections import Counter
from typing import Any

import pytest
from graphql import DocumentNode, ExecutionResult, GraphQLSchema

from compiled import CompiledExecutor, Plans
from realtime.syntax import parse
from tests.compiled.both import CORE, Core, executed, seen
from tests.compiled.documents import VARIABLES, Writer
from tests.compiled.loading import SCHEMA, WHOLE, Context, World, keys_read
from tests.compiled.test_fuzz import SOAK_SEED


class Again(CompiledExecutor, Core):
    def context_again(self) -> Context:
        context: Context = self.context_value
        return context.again()


class Eager(Again):
    plans = Plans(objects_a_field=0)


class Thrifty(Again):
    plans = Plans(300_000, objects_a_field=1)


class Trial:
    """One document over one world: what graphql-core says of it by itself."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, world: World, given: Any) -> None:
        self._schema, self._document, self._world, self._given = schema, document, world, given
        self._root, self._context = world.root(), Context(world)

    async def expect(self) -> None:
        self.expected = seen(await self._by(Core, self._context))

    async def wrong_with(self, ours: type[CompiledExecutor]) -> str | None:
        context = Context(self._world)
        got = seen(await self._by(ours, context))
        keys, expected = keys_read(context.reads), keys_read(self._context.reads)
        if got != self.expected:
            return f"{self.expected}\n{got}"
        if len(set(keys)) < len(keys):
            return f"read twice: {keys}"
        if not self.expected[1] and set(keys) != set(expected):
            return f"read:\n{sorted(keys)}\n{sorted(expected)}"
        return None

    async def _by(self, by: Any, context: Context) -> ExecutionResult:
        return await executed(by, self._schema, self._document, self._root, self._given, context=context)


async def differences(seed: int, executions: int) -> tuple[list[str], Counter[str]]:
    chance = random.Random(seed)  # noqa: S311
    writers = {schema: Writer(schema, chance, depth=5, width=4) for schema in (SCHEMA, WHOLE)}
    found, done = list[str](), Counter[str]()
    CORE.clear()
    while done["executions"] < executions:
        schema, writer = chance.choice(list(writers.items()))
        text = writer.document()
        document = parse(text)
        done["documents"] += 1
        for round_ in range(3):
            given = chance.choice(VARIABLES)
            world = World(f"{seed} {done['documents']} {round_}", chance.choice((0, 10, 30, 80)))
            trial = Trial(schema, document, world, given)
            await trial.expect()
            done["errors"] += bool(trial.expected[1])
            for ours in (Eager, Thrifty):
                done["executions"] += 1
                if wrong := await trial.wrong_with(ours):
                    found.append(f"{ours.__name__} {given} {text}\n{wrong}")
    return found, done + CORE


def check(found: list[str], done: Counter[str]) -> None:
    assert found[:1] == []
    assert done["errors"] * 2 >= done["executions"] * 0.15
    assert done["Eager"] < done["Core"] / 4, "hardly anything was compiled"


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
async def test_clients_see_no_difference() -> None:
    check(*await differences(seed=3, executions=240))


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
@pytest.mark.parametrize("part", range(4))
async def test_clients_see_no_difference_for_long(part: int) -> None:
    print(f"COMPILED_SEED={SOAK_SEED}")  # noqa: T201
    found, done = await differences(seed=1000 * SOAK_SEED + part, executions=3000)
    print(dict(done))  # noqa: T201
    check(found, done)
