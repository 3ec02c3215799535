"""Rows of hand-written SQL as plain values, and the first of them of each of many owners."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from datetime import date, datetime
from enum import Enum
from functools import cache, lru_cache, partial
from itertools import repeat
from types import MappingProxyType, UnionType
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import orjson

from community.database.sql import is_postgres, placeholders, select_rows

R = TypeVar("R", bound=tuple[Any, ...])

NULL = "NULL"
"""In place of a computed column that nobody asks for."""

EVERY = "*"
"""Among names of columns: all that are not computed."""


class NotRead(Exception):
    """A column was used that `Shape.only` left out."""


class Unread:
    """In place of a column that is not read. Whatever is asked of it raises NotRead; only its row may be
    looked for in a mapping.
    """

    def _refuse(self, *_: object) -> NoReturn:
        raise NotRead

    __bool__ = __eq__ = __str__ = __getattr__ = _refuse
    __hash__ = object.__hash__


_UNREAD = repeat(Unread())


class Shape(Generic[R]):
    """Rows of `table`, which every statement calls `t`, as a NamedTuple that names its columns.

    `renamed`: the column of a field that is called otherwise; `computed`: SQL of ours for a field that is no
    column. SQLite keeps instants, days, words of an enum and truths in its own way.
    """

    def __init__(
        self, kind: type[R], /, table: str, computed: Mapping[str, str] = MappingProxyType({}), **renamed: str
    ) -> None:
        self.table = table
        self._kind, self._computed, self._renamed = kind, computed, renamed
        self._make = Maker(kind)
        names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
        self._reads({name: computed.get(name, f"t.{renamed.get(name, name)}") for name in names})

    def _reads(self, columns: Mapping[str, str]) -> None:
        self._read = columns
        self.columns = ", ".join(f"{column} AS {name}" for name, column in columns.items())

    @cache  # noqa: B019 - shapes are made once and stay
    def without(self, *computed: str) -> "Shape[R]":
        """The same with None for some of what is computed, which takes time. Raises ValueError for anything
        else.
        """
        if other := set(computed) - self._computed.keys():
            raise ValueError(f"{other} is not computed")
        rest = {name: NULL if name in computed else text for name, text in self._computed.items()}
        return Shape(self._kind, self.table, rest, **self._renamed)

    @lru_cache(maxsize=1_000)  # noqa: B019 - shapes are made once and stay
    def only(self, names: frozenset[str] | None, *needed: str) -> "Shape[R]":
        """The same with Unread for all other columns. None are all names."""
        if names is None:
            return self
        names = names.union(needed, self._read.keys() - self._computed.keys() if EVERY in names else ())
        shape = copy(self)
        shape._reads({name: column for name, column in self._read.items() if name in names})
        shape._make = Maker(self._kind, names)
        return shape

    def all_of(self, rows: Sequence[Sequence[Any]], skipped: int = 0) -> list[R]:
        """Rows of `columns`, behind as many `skipped` ones."""
        return self._make(rows, skipped)

    async def where(self, condition: str, values: Sequence[Any] = ()) -> list[R]:
        """`condition`: SQL of ours, an order included."""
        return self.all_of(
            await select_rows(
                f"SELECT {self.columns} FROM {self.table} t WHERE {condition}",  # noqa: S608 - our own text
                values,
            )
        )

    async def with_ids(self, ids: Collection[int]) -> list[R]:
        return await self.where(f"t.id IN ({placeholders(ids)})", list(ids))

    async def with_number(self, number: int, communities: Collection[int]) -> list[R]:
        """The rows with this number, at most one of each community."""
        among = f"t.community_id IN ({placeholders(communities)})"
        return await self.where(f"t.number = ? AND {among}", [number, *communities])


class Maker(Generic[R]):
    """Makes NamedTuples of rows as an engine brings them: column by column, which is far cheaper than row by
    row. `read`: the columns that there are, by default all.
    """

    def __init__(self, kind: type[R], read: Collection[str] | None = None) -> None:
        hints = get_type_hints(kind)
        names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
        self._new = _new_of(kind)
        self._readers = [_reader_of(hints[name]) for name in names if read is None or name in read]
        self._unread = [index for index, name in enumerate(names) if read is not None and name not in read]

    def __call__(self, rows: Sequence[Sequence[Any]], skipped: int = 0) -> list[R]:
        """Raises ValueError for rows of another width."""
        if not rows:
            return []
        brought = list(zip(*rows, strict=True))[skipped:]
        columns = [reader(column) for reader, column in zip(self._readers, brought, strict=True)]
        for index in self._unread:
            columns.insert(index, _UNREAD)
        return list(map(self._new, zip(*columns)))  # noqa: B905 - what is unread never ends


def _new_of(kind: type[R]) -> Callable[[Iterable[Any]], R]:
    """As `_make` of a NamedTuple, which counts the values in Python."""
    return partial(tuple.__new__, kind)


Reader = Callable[[Iterable[Any]], Iterable[Any]]
"""Converts a column as an engine brings it."""


def _as_it_is(column: Iterable[Any]) -> Iterable[Any]:
    return column


def _reader_of(hint: Any) -> Reader:
    """Of a column of this type."""
    if get_origin(hint) is tuple:
        kind = get_args(hint)[0]
        return _rows_of(kind) if hasattr(kind, "_fields") else _as_it_is
    if isinstance(hint, UnionType) or get_origin(hint):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        if len(kinds) != 1:
            return _as_it_is
        (hint,) = kinds
    if hint is datetime:
        return _texts_of(datetime.fromisoformat)
    if hint is date:
        return _texts_of(date.fromisoformat)
    if hint is bool:
        return partial(map, _TRUTHS.__getitem__)
    return _members_of(hint) if isinstance(hint, type) and issubclass(hint, Enum) else _as_it_is


_TRUTHS = {0: False, 1: True, None: None}


def _members_of(kind: type[Enum]) -> Reader:
    members: dict[Any, Enum | None] = {member.value: member for member in kind}
    return partial(map, {**members, None: None}.__getitem__)


def _texts_of(convert: Callable[[str], Any]) -> Reader:
    """Of a column that SQLite keeps as text. Where all of it is, nothing of Python is called for a row."""

    def read(column: Iterable[Any]) -> Iterable[Any]:
        if set(map(type, column)) == {str}:
            return map(convert, column)
        return [convert(value) if isinstance(value, str) else value for value in column]

    return read


def _rows_of(kind: type[tuple[Any, ...]]) -> Reader:
    """Of a column that `as_json` makes."""
    new = _new_of(kind)

    def read(column: Iterable[str]) -> list[tuple[Any, ...]]:
        return [tuple(map(new, rows)) for rows in orjson.loads(f"[{','.join(column)}]")]

    return read


def day(value: Any) -> Any:
    """A day's column as an engine brings it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


class Run(NamedTuple):
    """Rows `t` of an owner `o` in an order, SQL of ours with its values; an index leads to the first."""

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
    if len(owners) == len(runs) == 1:
        (run,) = runs
        rows = await select_rows(
            f"SELECT {shape.columns} FROM {owner} o JOIN {shape.table} t ON t.{owner}_id = o.id"  # noqa: S608
            f" WHERE o.id = ?{run.where} ORDER BY {run.order} LIMIT ?",
            [*owners, *run.values, most],
        )
        return dict.fromkeys(owners, shape.all_of(rows))
    values = [value for run in runs for value in (*run.values, most)]
    order = f" ORDER BY {runs[0].order}" if len(runs) == 1 else ""
    rows = await select_rows(
        f"SELECT o.id AS owner_id, {shape.columns} FROM {owner} o {beside(shape.table, owner, runs)}"  # noqa: S608
        f" WHERE o.id IN ({placeholders(owners)}){order}",
        [*values, *owners],
    )
    found: dict[int, list[R]] = {key: [] for key in owners}
    for row, made in zip(rows, shape.all_of(rows, skipped=1), strict=True):
        found[row[0]].append(made)
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
