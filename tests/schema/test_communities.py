from typing import Any

import pytest

BY_SLUG = "query($slug: String!) { community(slug: $slug) { slug } }"
ALL = "{ communities { edges { node { slug } } } }"


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        (None, ["spring"]),
        ("spring/resident-1", ["spring"]),
        ("quiet/resident-1", ["spring", "quiet"]),
        ("city/regulator", ["spring", "quiet"]),
    ],
)
async def test_a_closed_community_is_absent_for_strangers(
    house: Any, who: str | None, seen: list[str]
) -> None:
    edges = (await house.ask(ALL, who))["communities"]["edges"]
    assert [edge["node"]["slug"] for edge in edges] == seen
    found = (await house.ask(BY_SLUG, who, slug="quiet"))["community"]
    assert found == ({"slug": "quiet"} if "quiet" in seen else None)


@pytest.mark.parametrize("slug", ["nowhere", "", "SPRING", "x" * 1000, "\x00", "\ud800", "spring%"])
async def test_an_unknown_name_is_null(house: Any, slug: str) -> None:
    assert await house.ask(BY_SLUG, slug=slug) == {"community": None}


async def test_pages_of_communities_skip_what_is_hidden(house: Any) -> None:
    query = "query($after: String) { communities(first: 1, after: $after) { edges { cursor node { slug } } \
             pageInfo { hasNextPage } } }"
    page = (await house.ask(query, "quiet/resident-1"))["communities"]
    assert page["pageInfo"]["hasNextPage"]
    (edge,) = page["edges"]
    after = edge["cursor"]
    (edge,) = (await house.ask(query, "quiet/resident-1", after=after))["communities"]["edges"]
    assert edge["node"]["slug"] == "quiet"
    assert (await house.ask(query, after=after))["communities"]["edges"] == []


async def test_votes_come_newest_first_and_by_status(house: Any) -> None:
    query = """query($status: [VoteStatus!]) { community(slug: "spring") {
      votes(status: $status) { edges { node { title status } } } } }"""

    async def titles(*status: str) -> list[str]:
        asked = list(status) or None
        edges = (await house.ask(query, status=asked))["community"]["votes"]["edges"]
        assert not status or {edge["node"]["status"] for edge in edges} <= set(status)
        return [edge["node"]["title"].removeprefix("表决 ") for edge in edges]

    assert await titles() == ["coming", "open", "survey", "closed"]
    assert await titles("OPEN") == ["open", "survey"]
    assert await titles("ANNOUNCED", "CLOSED") == ["coming", "closed"]
    assert await titles("CERTIFIED") == []


async def test_events_are_coming_first_and_then_past(house: Any) -> None:
    query = """query($coming: Boolean) { community(slug: "spring") {
      events(coming: $coming) { edges { node { title } } } } }"""

    async def titles(coming: bool | None) -> list[str]:
        edges = (await house.ask(query, coming=coming))["community"]["events"]["edges"]
        return [edge["node"]["title"].removeprefix("活动 ") for edge in edges]

    assert await titles(None) == ["picnic", "past"]
    assert await titles(True) == ["picnic"]
    assert await titles(False) == ["past"]


# By number

BY_NUMBER = """query($slug: String!, $number: Int!) { community(slug: $slug) {
  vote(number: $number) { id number community { slug } } event(number: $number) { id number }
  notice(number: $number) { id number } ledger { entry(number: $number) { id number } } } }"""


async def test_what_has_a_number_is_found_by_it_in_its_community_alone(house: Any) -> None:
    """The same number leads elsewhere to something else, and is the one that everything says of itself."""
    spring = (await house.ask(BY_NUMBER, slug="spring", number=1))["community"]
    assert {name: spring[name]["id"] for name in ("vote", "event", "notice")} == {
        "vote": house.town.id("Vote", "closed"),
        "event": house.town.id("Event", "past"),
        "notice": house.town.id("Notice", "water"),
    }
    assert spring["ledger"]["entry"]["id"] == house.town.id("Entry", "rent")
    assert spring["vote"]["community"] == {"slug": "spring"}
    quiet = (await house.ask(BY_NUMBER, "quiet/resident-1", slug="quiet", number=1))["community"]
    assert quiet["vote"]["id"] == house.town.id("Vote", "quiet")
    for name in ("vote", "event", "notice"):
        assert spring[name]["number"] == quiet[name]["number"] == 1
        assert spring[name]["id"] != quiet[name]["id"]


@pytest.mark.parametrize("number", [0, -1, 9, 2_147_483_647, -2_147_483_648])
async def test_a_number_of_nothing_is_null(house: Any, number: int) -> None:
    nothing = {"vote": None, "event": None, "notice": None, "ledger": {"entry": None}}
    assert (await house.ask(BY_NUMBER, slug="spring", number=number))["community"] == nothing


async def test_numbers_of_a_hidden_community_tell_nobody_anything(house: Any) -> None:
    for number in (1, 9):
        for who in (None, "spring/resident-1"):
            assert await house.ask(BY_NUMBER, who, slug="quiet", number=number) == {"community": None}
