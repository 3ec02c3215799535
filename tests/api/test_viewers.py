"""Who is behind a secret, from memory: known as long as the database would say the same."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from api import viewers as module
from api.viewers import LONGEST, KnownViewers
from community.database import journal
from community.database.work import publish_through
from community.errors import Unauthenticated
from community.members.actions import end_session
from community.members.facts import RIGHTS_CHANGED
from community.members.reads import viewer_of
from community.permissions import NOBODY, Person, Visitor
from community.signals import Signal
from realtime import versions
from realtime.poller import JournalPoller
from realtime.versions import Versions
from tests.world.house import House

WHO = "spring/resident-1"
LEAST = timedelta(microseconds=1)


class Known:
    """The house with its viewers, as the app knows them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.poller = JournalPoller(house.broker.dispatch)
        self.viewers = KnownViewers(self.poller.versions)
        house.broker.listen(self.viewers.handle)

    async def behind(
        self, who: str | None = WHO, now: datetime | None = None, *, strict: bool = True
    ) -> Person | Visitor:
        secret = who and self.house.town.tokens.get(who, who)
        return await self.viewers.behind(secret, now or self.house.now, strict=strict)


@pytest.fixture
async def known(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Known]:
    monkeypatch.setattr(versions, "BEHIND", 60.0)  # no test depends on how slow the machine is
    known = Known(house)
    await known.poller._poll_once()
    # as over a broker in memory: who publishes dispatches in the same step
    stop = publish_through(house.broker.dispatch, known.poller.pass_over)
    yield known
    stop()


async def test_who_was_asked_for_is_known(known: Known, statements: list[str]) -> None:
    first = await known.behind()
    assert isinstance(first, Person)
    assert first == await known.house.viewer(WHO)
    statements.clear()
    assert await known.behind() == first
    assert await known.behind(strict=False) == first
    assert (statements, len(known.viewers)) == ([], 1)
    other = await known.behind("quiet/resident-1")
    assert isinstance(other, Person)
    assert other.account != first.account


async def test_nobody_is_not_kept(known: Known) -> None:
    for secret in (None, None, "nothing", "x" * 43, "x" * 43, ""):
        assert await known.behind(secret, strict=False) is NOBODY
        if secret is not None:
            with pytest.raises(Unauthenticated):
                await known.behind(secret)
    assert len(known.viewers) == 0


async def test_no_secret_stands_in_it(known: Known) -> None:
    await known.behind()
    secret = known.house.town.tokens[WHO]
    assert secret not in repr(vars(known.viewers))
    assert len(known.viewers) == 1


# Rights that change


async def test_it_is_forgotten_in_the_step_in_which_the_change_is_published(known: Known) -> None:
    """Nothing may be answered between the answer to a sign-out and what is known of it."""
    viewer = await known.behind()
    assert isinstance(viewer, Person)
    await known.behind("quiet/resident-1")
    await end_session(viewer, known.house.now, known.house.town.tokens[WHO])
    assert len(known.viewers) == 1
    with pytest.raises(Unauthenticated):
        await known.behind()


async def test_another_accounts_change_forgets_nobody_else(known: Known) -> None:
    viewer, other = await known.behind(), await known.behind("quiet/resident-1")
    assert isinstance(viewer, Person)
    assert isinstance(other, Person)
    known.viewers.handle(Signal("rights", other.account))
    known.viewers.handle(Signal("tally", viewer.account))
    assert len(known.viewers) == 1
    known.viewers.handle(Signal("rights", viewer.account))
    assert len(known.viewers) == 0


