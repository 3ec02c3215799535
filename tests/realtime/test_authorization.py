import asyncio
import gc
from typing import Any

import pytest

from community.catalogue import Subject
from community.errors import NotFound
from community.live import State
from community.permissions import NOBODY, Permission, Person, Role, Scope, Viewer, account_of
from community.signals import Signal
from realtime.authorization import Access, AuthorizationRegistry
from tests.realtime.conftest import virtual

KEY = 42
HERE, ELSEWHERE = 7, 8
OWNER = Person(1, roles={HERE: frozenset({Role.OWNER})})
STRANGER = Person(2, roles={ELSEWHERE: frozenset({Role.OWNER})})


class Estate:
    """Where the key belongs, and whom of those who may read there it concerns."""

    def __init__(self, *, public: bool, takes: float = 0.01, failures: int = 0) -> None:
        self.public, self.takes, self.failures = public, takes, failures
        self.reads = 0
        self.concerned = {1}
        self.asked: list[int | None] = []

    async def scope_of(self, key: int) -> Scope:
        assert key == KEY
        self.reads += 1
        public = self.public
        await asyncio.sleep(self.takes)
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        return Scope(HERE, public_reading=public)

    async def is_concerned(self, viewer: Viewer, key: int) -> bool:
        assert key == KEY
        self.asked.append(account_of(viewer))
        concerned = account_of(viewer) in self.concerned
        await asyncio.sleep(self.takes)
        return concerned

    async def read(self, key: int) -> int:
        raise NotImplementedError

    def access(self, *, to_all: bool = True) -> Access:
        admits = None if to_all else self.is_concerned
        permission = Permission.READ_BULLETIN
        subject = Subject[None](kind="Vote", scope_of=self.scope_of)
        return Access(State(topic="tally", subject=subject, permission=permission, admits=admits,
                            read=self.read), KEY)  # fmt: skip


async def allowed(access: Access, viewer: Viewer) -> bool:
    try:
        await access.require(viewer)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize("public", [False, True])
@virtual
async def test_whoever_has_the_permission_where_the_key_belongs_may_watch(public: bool) -> None:
    access = Estate(public=public).access()
    for viewer in (STRANGER, OWNER, NOBODY):
        assert await allowed(access, viewer) is access.allows(viewer) is (public or viewer is OWNER)


def is_known(access: Access) -> bool:
    """Whether its scope need not be read any more."""
    return access._scope is not None


@virtual
async def test_the_scope_is_read_once_for_all_who_wait_and_then_known() -> None:
    estate = Estate(public=False)
    access = estate.access()
    assert not is_known(access)
    assert not access.allows(OWNER)  # nobody knows yet
    viewers = [OWNER, STRANGER, NOBODY] * 20
    assert await asyncio.gather(*(allowed(access, viewer) for viewer in viewers)) == [
        viewer is OWNER for viewer in viewers
    ]
    assert (estate.reads, is_known(access), access.allows(OWNER)) == (1, True, True)
    assert await allowed(access, OWNER)
    assert estate.reads == 1


@virtual
async def test_who_loses_the_right_is_told() -> None:
    estate = Estate(public=True)
    access = estate.access()
    await access.require(STRANGER)
    estate.public = False
    assert access.reading_changed(HERE)
    assert (is_known(access), access.allows(OWNER)) == (False, False)
    with pytest.raises(NotFound):
        await access.require(STRANGER)
    await access.require(OWNER)
    with pytest.raises(NotFound):
        await access.require(Person(OWNER.account))  # who has moved away
    assert estate.reads == 2


@virtual
async def test_a_change_while_the_scope_is_read_is_read_again() -> None:
    estate = Estate(public=True, takes=5)
    access = estate.access()
    waiting = [asyncio.ensure_future(allowed(access, viewer)) for viewer in (OWNER, STRANGER)]
    await asyncio.sleep(1)
    estate.public = False
    assert access.reading_changed(HERE)
    assert await asyncio.gather(*waiting) == [True, False]
    assert estate.reads == 2


@virtual
async def test_changes_that_come_together_are_read_once() -> None:
    estate = Estate(public=True)
    access = estate.access()
    await access.require(NOBODY)
    for _ in range(10):
        access.reading_changed(HERE)
    await asyncio.gather(*(access.require(NOBODY) for _ in range(10)))
    assert estate.reads == 2


@virtual
async def test_a_change_elsewhere_is_none_of_a_known_key() -> None:
    estate = Estate(public=True)
    access = estate.access()
    assert access.reading_changed(ELSEWHERE)  # it may be its own
    await access.require(NOBODY)
    assert not access.reading_changed(ELSEWHERE)
    assert is_known(access)
    assert access.reading_changed(None)
    assert not is_known(access)
    await access.require(NOBODY)
    assert estate.reads == 2


