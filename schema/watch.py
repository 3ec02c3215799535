"""From a live state to a subscription: the right is asked at the watch and whenever rights change."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TypeVar

from realtime.standing import Check
from schema.context import Context

T = TypeVar("T")


async def watch(
    context: Context, check: Check, watched: AbstractAsyncContextManager[AsyncIterator[T]]
) -> AsyncGenerator[T, None]:
    """Raises whatever `check` refuses, at once or at the moment when the right is lost."""
    await check()
    async with (
        watched as states,
        aclosing(context.standing.while_allowed(check, states, context.viewer)) as allowed,
    ):
        async for state in allowed:
            yield state
