"""The web bulletin as built by frontend/: one page for all its addresses, and its assets.

An address is asked for before it is answered: what is not there, or not for whoever asks, is a 404 with the
page's own face; another way to write an address leads to the one; what everybody may see says so in `<head>`.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.addresses import Address, Kind, parse
from api.brief import Brief
from api.clock import utc_now
from api.finding import Found, find
from api.preview import TAGS, Language, Preview, head_of, language_of, plain, preview_of
from api.sessions import session_cookie, viewer_behind
from api.settings import HOME
from community.database.trouble import meaning
from community.errors import TryAgain
from community.members.reads import hash_of
from community.permissions import NOBODY

BUILT = HOME / "frontend" / "dist"
ADDRESSES = ("/", "/c/{slug}", "/c/{slug}/{rest:path}")
LANGUAGE = "meilin_language"
"""The cookie in which the page keeps what was chosen."""

FOR_EVER = "public, max-age=31536000, immutable"
ANEW = "no-cache"
"""To be asked for each time: what has no hash in its name may be another one after a release."""

ROOT = {
    "sw.js": "text/javascript",
    "release.json": "application/json",
    "manifest.webmanifest": "application/manifest+json",
    "icons/192.png": "image/png",
    "icons/512.png": "image/png",
    "icons/maskable.png": "image/png",
}
"""What browsers want by a name that stays, with its media type."""

TODAY = "<!--today-->"
WEEKDAYS = "一二三四五六日"
FOR_A_DAY = "public, max-age=86400"
NOT_BUILT = "The page is not built yet: run `make install`.\n"

SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": ", ".join(
        f"{name}=()"
        for name in (
            "camera",
            "microphone",
            "geolocation",
            "payment",
            "usb",
            "display-capture",
            "midi",
            "serial",
        )
    ),
}


def _policy(html: str, host: str, *, explorer: bool) -> str:
    """Only our own scripts, and those inline ones that the file itself has, by hash; `host`: as it was asked
    for, since to some browsers a socket of our own is not of 'self'.
    """
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", html, flags=re.S)
    hashes = [f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline]
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(hashes)}".strip(),
            "style-src 'self' 'unsafe-inline'" if explorer else "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            f"connect-src 'self' ws://{host} wss://{host}",
            "worker-src 'self' blob:" if explorer else "worker-src 'self'",
            "manifest-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


@lru_cache(maxsize=8)
def _text(file: Path, changed: int, size: int) -> str:
    """Of a built file, which another deploy replaces."""
    return file.read_text(encoding="utf-8")


def _built(file: Path) -> str | None:
    try:
        stat = file.stat()
    except FileNotFoundError:
        return None
    return _text(file, stat.st_mtime_ns, stat.st_size)


def _html(request: Request, text: str, built: str, status: int = 200, *, explorer: bool = False) -> Response:
    """Asked for anew each time, so that a deploy shows at once; `built`: the file whose scripts may run."""
    policy = _policy(built, request.headers["host"], explorer=explorer)
    body = text.replace(TODAY, today(utc_now())).encode()
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = SECURITY | {
        "content-security-policy": policy,
        "cache-control": ANEW,
        "etag": tag,
        "vary": "Accept-Language, Cookie",
    }
    if status == 200 and tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, media_type="text/html")


_TAG = re.compile(r'<html lang="[^"]*"')
_TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)


def _with_head(built: str, language: Language, head: str) -> str:
    text = _TAG.sub(lambda _: f'<html lang="{TAGS[language]}"', built, count=1)
    return _TITLE.sub(lambda _: head, text, count=1)


def today(now: datetime) -> str:
    """The day that stands on the paper before any script has run."""
    there = now.astimezone(ZoneInfo("Asia/Shanghai"))
    return f"{there.month} 月 {there.day} 日 星期{WEEKDAYS[there.weekday()]}"


class _Assets(StaticFiles):
    """File names carry a hash of what is in them, but for the pictures of previews, which others ask for."""

    async def check_config(self) -> None:
        """A page not yet built has no assets, which is no fault."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = FOR_A_DAY if path.startswith("preview-") else FOR_EVER
        response.headers["x-content-type-options"] = "nosniff"
        return response


Lookup = tuple[Address, str | None]
"""An address, and the secret of whoever asks; None for a stranger."""


async def look(lookup: Lookup) -> Found | None:
    address, secret = lookup
    now = utc_now()
    viewer = NOBODY if secret is None else await viewer_behind(secret, now, strict=False)
    return await find(viewer, address, now)


