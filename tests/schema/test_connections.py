from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.bulletin.actions import publish_notice
from community.bulletin.rules import NoticeKind
from community.errors import CursorInvalid
from community.permissions import SYSTEM
from schema.connections import from_cursor, to_cursor

LISTS = ["votes", "events", "notices", "bulletin", "ledger { entries"]


def query_of(name: str) -> str:
    page = (
        "edges { cursor node { __typename } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    )
    head, _, inner = name.partition(" { ")
    asked = f"(first: $first, after: $after) {{ {page} }}"
    field = f"{head} {{ page: {inner}{asked} }}" if inner else f"page: {head}{asked}"
    return f'query($first: Int, $after: String) {{ community(slug: "spring") {{ {field} }} }}'


async def page_of(house: Any, name: str, **asked: Any) -> Any:
    found = (await house.ask(query_of(name), **asked))["community"]
    return found["ledger"]["page"] if name.startswith("ledger") else found["page"]


@pytest.mark.parametrize("name", LISTS)
async def test_pages_of_one_give_the_whole_list_in_its_order(house: Any, name: str) -> None:
    whole = await page_of(house, name, first=100)
    assert not whole["pageInfo"]["hasNextPage"]
    cursors: list[str] = []
    after = None
    while True:
        page = await page_of(house, name, first=1, after=after)
        cursors += [edge["cursor"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["startCursor"] == after
        assert page["pageInfo"]["hasPreviousPage"] == (len(cursors) > 1)
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert cursors == [edge["cursor"] for edge in whole["edges"]]
    assert len(set(cursors)) == len(cursors)


async def publish(house: Any, title: str, moment: datetime) -> None:
    community, committee = (
        house.town.key("Community", "spring"),
        house.town.key("Organization", "spring/committee"),
    )
    await publish_notice(
        SYSTEM, moment, community, kind=NoticeKind.NOTICE, title=title, body="。", organization=committee
    )


async def test_a_page_that_follows_does_not_move_while_rows_are_added(house: Any) -> None:
    query = """query($after: String) { community(slug: "spring") {
      notices(first: 2, after: $after) { edges { cursor node { title } } } } }"""
    for number in range(4):
        await publish(house, f"旧 {number}", house.now - timedelta(hours=5 - number))
    first = (await house.ask(query))["community"]["notices"]["edges"]
    for number in range(3):  # newer ones, and two of the very same instant
        await publish(house, f"新 {number}", house.now)
    later = (await house.ask(query, after=first[-1]["cursor"]))["community"]["notices"]["edges"]
    assert [edge["node"]["title"] for edge in first + later] == ["旧 3", "旧 2", "旧 1", "旧 0"]


async def test_rows_of_one_instant_are_neither_lost_nor_doubled_between_pages(house: Any) -> None:
    for number in range(5):
        await publish(house, f"同时 {number}", house.now)
    seen, after = [], None
    query = """query($after: String) { community(slug: "spring") {
      notices(first: 2, after: $after) { edges { cursor node { id } } } } }"""
    while edges := (await house.ask(query, after=after))["community"]["notices"]["edges"]:
        seen += [edge["node"]["id"] for edge in edges]
        after = edges[-1]["cursor"]
    assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize("name", [*LISTS])
async def test_first_is_0_to_100(house: Any, name: str) -> None:
    empty = await page_of(house, name, first=0)
    assert empty["edges"] == []
    assert empty["pageInfo"]["endCursor"] is None
    assert (await page_of(house, name, first=100))["edges"]
    assert (await page_of(house, name, first=None))["edges"]
    for wrong in (101, -1):
        assert await house.refused(query_of(name), first=wrong) == "INVALID_INPUT"


@pytest.mark.parametrize(
    "query",
    [
        "query($first: Int) { communities(first: $first) { edges { cursor } } }",
        'query($first: Int) { community(slug: "spring") { ledger { months(first: $first) { month } } } }',
        'query($first: Int) { community(slug: "spring") { '
        "events { edges { node { dishes(first: $first) } } } } }",
    ],
)
async def test_every_other_list_has_the_same_bounds(house: Any, query: str) -> None:
    await house.ask(query, first=0)
    await house.ask(query, first=100)
    for wrong in (101, -1):
        result = await house.result(query, first=wrong)
        assert {error.extensions["code"] for error in result.errors} == {"INVALID_INPUT"}


WRONG = ["", "!", "票", "abc", "bnVsbA", to_cursor("a"), to_cursor(1, 2, 3, 4), to_cursor({"a": 1})]


@pytest.mark.parametrize("name", [*LISTS])
async def test_a_wrong_cursor_is_refused(house: Any, name: str) -> None:
    good = (await page_of(house, name, first=1))["edges"][0]["cursor"]
    for wrong in [*WRONG, good[:-1], f"{good}A", f"!{good}", f"{good}="]:
        assert await house.refused(query_of(name), after=wrong) == "CURSOR_INVALID", wrong


async def test_a_cursor_of_another_list_is_refused(house: Any) -> None:
    vote = (await page_of(house, "votes", first=1))["edges"][0]["cursor"]
    for name in ("events", "bulletin", "ledger { entries"):
        assert await house.refused(query_of(name), after=vote) == "CURSOR_INVALID"


parts = st.tuples(
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)),
    st.text(max_size=20).filter(lambda text: text.isprintable()),
)


@given(parts)
def test_a_cursor_carries_its_key(key: tuple[bool, int, datetime, str]) -> None:
    assert from_cursor(to_cursor(*key), bool, int, datetime, str) == key


@given(st.text() | st.binary().map(lambda noise: urlsafe_b64encode(noise).decode().rstrip("=")))
def test_any_text_is_a_cursor_or_refused_as_one(text: str) -> None:
    try:
        key = from_cursor(text, datetime, int)
    except CursorInvalid:
        return
    assert key is not None
    assert to_cursor(*key) == text


def test_an_instant_that_no_database_knows_is_refused() -> None:
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    for text in (early.isoformat(), "2026-01-01T00:00:00"):
        with pytest.raises(CursorInvalid):
            from_cursor(to_cursor(text, 1), datetime, int)


def test_true_is_no_number() -> None:
    with pytest.raises(CursorInvalid):
        from_cursor(to_cursor(True), int)


def test_no_cursor_is_no_key() -> None:
    assert from_cursor(None, int) is None


async def test_pages_of_other_sizes_in_one_answer_are_other_pages(house: Any) -> None:
    """Of what the viewer may see, too, which is read once for all who ask the same."""
    pages = " ".join(f"p{n}: communities(first: {n}) {{ edges {{ cursor }} }}" for n in (1, 2, 0))
    found = await house.ask(f"{{ {pages} }}", "city/regulator")
    assert {name: len(page["edges"]) for name, page in found.items()} == {"p1": 1, "p2": 2, "p0": 0}
    after = found["p2"]["edges"][0]["cursor"]
    query = """query($after: String) {
      all: communities { edges { cursor } } rest: communities(after: $after) { edges { cursor } } }"""
    found = await house.ask(query, "city/regulator", after=after)
    assert found["all"]["edges"][1:] == found["rest"]["edges"]
