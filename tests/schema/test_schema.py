import gc
from contextlib import aclosing
from typing import Any

import pytest
from graphql import build_schema, get_named_type, is_leaf_type
from graphql.execution.collect_fields import FieldDetails

from community.permissions import NOBODY
from community.signals import Signal
from community.votes.facts import TALLY
from realtime.fields import SubscribeRequest
from realtime.groups import Groups
from realtime.pacing import WritePacer
from realtime.registry import SubscriptionRegistry
from schema.executable import ExecutableSchema
from schema.limits import DEEPEST, MOST_ALIASES
from schema.schema import graphql_schema, sdl

VIEWER = "{ viewer { account } }"


def test_the_printed_schema_can_be_read_again() -> None:
    read = build_schema(sdl())
    assert set(graphql_schema.core.type_map) == set(read.type_map)


def test_the_names_that_others_rely_on_are_there() -> None:
    types = graphql_schema.core.type_map
    fields = {
        "Query": {"node", "viewer", "communities", "community", "vote", "event"},
        "Mutation": {"castBallot", "signUp", "cancelSignUp", "publishEvent", "publishNotice"},
        "Subscription": {"voteProgress", "eventAttendance", "bulletin", "ledgerBalance"},
        "Community": {"id", "slug", "name", "households", "votes", "events", "bulletin", "ledger"},
        "Vote": {"id", "title", "status", "opensAt", "closesAt", "questions", "tally"},
        "VoteProgress": {"voteId", "version", "eligible", "participating", "questions"},
        "QuestionTally": {
            "questionId",
            "eligible",
            "participating",
            "agreeing",
            "choices",
            "conditions",
            "outcome",
        },
        "Condition": {"gate", "measure", "need", "clause", "have", "of", "missing", "met"},
        "EventAttendance": {"eventId", "version", "capacity", "signedUp", "placesLeft"},
        "BulletinItem": {"cursor", "at", "kind", "subject"},
        "LedgerBalance": {"communityId", "version", "balance"},
        "BallotReceipt": {"id", "voteId", "castAt"},
        "SignUp": {"id", "event", "partySize"},
    }
    for name, expected in fields.items():
        found: Any = types[name]
        assert expected <= set(found.fields), name
    for name in ("Community", "Vote", "Event", "SignUp", "Notice", "Entry"):
        node: Any = types[name]
        assert [interface.name for interface in node.interfaces] == ["Node"]


async def test_an_operation_may_be_as_large_as_a_page_needs(house: Any) -> None:
    aliases = " ".join(f"a{number}: viewer {{ account }}" for number in range(MOST_ALIASES))
    await house.ask(f"{{ {aliases} }}")
    (error,) = (await house.result(f"{{ {aliases} more: viewer {{ account }} }}")).errors
    assert error.extensions["code"] == "INVALID_INPUT"


def nested(depth: int) -> str:
    """A query `depth` levels deep."""
    return (
        '{ community(slug: "spring") '
        + "{ votes { edges { node { community " * depth
        + "{ id }"
        + " } } } }" * depth
        + " }"
    )


async def test_an_operation_that_goes_round_in_circles_is_refused(house: Any) -> None:
    await house.ask(nested(2))
    (error,) = (await house.result(nested(DEEPEST))).errors
    assert error.extensions["code"] == "INVALID_INPUT"


async def test_a_kept_document_serves_everybody_his_own_answer(house: Any) -> None:
    """The parser and the validation keep documents, not what they lead to."""
    for who in (None, "spring/resident-1", None, "quiet/resident-1"):
        viewer = (await house.ask(VIEWER, who))["viewer"]
        assert viewer == (who and {"account": who})
    for _ in range(2):
        assert (await house.result("{ nothing }")).errors
        assert (await house.result("{")).errors


async def test_a_subscription_keeps_nothing_of_the_rounds_that_are_over(house: Any) -> None:
    """What graphql-core collects of a selection, it collects anew for each round."""
    query = "subscription($id: ID!) { voteProgress(voteId: $id) { eligible { heads } questions { moment } } }"
    vote = house.town.key("Vote", "open")
    request = SubscribeRequest(query, {"id": house.town.id("Vote", "open")}, None)
    executable = ExecutableSchema(lambda: house.now, house.sources)
    registry = SubscriptionRegistry(executable, house.sources, Groups(WritePacer(1)))
    group, _ = registry.enter(registry.documents.read(request, NOBODY), request, NOBODY)
    kept = []
    async with aclosing(group.subscription.steps(registry.pacer.turn())) as steps:
        for _ in range(4):
            for _ in range(5):
                await anext(steps)
                house.sources._shared[TALLY][vote].state = None  # so that the same state is a new one
                house.sources.handle(Signal("tally", vote))
            gc.collect()
            kept.append(sum(isinstance(each, FieldDetails) for each in gc.get_objects()))
    assert kept[-1] <= kept[0]


def everything(kind: Any, levels: int) -> str:
    """Every field of `kind`, those of what it leads to included."""
    asked = []
    for name, field in kind.fields.items():
        of = get_named_type(field.type)
        if is_leaf_type(of):
            asked.append(name)
        elif levels:
            asked.append(f"{name} {everything(of, levels - 1)}")
    return "{" + " ".join(asked) + "}"


@pytest.mark.parametrize("name", ["Vote", "AnswerInput", "Node", "ErrorCode", "Decimal"])
async def test_the_schema_tells_everything_of_itself(name: str) -> None:
    """Also what the clients we know leave out, of lists and of what is never null, too."""
    kind = graphql_schema.core.type_map["__Type"]
    result = await graphql_schema.execute(f'{{__type(name: "{name}") {everything(kind, 2)}}}')
    assert not result.errors
    assert result.data
    assert result.data["__type"]["name"] == name
