import asyncio
import re
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from api.metrics import Metrics
from api.requests import Requests
from realtime.broker import MemoryBroker
from realtime.poller import JournalPoller
from realtime.request_id import request_id


def app() -> tuple[Starlette, Metrics]:
    def say(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request_id.get())

    broker = MemoryBroker()
    poller = JournalPoller(broker.dispatch)
    metrics = Metrics(poller)
    return Starlette(routes=[Route("/say", say)], middleware=[Middleware(Requests, metrics=metrics)]), metrics


def test_every_request_has_an_id_of_its_own_and_is_told_it() -> None:
    client = TestClient(app()[0])
    answers = [client.get("/say") for _ in range(3)]
    ids = [answer.text for answer in answers]
    assert ids == [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{8}", own) for own in ids)
    assert request_id.get() == ""


def test_requests_are_counted_by_status_and_timed() -> None:
    starlette, metrics = app()
    client = TestClient(starlette)
    for path in ("/say", "/say", "/none"):
        client.get(path)
    assert metrics.requests.labels(200)._value.get() == 2
    assert metrics.requests.labels(404)._value.get() == 1


async def test_what_is_under_way_is_counted_until_it_ends_also_by_hanging_up() -> None:
    begun = asyncio.Event()

    async def for_ever(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.Event().wait()

    metrics = app()[1]
    under_way = metrics.under_way._value
    asked: Any = Requests(for_ever, metrics)({"type": "http"}, None, None)  # type: ignore[arg-type]
    task = asyncio.create_task(asked)
    await begun.wait()
    assert under_way.get() == 1
    task.cancel()
    await asyncio.wait([task])
    assert under_way.get() == 0


def test_an_error_carries_the_id_of_its_request(server: Any) -> None:
    response = server.client.post("/graphql", json={"query": "{ nothing }"})
    (error,) = response.json()["errors"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
