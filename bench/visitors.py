"""Those who come beside the watchers: over HTTP, at a steady pace, whatever the server does meanwhile."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

CONNECTIONS = 16
"""Connections that the visitors share; who finds none free waits, and that counts."""


def written(method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """A request as it goes over the wire."""
    own = {"host": "127.0.0.1"} | (
        {} if body is None else {"content-type": "application/json", "content-length": str(len(body))}
    )
    lines = [
        f"{method} {target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in {**own, **headers}.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers`: by their names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Connection:
    """One connection that is kept, and opened anew where the server found it idle too long."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> Answer:
        reader, writer = await self._open()
        writer.write(request)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, body)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


class Visitors:
    def __init__(self, connections: list[_Connection]) -> None:
        self._free: asyncio.Queue[_Connection] = asyncio.Queue()
        for connection in connections:
            self._free.put_nowait(connection)

    async def send(self, request: bytes) -> Answer:
        connection = await self._free.get()
        try:
            return await connection.send(request)
        finally:
            self._free.put_nowait(connection)

    async def post(self, request: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = await self.send(written("POST", "/graphql", headers, json.dumps(request).encode()))
        told: dict[str, Any] = json.loads(answer.body)
        return told


@asynccontextmanager
async def visitors(port: int, connections: int = CONNECTIONS) -> AsyncIterator[Visitors]:
    kept = [_Connection(port) for _ in range(connections)]
    try:
        yield Visitors(kept)
    finally:
        for connection in kept:
            connection.close()


@dataclass(frozen=True, slots=True)
class Paced:
    """Milliseconds from when each action was due: to its end, or as long as it had waited at the end."""

    done: list[float]
    waiting: list[float]

    @property
    def all(self) -> list[float]:
        """To leave out who still waits would make a slow server look quick."""
        return self.done + self.waiting


async def steadily(per_second: float, seconds: float, action: Callable[[int], Awaitable[object]]) -> Paced:
    """Begins so many actions a second, whether those before are done or not."""
    start = time.monotonic()

    def since_due(number: int) -> float:
        return (time.monotonic() - start - number / per_second) * 1000

    async def one(number: int) -> float:
        await action(number)
        return since_due(number)

    actions = []
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, start + number / per_second - time.monotonic()))
        actions.append(asyncio.create_task(one(number)))
    await asyncio.wait(actions, timeout=max(0.01, start + seconds - time.monotonic()))
    paced = Paced(
        done=[task.result() for task in actions if task.done()],
        waiting=[since_due(number) for number, task in enumerate(actions) if not task.done()],
    )
    for task in actions:
        task.cancel()
    await asyncio.gather(*actions, return_exceptions=True)
    return paced
