"""Time: a clock that jumps closes no vote, and what it says is believed again after a minute."""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import clock as clocks
from api import graphql
from api.clock import AGREEMENT, TOLERANCE, Clock, keep_looking, look, unset, utc_now
from community.database import journal
from community.database.models import JournalRow
from community.votes.reads import vote_row

HOUR = 3600.0
TRUE = 1_780_000_000.0
"""Seconds since 1970 when a machine starts."""


class Machine:
    """`passed`: seconds that truly passed; `error`: what the time of day is wrong by."""

    def __init__(self, error: float = 0.0) -> None:
        self.passed, self.error = 0.0, error
        self.newest = 0.0
        self.clock = Clock(lambda: TRUE + self.passed + self.error, lambda: 5_000 + self.passed)

    @property
    def off(self) -> float:
        """What our time is wrong by."""
        return self.clock.now().timestamp() - TRUE - self.passed

    def look(self) -> None:
        self.clock.compare(self.clock.time_of_day(), self.clock.unset(), newest=self.newest)

    def run(self, seconds: float) -> None:
        """A look a second."""
        for _ in range(round(seconds)):
            self.passed += 1
            self.look()

    def start(self) -> "Machine":
        self.clock.forget()
        self.look()
        return self

    def doubts(self, seconds: int) -> list[bool]:
        seen = []
        for _ in range(seconds):
            self.run(1)
            seen.append(self.clock.doubtful)
        return seen


def close(seconds: float) -> Any:
    return pytest.approx(seconds, abs=1e-3)


def test_before_anything_was_compared_it_says_what_the_machine_says() -> None:
    machine = Machine(error=7.0)
    assert machine.off == close(7)
    assert machine.clock.doubtful
    assert not machine.start().clock.doubtful
    assert machine.off == close(7)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 2.5, -2.5, 400 * 24 * HOUR])
def test_a_jump_moves_nothing_until_a_minute_of_agreement(jump: float) -> None:
    machine = Machine().start()
    machine.run(100)
    machine.error = jump
    assert machine.off == close(0)  # also before the next look
    assert machine.doubts(int(AGREEMENT)) == [True] * int(AGREEMENT)
    assert machine.off == close(0)
    machine.run(1)
    assert not machine.clock.doubtful
    assert machine.off == close(jump)


def test_a_jump_ahead_and_back_leaves_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine().start()
    for error in (HOUR, 0.0):
        machine.error = error
        assert all(machine.doubts(30))
        assert machine.off == close(0)
    assert all(machine.doubts(30))
    machine.run(1)
    assert not machine.clock.doubtful
    assert machine.off == close(0)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


@pytest.mark.parametrize("rate", [1.9, -1.9, 0.05])
def test_a_clock_that_creeps_away_is_no_less_in_doubt(rate: float) -> None:
    """No single step is large."""
    machine = Machine().start()
    for second in range(300):
        machine.error = rate * second
        machine.run(1)
        assert abs(machine.off) <= TOLERANCE + abs(rate)
    assert machine.clock.doubtful
    machine.run(AGREEMENT + 1)
    assert not machine.clock.doubtful
    assert machine.off == close(machine.error)


def test_what_a_time_server_slews_is_followed_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine().start()
    for second in range(10_000):
        machine.error = 0.0005 * second  # as fast as Linux slews
        machine.run(1)
        assert not machine.clock.doubtful
    assert machine.off == close(machine.error)
    assert caplog.records == []


@pytest.mark.parametrize("asleep", [30.0, HOUR, 30 * 24 * HOUR])
def test_time_goes_on_in_suspend_and_while_nobody_can_look(asleep: float) -> None:
    machine = Machine().start()
    machine.run(10)
    machine.passed += asleep
    assert machine.off == close(0)
    machine.run(1)
    assert not machine.clock.doubtful
    assert machine.off == close(0)


def test_a_jump_in_the_dark_is_seen_at_the_first_look() -> None:
    machine = Machine().start()
    machine.passed, machine.error = machine.passed + 30 * HOUR, -HOUR
    machine.run(1)
    assert machine.clock.doubtful
    assert machine.off == close(0)


def test_in_doubt_a_look_after_the_dark_must_agree_with_the_last_one_before() -> None:
    machine = Machine().start()
    machine.error = HOUR
    machine.run(1)
    machine.passed, machine.error = machine.passed + 3 * AGREEMENT, 2 * HOUR
    machine.run(1)
    assert machine.clock.doubtful
    assert machine.off == close(0)
    machine.run(AGREEMENT)
    assert machine.off == close(2 * HOUR)


