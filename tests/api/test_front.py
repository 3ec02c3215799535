"""Heads and connections by hand: real sockets to a server of its own, and none of them can hurt it."""

import ast
import asyncio
import gc
import json
import os
import re
import resource
import socket
import struct
import sys
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from api import connections, front
from api.connections import Connections
from api.frames import FrameProtocol
from api.front import LARGEST_HEAD, MOST_AT_ONCE, MOST_HEADERS, Http
from tests.pace import slowness
from tests.world.server import PATIENCE

GET = b"GET / HTTP/1.1\r\nhost: x\r\n"
OK = b"HTTP/1.1 200"


class App:
    """Says which body and which headers came; `/slow` waits until it is let go."""

    def __init__(self) -> None:
        self.heads: list[list[tuple[bytes, bytes]]] = []
        self.go_on = asyncio.Event()
        self.gone = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            return
        if (body := await self.body(scope, receive)) is None:
            self.gone += 1
            return
        self.heads.append(scope["headers"])
        if scope["path"] == "/slow":
            await self.go_on.wait()
        said = b"x" * 3_000_000 if scope["path"] == "/large" else scope["path"].encode() + b" %d" % len(body)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"%d" % len(said))],
            }
        )
        await send({"type": "http.response.body", "body": said})

    async def body(self, scope: Scope, receive: Receive) -> bytes | None:
        body, more = b"", scope["path"] != "/unread"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message["body"]
            more = message["more_body"]
        return body


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def drip(self, *pieces: bytes, each: float = 0.02) -> None:
        with suppress(ConnectionError):
            for piece in pieces:
                self.writer.write(piece)
                await self.writer.drain()
                await asyncio.sleep(each)

    async def all(self) -> bytes:
        """Until the server closes."""
        found = b""
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while piece := await self.reader.read(65536):
                    found += piece
        return found

    async def answer(self) -> bytes:
        """One, with a length."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            (length,) = re.findall(rb"content-length: (\d+)", head)
            return head + await self.reader.readexactly(int(length))

    async def gone(self, within: float = 0.05) -> bool:
        """Whether the server has closed or cut it."""
        try:
            async with asyncio.timeout(within):
                return await self.reader.read(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


@dataclass
class Standing:
    app: App
    connections: Connections
    port: int

    async def client(self, data: bytes = b"") -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        client.send(data)
        return client

    async def ask(self, data: bytes) -> bytes:
        """Everything that is said to it until the server closes."""
        client = await self.client(data)
        try:
            return await client.all()
        finally:
            client.writer.close()

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@asynccontextmanager
async def standing(most: int = 1000, of_network: int = 1000) -> AsyncIterator[Standing]:
    app, counted = App(), Connections(most, of_network)
    config = uvicorn.Config(
        app, http=partial(Http, counted), ws=FrameProtocol, port=0, loop="none", log_config=None,  # type: ignore[arg-type]
        access_log=False, lifespan="off", timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    try:
        while not server.started:
            assert not running.done(), running.result()
            await asyncio.sleep(0.01)
        yield Standing(app, counted, server.servers[0].sockets[0].getsockname()[1])
    finally:
        app.go_on.set()
        server.should_exit = True
        await running


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds takes tenths."""
    monkeypatch.setattr(front, "PATIENCE", 0.3)
    monkeypatch.setattr(front, "BODY", 0.3)
    monkeypatch.setattr(front, "TAKING", 0.3)
    monkeypatch.setattr(front, "LINGER", 0.2)
    monkeypatch.setattr(connections, "EVERY", 0.02)


