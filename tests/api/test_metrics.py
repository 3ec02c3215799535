from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from api.metrics import Measured, Metrics
from community.database import journal


def samples(text: str) -> dict[tuple[str, str], float]:
    """Values by name and status."""
    return {
        (sample.name, sample.labels.get("status", sample.labels.get("le", ""))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def app(metrics: Metrics) -> Starlette:
    def fine(request: Request) -> PlainTextResponse:
        return PlainTextResponse("")

    return Starlette(routes=[Route("/fine", fine)], middleware=[Middleware(Measured, metrics=metrics)])


async def shown(metrics: Metrics) -> dict[tuple[str, str], float]:
    response = await metrics.show(Request({"type": "http"}))
    assert response.headers["content-type"].startswith("text/plain")
    return samples(bytes(response.body).decode())


async def test_requests_are_counted_by_status_and_timed(house: Any) -> None:
    metrics = Metrics(lambda: 0)
    client = TestClient(app(metrics))
    for path in ("/fine", "/fine", "/none"):
        client.get(path)
    found = await shown(metrics)
    assert found["meilin_http_requests_total", "200"] == 2
    assert found["meilin_http_requests_total", "404"] == 1
    assert found["meilin_http_request_seconds_count", ""] == 3


async def test_watchers_and_the_head_are_those_of_the_moment(house: Any) -> None:
    watching = [3]
    metrics = Metrics(lambda: watching[0])
    found = await shown(metrics)
    assert found["meilin_watchers", ""] == 3
    assert found["meilin_journal_head", ""] == await journal.head()
    watching[0] = 4
    assert (await shown(metrics))["meilin_watchers", ""] == 4


async def test_two_apps_in_one_process_count_apart(house: Any) -> None:
    first, second = Metrics(lambda: 0), Metrics(lambda: 0)
    TestClient(app(first)).get("/fine")
    assert ("meilin_http_requests_total", "200") in await shown(first)
    assert ("meilin_http_requests_total", "200") not in await shown(second)
