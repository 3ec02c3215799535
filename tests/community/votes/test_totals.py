"""The kept totals are what a recount of the rows says, whatever was done, and reading them stays quick."""

import logging
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.transactions import in_transaction

from community.database.deadline import unhurried
from community.database.ids import new_id
from community.permissions import SYSTEM
from community.votes.actions import (
    RecordedBallot,
    cast_ballot,
    mend_totals,
    record_ballots,
    recount_vote,
    rule_ballot,
    void_ballot,
)
from community.votes.casting import Answered, Channel
from community.votes.counting import BoxChange, box_as_of, recounted
from community.votes.models import Ballot, Counting, CountResult, Ruling, Total, Vote
from community.votes.progress import progress_of
from community.votes.recount import open_boxes, recount, totals_differ
from community.votes.rules import Part, Silence, Weight
from community.votes.scope import of_buildings
from community.votes.totals import changes_by, summed
from tests.community.conftest import Build, an_estate
from tests.community.votes.conftest import Poll

MINUTE = timedelta(minutes=1)
HOMES = 4

steps = st.lists(
    st.tuples(
        st.sampled_from(["cast", "cast", "paper", "anonymous", "void", "rule", "serve"]),
        st.integers(0, HOMES - 1),
        st.sampled_from(["A", "B", "AB", "text"]),
        st.integers(0, 20),
    ),
    max_size=14,
)
afterwards = st.lists(st.tuples(st.sampled_from(["void", "rule", "count"]), st.integers(0, 20)), max_size=4)


class Story:
    """Some households, two questions, one of them put to one building; and whatever happens to their box."""

    def __init__(self, poll: Any, url: str) -> None:
        self.poll, self.url = poll, url

    async def begin(self) -> None:
        self.tower = await self.poll.build.building(self.poll.estate.community)
        self.homes = [
            await self.poll.household(9_000 + n, building=self.tower if n % 2 else None) for n in range(HOMES)
        ]
        await self.poll.unit(1_234, owner=self.homes[0].party, building=self.tower)
        self.vote = await self.poll.opened(
            self.poll.survey(min_choices=0, max_choices=2, accepts_text=True),
            self.poll.survey(min_choices=0, scope=of_buildings(self.tower)),
            revisable=True,
        )
        self.first, self.second = await self.poll.questions(self.vote)
        self.served: set[int] = set()
        self.number = 0

    def answers(self, said: str, home: int | None) -> list[Answered]:
        text, marks = ("话", "") if said == "text" else (None, said)
        first = Answered(self.first.id, list(marks), text)
        in_tower = home is None or home % 2 or home == 0
        return [first, Answered(self.second.id, list(marks)[:1])] if in_tower else [first]

    async def do(self, kind: str, home: int, said: str, pick: int) -> None:
        at = self.poll.during + self.number * 70 * MINUTE
        self.number += 1
        household = self.homes[home]
        if kind == "cast":
            await cast_ballot(household.viewer, at, self.vote, answers=self.answers(said, home))
        elif kind == "serve" and household.party not in self.served:
            self.served.add(household.party)
            await self.poll.serves(self.vote, household)
        elif kind in ("void", "rule"):
            await self.rule(kind, pick, at)
        elif kind in ("paper", "anonymous"):
            anonymous = kind == "anonymous"
            party = None if anonymous else household.party
            answers = self.answers(said, None if anonymous else home)
            if anonymous or party not in (await self.box(10_000)).of_parties:
                ballot = RecordedBallot(party, at, answers, Channel.PAPER)
                await record_ballots(SYSTEM, at, self.vote, [ballot])

    async def afterwards(self, kind: str, pick: int) -> None:
        at = self.poll.counted_at + MINUTE
        if kind == "count":
            await recount_vote(self.poll.estate.chair, at, self.vote, reason="有异议")
        else:
            await self.rule(kind, pick, at)

    async def rule(self, kind: str, pick: int, at: Any) -> None:
        counting = set((await self.box(10_000)).of_parties.values())
        ballots = await Ballot.filter(vote_id=self.vote, party_id__not_isnull=True).order_by("sequence")
        possible = [ballot.id for ballot in ballots if (ballot.id in counting) == (kind == "void")]
        if possible:
            action = void_ballot if kind == "void" else rule_ballot
            await action(self.poll.estate.chair, at, possible[pick % len(possible)], reason="公开裁定")

    async def box(self, number: int) -> Any:
        return await box_as_of(self.vote, number)

    async def every_step(self) -> list[BoxChange]:
        """Read from the ballots and the rulings, in the order of their numbers."""
        ballots = {ballot.id: ballot for ballot in await Ballot.filter(vote_id=self.vote)}
        found = {ballot.sequence: BoxChange(ballot.id, ballot.party_id) for ballot in ballots.values()}
        for ruling in await Ruling.filter(vote_id=self.vote):
            party = ballots[ruling.ballot_id].party_id
            found[ruling.sequence] = BoxChange(ruling.ballot_id, party, ruling.counts)
        return [found[number] for number in range(1, len(found) + 1)]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(happening=steps, after=afterwards)
