"""Whether the server lives and serves, for whoever looks after it."""

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from api.glance import Glance
from realtime.redis_broker import RedisBroker

DOWN = {"failing", "refused"}


async def live(request: Request) -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


async def ready(request: Request) -> Response:
    """Named checks: `down` without a database or while it takes no writes, `degraded` while another one that
    is not "ok" leaves us serving.

    Without Redis news come by the journal; while the clock is unsettled nothing opens or closes.
    """
    state = request.app.state
    glance: Glance = state.glance
    given_up = state.timers.given_up
    checks = {
        "broker": _broker(request),
        "clock": "unsettled" if state.clock.doubtful else "ok",
        "timers": f"{given_up} given up" if given_up else "ok",
        "writes": await glance.writes(),
    }
    try:
        await glance.head()
        checks["database"] = "ok"
    except Exception as error:
        checks["database"] = type(error).__name__
        return json_answer({"status": "down", "checks": checks}, 503)
    if DOWN & set(checks.values()):
        return json_answer({"status": "down", "checks": checks}, 503)
    whole = set(checks.values()) == {"ok"}
    return json_answer({"status": "ok" if whole else "degraded", "checks": checks})


def _broker(request: Request) -> str:
    broker = request.app.state.broker
    return "away" if isinstance(broker, RedisBroker) and not broker.connected else "ok"
