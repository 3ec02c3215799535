import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tortoise.exceptions import OperationalError

from api import timers
from api.clock import utc_now
from community.bulletin.reads import items_page
from community.database import due
from community.database.actions import retry_due
from community.database.models import Due
from community.errors import OutcomeUnknown, TryAgain
from community.permissions import SYSTEM
from community.votes.actions import NewQuestion, announce_vote, close_vote, open_vote
from community.votes.casting import QuestionKind, VoteForm
from community.votes.lifecycle import VoteNotOpen, VoteStatus, VoteStep, counted_from
from community.votes.reads import vote_row
from community.votes.rules import Matter
from tests.steps import when

DAY = timedelta(days=1)


async def announce(house: Any, opens: timedelta, closes: timedelta) -> int:
    """A survey whose opening and closing lie so far from now."""
    now = utc_now()
    return await announce_vote(
        SYSTEM,
        now - 10 * DAY,
        house.town.key("Community", "spring"),
        convener=house.town.key("Organization", "spring/committee"),
        title="问卷",
        description="",
        form=VoteForm.CONSULTATION,
        opens_at=now + opens,
        closes_at=now + closes,
        questions=[
            NewQuestion("？", "", QuestionKind.SURVEY, Matter.CONSULTATION, [("YES", "好"), ("NO", "不")])
        ],
    )


async def posted(house: Any, vote: int) -> list[str]:
    rows = (await items_page(house.town.key("Community", "spring"), 100)).rows
    return [str(row.kind) for row in rows if row.subject == vote][::-1]


async def test_what_is_due_happens_and_happens_once(house: Any) -> None:
    vote = await announce(house, -2 * DAY, -DAY)
    await timers.Timers().run_due()
    row = await vote_row(vote)
    assert row.opened
    assert row.last_step is VoteStep.COUNTED
    once = ["VOTE_ANNOUNCED", "VOTE_OPENED", "VOTE_CLOSED"]
    assert await posted(house, vote) == once

    house.told.clear()
    await timers.Timers().run_due()
    assert await posted(house, vote) == once
    assert house.told == []


async def test_however_many_look_it_happens_once(house: Any) -> None:
    votes = [await announce(house, -2 * DAY, -DAY) for _ in range(3)]
    await asyncio.gather(*(timers.Timers().run_due() for _ in range(5)))
    for vote in votes:
        assert await posted(house, vote) == ["VOTE_ANNOUNCED", "VOTE_OPENED", "VOTE_CLOSED"]


async def test_what_is_not_yet_due_waits(house: Any) -> None:
    coming, open_ = await announce(house, DAY, 2 * DAY), await announce(house, -DAY, DAY)
    await timers.Timers().run_due()
    assert await posted(house, coming) == ["VOTE_ANNOUNCED"]
    assert await posted(house, open_) == ["VOTE_ANNOUNCED", "VOTE_OPENED"]
    assert await when(open_, VoteStep.COUNTED) is None


