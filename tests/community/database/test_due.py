import asyncio
from datetime import datetime, timedelta

import pytest
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from community.database import due
from community.database.models import Due

SECOND = timedelta(seconds=1)


async def test_what_is_due_comes_the_longest_waiting_first(database: str, now: datetime) -> None:
    await due.plan("close_vote", 1, now)
    await due.plan("open_vote", 2, now - SECOND)
    await due.plan("open_vote", 3, now + SECOND)
    assert [(row.deed, row.subject, row.at) for row in await due.due_now(now)] == [
        ("open_vote", 2, now - SECOND),
        ("close_vote", 1, now),
    ]
    assert [row.subject for row in await due.due_now(now, most=1)] == [2]
    assert [row.subject for row in await due.due_now(now + SECOND)] == [2, 1, 3]


async def test_a_deed_is_claimed_once(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    await due.plan("close_vote", 1, now)
    assert await due.claim("open_vote", 1, now)
    assert not await due.claim("open_vote", 1, now)
    assert [row.deed for row in await due.due_now(now)] == ["close_vote"]
    assert await Due.get(deed="open_vote").values("done_at") == {"done_at": now}
    assert not await due.claim("open_vote", 2, now)


async def test_a_deed_is_planned_once(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    with pytest.raises(IntegrityError):
        await due.plan("open_vote", 1, now + SECOND)


async def test_a_claim_falls_with_its_transaction(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)

    async def claim_and_fail() -> None:
        async with in_transaction():
            assert await due.claim("open_vote", 1, now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await claim_and_fail()
    assert await due.claim("open_vote", 1, now)


async def test_of_many_who_claim_at_once_one_gets_it(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)

    async def claim() -> bool:
        async with in_transaction():
            return await due.claim("open_vote", 1, now)

    claims = await asyncio.gather(*(claim() for _ in range(20)))
    assert claims.count(True) == 1
