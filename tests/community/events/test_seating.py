import random

import pytest

from community.events.seating import TABLE, seat


def test_tables_are_filled_in_the_order_of_signing_up_and_parties_sit_together() -> None:
    seating = seat(35, [3, 4, 6, 2, 1])
    assert seating.seats == (10, 10, 10, 5)
    assert seating.taken == (10, 6, 0, 0)
    assert seating.parties == (((1, 3),), ((1, 4),), ((2, 6),), ((1, 2),), ((1, 1),))


def test_a_party_that_finds_no_table_is_spread_over_the_first_free_seats() -> None:
    assert seat(20, [7, 8, 5]).parties[-1] == ((1, 3), (2, 2))
    assert seat(40, [5, 20]).parties[-1] == ((1, 5), (2, 10), (3, 5))


@pytest.mark.parametrize(("capacity", "taken"), [(0, ()), (1, (0,)), (10, (0,)), (11, (0, 0))])
def test_an_empty_feast_has_empty_tables(capacity: int, taken: tuple[int, ...]) -> None:
    assert seat(capacity, []).taken == taken


def test_whoever_comes_sits_somewhere_and_nobody_is_moved_by_those_who_come_later() -> None:
    chance = random.Random(5)  # noqa: S311 - the same feasts each time
    for _ in range(200):
        capacity = chance.randrange(1, 120)
        parties: list[int] = []
        while (left := capacity - sum(parties)) and len(parties) < 40:
            parties.append(chance.randint(1, min(left, chance.choice([3, 12, 20]))))
        seating = seat(capacity, parties)
        assert sum(seating.seats) == capacity
        assert max(seating.seats) <= TABLE
        assert [sum(seats for _, seats in places) for places in seating.parties] == parties
        summed = [0] * len(seating.seats)
        for places in seating.parties:
            for table, seats in places:
                assert seats > 0
                summed[table - 1] += seats
        assert tuple(summed) == seating.taken
        assert all(taken <= seats for taken, seats in zip(seating.taken, seating.seats, strict=True))
        early = chance.randint(0, len(parties))
        assert seat(capacity, parties[:early]).parties == seating.parties[:early]
        for number, (size, places) in enumerate(zip(parties, seating.parties, strict=True)):
            before = seat(capacity, parties[:number])
            room = [had - took for had, took in zip(before.seats, before.taken, strict=True)]
            whole = [at for at, free in enumerate(room, 1) if free >= size and size <= TABLE]
            assert places == ((whole[0], size),) if whole else len(places) > 1
