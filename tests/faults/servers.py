"""Servers and services that can be ended, killed and asked how they are."""

import asyncio
import logging
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.engines import METRICS_TOKEN, TRUSTED
from tests.services import Service

ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)
PATIENCE = 60
"""Seconds after which a test gives up on something that never comes; no test passes because of them."""

log = logging.getLogger("faults")
logging.getLogger("httpx2").setLevel(logging.WARNING)
chance = random.Random()  # noqa: S311 - only the times; they must differ from run to run


async def until(true: Callable[[], Any], what: str, patience: float = PATIENCE) -> float:
    """Seconds until it is true. `true` may be a coroutine function."""
    start = time.monotonic()
    while True:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return time.monotonic() - start
        assert time.monotonic() - start < patience, f"never: {what}"
        await asyncio.sleep(0.01)


class MeilinServer(Service):
    """`meilin serve`; with `workers` a group of processes over Redis."""

    def __init__(
        self, folder: Path, database_url: str, redis_url: str = "", workers: int = 1, **settings: str
    ) -> None:
        super().__init__(folder)
        self.url = f"http://127.0.0.1:{self.port}"
        self._workers = workers
        self._settings = {
            "MEILIN_DATABASE_URL": database_url,
            "MEILIN_REDIS_URL": redis_url,
            "MEILIN_PUBLIC_URL": self.url,
            "MEILIN_METRICS_TOKEN": METRICS_TOKEN,
        } | settings

    def command(self) -> dict[str, Any]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MEILIN_")}
        serve = ["serve", "--port", str(self.port), "--workers", str(self._workers)]
        return {
            "args": [sys.executable, "-c", "from api.cli import main; main()", *serve],
            "cwd": ROOT,
            "env": clean | {"PYTHONPATH": str(ROOT)} | self._settings,
        }

    async def answers(self) -> bool:
        with suppress(httpx2.TransportError):
            async with httpx2.AsyncClient(timeout=5) as client:
                return bool((await client.get(f"{self.url}/health/ready")).status_code == 200)
        return False

    async def health(self) -> str:
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            return str((await client.get(f"{self.url}/health/ready")).json()["status"])

    async def watchers(self) -> int:
        """As it tells Prometheus, of all its workers."""
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            lines = (await client.get(f"{self.url}/metrics", headers=TRUSTED)).text.splitlines()
        (said,) = (line for line in lines if line.startswith("meilin_watchers "))
        return int(float(said.split()[1]))

    async def in_hand(self) -> dict[str, float]:
        """What a lone process holds while it answers this: requests, sockets, tasks, connections out."""
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            text = (await client.get(f"{self.url}/metrics", headers=TRUSTED)).text
        found = {
            " ".join((sample.name.removeprefix("meilin_"), *sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        held = {name: found[name] for name in ("under_way", "sockets", "watchers", "tasks")}
        return held | {"out": found["database_connections"] - found["database_connections_free"]}

    @property
    def workers(self) -> list[int]:
        """The processes that serve, where there are several."""
        return [pid for pid in self.pids[1:] if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def faults(self) -> list[str]:
        """What it logged as an error, or said without being asked."""
        return [line for line in self.log().splitlines() if '"error"' in line or "Traceback" in line]

    def unsent(self) -> int:
        """Bytes that wait in its lines for somebody to read them."""
        lines = Path("/proc/net/tcp").read_text().split("\n")[1:-1]
        port = f"0100007F:{self.port:04X}"
        return sum(int(line.split()[4].split(":")[0], 16) for line in lines if line.split()[1] == port)
