"""Runs the app under uvicorn, as it was measured to run best.

Of uvicorn it asks for what is documented, and for `Server.startup`, which it extends, with `Server.started`.
"""

import logging
import os
import resource
import socket
import sys
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import uvicorn

from api.app import create_app, spare_the_collector
from api.connections import Connections
from api.frames import FrameProtocol
from api.front import Http
from api.logs import configure
from api.metrics import SHARED
from api.settings import Settings
from api.supervisor import FREEZING, Supervisor

LARGEST_MESSAGE = 64 * 1024

HEARTBEAT = 45.0
"""Seconds between two pings of a socket, less than what proxies wait; each of ten thousand costs a little."""

KNOCKING = 8192
"""Connections that may wait to be accepted, as when all screens come back at once."""

RESERVED, LEAST = 100, 10
"""File descriptors that are no connections: of the database, Redis, files; and the fewest connections."""

GRACE = 10
"""Seconds for requests under way when the server stops."""

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


class _Server(uvicorn.Server):
    """Prints the address once it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            url = self.config.app.state.settings.public_url  # type: ignore[union-attr]
            print(_welcome(url, self.config.port), flush=True)  # noqa: T201 - for the person who started it


def _descriptors() -> int:
    """How many files and connections a process may have open: as many as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems call the hard limit infinite and mean less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _options(settings: Settings, host: str, port: int) -> dict[str, Any]:
    most = max(LEAST, min(settings.connections, _descriptors() - RESERVED))
    return {
        "host": host,
        "port": port,
        "loop": "uvloop",
        "http": partial(Http, Connections(most, settings.connections_per_address)),
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
        "timeout_worker_healthcheck": int(FREEZING),  # of those that replace others on SIGHUP
    }


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    configure(settings.log_level)
    if workers == 1:
        app = create_app(settings)
        spare_the_collector()
        _Server(uvicorn.Config(app, **_options(settings, host, port))).run()
        return
    os.environ["MEILIN_PUBLIC_URL"] = settings.public_url  # the workers read their settings for themselves
    with TemporaryDirectory(prefix="meilin-metrics-") as folder:
        os.environ[SHARED] = folder
        config = uvicorn.Config(
            "api.app:from_environment", factory=True, workers=workers, **_options(settings, host, port)
        )
        _supervise(config, settings.public_url)


def _supervise(config: uvicorn.Config, url: str) -> None:
    """As `uvicorn.run` does, but says how it ended, and which workers died: its lines hold no addresses."""
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
    supervisor = Supervisor(config, sockets=[config.bind_socket()])
    Thread(target=_welcome_once_served, args=(supervisor, url), daemon=True).start()
    supervisor.run()
    if supervisor.exit_code:
        sys.exit(supervisor.exit_code)


def _welcome_once_served(supervisor: Supervisor, url: str) -> None:
    """Workers may take long to start; who is welcomed is served."""
    host, port = supervisor.sockets[0].getsockname()[:2]
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what it is bound to
    while not supervisor.should_exit.wait(0.2):
        with suppress(OSError, HTTPException), closing(HTTPConnection(near, port, timeout=5)) as connection:
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                print(_welcome(url, port), flush=True)  # noqa: T201 - for the person who started it
                return
