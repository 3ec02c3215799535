from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from community.errors import InvalidInput
from community.places.rules import Profile
from community.votes.announcements import (
    LABELS,
    check_announcement,
    check_question,
    choices_of,
    cleaned_choices,
    contests_of,
)
from community.votes.casting import QuestionKind, VoteForm
from community.votes.rules import Matter, Option, Silence

HANGZHOU = ZoneInfo("Asia/Shanghai")
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


def local(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment by the clock on the wall in Hangzhou, as the server has it."""
    return datetime(2026, month, day, hour, minute, tzinfo=HANGZHOU).astimezone(UTC)


def check(now: datetime, opens_at: datetime, closes_at: datetime | None = None, **changed: Any) -> None:
    terms: dict[str, Any] = {
        "profile": Profile(version=1),
        "form": VoteForm.STATUTORY_LOCAL,
        "matters": [Matter.ENGAGE_PROVIDER],
        "silence": Silence.ABSENT,
    } | changed
    check_announcement(now=now, opens_at=opens_at, closes_at=closes_at or opens_at + 7 * DAY, **terms)


@pytest.mark.parametrize(
    ("posted", "opens"),
    [
        (local(5, 1), local(5, 16)),
        (local(5, 1, 23, 59), local(5, 16)),  # by dates, not by hours
        (local(5, 1, 7, 59), local(5, 16)),  # still 30 April in UTC
        (local(5, 1, 8), local(5, 16, 7, 59)),  # 1 to 15 May in UTC
        (local(5, 1), local(6, 20)),
    ],
)
def test_fifteen_days_of_notice_are_days_of_the_calendar_in_hangzhou(
    posted: datetime, opens: datetime
) -> None:
    check(posted, opens)


@pytest.mark.parametrize(
    ("posted", "opens", "days"),
    [
        (local(5, 1), local(5, 16) - TICK, 14),
        (local(5, 1), local(5, 15, 23, 59), 14),
        (local(5, 1, 7, 59), local(5, 15, 8), 14),  # 30 April to 15 May in UTC
        (local(5, 1), local(5, 1, 12), 0),
    ],
)
def test_a_day_too_few_is_refused_with_the_number_of_days(
    posted: datetime, opens: datetime, days: int
) -> None:
    with pytest.raises(InvalidInput, match=f"notice of 15 days is needed, this is {days}$"):
        check(posted, opens)


def test_each_community_has_its_own_days_and_its_own_midnight() -> None:
    check(local(5, 1), local(5, 8), profile=Profile(1, notice_days=7))
    with pytest.raises(InvalidInput):
        check(local(5, 1), local(5, 8) - TICK, profile=Profile(1, notice_days=7))
    posted, opens = datetime(2026, 4, 30, 23, 59, tzinfo=UTC), datetime(2026, 5, 15, tzinfo=UTC)
    check(posted, opens, profile=Profile(1, time_zone="UTC"))
    with pytest.raises(InvalidInput):
        check(posted, opens)


@pytest.mark.parametrize("window", [5 * DAY, 5 * DAY + TICK, 60 * DAY - TICK, 60 * DAY])
def test_a_window_of_five_to_sixty_days(window: timedelta) -> None:
    check(local(5, 1), local(5, 16), local(5, 16) + window)


@pytest.mark.parametrize("window", [TICK, 5 * DAY - TICK, 60 * DAY + TICK])
def test_a_shorter_or_longer_window_is_refused(window: timedelta) -> None:
    with pytest.raises(InvalidInput, match="5 to 60 days"):
        check(local(5, 1), local(5, 16), local(5, 16) + window)


@pytest.mark.parametrize("form", VoteForm)
def test_a_window_lies_ahead_and_has_an_inside(form: VoteForm) -> None:
    matter = Matter.CONSULTATION if form is VoteForm.CONSULTATION else Matter.COVENANT
    now = local(5, 1)
    for opens, closes in ((now - TICK, now + 7 * DAY), (now + 16 * DAY, now + 16 * DAY), (now + DAY, now)):
        with pytest.raises(InvalidInput, match="after the announcement"):
            check(now, opens, closes, form=form, matters=[matter])


def test_a_consultation_has_no_lawful_notice_or_window() -> None:
    now = local(5, 1)
    check(now, now, now + TICK, form=VoteForm.CONSULTATION, matters=[Matter.CONSULTATION])
    check(now, now, now + 400 * DAY, form=VoteForm.CONSULTATION, matters=[Matter.CONSULTATION])


@pytest.mark.parametrize(
    ("form", "matters"),
    [
        (VoteForm.CONSULTATION, [Matter.COVENANT]),
        (VoteForm.CONSULTATION, [Matter.CONSULTATION, Matter.COVENANT]),
        (VoteForm.STATUTORY_LOCAL, [Matter.CONSULTATION]),
        (VoteForm.STATUTORY_IMPORTED, [Matter.COVENANT, Matter.CONSULTATION]),
    ],
)
def test_asking_and_deciding_are_not_mixed(form: VoteForm, matters: list[Matter]) -> None:
    with pytest.raises(InvalidInput, match="no statutory matter"):
        check(local(5, 1), local(5, 20), form=form, matters=matters)


def test_a_vote_asks_something() -> None:
    with pytest.raises(InvalidInput, match="at least one question"):
        check(local(5, 1), local(5, 20), matters=[])


def test_counting_the_silent_is_not_offered() -> None:
    with pytest.raises(InvalidInput, match="proof of service"):
        check(local(5, 1), local(5, 20), silence=Silence.FOLLOW_MAJORITY)


def test_a_resolution_offers_its_own_choices_and_follow_only_if_the_rules_say_so() -> None:
    plain = choices_of(QuestionKind.RESOLUTION, [("X", "不算")], follow=False)
    assert plain == [("FOR", "赞同"), ("AGAINST", "反对"), ("ABSTAIN", "弃权")]
    assert choices_of(QuestionKind.RESOLUTION, [], follow=True) == [*plain, ("FOLLOW", "随多数")]


def test_a_survey_offers_what_it_was_given() -> None:
    options = [("GOOD", "好"), ("BAD", "不好")]
    assert choices_of(QuestionKind.SURVEY, options, follow=True) == options


def test_every_option_has_a_label() -> None:
    assert set(LABELS) == set(Option)


ABC = [("A", "好"), ("B", "中"), ("C", "差")]


@pytest.mark.parametrize(("least", "most"), [(0, 1), (1, 1), (0, 3), (3, 3)])
def test_a_survey_may_leave_the_number_open(least: int, most: int) -> None:
    check_question(QuestionKind.SURVEY, Matter.CONSULTATION, ABC, least, most)


@pytest.mark.parametrize("matter", Matter)
def test_a_resolution_of_any_matter_takes_one_choice(matter: Matter) -> None:
    offered = choices_of(QuestionKind.RESOLUTION, [], follow=True)
    check_question(QuestionKind.RESOLUTION, matter, offered, 1, 1)
    for least, most in ((1, 2), (0, 1), (0, 0), (2, 2)):
        with pytest.raises(InvalidInput):
            check_question(QuestionKind.RESOLUTION, matter, offered, least, most)


@pytest.mark.parametrize("matter", [matter for matter in Matter if matter is not Matter.CONSULTATION])
def test_a_survey_decides_no_matter(matter: Matter) -> None:
    with pytest.raises(InvalidInput):
        check_question(QuestionKind.SURVEY, matter, ABC, 1, 1)


@pytest.mark.parametrize(
    ("choices", "at_fault"),
    [
        ([("A", "好"), ("A", "差")], "1.code"),
        ([("A", "好"), ("a", "差")], "1.code"),
        ([("A", "好"), ("\uff21", "差")], "1.code"),  # full width
        ([("A", "好"), ("B", "中"), ("C", " 好\t")], "2.label"),
        ([("A", "Café"), ("B", "Cafe\u0301")], "1.label"),
        ([("A", "Yes"), ("B", "yes")], "1.label"),
        ([("A", "STRASSE"), ("B", "Straße")], "1.label"),
        ([("A", "第 1 项"), ("B", "第  \uff11 项")], "1.label"),
        ([("A", "❤"), ("B", "❤\ufe0f")], "1.label"),
        ([("A", "好"), ("", "差")], "1.code"),
        ([("A", "好"), (" \u3000", "差")], "1.code"),
        ([("A", "好"), ("B\u200b", "差")], "1.code"),
        ([("A", "好"), ("B", "\u3164")], "1.label"),
        ([("A" * 33, "好")], "0.code"),
        ([("A", "好" * 101)], "0.label"),
        ([("A", "好\n差")], "0.label"),
    ],
)
def test_a_choice_that_nobody_could_tell_from_another_is_refused(
    choices: list[tuple[str, str]], at_fault: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        cleaned_choices(choices, "questions.0")
    assert refused.value.field == f"questions.0.choices.{at_fault}"


def test_choices_are_taken_in_clean() -> None:
    longest = ("A" * 32, "\U00020bb7" * 100)
    offered = [longest, (" B ", "1\t号"), ("C", "Cafe\u0301"), ("D", "1 号。")]
    assert cleaned_choices(offered, "") == [longest, ("B", "1 号"), ("C", "Café"), ("D", "1 号。")]


ELECT, REPAIR = Matter.ELECT_COMMITTEE, Matter.USE_FUND


@pytest.mark.parametrize(
    ("matters", "contests"),
    [
        ([], []),
        ([REPAIR], [0]),
        ([REPAIR, REPAIR, Matter.SPEND_INCOME], [0, 1, 2]),
        ([ELECT, ELECT, ELECT], [0, 0, 0]),
        ([REPAIR, ELECT, REPAIR, ELECT], [0, 1, 2, 1]),
    ],
)
def test_candidates_are_one_contest_and_all_else_is_decided_by_itself(
    matters: list[Matter], contests: list[int]
) -> None:
    assert contests_of(matters) == contests
