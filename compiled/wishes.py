"""Turns a selection into functions that gather what is to be read before values of it are completed: one for
each level of fields that a loader brings, as only what one level has brought says what the next one needs.
"""

from collections.abc import Callable, Iterable
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    get_nullable_type,
    is_abstract_type,
    is_list_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from compiled.marks import Loaded, Loader
from compiled.program import Program
from compiled.selections import Selections, found_by, loaded_of, read, text

Wishes = Callable[[Any, Any], Iterable[tuple[Loader, list[Any]]]]
"""Of a value and `info`: loaders, with the keys that they should read."""


class Gatherer:
    """Writes the function of one level: the keys of fields that stand behind `level` other loaded ones.

    `rest`: as in Compiled; what is gathered is only what the function that completes reads.
    """

    def __init__(self, selections: Selections, level: int, rest: GroupedFieldSet) -> None:
        self._selections, self._level, self._rest = selections, level, rest
        self._program, self._behind = Program(), 0
        self._lists: dict[str, str] = {}

    def program(self, kind: GraphQLOutputType, details: FieldDetailsList) -> Program:
        self._value(kind, details, "v", rest=self._rest)
        pairs = [f"({loader}, {keys})," for loader, keys in self._lists.items()]
        self._program.line(f"return ({' '.join(pairs)})")
        return self._program

    # Each of these writes the lines that gather what the variable `v` needs, and none where that is nothing.

    def _value(
        self, kind: GraphQLOutputType, details: FieldDetailsList, v: str, *, rest: GroupedFieldSet
    ) -> None:
        inner = get_nullable_type(kind)
        if is_list_type(inner):
            self._list(inner, details, v)
        elif is_abstract_type(inner):
            self._abstract(inner, details, v)
        elif is_object_type(inner):
            self._object(inner, details, v, rest)

    def _list(self, kind: GraphQLList[Any], details: FieldDetailsList, v: str) -> None:
        program, item, before = self._program, self._program.name(), len(self._program.lines)
        program.line(f"if type({v}) is not list and type({v}) is not tuple: raise Surprise")
        head = len(program.lines)
        with program.block_if_any(f"for {item} in {v}:"), program.block_if_any(f"if {item} is not None:"):
            self._value(kind.of_type, details, item, rest={})
        program.forget_if_none_after(head, before)

    def _abstract(self, kind: GraphQLAbstractType, details: FieldDetailsList, v: str) -> None:
        before = len(self._program.lines)
        found = self._selections.namer(self._program, kind, v)
        head = len(self._program.lines)
        for each in self._selections.possible(kind, own=True):
            with self._program.block_if_any(f"if {found} == {text(each.name)}:"):
                self._object(each, details, v, {})
        self._program.forget_if_none_after(head, before)

    def _object(
        self, kind: GraphQLObjectType, details: FieldDetailsList, v: str, rest: GroupedFieldSet
    ) -> None:
        before = len(self._program.lines)
        if not kind.is_type_of:
            self._selections.check_class(self._program, v)
        self._selections.check_type(self._program, kind, v, own=True)
        head = len(self._program.lines)
        for name, fields in self._selections.fields(kind, details).items():
            if name not in rest:
                self._field(kind, fields, v)
        self._program.forget_if_none_after(head, before)

    def _field(self, parent: GraphQLObjectType, fields: FieldDetailsList, v: str) -> None:
        name = fields[0].node.name.value
        field = None if name == "__typename" else self._selections.field(parent, fields)
        if field is None:
            return
        if loaded := loaded_of(field):
            self._loaded(field.type, loaded, fields, v)
        elif fields[0].node.selection_set:
            before, value = len(self._program.lines), self._program.name()
            self._program.line(f"{value} = {self._selections.reading(self._program, field, name, v)}")
            self._behind_it(field.type, fields, value, before)

    def _loaded(self, kind: GraphQLOutputType, loaded: Loaded, fields: FieldDetailsList, v: str) -> None:
        program, key, value = self._program, self._program.name(), self._program.name()
        before = len(program.lines)
        program.line(f"{key} = {read(program, loaded.key, v)}")
        if self._behind == self._level:
            program.line(f"if {key} is not None: {self._keys_of(loaded)}.append({key})")
            return
        program.line(f"{value} = None if {key} is None else {found_by(program, loaded)}[{key}]")
        self._behind += 1
        self._behind_it(kind, fields, value, before)
        self._behind -= 1

    def _behind_it(self, kind: GraphQLOutputType, fields: FieldDetailsList, v: str, before: int) -> None:
        """`before`: how many lines there were before those that read `v`."""
        head = len(self._program.lines)
        with self._program.block_if_any(f"if {v} is not None:"):
            self._value(kind, fields, v, rest={})
        self._program.forget_if_none_after(head, before)

    def _keys_of(self, loaded: Loaded) -> str:
        """The list of keys for its loader."""
        loader = self._program.once(f"{self._program.constant(loaded.loader)}(info.context)")
        if loader not in self._lists:
            self._lists[loader] = self._program.first("[]")
        return self._lists[loader]
