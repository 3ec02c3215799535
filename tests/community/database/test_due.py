import asyncio
import json
import re
from datetime import datetime, timedelta

import pytest
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from community.database import due
from community.database.due import DueRow
from community.database.models import Due
from community.database.work import UnitOfWork, atomic
from community.errors import TryAgain
from community.permissions import SYSTEM

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
FAULT = OSError()


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
    assert await Due.get(job="open_vote").values("done_at") == {"done_at": now}
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
        assert await due.fail(row, now, FAULT)
        assert await due.due_now(now + due.pause(attempts) - MICROSECOND) == []
        now += due.pause(attempts)


async def test_what_fails_is_tried_again_after_a_pause_that_grows(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    await failed(now, 12)
    pauses = [due.pause(attempts) for attempts in range(due.MOST_ATTEMPTS)]
    assert pauses[:4] == [SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert pauses == sorted(pauses)
    assert pauses[-1] == due.LONGEST_PAUSE


async def test_in_the_end_it_is_given_up_until_somebody_retries_it(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    await failed(now, due.MOST_ATTEMPTS - 1)
    assert await due.given_up() == {}
    assert await due.dead_letters() == []
    assert await due.overdue(now) == 1
    later = now + 30 * DAY
    (row,) = await due.due_now(later)
    await due.fail(row, later, FAULT)
    assert await due.given_up() == {"open_vote": 1}
    assert await due.overdue(later) == 0
    assert await due.due_now(later + 365 * DAY) == []
    assert not await due.fail(row, later, FAULT)
    (letter,) = await due.dead_letters()
    assert (letter.id, letter.job, letter.subject, letter.at) == (row.id, "open_vote", 1, now)
    assert (letter.attempts, letter.retries, letter.failed_at) == (due.MOST_ATTEMPTS, 0, later)
    assert (letter.error, letter.error_text) == ("OSError", "")
    assert await due.dead_letters([row.id]) == [letter]
    assert await due.dead_letters([row.id + 1]) == []


async def test_what_runs_when_it_is_given_up_is_written_with_it_and_once(
    database: str, now: datetime
) -> None:
    await due.plan("open_vote", 1, now)
    await failed(now, due.MOST_ATTEMPTS - 1)
    later = now + 30 * DAY
    (row,) = await due.due_now(later)

    async def write_and_fail(work: UnitOfWork) -> None:
        await work.send("mail", text="never sent")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await due.fail(row, later, FAULT, write_and_fail)
    assert await due.given_up() == {}
    ends = await asyncio.gather(
        *(due.fail(row, later, FAULT, lambda work: work.send("mail")) for _ in range(5))
    )
    assert sorted(ends) == [False] * 4 + [True]
    assert [message.job for message in await due.due_now(later, messages=True)] == ["mail"]


def planted() -> None:
    raise Planted("张三 13800000000")


class Planted(Exception):
    pass


def test_of_an_error_its_type_and_place_are_kept_and_no_words() -> None:
    with pytest.raises(Planted) as caught:
        planted()
    name, text = due.described(caught.value)
    assert name == "Planted"
    assert re.fullmatch(r"at community/database/test_due.py:\d+", text)
    assert due.described(ConnectionRefusedError(111, "张三")) == (
        "ConnectionRefusedError",
        "Connection refused",
    )
    assert due.described(TryAgain()) == ("TryAgain", "TRY_AGAIN")
    assert len(due.described(type("Long" * 99, (Exception,), {})())[0]) == 100


# Messages


async def sent(now: datetime, *kinds: str) -> list[DueRow]:
    async def send(work: UnitOfWork) -> None:
        for number, kind in enumerate(kinds):
            assert await work.send(kind, to=f"张三 {number}")

    await atomic(send, SYSTEM, now)
    return await due.due_now(now, messages=True)


async def test_a_message_is_written_with_its_action_or_not_at_all(database: str, now: datetime) -> None:
    async def send_and_fail(work: UnitOfWork) -> None:
        await work.send("mail", to="张三")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await atomic(send_and_fail, SYSTEM, now)
    assert await due.due_now(now + DAY, messages=True) == []
    await due.plan("open_vote", 1, now)
    (first, second) = await sent(now, "mail", "mail")
    assert [json.loads(row.payload or "") for row in (first, second)] == [{"to": "张三 0"}, {"to": "张三 1"}]
    assert first.subject != second.subject
    assert [row.job for row in await due.due_now(now)] == ["open_vote"]


async def test_of_many_one_leases_a_message_until_the_lease_is_over(database: str, now: datetime) -> None:
    (row,) = await sent(now, "mail")
    leases = await asyncio.gather(*(due.lease(row, now) for _ in range(8)))
    assert len([lease for lease in leases if lease]) == 1
    assert await due.due_now(now + due.LEASE - MICROSECOND, messages=True) == []
    (again,) = await due.due_now(now + due.LEASE, messages=True)
    assert (again.subject, again.payload, again.attempts) == (row.subject, row.payload, 0)
    assert await due.lease(row, now + due.LEASE) is None
    assert await due.lease(again, now + due.LEASE)


async def test_what_was_sent_is_sent_no_more_and_forgets_to_whom(database: str, now: datetime) -> None:
    (row,) = await sent(now, "mail")
    await due.mark_sent(row, now)
    assert await due.due_now(now + DAY, messages=True) == await due.due_now(now + DAY) == []
    assert await Due.all().values("done_at", "payload") == [{"done_at": now, "payload": None}]


async def test_those_that_failed_make_way_for_those_that_did_not(database: str, now: datetime) -> None:
    for subject in (1, 2):
        await due.plan("open_vote", subject, now - DAY)
    await due.plan("open_vote", 3, now)
    for row in await due.due_now(now, most=2):
        await due.fail(row, now - SECOND, FAULT)
    assert [row.subject for row in await due.due_now(now)] == [1, 2, 3]  # each has waited since its turn
    assert [row.subject for row in await due.due_now(now - MICROSECOND)] == []
    await due.plan("close_vote", 3, now - 2 * SECOND)
    assert [row.job for row in await due.due_now(now, most=1)] == ["close_vote"]


async def test_of_several_who_saw_it_fail_one_notes_it(database: str, now: datetime) -> None:
    await due.plan("open_vote", 1, now)
    (row,) = await due.due_now(now)
    noted = await asyncio.gather(*(due.fail(row, now, FAULT) for _ in range(6)))
    assert sorted(noted) == [False] * 5 + [True]
    await due.postpone(row, now + DAY)  # late: it failed meanwhile
    assert [row.attempts for row in await due.due_now(now + SECOND)] == [1]
    assert await due.claim("open_vote", 1, now)
    (kept,) = await Due.all().values()
    assert not await due.fail(DueRow(row.id, row.job, row.subject, row.at, 1), now, FAULT)
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
    await due.fail(row, now + 365 * DAY, FAULT)
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