@virtual
async def test_whom_a_declaration_admits_is_asked_for_each_and_again() -> None:
    estate = Estate(public=True)
    access = estate.access(to_all=False)
    assert [await allowed(access, viewer) for viewer in (OWNER, STRANGER, NOBODY)] == [True, False, False]
    assert access.allows(STRANGER)  # so that it has to be required
    estate.concerned = {2}
    assert [await allowed(access, viewer) for viewer in (OWNER, STRANGER)] == [False, True]
    assert (estate.asked, estate.reads) == ([1, 2, None, 1, 2], 1)


@virtual
async def test_whoever_is_admitted_has_no_more_rights() -> None:
    estate = Estate(public=False)
    estate.concerned = {1, 2}
    access = estate.access(to_all=False)
    assert not await allowed(access, STRANGER)
    assert await allowed(access, OWNER)


@virtual
async def test_a_change_while_it_is_asked_who_is_admitted_is_read_again() -> None:
    estate = Estate(public=True, takes=5)
    estate.concerned = {2}
    access = estate.access(to_all=False)
    waiting = asyncio.ensure_future(allowed(access, STRANGER))
    await asyncio.sleep(6)
    assert estate.asked == [2]
    estate.public = False
    access.reading_changed(HERE)
    assert not await waiting
    assert estate.reads == 2


@virtual
async def test_a_scope_that_cannot_be_read_is_told_to_each_and_read_again_for_the_next() -> None:
    estate = Estate(public=True, failures=1)
    access = estate.access()
    told = await asyncio.gather(*(access.require(NOBODY) for _ in range(10)), return_exceptions=True)
    assert [type(error) for error in told] == [OSError] * 10
    assert (estate.reads, is_known(access)) == (1, False)
    await access.require(NOBODY)
    assert estate.reads == 2


@virtual
async def test_what_is_not_there_is_not_found() -> None:
    async def nowhere(_: int) -> Scope:
        raise NotFound

    estate = Estate(public=True)
    estate.scope_of = nowhere  # type: ignore[method-assign]
    assert not await allowed(estate.access(), OWNER)


@pytest.mark.parametrize("failures", [0, 1])
@virtual
async def test_a_waiter_who_is_cancelled_leaves_nothing_and_ends_nothing(failures: int) -> None:
    """The `run` of these tests counts the tasks."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    estate = Estate(public=True, takes=5, failures=failures)
    access = estate.access()
    gone, stays = (asyncio.create_task(access.require(NOBODY)) for _ in range(2))
    await asyncio.sleep(1)
    gone.cancel()
    (error,) = await asyncio.gather(stays, return_exceptions=True)
    assert gone.cancelled()
    assert isinstance(error, OSError) is bool(failures)
    estate.failures = failures
    access.reading_changed(HERE)
    for _ in range(2):  # the second one while nobody waits for the first one's read
        alone = asyncio.create_task(access.require(NOBODY))
        await asyncio.sleep(1)
        alone.cancel()
        await asyncio.gather(alone, return_exceptions=True)
    assert estate.reads == 2
    await asyncio.sleep(10)
    del access, gone, stays, alone, error
    gc.collect()
    assert complaints == []


class Counting:
    """A socket that counts how often it was told."""

    def __init__(self) -> None:
        self.told = 0

    def changed(self) -> None:
        self.told += 1


def test_a_signal_wakes_every_socket_of_its_account_and_no_other() -> None:
    registry = AuthorizationRegistry()
    own, also_own, other = sockets = Counting(), Counting(), Counting()
    for socket, account in ((own, 7), (also_own, 7), (other, 8)):
        registry.add(account, socket)
    registry.handle(Signal("rights", 7))
    registry.handle(Signal("tally", 8))
    assert [socket.told for socket in sockets] == [1, 1, 0]
    registry.remove(7, own)
    assert (registry.count(7), registry.count(8), registry.changes) == (1, 1, 1)
    registry.handle(Signal("rights", 7))
    registry.handle(Signal("rights", 9))
    assert [socket.told for socket in sockets] == [1, 2, 0]
    assert registry.changes == 3
    registry.remove(7, also_own)
    assert registry.count(7) == 0


def test_on_resync_every_socket_reads_its_rights_anew() -> None:
    registry = AuthorizationRegistry()
    sockets = [Counting() for _ in range(3)]
    for socket, account in zip(sockets, (7, 7, 8), strict=True):
        registry.add(account, socket)
    registry.resync()
    assert ([socket.told for socket in sockets], registry.changes) == ([1, 1, 1], 1)


def test_who_was_never_added_is_removed_as_calmly() -> None:
    registry, socket = AuthorizationRegistry(), Counting()
    registry.remove(7, socket)
    registry.handle(Signal("rights", 7))
    assert (registry.count(7), socket.told) == (0, 0)


def test_a_socket_may_go_while_its_account_is_told() -> None:
    registry = AuthorizationRegistry()

    class Leaving(Counting):
        def changed(self) -> None:
            super().changed()
            registry.remove(7, self)

    sockets = [Leaving() for _ in range(3)]
    for socket in sockets:
        registry.add(7, socket)
    registry.handle(Signal("rights", 7))
    assert ([socket.told for socket in sockets], registry.count(7)) == ([1, 1, 1], 0)
