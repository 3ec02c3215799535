"""Whether the server lives and serves, for whoever looks after it."""

from starlette.requests import Request
from starlette.responses import Response

from api.answers import json_answer
from realtime.redis_broker import RedisBroker


async def live(request: Request) -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


async def ready(request: Request) -> Response:
    """Named checks: `down` without a database, `degraded` while one that is not "ok" leaves us serving.

    Without Redis news come by the journal; while the clock is unsettled nothing opens or closes.
    """
    given_up = request.app.state.timers.given_up
    checks: dict[str, str | int] = {
        "broker": _broker(request),
        "clock": "unsettled" if request.app.state.clock.doubtful else "ok",
        "timers": f"{given_up} given up" if given_up else "ok",
    }
    whole = all(said == "ok" for said in checks.values())
    try:
        checks |= {"database": "ok", "journal_head": await request.app.state.glance.head()}
    except Exception as error:
        checks |= {"database": type(error).__name__}
        return json_answer({"status": "down", "checks": checks}, 503)
    return json_answer({"status": "ok" if whole else "degraded", "checks": checks})


def _broker(request: Request) -> str:
    broker = request.app.state.broker
    return "away" if isinstance(broker, RedisBroker) and not broker.connected else "ok"
