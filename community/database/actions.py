"""What an operator does about work that was given up."""

import logging
from collections.abc import Sequence

from community.database.due import DeadLetter, dead_letters
from community.database.models import Due
from community.database.work import UnitOfWork, requires
from community.permissions import CITY, Permission, Scope

log = logging.getLogger(__name__)


async def _city(_: object) -> Scope:
    return Scope(CITY, public_reading=False)


@requires(Permission.OPERATE, within=_city)
async def retry_due(work: UnitOfWork, ids: Sequence[int] | None) -> list[DeadLetter]:
    """Takes these dead letters up again, or all of them; those that were. The cause may be mended since."""
    by = "the system" if work.recorder is None else f"account {work.recorder}"
    retried = []
    for letter in await dead_letters(ids):
        as_it_was = Due.filter(id=letter.id, attempts=letter.attempts, done_at=None)
        if await as_it_was.update(attempts=0, next_at=None, retries=letter.retries + 1):
            log.info("%s of %s is retried by %s", letter.job, letter.subject, by)
            retried.append(letter)
    return retried
