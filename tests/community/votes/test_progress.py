import asyncio
import random
from collections import Counter
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from community.errors import NotFound
from community.members.models import Ownership
from community.permissions import SYSTEM
from community.places.actions import change_unit
from community.places.rules import DeliveryStatus, UnitKind
from community.votes.models import Ballot, Vote
from community.votes.progress import Progress, progress_of, progress_of_many, read_register
from community.votes.reads import vote_row
from community.votes.roll import electorate, form_roll
from community.votes.rules import Gate, Matter, Measure, Outcome, Silence, Tally, Weight

NOBODY = Weight(0, 0)
TICK = timedelta(microseconds=1)


async def tally_of(vote: int) -> Tally:
    (question,) = (await progress_of(vote)).questions
    return question.tally


async def test_an_unknown_vote_has_no_progress(database: str) -> None:
    with pytest.raises(NotFound):
        await progress_of(5)


async def test_before_the_opening_the_denominators_are_those_of_the_register(poll: Any) -> None:
    tower = await poll.build.building(poll.estate.community)
    home = await poll.household(10_000, building=tower)
    await poll.unit(1_250, owner=home.party, building=tower, kind=UnitKind.PARKING)
    await poll.household(12_000, status=DeliveryStatus.UNDELIVERED)
    vote = await poll.announced(poll.resolution(), poll.resolution(building=tower), parking_counts=True)

    announced = await progress_of(vote)
    assert announced.eligible == Weight(2, 9_000 + 10_000 + 1_250 + 12_000)
    assert [question.tally.eligible for question in announced.questions] == [
        announced.eligible,
        Weight(1, 11_250),
    ]
    assert (announced.version, announced.participating, announced.last_ballot_at) == (0, NOBODY, None)
    assert {question.tally.outcome for question in announced.questions} == {Outcome.PENDING}

    await poll.open(vote)
    opened = await progress_of(vote)
    assert opened.eligible == announced.eligible
    assert [question.tally for question in opened.questions] == [q.tally for q in announced.questions]
    assert opened.version == 1


async def test_a_change_of_the_register_shows_before_the_opening_and_not_after(poll: Any) -> None:
    home = await poll.household(10_000)
    vote = await poll.announced()
    await change_unit(SYSTEM, poll.opens_at, home.unit, area=11_000)
    assert (await progress_of(vote)).eligible == Weight(2, 20_000)
    await poll.open(vote)
    await change_unit(SYSTEM, poll.opens_at + TICK, home.unit, area=12_000)
    assert (await progress_of(vote)).eligible == Weight(2, 20_000)


async def test_the_version_grows_with_every_ballot_and_every_stage(poll: Any) -> None:
    homes = await poll.households(2)
    vote = await poll.announced(revisable=True)

    async def version() -> int:
        return (await progress_of(vote)).version

    seen = [await version()]
    await poll.open(vote)
    seen.append(await version())
    for home in (*homes, homes[0]):
        await poll.cast(home.viewer, vote)
        seen.append(await version())
    await poll.closed(vote)
    seen.append(await version())
    await Vote.filter(id=vote).update(annulled_at=poll.closes_at)
    seen.append(await version())
    assert seen == [0, 1, 2, 3, 4, 5, 6]


async def test_the_moment_is_that_of_the_last_ballot(poll: Any) -> None:
    home = await poll.household()
    vote = await poll.opened(poll.resolution(), poll.resolution())
    await poll.cast(home.viewer, vote)
    progress = await progress_of(vote)
    assert progress.last_ballot_at == poll.during
    assert [question.sequence for question in progress.questions] == [1, 1]
    assert [question.question for question in progress.questions] == [
        q.id for q in await poll.questions(vote)
    ]


async def test_every_choice_is_listed_in_its_order_also_without_a_mark(poll: Any) -> None:
    vote = await poll.opened(poll.survey(choices=[("Z", "末"), ("A", "首")]))
    assert list((await tally_of(vote)).choices.items()) == [("Z", NOBODY), ("A", NOBODY)]


async def test_who_marks_several_choices_takes_part_once(poll: Any) -> None:
    home = await poll.household(10_000)
    vote = await poll.opened(poll.survey(max_choices=3))
    await poll.cast(home.viewer, vote, "A", "C")
    tally = await tally_of(vote)
    mine = Weight(1, 10_000)
    assert tally.choices == {"A": mine, "B": NOBODY, "C": mine}
    assert tally.participating == mine


