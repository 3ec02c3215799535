"""Selections of an operation, field by field, and the lines that read a field or look at a type.

Fields are collected by graphql-core, so that aliases, merged fields, fragments, type conditions, @skip and
@include mean what they mean there. In the text of a function stand names of the schema, response names, and
names that are made here; everything else is a constant that it refers to.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from graphql import GraphQLAbstractType, GraphQLField, GraphQLObjectType
from graphql.execution import Executor, default_type_resolver
from graphql.execution.collect_fields import FieldDetailsList

from compiled.classes import OrdinaryClasses, Surprise, is_ordinary
from compiled.marks import CLASS, IGNORES_INFO, LOADED, PLAIN, Loaded, Plain
from compiled.program import Program
from compiled.reading import reader_of

MOST_FIELDS = 2_000
"""Of one function; a larger selection is left to graphql-core."""

DEEPEST = 12
"""Objects within objects; Python nests 20 loops at most, and 100 blocks."""

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*", re.ASCII)

Run = Callable[[Any, Any], Any]


class NotCompiled(Exception):
    """The selection needs graphql-core."""


class TooMuch(Exception):
    """There are more fields than may be looked at now."""


class TooLarge(Exception):
    """There are more fields than are ever compiled."""


class Selections:
    """Those of an executor's operation; `most` fields are looked at."""

    def __init__(self, executor: Executor[Any], classes: OrdinaryClasses, most: int) -> None:
        self.executor, self.classes = executor, classes
        self._most = self._left = min(most, MOST_FIELDS)
        self._depth = 0

    @property
    def taken(self) -> int:
        """How many fields were looked at."""
        return self._most - max(self._left, 0)

    def take(self, fields: int) -> None:
        """Raises TooMuch and TooLarge."""
        self._left -= fields
        if self._left < 0:
            raise TooLarge if self._most == MOST_FIELDS else TooMuch

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Raises NotCompiled."""
        if self._depth >= DEEPEST:
            raise NotCompiled
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def fields(self, kind: GraphQLObjectType, details: FieldDetailsList) -> dict[str, FieldDetailsList]:
        """Of an object, by response name. Raises NotCompiled."""
        collected = self.executor.collect_subfields(kind, details)
        if collected.new_defer_usages:
            raise NotCompiled
        self.take(
            1 + sum(len(each.node.selection_set.selections) for each in details if each.node.selection_set)
        )
        return collected.grouped_field_set

    def field(self, parent: GraphQLObjectType, details: FieldDetailsList) -> GraphQLField | None:
        """None where there is no such field: graphql-core leaves it out. Raises NotCompiled."""
        node = details[0].node
        field = self.executor.schema.get_field(parent, node.name.value)
        if field is not None and (field.args or node.arguments):
            raise NotCompiled
        return field

    def possible(self, kind: GraphQLAbstractType, *, own: bool) -> Sequence[GraphQLObjectType]:
        """Raises NotCompiled where the type of a value may depend on an `info` that is not there."""
        possible = self.executor.schema.get_possible_types(kind)
        if not own and not _decides_without_info(kind, possible):
            raise NotCompiled
        return possible

    def namer(self, program: Program, kind: GraphQLAbstractType, v: str) -> str:
        """Writes what finds the name of the type of `v`."""
        possible = self.executor.schema.get_possible_types(kind)
        found = program.name()
        program.line(f"{found} = {program.constant(_namer(kind, possible, self.classes))}({v}, info)")
        return found

    def check_class(self, program: Program, v: str) -> None:
        known, learn = program.constant(self.classes.known), program.constant(self.classes.learn)
        program.line(f"if type({v}) not in {known}: {learn}({v})")

    def check_type(self, program: Program, kind: GraphQLObjectType, v: str, *, own: bool) -> None:
        if not kind.is_type_of:
            return
        if not own and not kind.extensions.get(IGNORES_INFO):
            raise NotCompiled
        check = program.constant(_checker(kind, self.classes))
        its_class = kind.extensions.get(CLASS)
        if isinstance(its_class, type) and is_ordinary(its_class):
            program.line(f"if type({v}) is not {program.constant(its_class)}: {check}({v}, info)")
        else:
            program.line(f"{check}({v}, info)")

    def reading(self, program: Program, field: GraphQLField, name: str, v: str) -> str:
        """The expression that reads a field of `v`. Raises NotCompiled."""
        plain = field.extensions.get(PLAIN)
        if isinstance(plain, Plain) and plain.resolver is field.resolve:
            return read(program, plain, v)
        if field.resolve is not None:
            raise NotCompiled
        return f"{program.constant(reader_of(name))}({v})"


def loaded_of(field: GraphQLField) -> Loaded | None:
    """What a field says of its loader, if it is true of its resolver."""
    loaded = field.extensions.get(LOADED)
    return loaded if isinstance(loaded, Loaded) and loaded.resolver is field.resolve else None


def read(program: Program, plain: Plain, v: str) -> str:
    """The expression that reads `v` so."""
    if plain.path:
        last = ".".join([v, *plain.path])
        return f"{program.constant(plain.through)}({last})" if plain.through else last
    get = program.constant(plain.get)
    return f"{get}({v}, {program.once('info.context')})" if plain.in_context else f"{get}({v})"


def found_by(program: Program, loaded: Loaded) -> str:
    """The name of what its loader has found."""
    return program.once(f"{program.constant(loaded.loader)}(info.context).found")


def text(name: str) -> str:
    """As a constant of a program. Raises NotCompiled where it is no name of GraphQL."""
    if not _NAME.fullmatch(name):
        raise NotCompiled
    return f"'{name}'"


def _decides_without_info(kind: GraphQLAbstractType, possible: Sequence[GraphQLObjectType]) -> bool:
    if kind.resolve_type is not None:
        return bool(kind.extensions.get(IGNORES_INFO))
    return all(not each.is_type_of or each.extensions.get(IGNORES_INFO) for each in possible)


def _checker(kind: GraphQLObjectType, classes: OrdinaryClasses) -> Run:
    is_type_of = kind.is_type_of

    def check(value: Any, info: Any) -> None:
        if type(value) not in classes.known:
            classes.learn(value)
        if (answer := is_type_of(value, info)) is not True:  # type: ignore[misc]
            _close(answer)
            raise Surprise

    return check


def _namer(
    kind: GraphQLAbstractType, possible: Sequence[GraphQLObjectType], classes: OrdinaryClasses
) -> Callable[[Any, Any], str]:
    """Finds the name of the type of a value. Raises Surprise."""
    resolve = kind.resolve_type or default_type_resolver
    pairs = [(each.extensions.get(CLASS), each.name) for each in possible]
    of_class = {of: name for of, name in pairs if isinstance(of, type) and is_ordinary(of)}

    def name_of(value: Any, info: Any) -> str:
        if name := of_class.get(type(value)):
            return name
        if type(value) not in classes.known:
            classes.learn(value)
        if type(answer := resolve(value, info, kind)) is str:
            return answer
        _close(answer)
        raise Surprise

    return name_of


def _close(answer: object) -> None:
    """A coroutine that nobody will wait for: graphql-core makes another one."""
    if close := getattr(answer, "close", None):
        close()
