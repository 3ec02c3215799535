"""Writes a function line by line, with a table of what it refers to."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from compiled.classes import Surprise

_CONSTANT = re.compile(r"\bk\d+\b")

BUILTINS: dict[str, Any] = {
    each.__name__: each for each in (type, str, int, float, list, tuple, dict, id, Surprise)
}
"""All that generated code can name besides its constants."""


class Program:
    """`function` makes it, and nothing refers to the function, so that it goes as soon as it is let go."""

    def __init__(self) -> None:
        self.lines: list[str] = []
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

    def forget_after(self, count: int) -> None:
        """Takes back all lines but the first `count`."""
        del self.lines[count:]

    @property
    def source(self) -> str:
        return "\n".join(["def run(v, info):", *self.lines])

    def function(self) -> Callable[[Any, Any], Any]:
        """Raises SyntaxError, RecursionError or MemoryError where it is nested too deeply for Python."""
        source = self.source
        used = set(_CONSTANT.findall(source))
        space = {name: value for name, value in self._constants.items() if name in used}
        space["__builtins__"] = BUILTINS
        exec(compile(source, "<compiled>", "exec"), space)  # noqa: S102
        made: Callable[[Any, Any], Any] = space.pop("run")
        return made
