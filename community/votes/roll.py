"""The roll: who has a vote, and with what weight (杭州市物业管理条例 17)."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from community.places.rules import DeliveryStatus, UnitKind
from community.votes.rules import ZERO, Weight
from community.votes.scope import WHOLE, VoteScope

UnitKey = TypeVar("UnitKey", bound=Hashable)
Party = TypeVar("Party", bound=Hashable)


@dataclass(frozen=True, slots=True)
class RollUnit(Generic[UnitKey, Party]):
    """A unit as the register knows it; `owner` is the whole owner party, area in hundredths of m²."""

    unit: UnitKey
    owner: Party
    area: int
    kind: UnitKind = UnitKind.DWELLING
    status: DeliveryStatus = DeliveryStatus.DELIVERED
    building: Hashable = None


@dataclass(frozen=True, slots=True)
class RollEntry(Generic[UnitKey, Party]):
    """One owner party: one head, however many units; only its counted units are listed."""

    party: Party
    weight: Weight
    units: tuple[RollUnit[UnitKey, Party], ...]


def form_roll(
    units: Iterable[RollUnit[UnitKey, Party]],
    developer: Party,
    *,
    scope: VoteScope = WHOLE,
    parking_counts: bool = False,
) -> dict[Party, RollEntry[UnitKey, Party]]:
    """Entries by party, in the order in which the parties first appear, of the units in `scope`.

    What is unsold or not yet delivered is the developer's, whoever bought it. Who has no counted unit has no
    entry.
    """
    held: dict[Party, list[RollUnit[UnitKey, Party]]] = {}
    for unit in units:
        if scope.holds(unit.unit, unit.building) and (parking_counts or unit.kind != UnitKind.PARKING):
            party = unit.owner if unit.status == DeliveryStatus.DELIVERED else developer
            held.setdefault(party, []).append(unit)
    return {
        party: RollEntry(party, Weight(1, sum(unit.area for unit in own)), tuple(own))
        for party, own in held.items()
    }


def electorate(roll: Iterable[RollEntry[UnitKey, Party]]) -> Weight:
    """The weight of all entries together: the denominator of participation."""
    return sum((entry.weight for entry in roll), ZERO)
