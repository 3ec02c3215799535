"""What a topic hears of in the journal of a community, as its rows say it: in pages, and behind a number."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from community.catalogue import catalogue
from community.database.paging import Page, page
from community.database.rows import Run, Shape, first_of_each


class ItemRow(NamedTuple):
    """`kind` is a fact of the catalogue, `subject` the id of what it is about."""

    number: int
    community: int
    at: datetime
    kind: str
    subject_kind: str
    subject: int


_ITEMS = Shape(ItemRow, "journal", community="community_id", kind="fact")


def _number(row: ItemRow) -> int:
    return row.number


class Feed(NamedTuple):
    """The rows of the facts that touch a topic of communities, known by its word."""

    topic: str

    def _runs(self, where: str = "", values: Sequence[Any] = (), order: str = "DESC") -> list[Run]:
        """One for each fact: an index leads to the newest of each, past a million of others."""
        return [
            Run(f"t.number {order}", f" AND t.fact = ?{where}", [fact.name, *values])
            for fact in catalogue().touching(self.topic)
        ]

    async def pages(
        self, communities: Collection[int], first: int, before: int | None = None
    ) -> dict[int, Page[ItemRow]]:
        """Of each community, newest first; `before` is the number of the last one seen."""
        runs = self._runs() if before is None else self._runs(" AND t.number < ?", [before])
        found = await first_of_each(_ITEMS, "community", communities, first + 1, *runs)
        return {
            community: page(sorted(rows, key=_number, reverse=True)[: first + 1], first)
            for community, rows in found.items()
        }

    async def after(self, community: int, number: int, most: int = 100) -> list[ItemRow]:
        """In the order in which they happened."""
        runs = self._runs(" AND t.number > ?", [number], "ASC")
        found = await first_of_each(_ITEMS, "community", [community], most, *runs)
        return sorted(found[community], key=_number)[:most]

    async def recent(self, community: int, most: int = 50) -> int:
        """The number behind which the newest `most` items come."""
        found = await first_of_each(_ITEMS, "community", [community], most + 1, *self._runs())
        rows = sorted(found[community], key=_number, reverse=True)
        return rows[most].number if len(rows) > most else 0
