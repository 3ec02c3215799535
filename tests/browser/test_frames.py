"""The frames that `meilin serve` writes by itself, as a browser takes them."""

import json
from typing import Any

import pytest

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(300),
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session"),  # frames know no database
]

VOTES = """{ communities { edges { node { votes(first: 1) { edges { node { id } } } } } } }"""
SPEAK = """([ids, query]) => new Promise((done, fail) => {
  const line = new WebSocket(location.origin.replace('http', 'ws') + '/graphql', 'graphql-transport-ws')
  const seen = [], say = (message) => line.send(JSON.stringify(message))
  line.onopen = () => say({ type: 'connection_init' })
  line.onmessage = ({ data }) => {
    const message = JSON.parse(data)
    if (message.type === 'next') seen.push([message.id, new TextEncoder().encode(data).length])
    if (message.type === 'pong') line.send(new Uint8Array(3))
    else if (seen.length < ids.length) say({ type: 'subscribe', id: ids[seen.length], payload: { query } })
    else say({ type: 'ping' })
  }
  line.onclose = ({ code, reason, wasClean }) => done({ seen, code, reason, wasClean })
  setTimeout(() => fail(JSON.stringify(seen.length)), 20000)
})"""


def test_a_browser_takes_messages_of_every_length_and_the_closing(server: Any, open_page: Any) -> None:
    first = server.ask(VOTES)["communities"]["edges"][0]["node"]
    vote = first["votes"]["edges"][0]["node"]["id"]
    query = "subscription { voteProgress(voteId: %s) { version %s } }"
    wide = " ".join(f"a{number}: eligible {{ heads area }}" for number in range(20))
    wide += " questions { conditions { gate measure need clause have of missing met } }"
    ids = ["a", "票", "b" * 60, "c" * 300, "票" * 10_000, "d" * 64_500]
    end = open_page("/").evaluate(SPEAK, [ids, query % (json.dumps(vote), wide)])
    assert [id_ for id_, _ in end["seen"]] == ids
    lengths = [length for _, length in end["seen"]]
    assert lengths[-1] > 64 * 1024 > lengths[0]
    assert (end["code"], end["wasClean"]) == (4400, True)
    assert end["reason"] == "A message is a JSON object in a text frame"


CLOSED = """(ways) => Promise.all(Object.entries(ways).map(([name, [subprotocol, ...said]]) =>
  new Promise((done, fail) => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/graphql', subprotocol)
    const say = () => said.length && socket.send(said.shift())
    socket.onopen = say
    socket.onmessage = say
    socket.onclose = ({ code, reason, wasClean }) => done([name, code, reason !== '', wasClean])
    setTimeout(() => fail(name), 25000)
  })))"""
INIT, PING = '{"type":"connection_init"}', '{"type":"ping"}'


def test_a_browser_is_told_every_reason_for_a_close(server: Any, open_page: Any) -> None:
    vote = server.ask(VOTES)["communities"]["edges"][0]["node"]["votes"]["edges"][0]["node"]["id"]
    query = {"query": f"subscription {{ voteProgress(voteId: {json.dumps(vote)}) {{ version }} }}"}
    subscribe = json.dumps({"type": "subscribe", "id": "a", "payload": query})
    refused = json.dumps({"type": "connection_init", "payload": {"Authorization": "Bearer nothing"}})
    ours = "graphql-transport-ws"
    ways = {
        "4400": [ours, "nonsense"],
        "4401": [ours, PING, subscribe],
        "4403": [ours, refused],
        "4406": ["graphql-ws"],
        "4408": [ours],
        "4409": [ours, INIT, subscribe, subscribe],
        "4429": [ours, INIT, INIT],
    }
    told = open_page("/").evaluate(CLOSED, ways)
    expected = [[code, int(code), True, True] for code in ways]
    # A server that speaks nothing the browser offered ends the connection for it before a close can be read.
    expected[3] = ["4406", 1006, False, False]
    assert told == expected
