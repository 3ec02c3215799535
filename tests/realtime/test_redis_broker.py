"""What only a line that can break has to show; the contract itself is in test_broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from community.signals import Signal, Topic
from realtime.redis_broker import RedisBroker

FIRST, SECOND = Signal(Topic.TALLY, 1), Signal(Topic.BULLETIN, 2)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what another process does sets no event of ours
            await asyncio.sleep(0.005)


class End:
    """A broker with what its listeners heard, and how many gaps it mended."""

    def __init__(self, url: str) -> None:
        self.broker = RedisBroker(url)
        self.heard: list[Signal] = []
        self.gaps = 0
        self.broker.listen(self.heard.append)
        self.broker.after_gap(self._mend)

    def _mend(self) -> None:
        self.gaps += 1


@pytest.fixture
async def ends(redis: Any) -> AsyncIterator[tuple[End, End]]:
    pair = End(redis.url), End(redis.url)
    lines = [asyncio.create_task(end.broker.keep_connected()) for end in pair]
    await until(lambda: all(end.broker.connected for end in pair))
    await redis.listens_to(2)
    yield pair
    for line in lines:
        line.cancel()
    await asyncio.gather(*lines, return_exceptions=True)


async def test_each_connection_ends_a_gap_also_the_first(ends: tuple[End, End]) -> None:
    assert [end.gaps for end in ends] == [1, 1]


async def test_a_line_that_broke_is_made_good(
    ends: tuple[End, End], redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    near, far = ends
    redis.kill()
    await until(lambda: not near.broker.connected and not far.broker.connected)
    for _ in range(1_000):
        near.broker.publish([FIRST, SECOND])  # neither waits nor raises
    assert near.heard == [FIRST, SECOND] * 1_000
    assert far.heard == []

    redis.start()
    await until(lambda: near.broker.connected and far.broker.connected)
    await redis.listens_to(2)
    assert near.gaps >= 2
    assert far.gaps >= 2
    near.broker.publish([FIRST])
    # What came meanwhile is merged; it may be gone with the line, for the gap was mended.
    await until(lambda: FIRST in far.heard)
    assert len(far.heard) <= 4
    assert all(
        record.levelname == "WARNING" for record in caplog.records if record.name.startswith("realtime")
    )


async def test_a_line_that_never_stood_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    line = asyncio.create_task(End("redis://127.0.0.1:1/0").broker.keep_connected())
    await until(lambda: bool(caplog.messages))
    await asyncio.sleep(1)  # it has tried again by now
    line.cancel()
    await asyncio.gather(line, return_exceptions=True)
    assert caplog.messages == ["no line to Redis: ConnectionError"]


async def test_an_end_does_not_hear_itself_twice(ends: tuple[End, End]) -> None:
    near, far = ends
    near.broker.publish([FIRST])
    await until(lambda: far.heard == [FIRST])
    far.broker.publish([SECOND])
    await until(lambda: SECOND in near.heard)
    assert near.heard == [FIRST, SECOND]


async def test_a_gap_does_not_end_before_redis_says_that_it_listens(redis: Any) -> None:
    """What others tell until then passes by, so whoever mends earlier may miss it."""
    held, let_go = asyncio.Event(), asyncio.Event()

    async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if b"subscribe" in data:
                held.set()
                await let_go.wait()
            writer.write(data)

    async def there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", redis.port)
        answers = asyncio.create_task(back(far_reader, writer))
        while data := await reader.read(65536):
            far_writer.write(data)
        answers.cancel()
        far_writer.close()

    async with await asyncio.start_server(there, "127.0.0.1") as slow:
        end = End(f"redis://127.0.0.1:{slow.sockets[0].getsockname()[1]}/0")
        line = asyncio.create_task(end.broker.keep_connected())
        await held.wait()
        assert (end.broker.connected, end.gaps) == (False, 0)
        let_go.set()
        await until(lambda: end.broker.connected)
        assert end.gaps == 1
        line.cancel()
        await asyncio.gather(line, return_exceptions=True)
