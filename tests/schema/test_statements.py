"""How many statements an answer costs: as many as it has different selections, however wide it is.

Every field of the schema that computes something is asked here, so that one which reads by itself is found.
Executed without the schema's limits, which would refuse most of it.
"""

from collections.abc import Callable
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
from community.bulletin.actions import publish_notice
from community.bulletin.rules import NoticeKind
from community.events.actions import publish_event, sign_up
from community.ledger.actions import reverse_entry
from community.members.actions import NewParty, enter_owners
from community.permissions import SYSTEM
from community.places.actions import (
    NewCommunity,
    NewUnit,
    enter_buildings,
    enter_organizations,
    enter_units,
)
from community.places.reads import organizations_of
from community.places.rules import OrganizationKind, Profile, UnitKind
from community.votes.actions import NewQuestion, announce_vote, cast_ballot, open_vote
from community.votes.casting import Answered, QuestionKind, VoteForm
from community.votes.reads import questions_of
from community.votes.rules import Matter
from schema.nodes import to_id
from schema.schema import graphql_schema
from tests.world.books import entry_of_before

CORE = graphql_schema.core
WHO = "spring/resident-1"
DAY = timedelta(days=1)

ROOT, VIEWER = "{ %s }", "{ viewer { %s } }"
COMMUNITIES = "{ communities(first: 100) { edges { node { %s } } } }"
VOTES = COMMUNITIES % "votes(first: 100) { edges { node { %s } } }"
EVENTS = COMMUNITIES % "events(first: 100) { edges { node { %s } } }"
LEDGERS = COMMUNITIES % "ledger { %s }"
WAYS = {
    "Query": ROOT,
    "Viewer": VIEWER,
    "Community": COMMUNITIES,
    "Building": COMMUNITIES % "buildings { %s }",
    "Organization": COMMUNITIES % "organizations { %s }",
    "OwnerParty": "query($party: ID!) { node(id: $party) { ... on OwnerParty { %s } } }",
    "Vote": VOTES,
    "Question": VOTES % "questions { %s }",
    "RollEntry": VOTES % "viewerEntries { %s }",
    "BallotReceipt": VOTES % "viewerEntries { ballot { %s } }",
    "Answer": VOTES % "viewerEntries { ballot { answers { %s } } }",
    "Event": EVENTS,
    "EventAttendance": EVENTS % "attendance { %s }",
    "SignUp": EVENTS % "viewerSignUp { %s }",
    "Notice": COMMUNITIES % "notices(first: 100) { edges { node { %s } } }",
    "BulletinItem": COMMUNITIES % "bulletin(first: 100) { edges { node { %s } } }",
    "Ledger": LEDGERS,
    "Entry": LEDGERS % "entries(first: 100) { edges { node { %s } } }",
    "EntryLimits": "{ limits { entry { %s } } }",
}
"""How many of each type that computes something are come by."""

ALONE = {"Query", "Viewer", "EntryLimits", "OwnerParty"}

GIVEN: dict[tuple[str, str], Callable[[Any], str]] = {
    ("Query", "community"): lambda town: '(slug: "spring")',
    ("Query", "vote"): lambda town: f'(id: "{town.id("Vote", "open")}")',
    ("Query", "event"): lambda town: f'(id: "{town.id("Event", "picnic")}")',
    ("Query", "node"): lambda town: f'(id: "{town.id("Entry", "rent")}")',
    ("Event", "table"): lambda town: "(number: 1)",
    ("Community", "vote"): lambda _: "(number: 1)",
    ("Community", "event"): lambda _: "(number: 1)",
    ("Community", "notice"): lambda _: "(number: 1)",
    ("Ledger", "entry"): lambda _: "(number: 1)",
    ("Viewer", "permissions"): lambda town: f'(communityId: "{town.id("Community", "spring")}")',
}
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
        context = await self.house.context(who)
        self._statements.clear()
        variables = {"party": self.house.town.id("OwnerParty", WHO)}
        result: Any = execute(CORE, parse(query), context_value=context, variable_values=variables)
        result = await result if isawaitable(result) else result
        assert not result.errors, result.errors
        return len(self._statements), result.data

    async def cost(self, query: str, who: str | None = WHO) -> int:
        return (await self.ask(query, who))[0]

    def selection(self, kind: str, name: str, alias: str = "x") -> str:
        field = computing()[kind, name]
        below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
        given = GIVEN.get((kind, name), lambda _: "")(self.house.town)
        return f"{alias}: {name}{given}{below} "


@pytest.fixture
def counted(house: Any, statements: list[str]) -> Counted:
    return Counted(house, statements)


