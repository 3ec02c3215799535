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

from community.bulletin import cursors
from community.events.actions import sign_up
from community.events.models import Event, SignUp
from community.ledger.actions import reverse_entry
from community.members.actions import add_co_owners
from community.permissions import CITY, NOBODY, SYSTEM, Permission, Person, Role, Viewer
from community.places.models import Community
from community.votes.actions import cast_ballot
from community.votes.casting import Answered, receipt_code
from realtime.audience import Audience, mark_of
from schema.context import Context
from schema.nodes import NODES, to_id
from schema.schema import graphql_schema
from tests.world.books import entry_of_before

DAY = timedelta(days=1)
TABLE = Path(__file__).with_name("rights.md")

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


def read_table() -> tuple[dict[Cell, str], list[str]]:
    """What each cell says, and what is wrong with the table itself."""
    text = TABLE.read_text(encoding="utf-8")
    head, *grids = re.split(r"^### ", text, flags=re.MULTILINE)
    groups = {name: members.split() for name, members in rows(head.splitlines())}
    said: dict[Cell, str] = {}
    wrong: list[str] = []
    for grid in grids:
        title, *lines = grid.splitlines()
        (_, _, *scopes), *body = rows(lines)
        for communities, group, *outcomes in body:
            for operation in title.split(", "):
                for community in communities.split():
                    for who in (one for name in group.split() for one in groups.get(name, [name])):
                        for scope, outcome in zip(scopes, outcomes, strict=True):
                            cell = Cell(operation, community, who, scope)
                            if cell in said:
                                wrong.append(f"twice: {cell}")
                            said[cell] = outcome
    return said, wrong


SAID, WRONG = read_table()


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


@dataclass(frozen=True)
class Query:
    """`text` with ids in braces; the field that is meant stands at `path`, in dots, below the first one."""

    text: str
    path: str = ""

    def shows(self, value: Any, slug: str) -> bool:
        """Of a list of communities: whether it holds this one."""
        found = list(leaves(value, tuple(filter(None, self.path.split(".")))))
        return slug in found if self.path.endswith("slug") else bool(found)


@dataclass(frozen=True)
class Eligible(Query):
    """Whether an action passes the door is shown by a field; what the rules behind it say is no matter."""

    def shows(self, value: Any, slug: str) -> bool:
        codes = set(leaves(value, tuple(self.path.split("."))))
        return bool(codes) and not codes & DOORS.keys()


_COMMUNITY = 'community(slug: "{slug}") {{ %s }}'
_ENTRIES = _COMMUNITY % "ledger {{ entries {{ edges {{ node {{ %s }} }} }} }}"