async def test_whatever_happens_the_totals_are_what_a_recount_says(
    database: str, happening: list[tuple[str, int, str, int]], after: list[tuple[str, int]]
) -> None:
    """Before the closing count, and by rulings and counts after it."""
    async with in_transaction():
        build = Build()
        build._names = _NAMES
        estate = await an_estate(build)
    story = Story(Poll(build, estate, [], database), database)
    await story.begin()
    for kind, home, said, pick in happening:
        await story.do(kind, home, said, pick)
        assert await totals_differ(story.vote) == []
    row = await progress_of(story.vote)
    assert sum(day.heads for day in row.days) == row.participating.heads
    await story.poll.closed(story.vote)
    assert await recount(story.vote) == []
    for kind, pick in after:
        await story.afterwards(kind, pick)
        assert await recount(story.vote) == []
    taken = await story.every_step()
    for number in range(len(taken) + 1):
        assert await story.box(number) == recounted(taken[:number])


_NAMES = Build()._names


async def test_the_sums_as_of_a_number_are_those_that_were_kept_then(poll: Any) -> None:
    homes = await poll.households(3)
    vote = await poll.opened(revisable=True)
    kept = [await summed(vote)]
    for home, choice in ((0, "FOR"), (1, "FOR"), (0, "AGAINST"), (2, "ABSTAIN")):
        await poll.cast(homes[home].viewer, vote, choice)
        kept.append(await summed(vote))
    assert [await summed(vote, until=number) for number in range(5)] == kept
    assert kept[1] != kept[2] != kept[3]
    rows = await Counting.filter(vote_id=vote).values_list("id", flat=True)
    assert await changes_by([]) == {}
    assert await changes_by(rows) == kept[-1]


async def test_turnout_by_building_is_kept(poll: Any) -> None:
    """A party with flats in two buildings takes part in each, with what it has there."""
    tower = await poll.build.building(poll.estate.community)
    home = await poll.household(9_000)
    await poll.unit(1_250, owner=home.party, building=tower)
    vote = await poll.opened()
    await poll.cast(home.viewer, vote)
    found = await Total.filter(vote_id=vote, part=Part.BUILDING).values("key", "heads", "area")
    here = poll.estate.building
    assert {(row["key"], row["heads"], row["area"]) for row in found} == {
        (here, 1, 9_000), (tower, 1, 1_250),
    }  # fmt: skip


async def test_who_was_served_before_the_opening_is_silent_from_the_opening_on(poll: Any) -> None:
    cast, silent = await poll.households(2)
    vote = await poll.announced()
    await poll.serves(vote, cast, silent)
    await poll.open(vote)
    await poll.cast(cast.viewer, vote)
    await Vote.filter(id=vote).update(silence=Silence.FOLLOW_MAJORITY)
    assert (await progress_of(vote)).questions[0].tally.participating == Weight(2, 18_001)
    assert await totals_differ(vote) == []
    await poll.closed(vote)
    assert await recount(vote) == []


