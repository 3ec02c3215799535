from datetime import UTC, datetime, timedelta

import pytest

from community.bulletin.rules import check_notice, publishers
from community.errors import InvalidInput

NOW = datetime(2026, 5, 20, tzinfo=UTC)


def test_what_a_notice_is_about_ends_after_it_begins() -> None:
    check_notice(None, None)
    check_notice(NOW, None)
    check_notice(None, NOW)
    check_notice(NOW, NOW + timedelta(microseconds=1))
    for until in (NOW, NOW - timedelta(hours=1)):
        with pytest.raises(InvalidInput):
            check_notice(NOW, until)


def sign(asked: list[int], own: list[int], *, for_anybody: bool = False) -> list[int]:
    return publishers(asked, own, standing={1, 2, 3}, for_anybody=for_anybody)


def test_who_asks_for_nobody_signs_with_the_first_standing_organization_of_their_own() -> None:
    assert sign([], [2, 1]) == [2]
    assert sign([], [9, 1]) == [1]


def test_who_has_none_must_say_which() -> None:
    for own in ([], [9]):
        with pytest.raises(InvalidInput, match="in whose name"):
            sign([], own, for_anybody=True)


def test_several_sign_once_each_in_the_order_asked() -> None:
    assert sign([3, 1, 3, 2], [1]) == [3, 1, 2]


def test_an_organization_of_elsewhere_signs_nothing() -> None:
    with pytest.raises(InvalidInput, match="not one of the community"):
        sign([1, 9], [1, 9], for_anybody=True)


def test_nobody_signs_only_for_others_but_the_operator() -> None:
    with pytest.raises(InvalidInput, match="in the name of others"):
        sign([2], [1])
    assert sign([2], [], for_anybody=True) == [2]
