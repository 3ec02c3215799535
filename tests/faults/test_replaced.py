"""The file of the database is taken away below a running server: nobody is told that it was recorded, and
what lies at its name afterwards stays as it is.
"""

import asyncio
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from schema.nodes import to_id
from tests.faults.estate import Estate
from tests.faults.neighbours import CAST
from tests.faults.servers import MeilinServer, until

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@dataclass
class Ground:
    """The files of a running server, and another database that may take their place."""

    estate: Estate
    file: Path
    other: Path
    server: MeilinServer
    cast: int = 0

    @property
    def beside(self) -> tuple[Path, Path]:
        return Path(f"{self.file}-wal"), Path(f"{self.file}-shm")

    def at_the_name(self) -> tuple[Path, Path]:
        """What a server finds that starts now: a database and its log."""
        real = Path(self.estate.url.removeprefix("sqlite:///")).resolve()
        return real, Path(f"{real}-wal")

    async def ballot(self) -> tuple[str, int | None]:
        """The next neighbour's: the code of the answer, and when to come again."""
        party = self.estate.parties[self.cast]
        self.cast += 1
        answer = {"questionId": to_id("Question", self.estate.question), "choices": ["FOR"]}
        variables = {"vote": to_id("Vote", self.estate.vote), "answers": [answer], "key": f"{party}"}
        async with httpx2.AsyncClient(timeout=60) as http:
            said = await http.post(
                f"{self.server.url}/graphql",
                json={"query": CAST, "variables": variables},
                headers={"authorization": f"Bearer {self.estate.tokens[party]}"},
            )
        found = said.json()
        if "errors" not in found:
            return "acknowledged", None
        extensions = found["errors"][0]["extensions"]
        return extensions["code"], extensions.get("retryAfter")

    async def readiness(self) -> Any:
        async with httpx2.AsyncClient(timeout=60) as http:
            said = await http.get(f"{self.server.url}/health/ready")
        return said.status_code, said.json()["status"], said.json()["checks"]["writes"]


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """The template of all of them."""
    estate = Estate(f"sqlite:///{tmp_path_factory.mktemp('settled') / 'estate.db'}")
    asyncio.run(estate.settle(12))
    return estate


@pytest.fixture
async def ground(settled: Estate, database_url: str, tmp_path: Path) -> AsyncIterator[Ground]:
    """Somewhere up a link, with an older copy of the same and two ballots cast since."""
    template = settled.url.removeprefix("sqlite:///")
    folder = tmp_path / "var"
    folder.mkdir()
    file, other = folder / "meilin.db", Path(database_url.removeprefix("sqlite:///"))
    shutil.copy(template, file)
    shutil.copy(template, other)
    (tmp_path / "link.db").symlink_to(file)
    estate = replace(settled, url=f"sqlite:///{tmp_path / 'link.db'}")
    server = MeilinServer(tmp_path, estate.url)
    try:
        await server.up()
        found = Ground(estate, file, other, server)
        assert await found.ballot() == ("acknowledged", None)
        assert await found.readiness() == (200, "ok", "ok")
        yield found
    finally:
        server.kill()


def removed(ground: Ground) -> None:
    ground.file.unlink()


def removed_with_its_log(ground: Ground) -> None:
    for path in (ground.file, *ground.beside):
        path.unlink()


def replaced(ground: Ground) -> None:
    ground.other.rename(ground.file)


