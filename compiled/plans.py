"""The functions that were made: as long as their document is there, and within a bound of bytes."""

from collections.abc import Callable, Hashable, Iterator
from math import inf
from operator import is_
from threading import RLock
from typing import Any
from weakref import ref

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLOutputType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    VariableNode,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from compiled.classes import OrdinaryClasses
from compiled.compiler import Compiled, Compiler
from compiled.selections import MOST_FIELDS, Run, TooMuch
from compiled.wishes import Wishes

MOST = 8 * 1024 * 1024
"""Bytes that plans take up, as estimated."""

OBJECTS_A_FIELD = 8
"""Objects that graphql-core has to complete at a place for each field that is compiled there. One takes it 5
to 10 µs, a field 20 µs: so compiling costs no more than what was done without it, whatever anybody sends.
"""

FIRST_FIELDS = 4
"""For which there has to be enough before the first attempt, which costs 120 µs and what its fields cost."""

OPERATION, PLACE, CHARACTER = 1_500, 1_000, 7
"""Bytes of an operation, of one place in it, and of a function for each character of its text."""

FORGIVEN = 16
"""Surprises of a plan, after which it has to serve more often than it surprises."""


class Plan:
    """How values are completed at one place of an operation.

    `run` is None until it is made, and where it is not; `wishes` and `rest` as in Compiled. The place
    itself is kept, so that nothing else can have its identity.
    """

    __slots__ = ("_due", "_surprises", "details", "kind", "rest", "run", "seen", "served", "wishes")

    def __init__(self, kind: GraphQLOutputType, details: FieldDetailsList, due: float) -> None:
        self.kind, self.details = kind, details
        self.run: Run | None = None
        self.wishes: tuple[Wishes, ...] = ()
        self.rest: GroupedFieldSet = {}
        self.seen = self.served = self._surprises = 0
        self._due = due

    def is_due(self, objects: int) -> bool:
        """Whether to try to make it, now that so many more objects are to be completed."""
        self.seen += objects
        return self.seen >= self._due

    def take(self, made: Compiled | None) -> None:
        """None: it cannot be made."""
        self._due = inf
        if made:
            self.run, self.wishes, self.rest = made.run, made.wishes, made.rest

    def wait(self) -> None:
        self._due = 2 * self.seen

    def surprised(self) -> None:
        self._surprises += 1
        if self._surprises > FORGIVEN and self._surprises > self.served:
            self.run = None


Places = dict[Hashable, Plan]


class _Operation:
    """Its plans by the values of `variables`: those that @skip and @include name. None where something else
    is in the way of compiling.
    """

    __slots__ = ("_fragments", "_operation", "_schema", "places", "size", "variables")

    def __init__(self, executor: Executor[Any], gone: Callable[[Any], None]) -> None:
        self._operation = ref(executor.operation, gone)
        self._schema = ref(executor.schema)
        self._fragments = tuple(executor.fragment_definitions.values())
        self.variables = variables_of(executor.operation, *self._fragments)
        self.places: dict[Hashable, Places] = {}
        self.size = OPERATION

    def is_of(self, executor: Executor[Any]) -> bool:
        return self._operation() is executor.operation and self._schema() is executor.schema

    def has_fragments_of(self, executor: Executor[Any]) -> bool:
        """Nobody keeps an operation from standing in two documents."""
        given = executor.fragment_definitions
        return len(given) == len(self._fragments) and all(map(is_, given.values(), self._fragments))


