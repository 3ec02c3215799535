"""What a process knows of the journals, and what it may therefore still show."""

import pytest

from realtime import versions as module
from realtime.versions import BEHIND, Versions


class Time:
    """That of the monotonic clock, which stands until it is put forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(module, "time", time)
    return time


def test_what_was_read_holds_until_something_happens_where_it_came_from() -> None:
    versions = Versions()
    versions.saw({None: 3, 7: 5, 8: 9})
    since = versions.count
    assert versions.unchanged(since, {7})
    assert versions.unchanged(since, {7, 8, None})
    assert versions.unchanged(since, None)
    versions.saw({8: 10})
    assert versions.unchanged(since, {7})
    assert versions.unchanged(since, set())
    assert not versions.unchanged(since, {8})
    assert not versions.unchanged(since, {7, 8})
    assert not versions.unchanged(since, None)
    assert versions.unchanged(versions.count, {7, 8})
    assert versions.unchanged(versions.count, None)


def test_a_community_that_appears_changes_what_came_from_anywhere() -> None:
    versions = Versions()
    versions.saw({7: 5})
    since = versions.count
    versions.saw({9: 1})
    assert versions.unchanged(since, {7})
    assert not versions.unchanged(since, None)
    assert not versions.unchanged(since, {9})


@pytest.mark.parametrize("again", [{7: 5}, {7: 4}, {None: 3}, {}, {7: 5, None: 1}])
def test_what_is_known_already_changes_nothing(again: dict[int | None, int]) -> None:
    """As when the poller reads what this process published itself, or is late."""
    versions = Versions()
    versions.saw({None: 3, 7: 5})
    since = versions.count
    versions.saw(again)
    assert versions.count == since
    assert versions.unchanged(since, {7, None})
    assert not versions.behind({None: 3, 7: 5})


def test_what_was_read_before_the_journals_were_known_does_not_hold() -> None:
    versions = Versions()
    since = versions.count
    versions.saw({None: 3, 7: 5})
    assert not versions.unchanged(since, {7})
    assert not versions.unchanged(since, None)
    assert versions.unchanged(since, {8}), "nothing ever happened there"


def test_the_city_is_a_journal_of_its_own() -> None:
    versions = Versions()
    versions.saw({None: 3, 7: 5})
    since = versions.count
    versions.saw({None: 4})
    assert versions.unchanged(since, {7})
    assert not versions.unchanged(since, {None})


@pytest.mark.parametrize(
    ("heads", "behind"),
    [
        ({}, False),
        ({7: 5}, False),
        ({7: 4, None: 3}, False),
        ({7: 6}, True),
        ({7: 5, None: 4}, True),
        ({8: 1}, True),
        ({8: 0}, False),
    ],
)
def test_it_is_behind_whoever_saw_more_in_one_of_them(heads: dict[int | None, int], behind: bool) -> None:
    versions = Versions()
    versions.saw({None: 3, 7: 5})
    assert versions.behind(heads) is behind


def test_it_is_current_for_two_seconds_after_a_look_began(time: Time) -> None:
    versions = Versions()
    assert not versions.current
    versions.looked(time.now)
    assert versions.current
    time.now += BEHIND
    assert versions.current
    time.now += 0.001
    assert not versions.current
    versions.looked(time.now - 1)  # it took so long
    assert versions.current
    time.now += 1.001
    assert not versions.current