async def test_a_vote_that_closed_is_counted_when_no_ballot_can_stand_in_a_line_any_more(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote = await announce(house, -2 * DAY, -timedelta(seconds=1))
    await timers.Timers().run_due()
    row = await vote_row(vote)
    assert (row.status(utc_now()), row.last_step) == (VoteStatus.CLOSED, VoteStep.OPENED)
    later = counted_from(row.closes_at)
    monkeypatch.setattr(timers, "utc_now", lambda: later)
    await timers.Timers().run_due()
    assert await when(vote, VoteStep.COUNTED) == later


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes actions fail for the given votes, from now on."""

    def begin(votes: Sequence[int], fault: Exception) -> None:
        def failing(real: Any) -> Any:
            async def failing_job(viewer: Any, now: Any, vote: int) -> None:
                if vote in votes:
                    raise fault
                await real(viewer, now, vote)

            return failing_job

        for name, real in {timers.OPEN: open_vote, timers.CLOSE: close_vote}.items():
            monkeypatch.setitem(timers.JOBS, name, failing(real))

    return begin


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Lets the timers look so much later than now."""
    begun = utc_now()

    def later(by: timedelta) -> None:
        monkeypatch.setattr(timers, "utc_now", lambda: begun + by)

    later(timedelta())
    return later


def said(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "api.timers"]


SECOND = timedelta(seconds=1)


async def test_one_that_fails_stops_no_other_and_is_tried_again(
    house: Any, fails: Any, at: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = await announce(house, -2 * DAY, DAY), await announce(house, -DAY, DAY)
    running = timers.Timers()
    fails([bad], OSError())
    await running.run_due()
    await running.run_due()
    assert len(said(caplog)) == 1
    assert await when(good, VoteStep.OPENED)
    assert await when(bad, VoteStep.OPENED) is None

    fails([], OSError())
    await running.run_due()
    assert await when(bad, VoteStep.OPENED) is None
    at(SECOND)
    await running.run_due()
    assert await when(bad, VoteStep.OPENED)


@pytest.mark.parametrize("planted", [{}, {"job": "no_such_job"}], ids=["no such vote", "no such job"])
async def test_hundreds_that_fail_stop_no_other_and_fill_no_log(
    house: Any, at: Any, caplog: pytest.LogCaptureFixture, planted: dict[str, str]
) -> None:
    """They have waited longer than what is due now, and are more than one look takes."""
    await Due.bulk_create(
        Due(**{"job": timers.OPEN, "subject": subject, "at": utc_now() - 2 * DAY} | planted)
        for subject in range(1, 251)
    )
    vote = await announce(house, -2 * DAY, -DAY)
    running = timers.Timers()
    for _ in range(3):
        await running.run_due()
    assert await when(vote, VoteStep.OPENED)
    assert await when(vote, VoteStep.COUNTED)
    assert len(said(caplog)) == 3
    assert len([record for record in said(caplog) if record.exc_info]) == 3

    caplog.clear()
    looks = 40
    for look in range(looks):  # twenty seconds
        at(timers.EVERY * look * SECOND)
        await running.run_due()
    assert len([record for record in said(caplog) if record.exc_info]) <= looks
    assert set(await Due.filter(done_at=None, subject__lte=250).values_list("attempts", flat=True)) <= {4, 5}


async def test_what_fails_for_ever_is_given_up_told_once_and_dead_until_somebody_retries_it(
    house: Any, fails: Any, at: Any, caplog: pytest.LogCaptureFixture
) -> None:
    vote = await announce(house, -2 * DAY, DAY)
    fails([vote], RuntimeError("a fault of ours"))
    one, other = timers.Timers(), timers.Timers()
    passed, tries = timedelta(), 0
    for _ in range(due.MOST_ATTEMPTS + 5):
        at(passed)
        caplog.clear()
        await asyncio.gather(one.run_due(), other.run_due())
        tries += bool(said(caplog))
        if tries == due.MOST_ATTEMPTS and said(caplog):
            last = [record.getMessage() for record in said(caplog)]
            (letter,) = await due.dead_letters()
            assert f"gave up open_vote of {vote} until `meilin due retry {letter.id}`" in last
        assert len([record for record in said(caplog) if record.exc_info]) <= 1
        passed += due.LONGEST_PAUSE
    assert tries == due.MOST_ATTEMPTS
    assert one.given_up + other.given_up == {"open_vote": 1}
    assert await due.given_up() == {"open_vote": 1}
    assert letter.error == "RuntimeError"
    assert (letter.error_text or "").startswith("at tests/api/test_timers.py:")

    fails([], RuntimeError())
    caplog.clear()
    restarted = timers.Timers()
    for _ in range(3):
        await restarted._look()
    assert [record.getMessage() for record in said(caplog)] == [
        "given up: {'open_vote': 1}; see `meilin due list`"
    ]
    assert await when(vote, VoteStep.OPENED) is None
    assert restarted.given_up == {"open_vote": 1}

    caplog.set_level(logging.INFO)
    await retry_due(SYSTEM, utc_now(), [letter.id])
    await restarted.run_due()
    assert await when(vote, VoteStep.OPENED)
    assert await due.given_up() == {}
    assert caplog.messages[-2:] == [
        f"open_vote of {vote} is retried by the system",
        f"tries open_vote of {vote} again, which was given up",
    ]


async def test_a_dead_letter_is_forgotten_by_the_next_count(house: Any, at: Any) -> None:
    (row,) = [Due(job="no_such_job", subject=1, at=utc_now() - DAY, attempts=due.MOST_ATTEMPTS)]
    await row.save()
    await Due.create(job="no_such_job", subject=2, at=utc_now() - DAY, next_at=utc_now() + SECOND)
    running = timers.Timers()
    await running._look()
    assert (running.given_up, running.overdue) == ({"no_such_job": 1}, 1)
    await Due.filter(id=row.id).delete()
    for _ in range(timers.COUNTED_EVERY):
        await running._look()
    assert running.given_up == {}


@pytest.mark.parametrize("fault", [TryAgain(), OutcomeUnknown(), VoteNotOpen()])
async def test_what_could_not_be_tried_is_never_given_up(
    house: Any, fails: Any, at: Any, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    vote = await announce(house, -2 * DAY, DAY)
    fails([vote], fault)
    running = timers.Timers()
    passed = timedelta()
    for _ in range(2 * due.MOST_ATTEMPTS):
        at(passed)
        await running.run_due()
        passed += timers.POSTPONED
    assert said(caplog) == []
    assert await due.given_up() == {}
    fails([], fault)
    at(passed)
    await running.run_due()
    assert await when(vote, VoteStep.OPENED)


async def test_hundreds_that_cannot_be_tried_stop_no_other(house: Any, fails: Any, at: Any) -> None:
    busy = range(1, 151)
    await Due.bulk_create(Due(job=timers.OPEN, subject=subject, at=utc_now() - 2 * DAY) for subject in busy)
    vote = await announce(house, -2 * DAY, DAY)
    fails(busy, TryAgain())
    for _ in range(2):
        await timers.Timers().run_due()
    assert await when(vote, VoteStep.OPENED)


async def test_while_time_is_in_doubt_nothing_is_done_and_then_it_is(house: Any) -> None:
    vote = await announce(house, -2 * DAY, -DAY)
    stop = due.pause_while(lambda: True)
    await timers.Timers().run_due()
    assert await when(vote, VoteStep.OPENED) is None
    stop()
    await timers.Timers().run_due()
    assert await when(vote, VoteStep.COUNTED)


async def test_a_pause_that_a_wrong_clock_began_holds_nothing_up(house: Any, fails: Any, at: Any) -> None:
    vote = await announce(house, -2 * DAY, DAY)
    fails([vote], OSError())
    at(5 * DAY)
    await timers.Timers().run_due()
    fails([], OSError())
    at(timedelta())
    await timers.Timers().run_due()
    assert await when(vote, VoteStep.OPENED)


async def test_an_outage_is_told_once_and_counts_for_no_attempt(
    house: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The database can be read, but nothing can be written: a full disk."""
    vote = await announce(house, -2 * DAY, DAY)
    tried = 0
    enough = asyncio.Event()

    async def full(*_: Any) -> None:
        nonlocal tried
        tried += 1
        if tried == 10:
            enough.set()
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(timers, "EVERY", 0)
        patch.setitem(timers.JOBS, timers.OPEN, full)
        patch.setattr(due, "fail", full)
        task = asyncio.create_task(timers.Timers().keep_running())
        async with asyncio.timeout(20):
            await enough.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(said(caplog)) == 1
    await timers.Timers().run_due()
    assert await when(vote, VoteStep.OPENED)


async def test_the_watch_goes_on_after_a_look_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    enough = asyncio.Event()

    async def look(_: timers.Timers) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            enough.set()
        raise OSError

    monkeypatch.setattr(timers.Timers, "_look", look)
    monkeypatch.setattr(timers, "EVERY", 0)
    task = asyncio.create_task(timers.Timers().keep_running())
    async with asyncio.timeout(20):
        await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
