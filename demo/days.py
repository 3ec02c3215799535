"""Days and hours in Hangzhou, from which every instant of the demonstration is reckoned.

What lies in the past ended before today began, so that nothing changes while the day lasts.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random
from typing import NamedTuple

ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")  # China has kept one clock all year since 1992

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)

# 农历八月十五; a year that is not here has no riddles.
MID_AUTUMN = tuple(
    date.fromisoformat(day)
    for day in (
        "2022-09-10", "2023-09-29", "2024-09-17", "2025-10-06", "2026-09-25", "2027-09-15", "2028-10-03",
        "2029-09-22", "2030-09-12", "2031-10-01", "2032-09-19", "2033-09-08", "2034-09-27", "2035-09-16",
        "2036-10-04", "2037-09-24", "2038-09-13", "2039-10-02", "2040-09-20",
    )
)  # fmt: skip

# How busy neighbours are with their phones, hour by hour: lunch and the evening.
_HOURS = (1, 0, 0, 0, 0, 0, 2, 6, 9, 9, 8, 8, 14, 10, 6, 5, 5, 7, 10, 17, 20, 17, 10, 3)


def local_day(now: datetime) -> date:
    return now.astimezone(ZONE).date()


def at(day: date, clock: str) -> datetime:
    """The instant, in UTC, at which clocks in Hangzhou show `clock` on that day."""
    return datetime.combine(day, time.fromisoformat(clock), ZONE).astimezone(UTC)


def midnight(day: date) -> datetime:
    """The instant at which the day begins."""
    return at(day, "00:00")


def weekday_from(day: date, weekday: int) -> date:
    """The first such weekday on or after the day."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def weekday_before(day: date, weekday: int) -> date:
    """The last such weekday before the day."""
    return weekday_from(day - timedelta(days=7), weekday)


def said(day: date) -> str:
    """The day as notices say it: 10月18日（周日）."""
    return f"{day.month}月{day.day}日（周{'一二三四五六日'[day.weekday()]}）"


class Month(NamedTuple):
    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    @property
    def days(self) -> int:
        return monthrange(self.year, self.month)[1]

    @property
    def said(self) -> str:
        return f"{self.year}年{self.month}月"

    def day(self, number: int) -> date:
        """The day of this number, or the last one of a month that is too short."""
        return date(self.year, self.month, min(number, self.days))

    def plus(self, months: int) -> "Month":
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)


def months(first: Month, last: Month) -> Iterator[Month]:
    while first <= last:
        yield first
        first = first.plus(1)


def instants(rng: Random, since: datetime, until: datetime, count: int) -> list[datetime]:
    """When `count` neighbours got round to it: many at once, fewer each day, hardly anybody at night."""
    first, span = local_day(since), (local_day(until) - local_day(since)).days + 1
    eager = [1 / (1 + 0.4 * index) + (0.2 if index >= span - 2 else 0) for index in range(span)]
    picked: list[datetime] = []
    while len(picked) < count:
        (ahead,) = rng.choices(range(span), eager)
        (hour,) = rng.choices(range(24), _HOURS)
        at = midnight(first + timedelta(days=ahead)) + timedelta(hours=hour, seconds=rng.randrange(3600))
        if since <= at < until:
            picked.append(at)
    return sorted(picked)
