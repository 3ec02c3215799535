"""Who may still sign up for a gathering, and with how many."""

from datetime import datetime
from enum import StrEnum

from community.errors import ErrorCode, InvalidInput, Refused
from community.steps import Life, Stage

LONGEST_TITLE = 120
LONGEST_PLACE = 120
LONGEST_DESCRIPTION = 10_000
LONGEST_DISH = 40
LARGEST_PARTY = 20
MOST_PLACES = 100_000


class EventStatus(StrEnum):
    PUBLISHED = "PUBLISHED"


class EventStep(StrEnum):
    """CORRECTED replaces its words, which stay readable; its times and places are not its words."""

    PUBLISHED = "PUBLISHED"
    CORRECTED = "CORRECTED"


EVENT_LIFE = Life(
    unbegun=EventStatus.PUBLISHED,
    first={EventStep.PUBLISHED},
    stages={step: Stage(EventStatus.PUBLISHED, {EventStep.CORRECTED}) for step in EventStep},
)


class EventFull(Refused):
    code = ErrorCode.EVENT_FULL
    zh = "位子不够了，还剩 {left} 个。"
    en = "Not enough places; {left} left."


class EventOver(Refused):
    code = ErrorCode.EVENT_OVER
    zh = "报名已经截止。"
    en = "Signing up has ended."


class EventBegun(Refused):
    code = ErrorCode.EVENT_OVER
    zh = "活动已经开始，不能再取消报名。"
    en = "The event has begun; a sign-up can no longer be cancelled."


class AlreadySignedUp(Refused):
    code = ErrorCode.ALREADY_SIGNED_UP
    zh = "您家已经报过名了。要改人数，请先取消再报。"
    en = "Your household has already signed up. Cancel first to change the number."


def check_sign_up(
    now: datetime,
    closes_at: datetime,
    party_size: int,
    most: int,
    capacity: int | None,
    signed_up: int,
    *,
    already: bool = False,
) -> None:
    """Raises EventOver, AlreadySignedUp, InvalidInput for a party of none or above `most`, EventFull.

    `already`: a sign-up of the same household stands. Whoever has a place hears so, not that none is left.
    """
    if now >= closes_at:
        raise EventOver
    if already:
        raise AlreadySignedUp
    if not 1 <= party_size <= most:
        raise InvalidInput(
            problem_zh=f"一家报 1 到 {most} 人",
            problem_en=f"a household brings 1 to {most} people",
            field="partySize",
        )
    if capacity is not None and signed_up + party_size > capacity:
        raise EventFull(left=capacity - signed_up, field="partySize")


def check_dish(dish: str | None, *, potluck: bool) -> None:
    """Raises InvalidInput for a dish where nobody brings one."""
    if dish is not None and not potluck:
        raise InvalidInput(
            problem_zh="这次活动不用带菜", problem_en="nobody brings a dish to this event", field="dish"
        )


def check_cancel(now: datetime, starts_at: datetime) -> None:
    """Raises EventBegun."""
    if now >= starts_at:
        raise EventBegun


def check_event(
    starts_at: datetime,
    ends_at: datetime,
    closes_at: datetime | None,
    capacity: int | None,
    most: int,
    now: datetime,
) -> None:
    """Raises InvalidInput where the times or numbers contradict each other. No `closes_at`: at the start."""
    if not now < starts_at:
        raise InvalidInput(
            problem_zh="开始时间要在以后", problem_en="it must start in the future", field="event.startsAt"
        )
    if not starts_at < ends_at:
        raise InvalidInput(
            problem_zh="结束要晚于开始", problem_en="it must end after it starts", field="event.endsAt"
        )
    if closes_at is not None and not now < closes_at <= starts_at:
        raise InvalidInput(
            problem_zh="报名截止要在现在之后、开始之前",
            problem_en="signing up must end after now and by the start",
            field="event.signUpClosesAt",
        )
    if capacity is not None and not 1 <= capacity <= MOST_PLACES:
        raise InvalidInput(
            problem_zh=f"位子填 1 到 {MOST_PLACES}",
            problem_en=f"there are 1 to {MOST_PLACES} places",
            field="event.capacity",
        )
    if not 1 <= most <= LARGEST_PARTY:
        raise InvalidInput(
            problem_zh=f"一家人数填 1 到 {LARGEST_PARTY}",
            problem_en=f"a household may bring 1 to {LARGEST_PARTY} people",
            field="event.maxPartySize",
        )
