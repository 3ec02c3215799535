"""How an estate is built and who holds it: buildings, units, owner parties and tenants, from one seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from community.places.rules import DeliveryStatus, OrganizationKind, UnitKind
from demo.chance import seeded

FAMILIAR = 20
"""resident-1 to resident-20 own one home each, alone, and leave everything open for whoever looks around."""

DEVELOPER = 0
"""The number of the developer's party; owner parties count from 1."""

# The measured areas of one flat type differ a little from stair to stair, and again on the lowest floor.
_SURVEYED = (0, 0, 0, 7, -12, 18, -23, 35, -41)
_LOWEST = (0, 0, -96, -134)


class Block(NamedTuple):
    """A building: `stairs` entrances, `flats` around each landing (m² × 100), homes from floor `lowest`."""

    stairs: int
    floors: int
    flats: tuple[int, ...]
    lowest: int = 1
    shops: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """The facts of an estate, from which everything else follows."""

    slug: str
    name: str
    address: str
    households: int
    residents: int
    owner_cards: int
    organizations: Mapping[OrganizationKind, str]
    blocks: tuple[Block, ...]
    parties: int
    tenants: int
    parking: int
    unsold: int
    undelivered: int
    first_home: str

    @property
    def committee(self) -> OrganizationKind:
        """业委会, or the 物管委 that stands in for it."""
        kind = OrganizationKind.OWNERS_COMMITTEE
        return kind if kind in self.organizations else OrganizationKind.MANAGEMENT_COMMITTEE


class PlannedUnit(NamedTuple):
    """`block` counts from 0 in the order of the estate's buildings."""

    block: int
    name: str
    kind: UnitKind
    area: int
    status: DeliveryStatus = DeliveryStatus.DELIVERED


class PlannedParty(NamedTuple):
    """`persons` own together; `named`: they named the first of them to vote. `units` by their index."""

    number: int
    persons: int
    named: bool
    units: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Estate:
    """A site with its units, parties (the developer last) and, for each tenant, the unit rented."""

    site: Site
    buildings: tuple[str, ...]
    units: tuple[PlannedUnit, ...]
    parties: tuple[PlannedParty, ...]
    tenancies: tuple[int, ...]

    def voters(self, building: str | None = None) -> list[int]:
        """The numbers of the parties with a vote there, in order; the developer is DEVELOPER."""
        block = None if building is None else self.buildings.index(building)
        numbers: set[int] = set()
        for party in self.parties:
            for unit in map(self.units.__getitem__, party.units):
                if unit.kind is not UnitKind.PARKING and block in (None, unit.block):
                    numbers.add(party.number if unit.status is DeliveryStatus.DELIVERED else DEVELOPER)
        return sorted(numbers)


def build(site: Site) -> Estate:
    """The same estate every time."""
    rng = seeded(site.slug, "estate")
    units = [*_units(site, rng), *_parking(site, rng)]
    _hold_back(site, rng, units)
    parties = _parties(site, rng, units)
    let = [
        party.units[0] for party in parties[FAMILIAR:-1] if units[party.units[0]].kind is UnitKind.DWELLING
    ]
    return Estate(
        site,
        _buildings(site),
        tuple(units),
        tuple(parties),
        tuple(rng.sample(let, site.tenants)),
    )


def _buildings(site: Site) -> tuple[str, ...]:
    names = [f"{number}幢" if block.stairs else "沿街商铺" for number, block in enumerate(site.blocks, 1)]
    return (*names, "地下车库")


def _units(site: Site, rng: Random) -> Iterator[PlannedUnit]:
    for index, (name, block) in enumerate(zip(_buildings(site), site.blocks, strict=False)):
        yield from (
            PlannedUnit(index, f"{name}商铺{number}号", UnitKind.SHOP, area)
            for number, area in enumerate(block.shops, 1)
        )
        yield from (
            PlannedUnit(index, name + home, UnitKind.DWELLING, area) for home, area in _homes(block, rng)
        )


def _homes(block: Block, rng: Random) -> Iterator[tuple[str, int]]:
    for stair in range(1, block.stairs + 1):
        surveyed = [area + rng.choice(_SURVEYED) for area in block.flats]
        for floor in range(block.lowest, block.floors + 1):
            for door, area in enumerate(surveyed, 1):
                less = rng.choice(_LOWEST) if floor == block.lowest else 0
                yield f"{stair}单元{floor}{door:02}室", area + less


def _parking(site: Site, rng: Random) -> Iterator[PlannedUnit]:
    for number in range(1, site.parking + 1):
        area = rng.choice((1272, 1272, 1285, 1310, 1378))
        yield PlannedUnit(len(site.blocks), f"地下车库B1-{number:03}", UnitKind.PARKING, area)


def _hold_back(site: Site, rng: Random, units: list[PlannedUnit]) -> None:
    """Marks what the developer has not sold, or sold and not handed over yet."""
    held = [DeliveryStatus.UNSOLD] * site.unsold + [DeliveryStatus.UNDELIVERED] * site.undelivered
    homes = [index for index in _of_kind(units, UnitKind.DWELLING) if units[index].name != site.first_home]
    for index, status in zip(rng.sample(homes, len(held)), held, strict=True):
        units[index] = units[index]._replace(status=status)


def _of_kind(units: Sequence[PlannedUnit], kind: UnitKind) -> list[int]:
    """Where the delivered units of a kind are."""
    delivered = DeliveryStatus.DELIVERED
    return [index for index, unit in enumerate(units) if unit.kind is kind and unit.status is delivered]


def _parties(site: Site, rng: Random, units: Sequence[PlannedUnit]) -> list[PlannedParty]:
    held = _holdings(site, rng, units)
    rest = [index for index, unit in enumerate(units) if unit.status is DeliveryStatus.UNDELIVERED]
    for index in rest + _of_kind(units, UnitKind.PARKING):
        held[rng.randrange(FAMILIAR, len(held))].append(index)
    parties = []
    for number, own in enumerate(held, 1):
        persons = 1 if number <= FAMILIAR or len(own) > 3 else rng.choices((1, 2, 3), (46, 51, 3))[0]
        parties.append(PlannedParty(number, persons, persons > 1 and rng.random() < 0.04, tuple(own)))
    unsold = tuple(index for index, unit in enumerate(units) if unit.status is DeliveryStatus.UNSOLD)
    return [*parties, PlannedParty(DEVELOPER, 1, named=False, units=unsold)]


def _holdings(site: Site, rng: Random, units: Sequence[PlannedUnit]) -> list[list[int]]:
    """Homes and shops by party: companies hold several, some households two or three, most a single one."""
    homes, shops = _of_kind(units, UnitKind.DWELLING), _of_kind(units, UnitKind.SHOP)
    rng.shuffle(homes)
    first = next(index for index in homes if units[index].name == site.first_home)
    homes.remove(first)
    familiar, homes = [first, *homes[: FAMILIAR - 1]], homes[FAMILIAR - 1 :]
    companies = [shops[:5], homes[:4]]
    pool = shops[5:] + homes[4:]
    rng.shuffle(pool)
    surplus = len(pool) - (site.parties - FAMILIAR - len(companies))
    sizes = [3] * (surplus // 8)
    sizes += [2] * (surplus - 2 * len(sizes))
    sizes += [1] * (site.parties - FAMILIAR - len(companies) - len(sizes))
    others = [[pool.pop() for _ in range(size)] for size in sizes] + companies
    rng.shuffle(others)
    return [[index] for index in familiar] + others
