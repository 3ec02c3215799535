"""The programs of the bench: built, pinned to a core, spoken to in lines, and gone in the end."""

import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
VAR = HERE.parent / "var" / "bench"
PAGE = os.sysconf("SC_PAGE_SIZE")
CPU_OF_PROCESS = 2
"""With the complement of a process's id above it a clock of Linux, as `clock_getcpuclockid` makes one."""

LONGEST_LINE = 1 << 28
PATIENCE = 600.0
"""Seconds for an answer; stock Strawberry takes its time over thousands of handshakes."""


def two_cores() -> tuple[int, int]:
    """The server's, and that of everybody else."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def allow_many_files() -> int:
    """How many descriptors this process and its children may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def build(name: str) -> Path:
    VAR.mkdir(parents=True, exist_ok=True)
    program = VAR / name
    command = ["cc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(HERE / f"{name}.c")]
    subprocess.run(command, check=True)  # noqa: S603
    return program


def free_port() -> int:
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return int(any_socket.getsockname()[1])


class Child:
    """Told in lines, answers in lines of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        if not line:
            raise RuntimeError(f"a program of the bench ended; see {VAR}/errors.log")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def send(self, *command: object) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(" ".join(map(str, command)).encode() + b"\n")

    async def ask(self, *command: object) -> dict[str, Any]:
        self.send(*command)
        return await self.answer()

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None

    @property
    def memory(self) -> int:
        """Bytes of it that are in memory now."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * PAGE

    @property
    def cpu(self) -> float:
        """Seconds of it that all threads of this program have used, to the nanosecond."""
        return time.clock_gettime(~self._process.pid << 3 | CPU_OF_PROCESS)


@asynccontextmanager
async def running(*command: object) -> AsyncIterator[Child]:
    """Ends it by its own id, whatever happened."""
    with (VAR / "errors.log").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LONGEST_LINE,
        )
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_it_listens(port: int, child: Child) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if child.ended:
            raise RuntimeError(f"the server ended; see {VAR}/errors.log")
        await asyncio.sleep(0.05)
    raise TimeoutError("the server does not listen")


@asynccontextmanager
async def server(core: int, *options: str) -> AsyncIterator[tuple[Child, int]]:
    """`python -m bench.server`, and its port."""
    port = free_port()
    command = (sys.executable, "-m", "bench.server", "--core", core, "--port", port, *options)
    async with running(*command) as child:
        await _until_it_listens(port, child)
        yield child, port
