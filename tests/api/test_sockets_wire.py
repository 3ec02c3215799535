"""Frames of RFC 6455 on the wire, and clients that do not read what they are sent, whichever way we write."""

import asyncio
import gc
import json
import socket as sockets
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

from api import asgi_writer, frames
from api.frames import UNREAD, FrameProtocol
from community.signals import Signal
from community.votes.facts import TALLY
from community.votes.progress import Progress, progress_of
from realtime import documents, subscriptions
from realtime.audience import Audience
from tests.pace import slowness

pytestmark = [
    pytest.mark.xdist_group("wire"),
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session"),  # a wire knows no database
]

PATIENCE = 20
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
HEADS = "subscription($id: ID!) { voteProgress(voteId: $id) { participating { heads } } }"
WIDE = """subscription($id: ID!) { voteProgress(voteId: $id) { version eligible { heads area }
  questions { conditions { gate measure need clause have of missing met }
    choices { choice weight { area } } } } }"""
BULLETIN = """subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) {
  cursor subject { id } } }"""
NEWEST = """query($id: ID!) { node(id: $id) { ... on Community {
  bulletin(first: 100) { edges { cursor node { subject { id } } } } } } }"""
CAST = "mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a) { id } }"
PUBLISH = "mutation($c: ID!, $n: NoticeInput!) { publishNotice(communityId: $c, notice: $n) { id } }"


@pytest.fixture(scope="module")
def server(either_server: Any) -> Any:
    return either_server


class Wire:
    """A client that says and hears single frames, and only when it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, data: bytes | str, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> None:
        data = data.encode() if isinstance(data, str) else data
        self.writer.write(Frame(opcode, data, fin).serialize(mask=True))

    def send(self, **message: Any) -> None:
        self.say(json.dumps(message))

    def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        self.send(type="subscribe", id=id_, payload={"query": query, "variables": variables})

    async def frame(self) -> Frame:
        async with asyncio.timeout(PATIENCE):
            head, length = await self.reader.readexactly(2)
            if length > 125:
                size = "!H" if length == 126 else "!Q"
                (length,) = struct.unpack(size, await self.reader.readexactly(struct.calcsize(size)))
            return Frame(Opcode(head & 15), await self.reader.readexactly(length), bool(head & 128))

    async def hear(self) -> Any:
        """The next message."""
        frame = await self.frame()
        assert (frame.opcode, frame.fin) == (Opcode.TEXT, True), frame
        return json.loads(frame.data)

    async def closing(self) -> int:
        """The code with which the other side closes; what comes before is thrown away."""
        while (frame := await self.frame()).opcode is not Opcode.CLOSE:
            pass
        return int(struct.unpack("!H", frame.data[:2])[0])

    async def end(self) -> bytes:
        """Whatever still comes, until the other side hangs up."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                return await self.reader.read()
            return b""

    async def init(self) -> None:
        self.send(type="connection_init")
        assert await self.hear() == {"type": "connection_ack"}

    async def lives(self) -> None:
        self.send(type="ping")
        assert await self.hear() == {"type": "pong"}


HEADERS = [
    (b"host", b"localhost"),
    (b"upgrade", b"websocket"),
    (b"connection", b"Upgrade"),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-key", b"AAAAAAAAAAAAAAAAAAAAAA=="),
    (b"sec-websocket-protocol", b"graphql-transport-ws"),
]
HELLO = b"GET /graphql HTTP/1.1\r\n%b\r\n\r\n" % b"\r\n".join(b"%b: %b" % header for header in HEADERS)


@asynccontextmanager
async def wire(server: Any, *, narrow: bool = False) -> AsyncIterator[Wire]:
    """`narrow`: little fits between the two."""
    end = sockets.socket()
    end.setblocking(False)
    if narrow:
        end.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    await asyncio.get_running_loop().sock_connect(end, ("127.0.0.1", server.port))
    reader, writer = await asyncio.open_connection(sock=end, limit=4096 if narrow else 2**20)
    try:
        writer.write(HELLO)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


# Frames from us


