"""How many statements an answer costs: as many as it has different selections, however wide it is.

Every field of the schema that computes something is asked here, so that one which reads by itself is found.
Executed without the schema's limits, which would refuse most of it.
"""

from datetime import timedelta
from inspect import isawaitable
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    execute,
    get_named_type,
    is_composite_type,
    is_introspection_type,
    is_object_type,
    parse,
)

from community.actions import found_community
from community.database.remembered import Remembered
from community.events.actions import publish_event
from community.members.actions import NewParty, enter_owners
from community.permissions import SYSTEM, Viewer
from community.places.actions import (
    NewCommunity,
    NewUnit,
    enter_buildings,
    enter_organizations,
    enter_units,
)
from community.places.reads import organizations_of
from community.places.rules import OrganizationKind, Profile, UnitKind
from community.votes.reads import questions_of
from realtime.documents import Documents
from realtime.execution import execute as execute_live
from realtime.fields import SubscribeRequest
from realtime.journals import Item
from schema.executable import ExecutableSchema
from schema.nodes import to_id
from schema.schema import graphql_schema
from tests.examples import Plenty, demand, examples, of_all
from tests.schema.documents import COMMUNITIES, CURSORS, ROOT

CORE = graphql_schema.core
WHO = "spring/resident-1"
DAY = timedelta(days=1)

WAYS = {kind: COMMUNITIES % way for kind, way in of_all(lambda topic: topic.ways).items()}
ALONE = of_all(lambda topic: topic.ways_to_one)
WAYS |= ALONE
"""How many of each type that computes something are come by."""

GIVEN = of_all(lambda topic: topic.arguments)
"""The arguments of fields that cannot be asked without."""


def computing() -> dict[tuple[str, str], GraphQLField]:
    """Every field of what may be asked that is not a value which lies ready."""
    roots = {CORE.mutation_type, CORE.subscription_type}
    return {
        (kind.name, name): field
        for kind in CORE.type_map.values()
        if is_object_type(kind) and kind not in roots and not is_introspection_type(kind)
        for name, field in kind.fields.items()
        if not field.extensions["strawberry-definition"].is_basic_field
    }


FIELDS = list(computing())


class Counted:
    """Asks, and says what it cost."""

    def __init__(self, house: Any, statements: list[str]) -> None:
        self.house, self._statements = house, statements

    async def ask(self, query: str, who: str | None = WHO) -> tuple[int, Any]:
        context, town = await self.house.context(who), self.house.town
        if query.startswith("subscription"):
            result = await self._item(query, context.viewer, spring=town.id("Community", "spring"))
        else:
            self._statements.clear()
            variables = {"party": town.id("OwnerParty", WHO)}
            result = execute(CORE, parse(query), context_value=context, variable_values=variables)
            result = await result if isawaitable(result) else result
        assert not result.errors, result.errors
        return len(self._statements), result.data

    async def _item(self, query: str, viewer: Viewer, **variables: Any) -> Any:
        """The first one of a journal, as the server executes it for whoever may see the same."""
        executable = ExecutableSchema(lambda: self.house.now, self.house.sources)
        document = Documents(executable).read(SubscribeRequest(query, variables, None))
        (row,) = await document.live.declaration.items_after(document.bind(variables)[0], 0, 1)
        shown = document.live.show(Item(row, ""))
        self._statements.clear()
        return await execute_live(executable, document.node, document.renamed(variables), shown, viewer)

    async def cost(self, query: str, who: str | None = WHO) -> int:
        return (await self.ask(query, who))[0]

    def selection(self, kind: str, name: str, alias: str = "x") -> str:
        field = computing()[kind, name]
        below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
        given = GIVEN.get(f"{kind}.{name}", lambda _: "")(self.house.town)
        return f"{alias}: {name}{given}{below} "


@pytest.fixture
def counted(house: Any, statements: list[str], monkeypatch: pytest.MonkeyPatch) -> Counted:
    """In a process that remembers nothing, as one that has just begun."""
    monkeypatch.setattr(Remembered, "get", lambda *_: None)
    return Counted(house, statements)


