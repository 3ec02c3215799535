"""The demonstration communities in a SQLite file: loaded once, then copied for every server."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from api.clock import utc_now
from community.database.engine import opened
from community.database.migrate import migrate
from community.members.actions import open_session
from community.members.reads import accounts_like
from community.members.rules import SessionKind
from community.permissions import SYSTEM
from demo.load import load

SLUG = "meizai-meicheng"


def url_of(file: Path) -> str:
    return f"sqlite:///{file.resolve()}"


async def fill(url: str) -> None:
    """Adds what is missing; of a database of this day nothing is."""
    async with opened(url):
        await migrate(url)
        await load(utc_now(), lambda *_: None)


def copy(file: Path, to: Path) -> None:
    """As one snapshot, also where pages still wait in the file's log."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


async def residents(most: int) -> list[str]:
    """The accounts of residents, in the order of their numbers."""
    names = [name for _, name in await accounts_like(f"{SLUG}/resident-*")]
    return [name for name in names if name.rsplit("-", 1)[-1].isdigit()][:most]


async def tokens(file: Path, most: int) -> list[str]:
    """Secrets of residents, for an hour."""
    hour = timedelta(hours=1)
    async with opened(url_of(file)):
        return [
            await open_session(SYSTEM, utc_now(), name, kind=SessionKind.TOKEN, lifetime=hour)
            for name in await residents(most)
        ]
