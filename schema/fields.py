"""Fields of rows that are not simply an attribute: what a loader brings, and what depends on the context.

Each says how it is read, so that it can be compiled (docs/compiled.md); its resolver does the same.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, NamedTuple

import strawberry

from community.errors import NotFound
from schema.context import Context, Info
from schema.loaders import Loader, Loaders

BROUGHT = "schema.brought"
IN_CONTEXT = "schema.in-context"
READS = "schema.reads"

LoaderOf = Callable[[Loaders], Loader[Any, Any]]


class Brought(NamedTuple):
    """`key`: the attribute of the row that has the loader's key."""

    loader: LoaderOf
    key: str
    optional: bool


def brought(
    loader: LoaderOf,
    key: str,
    *,
    description: str,
    optional: bool = False,
    hidden: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> Any:
    """A field whose value a loader brings by a key in the row; where the key is None, so is the value.

    The loader has a value for each key, unless the value is `optional`, and then it is null, or may be
    `hidden` from who sees the row: that raises NotFound.
    """

    async def resolve(root: Any, info: Info) -> Any:
        wanted: Hashable = getattr(root, key)
        if wanted is None:
            return None
        value = await loader(info.context.loaders).load(wanted)
        if value is None and not optional:
            raise NotFound if hidden else KeyError(wanted)
        return value

    marks = {BROUGHT: Brought(loader, key, optional), **(metadata or {})}
    return strawberry.field(resolver=resolve, description=description, metadata=marks)


def in_context(
    value: Callable[[Any, Context], Any],
    *,
    description: str,
    reads: Collection[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Any:
    """A field that follows at once from the row and the context: the clock, or who asks. `reads`: the only
    columns that it needs.
    """

    def resolve(root: Any, info: Info) -> Any:
        return value(root, info.context)

    marks = {IN_CONTEXT: value, READS: reads, **(metadata or {})}
    return strawberry.field(resolver=resolve, description=description, metadata=marks)
