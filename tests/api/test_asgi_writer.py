"""A writer over plain ASGI, with a server that takes messages when the test lets it."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.types import Message

from api import asgi_writer
from api.asgi_writer import AsgiWriter, writer_of
from api.handshake import EXTENSION
from api.inbox import RECEIVED_AT
from realtime.writer import STALLED
from tests.api.conftest import Clock, settle


class Server:
    """Takes each message once it is let to."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.turns = asyncio.Semaphore(0)
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self.fault: Exception | None = None
        self.under_way = 0

    async def send(self, message: Message) -> None:
        self.under_way += 1
        assert self.under_way == 1, "one at a time"
        await self.turns.acquire()
        if self.fault:
            raise self.fault
        self.sent.append(message)
        self.under_way -= 1

    def take(self, messages: int = 100) -> None:
        for _ in range(messages):
            self.turns.release()

    async def receive(self) -> Message:
        return await self.said.get()


def said(message: Message) -> Message:
    """Without its time."""
    return {name: value for name, value in message.items() if name != RECEIVED_AT}


def text(data: str) -> Message:
    return {"type": "websocket.send", "text": data}


@pytest.fixture
async def server() -> Server:
    return Server()


async def test_a_server_that_writes_frames_itself_is_asked_to(server: Server) -> None:
    frames = object()
    scope: Any = {"extensions": {EXTENSION: frames}}
    assert writer_of(scope, server.receive, server.send) == (frames, server.receive)
    for scope in ({}, {"extensions": {}}):
        writer, receive = writer_of(scope, server.receive, server.send)
        assert isinstance(writer, AsgiWriter)
        assert receive == writer.receive


async def test_messages_go_out_in_order_one_at_a_time(server: Server) -> None:
    writer, drained = AsgiWriter(server.receive, server.send), []
    writer.drained = lambda: drained.append(len(server.sent))
    assert not writer.busy
    await writer.drain()
    writer.write("票".encode())
    writer.write(b"b")
    assert writer.busy
    waiting = asyncio.create_task(writer.drain())
    await settle()
    assert (server.sent, waiting.done(), drained) == ([], False, [])
    server.take()
    await waiting
    assert server.sent == [text("票"), text("b")]
    assert drained == [2]
    assert not writer.busy
    writer.write(b"c")
    await writer.drain()
    assert drained == [2, 3]


async def test_nothing_goes_out_behind_a_close_and_nobody_is_told_that_it_is_free(server: Server) -> None:
    writer = AsgiWriter(server.receive, server.send)
    writer.drained = pytest.fail  # type: ignore[assignment]
    server.take()
    writer.write(b"a")
    writer.close(4400, "no")
    writer.write(b"b")
    writer.close(4401, "again")
    await writer.drain()
    assert server.sent == [text("a"), {"type": "websocket.close", "code": 4400, "reason": "no"}]


async def test_a_server_that_fails_ends_the_writing_without_a_word(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "api")
    writer = AsgiWriter(server.receive, server.send)
    writer.drained = pytest.fail  # type: ignore[assignment]
    server.fault = RuntimeError("after a close")
    server.take()
    writer.write(b"a")
    writer.write(b"b")
    await writer.drain()
    writer.write(b"c")
    await settle()
    assert not writer.busy
    assert server.sent == []
    assert caplog.records == []


async def test_what_the_client_says_is_passed_on(server: Server) -> None:
    writer = AsgiWriter(server.receive, server.send)
    server.said.put_nowait({"type": "websocket.receive", "text": "a"})
    assert said(await writer.receive()) == {"type": "websocket.receive", "text": "a"}
    cancelled = asyncio.create_task(writer.receive())
    await settle()
    cancelled.cancel()
    await settle()
    server.said.put_nowait({"type": "websocket.receive", "text": "b"})  # it is nobody's who gave up
    assert said(await writer.receive()) == {"type": "websocket.receive", "text": "b"}


async def test_a_message_counts_from_when_it_came_however_long_it_waits(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is received ahead; behind the last word nobody waits for more."""
    times = [datetime(2026, 1, 1, second=second, tzinfo=UTC) for second in range(3)]
    now = iter(times)
    monkeypatch.setattr(asgi_writer, "utc_now", lambda: next(now))
    writer = AsgiWriter(server.receive, server.send)
    server.said.put_nowait({"type": "websocket.receive", "text": "a"})
    assert (await writer.receive())[RECEIVED_AT] == times[0]
    server.said.put_nowait({"type": "websocket.receive", "text": "b"})
    await settle()
    assert next(now) == times[2]
    message = await writer.receive()
    assert (message["text"], message[RECEIVED_AT]) == ("b", times[1])
    monkeypatch.undo()
    server.said.put_nowait({"type": "websocket.disconnect", "code": 1000})
    assert (await writer.receive())["type"] == "websocket.disconnect"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_client_that_takes_nothing_is_as_good_as_gone(server: Server, clock: Clock) -> None:
    """Counted anew with each message that it takes."""
    writer = AsgiWriter(server.receive, server.send)
    listening = asyncio.create_task(writer.receive())
    for data in (b"a", b"b", b"c"):
        writer.write(data)
    for taken in (1, 2):
        await clock.pass_(STALLED - 1)
        server.take(1)
        await settle()
        assert len(server.sent) == taken
    assert not listening.done()
    await clock.pass_(STALLED)
    assert await listening == {"type": "websocket.disconnect", "code": 1006}
    assert await writer.receive() == {"type": "websocket.disconnect", "code": 1006}
    writer.write(b"d")
    assert not writer.busy
