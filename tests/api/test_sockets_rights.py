"""What an open socket shows ends with the right to it, and nobody is shown what is somebody else's."""

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from api import operations
from api import sockets as sockets_
from community.members.actions import end_session
from community.members.models import CoOwner, RoleGrant, Session
from community.permissions import SYSTEM
from community.signals import Signal, Topic
from community.votes.actions import open_vote
from schema import votes

pytestmark = pytest.mark.xdist_group("sockets")

DAY = timedelta(days=1)
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { participating { heads } } }"
ATTENDANCE = "subscription($id: ID!) { eventAttendance(eventId: $id) { signedUp } }"
SHARED = "subscription($id: ID!) { bulletin(communityId: $id) { subject { ... on Notice { title } } } }"
OWN = """subscription($id: ID!) { bulletin(communityId: $id) { subject {
  ... on Notice { title } ... on Vote { viewerEntries { party } } } } }"""
WATCHED = [
    pytest.param(PROGRESS, "Vote", "quiet", id="state"),
    pytest.param(SHARED, "Community", "quiet", id="journal"),
    pytest.param(OWN, "Community", "quiet", id="alone"),
]
CAST = "mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a) { id } }"
PUBLISH = "mutation($c: ID!, $n: NoticeInput!) { publishNotice(communityId: $c, notice: $n) { id } }"


def code_of(message: Any) -> str:
    assert message["type"] == "error", message
    (error,) = message["payload"]
    return str(error["extensions"]["code"])


async def rest_of(socket: Any) -> tuple[list[str], int]:
    """The codes of errors that still come, and of the closing."""
    codes = []
    with suppress(ConnectionClosed):
        while True:
            if (message := await socket.receive())["type"] != "next":
                codes.append(code_of(message))
    return codes, int(socket.line.close_code)


async def publish(server: Any, title: str, slug: str = "quiet") -> None:
    community = server.town.id("Community", slug)
    notice = {"title": title, "body": "。"}
    assert "errors" not in await server.ask(PUBLISH, f"{slug}/committee", c=community, n=notice)


async def begun(server: Any, watchers: int = 1) -> None:
    """They are before it, not only on their way."""
    watching = server.app.state.watching
    await server.until(lambda: watching.watchers >= watchers)
    for _ in range(20):
        await asyncio.sleep(0)


def told(server: Any, account: str) -> None:
    server.app.state.broker.publish([Signal(Topic.RIGHTS, server.town.key("Account", account))])


@pytest.mark.parametrize(("query", "kind", "name"), WATCHED)
async def test_a_session_that_is_ended_ends_what_it_showed(
    here: Any, query: str, kind: str, name: str
) -> None:
    async with here() as server:
        token = server.town.tokens["quiet/resident-1"]
        async with server.socket("quiet/resident-1") as socket, server.socket("quiet/resident-2") as other:
            for each in (socket, other):
                await each.subscribe("a", query, id=server.town.id(kind, name))
                if query is PROGRESS:
                    await each.receive()
            await begun(server)
            await end_session(SYSTEM, datetime.now(UTC), token)
            assert await rest_of(socket) == ([], 4401)
            await publish(server, "只给自己人看")
            await other.send(type="ping")
            seen = [await other.receive() for _ in range(1 if query is PROGRESS else 2)]
            assert all(message["type"] in {"next", "pong"} for message in seen)


@pytest.mark.parametrize(("query", "kind", "name"), WATCHED)
async def test_a_role_that_is_taken_ends_what_it_showed(here: Any, query: str, kind: str, name: str) -> None:
    async with here() as server, server.socket("quiet/resident-1") as socket:
        await socket.subscribe("a", query, id=server.town.id(kind, name))
        if query is PROGRESS:
            await socket.receive()
        await begun(server)
        account = server.town.key("Account", "quiet/resident-1")
        await CoOwner.filter(account_id=account).update(until=server.town.now - DAY)
        told(server, "quiet/resident-1")
        assert code_of(await socket.receive()) == "NOT_FOUND"


@pytest.mark.parametrize(("query", "kind", "name"), WATCHED)
@pytest.mark.parametrize("what", ["session", "role"])
async def test_what_ends_by_time_ends_what_it_showed_without_a_word(
    here: Any, query: str, kind: str, name: str, what: str
) -> None:
    async with here() as server:
        soon = datetime.now(UTC) + timedelta(seconds=1)
        account = server.town.key("Account", "quiet/resident-1")
        if what == "session":
            await Session.filter(account_id=account).update(expires_at=soon)
        else:
            await CoOwner.filter(account_id=account).update(until=soon)
        async with server.socket("quiet/resident-1") as socket:
            await socket.subscribe("a", query, id=server.town.id(kind, name))
            if what == "session":
                assert await rest_of(socket) == ([], 4401)
            else:
                while (message := await socket.receive())["type"] == "next":
                    pass
                assert code_of(message) == "NOT_FOUND"
                await socket.send(type="ping")
                assert await socket.receive() == {"type": "pong"}
            assert datetime.now(UTC) >= soon


async def test_a_role_that_ends_leaves_what_the_others_allow(here: Any) -> None:
    """The same socket goes on, in another group, where it was."""
    async with here() as server, server.socket("quiet/manager") as socket:
        account = server.town.key("Account", "quiet/manager")
        community = server.town.key("Community", "quiet")
        await RoleGrant.create(
            account_id=account, community_id=community, role="CLERK", since=server.town.now - DAY
        )
        told(server, "quiet/manager")
        await socket.subscribe("a", SHARED, id=server.town.id("Community", "quiet"))
        await begun(server)
        await publish(server, "一")
        assert (await socket.receive())["payload"]["data"]["bulletin"]["subject"] == {"title": "一"}
        await RoleGrant.filter(account_id=account, role="CLERK").update(until=server.town.now)
        told(server, "quiet/manager")
        await publish(server, "二")
        await publish(server, "三")
        for title in "二三":
            assert (await socket.receive())["payload"]["data"]["bulletin"]["subject"] == {"title": title}


