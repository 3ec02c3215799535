"""A client that we did not write: `gql` over its own transports."""

from typing import Any

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

pytestmark = pytest.mark.xdist_group("stock_client")

PROGRESS = """subscription($id: ID!) { voteProgress(voteId: $id) {
  version eligible { heads area } participating { heads area } } }"""
CAST = "mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a) { id } }"


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
