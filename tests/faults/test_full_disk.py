"""The disk has no more room: every write says try again, readiness says down, and then all is as before."""

import resource
from pathlib import Path
from typing import Any

import httpx2
import pytest

from schema.nodes import to_id
from tests.engines import TRUSTED
from tests.faults.neighbours import CAST, POST

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

FAULT = "BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END"


class Disk:
    """Of a running server: what PostgreSQL says of every table, and for SQLite a bound of the kernel's."""

    def __init__(self, voting: Any) -> None:
        self._voting, (self._server,) = voting, voting.servers

    async def _run(self, statement: str) -> None:
        async with self._voting.estate.connection() as connection:
            await connection.execute(statement)

    async def fill(self) -> None:
        if self._voting.estate.url.startswith("sqlite"):
            self._bound(self._used())
            return
        await self._run(f"CREATE FUNCTION full() RETURNS trigger LANGUAGE plpgsql AS $f$ {FAULT} $f$")
        for (table,) in await self._voting.estate.rows(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ):
            await self._run(f'CREATE TRIGGER full_ BEFORE INSERT ON "{table}" EXECUTE FUNCTION full()')

    def _used(self) -> int:
        return Path(f"{self._voting.estate.url.removeprefix('sqlite:///')}-wal").stat().st_size

    async def free(self) -> None:
        if self._voting.estate.url.startswith("sqlite"):
            self._bound(resource.RLIM_INFINITY)
        else:
            await self._run("DROP FUNCTION full CASCADE")

    def _bound(self, size: int) -> None:
        assert self._server.process
        resource.prlimit(self._server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def every_write(voting: Any, http: httpx2.AsyncClient) -> list[tuple[int, str]]:
    """A ballot, a notice, a sign-in: status and code of each."""
    party = voting.estate.parties[-1]
    ballot = {
        "vote": to_id("Vote", voting.estate.vote),
        "answers": [voting.neighbours.answer(party)],
        "key": f"ballot of {party}",
    }
    notice = {
        "community": to_id("Community", voting.estate.community),
        "notice": {"title": "公告", "body": "停电"},
    }
    asked = [(CAST, ballot, voting.estate.tokens[party]), (POST, notice, voting.estate.chair)]
    said = [
        await http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {token}"},
        )
        for query, variables, token in asked
    ]
    said.append(await http.post("/session", json={"account": "estate/committee"}))
    assert said[-1].headers["retry-after"] == "15"
    for answer in said:
        assert answer.json()["errors"][0]["extensions"]["retryAfter"] == 15
    return [(answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) for answer in said]


async def test_every_write_says_try_again_until_there_is_room(scene: Any) -> None:
    voting = await scene(8)
    (server,), parties = voting.servers, voting.estate.parties
    await voting.neighbours.cast(parties[:3])
    await voting.watch(screens=1, boards=1)
    disk = Disk(voting)
    async with httpx2.AsyncClient(base_url=server.url, timeout=60) as http:
        before = (await http.get("/metrics", headers=TRUSTED)).text
        await disk.fill()
        try:
            for _ in range(4):
                found = await every_write(voting, http)
                assert found == [(200, "TRY_AGAIN"), (200, "TRY_AGAIN"), (503, "TRY_AGAIN")]
                ready = await http.get("/health/ready")
                assert (ready.status_code, ready.json()["status"]) == (503, "down")
                assert ready.json()["checks"]["writes"] == "failing"
                assert ready.json()["checks"]["database"] == "ok"
            assert (await http.get("/health/live")).status_code == 200
            look = {"query": "{ communities { edges { node { id } } } }"}
            assert "errors" not in (await http.post("/graphql", json=look)).json()  # reading goes on
        finally:
            await disk.free()
        assert 'meilin_deeds_total{end="unwritable"} 0.0' in before
        assert (
            'meilin_deeds_total{end="unwritable"} 12.0' in (await http.get("/metrics", headers=TRUSTED)).text
        )
    assert len(server.faults()) == 1  # one line a minute, and no traceback
    assert "Traceback" not in server.log()

    async def is_well() -> bool:
        return bool(await server.health() == "ok")

    await voting.until(is_well, "readiness finds out by itself")
    await voting.neighbours.cast(parties[3:])
    await voting.chair.post_one()
    await voting.whole()