async def test_a_question_left_out_is_not_taken_part_in_but_the_ballot_counts_as_turnout(poll: Any) -> None:
    home = await poll.household(10_000)
    vote = await poll.opened(poll.survey(), poll.survey(min_choices=0))
    first, _ = await poll.questions(vote)
    await poll.cast(home.viewer, vote, answers=[poll.answer(first, "B")])
    progress = await progress_of(vote)
    assert progress.participating == Weight(1, 10_000)
    assert [question.tally.participating for question in progress.questions] == [Weight(1, 10_000), NOBODY]


async def test_other_votes_at_the_same_time_are_not_mixed_in(poll: Any) -> None:
    home, other = await poll.households(2)
    one, two = await poll.opened(), await poll.opened()
    await poll.cast(home.viewer, one, "FOR")
    await poll.cast(home.viewer, two, "AGAINST")
    await poll.cast(other.viewer, two, "AGAINST")
    assert (await tally_of(one)).choices["FOR"] == Weight(1, 9_000)
    assert (await tally_of(one)).choices["AGAINST"] == NOBODY
    assert (await tally_of(two)).choices["AGAINST"] == Weight(2, 18_001)
    assert (await tally_of(one)).participating == Weight(1, 9_000)
    assert (await tally_of(two)).participating == (await progress_of(two)).participating == Weight(2, 18_001)


async def test_the_gates_say_what_is_missing(poll: Any) -> None:
    homes = [await poll.household(9_000) for _ in range(5)]  # and the developer's own unit: six alike
    vote = await poll.opened()
    for home, choice in zip(homes, ("FOR", "AGAINST", "ABSTAIN"), strict=False):
        await poll.cast(home.viewer, vote, choice)
    conditions = {(c.gate, c.measure): c for c in (await tally_of(vote)).conditions}
    heads = conditions[Gate.PARTICIPATION, Measure.HEADS]
    assert (heads.have, heads.of, heads.missing, heads.met) == (3, 6, 1, False)
    agreeing = conditions[Gate.AGREEMENT, Measure.AREA]
    assert (agreeing.have, agreeing.of, agreeing.missing, agreeing.met) == (9_000, 27_000, 9_001, False)


async def test_the_silent_join_only_if_they_were_served(poll: Any) -> None:
    """No vote may be announced so yet; the count behind it stands ready."""
    cast, served, unserved = [await poll.household(10_000 + index) for index in range(3)]
    vote = await poll.opened(poll.resolution(matter=Matter.COVENANT))
    await poll.serves(vote, cast, served)
    await poll.cast(cast.viewer, vote, "FOR")
    assert (await tally_of(vote)).participating == Weight(1, 10_000)

    await Vote.filter(id=vote).update(silence=Silence.FOLLOW_MAJORITY)
    tally = await tally_of(vote)
    assert (tally.participating, tally.agreeing) == (Weight(2, 20_001), Weight(2, 20_001))
    await poll.cast(served.viewer, vote, "AGAINST")
    assert (await tally_of(vote)).participating == Weight(2, 20_001)
    await poll.cast(unserved.viewer, vote, "AGAINST")
    assert (await tally_of(vote)).participating == Weight(3, 30_003)


async def test_what_is_read_while_ballots_come_in_belongs_to_one_moment(poll: Any) -> None:
    homes = [await poll.household(10_000) for _ in range(20)]
    vote = await poll.opened()
    done = False

    async def read() -> list[Progress]:
        seen: list[Progress] = []
        while not done:
            seen.append(await progress_of(vote))
        return seen

    reader = asyncio.create_task(read())
    await asyncio.gather(*(poll.cast(home.viewer, vote) for home in homes))
    done = True
    seen = [*await reader, await progress_of(vote)]
    for progress in seen:
        (question,) = progress.questions
        heads = question.sequence
        assert progress.version == 1 + heads
        assert progress.participating == question.tally.participating == Weight(heads, 10_000 * heads)
        assert question.tally.choices["FOR"] == progress.participating
    versions = [progress.version for progress in seen]
    assert versions == sorted(versions)
    assert versions[-1] == 21


