"""What a schema says of its fields and types, so that they can be compiled: marks in their `extensions`."""

import dis
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_VARARGS, CO_VARKEYWORDS
from keyword import iskeyword
from operator import attrgetter
from types import CodeType, FunctionType
from typing import Any, Protocol

PLAIN = "compiled.plain"
"""In the `extensions` of a field: its `Plain`. Fields without a resolver need none."""

IGNORES_INFO = "compiled.ignores-info"
"""In the `extensions` of a type, true: its `is_type_of` or `resolve_type` does not look at `info`."""

CLASS = "compiled.class"
"""In the `extensions` of an object type: the class whose very instances, not those of a subclass, are all of
this type. `is_type_of` and `resolve_type` are not asked about them.
"""


@dataclass(frozen=True, slots=True)
class Plain:
    """What a resolver does: it gives `get(source)`, which takes no arguments, needs no `info`, changes
    nothing and gives no awaitable.

    `path`: the attributes, where it does nothing but read one of another, and give what `through` makes of
    the last. `in_context`: it is `get(source, info.context)`. `resolver`: what it speaks of; with another one
    in the field it says nothing.
    """

    resolver: Callable[..., Any] | None
    get: Callable[..., Any]
    path: tuple[str, ...] = ()
    in_context: bool = False
    through: Callable[[Any], Any] | None = None


class Loader(Protocol):
    """Reads keys together. `found`: what was read, None for a key of which there is nothing; a key whose read
    failed is not in it. `want` has keys read with all others that are wanted now, and gives what to wait for,
    which nobody else waits for, as graphql-core cancels what it no longer needs; None where all of them were
    read before.
    """

    @property
    def found(self) -> Mapping[Any, Any]: ...

    def want(self, keys: Iterable[Any]) -> Awaitable[object] | None: ...


LOADED = "compiled.loaded"
"""In the `extensions` of a field: its `Loaded`."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an asynchronous resolver does: it gives what `loader(info.context)` finds for `key.get(source)`,
    and None where the key is None. Where nothing is found it gives None too if that is `optional`; else only
    it knows what it does.
    """

    resolver: Callable[..., Any] | None
    key: Plain
    loader: Callable[[Any], Loader]
    optional: bool = False


def plain_attribute(resolver: Callable[..., Any] | None, name: str) -> Plain:
    return Plain(resolver, attrgetter(name), _chain((name,)))


def plain_method(resolver: Callable[..., Any] | None, method: object) -> Plain | None:
    """None unless `method` takes one thing, gives its value at once, and stores nothing outside itself.

    Whatever it calls is not looked at.
    """
    if not isinstance(method, FunctionType) or not _takes_one(method.__code__) or _stores(method.__code__):
        return None
    return Plain(resolver, method, _chain(_attributes(method.__code__)))


_LATER = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR


def _takes_one(code: CodeType) -> bool:
    several = code.co_flags & (CO_VARARGS | CO_VARKEYWORDS) or code.co_kwonlyargcount
    return code.co_argcount == 1 and not several and not code.co_flags & _LATER


_STORES = frozenset(
    {
        *("STORE_ATTR", "STORE_GLOBAL", "STORE_NAME", "STORE_SUBSCR", "STORE_SLICE"),
        *("DELETE_ATTR", "DELETE_GLOBAL", "DELETE_NAME", "DELETE_SUBSCR", "IMPORT_NAME"),
    }
)


def _stores(code: CodeType, outer: frozenset[str] | None = None) -> bool:
    outer = frozenset(code.co_freevars) if outer is None else outer
    within = [each for each in code.co_consts if isinstance(each, CodeType)]
    return any(
        step.opname in _STORES or (step.opname in {"STORE_DEREF", "DELETE_DEREF"} and step.argval in outer)
        for step in dis.get_instructions(code)
    ) or any(_stores(each, outer) for each in within)


def _attributes(code: CodeType) -> tuple[str, ...]:
    """Those that are read one of another, where that is all; else none."""
    steps = [step for step in dis.get_instructions(code) if step.opname not in {"RESUME", "NOP", "CACHE"}]
    if len(steps) < 3 or not steps[0].opname.startswith("LOAD_FAST") or steps[-1].opname != "RETURN_VALUE":
        return ()
    return tuple(str(step.argval) for step in steps[1:-1]) if all(_reads(steps[1:-1])) else ()


def _reads(steps: list[dis.Instruction]) -> Iterator[bool]:
    for step in steps:
        yield step.opname == "LOAD_ATTR"


def _chain(names: tuple[str, ...]) -> tuple[str, ...]:
    """Only what can stand in a program, and means the same there."""
    mangled = any(name.startswith("__") and not name.endswith("__") for name in names)
    sound = all(name.isidentifier() and name.isascii() and not iskeyword(name) for name in names)
    return names if sound and not mangled else ()
