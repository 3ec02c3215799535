"""Waiting for what others may cancel."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from community.errors import Refused

T = TypeVar("T")


async def unless_cancelled(waiting: Awaitable[T], refused: Refused) -> T:
    """Raises `refused` if something that is waited for was cancelled, and not who waits."""
    try:
        return await waiting
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        raise refused from None
