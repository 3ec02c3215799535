"""A subject's steps are rows in their order; the next one is refused where its life says so."""

import asyncio
from collections.abc import Awaitable
from contextvars import Context
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from community.database.sql import is_postgres, lock_exclusive, select
from community.database.steps import guards_of_steps, steps_of, take_step
from community.steps import Step, StepRefused
from community.votes.lifecycle import LIFE, VoteStatus, VoteStep
from community.votes.models import Vote, VoteStepRecord
from community.votes.rules import Silence
from tests.world.estates import NOW

MINUTE = timedelta(minutes=1)


@pytest.fixture
def new_vote(estate: Any) -> Any:
    async def made() -> int:
        vote = await Vote.create(
            community_id=estate.community, convener_id=estate.committee, title="表决", description="",
            form="CONSULTATION", profile_version=1, silence=Silence.ABSENT, announced_at=NOW, opens_at=NOW,
            closes_at=NOW + MINUTE,
        )  # fmt: skip
        return int(vote.id)

    return made


async def take(vote: int, step: VoteStep, minute: int = 0, **more: Any) -> None:
    async with in_transaction():
        await lock_exclusive("vote", vote)
        await take_step(VoteStepRecord, LIFE, vote, step, at=NOW + minute * MINUTE, **more)


async def shown(vote: int) -> tuple[VoteStep | None, int]:
    row = await Vote.get(id=vote)
    return row.last_step, row.steps


async def test_steps_are_kept_in_their_order_with_who_and_why(estate: Any, new_vote: Any) -> None:
    vote, other = await new_vote(), await new_vote()
    assert await shown(vote) == (None, 0)
    chair = estate.chair.account
    await take(vote, VoteStep.ANNOUNCED, actor=chair)
    await take(other, VoteStep.DRAFTED)
    await take(vote, VoteStep.WITHDRAWN, 1, actor=chair, reason="改日再议")
    assert await steps_of(VoteStepRecord, [vote, other, 5]) == {
        vote: [
            Step(1, VoteStep.ANNOUNCED, chair, NOW),
            Step(2, VoteStep.WITHDRAWN, chair, NOW + MINUTE, "改日再议"),
        ],
        other: [Step(1, VoteStep.DRAFTED, None, NOW)],
        5: [],
    }
    assert (await shown(vote), await shown(other)) == ((VoteStep.WITHDRAWN, 2), (VoteStep.DRAFTED, 1))


async def test_a_refused_step_leaves_nothing(new_vote: Any) -> None:
    vote = await new_vote()
    await take(vote, VoteStep.ANNOUNCED)
    with pytest.raises(StepRefused):
        await take(vote, VoteStep.COUNTED)
    assert await shown(vote) == (VoteStep.ANNOUNCED, 1)
    assert await VoteStepRecord.all().count() == 1


async def test_of_many_who_take_the_same_step_at_once_one_takes_it(new_vote: Any) -> None:
    vote = await new_vote()
    await take(vote, VoteStep.ANNOUNCED)
    tries: list[Awaitable[None]] = [
        asyncio.create_task(take(vote, VoteStep.OPENED), context=Context()) for _ in range(6)
    ]
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["NoneType"] + ["StepRefused"] * 5
    assert await shown(vote) == (VoteStep.OPENED, 2)


@given(st.lists(st.sampled_from(VoteStep), max_size=10))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_vote_shows_the_last_of_the_steps_that_were_taken(
    new_vote: Any, tried: list[VoteStep]
) -> None:
    """Whichever are tried: those refused change nothing."""
    vote = await new_vote()
    past: list[VoteStep] = []
    for step in tried:
        if LIFE.may_follow(past, step):
            await take(vote, step)
            past.append(step)
        else:
            with pytest.raises(StepRefused):
                await take(vote, step)
    assert [step.step for step in (await steps_of(VoteStepRecord, [vote]))[vote]] == past
    assert await shown(vote) == (past[-1] if past else None, len(past))
    assert LIFE.status((await shown(vote))[0]) in VoteStatus


# Whatever else has a life

LAMPS = (
    "CREATE TABLE lamp (id BIGINT PRIMARY KEY, last_step VARCHAR(32), steps INT NOT NULL DEFAULT 0)",
    "CREATE TABLE lamp_step (id BIGINT PRIMARY KEY, subject_id BIGINT NOT NULL REFERENCES lamp (id),"
    " number INT NOT NULL, step VARCHAR(32) NOT NULL)",
)
LIT = "INSERT INTO lamp_step (id, subject_id, number, step) VALUES ({0}, 1, {0}, '{1}')"
NOT_SO = {
    "INSERT INTO lamp (id, steps) VALUES (2, 1)": "lamp_without_steps",
    "INSERT INTO lamp (id, last_step) VALUES (2, 'LIT')": "lamp_without_steps",
    "UPDATE lamp SET steps = 1": "lamp_follows_steps",
    "UPDATE lamp SET last_step = 'LIT'": "lamp_follows_steps",
    "UPDATE lamp SET last_step = NULL": "lamp_follows_steps",
    LIT.format(4, "LIT"): "lamp_step_numbered",
    LIT.format(1, "LIT"): "lamp_step_numbered",
    "UPDATE lamp_step SET step = 'LIT'": "lamp_step_append_only",
    "DELETE FROM lamp_step": "lamp_step_append_only",
}


async def test_another_subject_keeps_its_steps_by_the_same_guards(database: str) -> None:
    for statement in (*LAMPS, *guards_of_steps("lamp", "lamp_step", postgres=is_postgres())):
        await select(statement)
    await select("INSERT INTO lamp (id) VALUES (1)")
    for number, step in enumerate(("LIT", "DIMMED"), start=1):
        await select(LIT.format(number, step))
        assert await select("SELECT last_step, steps FROM lamp") == [{"last_step": step, "steps": number}]
    for statement, guard in NOT_SO.items():
        with pytest.raises(IntegrityError, match=guard):
            await select(statement)
    assert await select("SELECT last_step, steps FROM lamp") == [{"last_step": "DIMMED", "steps": 2}]
