"""How a whole answer is sent: its media type, its coding, and the tag by which a browser asks about it."""

import gzip
from functools import cached_property, lru_cache
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

GRAPHQL_JSON, JSON = "application/graphql-response+json", "application/json"

KEPT_BY_BROWSERS = "private, no-cache"
"""Kept, and asked about each time: it may be another answer by then."""

LEAST_PACKED = 1024
"""Bytes of a text that is sent as gzip."""


class Text:
    """The JSON of an answer, which is hashed and packed once for all who get it."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    @cached_property
    def packed(self) -> bytes | None:
        """As gzip; None where it is too short to gain by that."""
        return gzip.compress(self.body, 6, mtime=0) if len(self.body) >= LEAST_PACKED else None

    @cached_property
    def hash(self) -> str:
        return blake2b(self.body, digest_size=16).hexdigest()


def respond(request: Request, text: Text, *, tagged: bool) -> Response:
    """`tagged`: the browser may keep it and ask about it; then it is a 304 if it has it. The tag is strong:
    another media type or coding has another one (RFC 9110 §8.8.3).
    """
    headers = request.headers
    media = media_type(headers.get("accept", ""))
    packed = text.packed if "gzip" in headers.get("accept-encoding", "") else None
    more = {"vary": "Accept" if len(text.body) < LEAST_PACKED else "Accept, Accept-Encoding"}
    if tagged:
        marks = f"{'-g' if media == GRAPHQL_JSON else ''}{'' if packed is None else '-z'}"
        tag = f'"{text.hash}{marks}"'
        more |= {"etag": tag, "cache-control": KEPT_BY_BROWSERS}
        if _names(headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=more)
    if packed is None:
        more["vary"] = "Accept"  # the middleware that might have packed it says the rest
    else:
        more["content-encoding"] = "gzip"
    return Response(packed or text.body, headers=more, media_type=f"{media}; charset=utf-8")


def _names(tags: str, tag: str) -> bool:
    """Whether If-None-Match names the tag; it compares weakly (RFC 9110 §13.1.2)."""
    return any(each.strip().removeprefix("W/") in (tag, "*") for each in tags.split(","))


@lru_cache(256)
def media_type(accept: str) -> str:
    """By weight, then by order; clients that say nothing get application/json as they always did."""
    weights: dict[str, tuple[float, int]] = {}
    for index, part in enumerate(accept.split(",")):
        media, *params = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in params if piece.startswith("q=")), "1")
        try:
            weights[media] = (float(weight), -index)
        except ValueError:
            continue
    nothing = (0.0, 0)
    mine = weights.get(GRAPHQL_JSON, nothing)
    return GRAPHQL_JSON if mine[0] > 0 and mine > weights.get(JSON, nothing) else JSON
