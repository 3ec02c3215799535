"""The demonstration, loaded once a run on each engine; whoever writes to it takes a copy."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import pytest

from community.database.engine import opened
from community.database.migrate import migrate
from demo.load import load
from tests.engines import Engine, opened_alone

LOADED_AT = datetime.fromisoformat("2026-10-15T19:43:08+08:00")


@dataclass(slots=True)
class Reported:
    """What a progress bar would have shown."""

    steps: list[tuple[str, int, int]] = field(default_factory=list)

    def __call__(self, doing: str, done: int, total: int) -> None:
        self.steps.append((doing, done, total))


@cache  # of pytest each engine's turn would load it anew
def _loaded(engine: Engine) -> str:
    async def fill() -> str:
        url = await engine.database()
        async with opened_alone(url):
            await migrate(url)
            await load(LOADED_AT, Reported())
        return url

    return asyncio.run(fill())


@pytest.fixture(scope="session")
def loaded_url(engine: Engine) -> str:
    return _loaded(engine)


@pytest.fixture
def loaded_at() -> datetime:
    return LOADED_AT


@pytest.fixture
async def empty(new_url: str) -> AsyncIterator[str]:
    """An open database in which nothing is."""
    async with opened_alone(new_url):
        await migrate(new_url)
        yield new_url


@pytest.fixture
async def loaded(loaded_url: str) -> AsyncIterator[datetime]:
    """The loaded database, only to be read, and the moment at which it was loaded."""
    async with opened(loaded_url):
        yield LOADED_AT


@pytest.fixture
def copy_url(engine: Engine, loaded_url: str) -> Iterator[str]:
    with engine.lent(loaded_url) as url:
        yield url


@pytest.fixture
async def loaded_copy(copy_url: str) -> AsyncIterator[datetime]:
    """A loaded database of this test's own."""
    async with opened(copy_url):
        yield LOADED_AT
