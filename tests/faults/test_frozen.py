"""A process stops inside its transaction: the others answer in time, and nothing of it is half done."""

import asyncio
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from schema.nodes import to_id
from tests.faults.neighbours import CAST

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(180)]

NEIGHBOURS = 5
HOLDER = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from community.database import journal
from community.database.engine import opened
from community.database.models import Due
from community.database.work import atomic
from community.errors import Refused
from community.permissions import SYSTEM

async def body(work):
    await Due.create(job="frozen", subject=1, at=work.now)
    await journal.take_numbers(int(sys.argv[2]), 0)
    print("holds", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    await Due.create(job="frozen", subject=2, at=work.now)

async def main():
    async with opened(sys.argv[1]):
        try:
            await atomic(body, SYSTEM, datetime.now(UTC))
        except Refused as refused:
            print(refused.code, flush=True)
        else:
            print("done", flush=True)

asyncio.run(main())
"""


class Holder:
    """Holds what every write of the estate needs, and does not move."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def of(cls, estate: Any) -> "Holder":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            HOLDER,
            estate.url,
            str(estate.community),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        holder = cls(process)
        assert await holder.says() == "holds"
        return holder

    async def says(self) -> str:
        assert self._process.stdout
        return (await asyncio.wait_for(self._process.stdout.readline(), 60)).decode().strip()

    async def thaw(self) -> str:
        """How its transaction ended."""
        self._process.send_signal(signal.SIGCONT)
        said = await self.says()
        await self._process.wait()
        return said

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def ballots(voting: Any, parties: list[int]) -> list[tuple[str, int | None, float]]:
    """At once: the code of each answer, when to come again, and after how long it came."""

    async def one(party: int) -> tuple[str, int | None, float]:
        start = time.monotonic()
        variables = {
            "vote": to_id("Vote", voting.estate.vote),
            "answers": [voting.neighbours.answer(party)],
            "key": f"ballot of {party}",
        }
        async with httpx2.AsyncClient(timeout=120) as http:
            said = await http.post(
                f"{voting.servers[0].url}/graphql",
                json={"query": CAST, "variables": variables},
                headers={"authorization": f"Bearer {voting.estate.tokens[party]}"},
            )
        took = time.monotonic() - start
        if "errors" not in said.json():
            return "acknowledged", None, took
        extensions = said.json()["errors"][0]["extensions"]
        return extensions["code"], extensions.get("retryAfter"), took

    return await asyncio.gather(*(one(party) for party in parties))


async def readiness(server: Any) -> tuple[int, str, str]:
    async with httpx2.AsyncClient(timeout=60) as http:
        said = await http.get(f"{server.url}/health/ready")
    return said.status_code, said.json()["status"], said.json()["checks"]["writes"]


async def test_a_process_is_frozen_inside_its_transaction(scene: Any) -> None:
    """SQLite's lock stays with it; PostgreSQL ends what pauses so long, and those who wait get through."""
    voting = await scene(NEIGHBOURS + 2)
    (server,), parties = voting.servers, voting.estate.parties
    holder = await Holder.of(voting.estate)
    sqlite = voting.estate.url.startswith("sqlite")
    try:
        answered = asyncio.create_task(ballots(voting, parties[:NEIGHBOURS]))

        async def is_late() -> bool:
            return await readiness(server) == (200, "degraded", "late")

        await voting.until(is_late, "it says that writes are late")
        said = await answered
        codes = Counter((code, again) for code, again, _ in said)
        assert codes == Counter({("TRY_AGAIN", 5) if sqlite else ("acknowledged", None): NEIGHBOURS})
        took = [seconds for _, _, seconds in said]
        voting.log(f"answered after {sorted(round(seconds, 1) for seconds in took)} s")
        assert max(took) < 2 * min(took)  # all at once, not one deadline after the other
        assert await readiness(server) == ((200, "degraded", "late") if sqlite else (200, "ok", "ok"))
        assert await holder.thaw() == "TRY_AGAIN"
    finally:
        await holder.end()
    assert await voting.estate.rows("SELECT count(*) FROM due WHERE job = 'frozen'") == [(0,)]
    await voting.neighbours.cast(parties)  # with the same keys
    await voting.chair.post_one()
    assert await readiness(server) == (200, "ok", "ok")
    await voting.whole()
    assert len(voting.neighbours.acknowledged) == len(parties)


async def test_readiness_finds_out_by_itself_that_writes_get_through_again(scene: Any) -> None:
    """Nobody casts anything any more, as where a balancer sends nobody."""
    voting = await scene(3)
    (server,), parties = voting.servers, voting.estate.parties
    if voting.estate.url.startswith("postgres"):
        await voting.estate.rows("SELECT 1")
        break_, mend = await deferred_fault(voting)
        await break_()
        expected = (503, "down", "failing")
    else:
        holder = await Holder.of(voting.estate)
        mend = holder.end
        expected = (200, "degraded", "late")
    try:
        ((code, _, _),) = await ballots(voting, parties[:1])
        assert code == "TRY_AGAIN"
        assert await readiness(server) == expected
    finally:
        await mend()

    async def is_well() -> bool:
        return await readiness(server) == (200, "ok", "ok")

    await voting.until(is_well, "it is well again")
    await voting.neighbours.cast(parties)
    await voting.chair.post_one()
    await voting.whole()


async def deferred_fault(voting: Any) -> tuple[Any, Any]:
    """Whatever is written, the COMMIT finds the disk full."""

    async def run(statement: str) -> None:
        async with voting.estate.connection() as connection:
            await connection.execute(statement)

    full = "BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END"

    async def break_() -> None:
        await run(f"CREATE FUNCTION full() RETURNS trigger LANGUAGE plpgsql AS $f$ {full} $f$")
        for table in ("ballot", "due"):
            await run(f"CREATE TRIGGER full_{table} BEFORE INSERT ON {table} EXECUTE FUNCTION full()")

    async def mend() -> None:
        await run("DROP FUNCTION full CASCADE")

    return break_, mend


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_postgres_that_says_nothing_keeps_nobody_waiting(scene: Any, postgres: Any) -> None:
    """All of it is stopped: who writes is answered in time, and afterwards everything goes on."""
    voting = await scene(NEIGHBOURS + 2)
    (server,), parties = voting.servers, voting.estate.parties
    postgres.signal(signal.SIGSTOP)
    try:
        async with httpx2.AsyncClient(timeout=60) as http:
            assert (await http.get(f"{server.url}/health/ready")).status_code == 503
            assert (await http.get(f"{server.url}/health/live")).status_code == 200
        codes = {code for code, _, _ in await ballots(voting, parties[:NEIGHBOURS])}
        assert codes == {"TRY_AGAIN"}
    finally:
        postgres.signal(signal.SIGCONT)
    await voting.neighbours.cast(parties)
    await voting.chair.post_one()
    await voting.until_health(server, "ok")
    await voting.whole()
