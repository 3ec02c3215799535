"""Sends the messages of the outbox, each at least once, with a key by which a second one is known."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from api.clock import utc_now
from api.timers import DueLoop
from community.database import due
from community.database.due import DueRow

PATIENCE = due.LEASE.total_seconds() / 2
"""Seconds for one message: when another process may send it, this one has ended."""

Sender = Callable[[str, dict[str, Any]], Awaitable[None]]
"""Sends a payload under an idempotency key. Its errors must not name what they sent: they are logged."""


class Outbox(DueLoop):
    """A loop of its own: a channel that hangs keeps no vote from opening or closing."""

    def __init__(self, senders: Mapping[str, Sender], *, mails_operator: bool = False) -> None:
        super().__init__(mails_operator=mails_operator)
        self._senders = senders

    async def _due_now(self) -> list[DueRow]:
        return await due.due_now(utc_now(), messages=True)

    async def _run(self, row: DueRow) -> None:
        """What dies between the sending and the mark is sent again under the same key."""
        send = self._senders[row.job]
        leased = await due.lease(row, utc_now())
        if leased is None:
            return
        async with asyncio.timeout(PATIENCE):
            await send(f"{row.job}-{row.subject}", json.loads(row.payload or "{}"))
        await due.mark_sent(leased, utc_now())
