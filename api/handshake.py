"""The opening handshake (RFC 6455 §4.2), its head parsed as HTTP: messages of ASGI in, bytes out."""

from collections.abc import Iterable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from starlette.types import Message
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from community.errors import without_frames

DENIAL = "websocket.http.response"
"""The extension of ASGI by which an app answers a handshake as it answers a request."""

EXTENSION = "meilin.writer"
"""The extension by which it writes to the socket: a Writer."""


class Handshake:
    """`scope` is for the app, whose messages `answer` the client; `accepted`, one of them opened the socket.

    `refusal`: what a client is answered at once, without the app, if its head is no handshake.
    """

    __slots__ = ("_response", "_ws", "accepted", "refusal", "scope")

    def __init__(self, ws: ServerProtocol, request: Mapping[str, Any], target: bytes) -> None:
        requested = _request(request, target)
        self._ws, self._response = ws, ws.accept(requested)
        if ws.handshake_exc:
            without_frames(ws.handshake_exc)  # they keep us
        self.scope = _scope(request, requested)
        self.accepted = False
        self.refusal = b"" if self._is_open else self._response.serialize()

    @property
    def _is_open(self) -> bool:
        """Nothing was said against it."""
        return self._response.status_code == HTTPStatus.SWITCHING_PROTOCOLS

    def answer(self, message: Message) -> bytes:
        """What `message` of the app says to the client; nothing until a denial is complete.

        Raises RuntimeError if ASGI does not allow `message` now.
        """
        response = self._response
        match message["type"]:
            case "websocket.accept" if self._is_open:
                response.headers.update(_headers(message.get("headers") or ()))
                if subprotocol := message.get("subprotocol"):
                    response.headers["Sec-WebSocket-Protocol"] = subprotocol
                self.accepted = True
                self.scope.clear()  # it may be long
                return response.serialize()
            case "websocket.close" if self._is_open:
                return self.refuse(HTTPStatus.FORBIDDEN)
            case "websocket.http.response.start" if self._is_open:
                status = HTTPStatus(message["status"])
                self._response = Response(status.value, status.phrase, _headers(message.get("headers") or ()))
                return b""
            case "websocket.http.response.body" if not self._is_open:
                response.body += message.get("body", b"")
                if message.get("more_body"):
                    return b""
                response.headers.setdefault("Connection", "close")
                response.headers.setdefault("Content-Length", str(len(response.body)))
                return response.serialize()
            case kind:
                raise RuntimeError(f"{kind} does not answer a handshake now")

    def refuse(self, status: int) -> bytes:
        return self._ws.reject(status, "").serialize()


def _request(request: Mapping[str, Any], target: bytes) -> Request:
    """With the headers that a handshake is checked by; the others may be many."""
    asked = [
        (name, value)
        for name, value in request["headers"]
        if name.startswith(b"sec-websocket-") or name in (b"connection", b"upgrade")
    ]
    return Request(target.decode("ascii"), _headers(asked), request["method"])


def _scope(request: Mapping[str, Any], requested: Request) -> MutableMapping[str, Any]:
    path, _, query = requested.path.partition("?")
    offered = ",".join(requested.headers.get_all("Sec-WebSocket-Protocol"))
    return {
        "type": "websocket",
        "asgi": {"version": request["asgi"]["version"], "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "wss" if request["scheme"] == "https" else "ws",
        "path": request["root_path"] + unquote(path),
        "raw_path": (request["root_path"] + path).encode(),
        "query_string": query.encode(),
        "subprotocols": [name.strip() for name in offered.split(",")] if offered else [],
        "extensions": {DENIAL: {}},
        **{name: request[name] for name in ("server", "client", "root_path", "headers", "state")},
    }


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> Headers:
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs)
