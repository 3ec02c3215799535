"""Signing in and out, and the viewer of a request."""

from datetime import datetime, timedelta
from math import ceil

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api import bodies
from api.answers import json_answer, refusal
from api.clock import utc_now
from api.limits import RateLimit
from api.origins import Origins
from api.settings import Settings
from community.errors import ErrorCode, InvalidInput, Refused, Unauthenticated
from community.members.actions import end_session, sign_in_demonstration
from community.members.reads import viewer_of, why_nobody
from community.members.rules import may_be_secret
from community.permissions import NOBODY, Person, Visitor

COOKIE = "meilin_session"
LIFETIME = timedelta(days=30)


class WithoutBearer(Unauthenticated):
    zh = "请在令牌前面写上 Bearer：Authorization: Bearer 令牌。"
    en = "Write the word Bearer before the token: Authorization: Bearer TOKEN."


class SignInsExhausted(Refused):
    code = ErrorCode.TRY_AGAIN
    zh = "从这个网络登录得太频繁，请过一会儿再试。"
    en = "Too many sign-ins from this network; please try again in a while."

    def __init__(self, wait: float) -> None:
        super().__init__()
        self.retry_after = ceil(wait)


class ForeignOrigin(Refused):
    code = ErrorCode.FORBIDDEN
    zh = "这个请求用了登录的 Cookie，却不是从本站的页面发出的。"
    en = "This request relies on the cookie but does not come from our own page."


def bearer(authorization: str) -> str:
    """Returns the secret of `Bearer …`. Raises WithoutBearer if the scheme is another one."""
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise WithoutBearer
    return secret.strip()


def secret_of(authorization: str | None, cookie: str | None) -> str | None:
    """Returns the token, else the cookie. Raises WithoutBearer if the scheme is not Bearer."""
    return cookie if authorization is None else bearer(authorization)


async def viewer_behind(secret: str | None, now: datetime, *, strict: bool) -> Person | Visitor:
    """Returns the secret's viewer, NOBODY without one. `strict`: raises Unauthenticated if it is not
    valid.
    """
    if secret is None:
        return NOBODY
    viewer = await viewer_of(secret, now)
    if viewer is None and strict:
        raise await why_nobody(secret)
    return viewer or NOBODY


def session_cookie(request: Request) -> str | None:
    """Returns the cookie's secret; None if it does not even look like one."""
    secret = request.cookies.get(COOKIE)
    return secret if secret is not None and may_be_secret(secret) else None


def cookie_of(request: Request, origins: Origins) -> str | None:
    """Returns the cookie's secret; None on an allowed page of another origin, which has to send a token.
    Raises ForeignOrigin if a POST with the cookie comes from any other page.
    """
    if (secret := request.cookies.get(COOKIE)) is None or _from_our_page(request, origins):
        return secret
    origin = request.headers.get("origin")
    if origin is not None and origins.answer_to(origin):
        return None
    if request.method == "POST":
        raise ForeignOrigin
    return secret


def _from_our_page(request: Request, origins: Origins) -> bool:
    headers = request.headers
    return origins.own(headers.get("origin"), request.url.scheme, headers.get("host", ""))


class Sessions:
    """POST and DELETE /session."""

    def __init__(self, settings: Settings, origins: Origins) -> None:
        self._settings, self._origins = settings, origins
        self._limit = RateLimit(settings.sign_ins_per_address)

    async def answer(self, request: Request) -> Response:
        return await (self.sign_in if request.method == "POST" else self.sign_out)(request)

    async def sign_in(self, request: Request) -> Response:
        """Sets a cookie for a demonstration account; ends the session that the browser had before."""
        try:
            if request.headers.get("origin") is not None and not _from_our_page(request, self._origins):
                raise ForeignOrigin
            bodies.check_json(request)
            if wait := self._limit.take(request.client.host if request.client else ""):
                return refusal(SignInsExhausted(wait), 429)
            account = await _requested_account(request)
            before = session_cookie(request)
            secret = await sign_in_demonstration(
                NOBODY, utc_now(), account, lifetime=LIFETIME, replacing=before
            )
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
            secure=self._settings.secure,
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        """Ends the session of the cookie, and that of the token that comes with it."""
        response = await self._ended(request)
        response.headers["clear-site-data"] = '"cache"'  # with what the browser kept of own answers
        response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=self._settings.secure)
        return response

    async def _ended(self, request: Request) -> Response:
        authorization, cookie = request.headers.get("authorization"), session_cookie(request)
        try:
            if cookie is not None:
                viewer = await viewer_behind(cookie, utc_now(), strict=False)
                if isinstance(viewer, Person):
                    await end_session(viewer, utc_now(), cookie)
            if authorization is not None:
                secret = bearer(authorization)
                viewer = await viewer_behind(secret, utc_now(), strict=True)
                await end_session(viewer, utc_now(), secret)
        except Refused as refused:
            return refusal(refused)
        return Response(status_code=204)


async def _requested_account(request: Request) -> str:
    try:
        body = orjson.loads(await bodies.read(bodies.BoundedRequest(request.scope, request.receive)))
        account = body["account"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        account = None
    if not isinstance(account, str):
        raise InvalidInput(problem_zh='写成 {"account": "…"} 的样子', problem_en='send {"account": "…"}')
    return account
