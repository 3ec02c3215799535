"""Health checks: whether the process runs, and whether it can serve."""

from collections.abc import Mapping

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
    checks = {
        "broker": _broker(request),
        "clock": "unsettled" if state.clock.doubtful else "ok",
        "timers": _timers(state.timers.given_up),
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


def _timers(given_up: Mapping[str, int]) -> str:
    """Names them: an opening or a closing weighs more than a mail."""
    if not given_up:
        return "ok"
    each = ", ".join(f"{many} {job}" for job, many in sorted(given_up.items()))
    return f"{sum(given_up.values())} given up: {each}"


def _broker(request: Request) -> str:
    broker = request.app.state.broker
    return "away" if isinstance(broker, RedisBroker) and not broker.connected else "ok"
