"""What the commands do with the database, each opening and closing it by itself."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from api.clock import utc_now
from api.settings import Settings
from community.database.engine import opened
from community.database.migrate import migrate, pending
from community.members.actions import open_session
from community.members.reads import accounts_like
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Permission

TOKEN_LIFETIME = timedelta(days=365)


def check_migrated(settings: Settings) -> list[str]:
    """The names of migrations that the database lacks."""

    async def check() -> list[str]:
        async with opened(settings.database_url):
            return await pending(settings.database_url)

    return asyncio.run(check())


def bring_up_to_date(settings: Settings) -> list[str]:
    async def run() -> list[str]:
        async with opened(settings.database_url):
            return await migrate(settings.database_url)

    return asyncio.run(run())


def load_demo(settings: Settings) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from community.demo.load import load

    async def run() -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns) as bars:
            bar = bars.add_task("", visible=False)

            def report(doing: str, done: int, total: int) -> None:
                bars.update(bar, description=doing, completed=done, total=total, visible=total > 0)

            async with opened(settings.database_url):
                await load(utc_now(), report)

    asyncio.run(run())


def run_alive(settings: Settings, url: str, rate: float) -> None:
    from api.alive import live

    asyncio.run(live(settings.database_url, url, rate))


def issue_tokens(
    settings: Settings, patterns: Sequence[str], scopes: Sequence[Permission] | None
) -> list[tuple[str, str]]:
    """Accounts and fresh tokens, in the order of the patterns."""

    async def issue() -> list[tuple[str, str]]:
        async with opened(settings.database_url):
            names = [name for pattern in patterns for _, name in await accounts_like(pattern)]
            return [
                (
                    name,
                    await open_session(
                        SYSTEM,
                        utc_now(),
                        name,
                        kind=SessionKind.TOKEN,
                        lifetime=TOKEN_LIFETIME,
                        scopes=scopes,
                    ),
                )
                for name in dict.fromkeys(names)
            ]

    return asyncio.run(issue())


def find_differences(settings: Settings) -> tuple[int, int, list[str]]:
    """How many votes and books were checked, and what differs."""
    from community.ledger.reads import check_books
    from community.places.reads import all_communities
    from community.votes.recount import closed_votes, recount

    async def check() -> tuple[int, int, list[str]]:
        async with opened(settings.database_url):
            votes, communities = await closed_votes(), await all_communities()
            differences = [line for vote in votes for line in await recount(vote)]
            differences += [line for community in communities for line in await check_books(community)]
            return len(votes), len(communities), differences

    return asyncio.run(check())
