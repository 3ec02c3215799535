from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.errors import InvalidId
from schema.nodes import NO_ROW, NODES, key_of, parse_id, to_id

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
    assert key_of(to_id("Event", 7), "Vote") == NO_ROW


NAMED = [
    ("Community", "spring"), ("Vote", "open"), ("Event", "picnic"), ("Notice", "water"), ("Entry", "rent")
]  # fmt: skip


@pytest.mark.parametrize(("type_name", "name"), NAMED)
async def test_everybody_finds_the_nodes_of_a_public_community(house: Any, type_name: str, name: str) -> None:
    id_ = house.town.id(type_name, name)
    assert await house.ask(NODE, id=id_) == {"node": {"__typename": type_name, "id": id_}}


HIDDEN = [
    ("Community", "quiet"), ("Vote", "quiet"), ("Event", "tea"), ("Notice", "gate"), ("Entry", "quiet")
]  # fmt: skip


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
    for unknown in (to_id(type_name, 7), to_id("Building", 7), to_id("Nonsense", 7)):
        (found,) = (await house.ask(query, id=unknown)).values()
        assert found is None


async def test_an_id_of_another_type_is_null_even_where_its_key_exists(house: Any) -> None:
    vote = house.town.key("Vote", "open")
    assert await house.ask(NODE, id=to_id("Event", vote)) == {"node": None}
    query = "query($id: ID!) { vote(id: $id) { id } event(id: $id) { id } }"
    found = await house.ask(query, id=house.town.id("Vote", "open"))
    assert found["vote"]
    assert found["event"] is None


@pytest.mark.parametrize("kind", ["Ballot", "OwnerParty", "Account", "RollEntry", "Session", "Question"])
async def test_what_is_personal_is_no_node_at_all(house: Any, kind: str) -> None:
    assert kind not in NODES
    assert await house.ask(NODE, "spring/resident-1", id=to_id(kind, 1)) == {"node": None}
