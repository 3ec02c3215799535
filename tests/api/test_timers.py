import asyncio
import logging
from datetime import UTC, timedelta
from typing import Any

import pytest

from api import timers
from api.clock import utc_now
from community.bulletin.reads import items_page
from community.permissions import SYSTEM
from community.votes.actions import NewQuestion, announce_vote
from community.votes.casting import QuestionKind, VoteForm
from community.votes.reads import vote_row
from community.votes.rules import Matter

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
    await timers.run_due()
    row = await vote_row(vote)
    assert row.opened_at
    assert row.counted_at
    once = ["VOTE_ANNOUNCED", "VOTE_OPENED", "VOTE_CLOSED"]
    assert await posted(house, vote) == once

    house.told.clear()
    await timers.run_due()
    assert await posted(house, vote) == once
    assert house.told == []


async def test_however_many_look_it_happens_once(house: Any) -> None:
    votes = [await announce(house, -2 * DAY, -DAY) for _ in range(3)]
    await asyncio.gather(*(timers.run_due() for _ in range(5)))
    for vote in votes:
        assert await posted(house, vote) == ["VOTE_ANNOUNCED", "VOTE_OPENED", "VOTE_CLOSED"]


async def test_what_is_not_yet_due_waits(house: Any) -> None:
    coming, open_ = await announce(house, DAY, 2 * DAY), await announce(house, -DAY, DAY)
    await timers.run_due()
    assert await posted(house, coming) == ["VOTE_ANNOUNCED"]
    assert await posted(house, open_) == ["VOTE_ANNOUNCED", "VOTE_OPENED"]
    assert (await vote_row(open_)).counted_at is None


async def test_one_that_fails_stops_no_other_and_is_tried_again(
    house: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = await announce(house, -2 * DAY, DAY), await announce(house, -DAY, DAY)
    real = timers.DEEDS[timers.OPEN]

    async def fail_for_one(viewer: Any, now: Any, vote: int) -> None:
        if vote == bad:
            raise OSError
        await real(viewer, now, vote)

    monkeypatch.setitem(timers.DEEDS, timers.OPEN, fail_for_one)
    with caplog.at_level(logging.ERROR, logger="api.timers"):
        await timers.run_due()
    assert len([record for record in caplog.records if record.name == "api.timers"]) == 1
    assert (await vote_row(good)).opened_at
    assert (await vote_row(bad)).opened_at is None

    monkeypatch.setitem(timers.DEEDS, timers.OPEN, real)
    await timers.run_due()
    assert (await vote_row(bad)).opened_at


async def test_the_watch_goes_on_after_a_look_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    enough = asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            enough.set()
        raise OSError

    monkeypatch.setattr(timers, "run_due", look)
    monkeypatch.setattr(timers, "EVERY", 0)
    task = asyncio.create_task(timers.keep_running_due())
    async with asyncio.timeout(20):
        await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_clock_says_utc() -> None:
    assert utc_now().tzinfo is UTC
