import asyncio
import json
import time
from collections.abc import Sequence

import orjson
import pytest
from starlette.types import Message

from api import bodies
from api.app import create_app
from api.bodies import BoundedRequest
from api.settings import Settings
from tests.pace import slowness


def request_of(*chunks: bytes) -> tuple[BoundedRequest, list[bytes]]:
    """A request that comes in pieces, and those that were not asked for yet."""
    left = list(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return BoundedRequest({"type": "http", "method": "POST", "headers": []}, receive), left


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
        await bodies.read(BoundedRequest({"type": "http", "method": "POST", "headers": []}, receive))


@pytest.mark.parametrize("path", ["/graphql", "/session"])
async def test_whoever_sends_no_body_is_told_408(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.01)
    said: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        said.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    await create_app(Settings())(scope, receive, send)
    assert said[0]["status"] == 408
    (error,) = json.loads(said[1]["body"])["errors"]
    assert error["extensions"]["code"] == "TRY_AGAIN"


@pytest.mark.parametrize(
    ("body", "repeated"),
    [
        (b"{}", False),
        (b'{"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}', False),
        (b'{"a:b": ":", "c": "\\":\\\\"}', False),
        ('{"楼：:": "幢:"}', False),
        (b'{"a": 1, "a": 1}', True),
        (b'{"a": [{"b": {}, "c": 1, "b": {}}]}', True),
        (b'{"a": 1, "\\u0061": 2}', True),
        (b'[[[{"": 1, "": 2}]]]', True),
    ],
)
def test_of_two_equal_keys_none_is_lost_in_silence(body: bytes | str, repeated: bool) -> None:
    assert bodies.repeats_a_key(body, orjson.loads(body)) is repeated


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b'{"a":1},' * 30_000 + b"1]",
        b'{"a":"' + b'\\"' * 120_000 + b'"}',
        b'["' + b":" * 250_000 + b'"]',
        b'["a",' + b'"",' * 80_000 + b"1]",
        b'{"a":' * 1000 + b"1" + b"}" * 1000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_looking_for_them_is_cheap(body: bytes) -> None:
    assert len(body) <= bodies.LARGEST
    took = []
    for _ in range(3):
        start = time.process_time()
        bodies.repeats_a_key(body, orjson.loads(body))
        took.append(time.process_time() - start)
    assert min(took) < 0.05 * slowness()