QUERIES: dict[str, Query] = {
    "errorCodes": Query("errorCodes"),
    "limits": Query("limits {{ dish }}"),
    "communities": Query("communities(first: 100) {{ edges {{ node {{ slug }} }} }}", "edges.node.slug"),
    "community": Query(_COMMUNITY % "slug households buildings {{ name }} organizations {{ name }}"),
    "Community.votes": Query(_COMMUNITY % "votes {{ edges {{ node {{ id }} }} }}", "votes.edges"),
    "Community.events": Query(_COMMUNITY % "events {{ edges {{ node {{ id }} }} }}", "events.edges"),
    "Community.notices": Query(_COMMUNITY % "notices {{ edges {{ node {{ id }} }} }}", "notices.edges"),
    "Community.bulletin": Query(_COMMUNITY % "bulletin {{ edges {{ cursor }} }}", "bulletin.edges"),
    "Community.vote": Query(_COMMUNITY % "vote(number: 1) {{ id }}", "vote"),
    "Community.event": Query(_COMMUNITY % "event(number: 1) {{ id }}", "event"),
    "Community.notice": Query(_COMMUNITY % "notice(number: 1) {{ id }}", "notice"),
    "Community.ledger": Query(_COMMUNITY % "ledger {{ balance }}", "ledger"),
    "BulletinItem.subject": Query(
        _COMMUNITY % "bulletin(first: 1) {{ edges {{ node {{ subject {{ id }} }} }} }}",
        "bulletin.edges.node.subject",
    ),
    "vote": Query('vote(id: "{vote}") {{ title tally {{ version }} }}'),
    "Vote.community": Query('vote(id: "{vote}") {{ community {{ slug }} }}', "community"),
    "Community.viewerPermissions": Query(_COMMUNITY % "viewerPermissions", "viewerPermissions"),
    "Vote.viewerMayCast": Eligible('vote(id: "{vote}") {{ viewerMayCast {{ code }} }}', "viewerMayCast.code"),
    "Event.viewerMaySignUp": Eligible(
        'event(id: "{event}") {{ viewerMaySignUp {{ code }} }}', "viewerMaySignUp.code"
    ),
    "Vote.viewerEntries": Query(
        'vote(id: "{vote}") {{ viewerEntries {{ units weight {{ heads }} }} }}', "viewerEntries"
    ),
    "RollEntry.ballot": Query(
        'vote(id: "{vote}") {{ viewerEntries {{ ballot {{ code answers {{ choices }} }} }} }}',
        "viewerEntries.ballot.answers",
    ),
    "Vote.receipt": Query(
        'vote(id: "{vote}") {{ receipt(code: "{code}") {{ answers {{ choices }} }} }}', "receipt.answers"
    ),
    "event": Query('event(id: "{event}") {{ title attendance {{ version }} }}'),
    "Event.community": Query('event(id: "{event}") {{ community {{ slug }} }}', "community"),
    "Event.viewerSignUp": Query('event(id: "{event}") {{ viewerSignUp {{ dish }} }}', "viewerSignUp"),
    "Event.table": Query(
        'event(id: "{event}") {{ table(number: 1) {{ parties {{ dish building }} }} }}', "table"
    ),
    "SignUp.event": Query('node(id: "{sign_up}") {{ ... on SignUp {{ event {{ title }} }} }}', "event"),
    "Notice.community": Query(
        'node(id: "{notice}") {{ ... on Notice {{ community {{ slug }} }} }}', "community"
    ),
    "Entry.authorityVote": Query(
        _ENTRIES % "authorityVote {{ id }}", "ledger.entries.edges.node.authorityVote"
    ),
    "Entry.authorityFault": Query(_ENTRIES % "authorityFault", "ledger.entries.edges.node.authorityFault"),
    "Entry.reverses": Query(_ENTRIES % "reverses {{ number }}", "ledger.entries.edges.node.reverses"),
    "Entry.reversedBy": Query(_ENTRIES % "reversedBy {{ number }}", "ledger.entries.edges.node.reversedBy"),
    "node(Community)": Query('node(id: "{community}") {{ id }}'),
    "node(Vote)": Query('node(id: "{vote}") {{ id }}'),
    "node(Event)": Query('node(id: "{event}") {{ id }}'),
    "node(Notice)": Query('node(id: "{notice}") {{ id }}'),
    "node(Entry)": Query('node(id: "{entry}") {{ id }}'),
    "node(SignUp)": Query('node(id: "{sign_up}") {{ ... on SignUp {{ partySize dish }} }}'),
    "node(Building)": Query('node(id: "{building}") {{ ... on Building {{ name }} }}'),
    "node(Organization)": Query('node(id: "{organization}") {{ ... on Organization {{ name }} }}'),
    "node(Question)": Query('node(id: "{question}") {{ ... on Question {{ title choices {{ code }} }} }}'),
    "node(Ballot)": Query('node(id: "{ballot}") {{ ... on BallotReceipt {{ code }} }}'),
    "node(OwnerParty)": Query('node(id: "{party}") {{ ... on OwnerParty {{ units communityId }} }}'),
    "viewer": Query("viewer {{ __typename }}"),
    "Viewer.account": Query("viewer {{ account }}", "account"),
    "Viewer.communities": Query("viewer {{ communities {{ slug }} }}", "communities.slug"),
    "Viewer.permissions": Query('viewer {{ permissions(communityId: "{community}") }}', "permissions"),
}
# Whoever passes the door is refused by a rule behind it, or changes nothing: so the house stays as it is.
MUTATIONS = {
    "castBallot": 'castBallot(voteId: "{vote}", answers: []) {{ id }}',
    "signUp": 'signUp(eventId: "{event}", partySize: 99) {{ id }}',
    "cancelSignUp": 'cancelSignUp(signUpId: "{old_sign_up}") {{ id }}',
    "publishEvent": 'publishEvent(communityId: "{community}", event: {{title: "a", place: "b",'
    ' startsAt: "2020-01-01T00:00:00Z", endsAt: "2020-01-02T00:00:00Z"}}) {{ id }}',
    "publishNotice": 'publishNotice(communityId: "{community}", notice: {{title: "a", body: "b",'
    ' effectiveFrom: "2020-01-02T00:00:00Z", effectiveUntil: "2020-01-01T00:00:00Z"}}) {{ id }}',
    "recordEntry": 'recordEntry(communityId: "{community}", entry: {{date: "2020-01-01", direction: INCOME,'
    ' category: INTEREST, item: "a", amount: "0.00"}}) {{ id }}',
    "reverseEntry": 'reverseEntry(entryId: "{entry}", reason: "a") {{ id }}',
    "setPublicReading": 'setPublicReading(communityId: "{community}", public: {public}) {{ id }}',
}
SUBSCRIPTIONS = {
    "voteProgress": 'voteProgress(voteId: "{vote}") {{ version }}',
    "eventAttendance": 'eventAttendance(eventId: "{event}") {{ version }}',
    "bulletin": 'bulletin(communityId: "{community}", after: "{start}") {{ cursor }}',
    "ledgerBalance": 'ledgerBalance(communityId: "{community}") {{ balance }}',
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


_NAMES = {
    "public": {"community": "spring", "vote": "open", "event": "picnic", "notice": "water"},
    "hidden": {"community": "quiet", "vote": "quiet", "event": "tea", "notice": "gate"},
}


@pytest.fixture
async def grounds(house: Any) -> Grounds:
    """The town as a real one: nothing of it is of the demonstration."""
    town = house.town
    await Community.all().update(demonstration=False)
    account = town.key("Account", "spring/resident-1")
    party = town.key("OwnerParty", "quiet/resident-1")
    await add_co_owners(SYSTEM, house.now - DAY, party, [account])
    start = cursors.encode(await cursors.mark(), 0)
    ids: dict[str, dict[str, str]] = {}
    everybody: dict[str, Mapping[str, Viewer]] = {}
    for kind, names in _NAMES.items():
        slug = names["community"]
        key = {name: town.key(name.title(), called) for name, called in names.items()}
        owner = Person(account, roles={key["community"]: frozenset({Role.OWNER})})
        question = town.key("Question", f"{names['vote']}/0")
        answers = [Answered(question, ("FOR",))]
        key["ballot"] = await cast_ballot(owner, house.now, key["vote"], answers=answers)
        key |= {"question": question, "party": town.key("OwnerParty", f"{slug}/resident-1")}
        key |= {
            "building": town.key("Building", f"{slug}/1幢"),
            "organization": town.key("Organization", f"{slug}/committee"),
        }
        key["sign_up"] = await sign_up(owner, house.now, key["event"], party_size=1, dish="鱼")
        key["old_sign_up"] = await _old_sign_up(house, key["community"], account)
        key["entry"] = await _reversed_entry(house, key["community"], key["vote"])
        ids[kind] = {name: to_id(_TYPES.get(name, name.title()), of) for name, of in key.items()}
        ids[kind] |= {"slug": slug, "start": start, "public": str(kind == "public").lower()}
        ids[kind]["code"] = receipt_code(key["ballot"])
        other = town.key("Community", "quiet" if slug == "spring" else "spring")
        everybody[kind] = people(key["community"], other, account)
    return Grounds(ids, everybody)


_TYPES = {"sign_up": "SignUp", "old_sign_up": "SignUp", "party": "OwnerParty"}


async def _old_sign_up(house: Any, community: int, account: int) -> int:
    """For an event that has begun, so that it cannot be taken back."""
    over = await Event.create(
        community_id=community, title="旧", description="", place="园", starts_at=house.now - 2 * DAY,
        ends_at=house.now - DAY, sign_up_closes_at=house.now - 2 * DAY, max_party_size=4,
        published_at=house.now - 3 * DAY,
    )  # fmt: skip
    made = await SignUp.create(
        event_id=over.id, account_id=account, party_size=1, signed_up_at=house.now - 3 * DAY
    )
    return int(made.id)


async def _reversed_entry(house: Any, community: int, vote: int) -> int:
    """Which cannot be reversed again."""
    entry = await entry_of_before(community, vote, (house.now - DAY).date(), house.now)
    await reverse_entry(SYSTEM, house.now, entry, reason="记错了")
    return entry


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
        names = list(QUERIES)
        for index in range(0, len(names), AT_ONCE):
            some = {f"q{number}": name for number, name in enumerate(names[index : index + AT_ONCE])}
            text = " ".join(
                f"{alias}: {QUERIES[name].text.format(**self._ids)}" for alias, name in some.items()
            )
            result = await graphql_schema.execute(f"{{ {text} }}", context_value=self._context())
            assert result.data is not None, result.errors
            for alias, name in some.items():
                shown = QUERIES[name].shows(result.data[alias], self._ids["slug"])
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
        for name, text in SUBSCRIPTIONS.items():
            document = f"subscription {{ {text.format(**self._ids)} }}"
            stream: Any = await graphql_schema.subscribe(document, context_value=self._context())
            async with aclosing(stream):
                result = await anext(stream)
            found[name] = of_errors(result.errors, name) or GIVEN
        return found


def asked(people: Mapping[str, Viewer]) -> Iterator[tuple[str, str, Viewer]]:
    for who, viewer in people.items():
        yield who, WHOLE, viewer
        if isinstance(viewer, Person):
            for scope in Permission:
                yield who, scope, replace(viewer, scopes=frozenset({scope}))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", _NAMES)
async def test_everybody_is_answered_as_the_table_says(house: Any, grounds: Grounds, kind: str) -> None:
    otherwise: list[str] = []

    async def compare(who: str, scope: str, viewer: Viewer) -> None:
        found = await Asking(house, viewer, grounds.ids[kind]).everything()
        for operation, outcome in found.items():
            said = SAID[Cell(operation, kind, who, scope)]
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


def test_the_table_lacks_nothing_and_says_nothing_twice() -> None:
    assert WRONG == []
    assert {cell.operation for cell in SAID} == operations()
    assert {cell.scope for cell in SAID} == {WHOLE, *Permission}
    everybody = set(people(1, 2, 3))
    assert everybody >= {role.value for role in Role}
    lacking = [
        cell
        for operation in operations()
        for kind in _NAMES
        for who in everybody
        for scope in (WHOLE, *Permission)
        if (cell := Cell(operation, kind, who, scope)) not in SAID
    ]
    assert lacking == []
    assert len(SAID) == len(operations()) * len(_NAMES) * len(everybody) * (1 + len(Permission))
    assert set(SAID.values()) <= {GIVEN, ABSENT, FORBIDDEN, UNAUTHENTICATED}


def test_everything_in_the_table_is_asked() -> None:
    assert {*QUERIES, *MUTATIONS, *SUBSCRIPTIONS} == operations()
