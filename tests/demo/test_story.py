from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from community.votes.casting import VoteForm
from demo.days import midnight
from demo.load import NEIGHBOURHOODS
from demo.neighbourhood import Neighbourhood
from demo.numerals import numeral
from demo.story import (
    Announce,
    Enter,
    Hang,
    Loaded,
    Open,
    PlannedAction,
    Publish,
    first_story,
    next_story,
)

DAYS = st.dates(date(2024, 1, 1), date(2040, 12, 31))
NOTHING = Loaded(statutory_open=False, survey_open=False, event_coming=False)
EVERYTHING = Loaded(statutory_open=True, survey_open=True, event_coming=True)


def _announced(actions: list[PlannedAction]) -> list[Announce]:
    return [action.what for action in actions if isinstance(action.what, Announce)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NEIGHBOURHOODS), DAYS)
@example(NEIGHBOURHOODS[0], date(2028, 2, 29))
@example(NEIGHBOURHOODS[0], date(2027, 1, 31))
@example(NEIGHBOURHOODS[1], date(2027, 3, 1))
@example(NEIGHBOURHOODS[2], date(2027, 1, 1))
def test_a_story_is_told_in_order_and_never_stale(neighbourhood: Neighbourhood, today: date) -> None:
    actions = first_story(neighbourhood, today)
    assert actions == first_story(neighbourhood, today)
    times = [action.at for action in actions]
    assert times == sorted(times)
    assert times[-1] < midnight(today)
    for kind, days in ((Hang, 1), (Enter, 1), (Publish, 8)):
        newest = max(action.at for action in actions if isinstance(action.what, kind))
        assert newest >= midnight(today - timedelta(days=days))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NEIGHBOURHOODS), DAYS)
def test_two_votes_are_open_all_day_and_for_days_to_come(neighbourhood: Neighbourhood, today: date) -> None:
    votes = [what.vote for what in _announced(first_story(neighbourhood, today))]
    tonight = midnight(today + timedelta(days=1))
    still_open = [vote for vote in votes if vote.opens_at <= midnight(today) and vote.closes_at > tonight]
    assert sorted(vote.motion.form for vote in still_open) == [
        VoteForm.CONSULTATION,
        VoteForm.STATUTORY_LOCAL,
    ]
    assert all(vote.closes_at > tonight + timedelta(days=4) for vote in still_open)
    (coming,) = [vote for vote in votes if vote.opens_at > tonight]
    assert coming.opens_at > tonight + timedelta(days=4)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NEIGHBOURHOODS), DAYS)
def test_votes_are_announced_and_held_as_the_law_has_it(neighbourhood: Neighbourhood, today: date) -> None:
    votes = [what.vote for what in _announced(first_story(neighbourhood, today))]
    assert len({vote.title for vote in votes}) == len(votes)
    for vote in votes:
        if vote.motion.form is VoteForm.STATUTORY_LOCAL:
            assert vote.opens_at - vote.announced_at >= timedelta(days=15)
            assert timedelta(days=5) <= vote.closes_at - vote.opens_at <= timedelta(days=60)


@pytest.mark.parametrize("neighbourhood", NEIGHBOURHOODS, ids=lambda neighbourhood: neighbourhood.site.slug)
def test_where_everything_stands_nothing_is_told(neighbourhood: Neighbourhood) -> None:
    assert next_story(neighbourhood, date(2027, 1, 1), EVERYTHING) == []


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NEIGHBOURHOODS), DAYS, st.integers(0, 8))
def test_a_next_round_has_new_titles_however_often(
    neighbourhood: Neighbourhood, today: date, rounds: int
) -> None:
    told = {what.vote.title: today for what in _announced(first_story(neighbourhood, today))}
    for _ in range(rounds):
        actions = next_story(
            neighbourhood,
            today,
            Loaded(statutory_open=False, survey_open=False, event_coming=False, votes=told),
        )
        fresh = {what.vote.title for what in _announced(actions)}
        assert len(fresh) == 3
        assert not fresh & set(told)
        told |= dict.fromkeys(fresh, today)


@pytest.mark.parametrize("neighbourhood", NEIGHBOURHOODS, ids=lambda neighbourhood: neighbourhood.site.slug)
def test_only_what_is_missing_is_told(neighbourhood: Neighbourhood) -> None:
    today = date(2027, 3, 1)
    survey = next_story(
        neighbourhood, today, Loaded(statutory_open=True, survey_open=False, event_coming=True)
    )
    assert [what.vote.title for what in _announced(survey)] == ["2027年第一季度满意度调查"]
    assert not any(isinstance(action.what, Publish) for action in survey)
    events = next_story(
        neighbourhood, today, Loaded(statutory_open=True, survey_open=True, event_coming=False)
    )
    assert not _announced(events)
    assert sum(isinstance(action.what, Publish) for action in events) >= 2


@pytest.mark.parametrize("neighbourhood", NEIGHBOURHOODS, ids=lambda neighbourhood: neighbourhood.site.slug)
def test_the_book_goes_on_where_it_ended(neighbourhood: Neighbourhood) -> None:
    today, booked = date(2027, 3, 1), date(2027, 1, 20)
    actions = next_story(neighbourhood, today, Loaded(False, False, False, booked=booked))
    days = [line.day for action in actions if isinstance(action.what, Enter) for line in action.what.lines]
    assert booked < days[0] <= days[-1] < today
    assert {(day.year, day.month) for day in days} == {(2027, 1), (2027, 2)}


def test_open_votes_of_a_story_are_opened() -> None:
    actions = first_story(NEIGHBOURHOODS[0], date(2026, 10, 15))
    opened = {action.what.vote.title for action in actions if isinstance(action.what, Open)}
    assert "用维修资金换地下车库的消防水泵" in opened


def test_numbers_are_written_as_in_titles() -> None:
    found = [numeral(number) for number in (1, 4, 10, 12, 20, 46)]
    assert found == ["一", "四", "十", "十二", "二十", "四十六"]
