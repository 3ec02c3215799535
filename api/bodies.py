"""Bodies of requests: read whole, never more than a request of ours needs, and not for ever."""

import asyncio

from starlette.requests import Request

from community.errors import ErrorCode, Refused

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


async def read(request: Request) -> bytes:
    """The body, which is also left where Starlette looks for it. Raises TooLarge, TooSlow."""
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST:
                    raise TooLarge
    except TimeoutError:
        raise TooSlow from None
    request._body = bytes(body)
    return request._body
