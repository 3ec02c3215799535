"""Signing in and out, and who a request comes from."""

from datetime import datetime, timedelta

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api import bodies
from api.answers import json_answer, refusal
from api.clock import utc_now
from api.settings import Settings
from community.errors import ErrorCode, InvalidInput, Refused, Unauthenticated
from community.members.actions import end_session, sign_in_demonstration
from community.members.reads import viewer_of
from community.permissions import NOBODY, SYSTEM, Viewer

COOKIE = "meilin_session"
LIFETIME = timedelta(days=30)


class ForeignOrigin(Refused):
    code = ErrorCode.FORBIDDEN
    zh = "这个请求不是从本站的页面发出的。"
    en = "This request relies on the cookie but does not come from our own page."


def bearer(authorization: str) -> str:
    """The secret in `Bearer …`. Raises Unauthenticated for any other scheme."""
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated
    return secret.strip()


def secret_of(authorization: str | None, cookie: str | None) -> str | None:
    """Whoever names a token means it, also beside a cookie. Raises Unauthenticated for another scheme."""
    return cookie if authorization is None else bearer(authorization)


async def viewer_behind(secret: str | None, now: datetime, *, strict: bool) -> Viewer:
    """NOBODY without a secret. `strict`: a secret that opens nothing raises Unauthenticated."""
    if secret is None:
        return NOBODY
    viewer = await viewer_of(secret, now)
    if viewer is None and strict:
        raise Unauthenticated
    return viewer or NOBODY


def check_origin(request: Request, settings: Settings) -> None:
    """A POST that relies on the cookie comes from our own page, as JSON. Raises ForeignOrigin."""
    if "authorization" in request.headers or COOKIE not in request.cookies:
        return
    if request.method == "POST" and not _from_our_page(request, settings):
        raise ForeignOrigin


def _from_our_page(request: Request, settings: Settings) -> bool:
    origin = request.headers.get("origin")
    own = {settings.public_url.rstrip("/"), f"{request.url.scheme}://{request.headers.get('host', '')}"}
    json_body = request.headers.get("content-type", "").split(";")[0].strip() == "application/json"
    return origin in own and json_body


async def sign_in(request: Request) -> Response:
    """POST /session: a cookie for a demonstration account."""
    settings: Settings = request.app.state.settings
    try:
        if not _from_our_page(request, settings) and request.headers.get("origin") is not None:
            raise ForeignOrigin
        account = await _account_asked(request)
        before = request.cookies.get(COOKIE)
        secret = await sign_in_demonstration(SYSTEM, utc_now(), account, lifetime=LIFETIME, replacing=before)
    except bodies.Unread as refused:
        return refusal(refused, refused.status)
    except Refused as refused:
        return refusal(refused)
    response = json_answer({"account": account})
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=settings.secure,
    )
    return response


async def _account_asked(request: Request) -> str:
    try:
        body = orjson.loads(await bodies.read(request))
        account = body["account"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        account = None
    if not isinstance(account, str):
        raise InvalidInput(problem_zh='写成 {"account": "…"} 的样子', problem_en='send {"account": "…"}')
    return account


async def sign_out(request: Request) -> Response:
    """DELETE /session: ends the session of the cookie."""
    if secret := request.cookies.get(COOKIE):
        await end_session(SYSTEM, utc_now(), secret)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return response
