"""What a client has written itself, so that its next read is no older, whichever process answers it.

An answer to a mutation says the newest numbers of the journals that it wrote, as `community.number` or
`city.number`, with commas between. Browsers bring them back as cookies, who comes with a token as a header.
Over a socket the answer says it as an extension.
"""

import re
from secrets import token_hex

from starlette.requests import Request
from starlette.responses import Response

from community.database.journal import Heads

COOKIE, HEADER, EXTENSION = "meilin_seen", "meilin-seen", "meilinSeen"

LIFETIME = 10
"""Seconds: longer than any process may be behind."""

CITY = "city"

_ONE = rf"(?:[0-9]{{1,19}}|{CITY})\.[0-9]{{1,19}}"
_FORM = re.compile(rf"{_ONE}(?:,{_ONE}){{0,63}}", re.ASCII)


def seen_by(request: Request) -> Heads | None:
    """What the client says that it has seen; None where that cannot be read."""
    heads: dict[int | None, int] = {}
    cookies = [text for name, text in request.cookies.items() if name.startswith(COOKIE)]
    for text in (request.headers.get(HEADER), *cookies):
        if not text:
            continue
        if not _FORM.fullmatch(text):
            return None
        for part in text.split(","):
            name, number = part.split(".")
            community = None if name == CITY else int(name)
            heads[community] = max(int(number), heads.get(community, 0))
    return heads


def text_of(wrote: Heads) -> str:
    """As `seen_by` reads it."""
    return ",".join(
        f"{CITY if community is None else community}.{number}" for community, number in wrote.items()
    )


def say(response: Response, wrote: Heads, *, cookie: bool, secure: bool) -> None:
    text = text_of(wrote)
    response.headers[HEADER] = text
    if cookie:
        # Each answer has a cookie of its own: of two that come at once neither takes the other's place.
        response.set_cookie(
            f"{COOKIE}_{token_hex(4)}",
            text,
            max_age=LIFETIME,
            path="/graphql",
            httponly=True,
            samesite="lax",
            secure=secure,
        )