def refused(answer: bytes) -> tuple[int, str]:
    """Status and code of an answer that ends the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert "connection: close" in lines
    assert "cache-control: private, no-store" in lines
    assert "vary: cookie, authorization" in lines
    assert "x-content-type-options: nosniff" in lines
    assert f"content-length: {len(body)}" in lines
    (error,) = json.loads(body)["errors"]
    assert error["extensions"]["zh"]
    assert f"x-request-id: {error['extensions']['requestId']}" in lines
    return int(lines[0].split()[1]), error["extensions"]["code"]


# How large

LONG = b"a" * 100_000
CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
TOO_LARGE = {
    "one header": (GET + b"a: " + LONG + b"\r\n\r\n", 431),
    "one header that does not end": (GET + b"a: " + LONG, 431),
    "a name of a header": (GET + LONG + b": a\r\n\r\n", 431),
    "headers of 8 kB": (GET + b"".join(b"a%d: %b\r\n" % (n, b"b" * 8000) for n in range(5)) + b"\r\n", 431),
    "many small headers": (GET + b"".join(b"a%d:\r\n" % n for n in range(8000)) + b"\r\n", 431),
    "equal headers": (GET + b"cookie: a=b\r\n" * 8000, 431),
    "more headers than anybody has": (GET + b"a:b\r\n" * (MOST_HEADERS + 1) + b"\r\n", 431),
    "a host": (b"GET / HTTP/1.1\r\nhost: " + LONG + b"\r\n\r\n", 431),
    "a folded header": (GET + b"a: b\r\n" + b" c\r\n" * 20_000, None),
    "an address": (b"GET /" + LONG + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414),
    "an address that does not end": (b"GET /" + LONG, 414),
    "a query": (b"GET /?q=" + LONG, 414),
    "an address with a host": (b"GET http://" + LONG + b"/ HTTP/1.1\r\n\r\n", 414),
    "an address and headers": (b"GET /%b HTTP/1.1\r\na: %b\r\n\r\n" % (LONG[:20_000], LONG[:20_000]), 414),
    "a method": (b"A" * 100_000, 400),
    "empty lines": (b"\r\n" * 50_000, 431),
    "a version": (b"GET / HTTP/" + b"1" * 100_000, 400),
    "a trailer": (CHUNKED + b"0\r\na: " + LONG, 431),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\n" + b"a: bcdef\r\n" * 9000, 431),
    "an extension of a chunk": (CHUNKED + b"1;a=" + LONG, 431),
    "a handshake": (GET + b"upgrade: websocket\r\nconnection: upgrade\r\na: " + LONG + b"\r\n\r\n", 431),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
    "a tunnel": (b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", 400),
}


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("way", ["at once", "in pieces", "after another"])
@pytest.mark.parametrize("name", TOO_LARGE)
async def test_a_head_without_bound_is_refused(name: str, way: str) -> None:
    data, status = TOO_LARGE[name]
    async with standing() as server:
        client = await server.client()
        if way == "after another":
            client.send(GET + b"\r\n")
            assert (await client.answer()).startswith(OK)
        size = 997 if way == "in pieces" else len(data)
        for start in range(0, len(data), size):
            client.send(data[start : start + size])
            if way == "in pieces":
                await asyncio.sleep(0)
        found, code = refused(await client.all())
        assert found == status if status else found in (400, 431)
        assert code == "INVALID_INPUT"
        await server.until(lambda: len(server.connections) == 0)
        assert len(server.app.heads) == (way == "after another")


async def test_whoever_goes_before_all_is_answered_leaves_nothing_to_the_collector() -> None:
    async with standing() as server:
        gc.collect()
        gc.disable()
        try:
            client = await server.client(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" * 5)
            await server.until(lambda: server.app.heads)
            client.writer.transport.abort()
            del client
            server.app.go_on.set()
            await server.until(lambda: len(server.connections) == 0)
            await server.until(lambda: not [each for each in gc.get_objects() if isinstance(each, Http)])
        finally:
            gc.enable()


@pytest.mark.parametrize("data", [b"GET /" + LONG, GET + b"a: " + LONG, GET + b"a:b\r\n" * 300, b"\x16\x03"])
async def test_a_connection_that_is_refused_leaves_nothing_to_the_collector(data: bytes) -> None:
    async with standing() as server:
        gc.collect()
        gc.disable()
        try:
            client = await server.client()
            client.send(data)
            await client.all()
            del client
            await server.until(lambda: len(server.connections) == 0)
            assert not [each for each in gc.get_objects() if isinstance(each, Http)]
        finally:
            gc.enable()


@pytest.mark.parametrize(
    "data",
    [
        GET + b"a: " + b"b" * (LARGEST_HEAD - 100) + b"\r\n\r\n",
        b"GET /" + b"a" * (LARGEST_HEAD - 100) + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        GET + b"a:b\r\n" * (MOST_HEADERS - 1) + b"\r\n",
    ],
    ids=["header", "address", "headers"],
)
async def test_a_head_below_the_bound_is_taken_each_time(data: bytes) -> None:
    async with standing() as server:
        client = await server.client()
        for _ in range(3):
            client.send(data)
            assert (await client.answer()).startswith(OK)
        client.send(data * 3)  # and where several are sent at once
        for _ in range(3):
            assert (await client.answer()).startswith(OK)


async def test_a_body_may_be_larger_than_a_head() -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\n"
    whole = b"content-length: 1000000\r\n\r\n" + b"a" * 1_000_000
    chunked = b"transfer-encoding: chunked\r\n\r\n" + (b"186a0\r\n" + b"a" * 100_000 + b"\r\n") * 10
    async with standing() as server:
        client = await server.client(head + whole + head + chunked + b"0\r\na: b\r\n\r\n" + GET + b"\r\n")
        for length in (b" 1000000", b" 1000000", b" 0"):
            assert (await client.answer()).endswith(length)


async def test_a_trailer_is_no_header() -> None:
    """Whoever filters heads before us does not look for them there."""
    data = (
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntrailer: authorization\r\n\r\n"
        b"0\r\nauthorization: Bearer x\r\nhost: evil\r\n\r\n"
    )
    async with standing() as server:
        client = await server.client(data)
        assert (await client.answer()).startswith(OK)
        assert [name for name, _ in server.app.heads[0]] == [b"host", b"transfer-encoding", b"trailer"]


async def test_who_waits_to_be_told_to_go_on_is_told() -> None:
    async with standing() as server:
        head = b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
        client = await server.client(head)
        async with asyncio.timeout(PATIENCE):
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"abc")
        assert (await client.answer()).endswith(b" 3")


async def test_what_was_asked_before_is_answered_before_it_ends() -> None:
    slow = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"
    for bad in (GET + b"a: " + LONG, b"nonsense\r\n\r\n", GET + b"\r\n" + b"\x00"):
        async with standing() as server:
            client = await server.client(slow + bad)
            await server.until(lambda server=server: server.app.heads)
            server.app.go_on.set()
            said = await client.all()
            assert said.startswith(OK)
            assert said.count(b"HTTP/1.1") == said.count(OK)  # nothing is said in between
            assert b"/slow 0" in said


async def test_only_so_many_are_asked_at_once() -> None:
    async with standing() as server:
        client = await server.client((GET + b"\r\n") * MOST_AT_ONCE)
        for _ in range(MOST_AT_ONCE):
            assert (await client.answer()).startswith(OK)
        said = await server.ask((GET + b"\r\n") * 20_000)
        assert 1 <= said.count(OK) <= MOST_AT_ONCE + 1
        assert len(server.app.heads) <= 2 * MOST_AT_ONCE + 1


async def test_a_refused_body_ends_what_waits_for_it() -> None:
    async with standing() as server:
        head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        assert refused(await server.ask(head + b"1\r\na\r\n0\r\na: " + LONG))[0] == 431
        assert refused(await server.ask(head + b"nonsense"))[0] == 400
        await server.until(lambda: server.app.gone == 2)


# How long

DRIPS = {
    "nothing": [],
    "an empty line now and then": [b"\r\n"] * 200,
    "a byte now and then": [b"%c" % byte for byte in GET + b"a" * 200],
    "a header now and then": [GET, *[b"a: b\r\n"] * 200],
    "an address": [b"GET /", *[b"a"] * 200],
}


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("before", [b"", GET + b"\r\n"], ids=["first", "second"])
@pytest.mark.parametrize("name", DRIPS)
async def test_a_head_that_does_not_come_is_not_waited_for(name: str, before: bytes) -> None:
    async with standing() as server:
        client = await server.client(before)
        if before:
            assert (await client.answer()).startswith(OK)
        dripping = asyncio.create_task(client.drip(*DRIPS[name]))
        said = await client.all()
        if name in ("nothing", "an empty line now and then"):
            assert said == b""
        else:
            assert refused(said) == (408, "TRY_AGAIN")
        await server.until(lambda: len(server.connections) == 0)
        dripping.cancel()


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("path", [b"/", b"/unread"])
async def test_nor_is_a_body(path: bytes) -> None:
    """Where the app waits for it, and where it has answered long ago."""
    async with standing() as server:
        client = await server.client(
            b"POST " + path + b" HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n"
        )
        dripping = asyncio.create_task(client.drip(*[b"a"] * 500))
        said = await client.all()
        assert said.startswith(OK) if path == b"/unread" else said == b""
        await server.until(lambda: len(server.connections) == 0)
        assert server.app.gone == (path == b"/")
        dripping.cancel()


@pytest.mark.usefixtures("hurry")
async def test_who_never_takes_an_answer_is_cut_off() -> None:
    async with standing() as server:
        connection, loop = socket.socket(), asyncio.get_running_loop()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await loop.sock_connect(connection, ("127.0.0.1", server.port))
        await loop.sock_sendall(connection, b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n" * 2)
        await server.until(lambda: server.app.heads)
        assert len(server.connections) == 1
        await server.until(lambda: len(server.connections) == 0)
        connection.close()


@pytest.mark.usefixtures("hurry")
async def test_a_slow_answer_and_a_slow_reader_are_waited_for() -> None:
    async with standing() as server:
        asked = await server.client(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        reading = await server.client(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        found = 0
        while found < 3_000_000:
            found += len(await reading.reader.read(60_000))
            await asyncio.sleep(0.03)
        assert not await asked.gone()
        server.app.go_on.set()
        assert (await asked.answer()).startswith(OK)


# How many


async def test_who_is_silent_for_longest_goes_where_there_are_too_many(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with standing(most=10) as server:
        silent = [await server.client(b"G" * (number % 2)) for number in range(10)]
        await server.until(lambda: len(server.connections) == 10)
        busy = await server.client(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        await server.until(lambda: server.app.heads)
        assert await silent[0].gone(within=PATIENCE)
        assert [await client.gone() for client in silent[1:]] == [False] * 9
        for _ in range(100):
            assert (await server.ask(GET + b"connection: close\r\n\r\n")).startswith(OK)
        more = [await server.client() for _ in range(50)]
        await server.until(lambda: len(server.connections) == 10)
        assert (await server.ask(GET + b"connection: close\r\n\r\n")).startswith(OK)
        server.app.go_on.set()
        assert (await busy.answer()).startswith(OK)  # who is being served stays
        assert more
    said = [record.getMessage() for record in caplog.records if record.name == "api.connections"]
    assert len(said) <= 1
    assert "127.0.0.1" not in "".join(said)


async def test_who_has_no_place_is_told() -> None:
    async with standing(of_network=2) as server:
        busy = [await server.client(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n") for _ in range(2)]
        await server.until(lambda: len(server.app.heads) == 2)
        said = await server.ask(b"")
        assert refused(said) == (503, "TRY_AGAIN")
        assert b"retry-after: 5\r\n" in said
        server.app.go_on.set()
        assert (await busy[0].answer()).startswith(OK)
        assert (await server.ask(GET + b"connection: close\r\n\r\n")).startswith(OK)


@pytest.mark.parametrize("path", [b"/", b"/unread"])
async def test_who_sends_no_body_is_shed_like_the_silent(path: bytes) -> None:
    async with standing(most=10) as server:
        head = b"POST " + path + b" HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"
        waiting = [await server.client(head) for _ in range(20)]
        for _ in range(20):
            assert (await server.ask(GET + b"connection: close\r\n\r\n")).startswith(OK)
        assert len(server.connections) <= 10
        assert waiting


HANDSHAKE = (
    b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
KEY, VERSION = b"dGhlIHNhbXBsZSBub25jZQ==", b"sec-websocket-version: 13\r\n"
HANDSHAKES = {
    "another version": (GET, HANDSHAKE.replace(b"version: 13", b"version: 12"), 400),
    "no version": (GET, HANDSHAKE.replace(VERSION, b""), 400),
    "no key": (GET, HANDSHAKE.replace(b"sec-websocket-key", b"key"), 400),
    "a short key": (GET, HANDSHAKE.replace(KEY, b"dGhl"), 400),
    "a key that is none": (GET, HANDSHAKE.replace(b"dGhl", b"\xff\xfe()"), 400),
    "two keys": (GET, b"sec-websocket-key: " + KEY + b"\r\n" + HANDSHAKE, 400),
    "two versions": (GET, VERSION + HANDSHAKE, 400),
    "another method": (b"PUT / HTTP/1.1\r\nhost: x\r\n", HANDSHAKE, 405),
    "an address that is not ASCII": ("GET /美 HTTP/1.1\r\nhost: x\r\n".encode(), HANDSHAKE, 400),
    "a query that is not ASCII": ("GET /graphql?q=美 HTTP/1.1\r\nhost: x\r\n".encode(), HANDSHAKE, 400),
    "a query of any bytes": (b"GET /graphql?q=\xff\x80 HTTP/1.1\r\nhost: x\r\n", HANDSHAKE, 400),
    "a query in percents": (b"GET /graphql?q=%ff%e7%zz HTTP/1.1\r\nhost: x\r\n", HANDSHAKE, 101),
    "an overlong query": (b"GET /graphql?q=" + LONG + b" HTTP/1.1\r\nhost: x\r\n", HANDSHAKE, 414),
    "a long query": (b"GET /graphql?q=" + b"a" * 8000 + b" HTTP/1.1\r\nhost: x\r\n", HANDSHAKE, 101),
    "a bad percent": (b"GET /%ff%zz HTTP/1.1\r\nhost: x\r\n", HANDSHAKE, 101),
    "a host before the address": (b"GET ws://x/graphql HTTP/1.1\r\nhost: x\r\n", HANDSHAKE, 101),
    "a name that is not ASCII": (GET, "美: a\r\n".encode() + HANDSHAKE, 400),
    "values of any bytes": (GET, b"a: \xff\xe7\r\n" + HANDSHAKE, 101),
    "names and values in other letters": (GET, HANDSHAKE.upper().replace(KEY.upper(), KEY), 101),
    "several connections": (GET, HANDSHAKE.replace(b": upgrade", b": keep-alive, Upgrade"), 101),
}  # fmt: skip


@pytest.mark.parametrize("name", HANDSHAKES)
async def test_a_handshake_is_checked_as_its_protocol_says(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """RFC 6455 §4.2.1, also where the head was read by a parser that knows nothing of it."""
    line, rest, status = HANDSHAKES[name]
    async with standing() as server:
        client = await server.client(line + rest)
        assert int((await client.reader.readuntil(b"\r\n")).split()[1]) == status
        if status != 101:
            await client.all()
        client.writer.close()
        await server.until(lambda: len(server.connections) == 0)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_socket_is_counted_until_it_is_closed() -> None:
    async with standing(most=4, of_network=1) as server:
        sockets = [await server.client() for _ in range(0)]
        for _ in range(4):  # by address they are counted elsewhere
            sockets.append(await server.client(GET + HANDSHAKE))
            assert (await sockets[-1].reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        assert len(server.connections) == 4
        assert refused(await server.ask(b""))[0] == 503  # none of them is shed
        for client in sockets:
            client.writer.close()
        await server.until(lambda: len(server.connections) == 0)
        refused_one = await server.client(GET + HANDSHAKE.replace(b"version: 13", b"version: 12"))
        assert (await refused_one.all()).startswith(b"HTTP/1.1 4")
        await server.until(lambda: len(server.connections) == 0)


# The whole server


def memory(pid: int) -> int:
    """Resident, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def connect_to(port: int) -> Any:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        yield connection


