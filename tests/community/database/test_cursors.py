import asyncio
import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.database import journal
from community.database.cursors import (
    JournalCursors,
    ListCursors,
    NumberCursors,
    encode,
    journal_cursors,
    mark,
    number_of,
)
from community.database.journal import News
from community.database.migrate import migrate
from community.database.models import Installation
from community.errors import CursorInvalid
from community.places.facts import PUBLIC_READING_SET

MARK = 382_882_342_408_989_198
numbers = st.integers(0, 2**63 - 1)


@given(numbers, numbers)
def test_a_cursor_leads_back_to_its_number(mark: int, number: int) -> None:
    text = encode(mark, number)
    assert re.fullmatch("[A-Za-z0-9_-]+", text)
    assert JournalCursors(mark, 7).number_of(text) == number


@given(numbers, numbers, numbers)
def test_a_cursor_of_another_database_is_refused(mark: int, other: int, number: int) -> None:
    if mark != other:
        with pytest.raises(CursorInvalid):
            JournalCursors(mark, 7).number_of(encode(other, number))


def packed(mark: int, number: int) -> str:
    return urlsafe_b64encode(pack(">qq", mark, number)).decode().rstrip("=")


def test_the_forgeries_below_are_made_as_ours_are() -> None:
    assert packed(MARK, 7) == encode(MARK, 7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "journal:7",
        "游标",
        "\ud800",
        "A" * 21,
        "A" * 23,
        "A" * 10_000,
        encode(MARK, 7) + "=",
        encode(MARK, 7) + "==",
        " " + encode(MARK, 7),
        encode(MARK, 7) + "\n",
        encode(MARK, 7)[:-1],
        encode(MARK, 7)[:-1] + "x",  # the same bytes, other spare bits
        encode(MARK, 7)[:5] + "!" + encode(MARK, 7)[5:],
        packed(MARK, -1),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid):
        JournalCursors(MARK, 7).number_of(text)


@given(numbers, numbers, numbers, numbers)
def test_a_cursor_of_another_bulletin_is_refused(mark: int, one: int, other: int, number: int) -> None:
    own, theirs = JournalCursors(mark, one), JournalCursors(mark, other)
    assert own.number_of(own.cursor(number)) == own.number_of(encode(mark, number)) == number
    if one != other:
        with pytest.raises(CursorInvalid):
            theirs.number_of(own.cursor(number))


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        number = JournalCursors(MARK, 7).number_of(text)
    except CursorInvalid:
        return
    assert text in (encode(MARK, number), JournalCursors(MARK, 7).cursor(number))


async def test_a_number_lies_in_the_journal_of_its_community(estate: Any, build: Any, now: datetime) -> None:
    here, elsewhere = estate.community, await build.community()
    cursors, database_mark = await journal_cursors(here), await mark()
    assert await number_of(cursors.cursor(0), here) == 0
    with pytest.raises(CursorInvalid):
        await number_of(cursors.cursor(1), here)
    await journal.write([News(PUBLIC_READING_SET, here, here)] * 3, now)
    await journal.write([News(PUBLIC_READING_SET, elsewhere, elsewhere)] * 9, now)
    for text in (cursors.cursor(3), encode(database_mark, 3)):
        assert await number_of(text, here) == 3
    strange = (encode(database_mark + 1, 3), packed(database_mark, -1), cursors.cursor(3)[:-1] + "A", "3")
    for text in (cursors.cursor(4), cursors.cursor(2**63 - 1), encode(database_mark, 4), *strange):
        with pytest.raises(CursorInvalid):
            await number_of(text, here)
    with pytest.raises(CursorInvalid):
        await number_of(cursors.cursor(3), elsewhere)


async def test_a_database_is_marked_once(database: str) -> None:
    own = await mark()
    await asyncio.gather(*(migrate(database) for _ in range(3)))
    assert await mark() == own
    assert await Installation.all().count() == 1


# Of a list

CURSORS = ListCursors("votes", 7, {"status": ("OPEN",)})

parts = st.tuples(
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)),
    st.text(max_size=20).filter(lambda text: text.isprintable()),
)
SHAPE = (bool, int, datetime, str)
listed = st.builds(
    ListCursors,
    st.sampled_from(["votes", "events"]),
    st.none() | st.integers(1, 3),
    st.dictionaries(st.sampled_from(["status", "coming"]), st.none() | st.booleans() | st.just("OPEN")),
)


@given(listed, parts)
def test_a_cursor_carries_its_key(list_: ListCursors, key: tuple[bool, int, datetime, str]) -> None:
    assert list_.key(list_.cursor(*key), *SHAPE) == key


@given(listed, listed, parts)
def test_of_any_two_lists_each_knows_its_own(one: ListCursors, other: ListCursors, key: Any) -> None:
    if one != other:
        with pytest.raises(CursorInvalid):
            other.key(one.cursor(*key), *SHAPE)


@given(st.text() | st.binary().map(lambda noise: urlsafe_b64encode(noise).decode().rstrip("=")))
def test_any_text_is_a_cursor_or_refused_as_one(text: str) -> None:
    try:
        key = CURSORS.key(text, datetime, int)
    except CursorInvalid:
        return
    assert key is not None
    assert CURSORS.cursor(*key) == text


def test_an_instant_that_no_database_knows_is_refused() -> None:
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    for text in (early.isoformat(), "2026-01-01T00:00:00"):
        with pytest.raises(CursorInvalid):
            CURSORS.key(CURSORS.cursor(text, 1), datetime, int)


def test_true_is_no_number() -> None:
    with pytest.raises(CursorInvalid):
        CURSORS.key(CURSORS.cursor(True), int)


def test_no_cursor_is_no_key() -> None:
    assert CURSORS.key(None, int) is None


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_a_number_is_known_to_its_own_list(number: int, other: int) -> None:
    own = NumberCursors("entries", 7)
    assert own.number_of(own.cursor(number)) == number
    if number != other:
        assert own.cursor(number) != own.cursor(other)
    for strange in (NumberCursors("entries", 8), NumberCursors("entries", 7, {"month": "2026-01"})):
        with pytest.raises(CursorInvalid):
            own.number_of(strange.cursor(number))


@pytest.mark.parametrize("key", [(-1,), (), (1, 2), ("1",), (True,)])
def test_what_is_no_number_of_a_list_is_refused(key: tuple[object, ...]) -> None:
    own = NumberCursors("entries", 7)
    with pytest.raises(CursorInvalid):
        own.number_of(own.cursor(*key))
