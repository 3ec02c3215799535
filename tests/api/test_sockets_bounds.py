"""What a stranger may say on sockets costs little, and is refused in words beyond that."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from api import sockets as sockets_
from community.bulletin.facts import NOTICE
from community.votes.facts import TALLY
from realtime import asking_again, bounds, subscriptions

pytestmark = pytest.mark.xdist_group("sockets")

PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
HIDDEN = (
    "subscription($id: ID!) { ...F } fragment F on Subscription { voteProgress(voteId: $id) { version } }"
)
ALONE = """subscription($id: ID!) { bulletin(communityId: $id) {
  subject { ... on Vote { viewerEntries { party } } } } }"""


def codes_of(message: Any) -> list[str]:
    assert message["type"] == "error", message
    for error in message["payload"]:
        assert error["extensions"]["zh"] and error["message"]  # noqa: PT018
    return [error["extensions"]["code"] for error in message["payload"]]


async def lives(socket: Any) -> None:
    await socket.send(type="ping")
    assert await socket.receive() == {"type": "pong"}


async def test_forty_sockets_whose_subscriptions_differ_in_names_are_one_group(here: Any) -> None:
    async with here() as server, AsyncExitStack() as stack:
        vote = server.town.id("Vote", "open")
        sockets = [await stack.enter_async_context(server.socket()) for _ in range(8)]
        for index, socket in enumerate(sockets):
            for number in range(10):
                name = f"n{index}x{number}"
                query = (
                    f"subscription {name}(${name}: ID!) {{ voteProgress(voteId: ${name}) {{ ...{name} }} }}"
                )
                query += f" fragment {name} on VoteProgress {{ version }}"
                await socket.subscribe(name, query, **{name: vote})
        for socket in sockets:
            for _ in range(10):
                message = await socket.receive()
                assert message["payload"] == {"data": {"voteProgress": {"version": 1}}}
        assert len(server.sockets.registry._groups) == 1


async def test_whoever_asks_in_too_many_ways_is_told_and_keeps_the_rest(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_OF_BOTH", 5)
    async with here() as server, server.socket() as socket, server.socket() as other:
        vote = server.town.id("Vote", "open")
        for number in range(8):
            await socket.subscribe(str(number), PROGRESS.replace("version", f"a{number}: version"), id=vote)
            message = await socket.receive()
            assert (message["type"] == "next") if number < 5 else (codes_of(message) == ["LIMIT_REACHED"])
        await other.subscribe("same", PROGRESS.replace("version", "a1: version"), id=vote)
        assert (await other.receive())["type"] == "next"
        await socket.send(type="complete", id="0")
        await lives(socket)
        await socket.subscribe("new", PROGRESS.replace("version", "a6: version"), id=vote)
        assert (await socket.receive())["type"] == "next"
        await lives(other)


async def test_what_runs_alone_is_bounded_by_socket_and_address(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets_, "MOST_ALONE", 3)
    monkeypatch.setattr(bounds, "MOST_ALONE_OF_ADDRESS", 4)
    async with here() as server:
        async with server.socket() as one, server.socket() as other:
            spring = server.town.id("Community", "spring")
            for socket, most in ((one, 3), (other, 1)):
                for number in range(5):
                    await socket.subscribe(str(number), ALONE, id=spring)
                    if number >= most:
                        assert codes_of(await socket.receive()) == ["LIMIT_REACHED"]
                await lives(socket)
            await one.send(type="complete", id="0")
            await lives(one)
            await other.subscribe("again", ALONE, id=spring)
            await lives(other)
        await server.until(lambda: not server.sockets.open)
        assert not server.sockets.registry._bounds._counts


async def test_what_runs_alone_and_begins_again_is_counted_once(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets_, "MOST_ALONE", 2)
    monkeypatch.setattr(bounds, "MOST_ALONE_OF_ADDRESS", 2)
    async with here() as server, server.socket() as socket:
        for number in range(2):
            await socket.subscribe(str(number), ALONE, id=server.town.id("Community", "spring"))
        await server.until(lambda: server.sockets.registry._groups.members == 2)
        server.app.state.broker.resync()
        assert server.sockets.registry._groups.members == 0
        await server.until(lambda: server.sockets.registry._groups.members == 2)
        await lives(socket)


async def test_all_that_are_asked_again_begin_again_a_few_in_a_turn(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_again, "AT_ONCE", 2)
    async with here() as server, server.socket() as socket:
        groups = server.sockets.registry._groups
        for number in range(5):
            await socket.subscribe(str(number), PROGRESS, id=server.town.id("Vote", "open"))
        await server.until(lambda: groups.members == 5)
        server.app.state.broker.resync()
        assert groups.members == 0
        await server.until(lambda: groups.members == 5)


async def test_the_ids_of_an_address_are_bounded_together(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets_, "MOST_OF_IDS", 100_000)
    async with here() as server:
        async with server.socket() as one, server.socket() as other:
            vote = server.town.id("Vote", "open")
            await one.subscribe("x" * 60_000, PROGRESS, id=vote)
            assert (await one.receive())["type"] == "next"
            await other.subscribe("y" * 60_000, PROGRESS, id=vote)
            assert codes_of(await other.receive()) == ["LIMIT_REACHED"]
            await other.subscribe("short", PROGRESS, id=vote)
            assert (await other.receive())["type"] == "next"
            await one.send(type="complete", id="x" * 60_000)
            await lives(one)
            await other.subscribe("y" * 60_000, PROGRESS, id=vote)
            assert (await other.receive())["type"] == "next"
        await server.until(lambda: not server.sockets.open)
        assert not server.sockets.ids


async def test_ids_are_measured_as_they_are_sent(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A character may be six bytes."""
    monkeypatch.setattr(sockets_, "MOST_OF_IDS", 100_000)
    async with here() as server, server.socket() as socket:
        vote = server.town.id("Vote", "open")
        await socket.subscribe("\x01" * 10_000, PROGRESS, id=vote)
        assert (await socket.receive())["type"] == "next"
        await socket.subscribe("\x02" * 10_000, PROGRESS, id=vote)
        assert codes_of(await socket.receive()) == ["LIMIT_REACHED"]
        assert server.sockets.ids.total() <= 100_000


