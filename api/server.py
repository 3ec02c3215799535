"""Runs the app under uvicorn, as it was measured to run best."""

import os
import socket
from typing import Any

import uvicorn
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.app import create_app
from api.logs import configure
from api.settings import Settings

LARGEST_MESSAGE = 64 * 1024

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

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()
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
        "ws": "websockets-sansio",
        "ws_max_size": LARGEST_MESSAGE,
        "ws_per_message_deflate": False,
        "timeout_graceful_shutdown": GRACE,
        "access_log": False,
        "log_config": None,
        "server_header": False,
    }


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    configure(settings.log_level)
    if workers == 1:
        _Server(uvicorn.Config(create_app(settings), **_options(host, port))).run()
        return
    os.environ["MEILIN_PUBLIC_URL"] = settings.public_url  # the workers read their settings for themselves
    print(_welcome(settings.public_url, port), flush=True)  # noqa: T201
    uvicorn.run("api.app:from_environment", factory=True, workers=workers, **_options(host, port))
