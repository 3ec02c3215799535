"""The command line `meilin`: one function a command.

What a command needs is imported within it, so that each starts fast and counting files needs no database.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api.settings import Settings
    from community.votes.file_count import CountedFile
    from community.votes.files import VoteFile

EXIT_DIFFERENT, EXIT_REFUSED = 1, 2

app = typer.Typer(name="meilin", add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def meilin() -> None:
    """美邻 Meilin: owners' votes, events and the ledger of a housing estate."""


def main() -> None:
    """The entry point; it speaks UTF-8 whatever the terminal's locale is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    app()


@app.command()
def count(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="One result object a line.")] = False,
) -> None:
    """按法律清点表决文件 Count vote files by the law; a bad file is named and the others still counted."""
    from community.votes.file_count import count_file
    from community.votes.files import BadVoteFile, read

    show = _show_json if as_json else _show_report
    refused = False
    for path in files:
        try:
            vote = read(path)
        except BadVoteFile as error:
            refused = True
            typer.echo(f"meilin count: {path}: {error}", err=True)
        else:
            show(path, vote, count_file(vote))
    if refused:
        raise typer.Exit(EXIT_REFUSED)


def _show_json(_path: Path, _vote: "VoteFile", counted: "CountedFile") -> None:
    from community.votes.file_count import result

    typer.echo(json.dumps(result(counted), ensure_ascii=False))


def _show_report(path: Path, vote: "VoteFile", counted: "CountedFile") -> None:
    from rich.console import Console

    from api.count_report import count_report

    Console().print(count_report(path, vote, counted))


def _refuse(command: str, reason: object) -> typer.Exit:
    typer.echo(f"meilin {command}: {reason}", err=True)
    return typer.Exit(EXIT_REFUSED)


@contextmanager
def _refusing(command: str) -> Iterator[None]:
    """What whoever runs us can mend is said in one sentence."""
    from api.commands import NoAccount, NoDatabase
    from api.settings import BadSetting
    from community.database.migrate import CannotMigrate

    try:
        yield
    except (BadSetting, NoAccount, NoDatabase, CannotMigrate) as error:
        raise _refuse(command, error) from error


def _settings(port: int = 8000) -> "Settings":
    from api.settings import Settings

    return Settings.from_environment(port=port)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """启动服务 Run the server; a database that is not migrated is refused."""
    from api.commands import check_database
    from api.server import serve as run

    with _refusing("serve"):
        settings = _settings(port)
        if workers > 1 and not settings.redis_url:
            raise _refuse(
                "serve", "more than one worker needs MEILIN_REDIS_URL, so that all show the same changes"
            )
        check_database(settings)
    run(settings, host, port, workers)


@app.command()
def migrate() -> None:
    """更新数据库结构 Bring the database up to date; one process at a time."""
    from api.commands import bring_up_to_date

    with _refusing("migrate"):
        done = bring_up_to_date(_settings())
    typer.echo(f"applied {', '.join(done)}" if done else "up to date")


@app.command()
def schema() -> None:
    """打印 GraphQL 结构 Print the schema."""
    from schema.schema import sdl

    typer.echo(sdl(), nl=False)


@app.command()
def demo(
    alive: Annotated[
        bool, typer.Option("--alive", help="Let neighbours vote and sign up on a running server.")
    ] = False,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="With --alive: actions a second.")] = 1.0,
    url: Annotated[str, typer.Option(help="With --alive: the server.")] = "http://127.0.0.1:8000",
) -> None:
    """装入示范小区 Load the demonstration communities, or make them lively."""
    from api.commands import load_demo, run_alive

    with _refusing("demo"):
        if alive:
            run_alive(_settings(), url, rate)
        else:
            load_demo(_settings())


@app.command()
def token(
    accounts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ACCOUNT…]", help="'SLUG/resident-*' takes all of them.", show_default=False),
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="A permission the token is narrowed to.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what stands, and issue none.")] = False,
    revoke: Annotated[
        list[int] | None,
        typer.Option(metavar="ID", min=1, max=2**63 - 1, help="End the one of this number, as listed."),
    ] = None,
) -> None:
    """签发令牌 Print bearer tokens; with several accounts one `account<TAB>token` a line.

    查看、收回 With --list the cookies and tokens of the accounts, with --revoke one of them is ended.
    """
    if bool(accounts) == bool(revoke) or (scope and (listed or revoke)) or (listed and revoke):
        raise _refuse("token", "name accounts, or accounts and --list, or --revoke ID")
    if revoke:
        _revoke(revoke)
    elif listed:
        _list(accounts or [])
    else:
        _issue(accounts or [], scope or [])


def _issue(accounts: list[str], scopes: list[str]) -> None:
    from api.commands import issue_tokens
    from community.permissions import Permission

    if unknown := sorted(set(scopes) - set(Permission)):
        raise _refuse("token", f"no scope {unknown[0]}; there are {', '.join(Permission)}")
    with _refusing("token"):
        issued = issue_tokens(_settings(), accounts, [Permission(name) for name in scopes] or None)
    alone = len(accounts) == 1 and not accounts[0].endswith("*")
    for account, secret in issued:
        typer.echo(secret if alone else f"{account}\t{secret}")


def _list(accounts: list[str]) -> None:
    """The number, account, kind, begin, end and scopes of each, in lines with tabs."""
    from api.commands import list_sessions

    with _refusing("token"):
        for row in list_sessions(_settings(), accounts):
            times = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (row.created_at, row.expires_at))
            scopes = "all" if row.scopes is None else " ".join(row.scopes)
            typer.echo("\t".join([str(row.id), row.account, row.kind, *times, scopes]))


def _revoke(sessions: list[int]) -> None:
    from api.commands import revoke_sessions

    with _refusing("token"):
        unknown = revoke_sessions(_settings(), sessions)
    if unknown:
        raise _refuse("token", f"nothing of the number {', '.join(map(str, unknown))} stands")


community = typer.Typer(help="小区 What a community settles.", no_args_is_help=True)
app.add_typer(community, name="community")


@community.command("set")
def set_community(
    slug: Annotated[str, typer.Argument(metavar="SLUG", show_default=False)],
    public: Annotated[
        bool,
        typer.Option("--public/--private", help="Whether everybody may read without signing in."),
    ],
) -> None:
    """改小区设置 Change the settings of a community, as a new version; it holds at once."""
    from api.commands import set_public_reading

    with _refusing("community"):
        changed = set_public_reading(_settings(), slug, public)
    if changed is None:
        raise _refuse("community", f"no community {slug}")
    now = "may be read by everybody" if public else "may be read by its own people only"
    typer.echo(f"{slug} {now}" if changed else f"{slug} {now}, as before")


due = typer.Typer(help="到期事务 What was due and was given up.", no_args_is_help=True)
app.add_typer(due, name="due")


@due.command("list")
def list_due() -> None:
    """列出 Show what failed too often and is tried no more, in lines with tabs.

    Number, job, subject, when it was due, how often it failed, when last and by what.
    """
    from api.commands import list_dead_letters

    with _refusing("due"):
        for letter in list_dead_letters(_settings()):
            due_at, failed_at = (
                f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else "-" for at in (letter.at, letter.failed_at)
            )
            error = f"{letter.error or '-'} {letter.error_text or ''}".rstrip()
            columns = (letter.id, letter.job, letter.subject, due_at, letter.attempts, failed_at, error)
            typer.echo("\t".join(map(str, columns)))


@due.command("retry")
def retry_due(
    ids: Annotated[
        list[int] | None,
        typer.Argument(metavar="[ID…]", min=1, max=2**63 - 1, help="Numbers, as listed.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that was given up.")] = False,
) -> None:
    """重试 Let a running server try again what was given up, once its cause is mended."""
    from api.commands import retry_dead_letters

    if bool(ids) == everything:
        raise _refuse("due", "name numbers, or --all")
    with _refusing("due"):
        retried = retry_dead_letters(_settings(), ids)
    for letter in retried:
        typer.echo(f"{letter.id}\t{letter.job}\t{letter.subject}")
    if unknown := sorted(set(ids or ()) - {letter.id for letter in retried}):
        raise _refuse("due", f"nothing of the number {', '.join(map(str, unknown))} was given up")


@app.command()
def verify(
    mend: Annotated[
        bool,
        typer.Option("--mend", help="改正累计数 Set kept totals that differ to what the rows say."),
    ] = False,
) -> None:
    """核对 Recount every closed vote, re-add every ledger and every kept total; exit 1 on any difference.

    Says how many votes could not be checked yet, and which of them are past their close.
    """
    from api.commands import find_differences

    with _refusing("verify"):
        votes, books, differences, uncounted, mended = find_differences(_settings(), mend=mend)
    for difference in differences:
        typer.echo(difference, err=True)
    typer.echo(
        f"{votes} closed votes recounted, {books} ledgers re-added, {len(differences)} differences;"
        f" nothing to recount yet in {uncounted.announced} announced, {uncounted.open} open"
        f" and {len(uncounted.waiting)} waiting votes"
    )
    if mended:
        typer.echo(f"the kept totals of {mended} votes were mended")
    for vote, closed in uncounted.waiting:
        typer.echo(
            f"vote {vote}: closed at {closed:%Y-%m-%dT%H:%M:%SZ}, waits for a running server to count it"
        )
    if differences:
        raise typer.Exit(EXIT_DIFFERENT)
