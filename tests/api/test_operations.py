"""Queries and mutations over a socket; `test_sockets.py` asks the same of a client's whole talk."""

import asyncio
from typing import Any

import pytest

from api import sockets as sockets_

pytestmark = pytest.mark.xdist_group("sockets")

SIGN_UP = "mutation($event: ID!) { signUp(eventId: $event) { id } }"


async def test_mutations_whose_answers_nobody_waits_for_are_bounded(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each goes on after its `complete`, and keeps its variables until then."""
    go_on, begun = asyncio.Event(), 0

    async def wait(self: Any, request: Any) -> Any:
        nonlocal begun
        begun += 1
        await go_on.wait()
        return await execute(self, request)

    execute = sockets_.Socket.execute
    monkeypatch.setattr(sockets_.Socket, "execute", wait)
    monkeypatch.setattr(sockets_, "MOST_OPERATIONS", 5)
    async with here() as server, server.socket("spring/resident-1") as socket:
        event = server.town.id("Event", "picnic")
        for number in range(5):
            await socket.subscribe(str(number), SIGN_UP, event=event)
            await server.until(lambda so_far=number: len(server.sockets.tasks) == so_far + 1)
            await socket.send(type="complete", id=str(number))
        await server.until(lambda: len(server.sockets) == 0)
        await socket.subscribe("more", SIGN_UP, event=event)
        message = await socket.receive()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "LIMIT_REACHED"
        assert begun == sockets_.MOST_AT_ONCE
        go_on.set()
        await server.until(lambda: not server.sockets.tasks)
        assert begun == 5
        await socket.subscribe("more", "{ viewer { account } }")
        assert (await socket.receive())["payload"]["data"]["viewer"] == {"account": "spring/resident-1"}