@pytest.mark.xdist_group("front")
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_heads_without_bound_cost_little(server: Any) -> None:
    """25,000 headers of 8 kB, and a URL of 98 MB."""
    pid = server.process.pid
    assert server.client.get("/health/live").status_code == 200
    before, start = memory(pid), cpu(pid)
    headers = (b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"a: " + b"b" * 8000 + b"\r\n", 25_000)
    address = (b"GET /", b"a" * 1_000_000, 98)
    for first, piece, times in (headers, address) * 2:
        with connect_to(server.port) as connection, suppress(ConnectionError):
            connection.sendall(first)
            for _ in range(times):
                connection.sendall(piece)
    assert memory(pid) - before < 20_000_000
    assert cpu(pid) - start < 0.5 * slowness()
    assert server.client.get("/health/live").status_code == 200


@pytest.mark.xdist_group("front")
@pytest.mark.skipif(sys.platform != "linux", reason="prlimit")
def test_so_many_silent_ones_keep_nobody_out(server: Any) -> None:
    """More than a process may have files open."""
    soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard  # as many as the system lets us
    silent: list[socket.socket] = []
    try:
        silent += (socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(2100))
        for _ in range(20):
            assert server.post("{ viewer { account } }") == {"data": {"viewer": None}}
    finally:
        for connection in silent:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
    assert server.log().count("too many connections") <= 1


