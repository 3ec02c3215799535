from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.errors import ErrorCode
from community.steps import Life, Stage, StepRefused


class Lamp(StrEnum):
    LIT = "LIT"
    DIMMED = "DIMMED"
    PUT_OUT = "PUT_OUT"


LIFE = Life(
    unbegun="new",
    first={Lamp.LIT},
    stages={
        Lamp.LIT: Stage("bright", {Lamp.DIMMED, Lamp.PUT_OUT}),
        Lamp.DIMMED: Stage("dark", {Lamp.LIT, Lamp.PUT_OUT}),
        Lamp.PUT_OUT: Stage("dark"),
    },
    once={Lamp.DIMMED},
)


@pytest.mark.parametrize(
    ("past", "step"),
    [
        ([], Lamp.DIMMED),
        ([Lamp.LIT], Lamp.LIT),
        ([Lamp.LIT, Lamp.PUT_OUT], Lamp.LIT),
        ([Lamp.LIT, Lamp.DIMMED, Lamp.LIT], Lamp.DIMMED),
    ],
)
def test_a_step_that_may_not_follow_is_refused_by_its_code(past: list[Lamp], step: Lamp) -> None:
    with pytest.raises(StepRefused) as refused:
        LIFE.check(past, step)
    assert refused.value.code is ErrorCode.STEP_REFUSED
    assert refused.value.zh
    assert LIFE.differences([*past, step]) == [
        f"step {len(past) + 1}: {step} after {past[-1] if past else 'nothing'}"
    ]


def test_the_status_is_what_the_last_step_leads_to() -> None:
    assert LIFE.status(None) == "new"
    assert [LIFE.status(step) for step in Lamp] == ["bright", "dark", "dark"]
    assert LIFE.leading_to("dark") == [Lamp.DIMMED, Lamp.PUT_OUT]


def test_what_may_still_come_comes_at_once_or_later() -> None:
    coming = {last: [step for step in Lamp if LIFE.may_come(last, step)] for last in (None, *Lamp)}
    assert coming == {None: [*Lamp], Lamp.LIT: [*Lamp], Lamp.DIMMED: [*Lamp], Lamp.PUT_OUT: []}


@given(st.lists(st.sampled_from(Lamp), max_size=6))
def test_a_history_has_no_differences_where_each_step_was_allowed_when_it_was_taken(past: list[Lamp]) -> None:
    allowed = all(LIFE.may_follow(past[:position], step) for position, step in enumerate(past))
    assert (LIFE.differences(past) == []) == allowed
