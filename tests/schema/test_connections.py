from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from graphql import get_named_type, is_introspection_type, is_object_type

from community.bulletin.actions import publish_notice
from community.bulletin.rules import NoticeKind
from community.database import cursors
from community.database.cursors import ListCursors, _text
from community.database.paging import Page
from community.ledger.actions import record_entry
from community.ledger.rules import Category, Direction
from community.permissions import SYSTEM
from schema.connections import Connection, LazyEdge, connect
from schema.schema import graphql_schema
from tests.examples import ListExample, demand, of_all

BELOW = of_all(lambda topic: topic.lists)
LISTS = list(dict.fromkeys(one.path for one in BELOW.values()))


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


async def publish(house: Any, title: str, at: datetime, slug: str = "spring") -> None:
    community, committee = (
        house.town.key("Community", slug),
        house.town.key("Organization", f"{slug}/committee"),
    )
    await publish_notice(
        SYSTEM, at, community, kind=NoticeKind.NOTICE, title=title, body="。", organization=committee
    )


async def entry_of_today(house: Any, slug: str) -> None:
    await record_entry(
        SYSTEM, house.now, house.town.key("Community", slug), date=house.now.date(), item="利息", amount=1,
        direction=Direction.INCOME, category=Category.INTEREST,
    )  # fmt: skip


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


# A cursor is good for the list that gave it


def here(field: str, slug: str = "spring") -> str:
    return f'query($after: String) {{ community(slug: "{slug}") {{ {field} }} }}'


PAGE = "{ edges { cursor } pageInfo { startCursor endCursor } }"


def coordinate_of(path: str) -> str:
    """`Ledger.entries` of `ledger { entries`."""
    kind: Any = graphql_schema.core.get_type("Community")
    *way, name = path.split(" { ")
    for step in way:
        kind = get_named_type(kind.fields[step].type)
    return f"{kind.name}.{name}"


def query_of_list(one: ListExample) -> str:
    given = ", ".join(filter(None, ("after: $after", one.filter)))
    return here(f"{one.path}({given}) {PAGE}" + " }" * one.path.count(" { "), one.slug)


ASKED = {
    "communities": (f"query($after: String) {{ communities(after: $after) {PAGE} }}", "Query.communities"),
    **{name: (query_of_list(one), coordinate_of(one.path)) for name, one in BELOW.items()},
}
"""Every list of the schema, of two parents and of each filter, as somebody asks for it who may see both."""

LIKE = {"bulletin": "bulletin", "board": "bulletin", "ledgerEntries": "entries"}
"""Each journal that is watched, and the list of which the cursors are good for it."""

WATCHED = {
    f"{field} {slug} watched": (field, slug, name if slug == "spring" else f"{name} of another")
    for field, name in LIKE.items()
    for slug in ("spring", "quiet")
}
SAME = {(like, name) for name, (_, _, like) in WATCHED.items()}
WHO = "city/regulator"


def test_every_list_of_the_schema_is_asked_for_here() -> None:
    paged = {
        f"{kind.name}.{name}"
        for kind in graphql_schema.core.type_map.values()
        if is_object_type(kind) and not is_introspection_type(kind)
        for name, field in kind.fields.items()
        if "after" in field.args
    }
    known = {coordinate for _, coordinate in ASKED.values()} | {f"Subscription.{field}" for field in LIKE}
    demand("lists", paged, known)
    assert known <= paged


def test_every_filter_and_another_community_are_asked_for_here() -> None:
    for path in LISTS:
        filters = {one.filter.partition(":")[0] for one in BELOW.values() if one.path == path}
        type_name, name = coordinate_of(path).split(".")
        kind: Any = graphql_schema.core.get_type(type_name)
        assert filters == {"", *kind.fields[name].args} - {"first", "after"}, path
        assert {one.slug for one in BELOW.values() if one.path == path} == {"spring", "quiet"}, path


class Lists:
    """What each list says of a cursor."""

    def __init__(self, house: Any) -> None:
        self.house = house

    async def entry_month(self) -> str:
        found = await self.house.ask('{ community(slug: "spring") { ledger { month { month } } } }')
        return str(found["community"]["ledger"]["month"]["month"])

    async def cursor_of(self, name: str) -> str:
        return str((await self._page(name, None))["startCursor"])

    async def _page(self, name: str, after: str | None) -> Any:
        data = await self.house.ask(await self._query(name), WHO, after=after)
        while "pageInfo" not in data:
            (data,) = data.values()
        assert after or data["edges"], f"nothing in {name}"
        return data["pageInfo"]

    async def _query(self, name: str) -> str:
        query = ASKED[name][0]
        return query.replace("MONTH", await self.entry_month()) if "MONTH" in query else query

    async def refusal(self, name: str, after: str) -> dict[str, Any] | None:
        """Of this cursor by that list; None where it takes it."""
        if name in WATCHED:
            async with self._watched(*WATCHED[name][:2], after) as errors:
                return errors
        result = await self.house.result(await self._query(name), WHO, after=after)
        return result.errors[0].extensions if result.errors else None

    @asynccontextmanager
    async def _watched(self, field: str, slug: str, after: str) -> AsyncIterator[dict[str, Any] | None]:
        query = f"""subscription($id: ID!, $after: String) {{
          {field}(communityId: $id, after: $after) {{ cursor }} }}"""
        id_ = self.house.town.id("Community", slug)
        async with self.house.watch(query, WHO, id=id_, after=after) as following:
            await publish(self.house, "新", self.house.now, slug)
            await entry_of_today(self.house, slug)
            errors = (await following()).errors
        yield errors[0].extensions if errors else None


