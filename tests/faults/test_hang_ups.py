"""Clients that hang up at any moment leave no lock, no open transaction, and nothing half done."""

import asyncio
import json
import random
import sqlite3
from contextlib import suppress
from typing import Any

import pytest
from strawberry.http.exceptions import WebSocketDisconnected
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from api.graphql import SubscriptionHandler
from community.database.engine import sqlite_file
from schema.nodes import to_id

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

chance = random.Random()  # noqa: S311 - only the moments
AT_ONCE = 20
BALLOTS = 50

LOOK = """
query ($community: ID!, $vote: ID!) {
  node(id: $community) { ... on Community { name bulletin(first: 20) { edges { node { subject { id } } } } } }
  vote(id: $vote) { title tally { version } viewerEntries { party units } }
}
"""
CAST = """
mutation ($vote: ID!, $answers: [AnswerInput!]!, $key: String) {
  castBallot(voteId: $vote, answers: $answers, key: $key) { id }
}
"""
BOTH = """
subscription ($vote: ID!) { voteProgress(voteId: $vote) { version participating { heads } } }
"""


class Cut:
    """One who hangs up."""

    def __init__(self, scene: Any) -> None:
        self.scene, self.estate = scene, scene.estate
        self.port = scene.servers[0].port

    def request(self, party: int) -> bytes:
        """A ballot, or a look."""
        estate = self.estate
        answers = [self.scene.neighbours.answer(party)]
        variables: dict[str, Any] = {"vote": to_id("Vote", estate.vote)}
        if chance.random() < 0.7:
            query, more = CAST, {"answers": answers, "key": f"ballot of {party}"}
        else:
            query, more = LOOK, {"community": to_id("Community", estate.community)}
        body = json.dumps({"query": query, "variables": variables | more})
        return (
            f"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {estate.tokens[party]}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        ).encode()

    async def http(self, party: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        whole = self.request(party)
        writer.write(whole if chance.random() < 0.8 else whole[: chance.randrange(len(whole))])
        await asyncio.sleep(chance.choice((0, 0.005, 0.03)) * chance.random())
        if chance.random() < 0.5:
            writer.transport.abort()
        else:
            writer.close()

    async def socket(self, party: int) -> None:
        protocols: Any = ["graphql-transport-ws"]
        with suppress(WebSocketException, OSError):
            line = await connect(f"ws://127.0.0.1:{self.port}/graphql", subprotocols=protocols)
            try:
                init = {"Authorization": f"Bearer {self.estate.tokens[party]}"}
                await line.send(json.dumps({"type": "connection_init", "payload": init}))
                if chance.random() < 0.8:
                    await line.recv()
                    asked = {"query": BOTH, "variables": {"vote": to_id("Vote", self.estate.vote)}}
                    await line.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
                await asyncio.sleep(0.02 * chance.random())
            finally:
                line.transport.abort()

    async def many(self, times: int) -> None:
        waiting = iter(range(times))

        async def one_after_the_other() -> None:
            for _ in waiting:
                party = chance.choice(self.estate.parties)
                await (self.http if chance.random() < 0.8 else self.socket)(party)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(one_after_the_other())


async def look_calmly(scene: Any, times: int) -> None:
    """One after the other at a few places; whatever is not answered fails."""
    estate = scene.estate
    asked = {"community": to_id("Community", estate.community), "vote": to_id("Vote", estate.vote)}
    waiting = iter(range(times))

    async def one_after_the_other() -> None:
        for _ in waiting:
            await scene.clients.ask(LOOK, **asked)

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


async def nobody_holds_anything(estate: Any) -> bool:
    if file := sqlite_file(estate.url):
        line = sqlite3.connect(file, isolation_level=None, timeout=0)
        try:
            line.execute("BEGIN IMMEDIATE")
            line.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
        finally:
            line.close()
        return True
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    busy = await estate.rows(f"SELECT pid FROM pg_stat_activity WHERE {others} AND state <> 'idle'")
    locks = await estate.rows(
        f"SELECT pid FROM pg_locks WHERE pid IN (SELECT pid FROM pg_stat_activity WHERE {others})"
    )
    return not busy and not locks


@pytest.mark.parametrize(
    ("times", "next_"),
    [
        pytest.param(300, 100, id="short"),
        pytest.param(10_000, 1000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1200)]),
    ],
)
async def test_hanging_up_leaves_the_whole_deed_or_nothing(scene: Any, times: int, next_: int) -> None:
    voting = await scene(times // 2 + BALLOTS)
    estate = voting.estate
    await voting.watch(screens=1, boards=1)
    later = [estate.tokens.popitem() for _ in range(BALLOTS)]  # they keep away until afterwards
    await Cut(voting).many(times)
    await voting.until(lambda: nobody_holds_anything(estate), "nobody holds anything")

    estate.tokens.update(later)
    looks = look_calmly(voting, next_ - BALLOTS)
    await asyncio.gather(looks, voting.neighbours.cast([party for party, _ in later]))
    assert dict(voting.neighbours.answers) == {"acknowledged": len(later)}
    ballots = await estate.rows("SELECT count(*) FROM ballot")
    voting.log(f"{times} hung up, {ballots[0][0] - len(later)} ballots of theirs were taken whole")
    await voting.whole()
    await voting.until(lambda: nobody_holds_anything(estate), "nobody holds anything")
    assert voting.servers[0].faults() == []


async def test_a_message_to_a_client_that_is_gone_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    handler = SubscriptionHandler.__new__(SubscriptionHandler)
    await handler.handle_task_exception(WebSocketDisconnected())
    assert not caplog.records
    await handler.handle_task_exception(ZeroDivisionError())
    assert caplog.records
