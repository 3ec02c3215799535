"""Health checks: whether the process runs, and whether it can serve."""

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from api.probe import DatabaseProbe
from realtime.redis_broker import RedisBroker

DOWN = {"failing", "refused"}


async def liveness(request: Request) -> Response:
    """Answers 200 as long as the process runs."""
    return json_answer({"status": "ok"})


async def readiness(request: Request) -> Response:
    """Answers with named checks, and 503 if the server is `down`: without a database, or while it takes no
    writes. It is `degraded` if another check is not "ok".

    Without Redis signals come by the journal; while the clock is unsettled no vote opens or closes.
    """
    state = request.app.state
    probe: DatabaseProbe = state.probe
    given_up = state.timers.given_up
    checks = {
        "broker": _broker(request),
        "clock": "unsettled" if state.clock.doubtful else "ok",
        "timers": f"{given_up} given up" if given_up else "ok",
        "writes": await probe.writes(),
    }
    try:
        await probe.heads()
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