def one_list(one: str, other: str) -> bool:
    return one == other or (one, other) in SAME


async def test_a_cursor_of_one_list_is_refused_by_every_other(house: Any) -> None:
    lists, wrong = Lists(house), []
    for one in ASKED:
        cursor = await lists.cursor_of(one)
        for other in (*ASKED, *WATCHED):
            refusal = await lists.refusal(other, cursor)
            if one_list(one, other) != (refusal is None):
                wrong.append((one, other))
            if refusal is not None:
                assert (refusal["code"], refusal["field"]) == ("CURSOR_INVALID", "after")
                assert refusal["zh"]
                assert refusal["en"]
    assert wrong == []


async def test_the_order_of_a_filter_makes_no_other_list(house: Any) -> None:
    one, other, twice = (
        here(f"votes(after: $after, status: [{status}]) {PAGE}")
        for status in ("OPEN, CLOSED", "CLOSED, OPEN", "OPEN, CLOSED, OPEN")
    )
    cursor = (await house.ask(one))["community"]["votes"]["pageInfo"]["startCursor"]
    for query in (one, other, twice):
        await house.ask(query, after=cursor)


async def test_a_cursor_that_was_altered_is_refused_and_an_earlier_one_of_a_list_as_well(house: Any) -> None:
    lists = Lists(house)
    for name in ASKED:
        good = await lists.cursor_of(name)
        altered = [
            good[:index] + ("A" if good[index] != "A" else "B") + good[index + 1 :]
            for index in range(0, len(good), 5)
        ]
        at = house.now.isoformat()
        earlier = [_text(key) for key in ([1], [at, 1], [True, at, 1])]
        for wrong in [*altered, *earlier, good[:-1], f"{good}A", f"{good}=", f"!{good}", good * 50]:
            refusal = await lists.refusal(name, wrong)
            assert refusal, (name, wrong)
            assert refusal["code"] == "CURSOR_INVALID", (name, wrong)


async def test_whoever_kept_a_place_in_the_journal_from_before_goes_on_with_it(house: Any) -> None:
    lists, mark = Lists(house), await cursors.mark()
    for name in {one for same in SAME for one in same if not one.startswith(("entries", "ledgerEntries"))}:
        assert await lists.refusal(name, cursors.encode(mark, 0)) is None
        assert await lists.refusal(name, cursors.encode(mark + 1, 0))
    for name in ("votes", "notices", "entries", "ledgerEntries spring watched"):
        assert await lists.refusal(name, cursors.encode(mark, 0))


CURSORS = ListCursors("votes", 7, {"status": ("OPEN",)})
WRONG = ["", "!", "票", "abc", "bnVsbA", "e30", "NQ", "ImFiYyI", _text([]), _text(["a"]), _text([1, 2, 3, 4]),
         _text([{"a": 1}]), _text([["a"]] * 3), CURSORS.cursor(1)]  # fmt: skip


@pytest.mark.parametrize("name", [*LISTS])
async def test_a_wrong_cursor_is_refused(house: Any, name: str) -> None:
    good = (await page_of(house, name, first=1))["edges"][0]["cursor"]
    for wrong in [*WRONG, good[:-1], f"{good}A", f"!{good}", f"{good}="]:
        assert await house.refused(query_of(name), after=wrong) == "CURSOR_INVALID", wrong


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


# Edges


async def test_a_cursor_is_made_where_it_is_asked_for() -> None:
    made = list[int]()

    def cursor(row: int) -> str:
        made.append(row)
        return f"c{row}"

    connection: Connection[Any] = connect(Page([1, 2, 3], more=True), cursor, later=False)
    assert made == [1, 3], "those of the ends"
    edges: Any = connection.edges
    assert [(edge.node, edge.cursor) for edge in edges] == [(1, "c1"), (2, "c2"), (3, "c3")]
    assert made == [1, 3, 1, 2, 3]
    info = connection.page_info
    assert (info.start_cursor, info.end_cursor, info.has_next_page) == ("c1", "c3", True)


@pytest.mark.parametrize("later", [False, True])
async def test_an_empty_page_has_no_cursors(later: bool) -> None:
    connection: Connection[Any] = connect(Page([], more=False), str, later=later)
    info = connection.page_info
    assert connection.edges == []
    assert (info.start_cursor, info.end_cursor, info.has_previous_page) == (None, None, later)


class Notices(Connection[int]):
    pass


def test_a_connection_may_have_a_name_of_its_own() -> None:
    assert type(connect(Page([1], more=False), str, later=False, made=Notices)) is Notices


@pytest.mark.parametrize("name", LISTS)
async def test_without_cursors_the_same_nodes_come(house: Any, name: str, monkeypatch: Any) -> None:
    page = await page_of(house, name)
    asked = list[Any]()
    cursor = LazyEdge.cursor.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(LazyEdge, "cursor", property(lambda edge: asked.append(edge) or cursor(edge)))
    query = query_of(name).replace("edges { cursor node", "edges { node")
    found = (await house.ask(query))["community"]
    bare = (found["ledger"] if name.startswith("ledger") else found)["page"]
    assert asked == []
    assert bare["pageInfo"] == page["pageInfo"]
    assert bare["edges"] == [{"node": edge["node"]} for edge in page["edges"]]
    assert (await page_of(house, name))["edges"] == page["edges"]
    assert len(asked) == len(page["edges"])
