"""Simulated neighbours, who vote and sign up on a running server through its public API."""

import asyncio
import random
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from community.database.engine import opened
from community.errors import Refused
from community.members.actions import open_session
from community.members.reads import accounts_like
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Permission
from demo.dishes import DISHES
from demo.estates import FAMILIAR

_SCOPES = (Permission.CAST_BALLOT, Permission.SIGN_UP, Permission.READ_BULLETIN)
_A_DAY = timedelta(days=1)
_LOOK_AGAIN = 5.0  # seconds until somebody looks whether there is something new
_MOST_AT_ONCE = 64
_MOST_TRIES = 12
_LEANING = {"FOR": 66, "FOLLOW": 12, "AGAINST": 15, "ABSTAIN": 7}

_LOOK = """
query {
  communities(first: 100) { edges { node {
    slug name
    votes(first: 50, status: [OPEN]) { edges { node {
      id title questions { id scope { id } maxChoices choices { code } }
    } } }
    events(first: 50, coming: true) { edges { node {
      id title maxPartySize potluck attendance { placesLeft }
    } } }
  } } }
}
"""
_CAST = """
mutation ($vote: ID!, $answers: [AnswerInput!]!) { castBallot(voteId: $vote, answers: $answers) { id } }
"""
_SIGN_UP = """
mutation ($event: ID!, $size: Int!, $dish: String) {
  signUp(eventId: $event, partySize: $size, dish: $dish) { id }
}
"""


class _Passed(Exception):
    """The server refused, as it may: somebody else's turn."""


@dataclass(slots=True)
class _Community:
    """What is open in a community, and who of its residents may come."""

    name: str
    votes: list[dict[str, Any]]
    events: list[dict[str, Any]]
    residents: list[str]


