"""The commands that keep a house running, on a database of their own."""

import hashlib
import os
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.executor import EXECUTOR_CACHE
from typer.testing import CliRunner, Result

from api.cli import app
from schema.schema import sdl

Run = Callable[..., Result]


@pytest.fixture
def file(town: Any, tmp_path: Path) -> Path:
    """A copy of the town."""
    copy = tmp_path / "town.db"
    copy.write_bytes(town.file.read_bytes())
    return copy


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command in this process: `run(file, "migrate")`."""
    for name in os.environ:
        if name.startswith("MEILIN_"):
            monkeypatch.delenv(name)

    def invoke(file: Path, *arguments: str) -> Result:
        EXECUTOR_CACHE.clear()
        return CliRunner(env={"MEILIN_DATABASE_URL": f"sqlite:///{file}"}).invoke(app, arguments)

    yield invoke
    EXECUTOR_CACHE.clear()


def only_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def test_migrating_brings_up_to_date_once(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "new.db"
    first = run(file, "migrate")
    assert first.exit_code == 0
    assert only_line(first.stdout).startswith("applied 0001_initial, ")
    second = run(file, "migrate")
    assert (second.exit_code, only_line(second.stdout)) == (0, "up to date")


def test_two_processes_that_migrate_at_once_do_it_once(tmp_path: Path, command: Any) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    started = [
        subprocess.Popen(
            **command.prepared("migrate", MEILIN_DATABASE_URL=url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    outs = sorted(only_line(out) for out, _ in said)
    assert outs[0].startswith("applied ")
    assert outs[1] == "up to date"


def test_the_schema_is_printed(run: Run, tmp_path: Path) -> None:
    assert run(tmp_path / "none.db", "schema").stdout == sdl()
    assert not (tmp_path / "none.db").exists()


def viewer_of(file: Path, secret: str) -> str | None:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    with sqlite3.connect(file) as database:
        row = database.execute(
            "SELECT account.name FROM session JOIN account ON account.id = session.account_id WHERE hash = ?",
            [digest],
        ).fetchone()
    return row[0] if row else None


def test_a_token_is_printed_alone_and_only_its_hash_is_kept(run: Run, file: Path) -> None:
    done = run(file, "token", "quiet/resident-1")
    assert done.exit_code == 0
    secret = only_line(done.stdout)
    assert viewer_of(file, secret) == "quiet/resident-1"
    assert secret.encode() not in file.read_bytes()


def test_many_tokens_are_lines_of_account_and_token(run: Run, file: Path) -> None:
    done = run(file, "token", "spring/resident-*", "city/regulator")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [account for account, _ in lines] == [
        *(f"spring/resident-{number}" for number in range(1, 7)),
        "city/regulator",
    ]
    assert [viewer_of(file, secret) for _, secret in lines] == [account for account, _ in lines]


def test_a_token_can_be_narrowed(run: Run, file: Path) -> None:
    done = run(file, "token", "quiet/manager", "--scope", "PUBLISH_NOTICE", "--scope", "READ_LEDGER")
    assert viewer_of(file, only_line(done.stdout)) == "quiet/manager"
    with sqlite3.connect(file) as database:
        newest = database.execute("SELECT scopes FROM session ORDER BY id DESC LIMIT 1").fetchone()
    assert newest == ("PUBLISH_NOTICE READ_LEDGER",)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody",), "no account nobody"),
        (("quiet/resident-9*",), "no account"),
        (("quiet/resident-1", "--scope", "FLY"), "no scope FLY"),
    ],
)
def test_a_token_for_nobody_or_nothing_is_refused(
    run: Run, file: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run(file, "token", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in only_line(done.stderr)


def test_what_is_right_is_verified(run: Run, file: Path) -> None:
    done = run(file, "verify")
    assert (done.exit_code, done.stderr) == (0, "")
    assert only_line(done.stdout) == "1 closed votes recounted, 2 ledgers re-added, 0 differences"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE question_result SET agreeing_heads = 4", "question"),
        ("UPDATE ballot_choice SET choice = 'AGAINST'", "question"),
        ("UPDATE roll SET heads = 7", "roll"),
        ("UPDATE entry SET balance = balance + 1 WHERE number = 2", "entry 2"),
        ("UPDATE entry SET amount = amount + 1 WHERE number = 1", "entry"),
    ],
)
def test_whatever_was_changed_behind_our_back_is_found(run: Run, file: Path, change: str, said: str) -> None:
    with sqlite3.connect(file) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (trigger,) in triggers:
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(change)
    done = run(file, "verify")
    assert done.exit_code == 1
    assert said in done.stderr
    assert " 0 differences" not in done.stdout


def test_an_unknown_setting_is_refused_with_one_sentence(run: Run, file: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MEILIN_COLOUR", "red")
    for name in ("migrate", "verify", "serve"):
        done = run(file, name)
        assert done.exit_code == 2
        assert only_line(done.stderr).startswith(f"meilin {name}: unknown setting MEILIN_COLOUR")


@pytest.mark.parametrize("arguments", [("serve", "--port", "1"), ("demo",), ("token", "a"), ("verify",)])
def test_an_unmigrated_database_is_refused_with_one_sentence(
    tmp_path: Path, command: Any, arguments: tuple[str, ...]
) -> None:
    done = command(*arguments, MEILIN_DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")
    assert (done.returncode, done.stdout) == (2, "")
    assert only_line(done.stderr).endswith("; run `meilin migrate` first")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgres://meilin:secret@127.0.0.1:1/meilin", "Connect call failed"),
        ("sqlite:///{folder}", "unable to open database file"),
        ("sqlite:///{folder}/text", "file is not a database"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_with_one_sentence(
    tmp_path: Path, command: Any, url: str, said: str
) -> None:
    (tmp_path / "text").write_text("no database, whatever its name is" * 99)
    for name in ("serve", "migrate"):
        done = command(name, MEILIN_DATABASE_URL=url.format(folder=tmp_path))
        assert (done.returncode, done.stdout) == (2, "")
        line = only_line(done.stderr)
        assert line.startswith(f"meilin {name}: the database of MEILIN_DATABASE_URL cannot be used: ")
        assert said in line
        assert "secret" not in line


def test_several_workers_without_a_line_between_them_are_refused(file: Path, command: Any) -> None:
    done = command("serve", "--port", "1", "--workers", "2", MEILIN_DATABASE_URL=f"sqlite:///{file}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "MEILIN_REDIS_URL" in only_line(done.stderr)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nobody_is_welcomed_at_a_port_that_somebody_else_has(file: Path, command: Any, workers: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        settings = {"MEILIN_DATABASE_URL": f"sqlite:///{file}", "MEILIN_REDIS_URL": "redis://127.0.0.1:1/0"}
        done = command("serve", "--port", port, "--workers", workers, **settings)
    assert (done.returncode, done.stdout) == (3, "")
    assert "ddress already in use" in done.stderr


@pytest.mark.parametrize("url", ["mysql://db/meilin", "meilin.db", "://"])
def test_a_url_of_no_engine_is_refused_without_a_traceback(url: str, command: Any) -> None:
    done = command("migrate", MEILIN_DATABASE_URL=url)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert only_line(done.stderr).startswith("meilin migrate: ")
