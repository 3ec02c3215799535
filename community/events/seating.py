"""Where who signs up sits at a feast: round tables of ten, filled in the order in which people signed up."""

from collections.abc import Sequence
from dataclasses import dataclass

TABLE = 10
"""Seats at one table; the last one has what is left."""

MOST_TABLES = 100
"""A feast with more of them is not drawn table by table."""

MOST_SEATED = TABLE * MOST_TABLES

Places = tuple[tuple[int, int], ...]
"""Where one party sits: each table, counted from 1, with how many seats it takes there."""


@dataclass(frozen=True, slots=True)
class Seating:
    """`seats` and `taken` by table, `parties` in the order in which they were given."""

    seats: tuple[int, ...]
    taken: tuple[int, ...]
    parties: tuple[Places, ...]


def seat(capacity: int, parties: Sequence[int]) -> Seating:
    """Each party sits at the first table where it finds room together; only where there is none, or the
    party is larger than a table, it is spread over the first free seats. Whoever comes later moves nobody.

    `parties`: their sizes, which together are not above `capacity`.
    """
    seats = [min(TABLE, capacity - start) for start in range(0, capacity, TABLE)]
    free = list(seats)
    first = [0] * (TABLE + 1)  # by size: no table before it has so much room, and none ever will again
    found: list[Places] = []
    for size in parties:
        at = _first_with_room(free, first, size) if size <= TABLE else len(free)
        places: list[tuple[int, int]] = []
        while size:
            at = at if at < len(free) else _first_with_room(free, first, 1)
            here = min(size, free[at])
            free[at] -= here
            size -= here
            places.append((at + 1, here))
            at = len(free)
        found.append(tuple(places))
    taken = (had - left for had, left in zip(seats, free, strict=True))
    return Seating(tuple(seats), tuple(taken), tuple(found))


def _first_with_room(free: Sequence[int], first: list[int], size: int) -> int:
    """The place of the table, or the number of tables where none has so much room."""
    at = first[size]
    while at < len(free) and free[at] < size:
        at += 1
    first[size] = at
    return at
