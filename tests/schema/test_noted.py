"""What an answer says that it was made of: whatever it shows has to change with that alone."""

from datetime import timedelta
from inspect import isawaitable
from typing import Any, NamedTuple

from graphql import execute, get_named_type, is_composite_type, parse

from community.catalogue import catalogue
from community.database import journal
from community.permissions import NOBODY, Viewer, rights_of
from realtime.audience import Audience, mark_of
from schema.context import Context
from schema.loaders import BRIEFLY
from schema.noted import Noted
from schema.schema import graphql_schema
from tests.examples import of_all
from tests.schema.documents import IN_SPRING
from tests.schema.test_audience import fields_of
from tests.schema.test_statements import enrich
from tests.world.estates import NOW

CORE = graphql_schema.core
DAY = timedelta(days=1)

WAYS = {kind: IN_SPRING % way for kind, way in of_all(lambda topic: topic.ways).items()}
GIVEN = of_all(lambda topic: topic.arguments)

CONSTANT = {"errorCodes", "limits"}
"""Root fields that show nothing of the database."""

assert CORE.query_type
SHARED = {name for name, field in CORE.query_type.fields.items() if mark_of(field, Audience.VIEWER) < 2}


class Answered(NamedTuple):
    data: Any
    noted: Noted


async def answered(house: Any, document: str, viewer: Viewer = NOBODY, **variables: str) -> Answered:
    context = Context(lambda: house.now, house.sources, viewer)
    result: Any = execute(CORE, parse(document), context_value=context, variable_values=variables)
    result = await result if isawaitable(result) else result
    assert not result.errors, result.errors
    return Answered(result.data, context.loaders.noted)


def selection(house: Any, kind: str, name: str) -> str:
    assert CORE.type_map[kind]
    field = CORE.type_map[kind].fields[name]  # type: ignore[attr-defined]
    below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    return f"{name}{GIVEN.get(f'{kind}.{name}', lambda _: '')(house.town)}{below}"


def shows(noted: Noted, community: int) -> bool:
    """Whether a change in this community is noticed."""
    return noted.anywhere or community in noted.communities


# What is noted


class Row(NamedTuple):
    community: int | None = None


class VoteLike(NamedTuple):
    community_id: int


def test_a_row_belongs_to_its_community() -> None:
    noted = Noted()
    noted.rows([Row(7), VoteLike(8)], 2)
    assert (noted.communities, noted.anywhere, noted.until) == ({7, 8}, False, None)


def test_what_is_missing_may_appear_anywhere() -> None:
    noted = Noted()
    noted.rows([Row(7)], 2)
    assert (noted.communities, noted.anywhere) == ({7}, True)
    noted.rows([Row(7)], 1)
    assert noted.anywhere, "it was found to be missing before"


def test_so_may_what_does_not_say_where_it_belongs() -> None:
    noted = Noted()
    noted.rows([Row()], 1)
    assert (noted.communities, noted.anywhere) == (set(), True)


def test_it_holds_until_the_first_of_all_changes() -> None:
    noted = Noted()
    for days in (3, 1, 2):
        noted.hold(NOW + days * DAY)
    assert noted.until == NOW + DAY


# The schema


async def test_what_a_query_for_many_begins_with_says_what_it_was_made_of(house: Any) -> None:
    spring = house.town.key("Community", "spring")
    assert SHARED > CONSTANT
    for viewer in (NOBODY, rights_of(await house.viewer("spring/resident-1"))):
        for name in SHARED:
            _, noted = await answered(house, f"{{ {selection(house, 'Query', name)} }}", viewer)
            assert shows(noted, spring) is (name not in CONSTANT), name


MADE_OF: list[tuple[str, set[str], bool]] = [
    ('community(slug: "spring") { slug }', {"spring"}, False),
    ('community(slug: "quiet") { slug }', set(), True),
    ('community(slug: "winter") { slug }', set(), True),
    ('a: community(slug: "spring") { slug } b: community(slug: "quiet") { slug }', {"spring"}, True),
    ("communities { edges { node { slug } } }", set(), True),
    ('vote(id: "{Vote/open}") { id }', {"spring"}, False),
    ('vote(id: "{Vote/open}") { community { slug } }', {"spring"}, False),
    ('vote(id: "{Vote/quiet}") { id }', set(), True),
    ('event(id: "{Event/picnic}") { id }', {"spring"}, False),
    ("errorCodes", set(), False),
    ("viewer { account }", set(), False),
]
"""What is asked, the communities of which it was made, and whether it may come from anywhere."""


