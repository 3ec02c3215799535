"""Turns a selection into one function that completes values of it, and others that say what is to be read
before.
"""

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
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from compiled.classes import OrdinaryClasses
from compiled.leaves import UNUSUAL, Leaf
from compiled.marks import Loaded
from compiled.program import Program
from compiled.selections import NotCompiled, Run, Selections, found_by, loaded_of, read, text
from compiled.wishes import Gatherer, Wishes


class Compiled(NamedTuple):
    """`run(value, info)` completes a value, once what each of `wishes` gives in its turn was read.

    `rest`: fields of the outermost object that graphql-core executes; in what `run` gives, they are None at
    their places. `size`: characters of all the text.
    """

    run: Run
    wishes: tuple[Wishes, ...]
    rest: GroupedFieldSet
    size: int


class Compiler:
    """Compiles one selection of an executor's operation, looking at `most` fields."""

    def __init__(self, executor: Executor[Any], classes: OrdinaryClasses, most: int) -> None:
        self._selections, self._program = Selections(executor, classes, most), Program()
        self._behind = self._levels = 0

    @property
    def taken(self) -> int:
        """How many fields it looked at."""
        return self._selections.taken

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
        gatherers = [Gatherer(self._selections, level, rest) for level in range(self._levels)]
        programs = [self._program, *(gatherer.program(kind, details) for gatherer in gatherers)]
        try:
            run, *wishes = [program.function() for program in programs]
        except (SyntaxError, RecursionError, MemoryError):
            raise NotCompiled from None
        return Compiled(run, tuple(wishes), rest, sum(len(program.source) for program in programs))

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
        with self._selections.deeper():
            if is_list_type(kind):
                return self._list(kind, details, v, own=own)
            if is_abstract_type(kind):
                return self._abstract(kind, details, v, own=own)
            if is_object_type(kind):
                if not kind.is_type_of:
                    self._selections.check_class(self._program, v)
                return self._object(kind, details, v, own=own)
        raise NotCompiled

    def _leaf(self, kind: GraphQLLeafType, v: str, *, nullable: bool) -> str:
        self._selections.take(1)
        program, leaf = self._program, Leaf(kind, self._selections.classes)
        guard = f"{v} is not None and " if nullable else ""
        if is_enum_type(kind):
            head = f"if {v} is not None: " if nullable else ""
            names, other = program.constant(leaf.names.get), program.constant(leaf.complete_member)
            program.line(f"{head}{v} = {names}(id({v})) or {other}({v})")
        elif unusual := UNUSUAL.get(kind.coerce_output_value):
            unusual = f"({unusual})" if guard else unusual
            program.line(f"if {guard}{unusual.format(v)}: {v} = {program.constant(leaf.complete)}({v})")
        elif nullable:
            with program.block(f"if {v} is not None:"):
                self._coerced(kind, leaf, v)
        else:
            self._coerced(kind, leaf, v)
        return v

    def _coerced(self, kind: GraphQLLeafType, leaf: Leaf, v: str) -> None:
        """By the scalar itself, most of which give a string."""
        program = self._program
        self._selections.check_class(program, v)
        program.line(f"{v} = {program.constant(kind.coerce_output_value)}({v})")
        program.line(f"if type({v}) is not str: {program.constant(leaf.check)}({v})")

    def _list(self, kind: GraphQLList[Any], details: FieldDetailsList, v: str, *, own: bool) -> str:
        program, result, add, item = self._program, *(self._program.name() for _ in range(3))
        program.line(f"if type({v}) is not list and type({v}) is not tuple: raise Surprise")
        program.line(f"{result} = []; {add} = {result}.append")
        with program.block(f"for {item} in {v}:"):
            made = self._value(kind.of_type, details, item, own=own)
            program.line(f"{add}({made})")
        return result

    def _abstract(self, kind: GraphQLAbstractType, details: FieldDetailsList, v: str, *, own: bool) -> str:
        possible = self._selections.possible(kind, own=own)
        program, result = self._program, self._program.name()
        found = self._selections.namer(program, kind, v)
        word = "if"
        for each in possible:
            with program.block(f"{word} {found} == {text(each.name)}:"):
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
        self._selections.check_type(self._program, kind, v, own=own)
        items = []
        for name, fields in self._selections.fields(kind, details).items():
            before = len(self._program.lines)
            try:
                made = self._field(kind, fields, v)
            except NotCompiled:
                if rest is None:
                    raise
                self._program.forget_after(before)
                rest[name], made = fields, "None"
            if made is not None:
                items.append(f"{text(name)}: {made}")
        if rest and len(rest) == len(items):
            raise NotCompiled
        result = self._program.name()
        self._program.line(f"{result} = {{{', '.join(items)}}}")
        return result

    def _field(self, parent: GraphQLObjectType, fields: FieldDetailsList, v: str) -> str | None:
        """None where there is no such field: graphql-core leaves it out."""
        if any(each.fragment_variable_values is not None or each.defer_usage for each in fields):
            raise NotCompiled
        name = fields[0].node.name.value
        if name == "__typename":
            self._selections.take(1)
            return text(parent.name)
        field = self._selections.field(parent, fields)
        if field is None:
            return None
        if loaded := loaded_of(field):
            return self._loaded(field, loaded, fields, v)
        value = self._program.name()
        self._program.line(f"{value} = {self._selections.reading(self._program, field, name, v)}")
        return self._value(field.type, fields, value, own=False)

    def _loaded(self, field: GraphQLField, loaded: Loaded, fields: FieldDetailsList, v: str) -> str:
        """Of what is not found and should be, the resolver knows what to say."""
        program, key, value = self._program, self._program.name(), self._program.name()
        program.line(f"{key} = {read(program, loaded.key, v)}")
        found = found_by(program, loaded)
        program.line(f"if {key} is None: {value} = None")
        with program.block("else:"):
            program.line(f"{value} = {found}[{key}]")
            if not loaded.optional:
                program.line(f"if {value} is None: raise Absent")
        self._behind += 1
        self._levels = max(self._levels, self._behind)
        try:
            return self._value(field.type, fields, value, own=False)
        finally:
            self._behind -= 1
