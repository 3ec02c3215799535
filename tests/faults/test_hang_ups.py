"""Clients that hang up at any moment leave no lock, no open transaction, and nothing half done."""

import asyncio
import json
import logging
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from community.database.engine import pool, sqlite_file
from schema.nodes import to_id
from tests.engines import TRUSTED

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

chance = random.Random()  # noqa: S311 - only the times
AT_ONCE = 20
BALLOTS = 50
SHORT = pytest.param(300, 100, id="short")
LONG = pytest.param(10_000, 1000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1200)])

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


def looked_at(estate: Any) -> dict[str, str]:
    return {"community": to_id("Community", estate.community), "vote": to_id("Vote", estate.vote)}


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
            f"POST /graphql HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {estate.tokens[party]}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        ).encode()

    async def http(self, party: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        whole = self.request(party)
        whole *= chance.choice((1, 1, 1, 3))
        writer.write(whole if chance.random() < 0.8 else whole[: chance.randrange(len(whole))])
        await asyncio.sleep(chance.choice((0, 0.005, 0.03, 0.3)) * chance.random())
        if chance.random() < 0.5:
            writer.transport.abort()
        else:
            writer.close()

    async def socket(self, party: int) -> None:
        protocols: Any = ["graphql-transport-ws"]
        with suppress(WebSocketException, OSError):
            connection = await connect(f"ws://127.0.0.1:{self.port}/graphql", subprotocols=protocols)
            try:
                init = {"Authorization": f"Bearer {self.estate.tokens[party]}"}
                await connection.send(json.dumps({"type": "connection_init", "payload": init}))
                if chance.random() < 0.8:
                    await connection.recv()
                    asked = {"query": BOTH, "variables": {"vote": to_id("Vote", self.estate.vote)}}
                    await connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
                await asyncio.sleep(0.02 * chance.random())
            finally:
                connection.transport.abort()

    async def stay(self) -> None:
        """One in between who waits for the answer: else all would pile up, and hang up before their turn."""
        asked = {"query": LOOK, "variables": looked_at(self.estate)}
        url = f"{self.scene.servers[0].url}/graphql"
        assert (await self.scene.clients.http.post(url, json=asked, timeout=None)).json()["data"]["vote"]

    async def one(self) -> None:
        party = chance.choice(self.estate.parties)
        await (self.http if chance.random() < 0.8 else self.socket)(party)
        if chance.random() < 0.5:
            await self.stay()


async def many(times: int, one: Callable[[], Awaitable[None]]) -> None:
    waiting = iter(range(times))

    async def one_after_the_other() -> None:
        for _ in waiting:
            await one()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_the_other())


async def nobody_holds_anything(estate: Any) -> bool:
    if file := sqlite_file(estate.url):
        connection = sqlite3.connect(file, isolation_level=None, timeout=0)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()
        return True
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    busy = await estate.rows(f"SELECT pid FROM pg_stat_activity WHERE {others} AND state <> 'idle'")
    locks = await estate.rows(
        f"SELECT pid FROM pg_locks WHERE pid IN (SELECT pid FROM pg_stat_activity WHERE {others})"
    )
    return not busy and not locks


async def all_go_on(scene: Any, next_: int, later: dict[int, str]) -> None:
    """Those who kept away cast their ballots, the others look; whatever is not answered fails."""
    scene.estate.tokens |= later
    looks = many(next_ - len(later), lambda: scene.clients.ask(LOOK, **looked_at(scene.estate)))
    await asyncio.gather(looks, scene.neighbours.cast(list(later)))
    assert dict(scene.neighbours.answers) == {"acknowledged": len(later)}


@pytest.mark.parametrize(("times", "next_"), [SHORT, LONG])
async def test_hanging_up_leaves_the_whole_action_or_nothing(scene: Any, times: int, next_: int) -> None:
    voting = await scene(times // 2 + BALLOTS)
    estate, (server,) = voting.estate, voting.servers
    await voting.watch(screens=1, boards=1)
    later = dict(estate.tokens.popitem() for _ in range(BALLOTS))  # they keep away until afterwards
    before = [await server.in_hand() for _ in range(10)]
    calm = {name: min(held[name] for held in before) for name in before[0]}

    async def at_rest() -> bool:
        return await server.in_hand() == calm and await nobody_holds_anything(estate)

    await many(times, Cut(voting).one)
    await voting.until(at_rest, "all is at rest")
    await all_go_on(voting, next_, later)
    ballots = await estate.rows("SELECT count(*) FROM ballot")
    voting.log(f"{times} hung up, {ballots[0][0] - len(later)} ballots of theirs were taken whole; {calm}")
    await voting.whole()
    await voting.until(at_rest, "all is at rest")
    assert server.faults() == []


class Cancelled:
    """One who asks in the very process that answers, and is cut at any step of it."""

    def __init__(self, scene: Any) -> None:
        self.scene, self.estate, self.http = scene, scene.estate, scene.clients.http
        self.ends: Counter[str] = Counter()
        self.life = 0.1

    def anything(self) -> Coroutine[Any, Any, Any]:
        ask, party = self.scene.clients.ask, chance.choice(self.estate.parties)
        token, answers = self.estate.tokens[party], [self.scene.neighbours.answer(party)]
        asked = chance.random()
        if asked < 0.4:
            vote = to_id("Vote", self.estate.vote)
            return ask(CAST, token, vote=vote, answers=answers, key=f"ballot of {party}")
        if asked < 0.7:
            return ask(LOOK, token, **looked_at(self.estate))
        return self.in_and_out() if asked < 0.9 else self.http.get("/metrics", headers=TRUSTED)

    async def in_and_out(self) -> None:
        entered = await self.http.post("/session", json={"account": "estate/committee"})
        left = await self.http.delete("/session", headers={"cookie": entered.headers["set-cookie"]})
        assert left.status_code == 204

    async def one(self) -> None:
        """Some are left alone and say how long a request lives; the others end anywhere in such a life."""
        start, whole = time.monotonic(), chance.random() < 0.1
        task = asyncio.create_task(self.anything())
        if whole:
            await task
            self.life = time.monotonic() - start
            return
        if chance.random() < 0.3:  # the first steps, one by one
            for _ in range(chance.randrange(150)):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep(self.life * chance.random())
        task.cancel()
        await asyncio.wait([task])
        self.ends["cancelled" if task.cancelled() else "failed" if task.exception() else "answered"] += 1


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # graphql-core's, which are cut with it
@pytest.mark.parametrize(("times", "next_"), [SHORT, LONG])
async def test_being_cancelled_at_any_step_leaves_the_whole_action_or_nothing(
    here: Any, times: int, next_: int, caplog: pytest.LogCaptureFixture
) -> None:
    voting = await here(times // 2 + BALLOTS)
    later = dict(voting.estate.tokens.popitem() for _ in range(BALLOTS))
    tasks = len(asyncio.all_tasks())

    async def at_rest() -> bool:
        open_, free = pool()
        calm = open_ == free and len(asyncio.all_tasks()) <= tasks
        return calm and await nobody_holds_anything(voting.estate)

    cut = Cancelled(voting)
    await many(times, cut.one)
    await voting.until(at_rest, "all is at rest")
    assert cut.ends["cancelled"] > times // 4
    assert not cut.ends["failed"]
    await all_go_on(voting, next_, later)
    voting.log(f"{dict(cut.ends)}, {(await voting.books())['ballots']} ballots, pool {pool()}")
    await voting.until(at_rest, "all is at rest")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
