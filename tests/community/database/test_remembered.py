from community.database.remembered import Remembered
from tests.engines import opened_alone


async def test_only_what_was_made_of_the_same_state_is_known(database: str) -> None:
    squares = Remembered[int, str, int](9)
    squares.put(3, "now", 9)
    assert (squares.get(3, "now"), squares.get(3, "later"), squares.get(4, "now")) == (9, None, None)
    squares.put(3, "later", 10)
    assert (squares.get(3, "now"), squares.get(3, "later")) == (None, 10)


async def test_what_nobody_asked_for_longest_is_forgotten_first(database: str) -> None:
    squares = Remembered[int, str, int](2)
    for number in (1, 2):
        squares.put(number, "", number)
    assert squares.get(1, "") == 1
    squares.put(3, "", 3)
    assert [squares.get(number, "") for number in (1, 2, 3)] == [1, None, 3]
    squares.put(1, "", 1)
    squares.put(4, "", 4)
    assert [squares.get(number, "") for number in (1, 3, 4)] == [1, None, 4]


async def test_another_database_knows_nothing_of_it(database: str) -> None:
    squares = Remembered[int, str, int](9)
    squares.put(1, "", 1)
    async with opened_alone(database):
        assert squares.get(1, "") is None
