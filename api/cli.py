"""The command line `meilin`: one function a command.

What a command needs is imported within it, so that each starts fast and counting files needs no database.
"""

import json
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from community.votes.file_count import CountedFile
    from community.votes.files import VoteFile

EXIT_REFUSED = 2

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
