from pathlib import Path

import pytest

from community.database.engine import config, opened, sqlite_file
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
