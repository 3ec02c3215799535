from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import OperationType

from community.errors import NotFound
from community.permissions import NOBODY
from community.votes.progress import DayTurnout, Progress
from community.votes.rules import Weight
from compiled.plans import FIRST_FIELDS, OBJECTS_A_FIELD
from realtime.broker import MemoryBroker
from realtime.execution import execute
from realtime.fields import SubscribeRequest
from realtime.sources import LiveSources
from schema.executable import NO_QUERY, ExecutableSchema
from schema.executor import AcyclicExecutor
from schema.schema import graphql_schema, schema_of
from schema.votes import VoteProgress

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PROGRESS = 'subscription A { voteProgress(voteId: "x") { version } }'
SEVERAL = PROGRESS + " query B { viewer { account } } mutation C { cancelSignUp(signUpId: 1) { id } }"


@pytest.fixture
def executable() -> ExecutableSchema:
    return ExecutableSchema(lambda: NOW, LiveSources(MemoryBroker()))


def asked(query: str, name: str | None = None, variables: Any = None) -> SubscribeRequest:
    return SubscribeRequest(query, variables, name)


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        (PROGRESS, None, OperationType.SUBSCRIPTION),
        (PROGRESS, "", OperationType.SUBSCRIPTION),
        (SEVERAL, "A", OperationType.SUBSCRIPTION),
        (SEVERAL, "B", OperationType.QUERY),
        (SEVERAL, "C", OperationType.MUTATION),
        (SEVERAL, "D", None),
        (SEVERAL, None, None),
        ("{", None, None),
        ("", None, None),
    ],
)
def test_the_kind_of_an_operation_is_that_of_the_one_that_is_meant(
    executable: ExecutableSchema, query: str, name: str | None, kind: OperationType | None
) -> None:
    assert executable.operation_type(asked(query, name)) is kind


def test_what_may_not_be_run_is_refused_with_a_code(executable: ExecutableSchema) -> None:
    def codes(request: SubscribeRequest, most_cost: float = 1_000_000) -> list[Any]:
        refusals = executable.refusals(request, NOBODY, most_cost)
        return [executable.formatted(refusal)["extensions"]["code"] for refusal in refusals]

    assert codes(asked(PROGRESS)) == []
    assert codes(asked(PROGRESS), most_cost=1) == ["TOO_COSTLY"]
    assert codes(asked("{ nothing }")) == codes(asked("{")) == codes(asked("")) == ["INVALID_INPUT"]
    assert codes(asked(SEVERAL)) == ["INVALID_INPUT"]
    (empty,) = executable.refusals(asked(""), NOBODY, 1)
    assert empty.message == NO_QUERY


def test_a_document_is_parsed_once(executable: ExecutableSchema) -> None:
    assert executable.parsed(PROGRESS) is executable.parsed(PROGRESS)


def test_a_refusal_is_said_and_a_fault_is_masked(executable: ExecutableSchema) -> None:
    assert executable.formatted(NotFound())["extensions"]["code"] == "NOT_FOUND"
    said = executable.formatted(RuntimeError("身份证"))
    assert said["extensions"]["code"] == "INTERNAL"
    assert "身份证" not in repr(said)


def test_each_execution_has_loaders_of_its_own(executable: ExecutableSchema) -> None:
    one, other = executable.context(NOBODY), executable.context(NOBODY)
    assert one.loaders is not other.loaders
    assert one.now == NOW


async def test_rounds_are_completed_as_queries_are() -> None:
    """By the schema's own executor: compiled, unless the setting took it away."""
    sources = LiveSources(MemoryBroker())
    compiled, alone = (
        ExecutableSchema(lambda: NOW, sources, schema_of(compiled=compiled)) for compiled in (True, False)
    )
    assert alone.executor is AcyclicExecutor
    assert compiled.executor is graphql_schema.execution_context_class
    text = """subscription { voteProgress(voteId: "x") {
        version eligible { heads area } turnoutByDay { day heads } lastBallotAt } }"""
    document = compiled.parsed(text)
    assert document is alone.parsed(text)
    days = (DayTurnout(NOW.date(), 3), DayTurnout(NOW.date(), 4))
    value = VoteProgress.of(Progress(5, 7, Weight(9, 9_000), Weight(7, 7_000), NOW, days, ()))
    rounds = [alone, *[compiled] * FIRST_FIELDS * OBJECTS_A_FIELD * 5]
    results = [await execute(each, document, {}, value, NOBODY) for each in rounds]
    assert results[0].data
    assert all(result == results[0] for result in results)