@dataclass(slots=True)
class _Neighbours:
    """They know the server only by its API; the database only gives them their names and tokens."""

    server: httpx2.AsyncClient
    say: Callable[[str], None]
    # Chance must differ from run to run and need not be hard to guess.
    chance: random.Random = field(default_factory=random.Random)
    communities: list[_Community] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    async def ask(self, document: str, variables: dict[str, Any], account: str | None = None) -> Any:
        """The data. Raises _Passed for a refusal, httpx2.HTTPError where nobody answers."""
        headers = {"Authorization": f"Bearer {await self._token(account)}"} if account else {}
        answer = await self.server.post(
            "/graphql", json={"query": document, "variables": variables}, headers=headers
        )
        if answer.status_code >= 500:
            raise httpx2.RequestError(f"{answer.status_code}")
        body = answer.json()
        if body.get("errors"):
            raise _Passed(body["errors"][0].get("extensions", {}).get("code"))
        return body["data"]

    async def _token(self, account: str) -> str:
        if account not in self.tokens:
            with suppress(Refused):
                self.tokens[account] = await open_session(
                    SYSTEM,
                    datetime.now(UTC),
                    account,
                    kind=SessionKind.TOKEN,
                    lifetime=_A_DAY,
                    scopes=_SCOPES,
                )
        if account not in self.tokens:
            raise _Passed
        return self.tokens[account]

    async def look(self) -> None:
        """Sees what is open now."""
        found = _nodes((await self.ask(_LOOK, {}))["communities"])
        communities = [
            _Community(
                node["name"],
                _nodes(node["votes"]),
                [event for event in _nodes(node["events"]) if _has_room(event)],
                await _residents(node["slug"]),
            )
            for node in found
        ]
        self.communities = [community for community in communities if community.residents]

    async def act(self) -> None:
        """One neighbour does one thing; where it was done already, another is asked."""
        for _ in range(_MOST_TRIES):
            lively = [community for community in self.communities if community.votes or community.events]
            if not lively:
                break
            community = self.chance.choice(lively)
            votes = community.votes and (not community.events or self.chance.random() < 0.8)
            action = self._cast if votes else self._sign_up
            with suppress(_Passed):
                await action(community, self.chance.choice(community.residents))
                break

    async def _cast(self, community: _Community, resident: str) -> None:
        vote = self.chance.choice(community.votes)
        questions = vote["questions"]
        try:
            await self._answer(vote, questions, resident)
        except _Passed:
            everybody = [question for question in questions if question["scope"] is None]
            if len(everybody) in (0, len(questions)):
                raise
            await self._answer(vote, everybody, resident)  # whoever lives in another building
        self.say(f"{community.name}：有一户投了票（{vote['title']}）")

    async def _answer(self, vote: dict[str, Any], questions: list[dict[str, Any]], resident: str) -> None:
        answers = [{"questionId": question["id"], "choices": self._marks(question)} for question in questions]
        await self.ask(_CAST, {"vote": vote["id"], "answers": answers}, resident)

    def _marks(self, question: dict[str, Any]) -> list[str]:
        codes = [choice["code"] for choice in question["choices"]]
        # The options of a survey stand with the likeliest first.
        weights = [_LEANING.get(code, 20 // position + 1) for position, code in enumerate(codes, 1)]
        several = self.chance.randint(1, min(question["maxChoices"], len(codes)))
        return list(dict.fromkeys(self.chance.choices(codes, weights, k=several)))

    async def _sign_up(self, community: _Community, resident: str) -> None:
        event = self.chance.choice(community.events)
        size = min(self.chance.choice((1, 2, 2, 3, 3, 4)), event["maxPartySize"])
        dish = self.chance.choice(DISHES) if event["potluck"] else None
        await self.ask(_SIGN_UP, {"event": event["id"], "size": size, "dish": dish}, resident)
        brings = f"，带{dish}" if dish else ""
        self.say(f"{community.name}：一家 {size} 人报了名{brings}（{event['title']}）")


def _nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


def _has_room(event: dict[str, Any]) -> bool:
    left = event["attendance"]["placesLeft"]
    return left is None or left > 0


async def _residents(slug: str) -> list[str]:
    """Those after the familiar ones, who are left to whoever looks around."""
    names = [name for _, name in await accounts_like(f"{slug}/resident-*")]
    numbers = {name: name.removeprefix(f"{slug}/resident-") for name in names}
    return [name for name, number in numbers.items() if number.isdigit() and int(number) > FAMILIAR]


async def simulate(database_url: str, url: str, rate: float) -> None:
    """Lets `rate` neighbours a second do something, at odd intervals, until interrupted."""
    stop = asyncio.Event()
    for interrupt in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(interrupt, stop.set)
    async with opened(database_url), httpx2.AsyncClient(base_url=url, timeout=10) as server:
        neighbours = _Neighbours(server, _say)
        async with asyncio.TaskGroup() as tasks:
            living = [
                tasks.create_task(_keep_looking(neighbours)),
                tasks.create_task(_keep_acting(neighbours, rate)),
            ]
            await stop.wait()
            for task in living:
                task.cancel()


def _say(line: str) -> None:
    sys.stdout.write(f"{datetime.now().astimezone():%H:%M:%S} {line}\n")
    sys.stdout.flush()


async def _keep_looking(neighbours: _Neighbours) -> None:
    answering = True
    while True:
        try:
            await neighbours.look()
            if not answering:
                neighbours.say("服务器又应答了")
            answering = True
        except (httpx2.HTTPError, ValueError, _Passed):
            neighbours.communities = []
            if answering:
                neighbours.say("服务器没有应答，等着它回来")
            answering = False
        await asyncio.sleep(_LOOK_AGAIN if answering else 1.0)


async def _keep_acting(neighbours: _Neighbours, rate: float) -> None:
    free = asyncio.Semaphore(_MOST_AT_ONCE)

    async def act() -> None:
        try:
            with suppress(httpx2.HTTPError, ValueError):  # the one who looks will say so
                await neighbours.act()
        finally:
            free.release()

    async with asyncio.TaskGroup() as acting:
        while True:
            await asyncio.sleep(neighbours.chance.expovariate(rate))
            await free.acquire()
            acting.create_task(act())
