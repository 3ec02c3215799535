"""The scalars: exact amounts, instants in UTC, calendar days."""

import re
from datetime import UTC, date, datetime
from typing import NewType

import orjson
import strawberry
from strawberry.types.scalar import ScalarDefinition

from community.errors import InvalidInput

Hundredths = NewType("Hundredths", int)
"""An amount in hundredths (of m², of a yuan, of a head) on its way to the outside."""

_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,12})\.[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2})(?:(:\d{2})(?:\.(\d+))?)?([Zz]|[+-]\d{2}:[0-5]\d)", re.ASCII
)

_FIRST, _LAST = (at.replace(tzinfo=UTC) for at in (datetime.min, datetime.max))
"""PostgreSQL's driver takes them for infinity, and gives back what has no offset."""


_HUNDREDTHS = tuple(f"{rest:02}" for rest in range(100))


def amount_text(value: int) -> str:
    """`214560` as `2145.60`."""
    if value < 0:
        return f"-{amount_text(-value)}"
    return f"{value // 100}.{_HUNDREDTHS[value % 100]}"


def parse_amount(text: object) -> Hundredths:
    """Raises InvalidInput unless `text` is a string with exactly two decimals."""
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise InvalidInput(problem_zh="金额写成 123.45 的样子", problem_en='an amount looks like "123.45"')
    return Hundredths(int(text.replace(".", "")))


def instant_text(value: datetime) -> str:
    """By orjson, which takes a third of the time of `isoformat`; it leaves out a fraction of zero."""
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    text = orjson.dumps(value).decode()
    return f"{text[1:24]}Z" if text[20] == "." else f"{text[1:20]}.000Z"


def parse_instant(text: object) -> datetime:
    """Cut to microseconds. Raises InvalidInput unless `text` is an RFC 3339 instant with an offset."""
    try:
        if isinstance(text, str) and (found := _INSTANT.fullmatch(text)):
            minute, second, fraction, offset = found.groups()
            micros = (fraction or "")[:6].ljust(6, "0")
            text = f"{minute}{second or ':00'}.{micros}{offset}".upper()
            instant = datetime.fromisoformat(text).astimezone(UTC)
            if _FIRST < instant < _LAST:
                return instant
    except (ValueError, OverflowError):
        pass
    raise InvalidInput(
        problem_zh="时间写成 2026-01-31T19:30:00+08:00 的样子",
        problem_en="an instant looks like 2026-01-31T19:30:00+08:00",
    )


def parse_day(text: object) -> date:
    """Raises InvalidInput unless `text` is YYYY-MM-DD."""
    try:
        if isinstance(text, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidInput(problem_zh="日期写成 2026-01-31 的样子", problem_en="a day looks like 2026-01-31")


SCALARS: dict[object, ScalarDefinition] = {
    Hundredths: strawberry.scalar(
        name="Decimal",
        description='An exact number as a string with two decimals, such as "2145.60": yuan with'
        " fen, m² with hundredths, or heads. Never a floating-point number."
        " 精确数值，写成带两位小数的字符串，金额精确到分，面积精确到 0.01 平方米。",
        serialize=amount_text,
        parse_value=parse_amount,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant by RFC 3339. Given out in UTC with milliseconds, as in"
        " 2026-01-31T11:30:00.000Z; taken with any offset, never without one."
        " 时刻，输出为 UTC（以 Z 结尾），输入须带时区。",
        serialize=instant_text,
        parse_value=parse_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day in the time zone of the community (Asia/Shanghai), as"
        " YYYY-MM-DD."
        " 小区当地的日期，写作 YYYY-MM-DD。",
        serialize=date.isoformat,
        parse_value=parse_day,
    ),
}
