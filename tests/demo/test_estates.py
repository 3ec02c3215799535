from collections import Counter
from collections.abc import Hashable

import pytest

from community.places.rules import DeliveryStatus, OrganizationKind, UnitKind
from community.votes.roll import RollUnit, electorate, form_roll
from demo.estates import DEVELOPER, FAMILIAR, Estate, PlannedUnit, build
from demo.load import NEIGHBOURHOODS

FIGURES = {
    "meizai-meicheng": (1670, 1652, 23),
    "zijin-xiyuan": (2200, 2189, 26),
    "qiantang-shanshuiwan": (1180, 1173, 16),
}
ESTATES = [build(neighbourhood.site) for neighbourhood in NEIGHBOURHOODS]


@pytest.fixture(params=ESTATES, ids=lambda estate: estate.site.slug)
def planned(request: pytest.FixtureRequest) -> Estate:
    estate: Estate = request.param
    return estate


def _roll_units(estate: Estate) -> list[RollUnit[Hashable, int]]:
    return [
        RollUnit(unit.name, party.number, unit.area, unit.kind, unit.status, estate.buildings[unit.block])
        for party in estate.parties
        for unit in (estate.units[index] for index in party.units)
    ]


def test_it_is_the_same_every_time(planned: Estate) -> None:
    assert build(planned.site) == planned


def test_the_figures_of_the_article_hold(planned: Estate) -> None:
    households, heads, buildings = FIGURES[planned.site.slug]
    homes = [unit for unit in planned.units if unit.kind is UnitKind.DWELLING]
    assert len(homes) == planned.site.households == households
    assert len({unit.block for unit in homes}) == buildings
    assert len(planned.voters()) == heads
    assert electorate(form_roll(_roll_units(planned), DEVELOPER).values()).heads == heads


def test_people_and_cards_are_those_of_the_article() -> None:
    meizai, zijin, _ = (estate.site for estate in ESTATES)
    assert meizai.residents == 6120
    assert zijin.owner_cards == 2041
    assert OrganizationKind.OWNERS_COMMITTEE not in zijin.organizations
    assert zijin.committee is OrganizationKind.MANAGEMENT_COMMITTEE
    assert meizai.organizations[OrganizationKind.PROPERTY_SERVICE] == "绿城物业"


def test_a_building_votes_alone_as_the_law_counts_it(planned: Estate) -> None:
    for building in planned.buildings:
        roll = form_roll(_roll_units(planned), DEVELOPER, building=building)
        assert planned.voters(building) == sorted(roll)


def test_the_familiar_each_own_one_home_alone(planned: Estate) -> None:
    for party in planned.parties[:FAMILIAR]:
        (unit,) = (planned.units[index] for index in party.units)
        assert party.persons == 1
        assert unit.kind is UnitKind.DWELLING
        assert unit.status is DeliveryStatus.DELIVERED
    assert planned.units[planned.parties[0].units[0]].name == planned.site.first_home


def test_every_unit_is_held_once_and_named_once(planned: Estate) -> None:
    held = Counter(index for party in planned.parties for index in party.units)
    assert held == Counter(range(len(planned.units)))
    assert len({(unit.block, unit.name) for unit in planned.units}) == len(planned.units)
    assert [party.number for party in planned.parties] == [*range(1, planned.site.parties + 1), DEVELOPER]


def test_there_are_all_kinds_of_owners(planned: Estate) -> None:
    assert {party.persons for party in planned.parties} == {1, 2, 3}
    assert any(party.named for party in planned.parties)
    assert max(_homes_and_shops(planned, party.units) for party in planned.parties) >= 5
    assert {unit.kind for unit in planned.units} == {UnitKind.DWELLING, UnitKind.SHOP, UnitKind.PARKING}
    assert any(unit.status is not DeliveryStatus.DELIVERED for unit in planned.units)


def _homes_and_shops(estate: Estate, places: tuple[int, ...]) -> int:
    return sum(estate.units[index].kind is not UnitKind.PARKING for index in places)


def test_areas_are_those_of_homes(planned: Estate) -> None:
    homes: list[PlannedUnit] = [unit for unit in planned.units if unit.kind is UnitKind.DWELLING]
    assert all(85_00 <= unit.area <= 170_00 for unit in homes)
    assert len({unit.area for unit in homes}) > 20
