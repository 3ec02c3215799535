"""Values at random for the types of Strawberry's schema: fitting ones, and ones wrong in their way."""

import random
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.pyutils import Undefined
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition

from community.votes.reads import AnswerRow, ChoiceRow, OwnEntry, VoteRow
from compiled import PLAIN
from schema.nodes import Node
from schema.votes import Answer, Choice, RollEntry, VoteRules
from tests.compiled.both import Soon

ROWS_OF: dict[type, type] = {
    RollEntry: OwnEntry, Answer: AnswerRow, Choice: ChoiceRow, VoteRules: VoteRow,
}  # fmt: skip
"""What the values of types without an id are, where they are rows."""

FITTING: dict[str, tuple[Any, ...]] = {
    "String": ("", "字", '\u2028"\\', "x" * 40),
    "ID": ("a", "Vm90ZTox", 7),
    "Int": (0, 5, -(2**31), 2**31 - 1),
    "Float": (0.5, 3, 1e300),
    "Boolean": (True, False),
    "DateTime": (datetime(2026, 1, 2, tzinfo=UTC),),
    "Date": (date(2026, 1, 2),),
    "Decimal": (0, 1250, -1),
}
UNFITTING: dict[str, tuple[Any, ...]] = {
    "String": (3.0, True, 2**40, b"x", float("nan"), [], {}),
    "ID": (True, 1.5, 2.0, [], 2**70),
    "Int": (True, 2**31, -(2**31) - 1, 4.0, 4.5, "4", "x", Decimal(3), None),
    "Float": (float("nan"), float("inf"), True, "1.5", 2**53 + 1),
    "Boolean": (1, 0, "t", 1.0, None),
}


def attributes_of(thing: object) -> dict[str, Any]:
    """Of a row or another object."""
    names = (*getattr(thing, "_fields", ()), *getattr(thing, "__dict__", ()))
    return {name: getattr(thing, name, None) for name in names}


class Alien:
    """Has every attribute of a thing, and is none."""

    def __init__(self, thing: object) -> None:
        self.__dict__.update(attributes_of(thing))


class OddError(Exception):
    """An error that looks like a thing, but not like a GraphQLError: of that graphql-core reads the nodes."""

    def __getattr__(self, name: str) -> str:
        if name in GraphQLError.__slots__:
            raise AttributeError(name)
        return name

    def __str__(self) -> str:
        return "odd"


class TwinError(Exception):
    """An error with every attribute of a thing, and with words of its own."""

    def __init__(self, thing: object = None) -> None:
        super().__init__("twin")
        self.__dict__.update(attributes_of(thing))


class Shy:
    """Anything, as long as one asks."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return name


class Again:
    """Can be gone through any number of times, and is no list."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)


ODD: tuple[Callable[[], Any], ...] = (
    lambda: None, lambda: "x", lambda: 7, lambda: float("nan"), lambda: True, list, dict, lambda: object,
    lambda: Undefined, lambda: Decimal(3), lambda: b"z", lambda: ValueError("as a value"),
    lambda: OddError("odd"), lambda: Soon("x"), lambda: Soon(None), Shy, lambda: (1, 2), lambda: iter([]),
)  # fmt: skip


