"""Guards every page and answer: host names, security headers, and CORS."""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import refusal
from api.origins import Hosts, Origins
from api.representations import KEPT_BY_BROWSERS
from api.settings import Settings
from community.errors import ErrorCode, Refused

PROBES = "/health/"
"""Paths that any host name may ask for: probes do not know ours."""

DENIAL = "websocket.http.response"
"""The extension of ASGI by which a handshake is answered as a request is."""

PRIVATE = ("/graphql/", "/session/")
HSTS = "max-age=31536000"
"""A year, without subdomains, which may be others'."""

PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type, *",
    "access-control-max-age": "600",
}
READABLE = "x-request-id, retry-after, www-authenticate, etag, meilin-seen"


class ForeignHost(Refused):
    code = ErrorCode.INVALID_INPUT
    zh = "这个地址（Host）不是本站的。维护的人可以用 MEILIN_ALLOWED_HOSTS 加上它。"
    en = "This host is not ours. Whoever runs this server can add it to MEILIN_ALLOWED_HOSTS."


class Guard:
    """Refuses foreign host names, answers preflights, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = Hosts(settings.public_url, settings.allowed_hosts)
        self._origins = Origins(settings.public_url, settings.allowed_origins)
        self._everywhere = {"x-content-type-options": "nosniff"}
        if settings.secure:
            self._everywhere["strict-transport-security"] = HSTS

    def check(self, scope: Scope) -> None:
        """Raises ForeignHost if the Host of a request or handshake is not one of ours."""
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if not (self._hosts.ours(named) or self._probes(scope["path"])):
            raise ForeignHost

    async def turn_away(self, refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a handshake that opens no socket; some servers can only say 403."""
        if DENIAL in scope.get("extensions", {}):
            await refusal(refused)(scope, receive, self._marked(send, scope["path"], None))
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _probes(self, path: str) -> bool:
        """Whether it is a health check; with a slash at its end it would be redirected, to the given host."""
        return path.startswith(PROBES) and not path.endswith("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, headers = scope["path"], Headers(scope=scope)
        reader = self._reader(path, headers)
        answering = self._marked(send, path, reader)
        try:
            self.check(scope)
        except ForeignHost as refused:
            await refusal(refused)(scope, receive, answering)
            return
        if reader and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, answering)
        else:
            await self._app(scope, receive, answering)

    def _reader(self, path: str, headers: Headers) -> str | None:
        """The origin whose pages may read the answer, as access-control-allow-origin says it."""
        origin = headers.get("origin")
        return self._origins.answer_to(origin) if origin is not None and path == "/graphql" else None

    def _marked(self, send: Send, path: str, reader: str | None) -> Send:
        more: Mapping[str, str] = self._everywhere
        vary: list[str] = []
        if f"{path}/".startswith(PRIVATE):
            more = {**more, "cache-control": "private, no-store"}
            vary += "Cookie", "Authorization"
        if path == "/graphql" and self._origins.any_elsewhere:
            vary.append("Origin")
        if reader is not None:
            more = {**more, "access-control-allow-origin": reader, "access-control-expose-headers": READABLE}

        async def marked(message: Message) -> None:
            if message["type"].endswith("http.response.start"):
                headers = MutableHeaders(scope=message)
                tagged = headers.get("cache-control") == KEPT_BY_BROWSERS
                headers.update(more)
                if tagged:
                    headers["cache-control"] = KEPT_BY_BROWSERS
                for name in vary:
                    headers.add_vary_header(name)
            await send(message)

        return marked
