"""Whether the server lives and serves, for whoever looks after it."""

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from realtime.redis_broker import RedisBroker


async def live(request: Request) -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


async def ready(request: Request) -> Response:
    """Named checks: `degraded` while Redis is away (news come by the journal), `down` without a database."""
    checks = {"broker": _broker(request)}
    try:
        await request.app.state.glance.head()
        checks["database"] = "ok"
    except Exception as error:
        checks["database"] = type(error).__name__
        return json_answer({"status": "down", "checks": checks}, 503)
    status = "ok" if checks["broker"] == "ok" else "degraded"
    return json_answer({"status": status, "checks": checks})


def _broker(request: Request) -> str:
    broker = request.app.state.broker
    return "away" if isinstance(broker, RedisBroker) and not broker.connected else "ok"
