"""Several processes on one SQLite file: nobody is locked out, and readers do not wait."""

import asyncio
import logging
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from community.database.models import Due

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

TIMES = 150
WRITER = """
import asyncio, sys
from tortoise.transactions import in_transaction
from community.database.engine import opened
from community.database.models import Due

async def main():
    async with opened(sys.argv[1]):
        for _ in range(int(sys.argv[2])):
            async with in_transaction():
                due = await Due.get(job="counter")
                await Due.filter(id=due.id).update(subject=due.subject + 1)

asyncio.run(main())
"""

log = logging.getLogger("faults")


async def timed_read() -> tuple[float, int]:
    start = time.perf_counter()
    found = int((await Due.get(job="counter").values("subject"))["subject"])
    return time.perf_counter() - start, found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_two_processes_write_and_a_reader_beside_them(estate: Any) -> None:
    async with estate.opened():
        await Due.create(job="counter", subject=0, at="2026-05-20T02:00:00Z")
        alone = [(await timed_read())[0] for _ in range(200)]
        writers = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", WRITER, estate.url, str(TIMES),
                stderr=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
            )
            for _ in range(2)
        ]  # fmt: skip
        ends = asyncio.gather(*(writer.communicate() for writer in writers))
        waits, seen = [], []
        while not ends.done():
            wait, found = await timed_read()
            if 0 < found < 2 * TIMES:  # while somebody writes
                waits.append(wait)
            seen.append(found)
            await asyncio.sleep(0.002)
        assert [writer.returncode for writer in writers] == [0, 0], await ends
        assert (await timed_read())[1] == 2 * TIMES
    assert seen == sorted(seen)
    assert len(set(seen)) > 20  # it did read beside them
    log.info(
        "a read takes %.2f ms alone, beside two writers %.2f ms in the middle and %.1f ms at most (%s reads)",
        1000 * statistics.median(alone), 1000 * statistics.median(waits), 1000 * max(waits), len(waits),
    )  # fmt: skip
