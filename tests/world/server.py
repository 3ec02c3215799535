"""A real server on a copy of the town, clients that speak to it, and commands."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.engines import METRICS_TOKEN, TRUSTED
from tests.services import free_port
from tests.world.town import Town

ROOT = Path(__file__).parents[2]


PATIENCE = 20
"""Seconds after which a test gives up on something that never comes; no test passes because of them."""


class Socket:
    """A client that speaks graphql-transport-ws one message at a time."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self) -> Any:
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self.connection.recv())

    async def init(self, **payload: Any) -> None:
        await self.send(type="connection_init", payload=payload)
        assert (await self.receive())["type"] == "connection_ack"

    async def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        await self.send(type="subscribe", id=id_, payload={"query": query, "variables": variables})

    async def until_closed(self) -> int:
        """The code with which the other side closes; what comes before is thrown away."""
        with suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE):
                while True:
                    await self.connection.recv()
        return int(self.connection.close_code)


class Server:
    """`meilin serve` as a process of its own, over a database that tests may also open."""

    def __init__(self, town: Town, database_url: str, port: int, log: Path) -> None:
        self.town, self.database_url, self.port, self._log = town, database_url, port, log
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx2.Client(base_url=self.url, timeout=PATIENCE)
        self.process: subprocess.Popen[bytes]

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def bearer(self, who: str | None) -> dict[str, str]:
        return {} if who is None else {"authorization": f"Bearer {self.town.tokens[who]}"}

    def metrics(self) -> str:
        """What it tells Prometheus."""
        response = self.client.get("/metrics", headers=TRUSTED)
        assert response.status_code == 200
        return response.text

    def post(self, query: str, who: str | None = None, **variables: Any) -> Any:
        """The whole answer to a GraphQL request, as JSON."""
        body = {"query": query, "variables": variables}
        return self.client.post("/graphql", json=body, headers=self.bearer(who)).json()

    @asynccontextmanager
    async def connection(self, **headers: str) -> AsyncIterator[Socket]:
        """An open socket on which nothing was said yet."""
        async with connect(
            f"ws://127.0.0.1:{self.port}/graphql",
            subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
            additional_headers=headers,
            open_timeout=PATIENCE,
            close_timeout=1,
        ) as connection:
            yield Socket(connection)

    @asynccontextmanager
    async def socket(self, who: str | None = None, **headers: str) -> AsyncIterator[Socket]:
        async with self.connection(**headers) as socket:
            await socket.init(**({} if who is None else {"Authorization": f"Bearer {self.town.tokens[who]}"}))
            yield socket


def meilin(*arguments: str, **environment: str) -> dict[str, Any]:
    """How a command of the house is started as a process."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MEILIN_") or name == "MEILIN_COMPILED"
    }
    return {
        "args": [sys.executable, "-c", "from api.cli import main; main()", *arguments],
        "cwd": ROOT,
        "env": clean | {"PYTHONPATH": str(ROOT)} | environment,
    }


def _ready(server: Server, process: "subprocess.Popen[bytes]") -> bool:
    """False where the process ended instead, as it does when somebody else was given its port."""
    end = time.monotonic() + 60
    while process.poll() is None:
        if time.monotonic() > end:
            raise TimeoutError(server.log())
        with suppress(httpx2.TransportError):
            if server.client.get("/health/ready").json()["status"] == "ok":  # with its line to Redis
                return True
        time.sleep(0.05)
    return False


@contextmanager
def served(
    town: Town, url: str, folder: Path, program: Sequence[str] | None = None, **environment: str
) -> Iterator[Server]:
    """A server of its own over a database; `program`: what runs it instead of `meilin serve`."""
    environment = town.engine.environment(url) | environment
    for attempt in range(3):
        server = Server(town, url, free_port(), folder / f"log-{attempt}")
        environment = {"MEILIN_PUBLIC_URL": server.url, "MEILIN_METRICS_TOKEN": METRICS_TOKEN} | environment
        with Path(server._log).open("wb") as log:
            command = meilin("serve", "--port", str(server.port), **environment)
            command |= {} if program is None else {"args": [*program, "--port", str(server.port)]}
            process = server.process = subprocess.Popen(**command, stdout=log, stderr=log)
        try:
            if _ready(server, process):
                yield server
                return
        finally:
            server.client.close()
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
    raise RuntimeError(server.log())


@pytest.fixture(scope="module")
def server(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of a module."""
    with town.engine.lent(town.url) as url, served(town, url, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def serve(town: Town, town_url: str) -> Callable[..., Any]:
    """For a test that needs a server of its own: `with serve(folder, MEILIN_…=…) as server`."""

    def start(folder: Path, program: Sequence[str] | None = None, **environment: str) -> Any:
        return served(town, town_url, folder, program, **environment)

    return start


@pytest.fixture(scope="session")
def command() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `meilin …` as a process of its own, to its end; `prepared`: what starting one takes."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            **meilin(*arguments, **environment),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    run.prepared = meilin  # type: ignore[attr-defined]
    return run