FEW = 1024
IN_FEW_FILES = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, {FEW}))
from api.cli import main
main()
"""


@pytest.mark.xdist_group("front")
def test_nor_where_a_process_may_have_few_files_open(serve: Any, tmp_path: Path) -> None:
    with serve(tmp_path, program=(sys.executable, "-c", IN_FEW_FILES, "serve")) as server:
        silent = []
        try:
            for _ in range(1100):
                with suppress(ConnectionError):
                    silent.append(socket.create_connection(("127.0.0.1", server.port), PATIENCE))
            while "too many connections" not in server.log():
                time.sleep(0.05)
            for _ in range(20):
                with httpx2.Client(base_url=server.url, timeout=PATIENCE) as newcomer:
                    answer = newcomer.post("/graphql", json={"query": "{ viewer { account } }"})
                    assert answer.json() == {"data": {"viewer": None}}
            assert server.client.get("/health/ready").json()["status"] == "ok"
        finally:
            for connection in silent:
                connection.close()
        assert server.log().count("too many connections") == 1  # a minute
        assert "Traceback" not in server.log()
        assert "127.0.0.1" not in server.log().partition("too many connections")[2]


# Of several at once


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def set_protocol(self, protocol: Any) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def abort(self) -> None:
        pass

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False


async def test_of_several_requests_at_once_none_is_answered_once_the_client_hung_up() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    state, connection = ServerState(), FakeTransport()
    config = uvicorn.Config(app, log_config=None)
    config.load()
    protocol = Http(Connections(10, 10), config, state, {})
    protocol.connection_made(connection)
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 3)
    await begun.wait()
    protocol.connection_lost(None)
    go_on.set()
    await asyncio.wait(state.tasks)
    assert connection.written == b""


async def test_of_several_requests_the_second_is_not_answered_either_once_the_client_hung_up() -> None:
    second, go_on, asked = asyncio.Event(), asyncio.Event(), 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            second.set()
            await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    state, connection = ServerState(), FakeTransport()
    config = uvicorn.Config(app, log_config=None)
    config.load()
    protocol = Http(Connections(10, 10), config, state, {})
    protocol.connection_made(connection)
    protocol.data_received((GET + b"\r\n") * 3)
    await second.wait()
    protocol.connection_lost(None)
    go_on.set()
    await asyncio.wait(state.tasks)
    assert connection.written.count(OK) == 1


# What is asked of uvicorn


def named(module: Any) -> dict[str, set[str]]:
    """What the head of `module` says that it asks uvicorn for, by class."""
    found: dict[str, set[str]] = {}
    for owner, names in re.findall(r"^    (\w+)? +(\w[^\n]*)$", module.__doc__, re.MULTILINE):
        kind = owner or list(found)[-1]
        found.setdefault(kind, set()).update(re.findall(r"\w+", re.sub(r"\(.*?\)", "", names)))
    return found


THEIRS = {*dir(asyncio.Protocol)} | {
    "on_message_begin", "on_url", "on_header", "on_headers_complete", "on_body", "on_message_complete",
}  # fmt: skip
"""What asyncio and httptools call."""


def test_the_head_names_all_that_is_asked_of_uvicorn() -> None:
    listed = named(front)
    (body,) = (
        node
        for node in ast.parse(Path(front.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == "Http"
    )
    asked: dict[str, set[str]] = {kind: set() for kind in listed}
    owners = {
        "self": "HttpToolsProtocol", "self.cycle": "RequestResponseCycle", "self.flow": "FlowControl",
        "self._answered": "RequestResponseCycle", "self.server_state": "ServerState",
    }  # fmt: skip
    for node in ast.walk(body):
        if isinstance(node, ast.Attribute) and (kind := owners.get(ast.unparse(node.value))):
            asked[kind].add(node.attr)
    ours = {*vars(Http), "_connections"} - {*dir(HttpToolsProtocol)}
    overridden = {*vars(Http)} & {*vars(HttpToolsProtocol)} - THEIRS - {*dir(object)}
    asked["HttpToolsProtocol"] = asked["HttpToolsProtocol"] - ours - THEIRS | overridden
    asked["RequestResponseCycle"] |= {"response_complete"}  # by getattr
    assert asked == listed
    assert not {name for names in asked.values() for name in names if name.startswith("_")}


class Stock:
    """uvicorn's own protocol on a transport of ours."""

    def __init__(self, ws: Any = "none") -> None:
        self.scopes: list[Scope] = []
        self.state, self.connection = ServerState(), FakeTransport()
        config = uvicorn.Config(self, http="httptools", ws=ws, log_config=None, proxy_headers=False)
        config.load()
        self.protocol = HttpToolsProtocol(config, self.state, {})
        self.protocol.connection_made(self.connection)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await asyncio.Event().wait()

    async def say(self, data: bytes) -> None:
        self.protocol.data_received(data)
        await asyncio.sleep(0)
        for task in self.state.tasks:
            task.cancel()


