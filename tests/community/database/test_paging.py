import pytest

from community.database.paging import MOST, check_first, page
from community.errors import InvalidInput


@pytest.mark.parametrize(
    ("rows", "first", "shown", "more"),
    [([], 2, [], False), ([1], 2, [1], False), ([1, 2], 2, [1, 2], False), ([1, 2, 3], 2, [1, 2], True)],
)
def test_one_row_too_many_says_that_there_are_more(
    rows: list[int], first: int, shown: list[int], more: bool
) -> None:
    assert page(rows, first) == (shown, more)


def test_a_page_of_none_says_whether_there_is_anything() -> None:
    assert page([1], 0) == ([], True)
    assert page([], 0) == ([], False)


@pytest.mark.parametrize("first", [0, 1, MOST])
def test_a_number_within_the_bounds_is_taken(first: int) -> None:
    assert check_first(first) == first


def test_no_number_is_the_usual_one() -> None:
    assert check_first(None) == 20
    assert check_first(None, default=50) == 50


@pytest.mark.parametrize("first", [-1, MOST + 1, 2**31 - 1])
def test_any_other_is_refused(first: int) -> None:
    with pytest.raises(InvalidInput, match="between 0 and 100"):
        check_first(first)
