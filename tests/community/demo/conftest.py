"""The demonstration, loaded once a run; whoever writes to it takes a copy."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from tortoise.backends.base.executor import EXECUTOR_CACHE

from community.database.engine import opened
from community.demo.load import load

LOADED_AT = datetime.fromisoformat("2026-10-15T19:43:08+08:00")


@dataclass(slots=True)
class Reported:
    """What a progress bar would have shown."""

    steps: list[tuple[str, int, int]] = field(default_factory=list)

    def __call__(self, doing: str, done: int, total: int) -> None:
        self.steps.append((doing, done, total))


@pytest.fixture(scope="session")
def loaded_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("demo") / "meilin.db"))

    async def fill() -> None:
        async with opened(f"sqlite:///{file}"):
            await load(LOADED_AT, Reported())

    EXECUTOR_CACHE.clear()
    asyncio.run(fill())
    EXECUTOR_CACHE.clear()
    return file


@pytest.fixture
async def loaded(loaded_file: Path) -> AsyncIterator[datetime]:
    """The loaded database, only to be read, and the moment at which it was loaded."""
    async with opened(f"sqlite:///{loaded_file}"):
        yield LOADED_AT


@pytest.fixture
async def loaded_copy(loaded_file: Path, tmp_path: Path) -> AsyncIterator[datetime]:
    """A loaded database of this test's own."""
    async with opened(f"sqlite:///{shutil.copy(loaded_file, tmp_path / 'meilin.db')}"):
        yield LOADED_AT
