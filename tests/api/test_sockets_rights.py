"""What an open socket shows ends with the right to it, and nobody is shown what is somebody else's."""

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api import identity, sockets
from api.clock import utc_now
from api.origins import Origins
from community.bulletin.facts import BULLETIN
from community.database import cursors
from community.database.ids import new_id
from community.errors import TryAgain
from community.members.actions import end_session
from community.members.models import CoOwner, RoleGrant, Session
from community.permissions import SYSTEM, account_of
from community.places.models import Community, CommunityProfile
from community.signals import Signal
from community.votes.actions import open_vote
from community.votes.facts import TALLY
from realtime import subscriptions
from realtime.audience import Audience
from realtime.fields import AUDIENCE, SubscribeRequest
from realtime.registry import SubscriptionRegistry
from realtime.subscriptions import SharedSubscription
from schema import loaders
from schema.nodes import to_id
from schema.schema import graphql_schema

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
    return codes, int(socket.connection.close_code)


async def publish(server: Any, title: str, slug: str = "quiet") -> None:
    community = server.town.id("Community", slug)
    notice = {"title": title, "body": "。"}
    assert "errors" not in await server.ask(PUBLISH, f"{slug}/committee", c=community, n=notice)


async def begun(server: Any, watchers: int = 1) -> None:
    """They are before it, not only on their way."""
    sources = server.app.state.sources
    await server.until(lambda: sources.watchers >= watchers)
    for _ in range(20):
        await asyncio.sleep(0)


def told(server: Any, account: str) -> None:
    server.app.state.broker.publish([Signal("rights", server.town.key("Account", account))])


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
                (ours,) = [
                    each for each in server.sockets._sockets if account_of(each.identity.viewer) == account
                ]
                asked = SubscribeRequest(query, {"id": server.town.id(kind, name)}, None)
                await CoOwner.filter(account_id=account).update(until=server.town.now)
                ours._start("a", asked, utc_now())
                for _ in range(steps):
                    await asyncio.sleep(0)
                told(server, "quiet/resident-1")
                while (message := await socket.receive())["type"] == "next":
                    assert steps
                assert code_of(message) == "NOT_FOUND"


