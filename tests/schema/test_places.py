from typing import Any

import pytest

from community.places.facts import COMMUNITY


async def test_a_community_says_what_it_is(house: Any) -> None:
    query = """{ community(slug: "spring") {
      id slug name address households residents ownerCards publicReading
      buildings { name units } organizations { kind name } } }"""
    assert (await house.ask(query))["community"] == {
        "id": house.town.id("Community", "spring"),
        "slug": "spring",
        "name": "春风里",
        "address": "杭州市萧山区",
        "households": 6,
        "residents": None,
        "ownerCards": None,
        "publicReading": True,
        "buildings": [{"name": "1幢", "units": 4}, {"name": "2幢", "units": 2}],
        "organizations": [
            {"kind": "OWNERS_COMMITTEE", "name": "committee"},
            {"kind": "PROPERTY_SERVICE", "name": "manager"},
        ],
    }


async def nothing(*_: Any) -> dict[int, Any]:
    return {}


@pytest.mark.parametrize(
    ("kind", "name", "field"),
    [
        ("vote", "open", "community { slug }"),
        ("vote", "open", "viewerMayCast { allowed }"),
        ("event", "picnic", "community { slug }"),
        ("event", "picnic", "viewerMaySignUp { allowed }"),
        ("node", "water", "... on Notice { community { slug } }"),
    ],
)
async def test_what_is_closed_to_the_viewer_between_two_reads_is_not_found(
    house: Any, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, field: str
) -> None:
    """The thing was seen a moment ago; its community no longer is."""
    monkeypatch.setitem(vars(COMMUNITY), "rows", nothing)
    id_ = house.town.id({"node": "Notice"}.get(kind, kind.title()), name)
    assert await house.refused(f'{{ {kind}(id: "{id_}") {{ __typename {field} }} }}') == "NOT_FOUND"
