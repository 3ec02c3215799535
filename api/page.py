"""The web bulletin as built by frontend/: one page for all its addresses, and its assets."""

import hashlib
import re
from base64 import b64encode
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.clock import utc_now
from api.settings import HOME

BUILT = HOME / "frontend" / "dist"
ADDRESSES = ("/", "/c/{slug}", "/c/{slug}/{rest:path}")
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


def _html(request: Request, file: Path, status: int = 200, *, explorer: bool = False) -> Response:
    """One built HTML file, which browsers ask for anew each time so that a deploy shows at once."""
    if not file.exists():
        return PlainTextResponse(NOT_BUILT, 503)
    html = file.read_text(encoding="utf-8").replace(TODAY, today(utc_now()))
    policy = _policy(html, request.headers["host"], explorer=explorer)
    headers = SECURITY | {"content-security-policy": policy, "cache-control": ANEW}
    return HTMLResponse(html, status, headers)


def today(now: datetime) -> str:
    """The day that stands on the paper before any script has run."""
    there = now.astimezone(ZoneInfo("Asia/Shanghai"))
    return f"{there.month} 月 {there.day} 日 星期{WEEKDAYS[there.weekday()]}"


class _Assets(StaticFiles):
    """File names carry a hash of what is in them."""

    async def check_config(self) -> None:
        """A page not yet built has no assets, which is no fault."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = FOR_EVER
        response.headers["x-content-type-options"] = "nosniff"
        return response


def routes(built: Path = BUILT) -> list[BaseRoute]:
    def show(request: Request) -> Response:
        return _html(request, built / "index.html")

    def explore(request: Request) -> Response:
        return _html(request, built / "graphiql.html", explorer=True)

    def file_at(name: str) -> Route:
        async def answer(request: Request) -> Response:
            if not (built / name).is_file():
                return _nothing()
            headers = {"cache-control": ANEW, "x-content-type-options": "nosniff"}
            return FileResponse(built / name, headers=headers, media_type=ROOT[name])

        return Route(f"/{name}", answer)

    return [
        *map(file_at, ROOT),
        *(Route(address, show) for address in ADDRESSES),
        Route("/graphiql", explore),
        Mount("/assets", _Assets(directory=built / "assets", check_dir=False)),
    ]


def not_found(request: Request, error: Exception) -> Response:
    """An address of nothing shows people the page, which says so, and programs a line.

    A file that is not there is never the page: a script of a release that is gone would be taken for one.
    """
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/assets/"):
        return _html(request, BUILT / "index.html", 404)
    return _nothing()


def _nothing() -> Response:
    return PlainTextResponse("Not Found\n", 404, {"cache-control": "no-store"})
