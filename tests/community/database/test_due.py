import asyncio
from datetime import datetime, timedelta

import pytest
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from community.database import due
from community.database.due import DueRow
from community.database.models import Due
from community.errors import TryAgain

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)


async def test_what_is_due_comes_the_longest_waiting_first(database: str, now: datetime) -> None:
    await due.plan("close_vote", 1, now)
    await due.plan("open_vote", 2, now - SECOND)
    await due.plan("open_vote", 3, now + SECOND)
    assert [(row.job, row.subject, row.at) for row in await due.due_now(now)] == [
        ("open_vote", 2, now - SECOND),
        ("close_vote", 1, now),
    ]
    assert [row.subject for row in await due.due_now(now, most=1)] == [2]
    assert [row.subject for row in await due.due_now(now + SECOND)] == [2, 1, 3]


async def test_a_job_is_claimed_once(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    await due.plan("close_vote", 1, now)
    assert await due.claim("open_vote", 1, now)
    assert not await due.claim("open_vote", 1, now)
    assert [row.job for row in await due.due_now(now)] == ["close_vote"]
    assert await Due.get(deed="open_vote").values("done_at") == {"done_at": now}
    assert not await due.claim("open_vote", 2, now)


async def test_a_job_is_planned_once(database: str, now: datetime) -> None:
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


async def failed(now: datetime, times: int) -> None:
    """The only row fails so often, each time when its pause is over."""
    for attempts in range(times):
        (row,) = await due.due_now(now)
        assert row.attempts == attempts
        assert await due.fail(row, now)
        assert await due.due_now(now + due.pause(attempts) - MICROSECOND) == []
        now += due.pause(attempts)


async def test_what_fails_is_tried_again_after_a_pause_that_grows(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    await failed(now, 12)
    pauses = [due.pause(attempts) for attempts in range(due.MOST_ATTEMPTS)]
    assert pauses[:4] == [SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert pauses == sorted(pauses)
    assert pauses[-1] == due.LONGEST_PAUSE


async def test_in_the_end_it_is_given_up_until_a_server_starts(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    await failed(now, due.MOST_ATTEMPTS - 1)
    assert await due.given_up() == 0
    later = now + 30 * DAY
    (row,) = await due.due_now(later)
    await due.fail(row, later)
    assert await due.given_up() == 1
    assert await due.due_now(later + 365 * DAY) == []
    await due.take_up_again(later)
    assert await due.given_up() == 0
    assert [row.attempts for row in await due.due_now(now)] == [0]


async def test_a_start_takes_up_nothing_else(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    await failed(now, 3)
    before = await Due.all().values()
    await due.take_up_again(now)
    assert await Due.all().values() == before


async def test_those_that_failed_make_way_for_those_that_did_not(database: str, now: datetime) -> None:
    for subject in (1, 2):
        await due.plan("open_vote", subject, now - DAY)
    await due.plan("open_vote", 3, now)
    for row in await due.due_now(now, most=2):
        await due.fail(row, now - SECOND)
    assert [row.subject for row in await due.due_now(now)] == [1, 2, 3]  # each has waited since its turn
    assert [row.subject for row in await due.due_now(now - MICROSECOND)] == []
    await due.plan("close_vote", 3, now - 2 * SECOND)
    assert [row.job for row in await due.due_now(now, most=1)] == ["close_vote"]


async def test_of_several_who_saw_it_fail_one_notes_it(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    (row,) = await due.due_now(now)
    noted = await asyncio.gather(*(due.fail(row, now) for _ in range(6)))
    assert sorted(noted) == [False] * 5 + [True]
    await due.postpone(row, now + DAY)  # late: it failed meanwhile
    assert [row.attempts for row in await due.due_now(now + SECOND)] == [1]
    assert await due.claim("open_vote", 1, now)
    (kept,) = await Due.all().values()
    assert not await due.fail(DueRow(row.id, row.job, row.subject, row.at, 1), now)
    assert await Due.all().values() == [kept]


async def test_what_rests_is_no_nearer_to_its_end(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    for _ in range(2 * due.MOST_ATTEMPTS):
        (row,) = await due.due_now(now)
        await due.postpone(row, now + SECOND)
        assert await due.due_now(now) == []
        now += SECOND
    assert row.attempts == 0


async def test_what_is_rescheduled_waits_for_its_time(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    await due.reschedule("open_vote", 1, now + SECOND)
    assert await due.due_now(now + SECOND - MICROSECOND) == []
    assert len(await due.due_now(now + SECOND)) == 1


async def test_a_pause_begun_by_a_clock_that_ran_ahead_is_over(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    (row,) = await due.due_now(now)
    await due.fail(row, now + 365 * DAY)
    assert [row.attempts for row in await due.due_now(now)] == [1]


async def test_while_time_is_in_doubt_nobody_claims(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    doubts = [True, True]
    stops = [due.pause_while(lambda: doubts[0]), due.pause_while(lambda: doubts[1])]
    for settled in (0, 1):
        assert due.in_doubt()
        with pytest.raises(TryAgain):
            await due.claim("open_vote", 1, now)
        doubts[settled] = False
    assert not due.in_doubt()
    doubts[0] = True
    stops[0]()
    assert await due.claim("open_vote", 1, now)
    stops[1]()
