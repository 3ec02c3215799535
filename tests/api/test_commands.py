"""The commands that keep a house running, on a database of their own."""

import asyncio
import hashlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from realtime.versions import BEHIND
from schema.schema import sdl
from tests.community.database.catalogue import picture
from tests.engines import execute, opened_alone, rows, tamper

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process: `run(url, "migrate")`."""
    for name in os.environ:
        if name.startswith("MEILIN_"):
            monkeypatch.delenv(name)

    def invoke(url: str, *arguments: str) -> Result:
        return CliRunner(env={"MEILIN_DATABASE_URL": url}).invoke(app, arguments)

    return invoke


def only_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def test_migrating_brings_up_to_date_once(run: Run, new_url: str) -> None:
    first = run(new_url, "migrate")
    assert first.exit_code == 0
    assert only_line(first.stdout).startswith("applied 0001_initial, ")
    second = run(new_url, "migrate")
    assert (second.exit_code, only_line(second.stdout)) == (0, "up to date")


def test_two_processes_that_migrate_at_once_do_it_once(new_url: str, command: Any) -> None:
    started = [
        subprocess.Popen(
            **command.prepared("migrate", MEILIN_DATABASE_URL=new_url),
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
    assert run(f"sqlite:///{tmp_path / 'none.db'}", "schema").stdout == sdl()
    assert not (tmp_path / "none.db").exists()


def viewer_of(url: str, secret: str) -> str | None:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    query = f"SELECT a.name FROM session s JOIN account a ON a.id = s.account_id WHERE hash = '{digest}'"
    return next((name for (name,) in asyncio.run(rows(url, query))), None)


async def everything_in(url: str) -> str:
    async with opened_alone(url):
        return str((await picture()).rows)


def test_a_token_is_printed_alone_and_only_its_hash_is_kept(run: Run, town_url: str) -> None:
    done = run(town_url, "token", "quiet/resident-1")
    assert done.exit_code == 0
    secret = only_line(done.stdout)
    assert viewer_of(town_url, secret) == "quiet/resident-1"
    assert secret not in asyncio.run(everything_in(town_url))


def test_many_tokens_are_lines_of_account_and_token(run: Run, town_url: str) -> None:
    done = run(town_url, "token", "spring/resident-*", "city/regulator")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [account for account, _ in lines] == [
        *(f"spring/resident-{number}" for number in range(1, 7)),
        "city/regulator",
    ]
    assert [viewer_of(town_url, secret) for _, secret in lines] == [account for account, _ in lines]


def test_a_token_can_be_narrowed(run: Run, town_url: str) -> None:
    done = run(town_url, "token", "quiet/manager", "--scope", "PUBLISH_NOTICE", "--scope", "READ_LEDGER")
    assert viewer_of(town_url, only_line(done.stdout)) == "quiet/manager"
    newest = asyncio.run(rows(town_url, "SELECT scopes FROM session ORDER BY id DESC LIMIT 1"))
    assert newest == [("PUBLISH_NOTICE READ_LEDGER",)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody",), "no account nobody"),
        (("quiet/resident-9*",), "no account"),
        (("quiet/resident-1", "--scope", "FLY"), "no scope FLY"),
    ],
)
def test_a_token_for_nobody_or_nothing_is_refused(
    run: Run, town_url: str, arguments: tuple[str, ...], said: str
) -> None:
    done = run(town_url, "token", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in only_line(done.stderr)


def test_what_stands_is_listed_without_secrets(run: Run, town_url: str) -> None:
    secrets = [
        only_line(run(town_url, "token", "quiet/manager", *more).stdout)
        for more in ((), ("--scope", "READ_LEDGER", "--scope", "SIGN_UP"))
    ]
    done = run(town_url, "token", "--list", "quiet/manager")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(account, kind, scopes) for _, account, kind, _, _, scopes in lines] == [
        ("quiet/manager", "TOKEN", "all"),  # the town's own
        ("quiet/manager", "TOKEN", "all"),
        ("quiet/manager", "TOKEN", "READ_LEDGER SIGN_UP"),
    ]
    times = [datetime.fromisoformat(time) for line in lines for time in line[3:5]]
    assert all(until > since for since, until in zip(times[::2], times[1::2], strict=True))
    assert all(number.isdigit() for number, *_ in lines)
    for secret in secrets:
        assert secret not in done.stdout
        assert hashlib.sha256(secret.encode()).hexdigest() not in done.stdout
    many = run(town_url, "token", "spring/resident-*", "--list").stdout.splitlines()
    assert {line.split("\t")[1] for line in many} == {f"spring/resident-{number}" for number in range(1, 7)}


def test_a_token_is_revoked_by_its_number(run: Run, town_url: str) -> None:
    secret = only_line(run(town_url, "token", "quiet/manager").stdout)
    listed = run(town_url, "token", "--list", "quiet/manager").stdout.splitlines()
    number = listed[-1].split("\t")[0]
    assert run(town_url, "token", "--revoke", number).exit_code == 0
    assert viewer_of(town_url, secret) is None
    assert run(town_url, "token", "--list", "quiet/manager").stdout.splitlines() == listed[:-1]
    again = run(town_url, "token", "--revoke", number, "--revoke", listed[0].split("\t")[0])
    assert again.exit_code == 2
    assert only_line(again.stderr) == f"meilin token: nothing of the number {number} stands"
    assert run(town_url, "token", "--list", "quiet/manager").stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--list",),
        ("quiet/manager", "--revoke", "5"),
        ("quiet/manager", "--list", "--scope", "SIGN_UP"),
        ("--revoke", "5", "--scope", "SIGN_UP"),
        ("--revoke", "5", "--list"),
        ("--revoke", "0"),
        ("--revoke", str(2**63)),
        ("--revoke", "not-a-number"),
        ("--list", "nobody"),
    ],
)
def test_what_makes_no_sense_of_tokens_is_refused(
    run: Run, town_url: str, arguments: tuple[str, ...]
) -> None:
    before = asyncio.run(rows(town_url, "SELECT COUNT(*) FROM session"))
    done = run(town_url, "token", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert asyncio.run(rows(town_url, "SELECT COUNT(*) FROM session")) == before


def test_a_token_revoked_beside_a_running_server_opens_nothing_any_more(
    serve: Any, run: Run, tmp_path: Path
) -> None:
    with serve(tmp_path) as server:
        query = '{ community(slug: "quiet") { name } }'
        assert server.post(query, "quiet/manager")["data"]["community"] == {"name": "静园"}
        listed = run(server.database_url, "token", "--list", "quiet/manager").stdout
        assert run(server.database_url, "token", "--revoke", listed.split("\t")[0]).exit_code == 0
        time.sleep(BEHIND)  # so long it may be known to the server, to which the command says nothing
        assert server.post(query, "quiet/manager")["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_public_reading_is_set_on_the_command_line(run: Run, town_url: str) -> None:
    def settled() -> list[tuple[int, bool]]:
        query = (
            "SELECT p.version, p.public_reading FROM community c JOIN community_profile p"
            " ON p.community_id = c.id WHERE c.slug = 'quiet' ORDER BY p.version"
        )
        return [(version, bool(public)) for version, public in asyncio.run(rows(town_url, query))]

    done = run(town_url, "community", "set", "quiet", "--public")
    assert (done.exit_code, only_line(done.stdout)) == (0, "quiet may be read by everybody")
    again = run(town_url, "community", "set", "quiet", "--public")
    assert (again.exit_code, only_line(again.stdout)) == (0, "quiet may be read by everybody, as before")
    private = run(town_url, "community", "set", "quiet", "--private")
    assert only_line(private.stdout) == "quiet may be read by its own people only"
    assert settled() == [(1, False), (2, True), (3, False)]
    for arguments in (("nowhere", "--public"), ("quiet",), ("x" * 99, "--private")):
        assert run(town_url, "community", "set", *arguments).exit_code == 2
    assert len(settled()) == 3


def test_what_is_right_is_verified(run: Run, town_url: str) -> None:
    done = run(town_url, "verify")
    assert (done.exit_code, done.stderr) == (0, "")
    assert only_line(done.stdout) == (
        "1 closed votes recounted, 2 ledgers re-added, 0 differences;"
        " nothing to recount yet in 1 announced, 3 open and 0 waiting votes"
    )


def test_a_vote_past_its_close_that_nobody_counted_is_named(run: Run, town: Any, town_url: str) -> None:
    vote = town.key("Vote", "open")
    window = "opens_at = '2026-01-02 16:00:00+00:00', closes_at = '2026-01-05 16:00:00+00:00'"
    asyncio.run(tamper(town_url, f"UPDATE vote SET {window} WHERE id = {vote}"))
    done = run(town_url, "verify")
    assert done.exit_code == 0
    told, waiting = done.stdout.splitlines()
    assert told.endswith(" 1 announced, 2 open and 1 waiting votes")
    assert waiting == f"vote {vote}: closed at 2026-01-05T16:00:00Z, waits for a running server to count it"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE count_result SET agreeing_heads = 4", "question"),
        ("UPDATE ballot_choice SET choice = 'AGAINST'", "question"),
        ("UPDATE roll SET heads = 7", "roll"),
        ("UPDATE total SET heads = heads + 1 WHERE part = 'BALLOTS'", "total of BALLOTS: kept"),
        ("UPDATE entry SET balance = balance + 1 WHERE number = 2", "entry 2"),
        ("UPDATE entry SET amount = amount + 1 WHERE number = 1", "entry"),
    ],
)
def test_whatever_was_changed_behind_our_back_is_found(
    run: Run, town_url: str, change: str, said: str
) -> None:
    asyncio.run(tamper(town_url, change))
    done = run(town_url, "verify")
    assert done.exit_code == 1
    assert said in done.stderr
    assert " 0 differences" not in done.stdout


def test_kept_totals_that_are_wrong_are_named_and_mended_where_asked_for(run: Run, town_url: str) -> None:
    asyncio.run(tamper(town_url, "UPDATE total SET area = area + 1 WHERE part = 'CHOICE'"))
    for _ in range(2):
        assert run(town_url, "verify").exit_code == 1
    mended = run(town_url, "verify", "--mend")
    assert mended.exit_code == 1
    assert "total of CHOICE" in mended.stderr
    assert re.search(r"^the kept totals of \d votes were mended$", mended.stdout, re.MULTILINE)
    assert run(town_url, "verify").exit_code == 0


def test_an_unknown_setting_is_refused_with_one_sentence(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MEILIN_COLOUR", "red")
    for name in ("migrate", "verify", "serve"):
        done = run(f"sqlite:///{tmp_path / 'none.db'}", name)
        assert done.exit_code == 2
        assert only_line(done.stderr).startswith(f"meilin {name}: unknown setting MEILIN_COLOUR")


@pytest.mark.parametrize("arguments", [("serve", "--port", "1"), ("demo",), ("token", "a"), ("verify",)])
def test_an_unmigrated_database_is_refused_with_one_sentence(
    new_url: str, command: Any, arguments: tuple[str, ...]
) -> None:
    done = command(*arguments, MEILIN_DATABASE_URL=new_url)
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


def test_several_workers_without_a_line_between_them_are_refused(town_url: str, command: Any) -> None:
    done = command("serve", "--port", "1", "--workers", "2", MEILIN_DATABASE_URL=town_url)
    assert (done.returncode, done.stdout) == (2, "")
    assert "MEILIN_REDIS_URL" in only_line(done.stderr)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nobody_is_welcomed_at_a_port_that_somebody_else_has(
    town_url: str, command: Any, workers: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        settings = {"MEILIN_DATABASE_URL": town_url, "MEILIN_REDIS_URL": "redis://127.0.0.1:1/0"}
        done = command("serve", "--port", port, "--workers", workers, **settings)
    assert (done.returncode, done.stdout) == (3, "")
    assert "ddress already in use" in done.stderr


@pytest.mark.parametrize("url", ["mysql://db/meilin", "meilin.db", "://"])
def test_a_url_of_no_engine_is_refused_without_a_traceback(url: str, command: Any) -> None:
    done = command("migrate", MEILIN_DATABASE_URL=url)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert only_line(done.stderr).startswith("meilin migrate: ")


# What was given up


GIVEN_UP = """
INSERT INTO due (id, job, subject, at, attempts, error, error_text, failed_at)
 VALUES (5, 'close_vote', 7, '2026-05-20 02:00:00+00:00', 20, 'OSError', 'at a.py:1',
  '2026-05-20 04:00:00+00:00');
