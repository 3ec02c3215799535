"""Those who act: neighbours who vote through the public API, and a chair who puts up notices.

What was acknowledged is written down here before anything else happens.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from schema.nodes import parse_id, to_id
from tests.faults.estate import Estate
from tests.faults.servers import chance

CAST = """
mutation ($vote: ID!, $answers: [AnswerInput!]!, $key: String) {
  castBallot(voteId: $vote, answers: $answers, key: $key) { id }
}
"""
POST = """
mutation ($community: ID!, $notice: NoticeInput!, $key: String) {
  publishNotice(communityId: $community, notice: $notice, key: $key) { id }
}
"""
NO_ANSWER = "NO_ANSWER"
TRY_AGAIN = {NO_ANSWER, "TRY_AGAIN", "OUTCOME_UNKNOWN", "INTERNAL"}
"""What leaves open whether the action was done, or says that it was not."""


class Refused(Exception):
    """The server's code."""


@dataclass
class Clients:
    """Whoever asks one of the servers that are there."""

    servers: list[Any]
    http: httpx2.AsyncClient

    async def ask(self, document: str, token: str | None = None, **variables: Any) -> Any:
        """The data. Raises Refused, with NO_ANSWER where nobody can tell what became of it."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables}
        try:
            url = f"{chance.choice(self.servers).url}/graphql"
            answer = await self.http.post(url, json=body, headers=headers)
            found = answer.json()
        except (httpx2.HTTPError, ValueError):
            raise Refused(NO_ANSWER) from None
        if found.get("errors"):
            raise Refused(found["errors"][0]["extensions"]["code"])
        return found["data"]


@dataclass
class Neighbours:
    """They cast one ballot each. Most retry with their key; some retry without one, some give up."""

    estate: Estate
    clients: Clients
    acknowledged: dict[int, int] = field(default_factory=dict)
    told_already_cast: set[int] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    slowly: float = 0.0

    @staticmethod
    def choice(party: int) -> str:
        return ("FOR", "FOR", "AGAINST", "ABSTAIN")[party % 4]

    def answer(self, party: int) -> dict[str, Any]:
        return {"questionId": to_id("Question", self.estate.question), "choices": [self.choice(party)]}

    async def cast(self, parties: Sequence[int], at_once: int = 12) -> None:
        waiting = iter(list(enumerate(parties)))

        async def one_after_the_other() -> None:
            for index, party in waiting:
                await self._cast(party, keyed=index % 10 != 8, patient=index % 10 != 9)
                await asyncio.sleep(self.slowly * chance.random())

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(one_after_the_other())

    async def _cast(self, party: int, *, keyed: bool, patient: bool) -> None:
        vote, answers = to_id("Vote", self.estate.vote), [self.answer(party)]
        variables: dict[str, Any] = {"vote": vote, "answers": answers}
        variables |= {"key": f"ballot of {party}"} if keyed else {}
        for attempt in range(10_000):
            try:
                data = await self.clients.ask(CAST, self.estate.tokens[party], **variables)
            except Refused as refused:
                code = str(refused)
                self.answers[code] += 1
                if code == "ALREADY_CAST" and attempt and not keyed:
                    self.told_already_cast.add(party)
                    return
                assert code in TRY_AGAIN, code
                if not patient:
                    return
                await asyncio.sleep(chance.uniform(0.02, 0.2))
            else:
                kind, ballot = parse_id(data["castBallot"]["id"])
                assert kind == "Ballot"
                self.acknowledged[party] = ballot
                self.answers["acknowledged"] += 1
                return


@dataclass
class Chair:
    """Puts up one notice after the other."""

    estate: Estate
    clients: Clients
    body: str = "停水"
    acknowledged: list[int] = field(default_factory=list)

    async def post(self, every: float) -> None:
        """Until cancelled."""
        while True:
            await self.post_one()
            await asyncio.sleep(every)

    async def post_one(self) -> None:
        title = f"公告 {len(self.acknowledged)}"
        variables: dict[str, Any] = {
            "community": to_id("Community", self.estate.community),
            "notice": {"title": title, "body": self.body},
            "key": title,
        }
        while True:
            try:
                data = await self.clients.ask(POST, self.estate.chair, **variables)
            except Refused as refused:
                if str(refused) not in TRY_AGAIN:
                    raise
                await asyncio.sleep(0.1)
            else:
                self.acknowledged.append(parse_id(data["publishNotice"]["id"])[1])
                return
