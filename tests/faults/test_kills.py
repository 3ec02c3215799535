"""Neighbours vote while services are killed: what was acknowledged is there, once, and on every screen."""

import signal
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

SHORT = pytest.param(150, 2, id="short")
LONG = pytest.param(2000, 10, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(1200)])


async def vote_under_fire(scene: Any, victim: Any, ballots: int, kills: int, *, gently: bool = False) -> None:
    """Ballots and notices, struck at random times, and then everything compared."""
    notices = scene.go(scene.chair.post(every=0.2))
    casting = scene.go(scene.neighbours.cast(scene.estate.parties[:ballots]))
    assert await scene.strike(victim, kills, casting, ballots, gently=gently) == kills
    await casting
    await scene.rest(notices)
    await scene.whole(kills)
    await scene.close_and_recount()
    assert len(scene.neighbours.acknowledged) > ballots // 2


@pytest.mark.parametrize(("ballots", "kills"), [SHORT, LONG])
async def test_the_server_is_killed(scene: Any, ballots: int, kills: int) -> None:
    voting = await scene(ballots + 5)
    await voting.watch()
    await vote_under_fire(voting, voting.servers[0], ballots, kills)


@pytest.mark.parametrize(("ballots", "kills"), [SHORT, LONG])
async def test_the_server_is_told_to_end(scene: Any, ballots: int, kills: int) -> None:
    """Whatever runs at that moment is answered or undone, and nothing of it is a fault."""
    voting = await scene(ballots + 5)
    await voting.watch()
    (server,) = voting.servers
    await vote_under_fire(voting, server, ballots, kills, gently=True)
    assert server.faults() == []


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize(("ballots", "kills"), [SHORT, LONG])
async def test_postgres_is_killed(scene: Any, postgres: Any, ballots: int, kills: int) -> None:
    """The server stays, and comes back to it by itself."""
    voting = await scene(ballots + 5)
    await voting.watch()
    before = voting.servers[0].pids
    await vote_under_fire(voting, postgres, ballots, kills)
    assert voting.servers[0].pids == before


@pytest.mark.parametrize(("ballots", "kills"), [LONG])
async def test_redis_is_killed(scene: Any, redis: Any, ballots: int, kills: int) -> None:
    voting = await scene(ballots + 5, groups=2, redis=redis)
    await voting.watch()
    voting.neighbours.slowly = 0.2  # so that ten fit in
    await vote_under_fire(voting, redis, ballots, kills)


async def test_redis_is_away_and_screens_elsewhere_go_on_by_the_journal(scene: Any, redis: Any) -> None:
    voting = await scene(70, groups=2, redis=redis)
    here, there = voting.servers
    parties = voting.estate.parties
    voting.clients.servers = [here]  # everything is done here, and watched there
    await voting.watch(where=[there])
    waited = []

    async def vote_until(standing: str, some: list[int]) -> None:
        for server in (here, there):
            await voting.until_health(server, standing)
        await voting.neighbours.cast(some)
        await voting.chair.post_one()
        waited.append(await voting.whole())

    await vote_until("ok", parties[:20])
    redis.kill()
    await vote_until("degraded", parties[20:35])
    await redis.up()
    await vote_until("ok", parties[35:45])
    redis.signal(signal.SIGSTOP)  # it holds its lines and says nothing
    try:
        await vote_until("degraded", parties[45:60])
    finally:
        redis.signal(signal.SIGCONT)
    await vote_until("ok", parties[60:])
    voting.log(f"seconds until the other process showed it, with and without Redis: {waited}")
