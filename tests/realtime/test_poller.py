import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from community.database import journal
from community.signals import Signal
from realtime import poller
from realtime.broker import MemoryBroker
from realtime.poller import EVERY, JournalPoller
from tests.realtime.conftest import Source, state_of, virtual


class Journal:
    """Numbered signals, read `at_once` at a time; what was published, with the time of it."""

    def __init__(self, *, at_once: int = 2) -> None:
        self.signals: list[Signal] = []
        self.published: list[tuple[float, Signal]] = []
        self.at_once, self.failures = at_once, 0
        self.resyncs = list[Callable[[], None]]()

    async def heads(self) -> dict[int | None, int]:
        self._fail()
        return {None: len(self.signals)}

    async def signals_after(self, seen: dict[int | None, int]) -> tuple[dict[int | None, int], list[Signal]]:
        self._fail()
        later = self.signals[seen[None] : seen[None] + self.at_once]
        return {None: seen[None] + len(later)}, later

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError

    def publish(self, signals: Iterable[Signal]) -> None:
        now = asyncio.get_running_loop().time()
        self.published += [(now, signal) for signal in signals]

    def write(self, count: int) -> list[Signal]:
        made = [Signal("tally", len(self.signals) + index) for index in range(count)]
        self.signals += made
        return made

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(poller, "journal", self)
            task = asyncio.create_task(JournalPoller(self.publish, *self.resyncs).poll())
            await asyncio.sleep(0)
            try:
                yield
            finally:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task


@virtual
async def test_what_others_write_is_told_once_within_a_second() -> None:
    journal = Journal()
    journal.write(3)  # before anybody watched
    async with journal.followed():
        await asyncio.sleep(10.5 * EVERY)
        start = asyncio.get_running_loop().time()
        made = journal.write(5)
        await asyncio.sleep(10 * EVERY)
        assert [signal for _, signal in journal.published] == made
        assert all(at - start <= EVERY for at, _ in journal.published)


@pytest.mark.parametrize("failures", [1, 2, 5])
@virtual
async def test_looks_that_fail_are_told_once_and_made_good_later(
    failures: int, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal()
    async with journal.followed():
        journal.failures = failures
        made = journal.write(5)
        await asyncio.sleep((failures + 1.5) * EVERY)
        assert [signal for _, signal in journal.published] == made
    assert len(caplog.records) == 1


@virtual
async def test_each_outage_is_told(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    async with journal.followed():
        for _ in range(2):
            journal.failures = 3
            await asyncio.sleep(10 * EVERY)
    assert len(caplog.records) == 2


@virtual
async def test_a_first_look_that_fails_does_not_end_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    journal.failures = 2
    async with journal.followed():
        await asyncio.sleep(5 * EVERY)
        made = journal.write(1)
        await asyncio.sleep(2 * EVERY)
        assert [signal for _, signal in journal.published] == made


@pytest.mark.parametrize("failures", [0, 3], ids=["at once", "after an outage"])
@virtual
async def test_what_was_written_before_the_heads_were_read_is_shown(failures: int) -> None:
    """By another process; a screen has shown by then what was before."""
    journal, broker, written = Journal(), MemoryBroker(), 0

    async def read(_: int) -> int:
        return written

    tallies = Source(state_of(read), broker)
    journal.failures, journal.resyncs = failures, [broker.resync]
    async with tallies.watch(7) as states:
        assert await anext(states) == 0
        journal.write(1)
        written = 1
        async with journal.followed(), asyncio.timeout((failures + 1) * EVERY):
            assert await anext(states) == 1


@virtual
async def test_after_the_heads_were_read_nothing_is_read_anew() -> None:
    journal, resynced = Journal(), list[float]()
    journal.resyncs = [lambda: resynced.append(asyncio.get_running_loop().time())] * 2
    async with journal.followed():
        journal.failures = 3
        await asyncio.sleep(10 * EVERY)
    assert len(resynced) == 2


@virtual
async def test_what_does_not_resync_keeps_nothing_from_the_others_nor_from_the_poller() -> None:
    journal, resynced = Journal(), list[str]()

    def fail() -> None:
        raise RuntimeError

    journal.resyncs = [fail, lambda: resynced.append("other")]
    async with journal.followed():
        await asyncio.sleep(EVERY / 2)
        made = journal.write(1)
        await asyncio.sleep(2 * EVERY)
        assert [signal for _, signal in journal.published] == made
    assert resynced == ["other"]


@virtual
async def test_nothing_is_seen_before_all_was_resynced() -> None:
    class Over(BaseException):
        """As at the end of the process."""

    def fail() -> None:
        raise Over

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(poller, "journal", Journal())
        own = JournalPoller(lambda signals: None, fail)
        with pytest.raises(Over):
            await own.poll()
    assert own.seen is None


@virtual
async def test_what_this_process_published_is_passed_over_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there, read = {None: 4, 7: 2}, list[int]()

    async def heads() -> dict[int | None, int]:
        return dict(there)

    async def rows_of(behind: Sequence[int | None], seen: Any, most: int) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        rows = [(each, number) for each in behind for number in range(seen.get(each, 0) + 1, there[each] + 1)]
        read.extend(number for _, number in rows)
        return [{"number": number, "community_id": each, "fact": "X"} for each, number in rows]

    monkeypatch.setattr(journal, "heads", heads)
    monkeypatch.setattr(journal, "_rows_of", rows_of)
    poller = JournalPoller(lambda signals: None)
    poller.pass_over({None: range(1, 5)})  # nothing is known yet
    task = asyncio.create_task(poller.poll())
    await asyncio.sleep(EVERY / 2)

    async def write(community: int | None, count: int, *, own: bool) -> list[int]:
        numbers = range(there.get(community, 0) + 1, there.get(community, 0) + 1 + count)
        there[community] = numbers[-1]
        if own:
            poller.pass_over({community: numbers})
        return list(numbers)

    for _ in range(2):
        await write(7, 2, own=True)
        await write(8, 1, own=True)  # the first one there
    await asyncio.sleep(EVERY)
    assert (read, poller.seen) == ([], {None: 4, 7: 6, 8: 2})
    others = await write(None, 1, own=False)
    own = await write(None, 2, own=True)  # behind what is not known
    await asyncio.sleep(EVERY)
    assert read == [*others, *own]
    await write(None, 1, own=True)
    await asyncio.sleep(EVERY)
    assert read == [*others, *own]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
