"""Those who watch: sockets that come back as those of stock clients do."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, WebSocketException

from schema.nodes import parse_id, to_id
from tests.faults.servers import MeilinServer, chance

PROGRESS = """
subscription ($vote: ID!) {
  voteProgress(voteId: $vote) {
    version participating { heads area }
    questions { outcome participating { heads area } choices { choice weight { heads area } } }
  }
}
"""
BULLETIN = """
subscription ($community: ID!, $after: String) {
  bulletin(communityId: $community, after: $after) { cursor kind subject { id } }
}
"""
NEWEST = "query ($id: ID!) { node(id: $id) { ... on Community { bulletin(first: 1) { edges { cursor } } } } }"

RETRIED = {1000, 1001, 1005, 1006, 1012, 1013, 1014}
"""Closings after which a stock client comes back; after others it gives up."""


class Watcher:
    """A socket that comes back as those of stock clients do, also to another server."""

    document = ""

    def __init__(self, servers: Sequence[MeilinServer]) -> None:
        self.servers, self.patience = servers, 5
        self.codes: Counter[int] = Counter()
        self.gave_up: object = None

    def variables(self) -> dict[str, Any]:
        raise NotImplementedError

    def take(self, data: Any) -> None:
        raise NotImplementedError

    async def watch(self) -> None:
        while self.gave_up is None:
            with suppress(OSError, InvalidHandshake, InvalidMessage, EOFError):  # nobody is there
                code = await self._follow(chance.choice(self.servers))
                self.codes[code] += 1
                if code not in RETRIED:
                    self.gave_up = self.gave_up or code
            await asyncio.sleep(chance.uniform(0.1, 0.5))

    async def _follow(self, server: MeilinServer) -> int:
        """The code with which the line was closed."""
        url = f"ws://127.0.0.1:{server.port}/graphql"
        protocols: Any = ["graphql-transport-ws"]
        async with connect(
            url, subprotocols=protocols, open_timeout=self.patience, close_timeout=0.5
        ) as connection:
            try:
                await connection.send(json.dumps({"type": "connection_init"}))
                asked = {"query": self.document, "variables": self.variables()}
                async for text in connection:
                    message = json.loads(text)
                    if message["type"] == "connection_ack":
                        await connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
                    elif message["type"] == "ping":
                        await connection.send(json.dumps({"type": "pong"}))
                    elif message["type"] == "next" and not message["payload"].get("errors"):
                        self.take(message["payload"]["data"])
                    else:
                        self.gave_up = message
                        return 1000
            except WebSocketException:
                pass  # the code says how it ended
            return connection.close_code or 1006


class Screen(Watcher):
    """How the vote stands."""

    document = PROGRESS

    def __init__(self, servers: Sequence[MeilinServer], vote: int) -> None:
        super().__init__(servers)
        self._vote = vote
        self.shown: Any = {"version": -1}
        self.went_back: list[tuple[int, int]] = []

    def variables(self) -> dict[str, Any]:
        return {"vote": to_id("Vote", self._vote)}

    def take(self, data: Any) -> None:
        newer = data["voteProgress"]
        if newer["version"] < self.shown["version"]:
            self.went_back.append((self.shown["version"], newer["version"]))
        self.shown = newer


class Board(Watcher):
    """The bulletin: each item once, resumed behind the last one."""

    document = BULLETIN

    def __init__(self, servers: Sequence[MeilinServer], community: int, after: str) -> None:
        super().__init__(servers)
        self._community, self._start = community, after
        self.cursors: list[str] = []
        self.subjects: list[int] = []

    def variables(self) -> dict[str, Any]:
        after = self.cursors[-1] if self.cursors else self._start
        return {"community": to_id("Community", self._community), "after": after}

    def take(self, data: Any) -> None:
        item = data["bulletin"]
        self.cursors.append(item["cursor"])
        self.subjects.append(parse_id(item["subject"]["id"])[1])