INSERT INTO due (id, job, subject, at, attempts) VALUES (6, 'open_vote', 8, '2026-05-20 03:00:00+00:00', 20);
INSERT INTO due (id, job, subject, at, attempts) VALUES (9, 'open_vote', 9, '2026-05-20 01:00:00+00:00', 19);
"""


@pytest.fixture
def given_up(town_url: str) -> str:
    for statement in GIVEN_UP.split(";\n"):
        if statement.strip():
            asyncio.run(execute(town_url, statement))
    return town_url


def test_what_was_given_up_is_listed_with_what_it_failed_by(run: Run, given_up: str) -> None:
    assert run(given_up, "due", "list").stdout.splitlines() == [
        "5\tclose_vote\t7\t2026-05-20T02:00:00Z\t20\t2026-05-20T04:00:00Z\tOSError at a.py:1",
        "6\topen_vote\t8\t2026-05-20T03:00:00Z\t20\t-\t-",
    ]


def test_one_is_retried_and_then_it_is_listed_no_more(run: Run, given_up: str) -> None:
    done = run(given_up, "due", "retry", "5")
    assert (done.exit_code, done.stdout) == (0, "5\tclose_vote\t7\n")
    assert len(run(given_up, "due", "list").stdout.splitlines()) == 1
    again = run(given_up, "due", "retry", "5", "6", "9")
    assert (again.exit_code, again.stdout) == (2, "6\topen_vote\t8\n")
    assert again.stderr == "meilin due: nothing of the number 5, 9 was given up\n"
    assert run(given_up, "due", "list").stdout == ""


def test_all_are_retried(run: Run, given_up: str) -> None:
    retried = run(given_up, "due", "retry", "--all").stdout.splitlines()
    assert retried == [
        "5\tclose_vote\t7",
        "6\topen_vote\t8",
    ]
    assert run(given_up, "due", "retry", "--all").stdout == ""


@pytest.mark.parametrize("arguments", [(), ("5", "--all")])
def test_what_is_to_be_retried_must_be_named(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(f"sqlite:///{tmp_path / 'none.db'}", "due", "retry", *arguments)
    assert (done.exit_code, done.stderr) == (2, "meilin due: name numbers, or --all\n")
