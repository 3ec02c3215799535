from datetime import datetime

import pytest

from community.database import due
from community.database.actions import retry_due
from community.database.models import Due
from community.errors import Forbidden, Unauthenticated
from community.permissions import NOBODY, SYSTEM, Person


@pytest.fixture
async def dead(database: str, now: datetime) -> list[int]:
    """Two that were given up; a third one is done, and a fourth failed a few times."""
    last = {"attempts": 20, "next_at": now + due.LONGEST_PAUSE, "error": "OSError", "failed_at": now}
    rows = [Due(job="open_vote", subject=number, at=now, **last) for number in range(1, 5)]
    rows[2].done_at = rows[3].next_at = now
    rows[3].attempts = 19
    await Due.bulk_create(rows)
    return [row.id for row in rows]


async def test_one_is_retried_alone_and_keeps_what_it_failed_by(dead: list[int], now: datetime) -> None:
    (letter,) = await retry_due(SYSTEM, now, dead[:1])
    assert (letter.id, letter.job, letter.subject) == (dead[0], "open_vote", 1)
    assert [row.id for row in await due.dead_letters()] == [dead[1]]
    retried, failing = await due.due_now(now)
    assert (retried.id, retried.attempts, retried.retries) == (dead[0], 0, 1)
    assert (failing.id, failing.attempts, failing.retries) == (dead[3], 19, 0)
    assert await Due.get(id=dead[0]).values("error", "failed_at") == {"error": "OSError", "failed_at": now}
    assert await retry_due(SYSTEM, now, dead[:1]) == []


async def test_all_are_retried_and_nothing_else(dead: list[int], now: datetime) -> None:
    others = await Due.filter(id__in=dead[2:]).order_by("id").values()
    assert [letter.id for letter in await retry_due(SYSTEM, now, None)] == dead[:2]
    assert await due.given_up() == {}
    assert await Due.filter(id__in=dead[2:]).order_by("id").values() == others


async def test_only_an_operator_may(dead: list[int], now: datetime) -> None:
    with pytest.raises(Unauthenticated):
        await retry_due(NOBODY, now, None)
    with pytest.raises(Forbidden):
        await retry_due(Person(account=7), now, None)
    assert await due.given_up() == {"open_vote": 2}
