"""The one door for writing: an action is a permission, a rule, a write, and then the telling.

An action runs whole or not at all: it has a task of its own, which a caller that hangs up cannot cut.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import asyncpg
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from community.database import journal
from community.database.commands import Command, command
from community.errors import TryAgain, Unauthenticated
from community.permissions import Permission, Place, Viewer, require
from community.signals import Signal, Tell, Topic

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")

# What PostgreSQL says to a transaction that stood in the way of another one: it left no trace.
_OVERTAKEN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)

ENDED: Counter[str] = Counter(committed=0, undone=0)
"""How the deeds of this process ended, for whoever looks after it."""

_under_way: set[asyncio.Task[Any]] = set()
_listeners: list[Tell] = []


def tell_through(tell: Tell) -> Callable[[], None]:
    """Hands every later signal of this process to `tell`; call the result to stop it."""
    _listeners.append(tell)
    return lambda: _listeners.remove(tell)


def _tell(signals: Iterable[Signal]) -> None:
    told = tuple(dict.fromkeys(signals))
    for tell in _listeners:
        tell(told)


class Work:
    """One transaction: who asked, at what moment, and what changed."""

    def __init__(self, viewer: Viewer, now: datetime) -> None:
        self.viewer = viewer
        self.now = now
        self._news: list[journal.News] = []

    @property
    def account(self) -> int:
        """The account that acts; 0 is the system itself."""
        if self.viewer.account is None:
            raise Unauthenticated
        return self.viewer.account

    @property
    def recorder(self) -> int | None:
        """The account to write down as the one who recorded; null for the system."""
        return self.account or None

    def changed(self, topic: Topic, key: int, community: int | None) -> None:
        self._news.append(journal.News(Signal(topic, key), community))

    def posted(self, kind: str, subject: int, community: int) -> None:
        """Puts an item on the bulletin of `community`."""
        self._news.append(journal.News(Signal(Topic.BULLETIN, community), community, kind, subject))

    async def command(self, name: str, /, key: str | None, **arguments: object) -> Command:
        """What the client's own `key` already led to, or is to lead to; `arguments`: after cleaning.

        Raises InvalidInput for a key that is none, KeyReused where it was used with other arguments.
        """
        return await command(self.account, self.now, name, key, arguments)

    async def write_journal(self) -> tuple[Signal, ...]:
        if self._news:
            await journal.write(self._news, self.now)
        return tuple(news.signal for news in self._news)


async def in_one_piece(deed: Callable[[Work], Awaitable[T]], viewer: Viewer, now: datetime) -> T:
    """Runs `deed` in one transaction, writes its journal last, and tells after the commit.

    A cancelled caller leaves it running to its end. Raises TryAgain where the database is busy.
    """

    async def whole() -> T:
        work = Work(viewer, now)
        try:
            async with in_transaction():
                result = await deed(work)
                signals = await work.write_journal()
        except OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise TryAgain from error
            raise
        except _OVERTAKEN as error:
            raise TryAgain from error
        if signals:
            _tell(signals)
        return result

    task = asyncio.create_task(whole())
    _under_way.add(task)
    task.add_done_callback(_finished)
    return await asyncio.shield(task)


def _finished(task: asyncio.Task[Any]) -> None:
    _under_way.discard(task)
    # The caller may have hung up: asking for the exception keeps asyncio from complaining.
    ENDED["undone" if task.cancelled() or task.exception() else "committed"] += 1


async def all_done() -> None:
    """Waits for the actions under way, for a calm shutdown."""
    while _under_way:
        await asyncio.wait(_under_way)


Locate = Callable[[Any], Awaitable[Place]]
Body = Callable[Concatenate[Work, S, P], Awaitable[T]]
Action = Callable[Concatenate[Viewer, datetime, S, P], Coroutine[Any, Any, T]]

ACTIONS: dict[str, Permission] = {}
"""Every action of the house by its full name, with the permission it names."""


def requires(
    permission: Permission, within: Locate, known_by: Permission | None = None
) -> Callable[[Body[S, P, T]], Action[S, P, T]]:
    """Makes `body` an action: `within` finds the community of its subject, and the permission is asked there.

    Called as `action(viewer, now, subject, …)`. Raises Unauthenticated, whatever the subject; NotFound where
    there is none or the viewer may not know of it (`known_by`, as in `require`); Forbidden, TryAgain, and
    whatever the rules in `body` refuse; then nothing is written or told.
    """

    def decorate(body: Body[S, P, T]) -> Action[S, P, T]:
        ACTIONS[f"{body.__module__}.{body.__qualname__}"] = permission

        @wraps(body)
        async def action(viewer: Viewer, now: datetime, subject: S, *args: P.args, **kwargs: P.kwargs) -> T:
            if viewer.account is None:
                raise Unauthenticated

            async def deed(work: Work) -> T:
                require(viewer, permission, await within(subject), known_by)
                return await body(work, subject, *args, **kwargs)

            return await in_one_piece(deed, viewer, now)

        return cast(Action[S, P, T], action)

    return decorate