def replaced_with_a_log_of_its_own(ground: Ground) -> None:
    """By one that somebody has opened, so that its last writing is in its log."""
    connection = sqlite3.connect(ground.other, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE mark (said TEXT)")
    for end in ("", "-wal"):
        shutil.copy(f"{ground.other}{end}", f"{ground.file}.new{end}")
    connection.close()
    for end in ("-shm", "-wal", ""):
        Path(f"{ground.file}{end}").unlink()
    for end in ("-wal", ""):
        Path(f"{ground.file}.new{end}").rename(f"{ground.file}{end}")


def folder_restored(ground: Ground) -> None:
    ground.file.parent.rename(ground.file.parent.with_name("var.old"))
    ground.file.parent.mkdir()
    shutil.copy(ground.other, ground.file)


def folder_away(ground: Ground) -> None:
    ground.file.parent.rename(ground.file.parent.with_name("var.old"))


def link_led_elsewhere(ground: Ground) -> None:
    link = ground.file.parent.parent / "link.db"
    link.unlink()
    link.symlink_to(ground.other)


def link_away(ground: Ground) -> None:
    (ground.file.parent.parent / "link.db").unlink()


def log_removed(ground: Ground) -> None:
    ground.beside[0].unlink()


def log_replaced(ground: Ground) -> None:
    copy = shutil.copy(ground.beside[0], ground.file.with_name("copy"))
    Path(copy).rename(ground.beside[0])


def index_removed(ground: Ground) -> None:
    ground.beside[1].unlink()


def log_cut_off(ground: Ground) -> None:
    os.truncate(ground.beside[0], 0)


def log_of_an_earlier_hour_written_over_it(ground: Ground) -> None:
    earlier = ground.beside[0].read_bytes()[:-4120]  # a page and its header
    ground.beside[0].write_bytes(earlier)


def log_of_another_one_written_over_it(ground: Ground) -> None:
    connection = sqlite3.connect(ground.other, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    for _ in range(20):
        connection.execute("UPDATE installation SET id = id")
    shutil.copyfile(f"{ground.other}-wal", ground.beside[0])
    connection.close()


FAULTS: list[Callable[[Ground], None]] = [
    removed, removed_with_its_log, replaced, replaced_with_a_log_of_its_own, folder_restored, folder_away,
    link_led_elsewhere, link_away, log_removed, log_replaced, index_removed, log_cut_off,
    log_of_an_earlier_hour_written_over_it, log_of_another_one_written_over_it,
]  # fmt: skip


def content(*paths: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths if path.exists()}


def ballots(file: Path) -> int:
    """Of a whole database."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(connection.execute("SELECT count(*) FROM ballot").fetchone()[0])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_nothing_is_acknowledged_any_more(ground: Ground, fault: Callable[[Ground], None]) -> None:
    fault(ground)
    said = [await ground.ballot() for _ in range(3)]
    assert set(said) <= {("OUTCOME_UNKNOWN", 5), ("TRY_AGAIN", 15)}
    assert said[-1] == ("TRY_AGAIN", 15)
    assert await ground.readiness() == (503, "down", "refused")
    assert len([line for line in ground.server.faults() if "until a restart" in line]) <= 1
    assert "Traceback" not in ground.server.log()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_it_is_noticed_without_a_write_and_without_a_question(
    ground: Ground, fault: Callable[[Ground], None]
) -> None:
    fault(ground)
    await until(lambda: "until a restart" in ground.server.log(), "it is said")
    assert await ground.ballot() == ("TRY_AGAIN", 15)
    assert ground.server.log().count("until a restart") == 1
    assert "Traceback" not in ground.server.log()


@pytest.mark.parametrize(
    "fault",
    [replaced, replaced_with_a_log_of_its_own, folder_restored, link_led_elsewhere],
    ids=lambda fault: fault.__name__,
)
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_what_lies_at_the_name_stays_as_it_is(
    ground: Ground, fault: Callable[[Ground], None], end: int
) -> None:
    fault(ground)
    at, log_ = ground.at_the_name()
    await ground.ballot()
    await until(lambda: "until a restart" in ground.server.log(), "it is said")
    before = content(at, log_)
    assert len(before) == 1 + (fault is replaced_with_a_log_of_its_own)  # our log is out of its way
    ground.server.signal(end)
    assert ground.server.process
    await asyncio.to_thread(ground.server.process.wait, 30)
    assert content(at, log_) == before
    assert ballots(at) == 0  # nothing of the old one came in
    with closing(sqlite3.connect(at)) as connection:
        marks = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'mark'").fetchone()
    assert marks == (fault is replaced_with_a_log_of_its_own,)


@pytest.mark.parametrize("fault", [log_removed, index_removed], ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_what_was_acknowledged_before_is_brought_home(
    ground: Ground, fault: Callable[[Ground], None], end: int
) -> None:
    fault(ground)
    await until(lambda: "until a restart" in ground.server.log(), "it is said")

    async def is_home() -> bool:
        return fault is not log_removed or ground.file.stat().st_mtime > ground.other.stat().st_mtime

    await ground.ballot()
    await until(is_home, "the log is written back")
    ground.server.signal(end)
    assert ground.server.process
    await asyncio.to_thread(ground.server.process.wait, 30)
    assert ballots(ground.file) == 1


async def test_a_copy_of_an_earlier_day_written_over_it(ground: Ground) -> None:
    """The file is the same, what is in it is not: neither what we hold in hands nor our log belong to it."""
    for _ in range(3):
        await ground.ballot()
    with closing(sqlite3.connect(ground.file)) as connection:
        connection.execute("CREATE TABLE later (said TEXT)")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(FULL)")  # what a day does
    assert await ground.ballot() == ("acknowledged", None)
    shutil.copyfile(ground.other, ground.file)
    said = [await ground.ballot() for _ in range(2)]
    assert said[-1] == ("TRY_AGAIN", 15)
    assert await ground.readiness() == (503, "down", "refused")
    await ground.server.stop()
    assert ballots(ground.file) == 0
    with closing(sqlite3.connect(ground.file)) as connection:
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'later'").fetchall() == []


async def test_after_a_restart_the_new_one_is_written(ground: Ground) -> None:
    replaced(ground)
    await until(lambda: "until a restart" in ground.server.log(), "it is said")
    await ground.server.stop()
    await ground.server.up()
    assert await ground.ballot() == ("acknowledged", None)
    assert await ground.readiness() == (200, "ok", "ok")
    await ground.server.stop()
    assert ballots(ground.file) == 1


async def test_what_others_do_with_it_by_the_book_is_no_replacing(ground: Ground) -> None:
    """A backup, a checkpoint, a vacuum and a second process that comes and goes."""

    def by_the_book() -> None:
        with closing(sqlite3.connect(ground.file, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(FULL)")
            with closing(sqlite3.connect(ground.other.with_name("backup.db"))) as backup:
                connection.backup(backup)

    for _ in range(3):
        await asyncio.to_thread(by_the_book)
        assert await ground.ballot() == ("acknowledged", None)
        await asyncio.sleep(0.4)
    assert await ground.readiness() == (200, "ok", "ok")
    assert ground.server.faults() == []
