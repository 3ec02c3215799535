"""What the commands do with the database, each opening and closing it by itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from api.clock import utc_now
from api.settings import Settings
from community.database.actions import retry_due
from community.database.deadline import unhurried
from community.database.due import DeadLetter, dead_letters
from community.database.engine import opened
from community.database.migrate import migrate, pending
from community.database.sql import select
from community.errors import NotFound
from community.members.actions import open_session, revoke_session
from community.members.reads import SessionRow, accounts_like, sessions_of
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Permission
from community.places import actions
from community.places.reads import all_communities, community_by_slug

if TYPE_CHECKING:
    from community.votes.recount import Uncounted

TOKEN_LIFETIME = timedelta(days=365)


class NoDatabase(RuntimeError):
    """None that can be used as it is; the text is what the operator reads."""


class NoAccount(RuntimeError):
    """None of this name; the text is what the operator reads."""


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

    from demo.load import load

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
    from demo.alive import simulate

    check_database(settings)
    asyncio.run(simulate(settings.database_url, url, rate))


async def _named(patterns: Sequence[str]) -> list[tuple[int, str]]:
    """The accounts of these names, each once, in the order of the patterns. Raises NoAccount."""
    found = dict.fromkeys([account for pattern in patterns for account in await accounts_like(pattern)])
    if not found:
        raise NoAccount(f"no account {', '.join(patterns)}")
    return list(found)


def issue_tokens(
    settings: Settings, patterns: Sequence[str], scopes: Sequence[Permission] | None
) -> list[tuple[str, str]]:
    """Accounts and fresh tokens. Raises NoAccount."""

    async def issue() -> list[tuple[str, str]]:
        async with _database(settings):
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
                for _, name in await _named(patterns)
            ]

    return asyncio.run(issue())


def list_sessions(settings: Settings, patterns: Sequence[str]) -> list[SessionRow]:
    """What stands of these accounts. Raises NoAccount."""

    async def read() -> list[SessionRow]:
        async with _database(settings):
            return await sessions_of([account for account, _ in await _named(patterns)], utc_now())

    return asyncio.run(read())


def revoke_sessions(settings: Settings, sessions: Sequence[int]) -> list[int]:
    """Ends them, and gives back the numbers of which none stood."""

    async def revoke() -> list[int]:
        unknown = []
        async with _database(settings):
            for session in sessions:
                try:
                    await revoke_session(SYSTEM, utc_now(), session)
                except NotFound:
                    unknown.append(session)
        return unknown

    return asyncio.run(revoke())


def set_public_reading(settings: Settings, slug: str, public: bool) -> bool | None:
    """Whether that was another setting before; None where there is no such community."""

    async def settle() -> bool | None:
        async with _database(settings):
            community = await community_by_slug(SYSTEM, slug)
            if community is None:
                return None
            await actions.set_public_reading(SYSTEM, utc_now(), community.id, public=public)
            return community.profile.public_reading != public

    return asyncio.run(settle())


def list_dead_letters(settings: Settings) -> list[DeadLetter]:
    async def read() -> list[DeadLetter]:
        async with _database(settings):
            return await dead_letters()

    return asyncio.run(read())


def retry_dead_letters(settings: Settings, ids: Sequence[int] | None) -> list[DeadLetter]:
    """Lets a running server try these again, or all; those that were given up."""

    async def retry() -> list[DeadLetter]:
        async with _database(settings):
            return await retry_due(SYSTEM, utc_now(), ids)

    return asyncio.run(retry())


class Checked(NamedTuple):
    """How many votes and books were checked, what differs, and which votes cannot be checked yet.

    `mended`: how many votes had kept totals that differed, and have them no more.
    """

    votes: int
    books: int
    differences: list[str]
    uncounted: "Uncounted"
    mended: int = 0


def find_differences(settings: Settings, *, mend: bool = False) -> Checked:
    """`mend`: kept totals that differ from their rows are then set to what the rows add up to."""
    from community.ledger.reads import check_books
    from community.votes.actions import mend_totals
    from community.votes.recount import closed_votes, open_boxes, recount, totals_differ, uncounted_votes

    async def check() -> Checked:
        async with _database(settings):
            votes, communities = await closed_votes(), await all_communities()
            uncounted = await uncounted_votes(utc_now())
            opened = await open_boxes()
            differences = [line for vote in votes for line in await recount(vote)]
            differences += [line for vote in opened for line in await totals_differ(vote)]
            differences += [line for community in communities for line in await check_books(community)]
            mended = [await mend_totals(SYSTEM, utc_now(), vote) for vote in (*votes, *opened) if mend]
            return Checked(len(votes), len(communities), differences, uncounted, sum(map(bool, mended)))

    return asyncio.run(check())
