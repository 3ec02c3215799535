"""Normalized caches that we did not write, of Apollo, urql and Relay, change by what is pushed to them and by
what a mutation gives. What they hold is not fetched again.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from graphql import parse, print_ast, strip_ignored_characters

from tests.api.caches.documents import HELD, REQUESTS, Held
from tests.api.node import Listen, node

pytestmark = pytest.mark.xdist_group("stock_client")

CACHES = {"apollo": "@apollo/client", "urql": "@urql/exchange-graphcache", "relay": "relay-runtime"}
"""By script, the package that it is about."""

SCRIPTS = Path(__file__).parent / "caches"
FOR_RELAY = json.loads(REQUESTS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_what_relay_sends_was_made_of_what_the_others_send(held: Held) -> None:
    for name, text in zip(held.names, held, strict=True):
        made = FOR_RELAY[name]["params"]["text"]
        assert strip_ignored_characters(made) == strip_ignored_characters(print_ast(parse(text)))


CAST = (
    "mutation($vote: ID!, $answers: [AnswerInput!]!) { castBallot(voteId: $vote, answers: $answers) { id } }"
)
SIGN_UP = "mutation($event: ID!) { signUp(eventId: $event) { id } }"
RECORD = """mutation($community: ID!) { recordEntry(communityId: $community, entry: {
  date: "2026-01-31", direction: INCOME, category: ADVERTISING, item: "广告", amount: "7.00" }) { id } }"""


class Thing(NamedTuple):
    """`variables`: of all that is asked about it; `command`: what is done meanwhile and by whom, None where
    the client does it itself.
    """

    variables: dict[str, Any]
    command: tuple[str, str] | None = None


def things(town: Any, who: str) -> dict[str, Thing]:
    def ballot(vote: str, choice: str) -> dict[str, Any]:
        answer = {"questionId": town.id("Question", f"{vote}/0"), "choices": [choice]}
        return {"vote": town.id("Vote", vote), "answers": [answer]}

    book = {"slug": "spring", "community": town.id("Community", "spring")}
    return {
        "tally": Thing(ballot("open", "FOR"), (CAST, who)),
        "attendance": Thing({"event": town.id("Event", "picnic")}, (SIGN_UP, who)),
        "balance": Thing(book, (RECORD, "spring/manager")),
        "receipt": Thing(ballot("survey", "GYM")),
    }


def told(thing: Thing, held: Held, name: str) -> dict[str, Any]:
    """What a script takes."""
    requests = {"query": FOR_RELAY[held.names[0]], "change": FOR_RELAY[held.names[1]]}
    return {"name": name, "variables": thing.variables, "requests": requests, **held._asdict()}


def without_types(data: Any) -> Any:
    """What was asked for: Apollo asks for the names of types as well."""
    if isinstance(data, dict):
        return {name: without_types(value) for name, value in data.items() if name != "__typename"}
    return data


async def next_shown(listen: Listen, name: str, before: Any) -> tuple[Any, list[str]]:
    """What is shown other than `before`, and the operations that were sent by then."""
    while (data := without_types((shown := await listen(name))["data"])) == before:
        pass
    return data, shown["sent"]


@pytest.mark.parametrize("cache", CACHES)
async def test_what_is_pushed_or_given_changes_what_a_cache_shows(server: Any, cache: str) -> None:
    who = f"spring/resident-{1 + list(CACHES).index(cache)}"
    wanted = things(server.town, who)

    def asked(name: str) -> Any:
        return server.post(HELD[name].query, **wanted[name].variables)["data"]

    script = "".join((SCRIPTS / f"{name}.mjs").read_text(encoding="utf-8") for name in ("common", cache))
    token = {"Authorization": server.bearer(who)["authorization"]}
    everything = [told(wanted[name], held, name) for name, held in HELD.items()]
    given = (f"ws://127.0.0.1:{server.port}/graphql", json.dumps(token), json.dumps(everything))
    before = {name: asked(name) for name in HELD}
    async with node(script, *given, needs=CACHES[cache]) as listen:
        for name in HELD:
            assert (await next_shown(listen, name, None))[0] == before[name]
        for name in reversed(HELD):  # first what the client does at once
            if command := wanted[name].command:
                mutation, by = command
                assert "errors" not in server.post(mutation, by, **wanted[name].variables)
            data, sent = await next_shown(listen, name, before[name])
            assert data == asked(name)
    assert Counter(sent) == {"query": 4, "subscription": 3, "mutation": 1}
