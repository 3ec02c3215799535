"""What a stranger does on a connection, as steps that are written first and played then.

Every connection goes to this machine, ends by itself, and is looked at only as bytes.
"""

import asyncio
import json
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

HERE = "127.0.0.1"
LONGEST = 8.0
"""Seconds after which a connection is given up, whatever it waits for."""

MOST_KEPT = 4 * 1024 * 1024
"""Bytes of an answer that are looked at."""


MASK = b"\x01\x02\x03\x04"
"""Of every frame of a client."""


def under_mask(data: bytes, mask: bytes = MASK) -> bytes:
    """Masked twice, it is what it was."""
    size = len(data)
    key = (mask * (size // len(mask) + 1))[:size]
    return (int.from_bytes(data) ^ int.from_bytes(key)).to_bytes(size)


class Send(NamedTuple):
    data: bytes


class Drip(NamedTuple):
    """Piece by piece."""

    data: bytes
    size: int
    pause: float


class Pause(NamedTuple):
    """Neither says nor reads anything."""

    seconds: float


class Expect(NamedTuple):
    """Reads until this comes, or the other side closes, or it takes too long; empty: until it closes."""

    text: bytes
    seconds: float = 3.0


class HalfClose(NamedTuple):
    """Says that nothing more will come, and reads on."""


class Reset(NamedTuple):
    """Goes without a word."""


Step = Send | Drip | Pause | Expect | HalfClose | Reset


@dataclass(frozen=True, slots=True)
class Script:
    """`asker`: the name of whoever it pretends to be."""

    name: str
    steps: Sequence[Step]
    asker: str = "stranger"

    @property
    def sent(self) -> bytes:
        return b"".join(step.data for step in self.steps if isinstance(step, Send | Drip))

    @property
    def said(self) -> bytes:
        """What was sent, and what of it stood in frames before they were masked, wherever they begin."""
        sent = self.sent
        return sent + b"".join(under_mask(sent, MASK[start:] + MASK[:start]) for start in range(len(MASK)))


@dataclass(slots=True)
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: bytearray

    async def play(self, step: Step) -> None:
        match step:
            case Send(data):
                await self._send(data)
            case Drip(data, size, pause):
                for start in range(0, len(data), size):
                    await self._send(data[start : start + size])
                    await asyncio.sleep(pause)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Expect(text, seconds):
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._read(text)
            case HalfClose():
                self.writer.write_eof()
            case Reset():
                self._reset()

    async def _send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def _read(self, text: bytes) -> None:
        start = len(self.received)
        while not text or text not in self.received[start:]:
            data = await self.reader.read(65_536)
            if not data:
                return
            if len(self.received) < MOST_KEPT:
                self.received += data

    def _reset(self) -> None:
        line: socket.socket = self.writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def play(script: Script, port: int, address: str = HERE) -> bytes:
    """What came back. `address`: from where, on this machine, it comes."""
    received = bytearray()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(LONGEST):
            reader, writer = await asyncio.open_connection(HERE, port, local_addr=(address, 0))
            line = _Line(reader, writer, received)
            try:
                for step in script.steps:
                    await line.play(step)
            finally:
                writer.transport.abort()
    return bytes(received)


# What comes back


def bodies(received: bytes) -> Iterator[str]:
    """Of HTTP answers, which are told apart well enough by their heads."""
    for part in received.split(b"HTTP/1.1 ")[1:]:
        yield part.partition(b"\r\n\r\n")[2].decode(errors="replace")


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]


def frames(received: bytes) -> Iterator[tuple[int, bytes]]:
    """Opcodes and payloads of what a server sends behind its 101: whole and unmasked."""
    data = received.partition(b"\r\n\r\n")[2]
    while len(data) >= 2:
        size, start = data[1] & 127, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, start = int.from_bytes(data[2 : 2 + width]), 2 + width
        if len(data) < start + size:
            return
        yield data[0] & 15, data[start : start + size]
        data = data[start + size :]


def texts(received: bytes) -> str:
    """All that was said in words: bodies of HTTP, or frames line by line."""
    if received.startswith(b"HTTP/1.1 101"):
        return "\n".join(
            payload.decode(errors="replace") for opcode, payload in frames(received) if opcode == 1
        )
    return "\n".join(bodies(received))


def codes(text: str) -> set[str]:
    """Of all errors in what was said."""
    found: set[str] = set()
    for line in text.splitlines():
        with suppress(ValueError, RecursionError):
            found.update(_codes(json.loads(line)))
    return found


def _codes(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        extensions = value.get("extensions")
        if isinstance(extensions, dict) and isinstance(extensions.get("code"), str):
            yield extensions["code"]
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _codes(each)
