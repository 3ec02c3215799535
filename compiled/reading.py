"""How fields without a resolver are read: as graphql-core's own resolver reads them."""

from collections.abc import Callable, Mapping
from typing import Any

from compiled.classes import Surprise


def reader_of(name: str) -> Callable[[Any], Any]:
    """Raises Surprise for what would be called with `info`."""

    def read(source: Any) -> Any:
        if type(source) is dict or isinstance(source, Mapping):
            value = source.get(name)
        else:
            value = getattr(source, name, None)
        if callable(value):
            raise Surprise
        return value

    return read
