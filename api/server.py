"""Runs the app under uvicorn, as it was measured to run best."""

import socket

import uvicorn

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


class _Server(uvicorn.Server):
    """Says where it is once it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            url = self.config.app.state.settings.public_url  # type: ignore[union-attr]
            where = "" if self.config.port == 8000 else f" --url http://127.0.0.1:{self.config.port}"
            print(WELCOME.format(url=url, where=where), flush=True)  # noqa: T201 - for the person who started it


def serve(settings: Settings, host: str, port: int) -> None:
    configure(settings.log_level)
    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE,
        access_log=False,
        log_config=None,
        server_header=False,
    )
    _Server(config).run()
