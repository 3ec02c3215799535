"""A database that is away: everything says try again, nothing gives up, and afterwards all is as before."""

import json
import signal
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from schema.nodes import to_id
from tests.engines import TRUSTED

pytestmark = [
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(120),
    pytest.mark.parametrize("database_url", ["postgres"], indirect=True),
]

VIEWER = "{ viewer { account } }"
NODE = "query ($id: ID!) { vote(id: $id) { title } }"
PROGRESS = "subscription ($vote: ID!) { voteProgress(voteId: $vote) { version } }"


def connect_to(server: Any) -> Any:
    protocols: Any = ["graphql-transport-ws"]
    return connect(f"ws://127.0.0.1:{server.port}/graphql", subprotocols=protocols)


async def opened(connection: Any, **payload: str) -> None:
    await connection.send(json.dumps({"type": "connection_init", "payload": payload}))
    assert json.loads(await connection.recv())["type"] == "connection_ack"


async def code_of_closing(connection: Any, **message: Any) -> int:
    await connection.send(json.dumps(message))
    with suppress(ConnectionClosed):
        while True:
            await connection.recv()
    return int(connection.close_code)


async def test_requests_and_sockets_while_postgres_is_away(scene: Any, postgres: Any) -> None:
    voting = await scene(5)
    (server,), vote = voting.servers, to_id("Vote", voting.estate.vote)
    token = {"Authorization": f"Bearer {voting.estate.chair}"}
    subscribe = {"type": "subscribe", "id": "1", "payload": {"query": PROGRESS, "variables": {"vote": vote}}}
    await voting.watch(screens=1, boards=1)
    async with httpx2.AsyncClient(base_url=server.url) as http, connect_to(server) as standing:
        await opened(standing)
        postgres.kill()

        said = await http.post("/graphql", json={"query": VIEWER}, headers=token)
        assert (said.status_code, code(said)) == (503, "TRY_AGAIN")
        said = await http.post("/graphql", json={"query": NODE, "variables": {"id": vote}})
        assert (said.status_code, code(said)) == (200, "TRY_AGAIN")
        said = await http.request("DELETE", "/session", headers={"cookie": "meilin_session=x"})
        assert (said.status_code, code(said)) == (503, "TRY_AGAIN")
        assert (await http.get("/health/ready")).status_code == 503
        assert (await http.get("/health/live")).status_code == 200
        assert (await http.get("/metrics", headers=TRUSTED)).status_code == 200

        assert await code_of_closing(standing, **subscribe) == 1013
        async with connect_to(server) as late:
            assert await code_of_closing(late, type="connection_init", payload=token) == 1013

        await postgres.up()
        said = await http.post("/graphql", json={"query": VIEWER}, headers=token)
        assert said.json() == {"data": {"viewer": {"account": "estate/committee"}}}
    await voting.neighbours.cast(voting.estate.parties)
    await voting.chair.post_one()
    await voting.whole()


async def test_workers_are_replaced_while_postgres_is_away(scene: Any, postgres: Any, redis: Any) -> None:
    voting = await scene(5, workers=2, redis=redis)
    (group,) = voting.servers
    await voting.watch(screens=2, boards=2)
    workers = set(group.workers)
    postgres.kill()
    group.signal(signal.SIGKILL, list(workers))

    async def alive() -> bool:
        with suppress(httpx2.TransportError):
            async with httpx2.AsyncClient() as http:
                return bool((await http.get(f"{group.url}/health/live")).status_code == 200)
        return False

    await voting.until(alive, "a new worker serves")
    assert await group.health() == "down"
    await postgres.up()
    await voting.until_health(group, "ok")
    await voting.neighbours.cast(voting.estate.parties)
    await voting.chair.post_one()
    await voting.whole()
    assert not workers & set(group.workers)


def code(response: Any) -> str:
    (error,) = response.json()["errors"]
    return str(error["extensions"]["code"])