@pytest.mark.parametrize(
    "extra", [{"no use": "x" * 50_000}, {"id2": [0] * 20_000}, {"a": {"b": ["表"] * 5_000}}]
)
async def test_long_variables_are_refused(here: Any, extra: dict[str, Any]) -> None:
    async with here() as server, server.socket() as socket:
        for query in (PROGRESS, HIDDEN):
            await socket.subscribe("a", query, id=server.town.id("Vote", "open"), **extra)
            assert codes_of(await socket.receive()) == ["INVALID_INPUT"]
        await lives(socket)
        assert len(server.sockets) == 0


@pytest.mark.parametrize(
    "payload", [{"token": "x"}, {"headers": {"authorization": "Bearer x"}}, {"authorization": 5}], ids=str
)
async def test_a_credential_in_another_spelling_is_refused_with_a_reason(here: Any, payload: Any) -> None:
    async with here() as server, server.connection() as socket:
        await socket.send(type="connection_init", payload=payload)
        assert await socket.until_closed() == 4403
        assert "Authorization" in socket.connection.close_reason


async def test_an_init_beyond_all_measure_is_refused(here: Any) -> None:
    async with here() as server:
        for text in ('{"a":' * 200 + "1" + "}" * 200, json.dumps({f"k{n}": 1 for n in range(5_000)})):
            async with server.connection() as socket:
                await socket.connection.send(f'{{"type":"connection_init","payload":{text}}}')
                assert await socket.until_closed() == 4400


async def test_a_storm_of_subscriptions_that_come_and_go_leaves_nothing(here: Any) -> None:
    async with here() as server:
        async with server.socket() as socket, server.socket() as other:
            vote = server.town.id("Vote", "open")
            for turn in range(20):
                for number in range(30):
                    query = PROGRESS.replace("version", f"a{turn}x{number}: version")
                    await socket.subscribe(str(number), query, id=vote)
                    await socket.send(type="complete", id=str(number))
            await other.subscribe("a", PROGRESS, id=vote)
            assert (await other.receive())["type"] == "next"
            await socket.send(type="ping")
            while (await socket.receive())["type"] != "pong":
                pass
        await server.until(lambda: not server.sockets.open)
        registry = server.sockets.registry
        assert (len(registry._groups), len(registry._bounds._counts), len(server.sockets.ids)) == (0, 0, 0)
        assert len(registry.documents._documents.recent) <= 512


# Faults that are ours


Break = Callable[[pytest.MonkeyPatch, Any], None]


async def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError


def in_a_group(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    """A step that cannot be encoded."""

    def encoded(*_: Any) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(subscriptions, "encoded", encoded)


def in_its_begin(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    monkeypatch.setattr(subscriptions, "execute", broken)


def in_its_place(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    monkeypatch.setitem(vars(TALLY.subject), "scope_of", broken)


@pytest.mark.parametrize("fault", [in_a_group, in_its_begin, in_its_place])
async def test_a_fault_of_a_group_is_told_to_its_members_and_counted(
    here: Any, monkeypatch: pytest.MonkeyPatch, fault: Break
) -> None:
    async with here() as server, AsyncExitStack() as stack:
        fault(monkeypatch, server)
        vote = server.town.id("Vote", "open")
        sockets = [await stack.enter_async_context(server.socket()) for _ in range(3)]
        for socket in sockets:
            await socket.subscribe("a", PROGRESS, id=vote)
        for socket in sockets:
            message = await socket.receive()
            assert codes_of(message) == ["INTERNAL"]
            assert message["payload"][0]["extensions"]["requestId"]
            await lives(socket)
        metrics = await asyncio.to_thread(lambda: server.client.get("/metrics"))
        if metrics.status_code == 200:
            assert 'meilin_errors_total{code="INTERNAL"} 3.0' in metrics.text


async def test_errors_beside_what_is_shown_are_counted(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    query = """subscription($id: ID!) { bulletin(communityId: $id) { cursor kind
      subject { ... on Notice { title community { name } } } } }"""
    publish = "mutation($c: ID!, $n: NoticeInput!) { publishNotice(communityId: $c, notice: $n) { id } }"
    async with here() as server, server.socket() as socket:
        internal = server.sockets.metrics.errors.labels("INTERNAL")._value
        spring = server.town.id("Community", "spring")
        monkeypatch.setitem(vars(NOTICE), "rows", broken)
        await socket.subscribe("a", query, id=spring)
        await server.until(internal.get)  # a notice from before, for those who will come with a cursor
        before = internal.get()
        notice = {"title": "一", "body": "。"}
        await server.ask(publish, "spring/committee", c=spring, n=notice)
        message = await socket.receive()
        codes = [error["extensions"]["code"] for error in message["payload"]["errors"]]
        assert (message["type"], codes) == ("next", ["INTERNAL"])
        assert internal.get() == before + 2  # also of the mutation, which could not show what it did