WRONG = {
    "a head too many": ("UPDATE total SET heads = heads + 1 WHERE part = 'CHOICE'", "total of CHOICE .* FOR"),
    "0.01 m² too few": ("UPDATE total SET area = area - 1 WHERE part = 'BALLOTS'", "total of BALLOTS: kept"),
    "a day gone": ("DELETE FROM total WHERE part = 'DAY'", "total of DAY .* kept nothing"),
    "a choice of nobody": (
        "INSERT INTO total (id, vote_id, part, key, label, heads, area)"
        " SELECT id + 1000, vote_id, part, key, 'YES', heads, area FROM total WHERE part = 'CHOICE'",
        "the rows say nothing",
    ),
}


@pytest.mark.parametrize(("statement", "found"), WRONG.values(), ids=list(WRONG))
async def test_totals_that_are_wrong_are_named_and_the_rows_win(
    poll: Any, caplog: pytest.LogCaptureFixture, statement: str, found: str
) -> None:
    (home,) = await poll.households(1)
    vote, mended = await poll.opened(), await poll.opened()
    for each in (vote, mended):
        await poll.cast(home.viewer, each)
    before = await progress_of(vote)
    assert sorted(await open_boxes()) == sorted([vote, mended])
    await poll.tamper(statement)
    (difference,) = await totals_differ(vote)
    assert re.search(found, difference)
    assert await mend_totals(SYSTEM, poll.during, mended) != []
    assert await mend_totals(SYSTEM, poll.during, mended) == []
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        await poll.closed(vote)
    assert difference.removeprefix(f"vote {vote}: ") in caplog.text
    result = await CountResult.get(question__vote_id=vote)
    assert (result.participating_heads, result.participating_area) == (1, 9_000)
    assert (await progress_of(vote)).participating == before.participating
    assert await recount(vote) == []


# What a read costs


_NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ballots})"
_BALLOTS = (
    "INSERT INTO ballot (id, vote_id, sequence, channel, cast_at, validity) {numbers}"
    " SELECT {first} + i, {vote}, i, 'PAPER', '{at}', 'VALID' FROM n"
)
_MARKS = (
    "INSERT INTO ballot_choice (id, ballot_id, question_id, choice)"
    " SELECT id, id, {question}, 'A' FROM ballot WHERE vote_id = {vote}"
)
_COUNTING = (
    "INSERT INTO counting (id, vote_id, sequence, ballot_id)"
    " SELECT id, vote_id, sequence, id FROM ballot WHERE vote_id = {vote} ORDER BY sequence"
)


async def _filled(poll: Any, ballots: int) -> int:
    """A vote with so many ballots, written in bulk."""
    vote = int(await poll.opened(poll.survey()))
    (question,) = await poll.questions(vote)
    first = new_id()
    for statement in (_BALLOTS, _MARKS, _COUNTING):
        numbers = _NUMBERS.format(ballots=ballots)
        await poll.tamper(  # quicker than past every trigger
            statement.format(
                numbers=numbers, first=first, vote=vote, question=question.id, at=poll.during.isoformat(" ")
            )
        )
    with unhurried():
        await mend_totals(SYSTEM, poll.during, vote)
    return vote


async def test_a_tally_of_fifty_thousand_ballots_is_read_as_quickly_as_one_of_five_hundred(
    poll: Any, statements: list[str]
) -> None:
    """By statements, and by the CPU that both take side by side; summed anew it would be a hundredfold."""
    few, many = await _filled(poll, 500), await _filled(poll, 50_000)
    assert (await progress_of(many)).participating == Weight(50_000, 0)
    for vote in (few, many):
        statements.clear()
        await progress_of(vote)
        assert 0 < len(statements) <= 3
    taken: dict[int, list[float]] = {few: [], many: []}
    for _ in range(40):
        for vote, times in taken.items():
            start = time.process_time()
            await progress_of(vote)
            times.append(time.process_time() - start)
    assert min(taken[many]) < 3 * min(taken[few])
