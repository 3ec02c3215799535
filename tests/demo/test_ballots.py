from collections import Counter, defaultdict
from datetime import date

import pytest

from community.places.rules import DeliveryStatus, UnitKind
from community.votes.casting import Channel, VoteForm
from community.votes.rules import ZERO, CountingRules, Outcome, Sums, Weight, count
from demo.agendas import PlannedVote, history
from demo.ballots import PlannedBallot, ballots
from demo.days import midnight
from demo.estates import DEVELOPER, FAMILIAR, Estate, build
from demo.load import NEIGHBOURHOODS
from demo.matters import Ask
from demo.neighbourhood import Neighbourhood

TODAY = date(2026, 10, 15)
UNTIL = midnight(TODAY)
REFUSED = {
    "7 处架空层改建电动自行车充电棚": Outcome.NO_QUORUM,
    "中心广场设置户外大屏": Outcome.NOT_ADOPTED,
    "修订《管理规约》：空调外机和太阳能的安装": Outcome.NO_QUORUM,
    "西侧绿地改建 24 个临时车位": Outcome.NOT_ADOPTED,
    "南大门西侧场地出租给商铺外摆": Outcome.NOT_ADOPTED,
    "修订《业主大会议事规则》：小额支出限额": Outcome.NO_QUORUM,
    "6 号候选人（1幢业主）": Outcome.NOT_ADOPTED,
}

Told = tuple[Neighbourhood, Estate, list[PlannedVote]]


@pytest.fixture(scope="module", params=NEIGHBOURHOODS, ids=lambda told: told.site.slug)
def told(request: pytest.FixtureRequest) -> Told:
    found: Neighbourhood = request.param
    return found, build(found.site), history(found.agenda, found.site.committee, TODAY)


def _areas(estate: Estate, building: str | None) -> dict[int, int]:
    block = None if building is None else estate.buildings.index(building)
    areas: defaultdict[int, int] = defaultdict(int)
    for party in estate.parties:
        for unit in (estate.units[index] for index in party.units):
            if unit.kind is not UnitKind.PARKING and block in (None, unit.block):
                areas[party.number if unit.status is DeliveryStatus.DELIVERED else DEVELOPER] += unit.area
    return areas


def _outcome(
    estate: Estate, vote: PlannedVote, number: int, ask: Ask, cast: list[PlannedBallot]
) -> Outcome | None:
    areas = _areas(estate, ask.building or vote.motion.building)
    sums: defaultdict[str, Weight] = defaultdict(lambda: ZERO)
    for ballot in cast:
        for answer in ballot.answers:
            if answer.question == number:
                sums[answer.choices[0]] += Weight(1, areas[ballot.party])
    eligible = Weight(len(areas), sum(areas.values()))
    return count(ask.matter, CountingRules(), Sums(eligible, sums)).outcome


def test_votes_end_as_they_are_told(told: Told) -> None:
    _, estate, votes = told
    for vote in votes:
        if vote.closes_at < UNTIL and vote.motion.form is not VoteForm.CONSULTATION:
            cast = ballots(estate, vote, UNTIL)
            for number, ask in enumerate(vote.motion.asks):
                expected = REFUSED.get(ask.title, Outcome.ADOPTED)
                assert _outcome(estate, vote, number, ask, cast) == expected, ask.title


def test_ballots_come_once_from_the_roll_and_in_order(told: Told) -> None:
    _, estate, votes = told
    for vote in votes:
        if vote.opens_at < UNTIL:
            cast = ballots(estate, vote, UNTIL)
            assert cast == ballots(estate, vote, UNTIL)
            assert max(Counter(ballot.party for ballot in cast).values()) == 1
            assert {ballot.party for ballot in cast} <= set(estate.voters(vote.motion.building))
            times = [ballot.cast_at for ballot in cast]
            assert times == sorted(times)
            assert vote.opens_at <= times[0] <= times[-1] < min(vote.closes_at, UNTIL)


def test_the_familiar_leave_open_votes_alone(told: Told) -> None:
    _, estate, votes = told
    for vote in votes:
        if vote.opens_at < UNTIL < vote.closes_at:
            cast = ballots(estate, vote, UNTIL)
            assert all(ballot.party not in range(1, FAMILIAR + 1) for ballot in cast)
            assert 0.25 < len(cast) / len(estate.voters()) < 0.4


def test_who_has_no_unit_in_a_building_is_not_asked_about_it(told: Told) -> None:
    _, estate, votes = told
    for vote in votes:
        for number, ask in enumerate(vote.motion.asks):
            if ask.building is not None:
                own = set(estate.voters(ask.building))
                for ballot in ballots(estate, vote, UNTIL):
                    asked = number in [answer.question for answer in ballot.answers]
                    assert asked == (ballot.party in own)


def test_surveys_are_answered_online_sometimes_in_words(told: Told) -> None:
    _, estate, votes = told
    surveys = [vote for vote in votes if vote.motion.form is VoteForm.CONSULTATION]
    for vote in surveys:
        cast = ballots(estate, vote, UNTIL)
        assert {ballot.channel for ballot in cast} == {Channel.ONLINE}
        assert any(answer.text for ballot in cast for answer in ballot.answers)
        assert max(len(answer.choices) for ballot in cast for answer in ballot.answers) == 3
