"""The schema over an open database of a test's own, without HTTP, and the statements that it sends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from community.database.sqlite import OneWriterClient
from community.database.work import all_done, publish_through
from community.members.reads import viewer_of
from community.permissions import NOBODY, Person, Visitor
from community.signals import Signal
from realtime.broker import Broker
from realtime.sources import LiveSources
from schema.context import Context
from schema.schema import graphql_schema
from tests.engines import opened_alone
from tests.world.server import PATIENCE
from tests.world.town import Town


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that reads, as it is sent."""
    sent: list[str] = []

    def noted(real: Any) -> Any:
        async def read(self: Any, query: str, values: Any = None) -> Any:
            sent.append(query)
            return await real(self, query, values)

        return read

    for client, name in (
        (OneWriterClient, "_read"),
        (AsyncpgDBClient, "execute_query"),
        (AsyncpgDBClient, "execute_query_dict"),
    ):
        monkeypatch.setattr(client, name, noted(getattr(client, name)))
    return sent


class House:
    """The schema over an open database, without HTTP."""

    def __init__(self, town: Town, broker: Broker) -> None:
        self.town, self.now = replace(town, tokens=dict(town.tokens)), town.now
        self.told: list[Signal] = []
        self.broker = broker
        self.sources = LiveSources(broker)

    async def viewer(self, who: str | None) -> Person | Visitor:
        return NOBODY if who is None else await viewer_of(self.town.tokens[who], self.now) or NOBODY

    async def context(self, who: str | None = None) -> Context:
        return Context(lambda: self.now, self.sources, await self.viewer(who))

    async def result(self, query: str, who: str | None = None, **variables: Any) -> Any:
        return await graphql_schema.execute(
            query, variable_values=variables, context_value=await self.context(who)
        )

    async def ask(self, query: str, who: str | None = None, **variables: Any) -> Any:
        """The data of an answer without errors."""
        result = await self.result(query, who, **variables)
        assert not result.errors, result.errors
        return result.data

    async def refused(self, query: str, who: str | None = None, **variables: Any) -> str:
        """The code of the only error."""
        (error,) = (await self.result(query, who, **variables)).errors
        assert error.extensions["zh"]
        assert error.extensions["en"]
        return str(error.extensions["code"])

    @asynccontextmanager
    async def watch(
        self, query: str, who: str | None = None, context: Context | None = None, **variables: Any
    ) -> AsyncIterator[Callable[[], Any]]:
        """A subscription; call what it gives for the next result."""
        stream: Any = await graphql_schema.subscribe(query, variables, context or await self.context(who))

        async def following() -> Any:
            async with asyncio.timeout(PATIENCE):
                return await anext(stream)

        try:
            yield following
        finally:
            await stream.aclose()


@pytest.fixture
async def house(town: Town, town_url: str) -> AsyncIterator[House]:
    async with opened_alone(town_url), town.engine.brokers() as (publishing, receiving):
        house = House(town, receiving)
        stops = [publish_through(house.told.extend), publish_through(publishing.publish)]
        yield house
        await all_done()
        for stop in stops:
            stop()