async def test_all_sessions_of_an_account_are_forgotten(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = await known.behind()
    assert isinstance(viewer, Person)
    known.house.town.tokens["another"] = known.house.town.tokens["spring/resident-2"]
    real = module.viewer_behind

    async def same(*given: Any, **named: Any) -> Any:
        return replace(await real(*given, **named), account=viewer.account)  # type: ignore[type-var]

    with monkeypatch.context() as one:
        one.setattr(module, "viewer_behind", same)
        await known.behind("another")
    assert len(known.viewers) == 2
    known.viewers.handle(Signal("rights", viewer.account))
    assert len(known.viewers) == 0


async def test_what_another_process_changed_is_known_when_the_poller_has_looked(known: Known) -> None:
    viewer = await known.behind()
    assert isinstance(viewer, Person)
    await journal.write([journal.News(RIGHTS_CHANGED, viewer.account, None)], known.house.now)
    await known.poller._poll_once()
    assert len(known.viewers) == 0


async def test_what_changed_while_it_was_read_is_not_kept(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    account: int = (await known.house.viewer(WHO)).account  # type: ignore[union-attr]
    real, viewers = module.viewer_behind, known.viewers
    changes: list[Callable[[], None]] = [
        lambda: viewers.handle(Signal("rights", account)),
        lambda: viewers.handle(Signal("rights", account + 1)),
        viewers.forget,
    ]
    for change in changes:

        async def slow(*given: Any, **named: Any) -> Any:
            found = await real(*given, **named)
            change()  # noqa: B023
            return found

        with monkeypatch.context() as changing:
            changing.setattr(module, "viewer_behind", slow)
            assert isinstance(await known.behind(), Person)
        assert len(viewers) == 0
    await known.behind()
    assert len(viewers) == 1


async def test_after_signals_may_have_been_lost_nobody_is_known(known: Known, statements: list[str]) -> None:
    await known.behind()
    known.viewers.forget()
    statements.clear()
    await known.behind()
    assert len(statements) == 1


# Time


async def test_it_is_known_until_the_instant_at_which_it_expires(known: Known) -> None:
    viewer = await known.behind()
    assert isinstance(viewer, Person)
    assert viewer.expires_at is not None
    assert await known.behind(now=viewer.expires_at - LEAST) == viewer
    with pytest.raises(Unauthenticated):
        await known.behind(now=viewer.expires_at)
    assert await known.behind(now=viewer.expires_at, strict=False) is NOBODY


async def test_of_a_role_that_ends_too(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    ends, real = known.house.now + timedelta(hours=1), module.viewer_behind

    async def ending(secret: str, now: datetime, *, strict: bool) -> Any:
        viewer: Any = await real(secret, now, strict=strict)
        return replace(viewer, expires_at=ends) if now < ends else replace(viewer, roles={})

    monkeypatch.setattr(module, "viewer_behind", ending)
    viewer: Any = await known.behind()
    assert viewer.roles == (await known.behind(now=ends - LEAST)).roles  # type: ignore[union-attr]
    assert (await known.behind(now=ends)).roles == {}  # type: ignore[union-attr]


async def test_a_role_that_begins_is_seen_within_a_minute(
    known: Known, monkeypatch: pytest.MonkeyPatch, statements: list[str]
) -> None:
    begun = versions.time.monotonic()

    def at(seconds: float) -> None:
        clock = SimpleNamespace(monotonic=lambda: begun + seconds)
        monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr(versions, "time", clock)
        known.poller.versions.looked(begun + seconds)

    asked = []
    for seconds in (0.0, LONGEST, LONGEST + 0.1, LONGEST + 0.2):
        at(seconds)
        statements.clear()
        await known.behind()
        asked.append(len(statements))
    assert asked == [1, 0, 1, 0]


async def test_nothing_is_kept_or_used_while_the_journals_are_not_known(
    known: Known, monkeypatch: pytest.MonkeyPatch, statements: list[str]
) -> None:
    await known.behind()
    begun = versions.time.monotonic()
    with monkeypatch.context() as outage:
        outage.setattr(versions, "time", SimpleNamespace(monotonic=lambda: begun + versions.BEHIND + 0.1))
        statements.clear()
        for who in (WHO, WHO, "quiet/resident-1"):
            await known.behind(who)
        assert len(statements) == 3
    assert len(known.viewers) == 1


async def test_before_the_first_look_nothing_is_kept(house: House) -> None:
    viewers, secret = KnownViewers(Versions()), house.town.tokens[WHO]
    assert await viewers.behind(secret, house.now, strict=True) == await viewer_of(secret, house.now)
    assert len(viewers) == 0


async def test_what_was_asked_for_before_the_first_look_ended_is_not_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would tell of a change between."""
    heads, real = Versions(), module.viewer_behind
    viewers = KnownViewers(heads)

    async def slow(*given: Any, **named: Any) -> Any:
        found = await real(*given, **named)
        heads.looked(versions.time.monotonic())
        return found

    monkeypatch.setattr(module, "viewer_behind", slow)
    await viewers.behind(house.town.tokens[WHO], house.now, strict=True)
    assert len(viewers) == 0


# Bounds


async def test_so_many_are_known_those_asked_for_last(
    known: Known, monkeypatch: pytest.MonkeyPatch, statements: list[str]
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    names = [f"spring/resident-{number}" for number in range(1, 6)]
    for who in names:
        await known.behind(who)
        await known.behind(names[0])
    assert len(known.viewers) == 3
    statements.clear()
    for who in (names[0], names[4], names[3]):
        await known.behind(who)
    assert statements == []
    await known.behind(names[1])
    assert (len(statements), len(known.viewers)) == (1, 3)


async def test_those_that_come_at_once_are_each_asked_for(known: Known) -> None:
    found = await asyncio.gather(*(known.behind() for _ in range(20)))
    assert {each.account for each in found if isinstance(each, Person)} == {found[0].account}  # type: ignore[union-attr]
    assert len(known.viewers) == 1
