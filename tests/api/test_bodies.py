import asyncio
import json
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.types import Message

from api import bodies
from api.app import create_app
from api.settings import Settings


def request_of(*chunks: bytes) -> tuple[Request, list[bytes]]:
    """A request that comes in pieces, and those that were not asked for yet."""
    left = list(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive), left


@pytest.mark.parametrize("chunks", [[b""], [b"ab"], [b"a", b"", b"b"], [b"a" * bodies.LARGEST]])
async def test_a_body_is_read_whole_and_can_be_asked_for_again(chunks: Sequence[bytes]) -> None:
    request, _ = request_of(*chunks)
    assert await bodies.read(request) == b"".join(chunks)
    assert await request.body() == b"".join(chunks)


async def test_reading_stops_where_it_becomes_too_large() -> None:
    request, left = request_of(b"a" * bodies.LARGEST, b"a", b"never read")
    with pytest.raises(bodies.TooLarge):
        await bodies.read(request)
    assert left == [b"never read"]


async def test_a_body_that_never_ends_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.01)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(bodies.TooSlow):
        await bodies.read(Request({"type": "http", "method": "POST", "headers": []}, receive))


@pytest.mark.parametrize("path", ["/graphql", "/session"])
async def test_whoever_sends_no_body_is_told_408(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.01)
    said: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": []}
    await create_app(Settings())(scope, receive, send)
    assert said[0]["status"] == 408
    (error,) = json.loads(said[1]["body"])["errors"]
    assert error["extensions"]["code"] == "TRY_AGAIN"
