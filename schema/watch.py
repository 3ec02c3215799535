"""From a live state to a subscription: the right is asked at the watch and whenever rights change."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Protocol, TypeVar

from community.errors import NotFound
from community.permissions import Permission, Place, may
from schema.context import Context

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Shown(Protocol[T_co]):
    """States or items as they come. `number`: of the last one."""

    number: int

    def __aiter__(self) -> AsyncIterator[T_co]: ...

    def when_more(self, call: Callable[[], None], /) -> None: ...

    async def __anext__(self) -> T_co: ...


async def watch(
    context: Context,
    place: Callable[[], Awaitable[Place]],
    watched: AbstractAsyncContextManager[Shown[T]],
    number_of: Callable[[str], int] | None = None,
) -> AsyncGenerator[T, None]:
    """What happens in a `place` whose bulletin the viewer may read; `number_of` reads a journal's cursors.

    Raises NotFound, at once or at the moment when the right is lost. A run that is shared asks no viewer:
    whoever joins it is asked.
    """
    if (shared := context.shared) is not None:
        await shared.find(place)
        async with watched as shown:
            shared.opened(shown, number_of)
            while True:
                await shared.turn.begin(shown.when_more)  # until what it makes of it is encoded
                state = await anext(shown)
                context.renew()
                yield state

    async def allowed() -> None:
        if not may(context.viewer, Permission.READ_BULLETIN, await place()):
            raise NotFound

    since, viewer = context.standing.known, context.viewer
    await allowed()
    turn = context.tempo.turn()
    async with (
        watched as shown,
        aclosing(context.standing.while_allowed(allowed, shown, viewer, since, turn)) as states,
    ):
        async for state in states:
            context.renew()
            yield state
