import asyncio
from typing import Any

import pytest
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from community.database.sqlite import OneWriterClient
from community.permissions import NOBODY
from schema.loaders import Loaders


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that reads, as it is sent."""
    sent: list[str] = []

    def noted(real: Any) -> Any:
        async def read(self: Any, query: str, values: Any = None) -> Any:
            sent.append(query)
            return await real(self, query, values)

        return read

    for client, name in (
        (OneWriterClient, "_read"),
        (AsyncpgDBClient, "execute_query"),
        (AsyncpgDBClient, "execute_query_dict"),
    ):
        monkeypatch.setattr(client, name, noted(getattr(client, name)))
    return sent


async def test_what_is_asked_for_together_is_read_together_in_order(
    house: Any, statements: list[str]
) -> None:
    loaders = Loaders(lambda: NOBODY)
    keys = [house.town.key("Vote", name) for name in ("open", "closed", "quiet")]
    rows = await asyncio.gather(*(loaders.votes.load(key) for key in [*keys, 42, keys[0]]))
    assert [row and row.id for row in rows] == [*keys[:2], None, None, keys[0]]  # hidden and unknown are None
    assert sum('FROM "vote"' in statement for statement in statements) == 1


async def test_nothing_is_kept_so_that_a_socket_sees_no_stale_row(house: Any, statements: list[str]) -> None:
    loaders = Loaders(lambda: NOBODY)
    key = house.town.key("Event", "picnic")
    await loaders.events.load(key)
    before = len(statements)
    await loaders.events.load(key)
    assert len(statements) > before


async def test_the_viewer_is_the_one_of_the_moment(house: Any) -> None:
    viewers = [await house.viewer("quiet/resident-1"), NOBODY]
    loaders = Loaders(lambda: viewers[0])
    key = house.town.key("Notice", "gate")
    assert await loaders.notices.load(key)
    viewers.pop(0)
    assert await loaders.notices.load(key) is None


PAGE = """{ community(slug: "spring") { events { edges { node {
  title community { name } organizers { name } viewerSignUp { id } } } } } }"""


async def test_a_page_costs_the_same_statements_however_long_it_is(house: Any, statements: list[str]) -> None:
    await house.ask(PAGE, "spring/resident-1")
    cost = len(statements)
    statements.clear()
    invitation = {
        "title": "百家宴",
        "place": "广场",
        "startsAt": "2999-01-01T00:00:00Z",
        "endsAt": "2999-01-02T00:00:00Z",
    }
    publish = """mutation($c: ID!, $e: EventInput!) { publishEvent(communityId: $c, event: $e) { id } }"""
    for _ in range(8):
        await house.ask(publish, "spring/committee", c=house.town.id("Community", "spring"), e=invitation)
    statements.clear()
    await house.ask(PAGE, "spring/resident-1")
    assert len(statements) == cost