class Plans:
    """Of the operations that were used last, within `most` bytes; an operation goes with its document.

    `objects_a_field`: how many have to be completed for each field that is compiled; with 0 each plan is made
    at once, whatever it costs. `fields` counts those that were compiled.
    """

    def __init__(self, most: int = MOST, *, objects_a_field: int = OBJECTS_A_FIELD) -> None:
        self.size = self.fields = 0
        self._most, self._objects_a_field = most, objects_a_field
        self._classes = OrdinaryClasses()
        self._kept: dict[Hashable, _Operation] = {}
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, executor: Executor[Any]) -> "Finder | None":
        """None where nothing of its operation is compiled."""
        key = id(executor.operation), id(executor.schema)
        operation = self._kept.pop(key, None)
        if operation and operation.is_of(executor):
            self._kept[key] = operation
        else:
            operation = self._keep(key, executor)
        if operation.variables is None or not operation.has_fragments_of(executor):
            return None
        given = executor.variable_values.coerced
        values = tuple([given.get(name) for name in operation.variables])
        places = operation.places.get(values)
        if places is None:
            places = operation.places[values] = {}
            self.charge(key, PLACE)
        return Finder(self, key, places)

    def _keep(self, key: Hashable, executor: Executor[Any]) -> _Operation:
        operation = self._kept[key] = _Operation(executor, lambda _: self._let_go(key))
        self.charge(key, 0)
        with self._lock:
            self.size += OPERATION
        return operation

    def _let_go(self, key: Hashable) -> None:
        if operation := self._kept.pop(key, None):
            with self._lock:
                self.size -= operation.size

    def charge(self, key: Hashable, size: int) -> None:
        """Lets go of what was not used for longest, also of what is in use: it is not found again."""
        with self._lock:
            if operation := self._kept.get(key):
                operation.size += size
                self.size += size
            while self.size > self._most and self._kept:
                self._let_go(next(iter(self._kept)))

    def plan(self, kind: GraphQLOutputType, details: FieldDetailsList) -> Plan:
        return Plan(kind, details, FIRST_FIELDS * self._objects_a_field)

    def make(self, key: Hashable, executor: Executor[Any], plan: Plan) -> None:
        """Compiles, as far as it is worth what graphql-core did at this place."""
        most = plan.seen // self._objects_a_field if self._objects_a_field else MOST_FIELDS
        compiler = Compiler(executor, self._classes, most)
        made: Compiled | None = None
        try:
            made = compiler.compile(plan.kind, plan.details)
        except TooMuch:
            plan.wait()
            return
        except Exception:  # noqa: S110 - not only NotCompiled: what is wrong, graphql-core says
            pass
        finally:
            self.fields += compiler.taken
        plan.take(made)
        if made:
            self.charge(key, CHARACTER * made.size)


class Finder:
    """Finds the plans of one execution."""

    __slots__ = ("_key", "_places", "_plans")

    def __init__(self, plans: Plans, key: Hashable, places: Places) -> None:
        self._plans, self._key, self._places = plans, key, places

    def of(
        self, executor: Executor[Any], kind: GraphQLOutputType, details: FieldDetailsList, objects: int
    ) -> Plan | None:
        """One that can be run, for so many objects."""
        if len(details) == 1:
            place: Hashable = id(kind), id(details[0].node)
        else:
            place = (id(kind), *[id(each.node) for each in details])
        plan = self._places.get(place)
        if plan is None:
            plan = self._places[place] = self._plans.plan(kind, details)
            self._plans.charge(self._key, PLACE)
        if plan.run is None and plan.is_due(objects):
            self._plans.make(self._key, executor, plan)
        return plan if plan.run else None


def variables_of(
    operation: OperationDefinitionNode, *fragments: FragmentDefinitionNode
) -> tuple[str, ...] | None:
    """The variables that @skip and @include name. None if there is another directive, or a fragment with
    variables of its own.
    """
    if any(fragment.variable_definitions for fragment in fragments):
        return None
    names = dict[str, None]()
    for directive in _directives_of(operation, *fragments):
        if directive.name.value not in {"skip", "include"}:
            return None
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                names[argument.value.name.value] = None
    return tuple(names)


def _directives_of(*nodes: OperationDefinitionNode | FragmentDefinitionNode) -> Iterator[DirectiveNode]:
    stack: list[OperationDefinitionNode | FragmentDefinitionNode | SelectionNode] = [*nodes]
    while stack:
        node = stack.pop()
        yield from node.directives or ()
        if isinstance(node, FieldNode):
            stack += node.selection_set.selections if node.selection_set else ()
        elif isinstance(node, OperationDefinitionNode | FragmentDefinitionNode | InlineFragmentNode):
            stack += node.selection_set.selections
