"""Whether the server lives and serves, for whoever looks after it."""

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from api.glance import Glance
from realtime.redis_broker import RedisBroker

DEGRADED = {"away", "late"}
DOWN = {"failing", "refused"}


async def live(request: Request) -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


async def ready(request: Request) -> Response:
    """Named checks: `degraded` while Redis is away (news come by the journal) or writes are late, `down`
    without a database or while it takes no writes.
    """
    glance: Glance = request.app.state.glance
    checks = {"broker": _broker(request), "writes": await glance.writes()}
    try:
        await glance.head()
        checks["database"] = "ok"
    except Exception as error:
        checks["database"] = type(error).__name__
        return json_answer({"status": "down", "checks": checks}, 503)
    if DOWN & set(checks.values()):
        return json_answer({"status": "down", "checks": checks}, 503)
    status = "degraded" if DEGRADED & set(checks.values()) else "ok"
    return json_answer({"status": status, "checks": checks})


def _broker(request: Request) -> str:
    broker = request.app.state.broker
    return "away" if isinstance(broker, RedisBroker) and not broker.connected else "ok"
