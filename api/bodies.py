"""Bodies of requests: read whole, and never more than a request of ours needs."""

from starlette.requests import Request

from community.errors import ErrorCode, Refused

LARGEST = 256 * 1024


class TooLarge(Refused):
    code = ErrorCode.INVALID_INPUT
    zh = "请求太大。"
    en = "The request is too large."


async def read(request: Request) -> bytes:
    """The body, which is also left where Starlette looks for it. Raises TooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise TooLarge
    request._body = bytes(body)
    return request._body
