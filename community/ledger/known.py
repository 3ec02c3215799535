"""Months that were added up before and still hold: a book only grows, so its newest entry says so.

`check_books` never asks here.
"""

from collections.abc import Collection
from typing import NamedTuple

from community.database.remembered import Remembered
from community.database.rows import Run, Shape, first_of_each
from community.ledger import reads
from community.ledger.rules import MonthRow


class _Newest(NamedTuple):
    """`id`: no other history has it; a number could be given twice after a database was put back."""

    id: int


_NEWEST = Shape(_Newest, "entry")

MONTHS = Remembered[int, _Newest, list[MonthRow]](1_000)


async def months_of(communities: Collection[int]) -> dict[int, list[MonthRow]]:
    """Like `reads.months_of`; nobody may alter what is given."""
    newest = await first_of_each(_NEWEST, "community", communities, 1, Run("t.number DESC"))
    known = {community: MONTHS.get(community, rows[0]) for community, rows in newest.items() if rows}
    found = {community: months for community, months in known.items() if months is not None}
    if missing := [community for community in communities if community not in found]:
        read = await reads.months_of(missing)
        for community, months in read.items():
            # What was read later than its newest entry may have one more: then it is read anew next time.
            if newest[community]:
                MONTHS.put(community, newest[community][0], months)
        found |= read
    return found
