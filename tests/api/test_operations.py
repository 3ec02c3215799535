"""What an operation does until it is shown or answered; `test_sockets.py` asks a client's whole talk."""

import asyncio
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from api import answering, identity
from api.clock import utc_now
from api.inbox import RECEIVED_AT
from api.operations import OperationState
from community.bulletin.facts import BULLETIN
from community.database import cursors
from community.votes.facts import TALLY
from realtime.pacing import WritePacer
from tests.api.test_sockets_rights import PROGRESS, code_of, told
from tests.facts import written

pytestmark = pytest.mark.xdist_group("sockets")


async def test_a_reader_far_behind_is_asked_by_the_names_of_its_own_variables(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its group may have been begun by somebody who calls them otherwise."""

    async def none(_: int) -> int:
        return await written()

    monkeypatch.setitem(vars(BULLETIN), "recent", none)
    theirs = "subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) { cursor } }"
    mine = theirs.replace("$id", "$estate").replace("$after", "$since")
    async with here() as server, server.socket() as first, server.socket() as second:
        spring = server.town.id("Community", "spring")
        await first.subscribe("a", theirs, id=spring)
        await server.until(lambda: server.app.state.sources.watchers)
        start = cursors.encode(await cursors.mark(), 0)
        await second.subscribe("a", mine, estate=spring, since=start)
        assert (await second.receive())["type"] == "next"


async def test_a_subscription_that_is_shown_keeps_no_task(here: Any) -> None:
    bulletin = "subscription($id: ID!) { bulletin(communityId: $id) { cursor } }"
    async with here() as server, server.socket() as socket:
        await socket.subscribe("a", bulletin, id=server.town.id("Community", "spring"))
        (held,) = server.sockets._sockets
        await server.until(lambda: held._operations)
        (operation,) = held._operations.values()
        await server.until(lambda: operation.state is OperationState.SHOWN)
        assert operation._task is None


# While its document is read

SIGN_UP = "mutation($event: ID!) { signUp(eventId: $event) { id } }"
VIEWER = "{ viewer { account } }"
UNREAD = count()


def unread(text: str) -> str:
    """As no process has read it."""
    return f"# {next(UNREAD)}\n{text}"


async def lives(socket: Any) -> None:
    """It answers, and has said nothing else before."""
    await socket.send(type="ping")
    assert await socket.receive() == {"type": "pong"}


def hold_turns(server: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Nobody gets a turn of the pacer until what is returned is called."""
    give, pacer = WritePacer._give_soon, server.sockets.registry.pacer
    monkeypatch.setattr(WritePacer, "_give_soon", lambda self: None)

    def let_go() -> None:
        monkeypatch.setattr(WritePacer, "_give_soon", give)
        pacer._give_soon()

    return let_go


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The errors of each query and mutation of a socket that was executed."""
    execute, done = answering.Answering.execute, list[list[str]]()

    async def recording(self: Any, *given: Any) -> Any:
        result = await execute(self, *given)
        done.append([error.extensions["code"] for error in result.errors or ()])
        return result

    monkeypatch.setattr(answering.Answering, "execute", recording)
    return done


@pytest.mark.parametrize("end", ["complete", "abort", "server"])
async def test_a_mutation_is_executed_though_nobody_waits_for_it_while_it_is_read(
    here: Any, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    done = recorded(monkeypatch)
    async with here() as server:
        let_go = hold_turns(server, monkeypatch)
        async with server.socket("spring/resident-5") as socket:
            await socket.subscribe("a", unread(SIGN_UP), event=server.town.id("Event", "picnic"))
            await server.until(lambda: server.sockets.registry.pacer._waiting)
            if end == "complete":
                await socket.send(type="complete", id="a")
                await socket.subscribe("a", unread(VIEWER))  # its id is that of another one
                await lives(socket)
                let_go()
                assert (await socket.receive())["payload"]["data"]["viewer"]["account"] == "spring/resident-5"
                assert (await socket.receive())["type"] == "complete"
                await server.until(lambda: not server.sockets.answering.tasks)
                await lives(socket)
            elif end == "abort":
                socket.connection.transport.abort()
        await server.until(lambda: not server.sockets.open)
        asyncio.get_running_loop().call_later(0.1, let_go)
        if end != "server":
            await server.until(lambda: not server.sockets.answering.tasks)
    assert done == [[]] * (2 if end == "complete" else 1)


@pytest.mark.parametrize("query", [VIEWER, PROGRESS], ids=["query", "subscription"])
async def test_nothing_else_that_is_stopped_is_read(
    here: Any, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """What may be a mutation is read, and goes no further if it is none."""
    done = recorded(monkeypatch)
    async with here() as server, server.socket("quiet/resident-1") as socket:
        let_go = hold_turns(server, monkeypatch)
        texts = [unread(query), unread(f"# mutation\n{query}")]
        for text in texts:
            await socket.subscribe("a", text, id=server.town.id("Vote", "quiet"))
            await socket.send(type="complete", id="a")
        await lives(socket)
        let_go()
        await server.until(lambda: not server.sockets.answering.tasks)
        await lives(socket)
        executable = server.sockets.registry.executable
        assert [executable.is_prepared(text) for text in texts] == [False, True]
        assert (done, len(server.sockets.registry._groups)) == ([], 0)


async def test_a_mutation_that_is_stopped_in_the_same_step_is_executed(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = recorded(monkeypatch)
    async with here() as server, server.socket("spring/resident-5") as socket:
        (held,) = server.sockets._sockets
        given = {"query": SIGN_UP, "variables": {"event": server.town.id("Event", "picnic")}}
        for message in ({"type": "subscribe", "id": "a", "payload": given}, {"type": "complete", "id": "a"}):
            received = {"type": "websocket.receive", "text": json.dumps(message), RECEIVED_AT: utc_now()}
            await held._do(received)
        await server.until(lambda: done)
        await lives(socket)


@pytest.mark.parametrize("query", [SIGN_UP, VIEWER, PROGRESS], ids=["mutation", "query", "subscription"])
async def test_rights_that_change_while_a_document_is_read_keep_it_from_nothing(
    here: Any, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """Only that a subscription is not asked about before they are known."""
    ask, go_on = identity.viewer_behind, asyncio.Event()

    async def slowly(*given: Any, **more: Any) -> Any:
        await go_on.wait()
        return await ask(*given, **more)

    done = recorded(monkeypatch)
    async with here() as server, server.socket("quiet/resident-1") as socket:
        let_go = hold_turns(server, monkeypatch)
        variables = {"id": server.town.id("Vote", "quiet"), "event": server.town.id("Event", "picnic")}
        (held,) = server.sockets._sockets
        texts = [unread(query), unread(query)]
        for number, text in enumerate(texts):
            await socket.subscribe(str(number), text, **variables)
            await lives(socket)
            told(server, "quiet/resident-1")
            await server.until(lambda: held.identity.settled)
        monkeypatch.setattr(identity, "viewer_behind", slowly)
        told(server, "quiet/resident-1")
        let_go()
        await server.until(lambda: held.registry.executable.is_prepared(texts[1]))
        assert len(held.registry._groups) == 0
        await lives(socket)
        go_on.set()
        said = [await socket.receive() for _ in range(2 if query is PROGRESS else 4)]
        assert sorted(message["id"] for message in said if message["type"] == "next") == ["0", "1"]
        await lives(socket)
        assert len(done) == (0 if query is PROGRESS else 2)


async def test_a_mutation_that_comes_and_goes_while_rights_are_read_is_executed(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, go_on = identity.viewer_behind, asyncio.Event()

    async def slowly(*given: Any, **more: Any) -> Any:
        await go_on.wait()
        return await ask(*given, **more)

    done = recorded(monkeypatch)
    async with here() as server, server.socket("spring/resident-5") as socket:
        monkeypatch.setattr(identity, "viewer_behind", slowly)
        told(server, "spring/resident-5")
        await socket.subscribe("a", SIGN_UP, event=server.town.id("Event", "picnic"))
        await socket.send(type="complete", id="a")
        await lives(socket)
        go_on.set()
        await server.until(lambda: done)
        assert done == [[]]


async def test_only_texts_that_are_not_known_wait_for_a_turn(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here() as server, server.socket("spring/resident-5") as socket:
        query, write = unread(VIEWER), unread(SIGN_UP)
        for text in (query, write):  # known from whomever
            await server.ask(text, event="nothing")
        let_go = hold_turns(server, monkeypatch)
        for id_, text in (("new", unread(VIEWER)), ("query", query), ("write", write)):
            await socket.subscribe(id_, text, event=server.town.id("Event", "picnic"))
        said = [await socket.receive() for _ in range(4)]
        assert {message["id"] for message in said} == {"query", "write"}
        let_go()
        assert (await socket.receive())["id"] == "new"


# What others wait for too


async def test_a_subscription_is_to_try_again_if_what_it_waits_for_is_cancelled(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def for_ever(_: int) -> Any:
        await asyncio.Event().wait()

    async with here() as server, server.socket() as socket:
        monkeypatch.setitem(vars(TALLY.subject), "scope_of", for_ever)
        await socket.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        groups = server.sockets.registry._groups
        await server.until(lambda: any(group.subscription.access._reading for group in groups))
        for group in groups:
            group.subscription.access._reading.cancel()
        assert await socket.until_closed() == 1013


@pytest.mark.parametrize(
    ("query", "code"), [(VIEWER, "TRY_AGAIN"), (SIGN_UP, "OUTCOME_UNKNOWN")], ids=["query", "mutation"]
)
async def test_an_answer_of_which_something_is_cancelled_is_an_error(
    here: Any, monkeypatch: pytest.MonkeyPatch, query: str, code: str
) -> None:
    async def cancelled(self: Any, *given: Any) -> Any:
        raise asyncio.CancelledError

    async with here() as server, server.socket("spring/resident-5") as socket:
        monkeypatch.setattr(answering.Answering, "execute", cancelled)
        await socket.subscribe("a", query, event=server.town.id("Event", "picnic"))
        assert code_of(await socket.receive()) == code
        assert len(server.sockets) == 0