@pytest.mark.parametrize(
    ("length", "query"),
    [(length, PROGRESS) for length in (124, 125, 126, 127, 128, 1000)]
    + [(length, WIDE) for length in (65_534, 65_535, 65_536, 65_537)],
)
async def test_a_message_of_any_length_arrives_whole(server: Any, length: int, query: str) -> None:
    vote = server.town.id("Vote", "open")
    async with server.socket() as socket:
        await socket.subscribe("x", query, id=vote)
        bare = len(await socket.connection.recv(decode=False)) - 1
        id_ = "x" * (length - bare - 3) + "票"
        await socket.subscribe(id_, query, id=vote)
        text = await socket.connection.recv(decode=False)
        assert len(text) == length
        message = json.loads(text)
        assert (message["id"], message["type"]) == (id_, "next")
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


async def test_a_message_is_one_text_frame_with_the_shortest_length(server: Any) -> None:
    vote = server.town.id("Vote", "open")
    async with wire(server) as client:
        await client.init()
        for size in (1, 60, 300, 65_000):
            client.subscribe("x" * size, WIDE if size > 300 else PROGRESS, id=vote)
            frame = await client.frame()
            assert (frame.opcode, frame.fin) == (Opcode.TEXT, True)
            assert json.loads(frame.data)["id"] == "x" * size


async def test_a_ping_of_the_line_is_answered_between_messages(server: Any) -> None:
    async with server.socket() as socket, server.socket() as other:
        for each in (socket, other):
            await each.subscribe("a", HEADS, id=server.town.id("Vote", "survey"))
            await each.receive()
        answer = {"questionId": server.town.id("Question", "survey/0"), "choices": ["GYM"]}
        pongs = []
        for number in range(1, 6):
            pongs += [await socket.connection.ping(bytes([sign]) * number) for sign in range(5)]
            who = f"spring/resident-{number}"
            done = await asyncio.to_thread(
                server.post, CAST, who, v=server.town.id("Vote", "survey"), a=[answer]
            )
            assert "errors" not in done
            pongs += [await socket.connection.ping() for _ in range(5)]
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*pongs)
            for each in (socket, other):
                while (await each.receive())["payload"]["data"]["voteProgress"] != {
                    "participating": {"heads": 5}
                }:
                    pass


# Frames to us


async def test_a_message_in_fragments_is_one(server: Any) -> None:
    text = json.dumps({"type": "ping", "payload": {"票": "🏠"}}, ensure_ascii=False).encode()
    async with wire(server) as client:
        for cut in (0, 1, text.index("票".encode()) + 1, len(text) - 7, len(text)):
            client.say(text[:cut], fin=False)
            client.say(b"", Opcode.CONT, fin=False)
            client.say(b"in between", Opcode.PING)
            client.say(text[cut:], Opcode.CONT)
            pong = await client.frame()
            assert (pong.opcode, pong.data) == (Opcode.PONG, b"in between")
            assert await client.hear() == {"type": "pong"}


async def test_what_comes_in_one_piece_is_taken_in_order(server: Any) -> None:
    vote = server.town.id("Vote", "open")
    async with wire(server) as client:
        client.send(type="connection_init")
        client.subscribe("a", PROGRESS, id=vote)
        client.send(type="ping")
        client.subscribe("b", PROGRESS, id=vote)
        assert await client.hear() == {"type": "connection_ack"}
        rest = [await client.hear() for _ in range(3)]
        assert {message.get("id") for message in rest} == {"a", "b", None}


async def test_what_comes_byte_by_byte_is_taken_too(server: Any) -> None:
    async with wire(server) as client:
        client.writer.get_extra_info("socket").setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        for byte in Frame(Opcode.TEXT, b'{"type": "connection_init"}').serialize(mask=True):
            client.writer.write(bytes((byte,)))
            await asyncio.sleep(0.001)
        assert await client.hear() == {"type": "connection_ack"}


TOO_LARGE = json.dumps({"type": "ping", "payload": {"x": "x" * 64 * 1024}})


