"""Live fields as Strawberry itself executes them; `tests/realtime/` asks how the server does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import strawberry
from graphql import print_type

from community.bulletin.facts import BULLETIN
from community.bulletin.reads import ItemRow
from community.errors import InvalidId, NotFound
from community.permissions import Viewer
from schema.live import WatchedId, live
from schema.nodes import to_id
from schema.schema import graphql_schema


def test_the_argument_is_called_after_what_it_names() -> None:
    watched = WatchedId("Vote", "…")
    assert watched.argument == "voteId"
    assert watched.of({"voteId": to_id("Vote", 42)}) == 42
    with pytest.raises(NotFound):
        watched.of({"voteId": to_id("Event", 42)})
    with pytest.raises(InvalidId):
        watched.of({"voteId": "42"})


# A journal for some of those who may read there


async def is_invited(viewer: Viewer, key: int) -> bool:
    return viewer.name == "spring/resident-1"


@strawberry.type
class News:
    number: int
    cursor: str

    @classmethod
    def of(cls, row: ItemRow, cursor: str) -> "News":
        return cls(number=row.number % 2**31, cursor=cursor)


INVITED = replace(BULLETIN, admits=is_invited)


@strawberry.type
class Invitation:
    news: News = live(INVITED, WatchedId("Community", "…"), News.of, description="…")


@strawberry.type
class Query:
    nothing: int = 0


invitations = type(graphql_schema)(query=Query, subscription=Invitation)  # a stock one would change ours
NEWS = "subscription($id: ID!, $after: String) { news(communityId: $id, after: $after) { number cursor } }"


async def first_of(house: Any, who: str | None, after: str | None) -> Any:
    given = {"id": house.town.id("Community", "spring"), "after": after}
    stream: Any = await invitations.subscribe(NEWS, given, await house.context(who))
    try:
        return await anext(stream)
    finally:
        await stream.aclose()


async def oldest(house: Any) -> tuple[str, Sequence[ItemRow]]:
    spring = house.town.key("Community", "spring")
    return (await BULLETIN.cursors(spring)).cursor(0), await BULLETIN.items_after(spring, 0, 100)


async def test_an_audience_narrows_the_right(house: Any) -> None:
    cursor, rows = await oldest(house)
    shown = (await first_of(house, "spring/resident-1", cursor)).data["news"]
    assert shown["number"] == rows[0].number % 2**31
    for other in ("spring/resident-2", "quiet/resident-1", None):
        (error,) = (await first_of(house, other, cursor)).errors
        assert error.original_error.code == "NOT_FOUND"


async def test_whoever_goes_leaves_the_source_at_once(house: Any) -> None:
    cursor, _ = await oldest(house)
    await first_of(house, "spring/resident-1", cursor)
    assert house.sources.watchers == 0


def test_the_resolver_reads_like_one_of_a_topic() -> None:
    printed = print_type(invitations.core.type_map["Invitation"])
    assert "communityId: ID!" in printed
    assert "after: String = null" in printed
    assert "): News!" in printed
