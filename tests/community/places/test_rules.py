import re
from pathlib import Path

from community.places import rules
from community.places.rules import DeliveryStatus, OrganizationKind, Profile, UnitKind


def test_a_profile_begins_with_the_days_of_hangzhou_and_nothing_public() -> None:
    profile = Profile(version=1)
    assert (profile.notice_days, profile.window_days_least, profile.window_days_most) == (15, 5, 60)
    assert profile.time_zone == "Asia/Shanghai"
    assert not profile.public_reading


def test_stored_words_are_their_own_names_and_fit_their_column() -> None:
    for words in (OrganizationKind, UnitKind, DeliveryStatus):
        assert all(word.name == word.value and len(word.value) <= 32 for word in words)


def test_the_rules_need_nothing_but_the_standard_library() -> None:
    source = Path(rules.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE)) == {"dataclasses", "enum"}
