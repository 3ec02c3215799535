"""Runs the app under uvicorn, as it was measured to run best."""

import uvicorn

from api.app import create_app
from api.logs import configure
from api.settings import Settings

LARGEST_MESSAGE = 64 * 1024
GRACE = 10
"""Seconds for requests under way when the server is told to stop."""


def serve(settings: Settings, host: str, port: int) -> None:
    configure(settings.log_level)
    uvicorn.run(
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
