"""The whole app as a process of its own, through HTTP and real sockets."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import NotMigrated, create_app
from api.settings import Settings
from community.bulletin.actions import publish_notice
from community.bulletin.rules import NoticeKind
from community.permissions import SYSTEM
from tests.engines import execute, opened_alone
from tests.facts import written

pytestmark = pytest.mark.xdist_group("app")

CAST = "mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a) { id } }"
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version participating { heads } } }"
BULLETIN = (
    "subscription($id: ID!) { bulletin(communityId: $id) { kind subject { ... on Notice { title } } } }"
)


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/health/live", {200}),
        ("/health/ready", {200}),
        ("/metrics", {401}),  # 404 without the setting
        ("/", {200, 503}),  # 503 where the page is not built
        ("/c/spring", {200, 503}),
        ("/graphiql", {200, 503}),
        ("/nowhere", {404}),
        ("/c", {404}),
    ],
)
def test_every_address_answers(server: Any, path: str, statuses: set[int]) -> None:
    response = server.client.get(path)
    assert response.status_code in statuses
    assert "server" not in response.headers


async def test_it_says_that_it_is_ready_and_to_the_trusted_what_it_serves(server: Any) -> None:
    ready = server.client.get("/health/ready").json()
    checks = ("broker", "clock", "database", "timers", "writes")
    assert ready == {"status": "ok", "checks": dict.fromkeys(checks, "ok")}
    async with opened_alone(server.database_url):
        head = await written()
    assert f"meilin_journal_head {float(head)}" in server.metrics()


def test_a_large_answer_is_compressed(server: Any) -> None:
    names = " ".join(
        f"a{number}: communities {{ edges {{ node {{ name address }} }} }}" for number in range(25)
    )
    response = server.client.post("/graphql", json={"query": f"{{ {names} }}"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.json()["data"]["a24"]


async def test_sockets_and_requests_share_one_truth(server: Any) -> None:
    vote = server.town.id("Vote", "survey")
    async with server.socket() as first, server.socket("spring/resident-1") as second:
        for socket in (first, second):
            await socket.subscribe("a", PROGRESS, id=vote)
            message = await socket.receive()
            assert message["payload"]["data"]["voteProgress"]["participating"] == {"heads": 0}
        gauge = "meilin_watchers 2.0"
        assert gauge in server.metrics()
        answer = {"questionId": server.town.id("Question", "survey/0"), "choices": ["PARK"]}
        assert "errors" not in server.post(CAST, "spring/resident-1", v=vote, a=[answer])
        for socket in (first, second):
            message = await socket.receive()
            assert message["payload"]["data"]["voteProgress"]["participating"] == {"heads": 1}


async def test_what_another_process_writes_shows_too(server: Any) -> None:
    community = server.town.key("Community", "spring")
    async with server.socket() as socket:
        await socket.subscribe("a", BULLETIN, id=server.town.id("Community", "spring"))
        while "meilin_watchers 1.0" not in server.metrics():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        async with opened_alone(server.database_url):
            await publish_notice(
                SYSTEM, server.town.now, community, kind=NoticeKind.NOTICE, title="从别处来", body="。",
                organization=server.town.key("Organization", "spring/committee"),
            )  # fmt: skip
        item = (await socket.receive())["payload"]["data"]["bulletin"]
    assert item == {"kind": "NOTICE_PUBLISHED", "subject": {"title": "从别处来"}}


async def test_a_watch_that_ended_leaves_nothing(server: Any) -> None:
    for _ in range(3):
        async with server.socket() as socket:
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
            await socket.receive()
            await socket.subscribe("b", BULLETIN, id=server.town.id("Community", "spring"))
    async with asyncio.timeout(20):
        while "meilin_watchers 0.0" not in server.metrics():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_server_that_is_stopped_closes_its_sockets_and_ends(serve: Any, tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        async with server.socket() as socket:
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
            await socket.receive()
            server.process.terminate()
            assert await socket.until_closed() in (1001, 1012)
        assert await asyncio.to_thread(server.process.wait, 20) in (0, -15)
        assert '"level": "error"' not in server.log()
        assert "never retrieved" not in server.log()


def test_a_fault_outside_of_a_field_is_masked_too(serve: Any, tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        asyncio.run(execute(server.database_url, "ALTER TABLE session RENAME TO gone"))
        response = server.client.post(
            "/graphql", json={"query": "{ viewer { account } }"}, headers=server.bearer("spring/tenant")
        )
        assert response.status_code == 500
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "INTERNAL"
        assert error["extensions"]["requestId"] in server.log()
        assert "session" not in response.text


def test_a_database_that_lacks_migrations_is_refused(new_url: str) -> None:
    app = create_app(Settings(database_url=new_url))
    with (
        pytest.raises(NotMigrated, match=r"lacks 0001_initial, .*; run `meilin migrate` first"),
        TestClient(app),
    ):
        pass
