"""Every operation × who asks × the scope of the token × a community public or not, as rights.md has it.

The table is written from the rules, not from what comes out. Everybody here asks with the same account, which
owns, has cast a ballot and has signed up: what is not shown is kept back by a right, not for want of it.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from graphql import GraphQLObjectType, is_introspection_type

from community.members.actions import add_co_owners
from community.permissions import CITY, NOBODY, SYSTEM, Permission, Person, Role, Viewer
from community.places.models import Community
from realtime.audience import Audience, mark_of
from schema.context import Context
from schema.nodes import NODES
from schema.schema import graphql_schema
from tests.examples import FOLDER, Ground, Read, demand, examples, of_all, topic_of

DAY = timedelta(days=1)
TABLE = Path(__file__).with_name("rights.md")
OF_TOPICS = sorted(FOLDER.glob("*.md"))
"""Of topics that came later: their grids, and which scope theirs are like elsewhere."""

WHOLE = "all"
"""The column of a session that is not narrowed."""

GIVEN, ABSENT, FORBIDDEN, UNAUTHENTICATED = "●", "–", "F", "U"
DOORS = {"NOT_FOUND": ABSENT, "FORBIDDEN": FORBIDDEN, "UNAUTHENTICATED": UNAUTHENTICATED}


# The table


class Cell(NamedTuple):
    operation: str
    community: str
    who: str
    scope: str


def rows(lines: list[str]) -> Iterator[list[str]]:
    for line in lines:
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def read_tables() -> tuple[dict[Cell, str], list[str]]:
    """What each cell says, and what is wrong with the tables themselves."""
    said: dict[Cell, str] = {}
    wrong: list[str] = []
    heads = {}
    for file in (TABLE, *OF_TOPICS):
        head, *grids = re.split(r"^### ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        heads[file] = {name: words.split() for name, words in rows(head.splitlines())}
        for grid in grids:
            for cell, outcome in cells_of(grid, heads[TABLE]):
                if cell in said:
                    wrong.append(f"twice: {cell}")
                said[cell] = outcome
    for file in OF_TOPICS:
        alike = {scope: words[0] for scope, words in heads[file].items() if scope in set(Permission)}
        for cell, outcome in list(said.items()):
            for scope in [one for one, like in alike.items() if like == cell.scope]:
                said.setdefault(cell._replace(scope=scope), outcome)
    return said, wrong


def cells_of(grid: str, groups: Mapping[str, list[str]]) -> Iterator[tuple[Cell, str]]:
    title, *lines = grid.splitlines()
    (_, _, *scopes), *body = rows(lines)
    for communities, group, *outcomes in body:
        for operation in title.split(", "):
            for community in communities.split():
                for who in (one for name in group.split() for one in groups.get(name, [name])):
                    for scope, outcome in zip(scopes, outcomes, strict=True):
                        yield Cell(operation, community, who, scope), outcome


SAID, WRONG = read_tables()


# Who asks


def people(here: int, elsewhere: int, account: int) -> dict[str, Viewer]:
    def one(*roles: Role, at: int = here, demonstration: bool = False) -> Person:
        return Person(account, "somebody", {at: frozenset(roles)}, demonstration=demonstration)

    return {
        "NOBODY": NOBODY,
        "ACCOUNT": Person(account, "somebody"),
        "ELSEWHERE": one(Role.OWNER, Role.COMMITTEE, at=elsewhere),
        **{role.value: one(role) for role in Role},
        **{f"CITY:{role}": one(role, at=CITY) for role in (Role.REGULATOR, Role.INTEGRATOR, Role.OPERATOR)},
        **{f"DEMO:{role}": one(role, demonstration=True) for role in (Role.OWNER, Role.COMMITTEE)},
        "DEMO:CITY:REGULATOR": one(Role.REGULATOR, at=CITY, demonstration=True),
        "DEMO:CITY:OPERATOR": one(Role.OPERATOR, at=CITY, demonstration=True),
    }


# What is asked


def leaves(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Whatever stands at a path, of each item of a list."""
    if isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    elif value is not None and path:
        yield from leaves(value[path[0]], path[1:])
    elif value is not None:
        yield value


