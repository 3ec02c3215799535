"""Whom a vote or a question asks: the owners of the whole community, of buildings, or of chosen units."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VoteScope:
    """The denominator (分母): the units of `buildings` and the chosen `units`; neither: the whole community.

    Of the 维修资金 of one building its owners alone decide (杭州市物业管理条例 72).
    """

    buildings: frozenset[Hashable] = frozenset()
    units: frozenset[Hashable] = frozenset()

    @property
    def whole(self) -> bool:
        return not (self.buildings or self.units)

    def holds(self, unit: Hashable, building: Hashable) -> bool:
        return self.whole or building in self.buildings or unit in self.units

    def within(self, other: "VoteScope", buildings: Mapping[Hashable, Hashable]) -> bool:
        """Whether `other` holds all of it; `buildings`: where each of the chosen `units` lies."""
        if other.whole or self.whole:
            return other.whole
        return self.buildings <= other.buildings and all(
            other.holds(unit, buildings.get(unit)) for unit in self.units
        )


WHOLE = VoteScope()


def of_buildings(*buildings: Hashable) -> VoteScope:
    return VoteScope(buildings=frozenset(buildings))


def of_units(*units: Hashable) -> VoteScope:
    return VoteScope(units=frozenset(units))
