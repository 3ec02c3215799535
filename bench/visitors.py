"""Those who come beside the watchers: over HTTP, at a steady pace, whatever the server does meanwhile."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

LINES = 16
"""Connections that the visitors share; who finds none free waits, and that counts."""


class _Line:
    """One connection that is kept, and opened anew where the server found it idle too long."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, request: dict[str, Any], token: str | None) -> dict[str, Any]:
        body = json.dumps(request).encode()
        authorization = f"authorization: Bearer {token}\r\n" if token else ""
        head = (
            "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"{authorization}content-length: {len(body)}\r\n\r\n"
        )
        reader, writer = await self._open()
        writer.write(head.encode() + body)
        answered = await reader.readuntil(b"\r\n\r\n")
        _, _, rest = answered.lower().partition(b"content-length:")
        answer: dict[str, Any] = json.loads(await reader.readexactly(int(rest.split(b"\r\n", 1)[0])))
        return answer

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


class Visitors:
    def __init__(self, lines: list[_Line]) -> None:
        self._free: asyncio.Queue[_Line] = asyncio.Queue()
        for line in lines:
            self._free.put_nowait(line)

    async def post(self, request: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        line = await self._free.get()
        try:
            return await line.post(request, token)
        finally:
            self._free.put_nowait(line)


@asynccontextmanager
async def visitors(port: int, lines: int = LINES) -> AsyncIterator[Visitors]:
    kept = [_Line(port) for _ in range(lines)]
    try:
        yield Visitors(kept)
    finally:
        for line in kept:
            line.close()


async def steadily(
    per_second: float, seconds: float, deed: Callable[[int], Awaitable[object]]
) -> list[float]:
    """Milliseconds from the moment each deed was due to its end; those not done in time are left out."""
    taken: list[float] = []
    start = time.monotonic()

    async def one(number: int) -> None:
        await deed(number)
        taken.append((time.monotonic() - start - number / per_second) * 1000)

    deeds = []
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, start + number / per_second - time.monotonic()))
        deeds.append(asyncio.create_task(one(number)))
    done, late = await asyncio.wait(deeds, timeout=max(0.01, start + seconds - time.monotonic()))
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for task in done:
        task.result()
    return taken
