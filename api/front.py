"""What a client may do before the app hears of it: heads of bounded size, in bounded time, on a bounded
number of connections.

It adds to uvicorn's `HttpToolsProtocol` what that lacks: bounds of size and time (uvicorn#157, uvicorn#160),
the host of an absolute target (uvicorn#3097), trailers that are no headers, a handshake parsed once, and
word of a client's end to each request that it sent. That class is not documented. Beside what asyncio and
httptools call, which they document, this module asks uvicorn for these names, and for no others:

    HttpToolsProtocol       client, config, connections, cycle, flow, headers, parser, pipeline, scope,
                            server_state, shutdown, transport, url,
                            handle_websocket_upgrade, on_response_complete, send_400_response (which it calls)
    RequestResponseCycle    disconnected, message_event, more_body, response_complete, response_started
    FlowControl             pause_reading
    ServerState             default_headers
"""

import asyncio
import secrets
import sys
from http import HTTPStatus
from typing import Any, NoReturn

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.answers import errors_of
from api.bodies import PATIENCE as BODY
from api.bodies import Unread
from api.connections import Connections
from api.frames import FrameProtocol
from community.errors import ErrorCode, without_frames

LARGEST_HEAD = 32 * 1024
"""Bytes of the line of a request with its headers and trailers, and of anything else that is no body."""

LEAST_OF_HEADER = len(": \r\n")
MOST_HEADERS = 200
MOST_AT_ONCE = 32
"""Requests that may be sent before the first of them is answered."""

PATIENCE = 10.0
"""Seconds for a head from its first byte on, and before that."""

TAKING = 30.0
"""Seconds in which a client takes some of an answer that lies here for it."""

LINGER = 2.0
"""Seconds in which a client that was refused, and may still be sending, can read why."""

RETRY_AFTER = 5


class Malformed(Unread):
    status = 400
    code = ErrorCode.INVALID_INPUT
    zh = "请求的写法不对。"
    en = "This is not a well-formed HTTP request."


class TargetTooLong(Unread):
    status = 414
    code = ErrorCode.INVALID_INPUT
    zh = "请求的网址太长；查询可以用 POST 发送。"
    en = "The address asked for is too long; a query can be sent by POST."


class HeadTooLarge(Unread):
    status = 431
    code = ErrorCode.INVALID_INPUT
    zh = "请求的头部太大。"
    en = "The headers of the request are too large."


class TooManyAtOnce(Unread):
    status = 429
    code = ErrorCode.TRY_AGAIN
    zh = "一次发来的请求太多。"
    en = "Too many requests were sent at once."


class HeadTooSlow(Unread):
    status = 408
    code = ErrorCode.TRY_AGAIN
    zh = "请求没有发完，请再试一次。"
    en = "The request did not come to its end; please try again."


class Crowded(Unread):
    status = 503
    code = ErrorCode.TRY_AGAIN
    zh = "连接太多，请稍后再试。"
    en = "There are too many connections; please try again."


