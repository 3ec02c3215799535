"""What happens by itself: things that are due, each done once whatever number of processes look."""

import asyncio
import logging

from api.clock import utc_now
from community.database.due import due_now
from community.permissions import SYSTEM
from community.votes.actions import CLOSE, OPEN, close_vote, open_vote

EVERY = 0.5

DEEDS = {OPEN: open_vote, CLOSE: close_vote}
"""Actions that do nothing when another process was first."""

log = logging.getLogger(__name__)


async def run_due() -> None:
    """Does what is due now; one that fails is tried again the next time and stops no other."""
    for row in await due_now(utc_now()):
        try:
            await DEEDS[row.deed](SYSTEM, utc_now(), row.subject)
        except Exception:
            log.exception("%s of %s failed", row.deed, row.subject)


async def keep_running_due() -> None:
    """Runs until cancelled."""
    while True:
        try:
            await run_due()
        except Exception:
            log.exception("could not look what is due")
        await asyncio.sleep(EVERY)