def test_who_starts_behind_the_journal_begins_there_and_rests_for_a_minute() -> None:
    machine = Machine(error=-HOUR)
    machine.newest = TRUE - 5
    machine.start()
    assert machine.clock.doubtful
    assert machine.off == close(-5)
    assert all(machine.doubts(int(AGREEMENT) - 1))
    assert machine.off == close(-5)
    machine.run(1)
    assert not machine.clock.doubtful
    assert machine.off == close(-HOUR)  # nothing speaks for another time any more

    machine.error = 0.0  # at last somebody sets the clock
    assert all(machine.doubts(int(AGREEMENT)))
    machine.run(1)
    assert not machine.clock.doubtful
    assert machine.off == close(0)


@pytest.mark.parametrize("behind", [0.0, -HOUR, TOLERANCE - 0.1])
def test_who_starts_hardly_behind_the_journal_or_after_it_is_trusted(behind: float) -> None:
    machine = Machine()
    machine.newest = TRUE + behind
    machine.start()
    assert not machine.clock.doubtful
    machine.run(1)
    assert machine.off == close(0)


def test_a_slow_answer_moves_time_no_further_than_it_must() -> None:
    clock = Clock(unset=lambda: at)
    at = 100.0
    clock.compare(TRUE, at)
    for seconds, unsure, moved in [(0.3, 0.4, 0.0), (-0.3, 0.4, 0.0), (0.5, 0.4, 0.1), (-0.5, 0.4, -0.1)]:
        clock.compare(TRUE + seconds, at, unsure)
        assert clock.now().timestamp() - TRUE == close(moved)
    assert not clock.doubtful


events = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(0, 200).map(float)),
        st.tuples(st.just("jump"), st.floats(-5 * HOUR, 5 * HOUR)),
        st.tuples(st.just("suspend"), st.floats(0, 2 * HOUR)),
        st.tuples(st.just("restart"), st.just(0.0)),
    ),
    max_size=25,
)


class Voting(Machine):
    """A vote is to be counted at `due`; `counted`: when it truly was."""

    def __init__(self, due: float) -> None:
        super().__init__()
        self.due, self.counted = due, -1.0
        self.start()

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            super().run(1)
            now = self.clock.now().timestamp()
            self.newest = max(self.newest, now)
            if self.counted < 0 and not self.clock.doubtful and now >= TRUE + self.due:
                self.counted = self.passed


@settings(max_examples=300, deadline=None)
@given(events, st.integers(1, 5_000))
def test_a_clock_that_is_right_again_within_a_minute_never_counts_early_and_always_in_the_end(
    story: list[tuple[str, float]], due: int
) -> None:
    """Through jumps there and back, suspends and restarts, in any order."""
    voting = Voting(due)
    for what, amount in story:
        if what == "run":
            voting.run(amount)
        elif what == "suspend":
            voting.passed += amount
        elif what == "restart":
            voting.start()
        else:
            voting.error = amount
            voting.run(AGREEMENT - 2)
            voting.error = 0.0
        voting.run(1)
        assert abs(voting.off) <= TOLERANCE + 1e-3
    assert voting.counted < 0 or voting.counted >= due - TOLERANCE - 1e-3

    end = max(voting.due, voting.passed + AGREEMENT) + TOLERANCE
    while voting.counted < 0 and voting.passed <= end:
        voting.run(1)
    assert voting.counted >= 0
    assert not voting.clock.doubtful or voting.counted < voting.passed


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.floats(-5 * HOUR, 5 * HOUR), st.integers(0, 200)), max_size=12))
def test_what_is_believed_was_agreed_on_for_a_minute(jumps: list[tuple[float, int]]) -> None:
    """However it jumps: our time is one that the machine kept to for a minute, or had at the start."""
    machine = Machine().start()
    kept, believed = 0, {0.0}
    for error, seconds in [*jumps, (0.0, int(AGREEMENT) + 2)]:
        kept = kept if abs(error - machine.error) <= TOLERANCE else 0
        machine.error = error
        for _ in range(seconds):
            machine.run(1)
            kept += 1
            if kept > AGREEMENT:
                believed.add(error)
            assert min(abs(machine.off - one) for one in believed) <= TOLERANCE + 1e-3
    assert not machine.clock.doubtful
    assert machine.off == close(0)


