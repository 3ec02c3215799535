"""Rows of hand-written SQL as plain values, and the first of them of each of many owners."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from enum import Enum
from types import MappingProxyType, UnionType
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from community.database.sql import instant, is_postgres, placeholders, select

R = TypeVar("R")


class Shape(Generic[R]):
    """Rows of `table`, which every statement calls `t`, as a dataclass that names its columns.

    `renamed`: the column of a field that is called otherwise; `computed`: SQL of ours for a field that is no
    column. SQLite keeps instants, days, words of an enum and truths in its own way.
    """

    def __init__(
        self, kind: type[R], /, table: str, computed: Mapping[str, str] = MappingProxyType({}), **renamed: str
    ) -> None:
        self._kind, self.table = kind, table
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        hints = get_type_hints(kind)
        readers = {name: _reader_of(hints[name]) for name in names}
        self._readers = [(name, reader) for name, reader in readers.items() if reader]
        columns = {name: computed.get(name, f"t.{renamed.get(name, name)}") for name in names}
        self.columns = ", ".join(f"{column} AS {name}" for name, column in columns.items())

    def of(self, row: Mapping[str, Any]) -> R:
        values = dict(row)
        for name, reader in self._readers:
            if values[name] is not None:
                values[name] = reader(values[name])
        return self._kind(**values)

    async def where(self, condition: str, values: Sequence[Any] = ()) -> list[R]:
        """`condition`: SQL of ours, an order included."""
        rows = await select(
            f"SELECT {self.columns} FROM {self.table} t WHERE {condition}",  # noqa: S608 - our own text
            values,
        )
        return [self.of(row) for row in rows]

    async def with_ids(self, ids: Collection[int]) -> list[R]:
        return await self.where(f"t.id IN ({placeholders(ids)})", list(ids))

    async def with_number(self, number: int, communities: Collection[int]) -> list[R]:
        """The rows with this number, at most one of each community."""
        among = f"t.community_id IN ({placeholders(communities)})"
        return await self.where(f"t.number = ? AND {among}", [number, *communities])


def _reader_of(hint: Any) -> Callable[[Any], Any] | None:
    """Returns what converts a column's value to this type; None if no conversion is needed."""
    if isinstance(hint, UnionType) or get_origin(hint):
        (hint,) = [kind for kind in get_args(hint) if kind is not type(None)]
    if hint is datetime:
        return instant
    if hint is date:
        return day
    return hint if hint is bool or issubclass(hint, Enum) else None


def day(value: Any) -> date:
    """A day's column as `select` brings it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


class Run(NamedTuple):
    """Rows of an owner in an order, SQL of ours with its values; an index leads to the first of them."""

    order: str
    where: str = ""
    values: Sequence[Any] = ()


async def first_of_each(
    shape: Shape[R], owner: str, owners: Collection[int], most: int, *runs: Run
) -> dict[int, list[R]]:
    """The first `most` rows of each run, of each of `owners`: one statement, however many they are.

    `owner` names the table of the owners, and `owner_id` in the shape's table the column that points there.
    In the order of the run where there is one only.
    """
    values = [value for run in runs for value in (*run.values, most)]
    order = f" ORDER BY {runs[0].order}" if len(runs) == 1 else ""
    rows = await select(
        f"SELECT o.id AS owner_id, {shape.columns} FROM {owner} o {beside(shape.table, owner, runs)}"  # noqa: S608
        f" WHERE o.id IN ({placeholders(owners)}){order}",
        [*values, *owners],
    )
    found: dict[int, list[R]] = {key: [] for key in owners}
    for row in rows:
        found[row.pop("owner_id")].append(shape.of(row))
    return found


def beside(table: str, owner: str, runs: Sequence[Run]) -> str:
    """Joins each owner `o` to its rows `t`. SQLite knows no LATERAL; of PostgreSQL an IN would read the whole
    table.
    """
    postgres = is_postgres()
    parts = " UNION ALL ".join(
        f"SELECT * FROM (SELECT {'t.*' if postgres else 't.rowid'} FROM {table} t"  # noqa: S608
        f" WHERE t.{owner}_id = o.id{run.where} ORDER BY {run.order} LIMIT ?) run"
        for run in runs
    )
    return f"CROSS JOIN LATERAL ({parts}) t" if postgres else f"JOIN {table} t ON t.rowid IN ({parts})"
