"""Who is behind a socket; `test_sockets_rights.py` asks what is shown to whom."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from api import identity
from community.database import journal
from community.database.work import UnitOfWork, atomic
from community.members.actions import end_session
from community.members.facts import RIGHTS_CHANGED
from community.members.models import CoOwner
from community.permissions import SYSTEM
from realtime import poller
from tests.api.test_sockets_rights import PROGRESS, code_of, told

pytestmark = pytest.mark.xdist_group("sockets")


async def test_a_session_that_ends_while_its_socket_begins_shows_nothing(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here() as server:
        token, ask = server.town.tokens["quiet/resident-1"], identity.viewer_behind

        async def slowly(*given: Any, **more: Any) -> Any:
            found = await ask(*given, **more)
            monkeypatch.setattr(identity, "viewer_behind", ask)
            await end_session(SYSTEM, datetime.now(UTC), token)
            return found

        monkeypatch.setattr(identity, "viewer_behind", slowly)
        async with server.connection() as socket:
            await socket.send(type="connection_init", payload={"Authorization": f"Bearer {token}"})
            assert await socket.until_closed() == 4403


async def test_changes_of_others_keep_nobody_from_beginning(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here() as server:
        ask = identity.viewer_behind

        async def meanwhile(*given: Any, **more: Any) -> Any:
            found = await ask(*given, **more)
            told(server, "spring/tenant")
            return found

        monkeypatch.setattr(identity, "viewer_behind", meanwhile)
        async with server.socket("quiet/resident-1") as socket:
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
            assert (await socket.receive())["type"] == "next"


async def test_of_rights_that_change_again_while_a_socket_begins_the_last_ones_hold(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they are known before the answer that is older."""
    async with here() as server:
        account = server.town.key("Account", "quiet/resident-1")
        ask, asked = identity.viewer_behind, 0

        async def slowly(*given: Any, **more: Any) -> Any:
            nonlocal asked
            asked += 1
            first, second = asked == 1, asked == 2
            found = await ask(*given, **more)
            if first:
                told(server, "spring/tenant")
            if second:
                await CoOwner.filter(account_id=account).update(until=server.town.now)
                told(server, "quiet/resident-1")
                (held,) = server.sockets._sockets
                await server.until(lambda: held.identity.settled)
            return found

        monkeypatch.setattr(identity, "viewer_behind", slowly)
        async with server.socket("quiet/resident-1") as socket:
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
            assert code_of(await socket.receive()) == "NOT_FOUND"


async def test_changes_that_come_together_are_read_once(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with here() as server, server.socket("quiet/resident-1"):
        (held,) = server.sockets._sockets
        ask, asked = identity.viewer_behind, 0

        async def counted(*given: Any, **more: Any) -> Any:
            nonlocal asked
            asked += 1
            return await ask(*given, **more)

        monkeypatch.setattr(identity, "viewer_behind", counted)
        for _ in range(5):
            told(server, "quiet/resident-1")
        await server.until(lambda: held.identity.settled)
        assert asked == 1


async def test_rights_of_which_the_reading_is_cancelled_send_the_client_to_come_back(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(*_: Any, **__: Any) -> Any:
        raise asyncio.CancelledError

    async with here() as server, server.socket("quiet/resident-1") as socket:
        monkeypatch.setattr(identity, "viewer_behind", cancelled)
        told(server, "quiet/resident-1")
        assert await socket.until_closed() == 1013
        async with server.connection() as other:
            await other.send(type="connection_init")
            assert await other.until_closed() == 1013


async def test_whoever_is_read_again_expires_once(here: Any) -> None:
    """A timer that is left would keep the socket until a session ends, which may take a month."""
    async with here() as server, server.socket("quiet/resident-1"):
        (held,) = server.sockets._sockets
        before = held.identity._expiry
        told(server, "quiet/resident-1")
        await server.until(lambda: held.identity.settled)
        assert before.cancelled()
        assert not held.identity._expiry.cancelled()


async def test_a_database_that_is_away_while_rights_are_asked_again_closes_the_socket(
    here: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    async with here() as server:
        async with server.socket("quiet/resident-1") as socket:
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
            await socket.receive()
            monkeypatch.setattr(identity, "viewer_behind", broken)
            told(server, "quiet/resident-1")
            assert await socket.until_closed() == 1013
        assert "could not ask for rights again" in caplog.text
        caplog.clear()


async def test_rights_that_changed_before_the_journal_was_first_read_hold_from_then_on(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the database was away when the process began: nobody tells of it later."""

    async def away() -> Any:
        raise OSError

    monkeypatch.setattr(poller, "EVERY", 0.01)
    with monkeypatch.context() as outage:
        outage.setattr(journal, "heads", away)
        async with here() as server, server.socket("quiet/resident-1") as socket:
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
            assert (await socket.receive())["type"] == "next"
            account = server.town.key("Account", "quiet/resident-1")
            await CoOwner.filter(account_id=account).update(until=server.town.now)
            outage.undo()
            assert code_of(await socket.receive()) == "NOT_FOUND"


async def test_for_one_change_of_this_process_rights_are_asked_for_once(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the journal tells of it, too."""
    monkeypatch.setattr(poller, "EVERY", 0.01)
    polls, signals_after = 0, journal.signals_after

    async def counted(seen: Any) -> Any:
        nonlocal polls
        polls += 1
        return await signals_after(seen)

    monkeypatch.setattr(journal, "signals_after", counted)
    async with here() as server, server.socket("quiet/resident-1"):
        (held,) = server.sockets._sockets
        await server.until(lambda: polls > 1)
        before, account = held.identity._changes, server.town.key("Account", "quiet/resident-1")
        await atomic(changing_rights_of(account), SYSTEM, datetime.now(UTC))
        polls = 0
        await server.until(lambda: polls > 2)
        assert held.identity._changes == before + 1


def changing_rights_of(account: int) -> Callable[[UnitOfWork], Awaitable[None]]:
    async def body(work: UnitOfWork) -> None:
        work.record(RIGHTS_CHANGED, account)

    return body
