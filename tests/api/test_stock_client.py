"""Clients that we did not write: `gql` over its own transports, and `graphql-ws` under Node, both ways."""

import json
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

from api.protocol import AGAIN_LATER, Phase
from tests.api.node import Listen, node

pytestmark = pytest.mark.xdist_group("stock_client")

PROGRESS = """subscription($id: ID!) { voteProgress(voteId: $id) {
  voteId version eligible { heads area } participating { heads area } } }"""
CAST = "mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a) { id } }"


@pytest.fixture(scope="module")
def server(either_server: Any) -> Any:
    return either_server


def transport(server: Any, **payload: str) -> WebsocketsTransport:
    return WebsocketsTransport(
        url=f"ws://127.0.0.1:{server.port}/graphql",
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        init_payload=payload,
        close_timeout=1,
    )


async def test_it_follows_a_vote(server: Any) -> None:
    vote = server.town.id("Vote", "open")
    asked = gql(PROGRESS)
    asked.variable_values = {"id": vote}
    seen = []
    async with Client(transport=transport(server)) as client:
        async for result in client.subscribe(asked):
            seen.append(result["voteProgress"])
            if len(seen) == 2:
                break
            answer = {"questionId": server.town.id("Question", "open/0"), "choices": ["FOR"]}
            assert "errors" not in server.post(CAST, "spring/resident-1", v=vote, a=[answer])
    first, second = seen
    assert first["eligible"] == second["eligible"] == {"heads": 6, "area": "480.21"}
    assert first["participating"] == {"heads": 0, "area": "0.00"}
    assert second["participating"] == {"heads": 1, "area": "80.01"}
    assert second["version"] > first["version"]


async def test_it_is_told_what_is_hidden_and_sees_it_with_a_token(server: Any) -> None:
    asked = gql(PROGRESS)
    asked.variable_values = {"id": server.town.id("Vote", "quiet")}
    async with Client(transport=transport(server)) as client:
        with pytest.raises(TransportQueryError) as caught:
            async for _ in client.subscribe(asked):
                pass
    (error,) = caught.value.errors or ()
    assert error["extensions"]["code"] == "NOT_FOUND"

    token = f"Bearer {server.town.tokens['quiet/resident-1']}"
    async with Client(transport=transport(server, Authorization=token)) as client:
        async for result in client.subscribe(asked):
            assert result["voteProgress"]["eligible"] == {"heads": 2, "area": "200.00"}
            break


GRAPHQL_WS = """
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
const [url, query, variables, connectionParams] = process.argv.slice(1)
const say = (what) => console.log(JSON.stringify(what))
const client = createClient({
  url, webSocketImpl: WebSocket, connectionParams: JSON.parse(connectionParams),
  retryWait: async () => {}, retryAttempts: 50, keepAlive: 50,
  on: { closed: (event) => say({ closed: event.code }), pong: (received) => received && say({ pong: true }) },
})
client.subscribe(
  { query, variables: JSON.parse(variables) },
  { next: (next) => say({ next }), error: (error) => say({ error }), complete: () => say({ complete: 1 }) },
)
"""


def graphql_ws(
    server: Any, query: str, variables: dict[str, Any], **payload: str
) -> AbstractAsyncContextManager[Listen]:
    """Call what it gives for the next thing of that kind that the client says."""
    url = f"ws://127.0.0.1:{server.port}/graphql"
    return node(GRAPHQL_WS, url, query, json.dumps(variables), json.dumps(payload), needs="graphql-ws")


async def test_graphql_ws_follows_a_vote_and_pings(server: Any) -> None:
    vote = server.town.id("Vote", "survey")
    async with graphql_ws(server, PROGRESS, {"id": vote}) as listen:
        assert (await listen("next"))["data"]["voteProgress"]["participating"]["heads"] == 0
        await listen("pong")
        answer = {"questionId": server.town.id("Question", "survey/0"), "choices": ["GYM"]}
        assert "errors" not in server.post(CAST, "spring/resident-1", v=vote, a=[answer])
        assert (await listen("next"))["data"]["voteProgress"]["participating"]["heads"] == 1
        await listen("pong")


async def test_it_asks_and_does_over_the_same_socket(server: Any) -> None:
    vote = server.town.id("Vote", "survey")
    progress, cast = gql(PROGRESS), gql(CAST)
    answer = {"questionId": server.town.id("Question", "survey/0"), "choices": ["GYM"]}
    progress.variable_values, cast.variable_values = {"id": vote}, {"v": vote, "a": [answer]}
    token = f"Bearer {server.town.tokens['spring/resident-3']}"
    async with Client(transport=transport(server, Authorization=token)) as client:
        results = client.subscribe(progress)
        before = (await anext(results))["voteProgress"]["participating"]["heads"]
        assert (await client.execute(gql("{ viewer { account } }")))["viewer"]["account"]
        assert (await client.execute(cast))["castBallot"]["id"]
        assert (await anext(results))["voteProgress"]["participating"]["heads"] == before + 1
        with pytest.raises(TransportQueryError) as caught:
            await client.execute(gql("{ nothing }"))
        assert caught.value.errors[0]["extensions"]["code"] == "INVALID_INPUT"  # type: ignore[index]
        await results.aclose()


async def test_graphql_ws_is_told_what_is_hidden_and_sees_it_with_a_token(server: Any) -> None:
    given = {"id": server.town.id("Vote", "quiet")}
    async with graphql_ws(server, PROGRESS, given) as listen:
        (error,) = await listen("error")
        assert error["extensions"]["code"] == "NOT_FOUND"
    token = f"Bearer {server.town.tokens['quiet/resident-1']}"
    async with graphql_ws(server, PROGRESS, given, Authorization=token) as listen:
        assert (await listen("next"))["data"]["voteProgress"]["eligible"]["heads"] == 2
    async with graphql_ws(server, PROGRESS, given, Authorization="Bearer nothing") as listen:
        assert await listen("closed") == 4403
        await listen("error")  # for good: it does not try again


async def test_graphql_ws_comes_back_when_it_is_asked_to(here: Any, town: Any) -> None:
    given = {"id": town.id("Vote", "open")}
    async with here() as server, graphql_ws(server, PROGRESS, given) as listen:
        for _ in range(3):
            assert (await listen("next"))["data"]["voteProgress"]["voteId"] == given["id"]
            open_ = [each for each in server.sockets._sockets if each._protocol.phase is not Phase.CLOSED]
            (socket,) = open_
            socket.close(AGAIN_LATER)
            assert await listen("closed") == 1013
        await listen("next")
