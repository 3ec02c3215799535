"""Writes a function line by line, with a table of what it refers to."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from compiled.classes import Absent, Surprise

_CONSTANT, _ONCE = re.compile(r"\bk\d+\b"), re.compile(r"\bo\d+\b")

BUILTINS: dict[str, Any] = {
    each.__name__: each for each in (type, str, int, float, list, tuple, dict, id, Surprise, Absent)
}
"""All that generated code can name besides its constants."""


class Program:
    """`function` makes it, and nothing refers to the function, so that it goes as soon as it is let go."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._head: dict[str, str] = {}
        self._shared: dict[str, str] = {}
        self._constants: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._depth = 1
        self._count = 0

    def name(self) -> str:
        """A new local variable."""
        self._count += 1
        return f"x{self._count}"

    def constant(self, value: Any) -> str:
        """The name of a value that the program refers to; it is kept."""
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = f"k{len(self._names)}"
            self._constants[name] = value
        return name

    def first(self, expression: str) -> str:
        """The name of what an expression of constants and `info` gives before all else, where it is used."""
        name = f"o{len(self._head)}"
        self._head[name] = expression
        return name

    def once(self, expression: str) -> str:
        """The same, and one name for one expression."""
        if expression not in self._shared:
            self._shared[expression] = self.first(expression)
        return self._shared[expression]

    def line(self, text: str) -> None:
        self.lines.append(" " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        depth = self._depth
        self.line(head)
        self._depth += 1
        try:
            yield
        finally:
            self._depth = depth

    @contextmanager
    def block_if_any(self, head: str) -> Iterator[None]:
        """A block that is left out where nothing is written in it."""
        before = len(self.lines)
        with self.block(head):
            yield
        if len(self.lines) == before + 1:
            self.forget_after(before)

    def forget_after(self, count: int) -> None:
        """Takes back all lines but the first `count`."""
        del self.lines[count:]

    def forget_if_none_after(self, head: int, before: int) -> None:
        """Takes the lines from `before` to `head` back where none came after them."""
        if len(self.lines) == head:
            self.forget_after(before)

    @property
    def source(self) -> str:
        used = set(_ONCE.findall("\n".join(self.lines)))
        head = [f" {name} = {text}" for name, text in self._head.items() if name in used]
        return "\n".join(["def run(v, info):", *head, *self.lines])

    def function(self) -> Callable[[Any, Any], Any]:
        """Raises SyntaxError, RecursionError or MemoryError where it is nested too deeply for Python."""
        source = self.source
        used = set(_CONSTANT.findall(source))
        space = {name: value for name, value in self._constants.items() if name in used}
        space["__builtins__"] = BUILTINS
        exec(compile(source, "<compiled>", "exec"), space)  # noqa: S102
        made: Callable[[Any, Any], Any] = space.pop("run")
        return made