# What is compared


def test_the_clock_says_utc_and_goes_by_a_clock_that_nobody_sets() -> None:
    assert utc_now().tzinfo is UTC
    assert abs(utc_now().timestamp() - clocks.time_of_day()) < 60
    first = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert first <= unset() <= time.clock_gettime(time.CLOCK_BOOTTIME)


async def test_a_clock_is_compared_with_postgres_else_with_the_machine(house: Any) -> None:
    """Of a machine that is a year wrong."""
    wrong = Clock(time_of_day=lambda: clocks.time_of_day() + 365 * 24 * HOUR)
    await look(wrong)
    off = (wrong.now() - datetime.now(UTC)).total_seconds()
    assert off == pytest.approx(0 if house.town.engine.postgres else 365 * 24 * HOUR, abs=60)
    assert not wrong.doubtful


async def test_a_step_of_the_databases_own_clock_is_in_doubt_as_well(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = timedelta()

    async def says() -> datetime:
        return datetime.now(UTC) + ahead

    monkeypatch.setattr(clocks, "server_time", says)
    ours = Clock(time_of_day=lambda: 0.0)
    await look(ours)
    assert not ours.doubtful
    ahead = timedelta(hours=1)
    await look(ours)
    assert ours.doubtful
    assert abs((ours.now() - datetime.now(UTC)).total_seconds()) < 60


async def test_the_journal_is_asked_once_and_says_its_latest_moment(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, ahead = await journal.head(None), utc_now() + timedelta(hours=1)
    fact: dict[str, Any] = {"fact": "RIGHTS_CHANGED", "subject_kind": "Account", "subject": 1}
    await JournalRow.create(number=head + 1, **fact, at=ahead)
    await JournalRow.create(number=head + 2, **fact, at=ahead - timedelta(hours=2))
    await journal.take_numbers(None, 2)
    assert await journal.newest_at() == ahead
    behind = Clock()
    await look(behind)
    assert behind.doubtful
    assert abs((behind.now() - ahead).total_seconds()) < 60

    async def never() -> None:
        raise AssertionError

    monkeypatch.setattr(journal, "newest_at", never)
    await look(behind)
    assert behind.doubtful


async def test_an_answer_that_took_long_is_no_look(house: Any) -> None:
    seconds = count(step=2)
    slow = Clock(unset=lambda: float(next(seconds)))
    await look(slow)
    assert not slow.compared


@pytest.mark.parametrize("faults", [1, 3])
async def test_a_database_that_is_away_is_told_once_and_looked_for_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, faults: int
) -> None:
    looks = 0
    enough = asyncio.Event()

    async def away(_: Clock) -> None:
        nonlocal looks
        looks += 1
        if looks <= faults:
            raise OSError
        enough.set()

    monkeypatch.setattr(clocks, "look", away)
    monkeypatch.setattr(clocks, "EVERY", 0)
    task = asyncio.create_task(keep_looking(Clock()))
    async with asyncio.timeout(20):
        await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(caplog.records) == 1


# What is judged by it

CAST = """mutation($vote: ID!, $answers: [AnswerInput!]!) {
  castBallot(voteId: $vote, answers: $answers) { castAt } }"""


@pytest.mark.parametrize("way", ["frames"], indirect=True)
async def test_a_ballot_counts_by_the_moment_when_its_request_was_complete(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vote closes while the server looks up who asks."""
    async with here() as server:
        closes = (await vote_row(server.town.key("Vote", "open"))).closes_at
        now = last = closes - timedelta(milliseconds=1)
        real = graphql.viewer_behind

        async def slow(*asked: Any, **how: Any) -> Any:
            nonlocal now
            now = closes + timedelta(seconds=5)
            return await real(*asked, **how)

        monkeypatch.setattr(graphql, "utc_now", lambda: now)
        monkeypatch.setattr(graphql, "viewer_behind", slow)
        answer = {"questionId": server.town.id("Question", "open/0"), "choices": ["FOR"]}
        asked = {"vote": server.town.id("Vote", "open"), "answers": [answer]}
        said = await server.ask(CAST, "spring/resident-1", **asked)
        assert datetime.fromisoformat(said["data"]["castBallot"]["castAt"]) == last
        late = await server.ask(CAST, "spring/resident-2", **asked)
        assert [error["extensions"]["code"] for error in late["errors"]] == ["VOTE_CLOSED"]
