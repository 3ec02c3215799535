from pathlib import Path

import pytest

from community.bulletin import cursors
from community.database.engine import opened
from community.database.migrate import migrate, pending

MIGRATIONS = sorted(
    path.stem for path in (Path(__file__).parents[3] / "community" / "database" / "migrations").glob("0*.py")
)


async def test_a_new_database_lacks_every_migration_and_then_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    async with opened(url):
        assert await pending(url) == MIGRATIONS
        assert await migrate(url) == MIGRATIONS
        assert await pending(url) == []


async def test_migrating_again_changes_nothing_and_keeps_the_mark(database: str) -> None:
    mark = await cursors.mark()
    assert await migrate(database) == []
    assert await cursors.mark() == mark


async def test_a_migration_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"

    class Fails(Exception):
        pass

    async def fail(**_: object) -> None:
        raise Fails

    monkeypatch.setattr("community.database.migrate.Installation.create", fail)
    async with opened(url):
        with pytest.raises(Fails):
            await migrate(url)
        assert await pending(url) == MIGRATIONS
        monkeypatch.undo()
        assert await migrate(url) == MIGRATIONS
