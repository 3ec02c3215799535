"""Bodies of requests: read whole, never more than a request of ours needs, and not for ever."""

import asyncio
import re
from typing import Any

from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from community.errors import ErrorCode, Refused

_KEY = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*+(:?)', re.DOTALL)

LARGEST = 256 * 1024

PATIENCE = 30.0
"""Seconds for a body to come: a client may vanish without hanging up, and would be waited for for ever."""


class Unread(Refused):
    status: int


class TooLarge(Unread):
    status = 413
    code = ErrorCode.INVALID_INPUT
    zh = "请求太大。"
    en = "The request is too large."


class TooSlow(Unread):
    status = 408
    code = ErrorCode.TRY_AGAIN
    retry_after = 1
    zh = "请求没有发完，请再试一次。"
    en = "The request did not come to its end; please try again."


class WrongMedia(Unread):
    status = 415
    code = ErrorCode.INVALID_INPUT
    zh = "请求的内容要用 application/json（UTF-8，不压缩）。"
    en = "The body of a request is application/json, in UTF-8 and not compressed."


def is_json(request: Request) -> bool:
    """Whether the body calls itself JSON as we read it; names of media types have no case (RFC 9110 §8.3)."""
    media, *params = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charsets = {part.removeprefix("charset=").strip('"') for part in params if part.startswith("charset=")}
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    return media == "application/json" and charsets <= {"utf-8", "utf8", "us-ascii"} and coding == "identity"


def check_json(request: Request) -> None:
    """Raises WrongMedia if the body of a POST is not JSON."""
    if request.method == "POST" and not is_json(request):
        raise WrongMedia


class BoundedRequest(Request):
    """A request that raises TooLarge as soon as too much of its body has come. `parsed`: what was made of it,
    if it was parsed before.
    """

    parsed: Any = None

    def __init__(self, scope: Scope, receive: Receive) -> None:
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST:
                raise TooLarge
            return message

        super().__init__(scope, bounded)


async def read(request: BoundedRequest) -> bytes:
    """Reads the body, which the request keeps for later readers. Raises TooLarge, TooSlow."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await request.body()
    except TimeoutError:
        raise TooSlow from None


def repeats_a_key(data: str | bytes, parsed: object) -> bool:
    """Whether of two equal keys of an object, of which readers take now the first and now the last, one was
    lost in `parsed`.
    """
    written = sum(map(len, _KEY.findall(data.encode() if isinstance(data, str) else data)))
    left, keys = [parsed], 0
    while left:
        value = left.pop()
        if isinstance(value, dict):
            keys += len(value)
            left += value.values()
        elif isinstance(value, list):
            left += value
    return keys != written