def shows(read: Read, value: Any, slug: str) -> bool:
    """Whether what was read is there; of a list of communities, whether it holds this one; of an eligibility,
    whether the door is passed: what the rules behind it say is no matter.
    """
    found = list(leaves(value, tuple(filter(None, read.path.split(".")))))
    if read.eligibility:
        return bool(found) and not {one["code"] for one in found} & DOORS.keys()
    return slug in found if read.path.endswith("slug") else bool(found)


QUERIES = of_all(lambda topic: topic.reads)
MUTATIONS = of_all(lambda topic: topic.doors)
SUBSCRIPTIONS = of_all(lambda topic: topic.watches)
LIVE = {name: read for name, read in QUERIES.items() if read.live} | {
    name: Read(text) for name, text in SUBSCRIPTIONS.items()
}

AT_ONCE = 6
"""Queries of one document: few enough for every bound on documents."""


TOGETHER = 8
"""Who asks at once, so that no engine waits for us."""


# Two communities


@dataclass(frozen=True)
class Grounds:
    """The same things in a public community and in one that is not, and the one account that asks."""

    ids: Mapping[str, Mapping[str, str]]
    people: Mapping[str, Mapping[str, Viewer]]


_SLUGS = {"public": "spring", "hidden": "quiet"}


@pytest.fixture
async def grounds(house: Any) -> Grounds:
    """The town as a real one: nothing of it is of the demonstration."""
    town = house.town
    await Community.all().update(demonstration=False)
    account = town.key("Account", "spring/resident-1")
    party = town.key("OwnerParty", "quiet/resident-1")
    await add_co_owners(SYSTEM, house.now - DAY, party, [account])
    ids: dict[str, dict[str, str]] = {}
    everybody: dict[str, Mapping[str, Viewer]] = {}
    for kind, slug in _SLUGS.items():
        community = town.key("Community", slug)
        owner = Person(account, roles={community: frozenset({Role.OWNER})})
        ids[kind] = {}
        for topic in examples().values():
            ids[kind] |= await topic.ids(Ground(house, slug, community, owner))
        other = town.key("Community", "quiet" if slug == "spring" else "spring")
        everybody[kind] = people(community, other, account)
    return Grounds(ids, everybody)


# Asking


def of_errors(errors: Any, name: str) -> str | None:
    """How the door answered, of the errors below the field `name`; GIVEN where a rule behind it refused."""
    codes = [error.extensions["code"] for error in errors or [] if (error.path or [name])[0] == name]
    assert not {"INTERNAL", "TRY_AGAIN"} & set(codes), errors
    return DOORS.get(codes[0], GIVEN) if codes else None


class Asking:
    def __init__(self, house: Any, viewer: Viewer, ids: Mapping[str, str]) -> None:
        self._house, self._viewer, self._ids = house, viewer, ids

    def _context(self) -> Context:
        return Context(lambda: self._house.now, self._house.sources, self._viewer)

    async def everything(self) -> dict[str, str]:
        return {**await self._queries(), **await self._mutations(), **await self._subscriptions()}

    async def _queries(self) -> dict[str, str]:
        found: dict[str, str] = {}
        names = [name for name, read in QUERIES.items() if not read.live]
        for index in range(0, len(names), AT_ONCE):
            some = {f"q{number}": name for number, name in enumerate(names[index : index + AT_ONCE])}
            text = " ".join(
                f"{alias}: {QUERIES[name].text.format(**self._ids)}" for alias, name in some.items()
            )
            result = await graphql_schema.execute(f"{{ {text} }}", context_value=self._context())
            assert result.data is not None, result.errors
            for alias, name in some.items():
                shown = shows(QUERIES[name], result.data[alias], self._ids["slug"])
                found[name] = of_errors(result.errors, alias) or (GIVEN if shown else ABSENT)
        return found

    async def _mutations(self) -> dict[str, str]:
        found = {}
        for name, text in MUTATIONS.items():
            document = f"mutation {{ {text.format(**self._ids)} }}"
            result = await graphql_schema.execute(document, context_value=self._context())
            found[name] = of_errors(result.errors, name) or GIVEN
        return found

    async def _subscriptions(self) -> dict[str, str]:
        found = {}
        for name, read in LIVE.items():
            document = f"subscription {{ {read.text.format(**self._ids)} }}"
            stream: Any = await graphql_schema.subscribe(document, context_value=self._context())
            async with aclosing(stream):
                result = await anext(stream)
            data = result.data or {}
            shown = any(shows(read, value, self._ids["slug"]) for value in data.values())
            field = read.text.partition("(")[0]
            found[name] = of_errors(result.errors, field) or (GIVEN if shown else ABSENT)
        return found


