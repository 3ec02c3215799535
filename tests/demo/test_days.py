from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.chance import seeded
from demo.days import (
    MID_AUTUMN,
    Month,
    at,
    instants,
    local_day,
    midnight,
    months,
    said,
    weekday_before,
    weekday_from,
)

DAYS = st.dates(date(2024, 1, 1), date(2040, 12, 31))


def test_the_day_of_hangzhou_begins_while_it_is_yesterday_in_utc() -> None:
    assert local_day(datetime(2026, 2, 28, 16, 0, tzinfo=UTC)) == date(2026, 3, 1)
    assert at(date(2026, 3, 1), "00:00") == datetime(2026, 2, 28, 16, 0, tzinfo=UTC)
    assert said(date(2026, 10, 18)) == "10月18日（周日）"


@given(DAYS, st.integers(0, 6))
def test_weekdays_are_the_next_and_the_last(day: date, weekday: int) -> None:
    after, before = weekday_from(day, weekday), weekday_before(day, weekday)
    assert after.weekday() == before.weekday() == weekday
    assert before < day <= after == before + timedelta(days=7)


def test_months_know_their_last_day() -> None:
    assert Month(2028, 2).day(31) == date(2028, 2, 29)
    assert Month(2026, 1).plus(-1) == Month(2025, 12)
    assert Month(2026, 11).plus(14) == Month(2028, 1)
    assert list(months(Month(2025, 11), Month(2026, 2))) == [
        (2025, 11), (2025, 12), (2026, 1), (2026, 2),
    ]  # fmt: skip


@given(DAYS, st.integers(1, 30), st.integers(0, 60))
def test_moments_lie_in_order_within_their_span(day: date, days: int, count: int) -> None:
    since, until = at(day, "20:00"), midnight(day + timedelta(days=days))
    found = instants(seeded("a", "b"), since, until, count)
    assert len(found) == count
    assert found == sorted(found)
    assert all(since <= at < until for at in found)


@pytest.mark.parametrize("day", MID_AUTUMN)
def test_mid_autumn_has_a_full_moon(day: date) -> None:
    new_moon, month = datetime(2000, 1, 6, 18, 14, tzinfo=UTC), 29.530588861
    age = (at(day, "20:00") - new_moon) / timedelta(days=month) % 1
    assert 0.44 < age < 0.53
