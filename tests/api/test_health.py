from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from api import health
from api.glance import Glance
from community.database import journal
from realtime.broker import MemoryBroker


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = Starlette(routes=[Route("/live", health.live), Route("/ready", health.ready)])
    app.state.broker = MemoryBroker()
    app.state.glance = Glance()
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
    assert response.json()["checks"] == {"broker": "ok", "database": "ok"}  # no number of anybody's deeds


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
