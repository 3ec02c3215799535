"""The one door for writing: an action checks a permission and rules, writes, and publishes what changed.

An action runs whole or not at all: it has a task of its own, which a caller that hangs up cannot cut.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import ContextVar
from datetime import datetime
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

from tortoise.context import TortoiseContext, require_context
from tortoise.transactions import in_transaction

from community.catalogue import Fact
from community.database import journal, locks
from community.database.commands import Command, command
from community.database.deadline import (
    DEADLINE as DEADLINE,  # whoever waits for the last unit of work imports it from here
)
from community.database.deadline import GRACE, deadline
from community.database.ids import new_id
from community.database.models import Due
from community.database.outcomes import ENDED, WRITES
from community.database.sql import without_limits
from community.database.trouble import meaning
from community.errors import Late, OutcomeUnknown, Refused, Unauthenticated, without_frames
from community.permissions import (
    SYSTEM,
    Actor,
    City,
    Permission,
    Person,
    Scope,
    System,
    Tie,
    Visitor,
    for_visitors,
    require,
)
from community.signals import Publish, Signal

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")

Published: TypeAlias = Callable[[journal.Written], None]

_running: dict[asyncio.Task[Any], float] = {}
"""With the loop's time at their start, the oldest first."""

WROTE: ContextVar[dict[int | None, int] | None] = ContextVar("wrote", default=None)
"""Where whoever wants to know keeps the newest numbers of the journals that its own actions wrote."""

_publishers: WeakKeyDictionary[TortoiseContext, list[tuple[Publish, Published]]] = WeakKeyDictionary()
"""By the open database: two of them in one process tell nobody of each other's."""


def publish_through(publish: Publish, published: Published = lambda written: None) -> Callable[[], None]:
    """Passes every later signal of the open database to `publish`, and then to `published` all rows of the
    journal that were written with it; call the result to stop.
    """
    publishers, pair = _publishers.setdefault(require_context(), []), (publish, published)
    publishers.append(pair)
    return lambda: publishers.remove(pair)


def _publish(signals: Iterable[Signal], written: journal.Written) -> None:
    unique = tuple(dict.fromkeys(signals))
    for publish, published in _publishers.get(require_context(), ()):
        if unique:
            publish(unique)
        published(written)


class UnitOfWork:
    """One transaction: who asked, at what instant, in which community, and what happened. `heads`: the newest
    numbers of the journals in which it, or the same command before, wrote that down.
    """

    def __init__(self, viewer: Actor, now: datetime) -> None:
        self.viewer = viewer
        self.now = now
        self.community: int | City | None = None
        self.committing = self.wrote = self._repeats = False
        self._news: list[journal.News] = []
        self.written: journal.Written = {}
        self.heads: journal.Heads = {}

    @property
    def account(self) -> int:
        """The account that acts. Raises Unauthenticated for the system and for visitors, who have none."""
        if not isinstance(self.viewer, Person):
            raise Unauthenticated
        return self.viewer.account

    @property
    def recorder(self) -> int | None:
        """The account to store as the one who recorded; None for the system. Raises Unauthenticated."""
        return None if isinstance(self.viewer, System) else self.account

    def record(self, fact: Fact, subject: int) -> None:
        """Writes down what happened to a subject; whoever hears of such a fact is told after the commit.

        It happened in the community of the action, or in the city where its subjects belong to that.
        """
        self._news.append(journal.News(fact, subject, self._community_of(fact)))

    def _community_of(self, fact: Fact) -> int | None:
        if fact.subject.of_city:
            return None
        if not isinstance(self.community, int):
            raise LookupError(f"{fact.name} happens in a community, and this action has none")
        return self.community

    async def send(self, kind: str, /, **payload: object) -> int:
        """Puts a message into the outbox, to be sent at least once after the commit; its number.

        `payload`: what the sender of this `kind` needs, as JSON. It is never logged.
        """
        message = new_id()
        written = json.dumps(payload, ensure_ascii=False)
        await Due.create(job=kind, subject=message, at=self.now, payload=written)
        return message

    async def command(self, name: str, /, key: str | None, **arguments: object) -> Command:
        """The command under the client's own `key`, with its result if it ran before; `arguments`: cleaned.

        Raises InvalidInput if the key is malformed, KeyReused if it was used with other arguments, and
        Unauthenticated if there is a key and no account.
        """
        if key is None:
            return Command(self.now, name)
        known = await command(self.account, self.now, name, key, arguments)
        self._repeats = known.result is not None
        return known

    async def write_journal(self) -> tuple[Signal, ...]:
        if self._news:
            self.written = await journal.write(self._news, self.now)
            self.heads = {community: numbers[-1] for community, numbers in self.written.items()}
            self.wrote = True
        elif self._repeats:
            where = {None, self.community if isinstance(self.community, int) else None}
            self.heads = {community: await journal.head(community) for community in where}
        return tuple(signal for news in self._news for signal in news.signals)


