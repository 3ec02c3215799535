import asyncio
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from api.connections import Connections
from api.front import Http


class Line(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False


async def test_of_several_requests_at_once_none_is_answered_once_the_client_hung_up() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    state, line = ServerState(), Line()
    config = uvicorn.Config(app, log_config=None)
    config.load()
    protocol = Http(Connections(10, 10), config, state, {})
    protocol.connection_made(line)
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 3)
    await begun.wait()
    protocol.connection_lost(None)
    go_on.set()
    await asyncio.wait(state.tasks)
    assert line.written == b""
