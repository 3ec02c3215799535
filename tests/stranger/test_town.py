"""That the strangers' own tools see what they are there to see."""

import json
import random
from typing import Any

import pytest
from graphql import GraphQLSchema

from tests.stranger.documents import SHAPES, Request, Words, Writer
from tests.stranger.frames import BINARY, PING, SocketWriter, frame, handshake
from tests.stranger.heads import HeadWriter
from tests.stranger.town import Asker, Grounds, Secret, chance_of
from tests.stranger.wire import (
    LONGEST,
    Drip,
    Expect,
    Pause,
    Script,
    Send,
    bodies,
    codes,
    frames,
    statuses,
    texts,
)

WORDS = Words({"Vote": ["Vm90ZTox"], "Community": ["Q29tbXVuaXR5OjE="]}, ["spring", "2026-05"])
STRANGER, OWNER = Asker("stranger"), Asker("owner", "t", frozenset({"mine"}))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_seed_writes_the_same(schema: GraphQLSchema, shape: str) -> None:
    def written(seed: str) -> Request:
        return Writer(schema, chance_of(seed), WORDS).shaped(shape)

    assert written("a") == written("a")
    assert any(written("a") != written(f"b{number}") for number in range(10))


@pytest.mark.parametrize("kind", [SocketWriter, HeadWriter])
def test_every_script_ends(schema: GraphQLSchema, kind: Any) -> None:
    """What it waits for by itself takes less than it is given in all, and it sends no more than some MB."""
    names = set()
    for number in range(200):
        script = kind(Writer(schema, chance_of(f"{number}"), WORDS), OWNER, "127.0.0.1:1").script()
        names.add(script.name)
        drips = [step for step in script.steps if isinstance(step, Drip)]
        waits = [step.seconds for step in script.steps if isinstance(step, Expect | Pause)]
        waits += [step.pause * (len(step.data) // step.size + 1) for step in drips]
        assert sum(waits) < LONGEST + 1, script.name
        assert len(script.sent) < 5_000_000, script.name
    assert len(names) >= 10


def test_a_secret_is_seen_where_it_is_told_and_nowhere_else() -> None:
    grounds = Grounds(None, "", secrets=[Secret("茶会", "mine"), Secret("SWQ6MQ==", "mine")])
    told = json.dumps({"data": {"vote": {"id": "SWQ6MQ=="}}})
    echo = json.dumps({"data": None, "errors": [{"message": "no SWQ6MQ=="}]})
    assert grounds.leaks(STRANGER, "", '{"data":{"title":"茶会"}}')
    assert grounds.leaks(STRANGER, "", "茶会 in no JSON at all")
    assert grounds.leaks(STRANGER, "", f"{echo}\n{told}"), "in one of several frames"
    assert grounds.leaks(STRANGER, "SWQ6MQ==", told), "what is asked for is told all the same"
    assert grounds.leaks(STRANGER, "", echo)
    assert grounds.leaks(STRANGER, "", json.dumps({"type": "next", "payload": {"data": {"id": "SWQ6MQ=="}}}))
    assert not grounds.leaks(STRANGER, "SWQ6MQ==", echo), "an echo tells nothing"
    assert not grounds.leaks(OWNER, "", told)
    assert not grounds.leaks(STRANGER, "", '{"data":{"title":"茶"}}')


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_what_a_socket_says_is_read_behind_its_mask(before: bytes) -> None:
    """Else an echo of it would be told as a leak."""
    script = Script("", [Send(before + frame(b'{"id":"SWQ6MQ=="}')), Send(frame(b"TWljZToy"))])
    assert b"SWQ6MQ==" not in script.sent
    assert b"SWQ6MQ==" in script.said
    assert b"TWljZToy" in script.said
    assert script.sent in script.said


def test_what_a_server_sends_is_read() -> None:
    two = b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n{}HTTP/1.1 404 No\r\n\r\nno"
    assert statuses(two) == [200, 404]
    assert list(bodies(two)) == ["{}", "no"]
    refused = b'{"payload":[{"extensions":{"code":"NOT_FOUND"}}]}'
    sent = [frame(b"a" * size, masked=False) for size in (5, 200, 70_000)]
    sent += [frame(refused, masked=False), frame(b"", PING, masked=False)]
    whole = b"HTTP/1.1 101 Up\r\n\r\n" + b"".join(sent)
    assert [(opcode, len(payload)) for opcode, payload in frames(whole)] == [
        (1, 5), (1, 200), (1, 70_000), (1, len(refused)), (9, 0),
    ]  # fmt: skip
    assert codes(texts(whole)) == {"NOT_FOUND"}
    assert list(frames(whole[:-10]))[:2], "the last one may be cut"


def test_a_frame_is_masked_as_the_protocol_wants() -> None:
    """The worked example of RFC 6455 §5.7, but for its mask."""
    made = frame(b"Hello")
    assert made[:6] == b"\x81\x85\x01\x02\x03\x04"
    assert bytes(byte ^ made[2 + index % 4] for index, byte in enumerate(made[6:])) == b"Hello"
    assert frame(b"Hello", BINARY, fin=False, masked=False) == b"\x02\x05Hello"
    assert handshake(STRANGER, "h").endswith(b"\r\n\r\n")


def test_the_generator_knows_the_whole_schema(schema: GraphQLSchema) -> None:
    """Some hundreds of careful documents name every field and every argument that there is."""
    texts = "\n".join(
        Writer(schema, random.Random(f"whole/{number}"), WORDS, careful=True).request().query  # noqa: S311
        for number in range(3000)
    )
    lacking = [
        name
        for kind in schema.type_map.values()
        if not kind.name.startswith("__")
        for field, definition in getattr(kind, "fields", {}).items()
        for name in (field, *getattr(definition, "args", {}))
        if name not in texts
    ]
    assert lacking == []
