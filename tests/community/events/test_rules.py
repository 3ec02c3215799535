from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from community.errors import InvalidInput
from community.events.rules import (
    LARGEST_PARTY,
    MOST_PLACES,
    AlreadySignedUp,
    EventBegun,
    EventFull,
    EventOver,
    check_cancel,
    check_dish,
    check_event,
    check_sign_up,
)

NOW = datetime(2026, 5, 20, tzinfo=UTC)
TICK = timedelta(microseconds=1)
SIGN_UP = {"closes_at": NOW + TICK, "party_size": 2, "most": 4, "capacity": 10, "signed_up": 8}
EVENT = {
    "starts_at": NOW + timedelta(hours=2),
    "ends_at": NOW + timedelta(hours=3),
    "closes_at": NOW + timedelta(hours=1),
    "capacity": 10,
    "most": 4,
}


def sign_up(now: datetime = NOW, **changed: Any) -> None:
    check_sign_up(now, **(SIGN_UP | changed))  # type: ignore[arg-type]


def test_the_last_places_can_be_taken_until_the_last_moment() -> None:
    sign_up()
    sign_up(party_size=4, signed_up=6)
    sign_up(capacity=None, signed_up=10_000)


def test_signing_up_ends_at_its_time() -> None:
    with pytest.raises(EventOver):
        sign_up(now=NOW + TICK)


@pytest.mark.parametrize("party_size", [0, -1, 5])
def test_a_party_has_its_limits(party_size: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 4"):
        sign_up(party_size=party_size)


def test_a_full_event_says_how_many_places_are_left() -> None:
    with pytest.raises(EventFull, match="1 left"):
        sign_up(signed_up=9)


def test_whoever_has_a_place_hears_so_before_anything_else_but_the_end() -> None:
    with pytest.raises(AlreadySignedUp):
        sign_up(already=True, signed_up=10, party_size=5)
    with pytest.raises(EventOver):
        sign_up(already=True, now=NOW + TICK)


def test_a_dish_is_for_a_potluck() -> None:
    check_dish("鱼", potluck=True)
    check_dish(None, potluck=True)
    check_dish(None, potluck=False)
    with pytest.raises(InvalidInput):
        check_dish("鱼", potluck=False)


def test_a_sign_up_is_cancelled_only_before_the_event_begins() -> None:
    check_cancel(NOW, NOW + TICK)
    with pytest.raises(EventBegun):
        check_cancel(NOW, NOW)


@pytest.mark.parametrize(
    "fine",
    [
        {},
        {"capacity": None},
        {"capacity": 1, "most": 1},
        {"capacity": MOST_PLACES, "most": LARGEST_PARTY},
        {"closes_at": EVENT["starts_at"]},
    ],
)
def test_an_event_may_be(fine: dict[str, Any]) -> None:
    check_event(now=NOW, **(EVENT | fine))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"starts_at": NOW, "closes_at": NOW}, "future"),
        ({"ends_at": EVENT["starts_at"]}, "end after it starts"),
        ({"closes_at": NOW}, "signing up must end"),
        ({"closes_at": EVENT["ends_at"]}, "signing up must end"),
        ({"capacity": 0}, "places"),
        ({"capacity": MOST_PLACES + 1}, "places"),
        ({"most": 0}, "household"),
        ({"most": LARGEST_PARTY + 1}, "household"),
    ],
)
def test_an_event_may_not_be(wrong: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        check_event(now=NOW, **(EVENT | wrong))
