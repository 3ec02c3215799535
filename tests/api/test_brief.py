import asyncio

import pytest

from api import brief
from api.brief import Brief


class Reads:
    def __init__(self) -> None:
        self.keys: list[int] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, key: int) -> str:
        self.keys.append(key)
        await self.gate.wait()
        if self.error:
            raise self.error
        return str(key)


@pytest.fixture
def reads() -> Reads:
    return Reads()


async def test_what_many_ask_for_at_once_is_read_once(reads: Reads) -> None:
    memory = Brief(reads)
    asked = [asyncio.create_task(memory.get(key)) for key in (1, 1, 2, 1)]
    await asyncio.sleep(0)
    reads.gate.set()
    assert await asyncio.gather(*asked) == ["1", "1", "2", "1"]
    assert await memory.get(1) == "1"
    assert reads.keys == [1, 2]


async def test_it_is_forgotten_soon(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    reads.gate.set()
    memory = Brief(reads)
    await memory.get(1)
    monkeypatch.setattr(brief, "SECONDS", 0.0)
    await memory.get(1)
    assert reads.keys == [1, 1]


async def test_what_failed_is_asked_again_and_nobody_else_is_cut_off(reads: Reads) -> None:
    reads.gate.set()
    reads.error = KeyError("x")
    memory = Brief(reads)
    for _ in range(2):
        with pytest.raises(KeyError):
            await memory.get(1)
    reads.error = None
    assert await memory.get(1) == "1"
    impatient = asyncio.create_task(memory.get(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await memory.get(2) == "2"


async def test_nobody_waits_for_what_hangs_and_it_is_not_asked_ever_more(
    reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brief, "LONGEST", 0.01)
    monkeypatch.setattr(brief, "AT_ONCE", 3)
    memory = Brief(reads)
    for key in range(6):
        with pytest.raises(TimeoutError):
            await memory.get(key)
    assert reads.keys == [0, 1, 2]
    reads.gate.set()
    await asyncio.sleep(0.01)
    assert await memory.get(5) == "5"


async def test_it_holds_a_bounded_number_of_things(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    reads.gate.set()
    monkeypatch.setattr(brief, "MOST", 10)
    memory = Brief(reads)
    for key in range(50):
        await memory.get(key)
    assert len(memory._known) == 10
    await memory.get(49)
    assert reads.keys.count(49) == 1, "the newest are kept"


async def turns() -> None:
    """Time for what was begun to begin what it begins."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_nobody_joins_a_read_that_began_long_ago(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says may have been true then only; and what hangs is tried again, so many times at once."""
    memory = Brief(reads)
    early = asyncio.create_task(memory.get(1))
    await turns()
    monkeypatch.setattr(brief, "SECONDS", 0.0)
    monkeypatch.setattr(brief, "AT_ONCE", 3)
    later = [asyncio.create_task(memory.get(1)) for _ in range(3)]
    await turns()
    assert reads.keys == [1, 1, 1]
    reads.gate.set()
    assert [await early, await later[0], await later[1]] == ["1"] * 3
    with pytest.raises(TimeoutError):
        await later[2]


async def test_of_what_was_asked_only_the_key_is_kept(reads: Reads) -> None:
    reads.gate.set()
    memory = Brief(reads, key=lambda asked: asked % 10)
    assert [await memory.get(asked) for asked in (12, 2, 3)] == ["12", "12", "3"]
    assert list(memory._known) == [2, 3]
