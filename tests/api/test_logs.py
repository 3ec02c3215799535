"""What a server that was used and abused has written down: faults, and nobody's data."""

import asyncio
import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect

from api.logs import configure
from tests.engines import execute

pytestmark = pytest.mark.xdist_group("logs")

CLIENT = "127.0.0.2"
"""An address of this machine that is not the server's own."""

DISH = "外婆的红烧肉"
CAST = 'mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a, key: "my-key") { id } }'
SIGN_UP = f'mutation($e: ID!) {{ signUp(eventId: $e, dish: "{DISH}") {{ id }} }}'
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
NOTICES = '{ community(slug: "spring") { notices { edges { node { title } } } } }'


def use(client: Any, server: Any) -> str:
    """As people do; the secret of a cookie."""
    question = {"questionId": server.town.id("Question", "survey/0"), "choices": ["GYM"], "text": DISH}
    variables = {
        "v": server.town.id("Vote", "survey"),
        "a": [question],
        "e": server.town.id("Event", "picnic"),
    }
    for query in (CAST, SIGN_UP):
        body = {"query": query, "variables": variables}
        answer = client.post("/graphql", json=body, headers=server.bearer("spring/resident-1"))
        assert "errors" not in answer.json()
    own = {"origin": server.url}
    assert client.post("/session", json={"account": "spring/tenant"}, headers=own).status_code == 200
    return str(client.cookies["meilin_session"])


def abuse(client: Any, server: Any) -> None:
    token = server.bearer("spring/resident-2")
    for body in (b"{", b"null", b'{"query": "{ 331"}', b"x" * 300_000):
        client.post("/graphql", content=body, headers={"content-type": "application/json"} | token)
    client.post("/graphql", json={"query": "{ viewer { account"}, headers={"authorization": "Bearer made-up"})
    client.post("/session", json={"account": "spring/registered"})
    client.get("/c/spring/resident-2", headers={"cookie": "meilin_session=made-up"})


async def abuse_sockets(server: Any) -> None:
    address = f"ws://127.0.0.1:{server.port}/graphql"
    secret = server.town.tokens["spring/resident-3"]
    for first in ("{", "[]", json.dumps({"type": "connection_init", "payload": {"Authorization": secret}})):
        async with connect(
            address, subprotocols=["graphql-transport-ws"], local_addr=(CLIENT, 0)
        ) as connection:
            await connection.send(first)
            with suppress(Exception):
                async with asyncio.timeout(20):
                    await connection.recv()
    with suppress(Exception):
        async with connect(address, origin="https://elsewhere.example", local_addr=(CLIENT, 0)):
            pass


async def break_(client: Any, server: Any) -> list[str]:
    """Faults of our own within a field, in a subscription, and outside; their numbers."""
    token = server.bearer("spring/resident-4")
    await execute(server.database_url, "ALTER TABLE notice RENAME TO gone")
    await execute(server.database_url, "ALTER TABLE vote RENAME TO vote_gone")
    faults = [client.post("/graphql", json={"query": NOTICES}, headers=token).json()["errors"][0]]
    async with server.socket("spring/resident-5") as socket:
        await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        payload = (await socket.receive())["payload"]
        faults += payload if isinstance(payload, list) else payload["errors"]
    await execute(server.database_url, "ALTER TABLE session RENAME TO session_gone")
    faults += client.post("/graphql", json={"query": NOTICES}, headers=token).json()["errors"]
    async with server.connection() as socket:
        token = server.town.tokens["spring/resident-5"]
        await socket.send(type="connection_init", payload={"Authorization": f"Bearer {token}"})
        assert await socket.until_closed()
    return [fault["extensions"]["requestId"] for fault in faults]


async def test_the_log_of_a_server_used_and_abused_holds_nobodys_data(serve: Any, tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        transport = httpx2.HTTPTransport(local_address=CLIENT)
        with httpx2.Client(base_url=server.url, transport=transport, timeout=20) as client:
            cookie = use(client, server)
            abuse(client, server)
            await abuse_sockets(server)
            numbers = await break_(client, server)
    log = server.log()
    assert len(numbers) == 3
    for number in numbers:
        assert number in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert all({"event", "level", "logger", "timestamp"} <= set(line) for line in lines)
    assert any("exception" in line for line in lines)

    for token in (*server.town.tokens.values(), cookie, "made-up", "my-key"):
        assert token not in log
    for personal in (DISH, "spring/resident", "spring/tenant", "spring/registered", CLIENT, "Bearer"):
        assert personal not in log


async def test_a_stream_of_requests_leaves_no_line_each(serve: Any, tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        before = len(server.log().splitlines())
        for _ in range(20):
            server.post("{ viewer { account } }")
            async with server.socket():
                pass
        assert len(server.log().splitlines()) <= before + 8  # the welcome


@pytest.mark.parametrize("library", ["tortoise", "aiosqlite", "websockets.server"])
def test_at_debug_no_library_writes_down_what_people_say(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    level = root.level
    try:
        configure("DEBUG")
        assert root.isEnabledFor(logging.DEBUG)
        assert not logging.getLogger(library).isEnabledFor(logging.DEBUG)
    finally:
        root.setLevel(level)
