import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from community.database.engine import config, opened, sqlite_file
from community.database.migrate import migrate
from community.database.sql import select


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///var/a.db", "/var/a.db"),
        ("sqlite:////var/a.db", "/var/a.db"),
        ("sqlite:///var/%E7%BE%8E%20a.db", "/var/美 a.db"),
        ("postgres://user@host/name", None),
    ],
)
def test_a_url_names_a_file_or_a_server(url: str, file: str | None) -> None:
    assert sqlite_file(url) == (file and Path(file))


def test_both_spellings_of_postgres_are_one() -> None:
    connection = config("postgresql://user@host:5433/name")["connections"]["default"]
    assert connection == config("postgres://user@host:5433/name")["connections"]["default"]
    assert (connection["credentials"]["host"], connection["credentials"]["port"]) == ("host", 5433)


@pytest.mark.parametrize("url", ["mysql://host/name", "a.db", ""])
def test_there_is_no_third_engine(url: str) -> None:
    with pytest.raises(ValueError, match="starts with sqlite:// or postgres://"):
        config(url)


async def test_the_folder_is_made_and_what_is_acknowledged_is_on_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "er" / "a.db"
    async with opened(f"sqlite:///{file}"):
        assert await select("SELECT 1 AS a") == [{"a": 1}]
    assert file.exists()


async def test_what_was_written_is_there_when_it_is_opened_again(url: str) -> None:
    for _ in range(2):
        async with opened(url):
            assert (await select("SELECT COUNT(*) AS marks FROM installation")) == [{"marks": 1}]


# Whoever may read the file may read every ballot


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def open_to_all(folder: Path) -> None:
    for file in folder.iterdir():
        file.chmod(0o666)


def modes(folder: Path) -> dict[str, str]:
    return {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()}


async def test_a_new_file_and_what_stands_beside_it_are_for_its_owner_only(
    tmp_path: Path, umask: None
) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    async with opened(url):
        await migrate(url)
        assert modes(tmp_path) == dict.fromkeys(["a.db", "a.db-wal", "a.db-shm"], "0o600")


async def test_a_file_that_others_could_read_is_kept_from_them(tmp_path: Path, umask: None) -> None:
    file = tmp_path / "a.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE tree (height INT)")
        open_to_all(tmp_path)
        async with opened(f"sqlite:///{file}"):
            assert await select("SELECT height FROM tree") == []
            assert modes(tmp_path) == dict.fromkeys(["a.db", "a.db-wal", "a.db-shm"], "0o600")


async def test_a_folder_in_its_place_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "a.db"
    folder.mkdir(0o755)
    with pytest.raises(Exception, match="unable to open"):
        async with opened(f"sqlite:///{folder}"):
            await select("SELECT 1")
    assert modes(tmp_path) == {"a.db": "0o755"}