async def atomic(body: Callable[[UnitOfWork], Awaitable[T]], viewer: Actor, now: datetime) -> T:
    """Runs `body` in one transaction, writes its journal last, and publishes its signals after the commit.

    It runs to its end even if its caller is cancelled. Raises TryAgain if the database did not take it by the
    deadline, and then it is undone; OutcomeUnknown if its COMMIT was sent and no answer came.
    """
    work, limit = UnitOfWork(viewer, now), deadline()
    task = asyncio.create_task(_whole(body, work, limit))
    _running[task] = asyncio.get_running_loop().time()
    task.add_done_callback(partial(_finished, work))
    await asyncio.wait({task}, timeout=None if limit is None else limit + GRACE)
    if task.done():
        try:
            return task.result()
        except Refused as refused:
            raise without_frames(refused) from refused.__cause__
        finally:
            del task  # it keeps its error, which keeps this frame
    late = OutcomeUnknown() if work.committing else Late()  # it runs on to its end, whichever that is
    WRITES.ended(late)
    raise late


async def _whole(body: Callable[[UnitOfWork], Awaitable[T]], work: UnitOfWork, seconds: float | None) -> T:
    locks.begin()
    try:
        async with asyncio.timeout(seconds) as limit, in_transaction():
            if seconds is None:
                await without_limits()
            result = await body(work)
            signals = await work.write_journal()
            _lift_deadline(work, limit)
    except TimeoutError as error:
        raise Late from error
    except Exception as error:
        if refusal := meaning(error):
            raise refusal from error
        raise
    if (wrote := WROTE.get()) is not None:
        wrote.update(work.heads)
    if work.written:  # also where nobody listens: what was made of it is known to be old
        _publish(signals, work.written)
    return result


def _lift_deadline(work: UnitOfWork, limit: asyncio.Timeout) -> None:
    """Lifts the deadline for the COMMIT. Raises TimeoutError if the deadline has passed, as after the process
    was frozen: what was decided so long ago may not hold any more.
    """
    end = limit.when()
    if end is not None and asyncio.get_running_loop().time() >= end:
        raise TimeoutError
    limit.reschedule(None)
    work.committing = True


def _finished(work: UnitOfWork, task: asyncio.Task[Any]) -> None:
    del _running[task]
    # The caller may have hung up: asking for the exception keeps asyncio from complaining.
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    ENDED[WRITES.ended(error, wrote=work.wrote)] += 1


def longest_under_way() -> float:
    """Seconds for which the oldest unit of work under way has been waiting or working."""
    start = next(iter(_running.values()), None)
    return 0.0 if start is None else asyncio.get_running_loop().time() - start


async def try_writing(now: datetime) -> None:
    """Writes as much as a ballot and takes it back, to learn whether writing works again."""

    async def write_and_undo(work: UnitOfWork) -> None:
        rows = [Due(job="try", subject=new_id(), at=now, done_at=now) for _ in range(100)]
        await Due.bulk_create(rows)
        await Due.filter(job="try").delete()
        work.wrote = True

    await atomic(write_and_undo, SYSTEM, now)


async def all_done() -> None:
    """Waits for the actions under way; for an orderly shutdown."""
    while _running:
        await asyncio.wait(_running)


Locate = Callable[[Any], Awaitable[Scope]]
FindTies = Callable[[Actor, Any], Awaitable[frozenset[Tie]]]
Body = Callable[Concatenate[UnitOfWork, S, P], Awaitable[T]]
Action = Callable[Concatenate[Actor, datetime, S, P], Coroutine[Any, Any, T]]

ACTIONS: dict[str, Permission] = {}
"""Every action by its full name, with the permission it needs."""


def requires(
    permission: Permission,
    within: Locate,
    known_by: Permission | None = None,
    tied: FindTies | None = None,
) -> Callable[[Body[S, P, T]], Action[S, P, T]]:
    """Makes `body` an action: `within` finds the scope of its subject, and the permission is asked there.

    `tied` finds the ties of whoever acts to the subject; without it, a rule in `body` asks for those that the
    permission needs. Called as `action(viewer, now, subject, …)`. Raises Unauthenticated if nobody is signed
    in, whatever the subject, where visitors may not; NotFound if there is none or the viewer may not know of
    it (`known_by`, as in `require`); Forbidden, TryAgain,
    and whatever the rules in `body` refuse. Then nothing is written or published.
    """

    def decorate(body: Body[S, P, T]) -> Action[S, P, T]:
        ACTIONS[f"{body.__module__}.{body.__qualname__}"] = permission

        @wraps(body)
        async def action(viewer: Actor, now: datetime, subject: S, *args: P.args, **kwargs: P.kwargs) -> T:
            if isinstance(viewer, Visitor) and not for_visitors(permission):
                raise Unauthenticated

            async def permitted(work: UnitOfWork) -> T:
                scope = await within(subject)
                ties = None if tied is None else await tied(viewer, subject)
                require(viewer, permission, scope, known_by, ties)
                work.community = scope.id
                return await body(work, subject, *args, **kwargs)

            return await atomic(permitted, viewer, now)

        return cast(Action[S, P, T], action)

    return decorate
