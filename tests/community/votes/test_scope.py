import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.votes.scope import WHOLE, VoteScope, of_buildings, of_units

HOUSED = {unit: unit % 3 for unit in range(9)}
"""Units by the building in which they lie."""

scopes = st.builds(
    VoteScope,
    buildings=st.frozensets(st.integers(0, 2), max_size=2),
    units=st.frozensets(st.sampled_from(sorted(HOUSED)), max_size=3),
)


def units_of(scope: VoteScope) -> set[int]:
    return {unit for unit, building in HOUSED.items() if scope.holds(unit, building)}


@pytest.mark.parametrize(
    ("scope", "units"),
    [
        (WHOLE, set(HOUSED)),
        (of_buildings(1), {1, 4, 7}),
        (of_buildings(1, 2), {1, 2, 4, 5, 7, 8}),
        (of_units(3, 4), {3, 4}),
        (VoteScope(frozenset({1}), frozenset({3, 4})), {1, 3, 4, 7}),
        (of_buildings(9), set()),
    ],
)
def test_a_scope_holds_its_buildings_and_its_chosen_units(scope: VoteScope, units: set[int]) -> None:
    assert units_of(scope) == units


@given(scopes, scopes)
def test_what_is_within_another_has_no_unit_beside_it(one: VoteScope, other: VoteScope) -> None:
    if one.within(other, HOUSED):
        assert units_of(one) <= units_of(other)


def test_within_is_said_by_buildings_and_units_and_not_by_what_happens_to_stand_in_them() -> None:
    assert of_units(1, 3).within(VoteScope(frozenset({1}), frozenset({3})), HOUSED)
    assert not of_units(1, 2).within(of_buildings(1), HOUSED)
    assert of_buildings(1).within(WHOLE, HOUSED)
    assert not WHOLE.within(of_buildings(0, 1, 2), HOUSED)
    assert not of_buildings(1).within(of_units(1, 4, 7), HOUSED)