def asked(people: Mapping[str, Viewer]) -> Iterator[tuple[str, str, Viewer]]:
    for who, viewer in people.items():
        yield who, WHOLE, viewer
        if isinstance(viewer, Person):
            for scope in Permission:
                yield who, scope, replace(viewer, scopes=frozenset({scope}))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", _SLUGS)
async def test_everybody_is_answered_as_the_table_says(house: Any, grounds: Grounds, kind: str) -> None:
    otherwise: list[str] = []

    async def compare(who: str, scope: str, viewer: Viewer) -> None:
        found = await Asking(house, viewer, grounds.ids[kind]).everything()
        for operation, outcome in found.items():
            said = SAID.get(Cell(operation, kind, who, scope), "nothing")
            if outcome != said:
                otherwise.append(f"{kind} {operation} {who} {scope}: {outcome}, not {said}")

    everybody = list(asked(grounds.people[kind]))
    for index in range(0, len(everybody), TOGETHER):
        await asyncio.gather(*(compare(*one) for one in everybody[index : index + TOGETHER]))
    assert otherwise == []


# Nothing is left out


def operations() -> set[str]:
    """Every root field, every type with a node, every field that depends on the viewer."""
    schema = graphql_schema.core
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    found = {name for root in roots if root for name in root.fields} - {"node"}
    found |= {f"node({name})" for name in NODES}
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind) and kind not in roots:
            fields = kind.fields.items()
            found |= {
                f"{kind.name}.{name}"
                for name, field in fields
                if kind.name == "Viewer" or mark_of(field) is not Audience.EVERYBODY
            }
    return found


def test_each_operation_and_each_scope_is_in_the_tables() -> None:
    known = {cell.operation for cell in SAID}
    unsaid = sorted(f"topic {topic_of(name)} says nothing of {name}" for name in operations() - known)
    assert unsaid == [], "in a grid of tests/topics/<topic>.md"
    assert known <= operations()
    said = {(cell.operation, cell.scope) for cell in SAID}
    lacking = {
        scope: len(left)
        for scope in (WHOLE, *Permission)
        if (left := [name for name in known if (name, scope) not in said])
    }
    assert lacking == {}, "in so many grids; tests/topics/<topic>.md says as which scope it is elsewhere"


def test_the_tables_lack_nothing_and_say_nothing_twice() -> None:
    assert WRONG == []
    assert {cell.operation for cell in SAID} == operations()
    assert {cell.scope for cell in SAID} == {WHOLE, *Permission}
    everybody = set(people(1, 2, 3))
    assert everybody >= {role.value for role in Role}
    unsaid = [
        cell
        for operation in operations()
        for kind in _SLUGS
        for who in everybody
        for scope in (WHOLE, *Permission)
        if (cell := Cell(operation, kind, who, scope)) not in SAID
    ]
    assert unsaid == []
    assert len(SAID) == len(operations()) * len(_SLUGS) * len(everybody) * (1 + len(Permission))
    assert set(SAID.values()) <= {GIVEN, ABSENT, FORBIDDEN, UNAUTHENTICATED}


def test_everything_in_the_table_is_asked() -> None:
    core, asked = graphql_schema.core, {*QUERIES, *MUTATIONS, *SUBSCRIPTIONS}
    demand("doors", core.mutation_type.fields, MUTATIONS)  # type: ignore[union-attr]
    demand("watches", core.subscription_type.fields, SUBSCRIPTIONS)  # type: ignore[union-attr]
    demand("reads", operations() - MUTATIONS.keys() - SUBSCRIPTIONS.keys(), QUERIES)
    assert asked <= operations()
