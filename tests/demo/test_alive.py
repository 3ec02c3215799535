import json
from typing import Any

import httpx2
import pytest

from demo import alive
from demo.dishes import DISHES

VOTE = {
    "id": "vote-1",
    "title": "西门铺设台阶",
    "questions": [
        {"id": "q-1", "scope": None, "maxChoices": 1, "choices": [{"code": "FOR"}, {"code": "AGAINST"}]},
        {"id": "q-2", "scope": {"id": "b-9"}, "maxChoices": 1, "choices": [{"code": "FOR"}]},
    ],
}
FAIR = {
    "id": "event-1",
    "title": "第四届美城美邻节",
    "maxPartySize": 6,
    "potluck": True,
    "attendance": {"placesLeft": 113},
}
FULL = FAIR | {"id": "event-2", "attendance": {"placesLeft": 0}}


def _refusal(code: str) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": "", "extensions": {"code": code}}]}


class Server:
    """Answers as told, and remembers who asked for what."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str | None, dict[str, Any]]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        self.asked.append((request.headers.get("authorization"), body["variables"]))
        return httpx2.Response(200, json=self.answers.pop(0))


def _neighbours(server: Server, votes: list[Any], events: list[Any]) -> tuple[alive._Neighbours, list[str]]:
    said: list[str] = []
    client = httpx2.AsyncClient(base_url="http://test", transport=httpx2.MockTransport(server))
    neighbours = alive._Neighbours(client, said.append, tokens={"a/resident-21": "secret"})
    neighbours.communities = [alive._Community("紫金西苑", votes, events, ["a/resident-21"])]
    return neighbours, said


async def test_a_neighbour_casts_a_ballot_with_a_token() -> None:
    server = Server({"data": {"castBallot": {"id": "b"}}})
    neighbours, said = _neighbours(server, [VOTE], [])
    await neighbours.act()
    ((authorization, variables),) = server.asked
    assert authorization == "Bearer secret"
    assert variables["vote"] == "vote-1"
    assert [answer["questionId"] for answer in variables["answers"]] == ["q-1", "q-2"]
    assert said == ["紫金西苑：有一户投了票（西门铺设台阶）"]


async def test_a_refusal_is_passed_over_and_another_asked() -> None:
    server = Server(_refusal("ALREADY_CAST"), _refusal("ALREADY_CAST"), {"data": {"castBallot": {"id": "b"}}})
    neighbours, said = _neighbours(server, [VOTE], [])
    await neighbours.act()
    assert len(server.asked) == 3
    assert len(said) == 1


async def test_who_lives_elsewhere_leaves_out_the_question_of_one_building() -> None:
    server = Server(_refusal("NOT_ON_ROLL"), {"data": {"castBallot": {"id": "b"}}})
    neighbours, _ = _neighbours(server, [VOTE], [])
    await neighbours.act()
    _, variables = server.asked[1]
    assert [answer["questionId"] for answer in variables["answers"]] == ["q-1"]


async def test_when_everybody_has_been_there_nothing_is_said() -> None:
    server = Server(*[_refusal("ALREADY_SIGNED_UP")] * 20)
    neighbours, said = _neighbours(server, [], [FAIR])
    await neighbours.act()
    assert said == []
    assert 1 < len(server.asked) < 20


async def test_a_potluck_gets_a_dish() -> None:
    server = Server({"data": {"signUp": {"id": "s"}}})
    neighbours, said = _neighbours(server, [], [FAIR])
    await neighbours.act()
    ((_, variables),) = server.asked
    assert variables["dish"] in DISHES
    assert 1 <= variables["size"] <= 4
    assert "第四届美城美邻节" in said[0]


async def test_a_look_finds_what_is_open_and_not_full(monkeypatch: pytest.MonkeyPatch) -> None:
    async def residents(slug: str) -> list[str]:
        return [f"{slug}/resident-21"]

    monkeypatch.setattr(alive, "_residents", residents)
    node = {
        "slug": "a",
        "name": "甲",
        "votes": {"edges": [{"node": VOTE}]},
        "events": {"edges": [{"node": FAIR}, {"node": FULL}]},
    }
    server = Server({"data": {"communities": {"edges": [{"node": node}]}}})
    neighbours, _ = _neighbours(server, [], [])
    await neighbours.look()
    (found,) = neighbours.communities
    assert (found.name, found.residents) == ("甲", ["a/resident-21"])
    assert [event["id"] for event in found.events] == ["event-1"]
    assert server.asked[0][0] is None


async def test_a_server_that_fails_is_an_error_of_the_line() -> None:
    client = httpx2.AsyncClient(
        base_url="http://test", transport=httpx2.MockTransport(lambda _: httpx2.Response(503))
    )
    neighbours = alive._Neighbours(client, print)
    with pytest.raises(httpx2.HTTPError):
        await neighbours.look()
