"""How many sockets and subscriptions there may be, and that nothing is left of those that went."""

import asyncio
import gc
import json
import random
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from api import identity
from api.sockets import Socket

pytestmark = pytest.mark.xdist_group("many")

chance = random.Random()  # noqa: S311 - only the times
PATIENCE = 60
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
ATTENDANCE = "subscription($id: ID!) { eventAttendance(eventId: $id) { signedUp } }"
SHARED = "subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) { cursor } }"
OWN = """subscription($id: ID!) { bulletin(communityId: $id) {
  subject { ... on Vote { viewerEntries { party } } } } }"""
HELD = ("sockets", "watchers", "groups", "group_members", "tasks")


@pytest.fixture(scope="module")
def server(either_server: Any) -> Any:
    return either_server


async def test_more_sockets_of_one_address_are_told_to_come_later(here: Any) -> None:
    async with here(sockets_per_address=3) as server, AsyncExitStack() as stack:
        first, *_ = [await stack.enter_async_context(server.socket()) for _ in range(3)]
        async with server.connection() as more:
            assert await more.until_closed() == 1013
        await first.connection.close()
        await server.until(lambda: server.sockets.open == 2)
        await stack.enter_async_context(server.socket())


async def test_a_socket_that_ended_leaves_nothing_to_the_collector(here: Any) -> None:
    """It looks rarely, and ten thousand may end at once."""
    gc.collect()
    gc.disable()
    try:
        async with here() as server:
            async with server.socket("spring/resident-1") as socket:
                await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
                await socket.receive()
            await server.until(lambda: not server.sockets.open)
            await server.until(lambda: not any(isinstance(each, Socket) for each in gc.get_objects()))
    finally:
        gc.enable()


async def test_more_sockets_of_one_account_are_told_to_come_later(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "MOST_SOCKETS_OF_ACCOUNT", 3)
    me = "spring/resident-1"
    async with here() as server, AsyncExitStack() as stack:
        first, *_ = [await stack.enter_async_context(server.socket(me)) for _ in range(3)]
        async with server.connection() as more:
            await more.send(
                type="connection_init", payload={"Authorization": server.bearer(me)["authorization"]}
            )
            assert await more.until_closed() == 1013
        await stack.enter_async_context(server.socket("spring/resident-2"))
        await stack.enter_async_context(server.socket())
        await first.connection.close()
        await server.until(lambda: server.sockets.open == 4)
        await stack.enter_async_context(server.socket(me))


def held(server: Any) -> dict[str, float]:
    lines = server.metrics().splitlines()
    return {
        name: float(line.split()[1]) for name in HELD for line in lines if line.startswith(f"meilin_{name} ")
    }


class Visitor:
    """Comes, watches a few things, and goes in one way or another."""

    def __init__(self, server: Any) -> None:
        town = server.town
        self.url, self.tokens = f"ws://127.0.0.1:{server.port}/graphql", list(town.tokens.values())
        self.watched = [
            (PROGRESS, town.id("Vote", "open")),
            (PROGRESS, town.id("Vote", "survey")),
            (PROGRESS, town.id("Vote", "quiet")),  # for some
            (ATTENDANCE, town.id("Event", "picnic")),
            (SHARED, town.id("Community", "spring")),
            (OWN, town.id("Community", "spring")),
            ("{ no subscription }", ""),
        ]

    async def visit(self, subscriptions: int) -> None:
        connection: Any = await connect(
            self.url, subprotocols=["graphql-transport-ws"], open_timeout=PATIENCE
        )  # type: ignore[list-item]
        try:
            with suppress(ConnectionClosed):
                init = (
                    {"Authorization": f"Bearer {chance.choice(self.tokens)}"} if chance.random() < 0.3 else {}
                )
                await connection.send(json.dumps({"type": "connection_init", "payload": init}))
                if chance.random() < 0.9:
                    await connection.recv()
                for number in range(subscriptions):
                    query, id_ = chance.choice(self.watched)
                    asked = {"query": query, "variables": {"id": id_}}
                    await connection.send(
                        json.dumps({"type": "subscribe", "id": str(number), "payload": asked})
                    )
                    if chance.random() < 0.5:
                        await connection.send(json.dumps({"type": "complete", "id": str(number)}))
                await asyncio.sleep(0.1 * chance.random())
        finally:
            if chance.random() < 0.5:
                connection.transport.abort()
            await connection.close()


@pytest.mark.parametrize(
    ("subscriptions", "at_once"),
    [
        pytest.param(10_000, 50, id="short"),
        pytest.param(200_000, 200, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
    ],
)
async def test_nothing_is_left_of_ten_thousand_subscriptions(
    server: Any, subscriptions: int, at_once: int
) -> None:
    """Whether their clients said goodbye or not, and whether they had begun or not."""
    each = 20
    visitor, visits = Visitor(server), iter(range(subscriptions // each))
    await visitor.visit(each)  # what is made once and kept

    async def one_after_the_other() -> None:
        for _ in visits:
            await visitor.visit(each)

    async def tasks_at_rest() -> float:
        """Once nobody is there any more."""
        while True:
            found = await asyncio.to_thread(held, server)
            tasks = found.pop("tasks")
            if not any(found.values()):
                return tasks
            await asyncio.sleep(0.05)

    async with asyncio.timeout(PATIENCE):
        before = min([await tasks_at_rest() for _ in range(10)])
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(one_after_the_other())
    async with asyncio.timeout(PATIENCE):
        while await tasks_at_rest() > before:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert "Traceback" not in server.log()
    assert "never retrieved" not in server.log()
    assert "never awaited" not in server.log()
