from datetime import UTC, datetime, timedelta

import pytest

from community.errors import InvalidInput
from community.places.rules import (
    DeliveryStatus,
    OrganizationKind,
    Profile,
    UnitKind,
    check_since,
    check_slug,
)

NOW = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def test_a_profile_begins_with_the_days_of_hangzhou_and_nothing_public() -> None:
    profile = Profile(version=1)
    assert (profile.notice_days, profile.window_days_least, profile.window_days_most) == (15, 5, 60)
    assert profile.time_zone == "Asia/Shanghai"
    assert not profile.public_reading


def test_stored_words_are_their_own_names_and_fit_their_column() -> None:
    for words in (OrganizationKind, UnitKind, DeliveryStatus):
        assert all(word.name == word.value and len(word.value) <= 32 for word in words)


def test_a_slug_is_small_letters_digits_and_hyphens_between() -> None:
    for slug in ("a", "a-b", "meizai-meicheng", "9", "a" * 64):
        check_slug(slug, taken=False)
    for slug in ("", "A", "a_b", "-a", "a-", "a--b", "a b", "春", "a" * 65):
        with pytest.raises(InvalidInput):
            check_slug(slug, taken=False)
    with pytest.raises(InvalidInput):
        check_slug("a", taken=True)


def test_a_state_begins_now_or_later_and_alone() -> None:
    check_since(NOW, NOW, [])
    check_since(NOW + TICK, NOW, [NOW])
    for since in (NOW - TICK, NOW + TICK):
        with pytest.raises(InvalidInput):
            check_since(since, NOW, [NOW + TICK])
