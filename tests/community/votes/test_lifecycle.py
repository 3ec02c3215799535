from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.database.deadline import DEADLINE
from community.steps import StepRefused
from community.votes.lifecycle import (
    BY_THE_CLOCK,
    LIFE,
    LONGEST_WRITE,
    VoteClosed,
    VoteNotOpen,
    VoteStatus,
    VoteStep,
    VoteSuspended,
    check_countable,
    check_open,
    check_uncounted,
    counted_from,
    status_of,
    status_then,
)

OPENS = datetime(2026, 6, 5, tzinfo=UTC)
CLOSES = OPENS + timedelta(days=7)
TICK = timedelta(microseconds=1)
S = VoteStep


@pytest.mark.parametrize("last", [S.ANNOUNCED, S.OPENED, S.RESUMED, S.EXTENDED])
@pytest.mark.parametrize(
    ("now", "status"),
    [
        (OPENS - TICK, VoteStatus.ANNOUNCED),
        (OPENS, VoteStatus.OPEN),
        (CLOSES - TICK, VoteStatus.OPEN),
        (CLOSES, VoteStatus.CLOSED),
        (CLOSES + TICK, VoteStatus.CLOSED),
    ],
)
def test_open_from_the_opening_until_just_before_the_close(
    now: datetime, status: VoteStatus, last: VoteStep
) -> None:
    assert status_of(last, now, OPENS, CLOSES) is status
    assert status_of(S.ANNULLED, now, OPENS, CLOSES) is VoteStatus.ANNULLED
    assert status_of(S.COUNTED, now, OPENS, CLOSES) is VoteStatus.CLOSED


@pytest.mark.parametrize("status", VoteStatus)
def test_ballots_are_taken_while_open_only(status: VoteStatus) -> None:
    if status is VoteStatus.OPEN:
        check_open(status)
        return
    early = status in (VoteStatus.DRAFT, VoteStatus.ANNOUNCED)
    later = VoteSuspended if status is VoteStatus.SUSPENDED else VoteClosed
    with pytest.raises(VoteNotOpen if early else later):
        check_open(status)


def test_the_count_waits_for_the_longest_write_and_a_second() -> None:
    assert counted_from(CLOSES) == CLOSES + LONGEST_WRITE + timedelta(seconds=1)
    assert timedelta(seconds=DEADLINE) == LONGEST_WRITE


def test_what_the_last_step_leaves_open_to_ballots_and_to_counts() -> None:
    """Ballots are taken over until the first count; rulings as long as another count may follow."""
    before = [None, S.DRAFTED, S.ANNOUNCED, S.OPENED, S.SUSPENDED, S.RESUMED, S.EXTENDED, S.CLOSED]
    for last in (None, *VoteStep):
        with nullcontext() if last in before else pytest.raises(VoteClosed):
            check_uncounted(last)
        with nullcontext() if last in (*before, S.COUNTED, S.DISPLAYED) else pytest.raises(StepRefused):
            check_countable(last)


@pytest.mark.parametrize("last", VoteStep)
@pytest.mark.parametrize("at", [OPENS - TICK, OPENS, CLOSES - TICK, CLOSES])
def test_what_is_keyed_after_the_closing_was_cast_while_the_clock_said_open(
    last: VoteStep, at: datetime
) -> None:
    then = S.OPENED if last is S.CLOSED else last
    assert status_then(last, at, OPENS, CLOSES) is status_of(then, at, OPENS, CLOSES)


# Steps

WHOLE = [S.DRAFTED, S.ANNOUNCED, S.OPENED, S.CLOSED, S.COUNTED, S.DISPLAYED, S.CERTIFIED, S.PUBLISHED]
LIVES = {
    "from draft to decision": WHOLE,
    "announced at once": WHOLE[1:],
    "paused twice": [
        S.ANNOUNCED, S.OPENED, S.SUSPENDED, S.RESUMED, S.SUSPENDED, S.RESUMED, S.CLOSED, S.COUNTED,
    ],
    "extended before the close": [S.ANNOUNCED, S.OPENED, S.EXTENDED, S.SUSPENDED, S.RESUMED, S.CLOSED],
    "extended after the box": [S.ANNOUNCED, S.OPENED, S.CLOSED, S.EXTENDED, S.CLOSED, S.COUNTED],
    "counted again": [S.ANNOUNCED, S.OPENED, S.CLOSED, S.COUNTED, S.COUNTED],
    "counted again after an objection": [*WHOLE[:6], S.COUNTED, S.DISPLAYED, S.CERTIFIED],
    "a draft thrown away": [S.DRAFTED, S.WITHDRAWN],
    "withdrawn": [S.ANNOUNCED, S.WITHDRAWN],
    "annulled after all": [*WHOLE, S.ANNULLED],
}  # fmt: skip


