"""The large town on both engines, once for all tests; copied for whoever attacks it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema

from api.settings import Settings
from tests.engines import opened_alone
from tests.pace import slowness
from tests.stranger.documents import printed_schema
from tests.stranger.inside import Inside, collected_as_in_the_server, counted_statements
from tests.stranger.strangers import METRICS, MOST_CPU, Attacked, Stretches
from tests.stranger.town import Grounds, prepare
from tests.stranger.turning import WHERE
from tests.world.server import ROOT, served


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    """As outsiders read it."""
    return printed_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))


_FILLED: dict[str, Grounds] = {}
"""By the address of the small town: of pytest each engine's turn would fill it anew."""


@pytest.fixture(scope="session")
def filled(town: Any) -> Grounds:
    """The template."""

    async def fill() -> Grounds:
        url = await town.engine.database(town.url)
        async with opened_alone(url):
            return await prepare(town, url)

    if town.url not in _FILLED:
        _FILLED[town.url] = asyncio.run(fill())
    return _FILLED[town.url]


@pytest.fixture
def grounds(filled: Grounds) -> Iterator[Grounds]:
    """A copy of this test's own."""
    with filled.town.engine.lent(filled.url) as url:
        yield replace(filled, url=url)


@pytest.fixture
async def inside(grounds: Grounds) -> AsyncIterator[Inside]:
    with counted_statements() as statements, collected_as_in_the_server():
        async with opened_alone(grounds.url):
            yield Inside(grounds, statements)


@pytest.fixture
def attacked(grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attacked]:
    """A server over the large town whose loop says how long it was held."""
    stretches = Stretches(tmp_path / "turns", 1000 * MOST_CPU * slowness())
    monkeypatch.setenv(WHERE, str(tmp_path / "turns"))
    program = (sys.executable, "-m", "tests.stranger.turning")
    with served(grounds.town, grounds.url, tmp_path, program, **_settings()) as server:
        yield Attacked(server, grounds, stretches)


def _settings() -> dict[str, str]:
    """Of a server that tells this test how it is."""
    names = {field.name for field in fields(Settings)}
    return {"MEILIN_METRICS_TOKEN": METRICS} if "metrics_token" in names else {}
