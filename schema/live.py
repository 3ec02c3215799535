"""Live fields: a topic declares a field's state or journal, its key and its type; `realtime/` does the
rest.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from inspect import Parameter, Signature
from typing import Annotated, Any, NamedTuple, get_type_hints

import strawberry

from community.live import Declaration, Journal
from realtime.authorization import Access
from realtime.fields import AFTER, LIVE, LiveField
from schema.connections import After
from schema.context import Context, Info
from schema.nodes import key_of


class WatchedId(NamedTuple):
    """The argument with the id of the watched thing, named after its `kind`: `Vote` gives `voteId`."""

    kind: str
    description: str

    @property
    def argument(self) -> str:
        return f"{self.kind[0].lower()}{self.kind[1:]}Id"

    def of(self, arguments: Mapping[str, Any]) -> int:
        """Raises InvalidId, NotFound."""
        return key_of(arguments[self.argument], self.kind, self.argument)


def live(
    declaration: Declaration[Any, Any], key: WatchedId, show: Callable[..., Any], *, description: str
) -> Any:
    """A subscription field of the type that `show` returns for a value, or for an item and its cursor.

    Its resolver runs only where Strawberry itself executes a subscription. The server reads the declaration
    from the field, and executes a document once for all who see the same.
    """
    is_journal = isinstance(declaration, Journal)
    field = LiveField(declaration, key.of, (lambda item: show(*item)) if is_journal else show)

    def resolve(info: Info, **arguments: Any) -> AsyncGenerator[Any, None]:
        return _shown(info.context, field, arguments)

    shown = get_type_hints(show)["return"]
    resolve.__signature__ = _signature(key, shown, reads_after=is_journal)  # type: ignore[attr-defined]
    return strawberry.subscription(resolver=resolve, description=description, metadata={LIVE: field})


def _signature(key: WatchedId, shown: Any, *, reads_after: bool) -> Signature:
    """Of a resolver as a topic would write it."""
    id_ = Annotated[strawberry.ID, strawberry.argument(description=key.description)]
    parameters = [
        Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info),
        Parameter(key.argument, Parameter.POSITIONAL_OR_KEYWORD, annotation=id_),
    ]
    if reads_after:
        parameters.append(Parameter(AFTER, Parameter.POSITIONAL_OR_KEYWORD, annotation=After, default=None))
    return Signature(parameters, return_annotation=AsyncGenerator[shown, None])


async def _shown(
    context: Context, field: LiveField, arguments: Mapping[str, Any]
) -> AsyncGenerator[Any, None]:
    """Each value or item. The right is asked before the first, and again where the context has a new viewer.

    Raises InvalidId, NotFound, and CursorInvalid.
    """
    declaration, key, viewer = field.declaration, field.key_of(arguments), context.viewer
    access = Access(declaration, key)
    await access.require(viewer)
    async with context.sources.watch(declaration, key, arguments.get(AFTER)) as reader:
        async for value in reader:
            if context.viewer is not viewer:
                viewer = context.viewer
                await access.require(viewer)
            context.renew()
            yield field.show(value)
