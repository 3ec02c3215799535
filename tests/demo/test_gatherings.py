from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from community.events.rules import check_event
from demo.days import MID_AUTUMN, midnight
from demo.estates import FAMILIAR, build
from demo.gatherings import Gathering, mid_autumns, sign_ups, yearly
from demo.load import NEIGHBOURHOODS
from demo.neighbourhood import Neighbourhood
from demo.story import Publish, first_story

TODAY = date(2026, 10, 15)
DAYS = st.dates(date(2024, 1, 1), date(2040, 12, 31))
ESTATES = {neighbourhood.site.slug: build(neighbourhood.site) for neighbourhood in NEIGHBOURHOODS}


def _events(neighbourhood: Neighbourhood, today: date) -> list[Gathering]:
    return [
        action.what.event for action in first_story(neighbourhood, today) if isinstance(action.what, Publish)
    ]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NEIGHBOURHOODS), DAYS)
def test_events_are_in_good_time_and_some_are_coming(neighbourhood: Neighbourhood, today: date) -> None:
    events = _events(neighbourhood, today)
    for event in events:
        closes, published = event.sign_up_closes_at, event.published_at
        check_event(event.starts_at, event.ends_at, closes, event.capacity, event.most, published)
        assert event.capacity is None or event.taken <= event.capacity
    tomorrow = midnight(today + timedelta(days=1))
    coming = [event for event in events if event.starts_at > tomorrow]
    assert len(coming) >= 3
    assert all(
        event.sign_up_closes_at > tomorrow for event in coming if event.day > today + timedelta(days=2)
    )
    assert all(event.day <= today + timedelta(days=16) for event in coming)


def test_the_festival_of_neighbours_is_that_of_the_article() -> None:
    events = _events(NEIGHBOURHOODS[0], TODAY)
    fairs = [event for event in events if "美邻节" in event.title]
    assert [(fair.title, fair.capacity, fair.taken) for fair in fairs] == [
        ("第三届美城美邻节", 600, 596),
        ("第四届美城美邻节", 600, 487),
    ]
    assert all(fair.potluck and fair.day.weekday() == 5 and len(fair.organizers) == 3 for fair in fairs)


def test_the_three_estates_meet_as_the_article_tells() -> None:
    titles = "".join(
        event.title for neighbourhood in NEIGHBOURHOODS for event in _events(neighbourhood, TODAY)
    )
    for said in ("美邻节", "中秋灯谜会", "儿童嘉年华", "女神节送花", "便民服务", "关爱孤寡老人"):
        assert said in titles


def test_one_event_is_nearly_full() -> None:
    carnival = max(
        (event for event in _events(NEIGHBOURHOODS[2], TODAY) if event.title == "儿童嘉年华"),
        key=lambda event: event.day,
    )
    assert (carnival.capacity, carnival.taken) == (120, 117)
    assert carnival.day > TODAY


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(NEIGHBOURHOODS), DAYS)
def test_sign_ups_fill_just_what_is_taken(neighbourhood: Neighbourhood, today: date) -> None:
    estate, until = ESTATES[neighbourhood.site.slug], midnight(today)
    strangers = {f"resident-{number}" for number in range(1, FAMILIAR + 1)}
    for event in _events(neighbourhood, today):
        coming = sign_ups(estate, event, until)
        assert coming == sign_ups(estate, event, until)
        assert sum(plan.party_size for plan in coming) == event.taken
        assert all(1 <= plan.party_size <= event.most for plan in coming)
        assert all(event.published_at <= plan.at < event.sign_up_closes_at for plan in coming)
        assert len({plan.account for plan in coming}) == len(coming)
        assert not strangers & {plan.account for plan in coming}
        assert all((plan.dish is not None) == event.potluck for plan in coming)


@given(DAYS)
def test_days_of_the_year_come_once_before_and_once_after(today: date) -> None:
    last, upcoming = yearly(today, 3, 8)
    assert last < today <= upcoming
    assert 365 <= (upcoming - last).days <= 366
    autumns = mid_autumns(today)
    assert len(autumns) == 2 or today > MID_AUTUMN[-1]
    assert autumns[0] < today
    assert all(day >= today for day in autumns[1:])
