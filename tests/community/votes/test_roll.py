from hypothesis import given
from hypothesis import strategies as st

from community.places.rules import DeliveryStatus, UnitKind
from community.votes.roll import RollUnit, electorate, form_roll
from community.votes.rules import ZERO, Weight
from community.votes.scope import of_buildings

DEVELOPER = 0
DWELLING, PARKING = UnitKind.DWELLING, UnitKind.PARKING
UNSOLD, UNDELIVERED = DeliveryStatus.UNSOLD, DeliveryStatus.UNDELIVERED

ESTATE = [
    RollUnit("1-101", 1, 9000, building=1),
    RollUnit("1-102", 2, 8000, building=1),
    RollUnit("2-101", 1, 7000, building=2),
    RollUnit("2-102", 3, 6000, building=2, status=UNDELIVERED),
    RollUnit("2-103", DEVELOPER, 5000, building=2, status=UNSOLD),
    RollUnit("P-1", 2, 1250, PARKING),
    RollUnit("P-2", 4, 1250, PARKING),
    RollUnit("P-3", DEVELOPER, 1250, PARKING, UNSOLD),
    RollUnit("S-1", DEVELOPER, 3000, UnitKind.SHOP),
]

units = st.lists(
    st.builds(
        RollUnit,
        unit=st.integers(),
        owner=st.integers(0, 5),
        area=st.integers(1, 20_000),
        kind=st.sampled_from(UnitKind),
        status=st.sampled_from(DeliveryStatus),
        building=st.sampled_from([None, 1, 2]),
    )
)


def weights(**settings: object) -> dict[int, Weight]:
    roll = form_roll(ESTATE, DEVELOPER, **settings)  # type: ignore[arg-type]
    return {party: entry.weight for party, entry in roll.items()}


def test_one_party_is_one_head_however_many_units() -> None:
    assert weights() == {1: Weight(1, 16000), 2: Weight(1, 8000), DEVELOPER: Weight(1, 14000)}


def test_parking_counts_only_if_the_rules_say_so() -> None:
    assert weights(parking_counts=True) == {
        1: Weight(1, 16000),
        2: Weight(1, 9250),
        DEVELOPER: Weight(1, 15250),
        4: Weight(1, 1250),
    }


def test_one_buildings_roll_has_only_its_units() -> None:
    assert weights(scope=of_buildings(2)) == {1: Weight(1, 7000), DEVELOPER: Weight(1, 11000)}
    assert weights(scope=of_buildings(3)) == {}


def test_an_entry_lists_its_counted_units_and_no_others() -> None:
    roll = form_roll(ESTATE, DEVELOPER)
    assert [unit.unit for unit in roll[DEVELOPER].units] == ["2-102", "2-103", "S-1"]
    assert [unit.unit for unit in roll[2].units] == ["1-102"]
    assert electorate(roll.values()) == Weight(3, 38000)


def test_nobody_is_an_electorate_of_nothing() -> None:
    assert electorate(form_roll([RollUnit("P-1", 1, 1250, PARKING)], DEVELOPER).values()) == ZERO


@given(units, st.booleans())
def test_no_area_is_lost_or_counted_twice(estate: list[RollUnit[int, int]], parking: bool) -> None:
    roll = form_roll(estate, DEVELOPER, parking_counts=parking)
    counted = [unit for unit in estate if parking or unit.kind is not PARKING]
    assert electorate(roll.values()) == Weight(len(roll), sum(unit.area for unit in counted))
    assert sum(len(entry.units) for entry in roll.values()) == len(counted)


@given(units)
def test_the_rolls_of_the_buildings_add_up_in_area(estate: list[RollUnit[int, int]]) -> None:
    housed = [unit for unit in estate if unit.building is not None]
    scopes = (of_buildings(1), of_buildings(2))
    parts = [electorate(form_roll(housed, DEVELOPER, scope=scope).values()) for scope in scopes]
    assert sum(part.area for part in parts) == electorate(form_roll(housed, DEVELOPER).values()).area
