"""Pages by key: stable while rows are added, without offsets."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from community.errors import InvalidInput

MOST = 100

R = TypeVar("R")


class Page(NamedTuple, Generic[R]):
    rows: Sequence[R]
    more: bool


def page(rows: Sequence[R], first: int) -> Page[R]:
    """Makes a page of the rows of a query for `first` + 1 rows."""
    return Page(rows[:first], len(rows) > first)


def check_first(first: int | None, default: int = 20) -> int:
    """Raises InvalidInput if it is not 0 to 100."""
    if first is None:
        return default
    if not 0 <= first <= MOST:
        raise InvalidInput(
            problem_zh=f"first 填 0 到 {MOST}", problem_en=f"first lies between 0 and {MOST}", field="first"
        )
    return first