async def enrich(house: Any, community: int, committee: int, times: int = 1) -> None:
    """Of everything one more, in which resident-1 has a part."""
    now, resident = house.now, await house.viewer(WHO)
    standing = [organization.id for organization in (await organizations_of([community]))[community]]
    for _ in range(times):
        asked = [
            NewQuestion("换水泵", "", QuestionKind.RESOLUTION, Matter.USE_FUND),
            NewQuestion("修电梯", "", QuestionKind.RESOLUTION, Matter.USE_FUND),
        ]
        votes = [
            await announce_vote(
                SYSTEM, opens - 20 * DAY, community, convener=committee, title="表决", description="",
                form=VoteForm.STATUTORY_LOCAL, opens_at=opens, closes_at=opens + 10 * DAY, questions=asked,
            )
            for opens in (now - DAY, now + 5 * DAY)
        ]  # fmt: skip
        await open_vote(SYSTEM, now - DAY, votes[0])
        answers = [Answered(row.id, ("FOR",)) for row in (await questions_of(votes))[votes[0]]]
        await cast_ballot(resident, now, votes[0], answers=answers)
        for starts in (now + DAY, now - 2 * DAY):
            event = await publish_event(
                SYSTEM, starts - 2 * DAY, community, title="百家宴", description="", place="广场",
                starts_at=starts, ends_at=starts + timedelta(hours=1), sign_up_closes_at=None, capacity=40,
                max_party_size=4, potluck=True, organizers=standing[:times],
            )  # fmt: skip
            await sign_up(resident, starts - 2 * DAY, event, party_size=2, dish="鱼")
        await publish_notice(
            SYSTEM, now, community, kind=NoticeKind.NOTICE, title="停水", body="。", organization=committee
        )
        for _ in range(2):
            entry = await entry_of_before(community, votes[0], (now - 2 * DAY).date(), now)
        await reverse_entry(SYSTEM, now, entry, reason="记错了")


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
    assert {kind for kind, _ in FIELDS} == set(WAYS), "a type without a way to many of it"
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
    assert await counted.cost(VOTES % (one + two)) > await counted.cost(VOTES % one)
    before = await counted.cost(VOTES % one)
    await grow(rich)
    assert await counted.cost(VOTES % one) > before


PAGED = {
    "votes": COMMUNITIES % "%s",
    "events": COMMUNITIES % "%s",
    "notices": COMMUNITIES % "%s",
    "bulletin": COMMUNITIES % "%s",
    "entries": LEDGERS,
    "months": LEDGERS,
    "dishes": EVENTS,
    "communities": ROOT,
}
BELOW = {"months": " { month }", "dishes": ""}


@pytest.mark.parametrize("name", PAGED)
async def test_other_arguments_cost_one_statement_each_however_many_ask(
    rich: Any, counted: Counted, name: str
) -> None:
    below = BELOW.get(name, " { edges { cursor } }")
    once = await counted.cost(PAGED[name] % f"{name}(first: 1){below}")
    aliases = [f"a{first}: {name}(first: {first}){below} " for first in range(1, 21)]
    assert await counted.cost(PAGED[name] % "".join(aliases)) <= once + 19
    await grow(rich)
    assert await counted.cost(PAGED[name] % "".join(aliases)) <= once + 19


@pytest.mark.parametrize("kind", ["vote", "event", "node", "community"])
async def test_things_asked_for_by_themselves_are_read_together(
    rich: Any, counted: Counted, kind: str
) -> None:
    town = rich.town
    keys = {
        "vote": [f'id: "{town.id("Vote", name)}"' for name in ("open", "closed", "survey", "quiet")],
        "event": [f'id: "{town.id("Event", name)}"' for name in ("picnic", "past", "tea")],
        "node": [f'id: "{town.id("Entry", name)}"' for name in ("rent", "slip", "audit", "back")],
        "community": [f'slug: "{slug}"' for slug in ("spring", "quiet", "winter")],
    }[kind]
    asked = [f"a{number}: {kind}({key}) {{ id }} " for number, key in enumerate(keys)]
    once = await counted.cost(ROOT % asked[0])
    assert await counted.cost(ROOT % "".join(asked)) == once


def aliases(text: str, times: int = 20) -> str:
    return " ".join(f"a{number}: {text}" for number in range(times))


def pages(name: str, below: str) -> str:
    return " ".join(f"a{first}: {name}(first: {100 - first}) {{ {below} }}" for first in range(20))


SUBJECT = "edges { node { subject { __typename id ... on Vote { tally { version } } } } }"
HOSTILE = {
    "thirty tallies": VOTES % aliases("tally { version }", 30),
    "votes of the community of the votes": "{ communities { edges { node { "
    + "votes { edges { node { community { " * 2
    + "votes { edges { node { tally { version } } } }"
    + " } } } }" * 2
    + " } } } }",
    "bulletins": COMMUNITIES % aliases(f"bulletin(first: 100) {{ {SUBJECT} }}"),
    "bulletins of many lengths": COMMUNITIES % pages("bulletin", SUBJECT),
    "entries": LEDGERS % aliases("entries(first: 100) { edges { node { id } } }"),
    "entries of many lengths": LEDGERS
    % pages("entries", "edges { node { authorityVote { tally { version } } reverses { number } } }"),
    "months": LEDGERS % aliases("months(first: 100) { month }"),
    "months of many lengths": LEDGERS % pages("months", "month"),
    "dishes": EVENTS % aliases("dishes(first: 100)"),
    "dishes of many lengths": EVENTS % " ".join(f"a{first}: dishes(first: {first})" for first in range(20)),
    "tables of many numbers": EVENTS
    % " ".join(
        f"a{number}: table(number: {number}) {{ parties {{ dish building own }} }}" for number in range(20)
    ),
    "taken tables": EVENTS % aliases("attendance { tables } viewerSignUp { tables }"),
    "buildings": COMMUNITIES % aliases("buildings { name units }"),
    "organizations": COMMUNITIES % aliases("organizations { name }"),
    "votes of many lengths": COMMUNITIES
    % pages("votes", "edges { node { tally { version } viewerEntries { ballot { code } } } }"),
    "events of many lengths": COMMUNITIES
    % pages("events", "edges { node { organizers { name } viewerSignUp { event { community { name } } } } }"),
    "communities of many lengths": ROOT
    % pages("communities", "edges { node { buildings { units } votes { edges { node { title } } } } }"),
    "my communities": VIEWER % aliases("communities { name buildings { name } }"),
}


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
