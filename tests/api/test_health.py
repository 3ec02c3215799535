from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from api import health, probe
from api.clock import Clock
from api.probe import DatabaseProbe
from api.timers import Timers
from community.database import journal, work
from community.database.outcomes import WRITES
from community.errors import Late, NotFound, TryAgain, Unwritable
from realtime.broker import MemoryBroker


def settled() -> Clock:
    clock = Clock()
    clock.compare(clock.time_of_day(), clock.unset())
    return clock


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = Starlette(routes=[Route("/live", health.liveness), Route("/ready", health.readiness)])
    app.state.broker = MemoryBroker()
    app.state.probe = DatabaseProbe()
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

    monkeypatch.setattr(journal, "heads", head)
    response = client.get("/ready")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    names = ("broker", "clock", "database", "timers", "writes")
    assert response.json()["checks"] == dict.fromkeys(names, "ok")  # no number of anybody's actions


def test_it_is_not_ready_without_and_says_no_more_than_the_kind_of_fault(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> int:
        raise ConnectionRefusedError("postgres://meilin:secret@db")

    monkeypatch.setattr(journal, "heads", fail)
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.json()["status"] == "down"
    assert response.json()["checks"]["database"] == "ConnectionRefusedError"
    assert "secret" not in response.text


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a database that answers."""

    async def head() -> int:
        return 42

    monkeypatch.setattr(journal, "heads", head)


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
    monkeypatch.setattr(probe, "QUIET", 0.0)
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
    monkeypatch.setattr(probe, "QUIET", 0.0)
    assert client.get("/ready").json()["status"] != "ok"
    mended = True
    assert client.get("/ready").json()["status"] == "ok"
    assert len(tried) == 2


@pytest.fixture
def app(client: TestClient, head: None) -> Any:
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
    app.state.timers.given_up = {"open_vote": 1, "close_vote": 2}
    response = client.get("/ready")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["timers"] == "3 given up: 2 close_vote, 1 open_vote"
