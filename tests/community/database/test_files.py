import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from community.database.files import OpenFiles


class Opened:
    """A database that is open, with what it stands on."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "a.db"
        self.wal, self.shm = folder / "a.db-wal", folder / "a.db-shm"
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.files = OpenFiles(str(self.path))
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("CREATE TABLE a (b)")
        self.files.note()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.path.parent.iterdir())


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(tmp_path)
    yield opened
    opened.connection.close()
    opened.files.close()


def test_what_sqlite_does_with_them_is_no_change(opened: Opened) -> None:
    for number in range(3):
        opened.connection.execute("INSERT INTO a VALUES (zeroblob(100000))")
        opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if number:
            opened.connection.execute("VACUUM")
        assert opened.files.changed() is None
    assert opened.files.may_be_closed
    assert not opened.files.wal_is_missing


def test_a_database_that_is_gone_leaves_no_log_of_ours_at_its_name(opened: Opened) -> None:
    opened.path.unlink()
    assert opened.files.changed() == opened.path
    assert not opened.files.may_be_closed
    opened.files.set_aside()
    left = opened.names()
    assert len(left) == 2
    assert all(".of-replaced-" in name for name in left)


def test_a_log_of_another_one_is_left_where_it_is(opened: Opened, tmp_path: Path) -> None:
    for path in (opened.path, opened.wal, opened.shm):
        path.unlink()
        path.write_bytes(b"another")
    assert opened.files.changed() == opened.path
    assert not opened.files.may_be_closed
    opened.files.set_aside()
    assert opened.names() == ["a.db", "a.db-shm", "a.db-wal"]


def test_a_log_that_is_gone_is_in_our_hands_and_one_replaced_is_not(opened: Opened) -> None:
    opened.wal.unlink()
    assert opened.files.changed() == opened.wal
    assert opened.files.wal_is_missing
    assert opened.files.may_be_closed
    opened.wal.write_bytes(b"another")
    assert opened.files.changed() == opened.wal
    assert not opened.files.wal_is_missing
    assert not opened.files.may_be_closed
    opened.files.set_aside()
    assert opened.names() == ["a.db", "a.db-shm", "a.db-wal"]  # the database is still ours


@pytest.mark.parametrize("later", ["CREATE TABLE c (d)", "INSERT INTO a VALUES (zeroblob(10000))", "VACUUM"])
def test_a_copy_written_over_it_is_noticed(opened: Opened, tmp_path: Path, later: str) -> None:
    before = tmp_path / "before.db"
    opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(opened.path, before)
    opened.connection.execute(later)
    opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert opened.files.changed() is None
    shutil.copyfile(before, opened.path)
    assert opened.files.changed() == opened.path
    assert not opened.files.may_be_closed
    opened.path.write_bytes(b"")
    assert opened.files.changed() == opened.path


def test_looking_takes_no_lock_away(opened: Opened) -> None:
    """POSIX drops them all where any descriptor of the file is closed."""
    opened.connection.execute("BEGIN IMMEDIATE")
    opened.files.changed()
    opened.files.note()
    program = f"import sqlite3; sqlite3.connect({str(opened.path)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert b"database is locked" in other.stderr
    with closing(sqlite3.connect(opened.path)) as reader:
        assert reader.execute("SELECT count(*) FROM a").fetchone() == (0,)
