"""One connection that follows the boards of thirty communities, with one subscription each."""

from typing import Any

import pytest

from api.clock import utc_now
from community.actions import found_community
from community.ledger.actions import record_entry
from community.ledger.rules import Category, Direction
from community.permissions import SYSTEM
from community.places.actions import NewCommunity
from community.places.rules import Profile
from schema.nodes import to_id

pytestmark = pytest.mark.xdist_group("sockets")

ESTATES = 30
BOARD = """subscription($id: ID!, $after: String) { board(communityId: $id, after: $after) {
  cursor change { fact subjectId } } }"""


async def estate(number: int) -> int:
    """One that everybody may read."""
    new = NewCommunity(f"estate-{number}", "小区", "萧山区", 1, profile=Profile(1, True))
    return await found_community(SYSTEM, utc_now(), new)


async def record(community: int) -> None:
    today = utc_now().date()
    await record_entry(
        SYSTEM, utc_now(), community, date=today, item="利息", amount=1, direction=Direction.INCOME,
        category=Category.INTEREST,
    )  # fmt: skip


async def test_thirty_boards_are_thirty_subscriptions_of_one_connection(here: Any) -> None:
    async with here() as server:
        estates = [await estate(number) for number in range(ESTATES)]
        cursors: dict[str, str] = {}
        async with server.socket() as socket:
            for number, community in enumerate(estates):
                await socket.subscribe(str(number), BOARD, id=to_id("Community", community))
            await server.until(lambda: server.sockets.registry._groups.members == ESTATES)
            assert server.app.state.sources.watchers == ESTATES
            for community in estates:
                await record(community)
            seen: dict[str, list[str]] = {}
            for _ in range(2 * ESTATES):
                message = await socket.receive()
                item = message["payload"]["data"]["board"]
                assert item["change"]["subjectId"] == to_id("Community", estates[int(message["id"])])
                seen.setdefault(message["id"], []).append(item["change"]["fact"])
                cursors[message["id"]] = item["cursor"]
        assert seen == {str(number): ["ENTRIES_RECORDED", "LEDGER_PUBLISHED"] for number in range(ESTATES)}
        await server.until(lambda: not server.app.state.sources.watchers)
        for community in estates:  # while nobody looks
            await record(community)
        async with server.socket() as socket:
            for id_, cursor in cursors.items():
                community = to_id("Community", estates[int(id_)])
                await socket.subscribe(id_, BOARD, id=community, after=cursor)
            missed = [await socket.receive() for _ in estates]
        assert {message["id"] for message in missed} == cursors.keys()
        changes = [message["payload"]["data"]["board"]["change"]["fact"] for message in missed]
        assert changes == ["ENTRIES_RECORDED"] * ESTATES
