"""Which classes are of ordinary values: neither errors nor awaitable nor something that only looks so."""

from types import FunctionType, GeneratorType, ModuleType
from typing import Any

from graphql.pyutils import Undefined

MOST = 4_096
"""Classes that are kept; beyond it all are learnt anew."""

_NEVER = (type(None), type(Undefined), GeneratorType, ModuleType, type)


class Surprise(Exception):
    """A value that generated code does not complete; graphql-core does, from the beginning."""


class Absent(Surprise, KeyError):
    """A loader has nothing where it should: only the resolver knows what to say."""


class OrdinaryClasses:
    """Those that were seen. `known` is asked by generated code."""

    def __init__(self) -> None:
        self.known: set[type] = {str, int, float, bool, list, tuple, dict}

    def learn(self, value: Any) -> None:
        """Raises Surprise where a value of this class may be an error, awaitable or nothing at all."""
        kind = type(value)
        if not is_ordinary(kind):
            raise Surprise
        if len(self.known) >= MOST:
            self.known.clear()
        self.known.add(kind)


def is_ordinary(kind: type) -> bool:
    if issubclass(kind, (BaseException, *_NEVER)) or hasattr(kind, "__await__"):
        return False
    return not any(_pretends(base) for base in kind.__mro__)


def _pretends(base: type) -> bool:
    """Whether an instance may have attributes, or a class, that its class does not have."""
    own = vars(base)
    return (
        "__getattr__" in own
        or isinstance(own.get("__getattribute__"), FunctionType)
        or ("__class__" in own and base is not object)
    )
