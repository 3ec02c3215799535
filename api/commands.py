"""What the commands do with the database, each opening and closing it by itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from api.clock import utc_now
from api.settings import Settings
from community.database.deadline import unhurried
from community.database.engine import opened
from community.database.migrate import migrate, pending
from community.database.sql import select
from community.members.actions import open_session
from community.members.reads import accounts_like
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Permission

TOKEN_LIFETIME = timedelta(days=365)


class NoDatabase(RuntimeError):
    """None that can be used as it is; the text is what the operator reads."""


@asynccontextmanager
async def _answering(settings: Settings) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        stack.enter_context(unhurried())
        try:
            await stack.enter_async_context(opened(settings.database_url))
            await select("SELECT 1")
        except Exception as error:
            said = f"the database of MEILIN_DATABASE_URL cannot be used: {_cause(error)}"
            raise NoDatabase(said) from error
        yield


def _cause(error: BaseException) -> str:
    """What began it."""
    while earlier := error.__cause__ or error.__context__:
        error = earlier
    return str(error) or type(error).__name__


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[None]:
    async with _answering(settings):
        if missing := await pending(settings.database_url):
            raise NoDatabase(f"the database lacks {', '.join(missing)}; run `meilin migrate` first")
        yield


def check_database(settings: Settings) -> None:
    """Raises NoDatabase, and CannotMigrate for one of a newer Meilin."""

    async def check() -> None:
        async with _database(settings):
            pass

    asyncio.run(check())


def bring_up_to_date(settings: Settings) -> list[str]:
    async def run() -> list[str]:
        async with _answering(settings):
            return await migrate(settings.database_url)

    return asyncio.run(run())


def load_demo(settings: Settings) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from community.demo.load import load

    async def run() -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        async with _database(settings):
            with Progress(*columns) as bars:
                bar = bars.add_task("", visible=False)

                def report(doing: str, done: int, total: int) -> None:
                    bars.update(bar, description=doing, completed=done, total=total, visible=total > 0)

                await load(utc_now(), report)

    asyncio.run(run())


def run_alive(settings: Settings, url: str, rate: float) -> None:
    from api.alive import live

    check_database(settings)
    asyncio.run(live(settings.database_url, url, rate))


def issue_tokens(
    settings: Settings, patterns: Sequence[str], scopes: Sequence[Permission] | None
) -> list[tuple[str, str]]:
    """Accounts and fresh tokens, in the order of the patterns."""

    async def issue() -> list[tuple[str, str]]:
        async with _database(settings):
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
        async with _database(settings):
            votes, communities = await closed_votes(), await all_communities()
            differences = [line for vote in votes for line in await recount(vote)]
            differences += [line for community in communities for line in await check_books(community)]
            return len(votes), len(communities), differences

    return asyncio.run(check())
