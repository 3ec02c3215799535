"""The live side under load: how much goes out, what it costs, and how soon the last watcher has it."""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from bench import operations
from bench.children import Child, build, running, server, two_cores
from bench.demonstration import copy, tokens, url_of
from bench.figures import Load, Pace, Storm
from bench.pace import SETTLED, Paces, voters_of
from bench.visitors import visitors

AT_ONCE = 200
PER_ADDRESS = 5_000
A_MILLION = 1_000_000
ROUNDS = 20
VOTERS = 80


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each part takes, in seconds; `lone`: how many changes after quiet; `requests`: of a
    block of reads."""

    window: float
    pace: float
    lone: int
    growth: float
    requests: int


class Bench:
    """`demonstration` is a loaded file; each server gets a copy of it in `room`."""

    def __init__(self, demonstration: Path, plan: Plan, room: Path) -> None:
        self._demonstration, self._plan, self._room = demonstration, plan, room
        self._server_core, self._other_core = two_cores()
        self._watchers, self._writer = build("watchers"), build("writer")
        self._subscription, self._payload = room / "subscription.json", room / "payload.json"

    async def storm(self, mode: str, watchers: int, *, grow: bool = False) -> Storm:
        """Changes without rest."""
        pace = ("--pause", "0", "--share", "1")
        async with self._serving(mode, *pace) as (child, port, _):
            vote = (await _open_votes(port))["STATUTORY_LOCAL"]
            request = operations.subscription(operations.TALLY, vote["id"])
            self._payload.write_text(json.dumps(await _first_payload(port, request), separators=(",", ":")))
            before = child.memory
            async with self._watching(child, port, request, watchers) as (generator, joined, joined_load):
                await asyncio.sleep(SETTLED)
                memory = (child.memory - before) / watchers
                seen, load = await self._storm(child, generator, watchers, "storm", vote["id"])
                growth, after = (
                    await self._grow(child, generator, vote["id"], seen["messages"] / seen["seconds"])
                    if grow
                    else (0, 0)
                )
        return _storm_of(seen, load, joined, joined_load, memory, growth, after)

    async def write(self, watchers: int) -> Storm:
        """The bare writer, after a `storm` has shown what to write."""
        async with running(self._writer, self._server_core, self._payload) as child:
            port = (await child.answer())["port"]
            async with self._watching(child, port, {}, watchers) as (generator, joined, joined_load):
                seen, load = await self._storm(child, generator, watchers, "storm")
        return _storm_of(seen, load, joined, joined_load)

    async def _storm(
        self, child: Child, generator: Child, watchers: int, *command: object
    ) -> tuple[dict[str, Any], Load]:
        """What arrives once it runs. A slow server sends in bursts, so it is watched for some rounds."""
        child.send(*command, 1.5)
        await generator.ask("window", 1)
        seen: Counter[str] = Counter()
        before, busy = child.cpu, 0.0
        while seen["messages"] < ROUNDS * watchers and seen["seconds"] < 4 * self._plan.window:
            child.send(*command, self._plan.window + 0.5)
            more = await generator.ask("window", self._plan.window)
            busy += more["load"] * more["seconds"]
            seen.update({name: more[name] for name in ("messages", "bytes", "seconds")})
        load = Load((child.cpu - before) / seen["seconds"], busy / seen["seconds"])
        return more | seen, load

    async def _grow(self, child: Child, generator: Child, vote: str, rate: float) -> tuple[int, int]:
        """How much memory another million messages cost, or as many as there is time for."""
        await asyncio.sleep(SETTLED)
        before = child.memory
        seconds = max(1.0, min(self._plan.growth, A_MILLION / max(1.0, rate)))
        child.send("storm", vote, seconds)
        after = await generator.ask("window", seconds + SETTLED)
        return child.memory - before, after["messages"]

    async def paces(self, watchers: int) -> tuple[Pace, Pace, Pace]:
        """Ten changes a second, lone changes, and changes by ballots, at the pace of production."""
        async with self._serving("meilin", "--read", "real") as (child, port, secrets):
            vote = (await _open_votes(port))["CONSULTATION"]
            voters = await voters_of(port, vote, secrets)
            request = operations.subscription(operations.SURVEY, vote["id"])
            async with self._watching(child, port, request, watchers) as (generator, _, _):
                measured = Paces(child, generator, port, vote, watchers)
                return (
                    await measured.steady(self._plan.pace),
                    await measured.lone(self._plan.lone),
                    await measured.casting(self._plan.pace, voters),
                )

    @asynccontextmanager
    async def _serving(self, mode: str, *options: str) -> AsyncIterator[tuple[Child, int, list[str]]]:
        """The server, its port, and tokens of voters."""
        with tempfile.TemporaryDirectory(dir=self._room) as directory:
            file = Path(directory) / "meilin.sqlite3"
            copy(self._demonstration, file)
            secrets = await tokens(file, VOTERS)
            options = ("--mode", mode, "--database", url_of(file), *options)
            async with server(self._server_core, *options) as (child, port):
                yield child, port, secrets

    @asynccontextmanager
    async def _watching(
        self, child: Child, port: int, request: dict[str, Any], watchers: int
    ) -> AsyncIterator[tuple[Child, float, Load]]:
        """The generator, how many watchers joined a second, and at what load."""
        self._subscription.write_text(json.dumps(request))
        command = (self._watchers, self._other_core, port, self._subscription, PER_ADDRESS)
        async with running(*command) as generator:
            before = child.cpu
            joined = await generator.ask("connect", watchers, AT_ONCE)
            load = Load((child.cpu - before) / joined["seconds"], joined["load"])
            if joined["watchers"] < watchers:
                raise RuntimeError(f"only {joined['watchers']} of {watchers} watchers came in")
            yield generator, watchers / joined["seconds"], load


def _storm_of(
    seen: dict[str, Any],
    load: Load,
    joined: float,
    joined_load: Load,
    memory: float = 0.0,
    growth: int = 0,
    grown_after: int = 0,
) -> Storm:
    if seen["lost"] or seen["strangers"]:
        raise RuntimeError(f"{seen['lost']} watchers were lost, {seen['strangers']} messages went astray")
    return Storm(
        messages=seen["messages"] / seen["seconds"],
        size=seen["bytes"] / max(1, seen["messages"]),
        load=load,
        joined=joined,
        joined_load=joined_load,
        memory=memory,
        growth=growth,
        grown_after=grown_after,
    )


async def _open_votes(port: int) -> dict[str, dict[str, Any]]:
    """By form."""
    async with visitors(port, connections=1) as one:
        answer = await one.post(operations.votes())
    nodes = [edge["node"] for edge in answer["data"]["community"]["votes"]["edges"]]
    return {node["form"]: node for node in nodes}


async def _first_payload(port: int, request: dict[str, Any]) -> Any:
    """What a `next` carries, as a client that is not ours reads it."""
    address = f"ws://127.0.0.1:{port}/graphql"
    async with connect(address, subprotocols=["graphql-transport-ws"], compression=None) as socket:  # type: ignore[list-item]
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        await socket.send(json.dumps({"id": "watcher-000000", "type": "subscribe", "payload": request}))
        return json.loads(await socket.recv())["payload"]
