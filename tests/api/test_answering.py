"""Queries and mutations over a socket; `test_sockets.py` asks the same of a client's whole talk."""

import asyncio
from typing import Any

import pytest
from graphql import ExecutionResult

from api import answering
from api.clock import utc_now
from api.frames import FrameProtocol
from schema.schema import graphql_schema

pytestmark = pytest.mark.xdist_group("sockets")

SIGN_UP = "mutation($event: ID!) { signUp(eventId: $event) { id } }"


async def test_mutations_whose_answers_nobody_waits_for_are_bounded(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each goes on after its `complete`, and keeps its variables until then."""
    go_on, begun = asyncio.Event(), 0

    async def wait(self: Any, *given: Any) -> Any:
        nonlocal begun
        begun += 1
        await go_on.wait()
        return await execute(self, *given)

    execute = answering.Answering.execute
    monkeypatch.setattr(answering.Answering, "execute", wait)
    monkeypatch.setattr(answering, "MOST_UNDER_WAY", 5)
    async with here() as server, server.socket("spring/resident-1") as socket:
        event = server.town.id("Event", "picnic")
        (held,) = server.sockets._sockets
        for number in range(5):
            await socket.subscribe(str(number), SIGN_UP, event=event)
            await server.until(lambda so_far=number: held.answers._under_way == so_far + 1)
            await socket.send(type="complete", id=str(number))
        await server.until(lambda: len(server.sockets) == 0)
        await socket.subscribe("more", SIGN_UP, event=event)
        message = await socket.receive()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "LIMIT_REACHED"
        assert begun == answering.MOST_AT_ONCE
        go_on.set()
        await server.until(lambda: not server.sockets.answering.tasks)
        assert begun == 5
        await socket.subscribe("more", "{ viewer { account } }")
        assert (await socket.receive())["payload"]["data"]["viewer"] == {"account": "spring/resident-1"}


async def test_a_mutation_under_way_is_done_before_the_server_ends(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that still waits for its turn."""
    execute, go_on, done = answering.Answering.execute, asyncio.Event(), list[Any]()

    async def waiting(self: Any, *given: Any) -> Any:
        await go_on.wait()
        result = await execute(self, *given)
        done.append([error.extensions["code"] for error in result.errors or ()])
        return result

    monkeypatch.setattr(answering.Answering, "execute", waiting)
    async with here() as server:
        event = server.town.id("Event", "picnic")
        async with server.socket("spring/resident-5") as socket:
            for number in range(answering.MOST_AT_ONCE + 1):
                await socket.subscribe(str(number), SIGN_UP, event=event)
            await server.until(lambda: len(server.sockets.answering.tasks) == answering.MOST_AT_ONCE + 1)
        asyncio.get_running_loop().call_later(0.2, go_on.set)
    assert sorted(done) == [[], *[["ALREADY_SIGNED_UP"]] * answering.MOST_AT_ONCE]


async def test_a_mutation_counts_by_the_moment_at_which_it_came(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it waits for its turn, as over HTTP."""
    execute, go_on, moments = graphql_schema.execute, asyncio.Event(), list[Any]()

    async def waiting(query: str, variables: Any, context: Any, **rest: Any) -> Any:
        moments.append(context.now)
        await go_on.wait()
        return await execute(query, variables, context, **rest)

    async with here() as server, server.socket("spring/resident-5") as socket:
        event = server.town.id("Event", "picnic")
        monkeypatch.setattr(graphql_schema, "execute", waiting)
        for number in range(answering.MOST_AT_ONCE + 1):
            await socket.subscribe(str(number), SIGN_UP, event=event)
        await server.until(lambda: len(server.sockets.answering.tasks) == answering.MOST_AT_ONCE + 1)
        came = utc_now()
        await asyncio.sleep(0.01)
        go_on.set()
        await server.until(lambda: not server.sockets.answering.tasks)
        assert len(moments) == answering.MOST_AT_ONCE + 1
        assert max(moments) <= came


def held_back(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, list[str]]:
    """Every query and mutation of a socket waits for the event; those that have begun are listed."""
    execute, go_on, begun = answering.Answering.execute, asyncio.Event(), list[str]()

    async def waiting(self: Any, request: Any, *given: Any) -> Any:
        begun.append(request.query)
        await go_on.wait()
        return await execute(self, request, *given)

    monkeypatch.setattr(answering.Answering, "execute", waiting)
    return go_on, begun


@pytest.mark.parametrize("query", [SIGN_UP, "{ viewer { account } }"], ids=["mutation", "query"])
async def test_a_change_of_rights_neither_repeats_an_answer_nor_drops_it(
    here: Any, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    go_on, begun = held_back(monkeypatch)
    async with here() as server, server.socket("spring/resident-5") as socket:
        await socket.subscribe("a", query, event=server.town.id("Event", "picnic"))
        await server.until(lambda: begun)
        (held,) = server.sockets._sockets
        held.identity.changed()
        await server.until(lambda: held.identity.settled)
        go_on.set()
        message = await socket.receive()
        assert (message["type"], "errors" in message["payload"]) == ("next", False)
        assert (await socket.receive())["type"] == "complete"
        assert begun == [query]


async def test_a_query_that_is_stopped_is_not_executed_any_further(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def wait(*_: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(answering.Answering, "execute", wait)
    async with here() as server, server.socket() as socket:
        await socket.subscribe("a", "{ viewer { account } }")
        await begun.wait()
        await socket.send(type="complete", id="a")
        await server.until(lambda: not server.sockets.answering.tasks)


class Unread:
    """Writes on, and says that nobody reads it while `read` is not set."""

    def __init__(self, writer: Any) -> None:
        self.read, self.write, self.close = asyncio.Event(), writer.write, writer.close
        self.read.set()

    @property
    def busy(self) -> bool:
        return not self.read.is_set()

    async def drain(self) -> None:
        await self.read.wait()


async def test_whoever_does_not_read_its_answers_has_no_more_queries_executed(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutation is executed all the same."""
    go_on, begun = held_back(monkeypatch)
    async with here() as server, server.socket("spring/resident-6") as socket:
        (held,) = server.sockets._sockets
        held.writer = writer = Unread(held.writer)
        queries = 2 * answering.MOST_AT_ONCE
        for number in range(queries):
            await socket.subscribe(str(number), f"{{ viewer {{ a{number}: account }} }}")
        await server.until(lambda: held.answers._under_way == queries)
        await server.until(lambda: len(begun) == answering.MOST_AT_ONCE)
        writer.read.clear()
        await socket.subscribe("write", SIGN_UP, event=server.town.id("Event", "picnic"))
        await server.until(lambda: held.answers._under_way == queries + 1)
        go_on.set()
        await server.until(lambda: SIGN_UP in begun)
        await server.until(lambda: len(server.sockets.answering.tasks) == queries - answering.MOST_AT_ONCE)
        assert len(begun) == answering.MOST_AT_ONCE + 1
        writer.read.set()
        await server.until(lambda: not server.sockets.answering.tasks)
        assert len(begun) == queries + 1


def received_ahead(writer: Any) -> bool:
    """Whether a message waits for the app."""
    return bool(writer._inbox) if isinstance(writer, FrameProtocol) else writer._next.done()


async def test_a_mutation_counts_by_when_it_came_though_the_client_does_not_read(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the next message is not taken."""
    execute, times = graphql_schema.execute, list[Any]()

    async def recording(query: str, variables: Any, context: Any, **rest: Any) -> Any:
        times.append(context.now)
        return await execute(query, variables, context, **rest)

    async with here() as server, server.socket("spring/resident-6") as socket:
        monkeypatch.setattr(graphql_schema, "execute", recording)
        (held,) = server.sockets._sockets
        wire, held.writer = held.writer, Unread(held.writer)
        held.writer.read.clear()
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}
        await socket.subscribe("write", SIGN_UP, event=server.town.id("Event", "picnic"))
        await server.until(lambda: received_ahead(wire))
        came = utc_now()
        await asyncio.sleep(0.01)
        held.writer.read.set()
        assert (await socket.receive())["type"] == "next"
        assert [at <= came for at in times] == [True]


async def test_an_answer_that_cannot_be_encoded_is_a_fault_of_ours(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def strange(self: Any, *given: Any) -> Any:
        return ExecutionResult({"viewer": object()}, None)

    monkeypatch.setattr(answering.Answering, "execute", strange)
    async with here() as server, server.socket() as socket:
        await socket.subscribe("a", "{ viewer { account } }")
        message = await socket.receive()
        assert (message["id"], message["type"]) == ("a", "error")
        assert message["payload"][0]["extensions"]["code"] == "INTERNAL"
        assert len(server.sockets) == 0


async def test_what_many_may_share_is_kept_for_sockets_and_http_alike(here: Any) -> None:
    query = '{ community(slug: "spring") { name votes { edges { node { title status } } } } }'
    async with here() as server, server.socket() as socket:
        kept = server.sockets.answering._kept
        await server.until(lambda: kept.usable)

        async def asked() -> Any:
            await socket.subscribe("a", query)
            message = await socket.receive()
            assert (await socket.receive())["type"] == "complete"
            return message["payload"]

        first = await server.ask(query)
        assert [await asked() for _ in range(2)] == [first, first]
        assert kept.counts == {"hit": 2, "joined": 0, "missed": 1}
        vote = server.town.id("Vote", "open")
        await socket.subscribe("b", f'{{ vote(id: "{vote}") {{ viewerMayCast {{ code }} }} }}')
        assert (await socket.receive())["payload"]["data"]
        async with server.socket("spring/resident-1") as own:
            await own.subscribe("b", f'{{ vote(id: "{vote}") {{ viewerEntries {{ party }} }} }}')
            assert (await own.receive())["payload"]["data"]["vote"]["viewerEntries"]
        assert kept.counts["missed"] == 2, "what is the viewer's own is not kept"


async def test_a_mutation_says_what_it_wrote_so_that_a_read_by_http_is_no_older(here: Any) -> None:
    async with here() as server, server.socket("spring/resident-2") as socket:
        for id_, wrote in (("a", True), ("b", False)):
            await socket.subscribe(id_, SIGN_UP, event=server.town.id("Event", "picnic"))
            payload = (await socket.receive())["payload"]
            assert ("extensions" in payload) is wrote
            assert (await socket.receive())["type"] == "complete"
            if wrote:
                ((community, number),) = [payload["extensions"]["meilinSeen"].split(".")]
                assert int(community) == server.town.key("Community", "spring")
                assert int(number) > 0
