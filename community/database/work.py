"""The one door for writing: an action is a permission, a rule, a write, and then the telling.

An action runs whole or not at all: it has a task of its own, which a caller that hangs up cannot cut.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from tortoise.transactions import in_transaction

from community.database import journal
from community.database.commands import Command, command
from community.database.deadline import (
    DEADLINE as DEADLINE,  # whoever waits for the last deed asks for it here
)
from community.database.deadline import GRACE, deadline
from community.database.ids import new_id
from community.database.models import Due
from community.database.outcomes import ENDED, WRITES
from community.database.sql import without_limits
from community.database.trouble import meaning
from community.errors import Late, OutcomeUnknown, Unauthenticated
from community.permissions import SYSTEM, Permission, Scope, Viewer, require
from community.signals import Signal, Tell, Topic

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")

_under_way: dict[asyncio.Task[Any], float] = {}
"""With the loop's time at their start, the oldest first."""

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
    """One transaction: who asked, at what instant, and what changed."""

    def __init__(self, viewer: Viewer, now: datetime) -> None:
        self.viewer = viewer
        self.now = now
        self.committing = self.wrote = False
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
            self.wrote = True
        return tuple(news.signal for news in self._news)


async def in_one_piece(deed: Callable[[Work], Awaitable[T]], viewer: Viewer, now: datetime) -> T:
    """Runs `deed` in one transaction, writes its journal last, and tells after the commit.

    A cancelled caller leaves it running to its end. Raises TryAgain where the database did not take it by
    the deadline, and then it is undone; once its COMMIT was sent, OutcomeUnknown where no answer came.
    """
    work, limit = Work(viewer, now), deadline()
    task = asyncio.create_task(_whole(deed, work, limit))
    _under_way[task] = asyncio.get_running_loop().time()
    task.add_done_callback(partial(_finished, work))
    await asyncio.wait({task}, timeout=None if limit is None else limit + GRACE)
    if task.done():
        return task.result()
    late = OutcomeUnknown() if work.committing else Late()  # it goes on to its end, whichever that is
    WRITES.ended(late)
    raise late


async def _whole(deed: Callable[[Work], Awaitable[T]], work: Work, seconds: float | None) -> T:
    try:
        async with asyncio.timeout(seconds) as limit, in_transaction():
            if seconds is None:
                await without_limits()
            result = await deed(work)
            signals = await work.write_journal()
            _send_off(work, limit)
    except TimeoutError as error:
        raise Late from error
    except Exception as error:
        if refusal := meaning(error):
            raise refusal from error
        raise
    if signals:
        _tell(signals)
    return result


def _send_off(work: Work, limit: asyncio.Timeout) -> None:
    """From here on nothing of ours ends it. Raises TimeoutError where the deadline is over by now, as after
    the process was frozen: what was decided so long ago may not stand any more.
    """
    end = limit.when()
    if end is not None and asyncio.get_running_loop().time() >= end:
        raise TimeoutError
    limit.reschedule(None)
    work.committing = True


def _finished(work: Work, task: asyncio.Task[Any]) -> None:
    del _under_way[task]
    # The caller may have hung up: asking for the exception keeps asyncio from complaining.
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    ENDED[WRITES.ended(error, wrote=work.wrote)] += 1


def longest_under_way() -> float:
    """For how many seconds the oldest of the deeds under way has been waiting or working."""
    start = next(iter(_under_way.values()), None)
    return 0.0 if start is None else asyncio.get_running_loop().time() - start


async def try_writing(now: datetime) -> None:
    """As much as a ballot is written and taken back, so that it is known when writing works again."""

    async def deed(work: Work) -> None:
        rows = [Due(deed="try", subject=new_id(), at=now, done_at=now) for _ in range(100)]
        await Due.bulk_create(rows)
        await Due.filter(deed="try").delete()
        work.wrote = True

    await in_one_piece(deed, SYSTEM, now)


async def all_done() -> None:
    """Waits for the actions under way, for a calm shutdown."""
    while _under_way:
        await asyncio.wait(_under_way)


Locate = Callable[[Any], Awaitable[Scope]]
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