async def enrich(house: Any, community: int, committee: int, times: int = 1) -> None:
    """Of everything one more, in which resident-1 has a part."""
    standing = [organization.id for organization in (await organizations_of([community]))[community]]
    plenty = Plenty(house.now, community, committee, standing[:times], await house.viewer(WHO))
    for _ in range(times):
        for topic in examples().values():
            await topic.enrich(plenty)


async def another_community(house: Any) -> tuple[int, int]:
    """Open to everybody, where resident-1 owns a unit too; with its committee."""
    since = house.now - 400 * DAY
    made = await found_community(
        SYSTEM, since,
        NewCommunity("autumn", "秋水", "萧山区", 1, profile=Profile(1, True), demonstration=True),
    )  # fmt: skip
    kinds = (OrganizationKind.OWNERS_COMMITTEE, OrganizationKind.PROPERTY_SERVICE)
    committee, _ = await enter_organizations(SYSTEM, since, made, [(kind, "x") for kind in kinds])
    account = (await house.viewer(WHO)).account
    buildings = await enter_buildings(SYSTEM, since, made, ["1幢", "2幢"])
    new = [NewUnit(building, "1室", UnitKind.DWELLING, 9_000) for building in buildings]
    units = await enter_units(SYSTEM, since, made, new)
    await enter_owners(SYSTEM, since, made, [NewParty(units, [account])])
    return made, committee


@pytest.fixture
async def rich(house: Any) -> Any:
    town = house.town
    await enrich(house, town.key("Community", "spring"), town.key("Organization", "spring/committee"))
    return house


async def grow(house: Any) -> None:
    town = house.town
    await enrich(house, town.key("Community", "spring"), town.key("Organization", "spring/committee"), 3)
    await enrich(house, *await another_community(house), 3)


def answers(data: Any, key: str = "x") -> int:
    """How often a field was answered."""
    if isinstance(data, dict):
        return sum(answers(value, key) + (name == key) for name, value in data.items())
    return sum(answers(value, key) for value in data) if isinstance(data, list) else 0


async def test_the_same_under_many_names_costs_as_much_as_once(rich: Any, counted: Counted) -> None:
    demand("ways", {kind for kind, _ in FIELDS}, WAYS)
    assert {kind for kind, _ in FIELDS} == set(WAYS)
    dear = {}
    for kind, name in FIELDS:
        once = await counted.cost(WAYS[kind] % counted.selection(kind, name))
        aliases = [counted.selection(kind, name, f"a{number}") for number in range(20)]
        often = await counted.cost(WAYS[kind] % "".join(aliases))
        if often != once:
            dear[kind, name] = once, often
    assert dear == {}


async def test_of_many_it_costs_as_much_as_of_few(rich: Any, counted: Counted) -> None:
    few = {
        (kind, name): await counted.ask(WAYS[kind] % counted.selection(kind, name)) for kind, name in FIELDS
    }
    await grow(rich)
    dear = {}
    for kind, name in FIELDS:
        cost, data = await counted.ask(WAYS[kind] % counted.selection(kind, name))
        before, former = few[kind, name]
        assert kind in ALONE or answers(data) > answers(former) > 0, (kind, name)
        if cost != before:
            dear[kind, name] = before, cost
    assert dear == {}


