"""A server that is told to end: requests under way finish, sockets are sent elsewhere, and it ends."""

import asyncio
import json
import signal
import socket
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect

from schema.nodes import parse_id, to_id

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

CAST = """
mutation ($vote: ID!, $answers: [AnswerInput!]!) { castBallot(voteId: $vote, answers: $answers) { id } }
"""
BULLETIN = """
subscription ($community: ID!, $after: String) {
  bulletin(communityId: $community, after: $after) { subject { ... on Notice { body } } }
}
"""


def request(scene: Any, party: int) -> tuple[bytes, bytes]:
    """Head and body of a ballot; whoever sends the head is told when the server waits for the body."""
    estate = scene.estate
    answers = [scene.neighbours.answer(party)]
    body = json.dumps({"query": CAST, "variables": {"vote": to_id("Vote", estate.vote), "answers": answers}})
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {estate.tokens[party]}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n"
    )
    return head.encode(), body.encode()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_requests_under_way_are_answered_and_sockets_closed_with_1012(scene: Any) -> None:
    voting = await scene(10)
    await voting.watch(screens=3, boards=2)
    (server,) = voting.servers
    under_way = []
    for party in voting.estate.parties:
        head, body = request(voting, party)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head)
        assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
        under_way.append((party, reader, writer, body))

    server.process.send_signal(signal.SIGTERM)
    watchers = (*voting.screens, *voting.boards)
    await voting.until(lambda: all(watcher.codes[1012] == 1 for watcher in watchers), "1012 for everybody")
    with pytest.raises(OSError):  # noqa: PT011 - refused, in whatever words
        await asyncio.open_connection("127.0.0.1", server.port)
    assert server.process.poll() is None

    for party, reader, writer, body in under_way:
        writer.write(body)
        answer = json.loads((await reader.read()).partition(b"\r\n\r\n")[2])
        voting.neighbours.acknowledged[party] = parse_id(answer["data"]["castBallot"]["id"])[1]
        writer.close()
    seconds = await voting.until(lambda: server.process.poll() is not None, "the server ends")
    voting.log(f"ended {seconds:.1f} s after its last answer")
    assert server.faults() == []
    await server.up()
    await voting.whole()
    assert len(voting.neighbours.acknowledged) == len(under_way)


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_transaction_that_waits_for_ever_does_not_keep_it_alive(scene: Any, postgres: Any) -> None:
    voting = await scene(5)
    (server,), party = voting.servers, voting.estate.parties[0]
    async with voting.estate.connection() as connection, connection.transaction():
        await connection.execute("LOCK TABLE ballot IN EXCLUSIVE MODE")
        casting = voting.go(voting.neighbours.cast([party]))

        async def waits() -> bool:
            return bool(await voting.estate.rows("SELECT 1 FROM pg_locks WHERE NOT granted"))

        await voting.until(waits, "the ballot waits")
        voting.log(f"ended {await server.stop():.1f} s after it was told")
    await server.up()
    await casting  # it went on trying
    await voting.watch(screens=1, boards=1)
    await voting.whole()


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_database_that_hangs_does_not_keep_it_alive(scene: Any, postgres: Any) -> None:
    """It holds its lines and says nothing."""
    voting = await scene(1)
    (server,) = voting.servers
    postgres.signal(signal.SIGSTOP)
    try:
        await voting.until_health(server, "down")
        await server.watchers()
        voting.log(f"ended {await server.stop():.1f} s after it was told")
    finally:
        postgres.signal(signal.SIGCONT)
    await server.up()
    await voting.neighbours.cast(voting.estate.parties)
    await voting.watch(screens=1, boards=0)
    await voting.whole()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_client_that_never_reads_does_not_keep_it_alive(scene: Any) -> None:
    """Its lines are full in both directions when the server is told to end."""
    voting = await scene(5)
    (server,) = voting.servers
    start = await voting.newest_cursor()
    voting.chair.body = "停" * 15_000
    for _ in range(8):
        await voting.chair.post_one()

    small = socket.create_connection(("127.0.0.1", server.port))
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    protocols: Any = ["graphql-transport-ws"]
    deaf = await connect(f"ws://127.0.0.1:{server.port}/graphql", sock=small, subprotocols=protocols)
    await deaf.send(json.dumps({"type": "connection_init"}))
    await deaf.recv()
    deaf.transport.pause_reading()
    variables = {"community": to_id("Community", voting.estate.community), "after": start}
    payload = {"query": BULLETIN, "variables": variables}
    for number in range(40):
        await deaf.send(json.dumps({"type": "subscribe", "id": str(number), "payload": payload}))

    pipelined = socket.create_connection(("127.0.0.1", server.port))
    pipelined.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    pipelined.setblocking(False)
    with suppress(BlockingIOError, ConnectionResetError):  # so much at once is more than is taken
        for _ in range(3000):
            pipelined.send(b"GET /graphiql HTTP/1.1\r\nhost: localhost\r\n\r\n")

    await voting.until(lambda: server.unsent() > 10_000, "its lines are full")
    voting.log(f"ended {await server.stop():.1f} s after it was told, {len(server.faults())} faults")
    deaf.transport.abort()
    pipelined.close()
