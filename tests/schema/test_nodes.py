from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from inspect import isawaitable
from typing import Any

import pytest
from graphql import (
    GraphQLID,
    execute,
    get_named_type,
    is_interface_type,
    is_object_type,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from community.errors import InvalidId, NotFound
from community.events.actions import sign_up
from community.members.models import CoOwner
from community.permissions import Permission, Viewer
from community.votes.actions import cast_ballot
from community.votes.casting import Answered
from schema.context import Context
from schema.nodes import NODES, key_of, key_or_unknown, parse_id, to_id
from schema.schema import graphql_schema
from tests.examples import demand, every, of_all

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"


@given(st.sampled_from(sorted(NODES)), st.integers(1, 2**63 - 1))
def test_an_id_leads_back_to_its_type_and_key(type_name: str, key: int) -> None:
    assert parse_id(to_id(type_name, key)) == (type_name, key)


@given(st.text())
def test_any_text_is_an_id_or_refused_as_one(text: str) -> None:
    try:
        type_name, key = parse_id(text)
    except InvalidId:
        return
    assert to_id(type_name, key) == text


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


MALFORMED = [
    "",
    "42",
    "票",
    encoded("Vote"),
    encoded("Vote:0"),
    encoded("Vote:-1"),
    encoded("Vote:01"),
    encoded("vote:1"),
    encoded("Vote:1 "),
    encoded(f"Vote:{2**63}"),
    encoded("Vote:12").rstrip("="),
    encoded("Vote:12") + "\n",
    encoded("Vote:12").replace("g==", "h=="),  # which decodes to the same bytes
]


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_not_one_of_ours_to_the_letter_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        parse_id(text)


def test_an_id_of_another_type_leads_to_no_row() -> None:
    assert key_of(to_id("Vote", 7), "Vote") == 7
    with pytest.raises(NotFound) as refusal:
        key_of(to_id("Event", 7), "Vote", "voteId")
    assert refusal.value.field == "voteId"
    assert key_or_unknown(to_id("Vote", 7), "Vote", "party") == 7
    unknown = [key_or_unknown(to_id("Event", 7), "Vote", "party") for _ in range(9)]
    assert len({7, *unknown}) == 10
    with pytest.raises(InvalidId) as malformed:
        key_or_unknown("x", "Vote", "party")
    assert malformed.value.field == "party"


SHOWN = of_all(lambda topic: topic.nodes)
OWN = set(every(lambda topic: topic.own_nodes))
NAMED = [(kind, here) for kind, (here, _) in SHOWN.items()]
HIDDEN = [(kind, there) for kind, (_, there) in SHOWN.items()]


def test_each_kind_is_shown_to_readers_or_to_its_own() -> None:
    demand("nodes", NODES, SHOWN.keys() | OWN)
    assert {*SHOWN, *OWN} <= NODES.keys()
    assert not OWN & SHOWN.keys()


@pytest.mark.parametrize(("type_name", "name"), NAMED)
async def test_everybody_finds_the_nodes_of_a_public_community(house: Any, type_name: str, name: str) -> None:
    id_ = house.town.id(type_name, name)
    assert await house.ask(NODE, id=id_) == {"node": {"__typename": type_name, "id": id_}}


@pytest.mark.parametrize(("type_name", "name"), HIDDEN)
@pytest.mark.parametrize("who", [None, "spring/resident-1", "spring/committee"])
async def test_a_stranger_finds_no_node_of_a_closed_community(
    house: Any, type_name: str, name: str, who: str | None
) -> None:
    assert await house.ask(NODE, who, id=house.town.id(type_name, name)) == {"node": None}


@pytest.mark.parametrize(("type_name", "name"), HIDDEN)
@pytest.mark.parametrize("who", ["quiet/resident-1", "quiet/manager", "city/regulator"])
async def test_its_members_and_the_regulator_find_them(
    house: Any, type_name: str, name: str, who: str
) -> None:
    id_ = house.town.id(type_name, name)
    assert await house.ask(NODE, who, id=id_) == {"node": {"__typename": type_name, "id": id_}}


@pytest.mark.parametrize(
    ("query", "type_name"),
    [
        (NODE, "Vote"),
        ("query($id: ID!) { vote(id: $id) { id } }", "Vote"),
        ("query($id: ID!) { event(id: $id) { id } }", "Event"),
    ],
)
async def test_malformed_is_refused_and_unknown_is_null(house: Any, query: str, type_name: str) -> None:
    for text in MALFORMED:
        assert await house.refused(query, id=text) == "INVALID_ID"
    for unknown in (to_id(type_name, 7), to_id("Building", 2**40), to_id("Nonsense", 7)):
        (found,) = (await house.ask(query, id=unknown)).values()
        assert found is None


async def test_an_id_of_another_type_is_null_even_where_its_key_exists(house: Any) -> None:
    vote = house.town.key("Vote", "open")
    assert await house.ask(NODE, id=to_id("Event", vote)) == {"node": None}
    query = "query($id: ID!) { vote(id: $id) { id } event(id: $id) { id } }"
    found = await house.ask(query, id=house.town.id("Vote", "open"))
    assert found["vote"]
    assert found["event"] is None


@pytest.mark.parametrize("kind", ["Account", "CoOwner", "RollEntry", "Session", "Unit", "Tenancy"])
async def test_what_is_personal_is_no_node_at_all(house: Any, kind: str) -> None:
    assert kind not in NODES
    assert await house.ask(NODE, "spring/resident-1", id=to_id(kind, 1)) == {"node": None}


# Every id that is given can be fetched

CORE = graphql_schema.core
WANT_AN_ID = {
    name
    for name, field in CORE.query_type.fields.items()  # type: ignore[union-attr]
    if any(get_named_type(argument.type) is GraphQLID for argument in field.args.values())
}
"""Of the root fields: those that want one themselves."""


def ids_below(kind: Any, above: tuple[str, ...] = ()) -> str:
    """Every id that can be reached from `kind` without coming to a type twice on one way."""
    asked = []
    for name, field in kind.fields.items():
        of, given = get_named_type(field.type), ' (slug: "SLUG")' if name == "community" and not above else ""
        if of is GraphQLID:
            asked.append(name)
        elif is_interface_type(of):
            asked.append(f"{name} {{ id }}")
        elif is_object_type(of) and of.name not in above and (above or name not in WANT_AN_ID):
            below = ids_below(of, (*above, kind.name))
            asked += [f"{name}{given} {below}"] if below else []
    return f"{{ {' '.join(asked)} }}" if asked else ""


IDS = {
    name
    for kind in CORE.type_map.values()
    if is_object_type(kind) or is_interface_type(kind)
    for name, field in kind.fields.items()
    if get_named_type(field.type) is GraphQLID
}


def ids_in(data: Any) -> Iterator[str]:
    if isinstance(data, list):
        for each in data:
            yield from ids_in(each)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name in IDS and isinstance(value, str):
                yield value
            else:
                yield from ids_in(value)


async def given_to(house: Any, viewer: Viewer) -> set[str]:
    """Every id that somebody finds in all that may be asked for."""
    found = set[str]()
    for slug in ("spring", "quiet"):
        query = ids_below(CORE.query_type).replace("SLUG", slug)
        result: Any = execute(CORE, parse(query), context_value=context_of(house, viewer))
        result = await result if isawaitable(result) else result
        assert result.data, result.errors
        found |= set(ids_in(result.data))
    return found


async def fetched(house: Any, viewer: Viewer, ids: Iterable[str]) -> set[str]:
    """Those of `ids` that `node` gives back."""
    asked = " ".join(f'n{index}: node(id: "{id_}") {{ id }}' for index, id_ in enumerate(ids))
    result: Any = execute(CORE, parse(f"{{ {asked} }}"), context_value=context_of(house, viewer))
    result = await result if isawaitable(result) else result
    assert not result.errors, result.errors
    return {node["id"] for node in result.data.values() if node}


def context_of(house: Any, viewer: Viewer) -> Context:
    return Context(lambda: house.now, house.sources, viewer)


ASKERS = [
    None, "spring/resident-1", "spring/resident-5", "spring/guardian", "spring/tenant", "spring/committee",
    "spring/registered", "quiet/resident-1", "quiet/manager", "city/regulator",
]  # fmt: skip
NARROWED = {"spring/resident-1", "quiet/manager"}
"""Of whom each permission is tried alone as well."""


@pytest.fixture
async def lived_in(house: Any) -> Any:
    """Somebody of each community has cast a ballot and signed up, one of them a co-owner."""
    for who, vote, event in (
        ("spring/resident-1", "open", "picnic"),
        ("spring/guardian", "open", "picnic"),
        ("quiet/resident-1", "quiet", "tea"),
    ):
        viewer, key = await house.viewer(who), house.town.key
        if who != "spring/guardian":
            answers = [Answered(key("Question", f"{vote}/0"), ("FOR",))]
            await cast_ballot(viewer, house.now, key("Vote", vote), answers=answers)
            await sign_up(viewer, house.now, key("Event", event), party_size=1)
        else:
            answers = [Answered(key("Question", f"{vote}/{index}"), ("FOR",)) for index in (0, 1)]
            party = key("OwnerParty", "spring/resident-5")
            await cast_ballot(viewer, house.now, key("Vote", vote), answers=answers, party=party)
    return house


def kinds_of(ids: Iterable[str]) -> set[str]:
    return {parse_id(id_)[0] for id_ in ids}


async def test_every_id_that_is_given_can_be_fetched_by_whom_it_was_given_to(lived_in: Any) -> None:
    everything, lost = set[str](), {}
    for who in ASKERS:
        viewer = await lived_in.viewer(who)
        for scope in (None, *(Permission if who in NARROWED else ())):
            narrowed = viewer if scope is None else replace(viewer, scopes=frozenset({scope}))
            given_ids = await given_to(lived_in, narrowed)
            everything |= given_ids
            if unfound := given_ids - await fetched(lived_in, narrowed, given_ids):
                lost[who, scope] = kinds_of(unfound)
    assert lost == {}
    demand("settle", NODES, kinds_of(everything), otherwise="or of `participate`: nobody was given an id")
    assert kinds_of(everything) <= NODES.keys()


async def test_what_was_given_to_one_is_fetched_by_another_only_if_it_is_given_to_them_too(
    lived_in: Any,
) -> None:
    viewers = {who: await lived_in.viewer(who) for who in ASKERS}
    own = {who: await given_to(lived_in, viewer) for who, viewer in viewers.items()}
    everything = set[str]().union(*own.values())
    for who, viewer in viewers.items():
        assert await fetched(lived_in, viewer, everything) == own[who], who


def test_every_type_with_an_id_is_a_node_and_every_node_has_a_way_back() -> None:
    types = [kind for kind in CORE.type_map.values() if is_object_type(kind)]
    for kind in types:
        names = [interface.name for interface in kind.interfaces]
        assert ("id" in kind.fields) == ("Node" in names), kind.name
    assert len(NODES) == len(CORE.get_possible_types(CORE.type_map["Node"]))  # type: ignore[arg-type]


async def test_a_ballot_is_shown_to_its_party_and_how_it_was_marked_to_who_cast_it(lived_in: Any) -> None:
    query = "query($id: ID!) { node(id: $id) { ... on BallotReceipt { voteId code answers { choices } } } }"
    entries = "query($id: ID!) { vote(id: $id) { viewerEntries { party ballot { id } } } }"
    vote = lived_in.town.id("Vote", "open")
    cast = (await lived_in.ask(entries, "spring/guardian", id=vote))["vote"]["viewerEntries"]
    (ballot,) = [entry["ballot"]["id"] for entry in cast if entry["ballot"]]
    shown = (await lived_in.ask(query, "spring/guardian", id=ballot))["node"]
    assert shown["voteId"] == vote
    assert shown["code"]
    assert shown["answers"] == [{"choices": ["FOR"]}, {"choices": ["FOR"]}]
    co_owner = (await lived_in.ask(query, "spring/resident-5", id=ballot))["node"]
    assert co_owner == {"voteId": vote, "code": None, "answers": None}
    for other in (None, "spring/resident-6", "spring/committee", "city/regulator"):
        assert await lived_in.ask(query, other, id=ballot) == {"node": None}


async def test_an_owner_party_is_known_to_its_own_only_and_while_they_belong_to_it(house: Any) -> None:
    query = """query($id: ID!) { node(id: $id) { ... on OwnerParty { units communityId } } }"""
    party = house.town.id("OwnerParty", "spring/resident-5")
    expected = {"node": {"units": ["005室"], "communityId": house.town.id("Community", "spring")}}
    for own in ("spring/resident-5", "spring/guardian"):
        assert await house.ask(query, own, id=party) == expected
    await CoOwner.filter(account_id=house.town.key("Account", "spring/guardian")).update(until=house.now)
    for other in (None, "spring/guardian", "spring/resident-6", "spring/manager", "city/regulator"):
        assert await house.ask(query, other, id=party) == {"node": None}


async def test_a_ballot_stays_with_who_cast_it_and_not_with_a_co_owner_who_left(lived_in: Any) -> None:
    """As a sign-up does with who moved away."""
    entries = "query($id: ID!) { vote(id: $id) { viewerEntries { ballot { id } } } }"
    cast = await lived_in.ask(entries, "spring/resident-5", id=lived_in.town.id("Vote", "open"))
    (ballot,) = [entry["ballot"]["id"] for entry in cast["vote"]["viewerEntries"]]
    for who in ("spring/guardian", "spring/resident-5"):
        await CoOwner.filter(account_id=lived_in.town.key("Account", who)).update(until=lived_in.now)
    assert await lived_in.ask(NODE, "spring/resident-5", id=ballot) == {"node": None}
    assert (await lived_in.ask(NODE, "spring/guardian", id=ballot))["node"]["id"] == ballot


MUTATIONS = of_all(lambda topic: topic.mutations)


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_mutation_says_which_type_of_id_it_wants(house: Any, name: str) -> None:
    case = await MUTATIONS[name](house)
    subject, id_ = next(iter(case.given.items()))
    other = "Event" if parse_id(id_)[0] != "Event" else "Vote"
    arguments = CORE.mutation_type.fields[name].args  # type: ignore[union-attr]
    field = next(argument for argument in arguments if argument.endswith("Id"))

    async def refused(id_: str) -> Any:
        (error,) = (await house.result(case.query, case.who, **case.given | {subject: id_})).errors
        return error

    error = await refused(to_id(other, 7))
    assert (error.extensions["code"], error.extensions["field"]) == ("NOT_FOUND", field)
    wanted = field.removesuffix("Id")
    assert error.extensions["expected"] == wanted[0].upper() + wanted[1:]
    unknown = to_id(error.extensions["expected"], 2**40 + 1)
    error = await refused(unknown)
    assert error.extensions["code"] == "NOT_FOUND"
    assert "expected" not in error.extensions


def test_what_equals_a_key_and_is_none_spoils_no_id() -> None:
    """Something else may have asked for it before."""
    key: Any = 7_654_321
    assert to_id("Vote", float(key)) != to_id("Vote", key)
    assert parse_id(to_id("Vote", key)) == ("Vote", key)