async def test_who_came_on_which_day_is_what_a_recount_of_the_ballots_says(poll: Any) -> None:
    """Any ballots at any hour of any day, changed any number of times, of two votes at once."""
    chance = random.Random(11)  # noqa: S311 - the same ballots each time
    homes = await poll.households(12)
    votes = [await poll.opened(revisable=True), await poll.opened(poll.survey(), revisable=True)]
    borders = [poll.opens_at, poll.closes_at - TICK]
    for day in range(1, 7):  # each midnight of Shanghai from both sides
        midnight = poll.opens_at.replace(hour=16, minute=0) + timedelta(days=day - 1)
        borders += [midnight - TICK, midnight]
    instants = borders + [poll.opens_at + timedelta(minutes=chance.randrange(7 * 24 * 60)) for _ in range(30)]
    for at in sorted(instants):
        vote = chance.choice(votes)
        await poll.cast(chance.choice(homes).viewer, vote, "FOR" if vote == votes[0] else "A", at=at)

    found = await progress_of_many(votes)
    for vote in votes:
        first: dict[int, date] = {}
        for ballot in await Ballot.filter(vote_id=vote).order_by("sequence").values("party_id", "cast_at"):
            first.setdefault(
                ballot["party_id"], ballot["cast_at"].astimezone(ZoneInfo("Asia/Shanghai")).date()
            )
        expected = sorted(Counter(first.values()).items())
        assert [(day.day, day.heads) for day in found[vote].days] == expected
        assert sum(day.heads for day in found[vote].days) == found[vote].participating.heads


async def test_a_changed_ballot_moves_nobody_to_another_day(poll: Any) -> None:
    (home, other) = await poll.households(2)
    vote = await poll.opened(revisable=True)
    assert (await progress_of(vote)).days == ()
    await poll.cast(home.viewer, vote, "FOR", at=poll.during)
    before = (await progress_of(vote)).days
    await poll.cast(home.viewer, vote, "AGAINST", at=poll.during + timedelta(days=2))
    assert (await progress_of(vote)).days == before
    await poll.cast(other.viewer, vote, at=poll.during + timedelta(days=2))
    await poll.closed(vote)
    assert [day.heads for day in (await progress_of(vote)).days] == [1, 1]


async def test_the_register_is_summed_as_the_roll_would_be_formed(poll: Any) -> None:
    """Owned since and until any day, by several or by nobody, delivered or not, of any kind."""
    chance = random.Random(7)  # noqa: S311 - the same estate each time
    towers = [await poll.build.building(poll.estate.community) for _ in range(2)]
    homes = [home.party for home in await poll.households(40)]
    await Ownership.all().update(until=poll.announced_at)
    days = [poll.announced_at + timedelta(days=days) for days in (-900, -1, 0, 1)]
    for number in range(60):
        unit = await poll.unit(
            1_000 + number, building=chance.choice(towers), kind=chance.choice(list(UnitKind)),
            status=chance.choice([DeliveryStatus.DELIVERED, *DeliveryStatus]),
        )  # fmt: skip
        since, until = sorted(chance.sample(days, 2))
        if chance.random() < 0.8:
            await Ownership.create(
                unit_id=unit,
                party_id=chance.choice(homes),
                since=since,
                until=until if chance.random() < 0.5 else None,
            )
    questions = (poll.resolution(), *(poll.resolution(building=tower) for tower in towers))
    votes = [await poll.announced(*questions, parking_counts=counts) for counts in (True, False)]
    for vote, progress in (await progress_of_many(votes)).items():
        row = await vote_row(vote)
        register = await read_register(row.community_id, row.announced_at)
        expected = [
            electorate(
                form_roll(
                    register.units,
                    register.developer,
                    building=building,
                    parking_counts=row.parking_counts,
                ).values()
            )
            for building in (None, *towers)
        ]
        assert [question.tally.eligible for question in progress.questions] == expected
        assert progress.eligible == expected[0]


async def test_many_votes_are_read_as_each_alone(poll: Any) -> None:
    homes = await poll.households(3)
    tower = await poll.build.building(poll.estate.community)
    await poll.household(10_000, building=tower)
    announced = await poll.announced(poll.resolution(), poll.resolution(building=tower))
    opened, surveyed = await poll.opened(), await poll.opened(poll.survey(max_choices=3), poll.survey())
    closed = await poll.opened(revisable=True)
    for home, choice in zip(homes, ("FOR", "AGAINST", "FOR"), strict=True):
        await poll.cast(home.viewer, opened, choice)
        await poll.cast(home.viewer, closed, "FOR")
    await poll.cast(homes[0].viewer, closed, "AGAINST", at=poll.during + timedelta(minutes=1))
    await poll.cast(homes[1].viewer, surveyed, "A")
    await poll.closed(closed)
    votes = [closed, announced, surveyed, opened]
    assert await progress_of_many([*votes, 5]) == {vote: await progress_of(vote) for vote in votes}
    found = await progress_of_many(votes)
    assert [found[vote].version for vote in votes] == [6, 0, 2, 4]
    assert found[closed].last_ballot_at == poll.during + timedelta(minutes=1)
    assert found[closed].questions[0].tally.choices["AGAINST"] == Weight(1, 9_000)
    assert await progress_of_many([]) == {}