def _without_secret(lookup: Lookup) -> Lookup:
    """What is remembered of it: nobody who reads our memory signs in with that."""
    address, secret = lookup
    return address, None if secret is None else hash_of(secret)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The database did not say in time: the page itself will tell, and try again."""


class Pages:
    """Every address of the page. `origin`: how browsers reach us."""

    def __init__(
        self,
        origin: str,
        built: Path = BUILT,
        look: Callable[[Lookup], Coroutine[Any, Any, Found | None]] = look,
    ) -> None:
        self._origin, self._built = origin, built
        self._brief = Brief(look, _without_secret)

    def routes(self) -> list[BaseRoute]:
        return [
            *(Route(f"/{name}", self._file(name)) for name in ROOT),
            *(Route(address, self.show) for address in ADDRESSES),
            Route("/graphiql", self.explore),
            Mount("/assets", _Assets(directory=self._built / "assets", check_dir=False)),
        ]

    async def explore(self, request: Request) -> Response:
        built = _built(self._built / "graphiql.html")
        return (
            PlainTextResponse(NOT_BUILT, 503)
            if built is None
            else _html(request, built, built, explorer=True)
        )

    def _file(self, name: str) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        async def answer(request: Request) -> Response:
            if not (self._built / name).is_file():
                return _nothing()
            headers = {"cache-control": ANEW, "x-content-type-options": "nosniff"}
            return FileResponse(self._built / name, headers=headers, media_type=ROOT[name])

        return answer

    async def show(self, request: Request) -> Response:
        return await self._answer(request, _address_of(request))

    async def not_found(self, request: Request, error: Exception) -> Response:
        """Another way to write one of our addresses, or one of nothing: that shows people the page, which
        says so, and programs a line. A file that is not there is never the page: a script of a release that
        is gone would be taken for one.
        """
        if request.method in {"GET", "HEAD"} and not request.url.path.startswith("/assets/"):
            address = _address_of(request)
            if address or "text/html" in request.headers.get("accept", ""):
                return await self._answer(request, address)
        return _nothing()

    async def _answer(self, request: Request, address: Address | None) -> Response:
        built = _built(self._built / "index.html")
        if built is None:
            return PlainTextResponse(NOT_BUILT, 503)
        language = language_of(request.cookies.get(LANGUAGE), request.headers.get("accept-language", ""))
        found, public = (None, False) if address is None else await self._found(request, address)
        if isinstance(found, Found):
            if own := _another(request, address, found):
                return RedirectResponse(own, 301, headers={"cache-control": "no-cache", "vary": "Cookie"})
            preview = preview_of(found, language, utc_now()) if public else plain(language)
        else:
            preview = plain(language)
        return self._page(request, built, preview, 404 if found is None else 200)

    async def _found(self, request: Request, address: Address) -> tuple[Found | Unknown | None, bool]:
        """As everybody sees it, else as whoever has signed in; and whether it is everybody's."""
        if address.kind is Kind.HOME:
            return Found(address), True
        try:
            found = await self._brief.get((address, None))
            if found is not None:
                return found, True
            secret = session_cookie(request)
            return (None if secret is None else await self._brief.get((address, secret))), False
        except TimeoutError:
            return Unknown(), False
        except Exception as error:
            if isinstance(error, TryAgain) or meaning(error, reading=True):
                return Unknown(), False
            raise

    def _page(self, request: Request, built: str, preview: Preview, status: int) -> Response:
        head = head_of(preview, self._origin, exists=status == 200)
        return _html(request, _with_head(built, preview.language, head), built, status)


def _nothing() -> Response:
    return PlainTextResponse("Not Found\n", 404, {"cache-control": "no-store"})


def _address_of(request: Request) -> Address | None:
    return parse(request.scope["path"], request.scope["query_string"].decode("latin-1"))


def _another(request: Request, address: Address | None, found: Found) -> str | None:
    """Where the thing stands, if it was asked for elsewhere or otherwise; what else was asked goes along."""
    own, query = found.address, request.scope["query_string"].decode("latin-1")
    if address is not None and address.kind is not own.kind:
        return f"{own.whole}#{found.fragment}" if found.fragment else own.whole
    if request.scope["raw_path"].decode("latin-1") == own.path:
        return None
    return f"{own.path}?{query}" if query else own.path