class Http(HttpToolsProtocol):
    """Where several requests were sent at once, stock uvicorn tells only the last that the client hung up:
    the one that is being answered writes on to a closed connection, which ends as a fault in the log.
    """

    _answered: RequestResponseCycle | None = None
    _refusal: Unread | None = None
    _in_head = _refused = _upgraded = False
    _begun = False
    """Anything since the last request ended."""
    _size = _unknown = 0
    """Of the head, as far as it was read; of what came since anything was read."""
    _unsent = sys.maxsize
    """Of its answers, when we last looked."""

    def __init__(self, connections: Connections, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections = connections

    # From the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._connections.enter(self, self.client[0] if self.client else "", PATIENCE):
            self._refused = True
            self._say(Crowded())
            transport.close()

    def data_received(self, data: bytes) -> None:
        if not (self._begun or self._under_way):
            self._begun = True
            self._connections.wait(self, PATIENCE)
        for start in range(0, len(data), LARGEST_HEAD):
            if self._refused or self._upgraded:
                return
            piece = data[start : start + LARGEST_HEAD]
            self._unknown += len(piece)
            super().data_received(piece)
            if self._unknown > LARGEST_HEAD:
                self._refuse(self._too_large())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent = sys.maxsize
        self._connections.wait(self, TAKING)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._under_way:
            self._connections.work(self)
        else:
            self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.leave(self)
        self._hang_up()
        self._answered = None
        super().connection_lost(exc)
        if self.pipeline:  # nobody begins them any more, and each keeps us
            self.pipeline.clear()
            self.cycle = None  # type: ignore[assignment] # the last of them

    # From the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._size = True, 0

    def on_url(self, url: bytes) -> None:
        self._size += len(url)
        if self._size > LARGEST_HEAD:
            self._stop(self._too_large())
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._size += len(name) + len(value) + LEAST_OF_HEADER
        if self._size > LARGEST_HEAD:
            self._stop(self._too_large())
        if self._in_head:  # else it is a trailer, which is none of the headers (RFC 9110 §6.5.1)
            if len(self.headers) == MOST_HEADERS:
                self._stop(HeadTooLarge())
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._unknown = False, 0
        if len(self.pipeline) >= MOST_AT_ONCE:
            self._stop(TooManyAtOnce())
        if not self.url.startswith(b"/"):
            self._take_host_of_target()
        super().on_headers_complete()
        if not self.pipeline:
            self._answered = self.cycle
        if self._under_way:  # else it becomes a socket at once
            self._connections.wait(self, BODY + LINGER)

    def on_body(self, body: bytes) -> None:
        self._unknown = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unknown = 0
        super().on_message_complete()
        if self._under_way:
            self._connections.work(self)
        elif not self.parser.should_upgrade():
            self._rest()

    def _too_large(self) -> Unread:
        return TargetTooLong() if self._in_head and len(self.url) > LARGEST_HEAD // 2 else HeadTooLarge()

    def _stop(self, refusal: Unread) -> NoReturn:
        """Ends the parsing; uvicorn then calls `send_400_response`."""
        self._refusal = refusal
        raise refusal

    def _take_host_of_target(self) -> None:
        """As proxies are asked: a host in the line of the request counts first (RFC 9112 §3.2.2)."""
        host, port = (target := httptools.parse_url(self.url)).host, target.port
        if host and sum(name == b"host" for name, _ in self.headers) == 1:
            given = b"[%b]" % host if b":" in host else host
            named = b"%b:%d" % (given, port) if port else given
            self.headers[:] = [(name, named if name == b"host" else value) for name, value in self.headers]

    # From uvicorn

    def on_response_complete(self) -> None:
        if self.pipeline:
            self._answered = self.pipeline[-1][0]
        super().on_response_complete()
        if not self._under_way:
            self._rest()

    def handle_websocket_upgrade(self) -> None:
        self._upgraded = True
        self.connections.discard(self)
        self._connections.become_socket(self)
        frames = FrameProtocol(self.config, self.server_state, self._connections.lose_socket)
        frames.take_over(self.transport, self.scope, self.url)
        # It and its parser hold each other: without this they would wait for the collector with the socket.
        del self.parser

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._refusal or Malformed())

    # From those who count connections

    def overdue(self) -> None:
        """A slow connection is not one that stands still."""
        if 0 < (unsent := self.transport.get_write_buffer_size()) < self._unsent:
            self._unsent = unsent
            self._connections.wait(self, TAKING)
        elif self._refused or self._under_way or self.transport.is_closing():
            self.transport.abort()
        elif self._in_head:
            self._refuse(HeadTooSlow())
        else:
            self.transport.close()
            self._connections.wait(self, LINGER)

    def shed(self) -> None:
        self.transport.abort()

    # Itself

    @property
    def _under_way(self) -> bool:
        """A request that is not answered yet."""
        return not getattr(self.cycle, "response_complete", True)  # there is none before the first

    def _rest(self) -> None:
        """Nothing is under way: who now sends a byte begins a head."""
        self._begun, self._unsent = False, sys.maxsize
        self._connections.wait(self, PATIENCE)

    def _refuse(self, refusal: Unread) -> None:
        """Reads no more. What was asked before is answered first, where there is anything."""
        self._refusal = None  # it came through our frames, which keep us
        without_frames(refusal)
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._connections.wait(self, LINGER)
        if self._under_way and not self._waits_for_the_rest:
            self.shutdown()
            return
        self._hang_up()
        self._say(refusal)
        self.flow.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    @property
    def _waits_for_the_rest(self) -> bool:
        """The only request under way is the one that is refused, and nobody has begun to answer it."""
        return self._answered is self.cycle and self.cycle.more_body and not self.cycle.response_started

    def _hang_up(self) -> None:
        """For whoever is answering the client is gone."""
        if self._answered and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()

    def _say(self, refusal: Unread) -> None:
        number = secrets.token_hex(4)
        body = orjson.dumps(errors_of(refusal, number))
        status = HTTPStatus(refusal.status)
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        lines += [b"%b: %b" % header for header in self.server_state.default_headers]
        lines += [f"{name}: {value}".encode() for name, value in _headers(refusal, number, len(body)).items()]
        self.transport.write(b"\r\n".join([*lines, b"", body]))


def _headers(refusal: Unread, number: str, length: int) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "content-length": str(length),
        "cache-control": "private, no-store",
        "vary": "Cookie, Authorization",
        "x-content-type-options": "nosniff",
        "x-request-id": number,
        "connection": "close",
    }
    return headers | ({"retry-after": str(RETRY_AFTER)} if isinstance(refusal, Crowded) else {})