class Values:
    """`wrong`: how many of a thousand values are."""

    def __init__(self, schema: GraphQLSchema, chance: random.Random, wrong: float) -> None:
        self._schema, self._chance, self._wrong = schema, chance, wrong

    def of_field(self, field: GraphQLField) -> Any:
        """What its resolver may give, a thing that can be awaited among it."""
        value = self.of(field.type, 4)
        return Soon(value) if self._happens(300) else value

    def of(self, kind: GraphQLOutputType, depth: int) -> Any:
        """What is wrong is null, an error or awaitable as often as anything else."""
        bare = kind.of_type if is_non_null_type(kind) else kind
        if self._happens(self._wrong if is_leaf_type(bare) else self._wrong / 4):
            good = self._given(bare, depth)
            return self._chance.choice((None, TwinError(good), Soon(good), self._chance.choice(ODD)()))
        return None if bare is kind and self._happens(200) else self._given(bare, depth)

    def _given(self, kind: Any, depth: int) -> Any:
        if is_list_type(kind):
            items = [self.of(kind.of_type, depth) for _ in range(self._chance.randint(0, 3))]
            if self._happens(self._wrong):
                return self._chance.choice((Again, dict.fromkeys, set, str))(
                    items if self._happens(0) else ()
                )
            return tuple(items) if self._happens(50) else items
        if is_leaf_type(kind):
            return self._leaf(kind)
        if is_abstract_type(kind):
            kind = self._chance.choice(list(self._schema.get_possible_types(kind)))
        return self._thing(kind, depth - 1)

    def _leaf(self, kind: GraphQLScalarType | GraphQLEnumType) -> Any:
        if isinstance(kind, GraphQLEnumType):
            members = list(kind.wrapped_cls)  # type: ignore[attr-defined]
            member = self._chance.choice(members)
            return self._chance.choice((member.value, member.name)) if self._happens(self._wrong) else member
        if self._happens(self._wrong) and kind.name in UNFITTING:
            return self._chance.choice(UNFITTING[kind.name])
        return self._chance.choice(FITTING[kind.name])

    def _thing(self, kind: GraphQLObjectType, depth: int) -> Any:
        definition = kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        assert isinstance(definition, StrawberryObjectDefinition)
        if issubclass(definition.origin, Node) or definition.origin in ROWS_OF:
            row = self._row(kind, ROWS_OF.get(definition.origin) or definition.origin.row, depth)
            return (
                self._chance.choice((Alien(row), 3, None, Soon(row)))
                if self._happens(self._wrong / 2)
                else row
            )
        thing: Any = object.__new__(definition.origin)
        for name, hint in get_type_hints(definition.origin).items():
            if get_origin(hint) is not ClassVar and name not in {
                each.python_name for each in definition.fields
            }:
                object.__setattr__(thing, name, self._built(hint))
        for field in kind.fields.values():
            plain = field.extensions.get(PLAIN)
            if plain and plain.path:
                self._set(thing, plain.path, field.type, depth)
        if self._happens(self._wrong / 2):
            return self._chance.choice((Alien(thing), TwinError(thing), 3, None, Soon(thing)))
        return thing

    def _row(self, kind: GraphQLObjectType, of: type, depth: int) -> Any:
        """One as a read makes it, with a value of its field for each column that a field shows as it is."""
        shown = {
            plain.path[0]: field
            for field in kind.fields.values()
            if (plain := field.extensions.get(PLAIN)) and len(plain.path) == 1
        }
        hints = get_type_hints(of)
        names = [each.name for each in fields(of)] if is_dataclass(of) else of._fields  # type: ignore[attr-defined]
        columns = {}
        for name in names:
            if name in shown:
                field = shown[name].type
                columns[name] = self.of(field, depth) if depth > 0 else self._shallow(field)
            else:
                columns[name] = self._key() if hints[name] in {int, int | None} else self._built(hints[name])
        return of(**columns)

    def _key(self) -> Any:
        """Of another row; the few that there are."""
        return None if self._happens(100) else self._chance.randint(1, 9)

    def _set(self, thing: Any, path: tuple[str, ...], kind: GraphQLOutputType, depth: int) -> None:
        *before, last = path
        for name in before:
            thing = getattr(thing, name)
        value = self.of(kind, depth) if depth > 0 else self._shallow(kind)
        object.__setattr__(thing, last, value)

    def _shallow(self, kind: GraphQLOutputType) -> Any:
        """Nothing below."""
        if not is_non_null_type(kind):
            return self.of(kind, 0) if is_leaf_type(kind) else None
        if is_list_type(kind.of_type):
            return []
        return self.of(kind, -1) if is_leaf_type(kind.of_type) else self._given(kind.of_type, 0)

    def _built(self, hint: Any) -> Any:
        """Of what our own code reads, as it is annotated, and now and then not."""
        if self._happens(self._wrong / 4):
            return self._chance.choice(ODD)()
        if get_origin(hint) in {UnionType, Union}:
            hint = self._chance.choice(get_args(hint))
        bare = get_origin(hint) or hint
        if bare is type(None):
            return None
        if bare in {list, tuple}:
            (item, *_) = get_args(hint) or (str,)
            return bare(self._built(item) for _ in range(self._chance.randint(0, 2)))
        if isinstance(bare, type) and issubclass(bare, Enum):
            return self._chance.choice(list(bare))
        if isinstance(bare, type) and issubclass(bare, tuple) and hasattr(bare, "_fields"):
            return bare(*[self._built(each) for each in get_type_hints(bare).values()])
        if is_dataclass(bare):
            made = object.__new__(bare)  # type: ignore[call-overload]
            hints = get_type_hints(bare)
            for each in fields(bare):
                object.__setattr__(made, each.name, self._built(hints[each.name]))
            return made
        simple = {
            bool: True,
            int: 5,
            str: "字",
            datetime: datetime(2026, 1, 2, tzinfo=UTC),
            date: date(2026, 1, 2),
        }
        return simple.get(bare)

    def _happens(self, of_a_thousand: float) -> bool:
        return self._chance.random() * 1000 < of_a_thousand
