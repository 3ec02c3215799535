"""What a subscription does until it is shown; `test_sockets.py` asks the same of a client's whole talk."""

from typing import Any

import pytest

from api.operations import OperationState
from community.bulletin.facts import BULLETIN
from community.database import cursors
from tests.facts import written

pytestmark = pytest.mark.xdist_group("sockets")


async def test_a_reader_far_behind_is_asked_by_the_names_of_its_own_variables(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its group may have been begun by somebody who calls them otherwise."""

    async def none(_: int) -> int:
        return await written()

    monkeypatch.setitem(vars(BULLETIN), "recent", none)
    theirs = "subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) { cursor } }"
    mine = theirs.replace("$id", "$estate").replace("$after", "$since")
    async with here() as server, server.socket() as first, server.socket() as second:
        spring = server.town.id("Community", "spring")
        await first.subscribe("a", theirs, id=spring)
        await server.until(lambda: server.app.state.sources.watchers)
        start = cursors.encode(await cursors.mark(), 0)
        await second.subscribe("a", mine, estate=spring, since=start)
        assert (await second.receive())["type"] == "next"


async def test_a_subscription_that_is_shown_keeps_no_task(here: Any) -> None:
    bulletin = "subscription($id: ID!) { bulletin(communityId: $id) { cursor } }"
    async with here() as server, server.socket() as socket:
        await socket.subscribe("a", bulletin, id=server.town.id("Community", "spring"))
        (held,) = server.sockets._sockets
        await server.until(lambda: held._operations)
        (operation,) = held._operations.values()
        await server.until(lambda: operation.state is OperationState.SHOWN)
        assert operation._task is None