@pytest.fixture
async def stock() -> Stock:
    return Stock()


async def test_stock_uvicorn_bounds_no_head(stock: Stock) -> None:
    await stock.say(GET + b"a: " + LONG + b"\r\n" + b"a:b\r\n" * (MOST_HEADERS + 1) + b"\r\n")
    assert len(stock.scopes[0]["headers"]) == MOST_HEADERS + 3


async def test_stock_uvicorn_waits_for_a_head_for_ever(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("there is a timer")

    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", never)
    await Stock().say(GET)


async def test_stock_uvicorn_bounds_no_number_of_requests_at_once(stock: Stock) -> None:
    await stock.say((GET + b"\r\n") * (MOST_AT_ONCE + 2))
    assert len(stock.protocol.pipeline) > MOST_AT_ONCE


async def test_stock_uvicorn_tells_only_the_last_request_that_the_client_is_gone(stock: Stock) -> None:
    stock.protocol.data_received((GET + b"\r\n") * 3)
    waiting = [cycle for cycle, _ in stock.protocol.pipeline]
    stock.protocol.connection_lost(None)
    assert [cycle.disconnected for cycle in waiting] == [True, False]
    for task in stock.state.tasks:
        task.cancel()


async def test_stock_uvicorn_takes_trailers_for_headers(stock: Stock) -> None:
    await stock.say(CHUNKED + b"0\r\nauthorization: Bearer x\r\n\r\n")
    assert (b"authorization", b"Bearer x") in stock.scopes[0]["headers"]


async def test_stock_uvicorn_overlooks_the_host_of_the_target(stock: Stock) -> None:
    await stock.say(b"GET http://other/ HTTP/1.1\r\nhost: x\r\n\r\n")
    assert (b"host", b"x") in stock.scopes[0]["headers"]


async def test_stock_uvicorn_writes_a_handshake_out_to_be_parsed_again() -> None:
    heard: list[bytes] = []

    class Ws(asyncio.Protocol):
        def __init__(self, **_: Any) -> None: ...

        def data_received(self, data: bytes) -> None:
            heard.append(data)

    await Stock(Ws).say(GET + HANDSHAKE)
    assert heard == [GET + HANDSHAKE]


async def test_a_handshake_leaves_nothing_of_http_for_the_collector() -> None:
    """The parser and its protocol hold each other; stock uvicorn parts them only when a connection ends."""

    class Watched(Http):
        pass

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    config = uvicorn.Config(app, http="httptools", ws=FrameProtocol, log_config=None, proxy_headers=False)
    config.load()
    gc.collect()
    gc.disable()
    try:
        connection, state = FakeTransport(), ServerState()
        protocol = Watched(Connections(10, 10), config, state, {})
        protocol.connection_made(connection)
        protocol.data_received(GET + HANDSHAKE)
        left = weakref.ref(protocol)
        del protocol
        await asyncio.wait(state.tasks)
        assert left() is None
    finally:
        gc.enable()