async def test_the_way_of_looking_finds_a_field_that_reads_by_itself(
    rich: Any, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def by_itself(vote: Any, info: Any) -> Any:
        return (await questions_of([vote.id]))[vote.id]

    monkeypatch.setattr(computing()["Vote", "questions"], "resolve", by_itself)
    one, two = (counted.selection("Vote", "questions", alias) for alias in "ab")
    assert await counted.cost(MANY % (one + two)) > await counted.cost(MANY % one)
    before = await counted.cost(MANY % one)
    await grow(rich)
    assert await counted.cost(MANY % one) > before


MANY = WAYS["Vote"]
PAGED = {
    name: (COMMUNITIES % way, below) for name, (way, below) in of_all(lambda topic: topic.pages).items()
} | {"communities": (ROOT, CURSORS)}


def test_every_list_of_a_given_length_is_asked_for_here() -> None:
    paged = {name: f"{kind}.{name}" for (kind, name), field in computing().items() if "first" in field.args}
    demand("pages", [paged[name] for name in paged.keys() - PAGED.keys()], ())
    assert PAGED.keys() <= paged.keys()


@pytest.mark.parametrize("name", PAGED)
async def test_other_arguments_cost_one_statement_each_however_many_ask(
    rich: Any, counted: Counted, name: str
) -> None:
    way, below = PAGED[name]
    once = await counted.cost(way % f"{name}(first: 1){below}")
    aliases = [f"a{first}: {name}(first: {first}){below} " for first in range(1, 21)]
    assert await counted.cost(way % "".join(aliases)) <= once + 19
    await grow(rich)
    assert await counted.cost(way % "".join(aliases)) <= once + 19


BY_KEY = of_all(lambda topic: topic.by_key)


@pytest.mark.parametrize("kind", BY_KEY)
async def test_things_asked_for_by_themselves_are_read_together(
    rich: Any, counted: Counted, kind: str
) -> None:
    keys = BY_KEY[kind](rich.town)
    asked = [f"a{number}: {kind}({key}) {{ id }} " for number, key in enumerate(keys)]
    once = await counted.cost(ROOT % asked[0])
    assert await counted.cost(ROOT % "".join(asked)) == once


HOSTILE = of_all(lambda topic: topic.dearest)


@pytest.mark.parametrize("name", HOSTILE)
async def test_the_dearest_documents_need_few_statements(rich: Any, counted: Counted, name: str) -> None:
    await grow(rich)
    assert await counted.cost(HOSTILE[name]) <= 40


# What is read once must not be shown when it is no longer true


SIGN_UP = """mutation($one: ID!, $two: ID!) {
  a: signUp(eventId: $one, partySize: 2) { event { attendance { signedUp } viewerSignUp { partySize } } }
  b: signUp(eventId: $two, partySize: 3) { event { attendance { signedUp }
     community { events(coming: true) { edges { node { id attendance { signedUp } } } } } } }
}"""


async def test_what_a_mutation_wrote_is_seen_by_the_next_one(house: Any) -> None:
    committee, community = await house.viewer("spring/committee"), house.town.key("Community", "spring")
    starts = house.now + DAY
    other = await publish_event(
        committee, house.now, community, title="茶", description="", place="x", starts_at=starts,
        ends_at=starts + DAY, sign_up_closes_at=None, capacity=None, max_party_size=4, potluck=False,
    )  # fmt: skip
    picnic = house.town.id("Event", "picnic")
    done = await house.ask(SIGN_UP, WHO, one=picnic, two=to_id("Event", other))
    assert done["a"]["event"] == {"attendance": {"signedUp": 2}, "viewerSignUp": {"partySize": 2}}
    assert done["b"]["event"]["attendance"] == {"signedUp": 3}
    events = {edge["node"]["id"]: edge["node"] for edge in done["b"]["event"]["community"]["events"]["edges"]}
    assert [events[key]["attendance"]["signedUp"] for key in (picnic, to_id("Event", other))] == [2, 3]


TWICE = """mutation($one: ID!) {
  a: signUp(eventId: $one, partySize: 2, key: "a") { id event { attendance { signedUp } } }
  b: signUp(eventId: $one, partySize: 2, key: "a") { id event { attendance { signedUp } } }
}"""


async def test_the_same_thing_written_again_is_read_again(house: Any, statements: list[str]) -> None:
    done = await house.ask(TWICE, WHO, one=house.town.id("Event", "picnic"))
    assert done["a"] == done["b"]
    assert sum("FROM event t" in statement for statement in statements) >= 2
