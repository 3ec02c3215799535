"""Runs the app under uvicorn, as it was measured to run best."""

import logging
import os
import socket
import sys
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from uvicorn._types import ASGI3Application
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.supervisors import Multiprocess

from api.app import create_app, spare_the_collector
from api.lines import FrameProtocol
from api.logs import configure
from api.metrics import SHARED
from api.settings import Settings

LARGEST_MESSAGE = 64 * 1024

HEARTBEAT = 45.0
"""Seconds between two pings of a socket, less than what proxies wait; each of ten thousand costs a little."""

KNOCKING = 8192
"""Connections that may wait to be accepted, as when all screens come back at once."""

GRACE = 10
"""Seconds for requests under way when the server is told to stop."""

WELCOME = """
  美邻 Meilin  {url}

  {url}/c/meizai-meicheng   美哉美城：一件表决正在进行，一份满意度调查，第一届美邻节
  {url}/graphiql            GraphQL explorer

  登录 Sign in   右上角“登录”，选一个示范账号 (top right; residents 1 to 20 have not voted yet)
  令牌 Token     .venv/bin/meilin token meizai-meicheng/resident-1
  热闹起来       .venv/bin/meilin demo --alive{where}
"""


def _welcome(url: str, port: int) -> str:
    return WELCOME.format(url=url, where="" if port == 8000 else f" --url http://127.0.0.1:{port}")


class Http(HttpToolsProtocol):
    """Where several requests were sent at once, stock uvicorn tells only the last that the client hung up:
    the one that is being answered writes on to a closed line, which ends as a fault in the log.
    """

    _answered: RequestResponseCycle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        # It and its parser hold each other: without this they would wait for the collector with the socket.
        del self.parser

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()
        self._answered = None
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """Says where it is once it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            url = self.config.app.state.settings.public_url  # type: ignore[union-attr]
            print(_welcome(url, self.config.port), flush=True)  # noqa: T201 - for the person who started it


def _options(host: str, port: int) -> dict[str, Any]:
    return {
        "host": host,
        "port": port,
        "loop": "uvloop",
        "http": Http,
        "ws": FrameProtocol,
        "ws_max_size": LARGEST_MESSAGE,
        "ws_per_message_deflate": False,
        "backlog": KNOCKING,
        "ws_ping_interval": HEARTBEAT,
        "ws_ping_timeout": HEARTBEAT,
        "timeout_graceful_shutdown": GRACE,
        "access_log": False,
        "log_config": None,
        "server_header": False,
    }


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    configure(settings.log_level)
    if workers == 1:
        app = create_app(settings)
        spare_the_collector()
        _Server(uvicorn.Config(app, **_options(host, port))).run()
        return
    os.environ["MEILIN_PUBLIC_URL"] = settings.public_url  # the workers read their settings for themselves
    with TemporaryDirectory(prefix="meilin-metrics-") as folder:
        os.environ[SHARED] = folder
        config = uvicorn.Config(
            "api.app:from_environment", factory=True, workers=workers, **_options(host, port)
        )
        _supervise(config, settings.public_url)


def _supervise(config: uvicorn.Config, url: str) -> None:
    """As `uvicorn.run` does, but says how it ended, and which workers died: its lines hold no addresses."""
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
    supervisor = Multiprocess(config, sockets=[config.bind_socket()])
    print(_welcome(url, config.port), flush=True)  # noqa: T201
    supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        sys.exit(STARTUP_FAILURE)
