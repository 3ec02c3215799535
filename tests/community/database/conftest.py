"""Where migrations are tried: databases of every version on both engines, and lists of migrations."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.executor import EXECUTOR_CACHE

from community.database import migrate as module
from community.database.engine import APP, config, opened
from community.database.migrate import migrate
from tests.community.database.populating import VERSIONS, Rows, load, populated_rows, recorded
from tests.engines import Engine

REAL = Path(module.__file__).with_name("migrations")

_numbers = count(1)


PLANTED = """
import os, time
from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

class Migration(Base):
    dependencies = [("meilin", "{last}")]
    operations = [{operations}]
"""


@contextmanager
def using(migrations: str) -> Iterator[None]:
    """Within, `migrate` and `pending` know this list of migrations."""

    def configured(url: str) -> dict[str, Any]:
        found = config(url)
        found["apps"][APP]["migrations"] = migrations
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "config", configured)
        yield


@dataclass(eq=False)
class Ground(Engine):
    """What is built once serves all tests as a template."""

    templates: dict[str, str] = field(default_factory=dict)

    def migrations(self, until: str = VERSIONS[-1], planted: dict[str, str] | None = None) -> str:
        """A package of the real ones up to `until` and then the `planted`: by name, the operations."""
        package = self.folder / f"migrations_{next(_numbers)}"
        package.mkdir()
        real = VERSIONS[: VERSIONS.index(until) + 1]
        for name in ["__init__", *real]:
            shutil.copy(REAL / f"{name}.py", package)
        last = real[-1]
        for name, operations in (planted or {}).items():
            text = PLANTED.format(last=last, operations=operations)
            (package / f"{name}.py").write_text(text, encoding="utf-8")
            last = name
        return package.name

    @asynccontextmanager
    async def migrated(self, url: str, migrations: str) -> AsyncIterator[list[str]]:
        """The database, open, after `migrate` with another list of migrations; gives what it applied."""
        with using(migrations):
            async with opened(url):
                yield await migrate(url)

    async def fresh(self) -> str:
        """A copy of an empty database of the newest version."""
        if "fresh" not in self.templates:
            self.templates["fresh"] = await self.database()
            async with opened(self.templates["fresh"]):
                await migrate(self.templates["fresh"])
        return await self.database(self.templates["fresh"])

    async def populated(self, version: str = VERSIONS[-1]) -> str:
        """A copy of a database of that version with its recorded population."""
        if version not in self.templates:
            newest = version == VERSIONS[-1]
            url = await (self.fresh() if newest else self.database())
            async with self.migrated(url, self.migrations(version)):
                await load(recorded(version))
            self.templates[version] = url
        return await self.database(self.templates[version])


@pytest.fixture(scope="session")
def population(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("population") / "meilin.db")
    EXECUTOR_CACHE.clear()
    try:
        return asyncio.run(populated_rows(f"sqlite:///{file}"))
    finally:
        EXECUTOR_CACHE.clear()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def ground(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_template: Path,
) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("ground")
    sys.path.append(str(folder))
    if request.param == "sqlite":
        yield Ground(folder, templates={"fresh": f"sqlite:///{sqlite_template}"})
    else:
        yield Ground(folder, request.getfixturevalue("postgres_server").url)
    sys.path.remove(str(folder))
