"""Batches the reads of an answer: one statement for each level, however many fields need it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from contextvars import Context as ContextVars
from contextvars import copy_context
from datetime import datetime, timedelta
from functools import cache, cached_property
from types import TracebackType
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar

from community.catalogue import Subject
from community.database.paging import Page
from community.errors import TryAgain
from community.events.facts import EVENT
from community.events.reads import (
    EventRow,
    SeatedEvent,
    SignUpRow,
    TablePartyRow,
    around_a_table,
    own_sign_ups_of,
    tables_open_to,
)
from community.permissions import Viewer, account_of
from community.places.facts import COMMUNITY
from community.places.reads import (
    CommunityRow,
    communities_by_slug,
    communities_of,
    communities_page,
)
from community.votes.facts import VOTE
from community.votes.reads import (
    BallotRow,
    OwnEntry,
    VoteRow,
    ballots_by_id,
    own_ballots_of,
    own_entries_of,
)
from community.waiting import unless_cancelled
from schema.ahead import columns_for
from schema.noted import Noted

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")
P = ParamSpec("P")

Read = Callable[[Collection[K]], Awaitable[Mapping[K, V]]]
T = TypeVar("T")

MOST_KEYS = 5_000
"""In one statement: some of ours name them six times, and both engines take about 32,766 values."""

BRIEFLY = timedelta(seconds=1)

QUIET = 8
"""Turns of the loop without a new wish after which nobody seems to have another one: an answer goes on
from one level to the next in fewer.
"""


@cache
def _alone(read: Callable[Concatenate[Viewer, P], Awaitable[T]]) -> Any:
    """Makes a read without keys one with the only key None."""

    async def with_key(viewer: Viewer, keys: Collection[None], *terms: P.args, **named: P.kwargs) -> Any:
        return {None: await read(viewer, *terms, **named)}

    return with_key


class _Failed(NamedTuple):
    """A read that raised."""

    error: Exception
    traceback: TracebackType | None


class Loader(Generic[K, V]):
    """Reads each key once, together with the other keys of its level."""

    __slots__ = ("_before", "_failed", "_levels", "_read", "_waiters", "_waiting", "found")

    def __init__(self, read: Read[K, V], levels: "Levels", before: "Loader[K, V] | None" = None) -> None:
        """`before`: one that has read some keys, which are not read again."""
        self._read, self._levels, self._before = read, levels, before
        self.found: dict[K, V | None] = {}
        self._failed: dict[K, _Failed] = {}
        self._waiting: dict[K, None] = {}
        self._waiters: list[asyncio.Future[None]] = []

    async def load(self, key: K) -> V | None:
        """Loads a value; None if it is hidden or unknown."""
        if wanted := self.want((key,)):
            await wanted
        if key in self.found:
            return self.found[key]
        failed = self._failed[key]
        # Each who waits raises the same: else its traceback would grow with every one of them.
        raise failed.error.with_traceback(failed.traceback)

    def want(self, keys: Iterable[K]) -> asyncio.Future[None] | None:
        """What to wait for until all of them were read; None where they were before."""
        missing = [key for key in keys if key not in self.found and key not in self._failed]
        if not missing:
            return None
        if not self._waiting:
            self._levels.wish(self)
        # One for each who waits: graphql-core cancels what it no longer needs.
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.update(dict.fromkeys(missing))
        self._waiters.append(waiter)
        return waiter

    def know(self, key: K, value: V) -> None:
        """Has what was read elsewhere for this answer, unless it was read before."""
        self.found.setdefault(key, value)

    async def get(self, key: K) -> V:
        """Loads a value of a read that has one for every key."""
        found = await self.load(key)
        if found is None:
            raise KeyError(key)
        return found

    async def run(self) -> None:
        """Reads the pending keys."""
        waiting, self._waiting = self._waiting, {}
        waiters, self._waiters = self._waiters, []
        if before := self._before:
            self.found.update({key: before.found[key] for key in waiting if key in before.found})
            self._failed.update({key: before._failed[key] for key in waiting if key in before._failed})
        keys = [key for key in waiting if key not in self.found and key not in self._failed]
        try:
            for start in range(0, len(keys), MOST_KEYS):
                chunk = keys[start : start + MOST_KEYS]
                rows = await unless_cancelled(self._read(chunk), TryAgain())
                self.found.update(zip(chunk, map(rows.get, chunk), strict=True))
        except Exception as error:
            # Without our own frame, which keeps us, who keep it.
            failed = _Failed(error, error.__traceback__ and error.__traceback__.tb_next)
            error.__traceback__ = failed.traceback
            self._failed.update((key, failed) for key in keys if key not in self.found)
            del failed
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class Levels:
    """Lets the loaders of an answer read in turns: once all that is read has come and led to new wishes,
    these are read, each loader's in one.

    Else the parts of an answer that come a little earlier than others would each be followed by statements
    of their own.
    """

    def __init__(self) -> None:
        self._wishing: dict[Loader[Any, Any], ContextVars] = {}
        self._reading: set[asyncio.Task[None]] = set()
        self._quiet = 0
        self._waits = False

    def wish(self, loader: Loader[Any, Any]) -> None:
        """Called when a loader has a new pending key."""
        self._quiet = 0
        if loader not in self._wishing:
            self._wishing[loader] = copy_context()
        self._wait()

    def _wait(self) -> None:
        if self._wishing and not self._reading and not self._waits:
            self._waits, self._quiet = True, 0
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._quiet += 1
        if self._quiet < QUIET:
            asyncio.get_running_loop().call_soon(self._turn)
            return
        self._waits = False
        wishing, self._wishing = self._wishing, {}
        for loader, context in wishing.items():
            task = asyncio.create_task(loader.run(), context=context)
            self._reading.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._reading.discard(task)
        self._wait()


class Loaders:
    """Those of one answer, as its viewer may see things. It has one instant. `words`: those of its document,
    if that is known. `noted`: what it was made of.

    What was read stays as it was, so that the next answer needs new ones.
    """

    def __init__(self, viewer: Viewer, clock: Callable[[], datetime]) -> None:
        self.viewer, self._clock = viewer, clock
        self._levels = Levels()
        self._made: dict[Hashable, Loader[Any, Any]] = {}
        self._before: Mapping[Hashable, Loader[Any, Any]] = {}
        self.words: frozenset[str] | None = None
        self.noted = Noted()

    def again(self) -> "Loaders":
        """Others for the same answer, which bring level by level what these have brought."""
        loaders = type(self)(self.viewer, self._clock)
        loaders._now, loaders.noted = self._now, self.noted
        loaders.words, loaders._before = self.words, self._made
        return loaders

    @cached_property
    def _now(self) -> datetime:
        return self._clock()

    @property
    def now(self) -> datetime:
        """The instant, for what may be another thing at the next one: such an answer is not kept."""
        self.noted.hold(self._now)
        return self._now

    def now_until(self, *changes: datetime) -> datetime:
        """The instant, for what stays the same until the first of the `changes` that is to come."""
        now = self._now
        for change in changes:
            if change > now:
                self.noted.hold(change)
        return now

    def now_briefly(self) -> datetime:
        """The instant, for what may be shown as it was a second ago."""
        return self.now_until(self._now + BRIEFLY)

    def _own_now(self) -> datetime:
        """The instant, for what only somebody has: nobody has nothing at any time."""
        return self.now_until() if account_of(self.viewer) is None else self.now

    def of(
        self,
        read: Callable[Concatenate[Collection[K], P], Awaitable[Mapping[K, V]]],
        *terms: P.args,
        **named: P.kwargs,
    ) -> Loader[K, V]:
        """The loader of a read that does not depend on the viewer; one for each read and its terms."""
        return self._kept((read, terms, *named.items()), lambda keys: read(keys, *terms, **named))

    def columns(self, row: type) -> frozenset[str] | None:
        """Those that the document may ask for; None where it is not known."""
        return None if self.words is None else columns_for(self.words, row)

    def _kept(self, key: Hashable, read: Read[K, V]) -> Loader[K, V]:
        loader = self._made.get(key)
        if loader is None:
            loader = self._made[key] = Loader(read, self._levels, self._before.get(key))
        return loader

    def _seen(
        self,
        read: Callable[Concatenate[Viewer, Collection[K], P], Awaitable[Mapping[K, V]]],
        *terms: P.args,
        **named: P.kwargs,
    ) -> Loader[K, V]:
        """The loader of a read of what the viewer may see."""
        viewer = self.viewer
        return self._kept((read, terms, *named.items()), lambda keys: read(viewer, keys, *terms, **named))

    def rows(self, subject: Subject[R]) -> Loader[int, R]:
        """By id, as far as the viewer may see them."""
        viewer, fetch, clock = (
            self.viewer,
            subject.rows,
            self._clock,
        )  # the read must not keep us, who keep it
        if fetch is None:
            raise LookupError(f"nobody is shown a {subject.kind} by its id")
        noted = self.noted

        async def read(keys: Collection[int]) -> Mapping[int, R]:
            rows = await fetch(viewer, keys, clock())
            noted.rows(rows.values(), len(keys))
            return rows

        return self._kept(subject, read)

    @property
    def communities(self) -> Loader[int, CommunityRow]:
        return self.rows(COMMUNITY)

    @property
    def communities_by_slug(self) -> Loader[str, CommunityRow]:
        """Those that were found are found by id, too."""
        viewer, known, noted = self.viewer, self.communities.found, self.noted

        async def read(slugs: Collection[str]) -> Mapping[str, CommunityRow]:
            rows = await communities_by_slug(viewer, slugs)
            noted.rows(rows.values(), len(slugs))
            known.update({row.id: row for row in rows.values()})
            return rows

        return self._kept(communities_by_slug, read)

    def communities_page(self, first: int, after: int | None) -> Loader[None, Page[CommunityRow]]:
        self.noted.anywhere = True
        return self._seen(_alone(communities_page), first, after)

    @property
    def communities_of(self) -> Loader[None, list[CommunityRow]]:
        self.noted.anywhere = True
        return self._seen(_alone(communities_of))

    @property
    def events(self) -> Loader[int, EventRow]:
        return self.rows(EVENT)

    @property
    def votes(self) -> Loader[int, VoteRow]:
        return self.rows(VOTE)

    @property
    def own_sign_ups(self) -> Loader[int, SignUpRow]:
        """Of the viewer's household, by event."""
        return self._seen(own_sign_ups_of, self._own_now())

    @property
    def tables(self) -> Loader[int, SeatedEvent]:
        """By event, where the viewer may sit, too."""
        return self._seen(tables_open_to)

    @property
    def table_parties(self) -> Loader[int, TablePartyRow]:
        """By sign-up, as its neighbours see it."""
        account, now = account_of(self.viewer), self.now
        return self._kept(around_a_table, lambda keys: around_a_table(account, keys, now))

    @property
    def ballots(self) -> Loader[int, BallotRow]:
        """Of a party for which the viewer speaks; how it was marked shows whoever cast it."""
        account = account_of(self.viewer)
        return self._kept(ballots_by_id, lambda keys: ballots_by_id(account, keys))

    @property
    def own_entries(self) -> Loader[VoteRow, list[OwnEntry]]:
        return self._seen(own_entries_of, self._own_now())

    def own_ballots_in(self, most: int) -> Loader[VoteRow, list[int]]:
        """The newest that the viewer itself cast, those that were replaced too."""
        return self._seen(own_ballots_of, most)
