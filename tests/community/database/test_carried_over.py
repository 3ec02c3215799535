"""Votes of 0.1.0 in every state come along: their steps, counts, scopes, contests, receipts and tallies."""

from typing import Any

import pytest

from community.database.sql import select
from community.database.steps import steps_of
from community.votes.lifecycle import LIFE, VoteStatus
from community.votes.models import VoteStepRecord
from community.votes.progress import progress_of
from community.votes.reads import ballot_row, questions_of, scopes_by_id, vote_row, votes_by_number
from community.votes.recount import closed_votes, misstepped, recount
from community.votes.rules import Outcome, Weight
from community.votes.scope import WHOLE, of_buildings
from tests.community.database.old_votes import (
    ACCOUNT,
    ANNOUNCED,
    ANNULLED,
    CAST,
    COMING,
    COMMUNITY,
    COUNTED,
    ELECTION,
    LATE,
    LIFT,
    OPEN,
    OPENS,
    OVER,
    PARTY,
    POPULATION,
    TOWER,
    UNDONE,
)
from tests.community.database.populating import load
from tests.community.database.test_migrations import REAL

pytestmark = pytest.mark.xdist_group("migrations")

OLD = "0006_numbers"
LIVES = {
    COMING: {"ANNOUNCED": ANNOUNCED},
    OPEN: {"ANNOUNCED": ANNOUNCED, "OPENED": OPENS},
    OVER: {"ANNOUNCED": ANNOUNCED, "OPENED": OPENS, "CLOSED": COUNTED, "COUNTED": COUNTED},
    UNDONE: {
        "ANNOUNCED": ANNOUNCED, "OPENED": OPENS, "CLOSED": COUNTED, "COUNTED": COUNTED, "ANNULLED": ANNULLED,
    },
    LATE: {"ANNOUNCED": ANNOUNCED, "ANNULLED": CAST},
}  # fmt: skip
LIVES |= dict.fromkeys((LIFT, ELECTION), LIVES[OVER])


@pytest.fixture(scope="session")
def carried(ground: Any) -> Any:
    """An old database with all of them, before it is migrated; made once."""

    async def made() -> str:
        if "old votes" not in ground.templates:
            url = await ground.database()
            async with ground.migrated(url, ground.migrations(OLD)):
                await load(POPULATION)
            ground.templates["old votes"] = url
        return str(await ground.database(ground.templates["old votes"]))

    return made


async def test_what_an_old_vote_went_through_are_its_steps(ground: Any, carried: Any) -> None:
    async with ground.migrated(await carried(), REAL):
        found = await steps_of(VoteStepRecord, LIVES)
        assert {key: {step.step.value: step.at for step in steps} for key, steps in found.items()} == LIVES
        for key, steps in found.items():
            row = await vote_row(key)
            assert (row.last_step, row.steps) == (steps[-1].step, len(steps))
            assert LIFE.differences([step.step for step in steps]) == []
        assert await misstepped() == []


async def test_an_old_count_is_the_first_and_says_the_same(ground: Any, carried: Any) -> None:
    url = await carried()
    query = """
SELECT r.id, r.question_id, r.outcome, r.participating_heads, r.participating_area, r.agreeing_heads,
       r.agreeing_area, r.choices, {count} FROM {results} ORDER BY r.id
"""
    async with ground.migrated(url, ground.migrations(OLD)):
        before = await select(
            query.format(count="r.sequence, r.counted_at AS at", results="question_result r")
        )
    async with ground.migrated(url, REAL):
        results = "count_result r JOIN count c ON c.id = r.count_id AND c.number = 1"
        assert await select(query.format(count="c.sequence, c.at AS at", results=results)) == before
        assert len(before) == 7
        assert await closed_votes() == [OVER, LIFT, ELECTION, UNDONE]
        for key in await closed_votes():
            assert await recount(key) == []
        outcomes = {
            key: [question.tally.outcome for question in (await progress_of(key)).questions] for key in LIVES
        }
    assert outcomes == {
        COMING: [Outcome.PENDING] * 2,
        OPEN: [Outcome.PENDING],
        OVER: [Outcome.NO_QUORUM],
        LIFT: [Outcome.ADOPTED],
        ELECTION: [Outcome.ADOPTED] * 4,
        UNDONE: [Outcome.NO_QUORUM],
        LATE: [Outcome.PENDING],
    }


async def test_whom_an_old_vote_asked_are_its_scopes(ground: Any, carried: Any) -> None:
    async with ground.migrated(await carried(), REAL):
        rows = {key: await vote_row(key) for key in LIVES}
        asked = {key: questions[0] for key, questions in (await questions_of(LIVES)).items()}
        scopes = await scopes_by_id({row.scope_id for row in (*rows.values(), *asked.values())})
        assert [scopes[rows[key].scope_id] for key in (OVER, LIFT, ELECTION)] == [
            WHOLE,
            WHOLE,
            of_buildings(TOWER),
        ]
        assert [scopes[asked[key].scope_id] for key in (OVER, LIFT, ELECTION)] == [
            WHOLE, of_buildings(TOWER), of_buildings(TOWER),
        ]  # fmt: skip
        assert (rows[ELECTION].building_id, asked[LIFT].building_id, rows[LIFT].building_id) == (
            TOWER,
            TOWER,
            None,
        )
        whole, part = Weight(2, 20_000), Weight(1, 10_000)
        for key, weights in {COMING: (whole, whole), LIFT: (whole, part), ELECTION: (part, part)}.items():
            progress = await progress_of(key)
            assert (progress.eligible, progress.questions[0].tally.eligible) == weights


async def test_old_candidates_are_one_contest(ground: Any, carried: Any) -> None:
    async with ground.migrated(await carried(), REAL):
        rows = await select(
            "SELECT q.vote_id AS vote, c.position AS position, c.vote_id AS own FROM question q"
            " JOIN contest c ON c.id = q.contest_id ORDER BY q.vote_id, q.position"
        )
    assert all(row["vote"] == row["own"] for row in rows)
    contests = {key: [row["position"] for row in rows if row["vote"] == key] for key in LIVES}
    assert contests == {key: [0] for key in LIVES} | {COMING: [0, 1], ELECTION: [0, 1, 0, 0]}


async def test_receipts_numbers_and_statuses_are_what_they_were(ground: Any, carried: Any) -> None:
    async with ground.migrated(await carried(), REAL):
        for key in (OPEN, OVER, LIFT, ELECTION, UNDONE):
            ballot = await ballot_row(ACCOUNT, key * 10)
            assert (ballot.vote_id, ballot.party_id, ballot.cast_at) == (key, PARTY, CAST)
            assert ballot.answers
        for key in LIVES:
            assert (await votes_by_number([COMMUNITY], key - 100))[COMMUNITY].id == key
        now = CAST
        assert {key: (await vote_row(key)).status(now) for key in LIVES} == {
            **dict.fromkeys((COMING, OPEN), VoteStatus.OPEN),
            **dict.fromkeys((OVER, LIFT, ELECTION), VoteStatus.CLOSED),
            **dict.fromkeys((UNDONE, LATE), VoteStatus.ANNULLED),
        }
