"""`meilin serve` whose loop says how long it was held: CPU time of its thread between two of its turns.

`python -m tests.stranger.turning --port N`, with STRANGER_TURNS naming a file to which each long stretch is
added as a line of milliseconds. Wall time says nothing here: a busy machine holds every loop.
"""

import argparse
import asyncio
import os
import socket
import time
from pathlib import Path

from api import server
from api.settings import Settings

WHERE = "STRANGER_TURNS"
WORTH_TELLING = 0.02
EVERY = 0.001
"""Seconds between two looks; between them the loop turns as often as it likes, which adds so much at most."""


class _Turning(server._Server):
    _turns: asyncio.Task[None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._turns = asyncio.create_task(tell_of_long_stretches(Path(os.environ[WHERE])))


async def tell_of_long_stretches(file: Path) -> None:
    """Until cancelled."""
    last = time.thread_time()
    while True:
        await asyncio.sleep(EVERY)
        now = time.thread_time()
        if now - last > WORTH_TELLING:
            with file.open("a") as lines:
                lines.write(f"{1000 * (now - last):.1f}\n")
        last = time.thread_time()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    port: int = options.parse_args().port
    server._Server = _Turning  # type: ignore[misc]
    server.serve(Settings.from_environment(port=port), "127.0.0.1", port, 1)


if __name__ == "__main__":
    main()
