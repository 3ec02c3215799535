from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from api import health
from api.clock import Clock
from api.glance import Glance
from api.timers import Timers
from community.database import journal
from realtime.broker import MemoryBroker


def settled() -> Clock:
    clock = Clock()
    clock.compare(clock.time_of_day(), clock.unset())
    return clock


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = Starlette(routes=[Route("/live", health.live), Route("/ready", health.ready)])
    app.state.broker = MemoryBroker()
    app.state.glance = Glance()
    app.state.clock = settled()
    app.state.timers = Timers()
    with TestClient(app) as client:
        yield client


def test_it_lives_whatever_the_database_does(client: TestClient) -> None:
    response = client.get("/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_it_is_ready_when_the_journal_can_be_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def head() -> int:
        return 42

    monkeypatch.setattr(journal, "head", head)
    response = client.get("/ready")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["checks"] | {"database": "ok", "journal_head": 42} == response.json()["checks"]


def test_it_is_not_ready_without_and_says_no_more_than_the_kind_of_fault(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> int:
        raise ConnectionRefusedError("postgres://meilin:secret@db")

    monkeypatch.setattr(journal, "head", fail)
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.json()["status"] == "down"
    assert response.json()["checks"]["database"] == "ConnectionRefusedError"
    assert "secret" not in response.text


@pytest.fixture
def app(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of a database that answers."""

    async def head() -> int:
        return 42

    monkeypatch.setattr(journal, "head", head)
    return client.app


def test_it_is_degraded_while_its_clock_is_in_doubt(client: TestClient, app: Any) -> None:
    clock = app.state.clock
    clock.compare(clock.time_of_day() + 3600, clock.unset())
    response = client.get("/ready")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["clock"] == "unsettled"
    clock.forget()
    assert client.get("/ready").json()["checks"]["clock"] == "unsettled"
    app.state.clock = settled()
    assert client.get("/ready").json()["status"] == "ok"


def test_it_is_degraded_where_something_due_was_given_up(client: TestClient, app: Any) -> None:
    app.state.timers.given_up = 3
    response = client.get("/ready")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["timers"] == "3 given up"