async def test_a_state_that_goes_on_in_another_group_is_shown_there_at_once(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each group counts its steps for itself."""
    version = graphql_schema.core.type_map["VoteProgress"].fields["version"]
    monkeypatch.setitem(version.extensions, AUDIENCE, Audience.VIEWER)
    async with here() as server, server.socket("quiet/resident-1") as socket:
        query = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
        await socket.subscribe("a", query, id=server.town.id("Vote", "quiet"))
        first = await socket.receive()
        told(server, "quiet/resident-1")
        assert await socket.receive() == first


async def test_whoever_is_too_far_behind_after_a_pause_and_may_not_go_on_alone_comes_back(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "KEPT", 2)
    monkeypatch.setattr(sockets, "MOST_ALONE", 0)
    ask, go_on = identity.viewer_behind, asyncio.Event()

    async def slowly(*given: Any, **more: Any) -> Any:
        await go_on.wait()
        return await ask(*given, **more)

    async with (
        here() as server,
        server.socket("quiet/resident-1") as away,
        server.socket("quiet/resident-2") as there,
    ):
        for socket in (away, there):
            await socket.subscribe("a", SHARED, id=server.town.id("Community", "quiet"))
        await server.until(lambda: server.sockets.registry._groups.members == 2)
        await begun(server)
        await publish(server, "还在")
        for socket in (away, there):
            assert (await socket.receive())["type"] == "next"
        monkeypatch.setattr(identity, "viewer_behind", slowly)
        told(server, "quiet/resident-1")
        for number in range(4):
            await publish(server, f"不在 {number}")
            assert (await there.receive())["type"] == "next"
        go_on.set()
        assert await away.until_closed() == 1013


async def test_a_fault_in_an_operation_is_said_and_ends_it_alone(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    async with here() as server, server.socket() as socket:
        await socket.subscribe("good", ATTENDANCE, id=server.town.id("Event", "picnic"))
        await socket.receive()
        monkeypatch.setattr(SubscriptionRegistry, "enter_alone", broken)
        for _ in range(2):  # also where its document is at hand
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
    """And shown as the viewer may see it by then."""
    read, meanwhile_ended = loaders.own_entries_of, list[bool]()

    async def meanwhile(*given: Any) -> Any:
        found = await read(*given)
        if not meanwhile_ended:
            meanwhile_ended.append(True)
            await CoOwner.filter(account_id=server.town.key("Account", "spring/resident-1")).update(
                until=server.town.now
            )
            told(server, "spring/resident-1")
        return found

    async with here() as server, server.socket("spring/resident-1") as socket:
        await socket.subscribe("a", ENTRIES, id=server.town.id("Community", "spring"))
        await begun(server)
        monkeypatch.setattr(loaders, "own_entries_of", meanwhile)
        await open_vote(SYSTEM, server.town.now + 10 * DAY, server.town.key("Vote", "coming"))
        message = await socket.receive()
        assert meanwhile_ended
        assert message["payload"]["data"]["bulletin"]["subject"]["viewerEntries"] == []
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


# Public reading


async def set_reading(server: Any, slug: str, *, public: bool) -> None:
    """As the next version of the profile, without a word to anybody."""
    community = server.town.key("Community", slug)
    (newest,) = await CommunityProfile.filter(community_id=community).order_by("-version").limit(1).values()
    version = newest["version"] + 1
    settings = newest | {"id": new_id(), "version": version, "public_reading": public}
    await CommunityProfile.create(**settings)
    await Community.filter(id=community).update(profile_version=version)


def told_of_reading(server: Any, slug: str) -> None:
    server.app.state.broker.publish([Signal("reading", server.town.key("Community", slug))])


WHOLE = """subscription($id: ID!) { bulletin(communityId: $id) { subject {
  ... on Notice { title } ... on Vote { viewerEntries { party } } } } }"""
PUBLIC = [
    pytest.param(PROGRESS, "Vote", "open", id="state"),
    pytest.param(SHARED, "Community", "spring", id="journal"),
    pytest.param(WHOLE, "Community", "spring", id="alone"),
]


@pytest.mark.parametrize(("query", "kind", "name"), PUBLIC)
async def test_strangers_who_are_there_see_nothing_more_when_public_reading_ends(
    here: Any, query: str, kind: str, name: str
) -> None:
    async with here() as server, AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(server.socket()) for _ in range(3)]
        resident = await stack.enter_async_context(server.socket("spring/resident-1"))
        neighbour = await stack.enter_async_context(server.socket("quiet/resident-1"))
        for socket in (*strangers, resident, neighbour):
            await socket.subscribe("a", query, id=server.town.id(kind, name))
            if query is PROGRESS:
                assert (await socket.receive())["type"] == "next"
        await begun(server, 5 if query is WHOLE else 1)
        await set_reading(server, "spring", public=False)
        told_of_reading(server, "spring")
        for socket in (*strangers, neighbour):
            assert code_of(await socket.receive()) == "NOT_FOUND"
        await publish(server, "给自己人看", "spring")
        await cast(server, 1)
        for socket in (*strangers, neighbour):
            await socket.send(type="ping")
            assert await socket.receive() == {"type": "pong"}
        assert (await resident.receive())["type"] == "next"


@pytest.mark.parametrize(("query", "kind", "name"), PUBLIC)
async def test_a_stranger_who_comes_new_is_not_let_in_when_public_reading_ended(
    here: Any, query: str, kind: str, name: str
) -> None:
    """Into the group that stands, in the very step of the signal and later."""
    async with here() as server, server.socket("spring/resident-1") as resident:
        await resident.subscribe("a", query, id=server.town.id(kind, name))
        await begun(server)
        async with server.socket() as early, server.socket() as late:
            ours = [each for each in server.sockets._sockets if account_of(each.identity.viewer) is None]
            asked = SubscribeRequest(query, {"id": server.town.id(kind, name)}, None)
            await set_reading(server, "spring", public=False)
            told_of_reading(server, "spring")
            for each in ours:
                each._start("a", asked, utc_now())
            for socket in (early, late):
                assert code_of(await socket.receive()) == "NOT_FOUND"
            await late.subscribe("b", query, id=server.town.id(kind, name))
            assert code_of(await late.receive()) == "NOT_FOUND"
        await publish(server, "还看得见", "spring")
        await cast(server, 1)
        assert (await resident.receive())["type"] == "next"


@pytest.mark.parametrize(("query", "kind", "name"), PUBLIC)
async def test_public_reading_that_ends_at_any_step_of_a_subscribe_lets_no_stranger_in(
    here: Any, query: str, kind: str, name: str
) -> None:
    async with here() as server:
        for steps in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89):
            await set_reading(server, "spring", public=True)
            told_of_reading(server, "spring")
            async with server.socket() as socket:
                (ours,) = server.sockets._sockets
                await set_reading(server, "spring", public=False)
                asked = SubscribeRequest(query, {"id": server.town.id(kind, name)}, None)
                ours._start("a", asked, utc_now())
                for _ in range(steps):
                    await asyncio.sleep(0)
                told_of_reading(server, "spring")
                while (message := await socket.receive())["type"] == "next":
                    assert steps
                assert code_of(message) == "NOT_FOUND"
            await server.until(lambda: not server.sockets.open)


@pytest.mark.parametrize("read", ["scope_of_vote", "scope_of"])
async def test_a_scope_that_changes_while_it_is_read_is_read_again(
    here: Any, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    """Whether it is read for the first time, or anew."""
    declaration, query, kind, name = {
        "scope_of_vote": (TALLY, PROGRESS, "Vote", "open"),
        "scope_of": (BULLETIN, SHARED, "Community", "spring"),
    }[read]
    ask = declaration.subject.scope_of

    async def meanwhile(*given: Any) -> Any:
        found = await ask(*given)
        if found.public_reading and not ended:
            ended.append(True)
            await set_reading(server, "spring", public=False)
            told_of_reading(server, "spring")
        return found

    ended: list[bool] = []
    async with here() as server, server.socket() as first, server.socket() as second:
        monkeypatch.setitem(vars(declaration.subject), "scope_of", meanwhile)
        await first.subscribe("a", query, id=server.town.id(kind, name))
        assert code_of(await first.receive()) == "NOT_FOUND"
        monkeypatch.setitem(vars(declaration.subject), "scope_of", ask)
        await set_reading(server, "spring", public=True)
        ended.clear()
        async with server.socket("spring/resident-1") as resident:
            await resident.subscribe("a", query, id=server.town.id(kind, name))
            await begun(server)
            monkeypatch.setitem(vars(declaration.subject), "scope_of", meanwhile)
            told_of_reading(server, "spring")
            await second.subscribe("a", query, id=server.town.id(kind, name))
            assert code_of(await second.receive()) == "NOT_FOUND"


async def test_public_reading_that_ends_while_a_cursor_is_looked_at_lets_no_stranger_in(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = SharedSubscription.start_of

    async def meanwhile(self: SharedSubscription, after: str | None) -> int:
        found = await begin(self, after)
        if not ended:
            ended.append(True)
            await set_reading(server, "spring", public=False)
            told_of_reading(server, "spring")
        return found

    ended: list[bool] = []
    async with here() as server, server.socket() as socket, server.socket("spring/resident-1") as resident:
        monkeypatch.setattr(SharedSubscription, "start_of", meanwhile)
        await socket.subscribe("a", SHARED, id=server.town.id("Community", "spring"))
        assert code_of(await socket.receive()) == "NOT_FOUND"
        # Where it changed without taking the right away, nobody is sent away for it.
        ended.clear()
        await resident.subscribe("a", SHARED, id=server.town.id("Community", "spring"))
        await begun(server)
        await server.until(lambda: ended)
        await publish(server, "给自己人看", "spring")
        assert (await resident.receive())["type"] == "next"


@pytest.mark.parametrize("watched", [False, True])
async def test_no_cursor_tells_a_hidden_bulletin_from_one_that_is_not_there(here: Any, watched: bool) -> None:
    query = SHARED.replace("$id: ID!", "$id: ID!, $after: String").replace("$id)", "$id, after: $after)")
    async with here() as server, server.socket("quiet/resident-1") as member:
        mark = await cursors.mark()
        hidden, unknown = server.town.id("Community", "quiet"), to_id("Community", 2**40 + 1)
        if watched:
            await member.subscribe("a", query, id=hidden)
            await begun(server)
        for who in (None, "spring/resident-1"):
            async with server.socket(who) as socket:
                for after in ("nothing", cursors.encode(mark, 2**50), cursors.encode(mark, 0), None):
                    for id_ in (hidden, unknown, to_id("Notice", 5)):
                        await socket.subscribe("a", query, id=id_, after=after)
                        assert code_of(await socket.receive()) == "NOT_FOUND"


async def test_public_reading_that_begins_lets_strangers_in_at_once(here: Any) -> None:
    async with here() as server, server.socket("quiet/resident-1") as resident, server.socket() as stranger:
        vote = server.town.id("Vote", "quiet")
        for socket, kind in ((resident, "next"), (stranger, "error")):
            await socket.subscribe("a", PROGRESS, id=vote)
            assert (await socket.receive())["type"] == kind
        await set_reading(server, "quiet", public=True)
        told_of_reading(server, "quiet")
        await stranger.subscribe("a", PROGRESS, id=vote)
        assert (await stranger.receive())["type"] == "next"
        assert len(server.sockets.registry._groups) == 1


async def test_a_lost_signal_is_asked_about_after_the_gap(here: Any) -> None:
    async with here() as server, server.socket() as socket:
        await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        assert (await socket.receive())["type"] == "next"
        await set_reading(server, "spring", public=False)
        server.app.state.broker.resync()
        assert code_of(await socket.receive()) == "NOT_FOUND"


async def test_who_may_stay_is_sent_nothing_twice_and_misses_nothing(here: Any) -> None:
    """Changes of one community ask nobody of another."""
    async with here() as server, server.socket() as spring, server.socket("quiet/resident-1") as quiet:
        await spring.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        await quiet.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
        await spring.subscribe("b", SHARED, id=server.town.id("Community", "spring"))
        for socket in (spring, quiet):
            assert (await socket.receive())["type"] == "next"
        await begun(server, 3)
        for number in range(1, 4):
            await set_reading(server, "spring", public=True)
            told_of_reading(server, "spring")
            await publish(server, f"公告 {number}", "spring")
            await set_reading(server, "quiet", public=bool(number % 2))
            told_of_reading(server, "quiet")
            await cast(server, number)
        titles, heads = [], []
        while len(titles) < 3 or heads[-1:] != [3]:
            message = await spring.receive()
            data = message["payload"]["data"]
            if message["id"] == "b":
                titles.append(data["bulletin"]["subject"]["title"])
            else:
                heads.append(data["voteProgress"]["participating"]["heads"])
        assert titles == ["公告 1", "公告 2", "公告 3"]
        assert heads == sorted(set(heads))
        await quiet.send(type="ping")
        assert await quiet.receive() == {"type": "pong"}


async def test_a_scope_that_cannot_be_read_again_sends_them_to_come_back(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> Any:
        raise TryAgain

    async with here() as server, server.socket() as socket:
        await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        await socket.receive()
        monkeypatch.setitem(vars(TALLY.subject), "scope_of", away)
        await set_reading(server, "spring", public=True)
        told_of_reading(server, "spring")
        assert await rest_of(socket) == ([], 1013)


async def cast(server: Any, number: int) -> None:
    answer = {"questionId": server.town.id("Question", "open/0"), "choices": ["FOR"]}
    done = await server.ask(CAST, f"spring/resident-{number}", v=server.town.id("Vote", "open"), a=[answer])
    assert "errors" not in done


# What a socket comes with


async def test_a_cookie_that_opens_nothing_more_closes_the_socket_instead_of_making_a_stranger(
    here: Any,
) -> None:
    async with here() as server:
        token = server.town.tokens["quiet/resident-1"]
        async with server.connection(cookie=f"meilin_session={token}") as socket:
            await socket.init()
            await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "quiet"))
            assert (await socket.receive())["type"] == "next"
            await end_session(SYSTEM, datetime.now(UTC), token)
            assert await rest_of(socket) == ([], 4401)
            assert socket.connection.close_reason == "Your session is over; sign in again"
        for cookie in (token, "nothing"):
            async with server.connection(cookie=f"meilin_session={cookie}") as socket:
                await socket.send(type="connection_init")
                assert await rest_of(socket) == ([], 4401)


async def test_a_socket_without_subscriptions_ends_with_its_session_too(here: Any) -> None:
    async with here() as server, server.socket("quiet/resident-1") as socket:
        await end_session(SYSTEM, datetime.now(UTC), server.town.tokens["quiet/resident-1"])
        assert await rest_of(socket) == ([], 4401)


async def test_the_cookie_of_a_foreign_page_counts_for_nothing_and_its_token_does(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = "https://app.example"
    async with here() as server:
        vote, token = server.town.id("Vote", "quiet"), server.town.tokens["quiet/resident-1"]
        with pytest.raises(InvalidStatus):
            async with server.connection(origin=foreign):
                pass
        for allowed in (foreign, "*"):
            monkeypatch.setattr(server.sockets, "_origins", Origins("http://localhost", [allowed]))
            async with server.connection(origin=foreign, cookie=f"meilin_session={token}") as socket:
                await socket.init()
                await socket.subscribe("a", PROGRESS, id=vote)
                assert code_of(await socket.receive()) == "NOT_FOUND"
            async with server.connection(origin=foreign, cookie="meilin_session=nothing") as socket:
                await socket.init(authorization=f"Bearer {token}")
                await socket.subscribe("a", PROGRESS, id=vote)
                assert (await socket.receive())["type"] == "next"
        other = Origins("http://localhost", ["https://other.example"])
        monkeypatch.setattr(server.sockets, "_origins", other)
        with pytest.raises(InvalidStatus):
            async with server.connection(origin=foreign, cookie=f"meilin_session={token}"):
                pass
