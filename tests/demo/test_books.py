from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community.ledger.rules import Direction, check_entry
from demo.books import Line, month_lines
from demo.days import Month
from demo.load import NEIGHBOURHOODS
from demo.neighbourhood import Neighbourhood
from demo.story import Enter, Undo, first_story

MONTHS = st.builds(Month, st.integers(2022, 2040), st.integers(1, 12))
PLACES = st.sampled_from(NEIGHBOURHOODS)


def _book(neighbourhood: Neighbourhood, today: date) -> tuple[list[Line], list[Line]]:
    """What is entered, and what of it is taken back."""
    actions = [action.what for action in first_story(neighbourhood, today)]
    lines = [line for what in actions if isinstance(what, Enter) for line in what.lines]
    return lines, [what.line for what in actions if isinstance(what, Undo)]


@given(PLACES, MONTHS)
def test_a_month_has_its_usual_entries_six_of_them_by_the_third(
    neighbourhood: Neighbourhood, month: Month
) -> None:
    lines = list(month_lines(neighbourhood.site.slug, neighbourhood.accounts, month))
    assert lines == list(month_lines(neighbourhood.site.slug, neighbourhood.accounts, month))
    assert 15 <= len(lines) <= 26
    assert sum(line.day.day <= 3 for line in lines) >= 6
    for line in lines:
        assert Month.of(line.day) == month
        check_entry(line.direction, line.category, line.amount, line.day, line.day)


@settings(max_examples=25, deadline=None)
@given(PLACES, st.dates(date(2024, 6, 1), date(2038, 12, 31)))
def test_the_purse_is_never_empty(neighbourhood: Neighbourhood, today: date) -> None:
    balance = 0
    for line in _book(neighbourhood, today)[0]:
        balance += line.amount if line.direction is Direction.INCOME else -line.amount
        assert balance > 0


@settings(max_examples=25, deadline=None)
@given(PLACES, st.dates(date(2024, 6, 1), date(2038, 12, 31)))
def test_the_book_runs_in_order_up_to_yesterday(neighbourhood: Neighbourhood, today: date) -> None:
    lines, _ = _book(neighbourhood, today)
    assert [line.day for line in lines] == sorted(line.day for line in lines)
    assert lines[0].day == Month.of(today).plus(-24).day(1)
    assert lines[-1].day < today
    assert max(Counter(line.voucher for line in lines).values()) == 1
    this_month = sum(Month.of(line.day) == Month.of(today) for line in lines)
    assert this_month >= 6 or today.day <= 3


@pytest.mark.parametrize("neighbourhood", NEIGHBOURHOODS, ids=lambda neighbourhood: neighbourhood.site.slug)
def test_one_mistake_is_taken_back_after_three_days(neighbourhood: Neighbourhood) -> None:
    lines, undone = _book(neighbourhood, date(2026, 10, 15))
    (wrong,) = undone
    again = next(line for line in lines if line.item.endswith("（更正）"))
    assert wrong in lines
    assert again.day == wrong.undone == wrong.day + timedelta(days=3)
    assert again.amount * 10 == wrong.amount


@pytest.mark.parametrize("neighbourhood", NEIGHBOURHOODS, ids=lambda neighbourhood: neighbourhood.site.slug)
def test_most_entries_name_what_allows_them_and_some_do_not(neighbourhood: Neighbourhood) -> None:
    lines, _ = _book(neighbourhood, date(2026, 10, 15))
    by_vote = [line for line in lines if line.vote]
    by_clause = [line for line in lines if line.clause]
    neither = [line for line in lines if not line.vote and not line.clause]
    assert len(by_vote) >= 20
    assert len(by_clause) > 300
    assert 10 <= len(neither) <= 60
