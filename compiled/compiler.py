"""Turns a selection into one function that completes values of it.

Fields are collected by graphql-core, so that aliases, merged fields, fragments, type conditions, @skip and
@include mean what they mean there. In the text of a function stand names of the schema, response names, and
names that are made here; everything else is a constant that it refers to.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    is_abstract_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor, default_type_resolver
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from compiled.classes import OrdinaryClasses, Surprise, is_ordinary
from compiled.leaves import UNUSUAL, Leaf
from compiled.marks import CLASS, IGNORES_INFO, PLAIN, Plain
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


class Compiled(NamedTuple):
    """`run(value, info)` completes a value. `rest`: fields of the outermost object that graphql-core
    executes; in what `run` gives, they are None at their places. `size`: characters of its text.
    """

    run: Run
    rest: GroupedFieldSet
    size: int


class Compiler:
    """Compiles one selection of an executor's operation, looking at `most` fields."""

    def __init__(self, executor: Executor[Any], classes: OrdinaryClasses, most: int) -> None:
        self._executor, self._classes = executor, classes
        self._most = self._left = min(most, MOST_FIELDS)
        self._program, self._depth = Program(), 0
        self._known = self._program.constant(classes.known)
        self._learn = self._program.constant(classes.learn)

    def compile(self, kind: GraphQLOutputType, details: FieldDetailsList) -> Compiled:
        """Of a list or an object. Raises NotCompiled, TooMuch and TooLarge."""
        rest: GroupedFieldSet = {}
        if is_object_type(kind):
            made = self._object(kind, details, "v", own=True, rest=rest)
        elif is_list_type(kind):
            made = self._list(kind, details, "v", own=True)
        else:
            raise NotCompiled
        self._program.line(f"return {made}")
        try:
            return Compiled(self._program.function(), rest, len(self._program.source))
        except (SyntaxError, RecursionError, MemoryError):
            raise NotCompiled from None

    @property
    def taken(self) -> int:
        """How many fields it looked at."""
        return self._most - max(self._left, 0)

    def _take(self, fields: int) -> None:
        self._left -= fields
        if self._left < 0:
            raise TooLarge if self._most == MOST_FIELDS else TooMuch

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        if self._depth >= DEEPEST:
            raise NotCompiled
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    # Each of these writes the lines that complete the variable `v`, and returns the name of the result.
    # `own`: `info` is that of the field whose value this is, not of one around it.

    def _value(self, kind: GraphQLOutputType, details: FieldDetailsList, v: str, *, own: bool) -> str:
        nullable, inner = (False, kind.of_type) if is_non_null_type(kind) else (True, kind)
        if is_leaf_type(inner):
            return self._leaf(inner, v, nullable=nullable)
        if not nullable:
            return self._composite(inner, details, v, own=own)
        result = self._program.name()
        with self._program.block(f"if {v} is None:"):
            self._program.line(f"{result} = None")
        with self._program.block("else:"):
            made = self._composite(inner, details, v, own=own)
            self._program.line(f"{result} = {made}")
        return result

    def _composite(self, kind: GraphQLOutputType, details: FieldDetailsList, v: str, *, own: bool) -> str:
        with self._deeper():
            if is_list_type(kind):
                return self._list(kind, details, v, own=own)
            if is_abstract_type(kind):
                return self._abstract(kind, details, v, own=own)
            if is_object_type(kind):
                if not kind.is_type_of:
                    self._check_class(v)
                return self._object(kind, details, v, own=own)
        raise NotCompiled

    def _leaf(self, kind: GraphQLLeafType, v: str, *, nullable: bool) -> str:
        self._take(1)
        program, leaf = self._program, Leaf(kind, self._classes)
        guard = f"{v} is not None and " if nullable else ""
        if is_enum_type(kind):
            head = f"if {v} is not None: " if nullable else ""
            names, other = program.constant(leaf.names.get), program.constant(leaf.complete_member)
            program.line(f"{head}{v} = {names}(id({v})) or {other}({v})")
        elif unusual := UNUSUAL.get(kind.coerce_output_value):
            unusual = f"({unusual})" if guard else unusual
            program.line(f"if {guard}{unusual.format(v)}: {v} = {program.constant(leaf.complete)}({v})")
        else:
            head = f"if {v} is not None: " if nullable else ""
            program.line(f"{head}{v} = {program.constant(leaf.complete)}({v})")
        return v

    def _list(self, kind: GraphQLList[Any], details: FieldDetailsList, v: str, *, own: bool) -> str:
        program, result, add, item = self._program, *(self._program.name() for _ in range(3))
        program.line(f"if type({v}) is not list and type({v}) is not tuple: raise Surprise")
        program.line(f"{result} = []; {add} = {result}.append")
        with program.block(f"for {item} in {v}:"):
            made = self._value(kind.of_type, details, item, own=own)
            program.line(f"{add}({made})")
        return result

    def _abstract(self, kind: GraphQLAbstractType, details: FieldDetailsList, v: str, *, own: bool) -> str:
        possible = self._executor.schema.get_possible_types(kind)
        if not own and not _decides_without_info(kind, possible):
            raise NotCompiled
        program, found, result = self._program, self._program.name(), self._program.name()
        namer = _namer(kind, possible, self._classes)
        program.line(f"{found} = {program.constant(namer)}({v}, info)")
        word = "if"
        for each in possible:
            with program.block(f"{word} {found} == {_text(each.name)}:"):
                program.line(f"{result} = {self._object(each, details, v, own=own)}")
            word = "elif"
        with program.block("else:" if possible else "if True:"):
            program.line("raise Surprise")
        return result

    def _object(
        self,
        kind: GraphQLObjectType,
        details: FieldDetailsList,
        v: str,
        *,
        own: bool,
        rest: GroupedFieldSet | None = None,
    ) -> str:
        self._check_type(kind, v, own=own)
        collected = self._executor.collect_subfields(kind, details)
        if collected.new_defer_usages:
            raise NotCompiled
        self._take(
            1 + sum(len(each.node.selection_set.selections) for each in details if each.node.selection_set)
        )
        items = []
        for name, fields in collected.grouped_field_set.items():
            before = len(self._program.lines)
            try:
                made = self._field(kind, fields, v)
            except NotCompiled:
                if rest is None:
                    raise
                self._program.forget_after(before)
                rest[name], made = fields, "None"
            if made is not None:
                items.append(f"{_text(name)}: {made}")
        if rest and len(rest) == len(items):
            raise NotCompiled
        result = self._program.name()
        self._program.line(f"{result} = {{{', '.join(items)}}}")
        return result

    def _field(self, parent: GraphQLObjectType, fields: FieldDetailsList, v: str) -> str | None:
        """None where there is no such field: graphql-core leaves it out."""
        node = fields[0].node
        if any(each.fragment_variable_values is not None or each.defer_usage for each in fields):
            raise NotCompiled
        if node.name.value == "__typename":
            self._take(1)
            return _text(parent.name)
        field = self._executor.schema.get_field(parent, node.name.value)
        if field is None:
            return None
        if field.args or node.arguments:
            raise NotCompiled
        read = self._program.name()
        self._program.line(f"{read} = {self._reading(field, node.name.value, v)}")
        return self._value(field.type, fields, read, own=False)

    def _reading(self, field: GraphQLField, name: str, v: str) -> str:
        plain = field.extensions.get(PLAIN)
        if isinstance(plain, Plain) and plain.resolver is field.resolve:
            if plain.path:
                return ".".join([v, *plain.path])
            return f"{self._program.constant(plain.get)}({v})"
        if field.resolve is not None:
            raise NotCompiled
        return f"{self._program.constant(reader_of(name))}({v})"

    def _check_class(self, v: str) -> None:
        self._program.line(f"if type({v}) not in {self._known}: {self._learn}({v})")

    def _check_type(self, kind: GraphQLObjectType, v: str, *, own: bool) -> None:
        if not kind.is_type_of:
            return
        if not own and not kind.extensions.get(IGNORES_INFO):
            raise NotCompiled
        check = self._program.constant(_checker(kind, self._classes))
        its_class = kind.extensions.get(CLASS)
        if isinstance(its_class, type) and is_ordinary(its_class):
            its = self._program.constant(its_class)
            self._program.line(f"if type({v}) is not {its}: {check}({v}, info)")
        else:
            self._program.line(f"{check}({v}, info)")


def _text(name: str) -> str:
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
