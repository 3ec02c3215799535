"""Whether the server lives and serves, for whoever looks after it."""

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from community.database import journal


async def live(request: Request) -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


async def ready(request: Request) -> Response:
    """Named checks of what a request needs; 503 where one fails."""
    try:
        head = await journal.head()
        checks = {"database": "ok", "journal_head": head}
    except Exception as error:
        checks = {"database": type(error).__name__}
    good = checks["database"] == "ok"
    return json_answer({"status": "ok" if good else "down", "checks": checks}, 200 if good else 503)
