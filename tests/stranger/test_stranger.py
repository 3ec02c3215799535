"""A stranger's shorter hour: some hundreds of documents, frames and heads, by seeds that are always the same.

What is bounded is counted: statements, and CPU time. Nothing here is decided by a clock on the wall.
"""

import logging
from collections.abc import Callable

import pytest
from graphql import GraphQLSchema

from schema.cost import MOST_STATEMENTS
from schema.prepared import PreparedDocuments
from schema.schema import graphql_schema
from tests.leftovers import leftovers
from tests.pace import slowness
from tests.stranger.dearest import Search
from tests.stranger.documents import SHAPES, Writer
from tests.stranger.inside import Answer, Inside
from tests.stranger.strangers import MOST_CPU, QUIET, Attacked, faults
from tests.stranger.town import chance_of

pytestmark = [pytest.mark.xdist_group("stranger"), pytest.mark.timeout(170)]

log = logging.getLogger("stranger")

STEPS = 40
"""Of each search for the dearest; the long one takes thousands."""


async def test_no_document_is_dear_or_tells_what_it_must_not(inside: Inside, schema: GraphQLSchema) -> None:
    grounds, found = inside.grounds, []
    for number in range(500):
        chance = chance_of(f"short/{number}")
        request, asker = Writer(schema, chance, grounds.words).request(), chance.choice(grounds.askers)
        answer = await inside.ask(request, asker)
        what = [*grounds.leaks(asker, str(request.payload), answer.text)]
        if answer.cpu > MOST_CPU and (await inside.ask(request, asker)).cpu > MOST_CPU * slowness():
            what.append(f"{1000 * answer.cpu:.0f} ms of CPU")
        if answer.statements > MOST_STATEMENTS:
            what.append(f"{answer.statements} statements")
        if {"INTERNAL", "None"} & set(answer.codes):
            what.append(answer.text[:200])
        found += [f"{number} ({request.shape}, {asker.name}): {each}" for each in what]
    assert "\n".join(found) == ""


async def test_what_is_answered_leaves_nothing_to_the_collector(
    inside: Inside, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cycle keeps all rows that were read for it, and what still waits for the collector is what memory
    stands above its need.
    """
    grounds, found = inside.grounds, dict[str, int]()
    monkeypatch.setattr(graphql_schema, "prepared", PreparedDocuments(graphql_schema.core, most_bytes=0))
    for name in SHAPES:
        asked = []
        for number in range(12):
            chance = chance_of(f"left/{name}/{number}")
            request = Writer(schema, chance, grounds.words).shaped(name)
            asked.append((request, chance.choice(grounds.askers)))
        with leftovers() as left:
            for request, asker in asked:
                await inside.ask(request, asker)
        found[name] = len(left)
    assert found == dict.fromkeys(SHAPES, 0)


def by_cpu(answer: Answer) -> float:
    return answer.cpu


def by_statements(answer: Answer) -> float:
    return float(answer.statements)


@pytest.mark.parametrize(
    "steps", [STEPS, pytest.param(1500, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1800)])]
)
@pytest.mark.parametrize("score", [by_cpu, by_statements])
async def test_the_dearest_that_is_accepted_is_within_bounds(
    inside: Inside, schema: GraphQLSchema, score: Callable[[Answer], float], steps: int
) -> None:
    """It is looked for by whoever may see the most."""
    asker = next(each for each in inside.grounds.askers if each.name == "spring/resident-2")
    writer = Writer(schema, chance_of(f"dearest/{score.__name__}"), inside.grounds.words, careful=True)
    search = Search(writer, lambda request: inside.ask(request, asker), score)
    for _ in range(steps):
        await search.step()
    log.info("%s accepted of %s, the dearest: %s", search.accepted, search.asked, search.dearest)
    sure, dearest = await search.sure_of_dearest(), str(search.dearest)
    assert search.accepted > steps / 10
    assert (sure.statements > MOST_STATEMENTS, sure.cpu > MOST_CPU * slowness()) == (False, False), dearest


async def test_what_is_hidden_answers_as_what_is_not_there(inside: Inside, schema: GraphQLSchema) -> None:
    """Each document twice: with ids of the hidden community, and with ids of nothing at all."""
    grounds, compared, found = inside.grounds, 0, []
    outside = [asker for asker in grounds.askers if "quiet" not in asker.sees]
    for number in range(200):
        chance = chance_of(f"hidden/{number}")
        writer = Writer(schema, chance, grounds.only_hidden, careful=True)
        request = writer.shaped(chance.choice(("path", "mutation", "plain", "aliases")))
        asker = chance.choice(outside)
        first, second = await inside.ask(request, asker), await inside.ask(grounds.unknown(request), asker)
        if grounds.with_unknown(first.comparable) != second.comparable:
            found.append(
                f"{number} ({asker.name}): {request.query[:300]}\n  {first.text[:300]}\n  {second.text[:300]}"
            )
        compared += not {"INVALID_INPUT", "UNAUTHENTICATED"} & set(first.codes)
    assert "\n".join(found) == ""
    assert compared > 60


async def test_a_server_stands_whatever_comes(attacked: Attacked, schema: GraphQLSchema) -> None:
    """Twice as much brings nothing new: no stretch, no fault, no leak, nothing that is kept."""
    strangers = attacked.strangers(schema, "warm")
    grown = []
    for strangers.seed in ("warm", "short"):
        before = attacked.memory()
        for kind, times in TIMES.items():
            await strangers.play_all(kind, range(times), at_once=4)
        await strangers.confirm()
        grown.append(attacked.memory() - before)
    log.info("longest stretch %.0f ms, memory grown by %s", attacked.stretches.longest, grown)
    assert "\n".join(map(str, strangers.findings[:50])) == ""
    assert "\n".join(faults(attacked.server.log())) == ""
    assert attacked.server.process.poll() is None
    assert await attacked.rest() == QUIET
    assert grown[1] < MOST_GROWTH


TIMES = {"documents": 80, "frames": 40, "heads": 50}
MOST_GROWTH = 48 * 1024 * 1024
"""Bytes of documents that may be remembered; what is kept by mistake comes on top of it."""