@pytest.mark.parametrize("pieces", [1, 2, 40])
async def test_more_than_64_kib_is_too_much_in_however_many_fragments(server: Any, pieces: int) -> None:
    async with wire(server) as client:
        step = -(-len(TOO_LARGE) // pieces)
        for start in range(0, len(TOO_LARGE), step):
            last = start + step >= len(TOO_LARGE)
            client.say(TOO_LARGE[start : start + step], Opcode.CONT if start else Opcode.TEXT, fin=last)
        assert await client.closing() == 1009


async def test_64_kib_are_not_too_much(server: Any) -> None:
    text = json.dumps({"type": "ping", "payload": {"x": ""}})
    async with wire(server) as client:
        client.say(text.replace('""', f'"{"x" * (64 * 1024 - len(text))}"'))
        assert await client.hear() == {"type": "pong"}


def unmasked() -> bytes:
    return Frame(Opcode.TEXT, b'{"type": "ping"}').serialize(mask=False)


WRONG = {
    "text that is none": (Frame(Opcode.TEXT, b'{"type": "\xff"}').serialize(mask=True), 1007),
    "text cut in a character": (Frame(Opcode.TEXT, "票".encode()[:2]).serialize(mask=True), 1007),
    "no mask": (unmasked(), 1002),
    "a reserved bit": (b"\xc1\x82AAAA::", 1002),
    "an unknown opcode": (b"\x83\x80AAAA", 1002),
    "a fragment of nothing": (Frame(Opcode.CONT, b"{}").serialize(mask=True), 1002),
    "a long ping": (b"\x89\xfe\x00\x80AAAA" + b"x" * 128, 1002),
    "a ping in fragments": (b"\x09\x80AAAA", 1002),
    "a closing without a whole code": (b"\x88\x81AAAAx", 1002),
    "a closing with a code of nobody": (
        Frame(Opcode.CLOSE, struct.pack("!H", 1005)).serialize(mask=True),
        1002,
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_frame_that_is_none_closes_the_line(server: Any, wrong: str) -> None:
    frame, code = WRONG[wrong]
    async with wire(server) as client:
        await client.init()
        client.writer.write(frame)
        assert await client.closing() == code
        assert await client.end() == b""


# Closing


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4400, 4999, None])
async def test_a_client_that_says_goodbye_hears_the_same(server: Any, code: int | None) -> None:
    async with wire(server) as client:
        await client.init()
        client.subscribe("a", PROGRESS, id=server.town.id("Vote", "open"))
        await client.hear()
        said = b"" if code is None else struct.pack("!H", code) + "再见".encode()
        client.say(said, Opcode.CLOSE)
        frame = await client.frame()
        assert (frame.opcode, frame.data[:2]) == (Opcode.CLOSE, said[:2])
        assert await client.end() == b""


async def test_a_client_is_given_time_to_say_goodbye(server: Any) -> None:
    """What it says in between is not taken any more."""
    async with wire(server) as client:
        client.send(type="nothing")
        frame = await client.frame()
        assert frame.opcode is Opcode.CLOSE
        assert frame.data[2:].decode() == "No such message"
        client.send(type="connection_init")
        client.send(type="nothing")
        client.say(frame.data, Opcode.CLOSE)
        assert await client.end() == b""


async def test_both_may_say_goodbye_at_once(server: Any) -> None:
    async with wire(server) as client:
        client.send(type="nothing")
        client.say(struct.pack("!H", 1000), Opcode.CLOSE)
        frame = await client.frame()
        assert frame.opcode is Opcode.CLOSE
        assert struct.unpack("!H", frame.data[:2])[0] in {1000, 4400}
        assert await client.end() == b""


async def test_many_leave_while_news_go_out_and_the_others_have_them_all(server: Any) -> None:
    vote = server.town.id("Vote", "open")
    answers = [
        {"questionId": server.town.id("Question", "open/0"), "choices": ["FOR"]},
        {"questionId": server.town.id("Question", "open/1"), "choices": ["FOR"]},
    ]
    url, spoken = f"ws://127.0.0.1:{server.port}/graphql", ["graphql-transport-ws"]
    watching = [await connect(url, subprotocols=spoken) for _ in range(40)]  # type: ignore[arg-type]
    asked = {"query": HEADS, "variables": {"id": vote}}
    for connection in watching:
        await connection.send('{"type": "connection_init"}')
        await connection.recv()
        await connection.send(json.dumps({"type": "subscribe", "id": "a", "payload": asked}))
        await connection.recv()
    for number in range(1, 5):
        casting = asyncio.create_task(
            asyncio.to_thread(server.post, CAST, f"spring/resident-{number}", v=vote, a=answers[:1])
        )
        for index, connection in zip(range(8), [watching.pop() for _ in range(8)], strict=True):
            await asyncio.sleep(0.002)
            if index % 2:
                connection.transport.abort()
            else:
                await connection.close()
        assert "errors" not in await casting
    for connection in watching:
        async with asyncio.timeout(PATIENCE):
            while '"heads":4}' not in await connection.recv():  # type: ignore[operator]
                pass
        assert connection.state is OPEN
        await connection.close()
    async with asyncio.timeout(PATIENCE):
        while "meilin_watchers 0.0" not in server.metrics():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_no_line_ended_in_a_fault(server: Any) -> None:
    """Last, as it looks at all that was logged for the tests above."""
    faults = [line for line in server.log().splitlines() if "error" in line.lower()]
    assert [line for line in faults if "UTF-8" not in line and "UnicodeDecodeError" not in line] == []


# Those who do not read


async def fill(server: Any, client: Wire) -> Any:
    """Asks for long answers until nothing more goes through; our side of it."""
    (socket,) = server.sockets._sockets
    still = 0
    for number in range(500):
        client.subscribe(f"{number}" + "x" * 60_000, "no query")
        await asyncio.sleep(0.01)
        still = still + 1 if socket.writer.busy else 0
        if still == 20:  # not only for as long as the way is long
            break
    assert still == 20
    return socket


def unsent(writer: Any) -> int:
    """Messages, or bytes, that wait for a client."""
    if isinstance(writer, FrameProtocol):
        return int(writer._transport.get_write_buffer_size())
    return sum(len(message["text"]) for message in writer._waiting)


def stalled_after(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Whoever reads nothing is cut off after so long."""
    for module in (frames, asgi_writer):
        patch.setattr(module, "STALLED", seconds)


async def cast(server: Any, number: int) -> None:
    answer = {"questionId": server.town.id("Question", "survey/0"), "choices": ["GYM"]}
    vote = server.town.id("Vote", "survey")
    assert "errors" not in await server.ask(CAST, f"spring/resident-{number}", v=vote, a=[answer])


async def shown(server: Any, heads: int) -> None:
    """Until somebody who reads has seen so many."""
    async with server.socket() as socket:
        await socket.subscribe("a", HEADS, id=server.town.id("Vote", "survey"))
        while (await socket.receive())["payload"]["data"]["voteProgress"]["participating"]["heads"] < heads:
            pass


async def test_a_client_that_never_reads_costs_little_and_is_dropped(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled_after(monkeypatch, 3)
    async with here() as server, wire(server, narrow=True) as client:
        await client.init()
        client.subscribe("a", HEADS, id=server.town.id("Vote", "survey"))
        socket = await fill(server, client)
        for number in range(1, 6):
            await cast(server, number)
            client.say(b"", Opcode.PING)
            client.subscribe(f"{number}" + "y" * 60_000, WIDE, id=server.town.id("Vote", "open"))
            assert unsent(socket.writer) <= UNREAD + 2 * 64 * 1024
        await server.until(lambda: not server.sockets.open)
        assert len(server.sockets) == 0


async def test_who_reads_again_is_shown_the_newest_only(here: Any) -> None:
    async with here(live_pause=0) as server, wire(server, narrow=True) as client:
        await client.init()
        client.subscribe("a", HEADS, id=server.town.id("Vote", "survey"))
        assert (await client.hear())["payload"]["data"]["voteProgress"] == {"participating": {"heads": 0}}
        await fill(server, client)
        for number in range(1, 6):
            await cast(server, number)
            await shown(server, number)
        seen = []
        while not seen or seen[-1] < 5:
            message = await client.hear()
            if message["id"] == "a":
                seen.append(message["payload"]["data"]["voteProgress"]["participating"]["heads"])
        assert seen == [5]


@pytest.mark.parametrize("alone", [False, True])
async def test_for_a_slow_client_the_newest_wins(
    here: Any, monkeypatch: pytest.MonkeyPatch, alone: bool, way: str
) -> None:
    """Old steps that the system took from us would all be shown before; it takes megabytes if it may."""
    changes, versions = 400, count(2)

    async def newer(vote: int) -> Progress:
        return replace(await progress_of(vote), version=next(versions))

    if alone:
        monkeypatch.setattr(documents, "audience_of", lambda *_: Audience.VIEWER)
    async with here(live_pause=0, live_share=1) as server, wire(server, narrow=True) as client:
        monkeypatch.setitem(vars(TALLY), "read", newer)
        vote = server.town.id("Vote", "survey")
        await client.init()
        client.subscribe("x" * 1_000, PROGRESS, id=vote)  # as long as the message of a page
        seen = [(await client.hear())["payload"]["data"]["voteProgress"]["version"]]
        async with server.socket() as quick:
            await quick.subscribe("a", PROGRESS, id=vote)
            await quick.receive()
            for _ in range(changes):
                server.app.state.broker.publish([Signal("tally", server.town.key("Vote", "survey"))])
                newest = (await quick.receive())["payload"]["data"]["voteProgress"]["version"]
            assert newest >= changes
        while seen[-1] < newest:
            seen.append((await client.hear())["payload"]["data"]["voteProgress"]["version"])
        assert seen == sorted(seen)
        # What lies on the way: here in memory, in the system on both sides, and in the reader of the test.
        assert way == "plain" or len(seen) * 1_100 < 33_000


async def test_of_a_long_text_on_a_slow_line_nothing_is_cut_off(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads little by little is not taken for one who does not read."""
    stalled_after(monkeypatch, 0.3)
    async with here() as server, wire(server, narrow=True) as client:
        await client.init()
        client.subscribe("x" * 60_000, WIDE, id=server.town.id("Vote", "open"))
        text = b""
        async with asyncio.timeout(PATIENCE):
            while len(text) < 61_000:
                text += await client.reader.read(4_096)
                await asyncio.sleep(0.05)
        assert text.count(b"x" * 60_000) == 1
        assert server.sockets.open == 1


async def test_a_flood_of_small_frames_is_looked_through_in_slices(here: Any) -> None:
    """A stranger's quarter of a megabyte is forty thousand pings, or ten thousand messages."""
    async with here() as server, wire(server) as client, wire(server) as other:
        await client.init()
        await other.init()
        pings = Frame(Opcode.PING, b"").serialize(mask=True) * 40_000
        words = Frame(Opcode.TEXT, b'{"type":"pong"}').serialize(mask=True) * 10_000
        wrong = Frame(Opcode.TEXT, b'{"type":"complete","id":"x"}').serialize(mask=True) * 5_000
        (ours, *_) = server.sockets._sockets
        longest = 0.0
        gc.collect()
        gc.disable()
        reading = asyncio.create_task(client.reader.readuntil(b'{"type":"pong"}'))
        try:
            client.writer.write(pings + words + wrong)
            client.send(type="ping")
            while not reading.done():
                before = time.thread_time()
                await asyncio.sleep(0)
                longest = max(longest, time.thread_time() - before)
        finally:
            gc.enable()
        await reading
        await other.lives()
        assert not isinstance(ours.writer, FrameProtocol) or longest < 0.02 * slowness()


async def test_a_reader_who_falls_behind_comes_back_and_misses_nothing(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "KEPT", 4)
    seen: list[str] = []
    async with here() as server:
        community = server.town.id("Community", "spring")

        async def publish(number: int) -> None:
            notice = {"title": f"公告 {number}", "body": "。" * 100}
            assert "errors" not in await server.ask(PUBLISH, "spring/manager", c=community, n=notice)

        async def truth() -> list[str]:
            found = await server.ask(NEWEST, id=community)
            edges = found["data"]["node"]["bulletin"]["edges"]
            return [edge["cursor"] for edge in reversed(edges)]

        start = (await truth())[-1]
        async with wire(server, narrow=True) as client:
            await client.init()
            client.subscribe("a", BULLETIN, id=community, after=start)
            await publish(0)
            seen.append((await client.hear())["payload"]["data"]["bulletin"]["cursor"])
            await fill(server, client)
            for number in range(1, 12):
                await publish(number)
            async with server.socket() as other:
                await other.subscribe("a", BULLETIN, id=community, after=start)
                for _ in range(12):
                    await other.receive()
            while (frame := await client.frame()).opcode is not Opcode.CLOSE:
                message = json.loads(frame.data)
                if message["id"] == "a":
                    seen.append(message["payload"]["data"]["bulletin"]["cursor"])
            assert struct.unpack("!H", frame.data[:2])[0] == 1013
        async with server.socket() as again:
            await again.subscribe("a", BULLETIN, id=community, after=seen[-1])
            await publish(12)
            while len(seen) < 13:
                seen.append((await again.receive())["payload"]["data"]["bulletin"]["cursor"])
        assert seen == (await truth())[-13:]


async def test_who_does_not_answer_the_pings_of_the_line_is_dropped(here: Any) -> None:
    async with here(stock={"ws_ping_interval": 0.1, "ws_ping_timeout": 0.6}) as server:
        async with wire(server) as client:
            await client.init()
            assert await client.closing() == 1011
            await server.until(lambda: not server.sockets.open)
        async with server.socket() as socket:
            await asyncio.sleep(1)
            await socket.send(type="ping")
            assert await socket.receive() == {"type": "pong"}
