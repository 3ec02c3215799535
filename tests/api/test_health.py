from collections.abc import Iterator
from datetime import datetime

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from api import glance, health
from api.glance import Glance
from community.database import journal, work
from community.database.outcomes import WRITES
from community.errors import Late, NotFound, TryAgain, Unwritable
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


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> None:
    async def head() -> int:
        return 42

    monkeypatch.setattr(journal, "head", head)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    WRITES.forget()
    yield
    WRITES.forget()


@pytest.mark.parametrize(
    ("error", "status", "said", "word"),
    [
        (None, 200, "ok", "ok"),
        (NotFound(), 200, "ok", "ok"),
        (TryAgain(), 200, "ok", "ok"),
        (Late(), 200, "degraded", "late"),
        (Unwritable(), 503, "down", "failing"),
    ],
)
def test_it_says_how_the_last_write_fared(
    client: TestClient, head: None, error: Exception | None, status: int, said: str, word: str
) -> None:
    WRITES.ended(error, wrote=True)
    response = client.get("/ready")
    assert (response.status_code, response.json()["status"]) == (status, said)
    assert response.json()["checks"]["writes"] == word
    WRITES.ended(None, wrote=True)
    assert client.get("/ready").json()["status"] == "ok"


def test_what_is_refused_until_a_restart_stays_down(
    client: TestClient, head: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance, "QUIET", 0.0)
    monkeypatch.setattr(work, "try_writing", None)  # nobody tries
    WRITES.refuse()
    for _ in range(2):
        response = client.get("/ready")
        assert (response.status_code, response.json()["status"]) == (503, "down")
        assert response.json()["checks"]["writes"] == "refused"


def test_a_write_that_waits_for_long_says_so_before_it_is_over(
    client: TestClient, head: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "longest_under_way", lambda: 2.0)
    assert client.get("/ready").json()["status"] == "ok"
    monkeypatch.setattr(work, "longest_under_way", lambda: 4.0)
    response = client.get("/ready")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")


@pytest.mark.parametrize("error", [Late, Unwritable])
def test_it_tries_by_itself_once_nobody_else_does(
    client: TestClient, head: None, monkeypatch: pytest.MonkeyPatch, error: type[TryAgain]
) -> None:
    tried, mended = [], False

    async def try_writing(_: datetime) -> None:
        tried.append(1)
        WRITES.ended(None if mended else error(), wrote=True)
        if not mended:
            raise error

    monkeypatch.setattr(work, "try_writing", try_writing)
    client.get("/ready")
    assert tried == []  # nothing failed
    WRITES.ended(error())
    assert client.get("/ready").json()["status"] != "ok"
    assert tried == []  # that was just now
    monkeypatch.setattr(glance, "QUIET", 0.0)
    assert client.get("/ready").json()["status"] != "ok"
    mended = True
    assert client.get("/ready").json()["status"] == "ok"
    assert len(tried) == 2