async def test_what_was_not_found_may_appear_anywhere(house: Any) -> None:
    town = house.town
    ids = {
        f"{{{kind}/{name}}}": town.id(kind, name)
        for kind, name in (("Vote", "open"), ("Vote", "quiet"), ("Event", "picnic"))
    }
    for asked, slugs, anywhere in MADE_OF:
        for name, id_ in ids.items():
            asked = asked.replace(name, id_)
        noted = (await answered(house, f"{{ {asked} }}")).noted
        communities = {town.key("Community", slug) for slug in slugs}
        assert (noted.communities, noted.anywhere) == (communities, anywhere), asked


async def test_whoever_owns_somewhere_may_own_elsewhere_tomorrow(house: Any) -> None:
    viewer = await house.viewer("spring/resident-1")
    assert (await answered(house, "{ viewer { communities { slug } } }", viewer)).noted.anywhere


async def test_everything_that_changes_was_noted(house: Any) -> None:
    """Each field that computes something, before and after all that many may see has changed in spring."""
    spring, quiet = (house.town.key("Community", slug) for slug in ("spring", "quiet"))
    viewer, there = [await house.viewer(f"{slug}/resident-1") for slug in ("spring", "quiet")]
    asked = {
        f"{kind}.{name}": WAYS[kind] % selection(house, kind, name)
        for (kind, name), field in fields_of(CORE).items()
        if kind in WAYS and mark_of(field) < Audience.VIEWER
    }
    rights, elsewhere = rights_of(viewer), rights_of(there)
    before = {name: await answered(house, document, rights) for name, document in asked.items()}
    quietly = {
        name: await answered(house, document.replace('"spring"', '"quiet"'), elsewhere)
        for name, document in asked.items()
    }
    heads = await journal.heads()
    await enrich(house, spring, house.town.key("Organization", "spring/committee"))
    later = await journal.heads()
    assert {place for place in later if later[place] > heads.get(place, 0)} == {spring}
    changed = {
        name
        for name, document in asked.items()
        if (await answered(house, document, rights)).data != before[name].data
    }
    assert {name.partition(".")[0] for name in changed} >= {"Vote", "Question", "Event", "Entry"}
    assert [name for name in asked if not shows(before[name].noted, spring)] == []
    assert [name for name, each in quietly.items() if shows(each.noted, spring)] == []
    assert all(quiet in each.noted.communities for each in quietly.values())


# The clock


HOLDS: list[tuple[str, str | None]] = [
    ("name", None),
    ("votes { edges { node { title } } }", None),
    ("votes { edges { node { status } } }", "the first of the votes"),
    ("votes(status: [OPEN]) { edges { node { id } } }", "a second"),
    ("votes(status: [OPEN]) { edges { node { status } } }", "a second"),
    ("events { edges { node { title } } }", "a second"),
    ("events(coming: true) { edges { node { title } } }", "a second"),
    ("bulletin { edges { node { id } } }", None),
    ("ledger { balance }", None),
]


async def test_what_depends_on_the_clock_says_how_long_it_holds(house: Any) -> None:
    ends = {"a second": house.now + BRIEFLY, "the first of the votes": house.now + 7 * DAY, None: None}
    for asked, until in HOLDS:
        assert (await answered(house, IN_SPRING % asked)).noted.until == ends[until], asked


async def test_the_status_of_a_vote_holds_until_it_opens_or_closes(house: Any) -> None:
    for name, until in {"open": 8, "survey": 7, "coming": 10, "closed": None}.items():
        vote = house.town.id("Vote", name)
        noted = (await answered(house, "query($id: ID!) { vote(id: $id) { status } }", id=vote)).noted
        assert noted.until == (None if until is None else house.now + until * DAY), name


OWN = [
    f"vote(id: $vote) {{ {own} }}"
    for own in ("viewerMayCast { code }", "viewerEntries { units }", "receipt { code }")
] + [
    f"event(id: $event) {{ {own} }}"
    for own in ("viewerMaySignUp { code }", "viewerSignUp { id }", "table { number }")
]


async def test_what_only_somebody_has_is_the_same_at_any_time_for_a_visitor(house: Any) -> None:
    ids = {"vote": house.town.id("Vote", "open"), "event": house.town.id("Event", "picnic")}
    for own in OWN:
        (name,) = (name for name in ids if f"${name}" in own)
        document = f"query(${name}: ID!) {{ {own} }}"
        assert (await answered(house, document, **{name: ids[name]})).noted.until is None, own


def test_what_happens_in_the_city_itself_changes_nothing_that_is_shown_of_a_community() -> None:
    """Kept answers depend on the journals of communities, and not on the city's."""
    of_city = {fact.name for fact in catalogue().facts.values() if fact.subject.of_city}
    assert of_city == {"RIGHTS_CHANGED"}
