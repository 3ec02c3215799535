"""Gatherings of neighbours, and who signs up for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

from community.places.rules import OrganizationKind
from demo.chance import seeded
from demo.days import MID_AUTUMN, at, instants
from demo.dishes import DISHES
from demo.estates import FAMILIAR, Estate

RESIDENTS_COMMITTEE = OrganizationKind.RESIDENTS_COMMITTEE
PARTY_BRANCH = OrganizationKind.PARTY_BRANCH
OWNERS_COMMITTEE = OrganizationKind.OWNERS_COMMITTEE
MANAGEMENT_COMMITTEE = OrganizationKind.MANAGEMENT_COMMITTEE
PROPERTY_SERVICE = OrganizationKind.PROPERTY_SERVICE


@dataclass(frozen=True, slots=True)
class Gathering:
    """`taken`: the places taken by the start, or by now while it is coming. `cost` in fen, of the ledger."""

    title: str
    description: str
    place: str
    organizers: tuple[OrganizationKind, ...]
    starts_at: datetime
    ends_at: datetime
    sign_up_closes_at: datetime
    published_at: datetime
    capacity: int | None
    most: int
    potluck: bool
    taken: int
    cost: int

    @property
    def day(self) -> date:
        return self.starts_at.date()  # the same in Hangzhou and in UTC: nothing starts before eight


def gathering(
    title: str,
    description: str,
    place: str,
    organizers: tuple[OrganizationKind, ...],
    day: date,
    hours: str,
    *,
    taken: int,
    capacity: int | None = None,
    most: int = 4,
    potluck: bool = False,
    lead: int = 14,
    cost: int = 0,
) -> Gathering:
    """`hours` as in 16:00-20:00; published `lead` days before, and signing up ends the evening before."""
    start, end = hours.split("-")
    return Gathering(
        title,
        description,
        place,
        organizers,
        starts_at=at(day, start),
        ends_at=at(day, end),
        sign_up_closes_at=at(day - timedelta(days=1), "20:00"),
        published_at=at(day - timedelta(days=lead), "10:20"),
        capacity=capacity,
        most=most,
        potluck=potluck,
        taken=taken,
        cost=cost,
    )


def published(gatherings: Iterable[Gathering], until: datetime) -> list[Gathering]:
    return [gathering for gathering in gatherings if gathering.published_at < until]


def mid_autumns(today: date) -> list[date]:
    """The last 中秋 and the next."""
    past = [day for day in MID_AUTUMN if day < today]
    return [*past[-1:], *MID_AUTUMN[len(past) : len(past) + 1]]


def yearly(today: date, month: int, day: int) -> list[date]:
    """The last such day and the next, today being the next."""
    here = date(today.year, month, day)
    years = (today.year - 1, today.year) if here >= today else (today.year, today.year + 1)
    return [date(year, month, day) for year in years]


class PlannedSignUp(NamedTuple):
    """`account` is its name within the community."""

    account: str
    party_size: int
    dish: str | None
    at: datetime


def sign_ups(estate: Estate, event: Gathering, until: datetime) -> list[PlannedSignUp]:
    """Households that fill `taken` places before `until`, in the order in which they signed up."""
    rng = seeded(estate.site.slug, event.title, event.starts_at)
    households = [f"resident-{party.number}" for party in estate.parties[FAMILIAR:-1]]
    households += [f"tenant-{number}" for number in range(1, len(estate.tenancies) + 1)]
    sizes = _sizes(rng, event)
    coming = rng.sample(households, len(sizes))
    dishes = _dishes(rng, len(sizes)) if event.potluck else [None] * len(sizes)
    times = instants(rng, event.published_at, min(event.sign_up_closes_at, until), len(sizes))
    return [PlannedSignUp(*sign_up) for sign_up in zip(coming, sizes, dishes, times, strict=True)]


def _sizes(rng: Random, event: Gathering) -> list[int]:
    sizes: list[int] = []
    left = event.taken
    while left:
        (size,) = rng.choices((1, 2, 3, 4, 5, 6), (14, 27, 32, 17, 7, 3))
        sizes.append(min(size, event.most, left))
        left -= sizes[-1]
    return sizes


def _dishes(rng: Random, count: int) -> list[str | None]:
    """Everything once before anything comes twice."""
    dishes: list[str | None] = []
    while len(dishes) < count:
        dishes += rng.sample(DISHES, len(DISHES))
    return dishes[:count]
