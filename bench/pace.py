"""How soon the watchers know, at the pace of production, and how it goes for those beside them."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from bench import operations
from bench.children import Child
from bench.figures import Deliveries, Load, Pace, deliveries
from bench.visitors import steadily, visitors

SETTLED = 1.0
"""Seconds of quiet, before memory is read or a part begins, and for the last arrivals at its end."""

AFTER_QUIET = 0.3
"""Seconds between two lone changes."""

BALLOTS, QUERIES, CHANGES = 200.0, 50.0, 10.0
"""A second."""


async def voters_of(port: int, vote: dict[str, Any], secrets: list[str]) -> list[str]:
    """Those whose ballot is taken: not the tenants, nor who speaks for several parties."""
    async with visitors(port) as all_at_once:
        ballot = operations.ballot(vote, 0)
        answers = await asyncio.gather(*(all_at_once.post(ballot, secret) for secret in secrets))
    return [secret for secret, answer in zip(secrets, answers, strict=True) if "errors" not in answer]


class Paces:
    """Watchers that stand, and what is done before their eyes."""

    def __init__(
        self, child: Child, generator: Child, port: int, vote: dict[str, Any], watchers: int
    ) -> None:
        self._child, self._generator, self._port = child, generator, port
        self._vote, self._watchers = vote, watchers
        self._began = self._used = 0.0

    async def steady(self, seconds: float) -> Pace:
        await self._begin()
        async with visitors(self._port) as beside:
            _, queries = await asyncio.gather(
                steadily(CHANGES, seconds, self._change),
                steadily(QUERIES, seconds, lambda _: beside.post(operations.small())),
            )
        return Pace(*await self._end(), queries=tuple(queries.all))

    async def lone(self, changes: int) -> Pace:
        await self._begin()
        for number in range(changes):
            await self._change(number)
            await asyncio.sleep(AFTER_QUIET)
        return Pace(*await self._end())

    async def casting(self, seconds: float, voters: Sequence[str]) -> Pace:
        async with visitors(self._port) as voting, visitors(self._port) as beside:

            async def cast(number: int) -> None:
                ballot = operations.ballot(self._vote, number)
                answer = await voting.post(ballot, voters[number % len(voters)])
                if "errors" in answer:
                    raise RuntimeError(answer["errors"])

            await self._begin()
            ballots, queries = await asyncio.gather(
                steadily(BALLOTS, seconds, cast),
                steadily(QUERIES, seconds, lambda _: beside.post(operations.small())),
            )
        ended = await self._end()
        return Pace(
            *ended,
            queries=tuple(queries.all),
            ballots=len(ballots.done) / seconds,
            casting=tuple(ballots.all),
        )

    async def _change(self, _: int) -> None:
        self._child.send("change", self._vote["id"])

    async def _begin(self) -> None:
        await asyncio.sleep(SETTLED)
        await self._child.ask("rounds")
        await self._generator.ask("record")
        self._began, self._used = time.monotonic(), self._child.cpu

    async def _end(self) -> tuple[Deliveries, Load]:
        server = (self._child.cpu - self._used) / (time.monotonic() - self._began)
        await asyncio.sleep(SETTLED)
        seen = await self._generator.ask("versions")
        rounds = (await self._child.ask("rounds"))["rounds"]
        return deliveries(seen["versions"], rounds, self._watchers), Load(server, seen["load"])