@pytest.mark.parametrize(("query", "kind", "name"), WATCHED)
async def test_rights_that_change_while_they_are_asked_for_are_asked_for_again(
    here: Any, query: str, kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step of a subscribe somebody's role may be taken; none slips through."""
    async with here() as server:
        account = server.town.key("Account", "quiet/resident-1")
        for steps in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55):
            await CoOwner.filter(account_id=account).update(until=None)
            async with server.socket("quiet/resident-1") as socket:
                (ours,) = [each for each in server.sockets._sockets if each.viewer.account == account]
                asked = sockets_.Asked(query, {"id": server.town.id(kind, name)}, None)
                await CoOwner.filter(account_id=account).update(until=server.town.now)
                ours._subscribe("a", asked)
                for _ in range(steps):
                    await asyncio.sleep(0)
                told(server, "quiet/resident-1")
                while (message := await socket.receive())["type"] == "next":
                    assert steps
                assert code_of(message) == "NOT_FOUND"


async def test_a_session_that_ends_while_its_socket_begins_shows_nothing(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here() as server:
        token, ask = server.town.tokens["quiet/resident-1"], sockets_.viewer_behind

        async def slowly(*given: Any, **more: Any) -> Any:
            found = await ask(*given, **more)
            monkeypatch.setattr(sockets_, "viewer_behind", ask)
            await end_session(SYSTEM, datetime.now(UTC), token)
            return found

        monkeypatch.setattr(sockets_, "viewer_behind", slowly)
        async with server.line() as socket:
            await socket.send(type="connection_init", payload={"Authorization": f"Bearer {token}"})
            assert await socket.until_closed() == 4403


async def test_changes_of_others_keep_nobody_from_beginning(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here() as server:
        ask = sockets_.viewer_behind

        async def meanwhile(*given: Any, **more: Any) -> Any:
            found = await ask(*given, **more)
            told(server, "spring/tenant")
            return found

        monkeypatch.setattr(sockets_, "viewer_behind", meanwhile)
        async with server.socket("quiet/resident-1") as socket:
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
            assert (await socket.receive())["type"] == "next"


async def test_a_database_that_is_away_while_rights_are_asked_again_closes_the_socket(
    here: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    async with here() as server:
        async with server.socket("quiet/resident-1") as socket:
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
            await socket.receive()
            monkeypatch.setattr(sockets_, "viewer_behind", broken)
            told(server, "quiet/resident-1")
            assert await socket.until_closed() == 1013
        assert "could not ask for rights again" in caplog.text
        caplog.clear()


async def test_a_fault_in_an_operation_is_said_and_ends_it_alone(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    async with here() as server, server.socket() as socket:
        await socket.subscribe("good", ATTENDANCE, id=server.town.id("Event", "picnic"))
        await socket.receive()
        monkeypatch.setattr(operations.graphql_schema, "subscribe", broken)
        await socket.subscribe("bad", OWN, id=server.town.id("Community", "spring"))
        assert code_of(await socket.receive()) == "INTERNAL"
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}
        assert len(server.sockets) == 1


ENTRIES = """subscription($id: ID!) { bulletin(communityId: $id) { subject {
  ... on Vote { id viewerEntries { party } } } } }"""


async def test_what_is_a_neighbours_own_reaches_no_other(here: Any) -> None:
    """Equal documents, of which each reader must be told another truth."""
    who = [*(f"spring/resident-{number}" for number in range(1, 7)), "spring/guardian", "spring/tenant", None]
    asked = """query($id: ID!) { vote(id: $id) { viewerEntries { party } } }"""
    async with here() as server, AsyncExitStack() as stack:
        vote = server.town.id("Vote", "coming")
        sockets = {name: await stack.enter_async_context(server.socket(name)) for name in who}
        for socket in sockets.values():
            await socket.subscribe("a", ENTRIES, id=server.town.id("Community", "spring"))
        await begun(server, len(who))
        await open_vote(SYSTEM, server.town.now + 10 * DAY, server.town.key("Vote", "coming"))
        own = {}
        for name, socket in sockets.items():
            message = await socket.receive()
            assert message["type"] == "next", message
            subject = message["payload"]["data"]["bulletin"]["subject"]
            assert subject["id"] == vote
            truth = (await server.ask(asked, name, id=vote))["data"]["vote"]["viewerEntries"]
            assert subject["viewerEntries"] == truth
            own[name] = str(truth)
        assert len({own[name] for name in who[:7]}) == 7


async def test_what_was_read_while_rights_changed_is_read_again(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client comes back with its cursor, and is shown what it may see by then."""
    read = votes.own_entries

    async def meanwhile(*given: Any) -> Any:
        found = await read(*given)
        told(server, "spring/resident-1")
        return found

    async with here() as server, server.socket("spring/resident-1") as socket:
        await socket.subscribe("a", ENTRIES, id=server.town.id("Community", "spring"))
        await begun(server)
        monkeypatch.setattr(votes, "own_entries", meanwhile)
        await open_vote(SYSTEM, server.town.now + 10 * DAY, server.town.key("Vote", "coming"))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.receive()
        assert closed.value.rcvd.code == 1013