@pytest.mark.parametrize("life", LIVES.values(), ids=list(LIVES))
def test_a_life_that_a_vote_may_have(life: list[VoteStep]) -> None:
    assert LIFE.differences(life) == []


REFUSED = {
    "opened without notice": [S.DRAFTED, S.OPENED],
    "counted before the close": [S.ANNOUNCED, S.OPENED, S.COUNTED],
    "closed while suspended": [S.ANNOUNCED, S.OPENED, S.SUSPENDED, S.CLOSED],
    "extended a second time": [S.ANNOUNCED, S.OPENED, S.EXTENDED, S.CLOSED, S.EXTENDED],
    "extended a second time after a pause": [*LIVES["extended before the close"][:5], S.EXTENDED],
    "opened again": [S.ANNOUNCED, S.OPENED, S.OPENED],
    "extended after the count": [*WHOLE[:5], S.EXTENDED],
    "certified without a display": [*WHOLE[:5], S.CERTIFIED],
    "published without a certificate": [*WHOLE[:6], S.PUBLISHED],
    "counted again once certified": [*WHOLE[:7], S.COUNTED],
    "withdrawn after the close": [*WHOLE[:4], S.WITHDRAWN],
    "anything after an annulment": [*WHOLE[:3], S.ANNULLED, S.CLOSED],
    "anything after a withdrawal": [S.ANNOUNCED, S.WITHDRAWN, S.OPENED],
}


@pytest.mark.parametrize("life", REFUSED.values(), ids=list(REFUSED))
def test_what_no_vote_may_do(life: list[VoteStep]) -> None:
    *past, step = life
    assert LIFE.differences(past) == []
    with pytest.raises(StepRefused):
        LIFE.check(past, step)


def test_each_status_is_reached_and_each_step_has_its_place() -> None:
    assert set(LIFE.stages) == set(VoteStep)
    assert {stage.status for stage in LIFE.stages.values()} == set(VoteStatus)
    assert {step for stage in LIFE.stages.values() for step in stage.then} | LIFE.first == set(VoteStep)
    assert {stage.status for stage in LIFE.stages.values() if not stage.then} == {
        VoteStatus.WITHDRAWN, VoteStatus.ANNULLED,
    }  # fmt: skip


# A reference of its own


def folded(past: list[VoteStep]) -> VoteStatus:
    """The status by what has happened so far, and not by what happened last."""
    drafted, paused, closed, shown = True, False, False, None
    for step in past:
        match step:
            case S.ANNOUNCED:
                drafted = False
            case S.SUSPENDED | S.RESUMED:
                paused = step is S.SUSPENDED
            case S.CLOSED | S.EXTENDED:
                closed = step is S.CLOSED
            case S.COUNTED:
                shown = None
            case S.DISPLAYED:
                shown = VoteStatus.ON_DISPLAY
            case S.CERTIFIED | S.PUBLISHED | S.ANNULLED | S.WITHDRAWN:
                shown = VoteStatus(step.value)
    if shown:
        return shown
    if drafted:
        return VoteStatus.DRAFT
    if closed:
        return VoteStatus.CLOSED
    if paused:
        return VoteStatus.SUSPENDED
    return VoteStatus.OPEN if S.OPENED in past else VoteStatus.ANNOUNCED


@st.composite
def histories(draw: st.DrawFn) -> list[VoteStep]:
    past: list[VoteStep] = []
    for _ in range(draw(st.integers(0, 14))):
        allowed = [step for step in VoteStep if LIFE.may_follow(past, step)]
        if not allowed:
            break
        past.append(draw(st.sampled_from(allowed)))
    return past


@given(histories(), st.sampled_from([OPENS - TICK, OPENS, CLOSES - TICK, CLOSES]))
def test_the_status_after_any_allowed_steps_is_that_of_a_fold_over_all_of_them(
    past: list[VoteStep], now: datetime
) -> None:
    assert LIFE.differences(past) == []
    status = folded(past)
    assert LIFE.status(past[-1] if past else None) is status
    by_the_clock = status_of(past[-1] if past else None, now, OPENS, CLOSES)
    if status in BY_THE_CLOCK:
        assert by_the_clock in (VoteStatus.ANNOUNCED, VoteStatus.OPEN, VoteStatus.CLOSED)
    else:
        assert by_the_clock is status
