from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.votes.rules import (
    MAJORITY,
    THREE_QUARTERS,
    THRESHOLDS,
    TWO_THIRDS,
    ZERO,
    Condition,
    CountingRules,
    FollowMajority,
    Gate,
    Matter,
    Measure,
    Option,
    Outcome,
    Share,
    Silence,
    Sums,
    Weight,
    count,
    find_leader,
)

SHARES = [TWO_THIRDS, MAJORITY, THREE_QUARTERS]
RULES = CountingRules()
ELIGIBLE = Weight(10, 1000)

weights = st.builds(Weight, st.integers(0, 60), st.integers(0, 6000))
choice_sums = st.fixed_dictionaries(dict.fromkeys(Option, weights))
statutory = st.sampled_from(list(THRESHOLDS))
all_rules = st.builds(
    CountingRules,
    follow_majority=st.sampled_from(FollowMajority),
    silence=st.sampled_from(Silence),
    silence_floor=st.booleans(),
)


def sums(eligible: Weight = ELIGIBLE, **choices: Weight) -> Sums:
    return Sums(eligible, choices)


def by_gate(conditions: tuple[Condition, ...]) -> dict[tuple[Gate, Measure], Condition]:
    return {(condition.gate, condition.measure): condition for condition in conditions}


def test_every_matter_but_a_consultation_has_thresholds() -> None:
    assert set(THRESHOLDS) == set(Matter) - {Matter.CONSULTATION}
    qualified = {matter for matter, needed in THRESHOLDS.items() if needed.agreement == THREE_QUARTERS}
    assert qualified == {Matter.RAISE_FUND, Matter.REBUILD, Matter.CHANGE_COMMON_PARTS}
    assert all(needed.participation == TWO_THIRDS for needed in THRESHOLDS.values())


def test_clauses_name_the_article_that_names_the_matter() -> None:
    local = {matter for matter, needed in THRESHOLDS.items() if needed.clause == "杭州市物业管理条例 16"}
    assert local == {Matter.SPEND_INCOME}
    assert {needed.clause for needed in THRESHOLDS.values()} == {"民法典 278", "杭州市物业管理条例 16"}


def test_four_conditions_in_their_order() -> None:
    tally = count(Matter.REBUILD, RULES, sums(FOR=Weight(7, 700)))
    assert [(c.gate, c.measure, c.need) for c in tally.conditions] == [
        (Gate.PARTICIPATION, Measure.AREA, "2/3"),
        (Gate.PARTICIPATION, Measure.HEADS, "2/3"),
        (Gate.AGREEMENT, Measure.AREA, "3/4"),
        (Gate.AGREEMENT, Measure.HEADS, "3/4"),
    ]


@pytest.mark.parametrize(
    ("share", "have", "of", "enlarge", "missing"),
    [
        (TWO_THIRDS, 200, 300, False, 0),
        (TWO_THIRDS, 199, 300, False, 1),
        (TWO_THIRDS, 0, 10, False, 7),
        (TWO_THIRDS, 0, 0, False, 1),
        (MAJORITY, 0, 0, True, 1),
        (MAJORITY, 3, 6, True, 1),
        (MAJORITY, 4, 7, True, 0),
        (MAJORITY, 0, 6, True, 7),
        (MAJORITY, 3, 6, False, 1),
        (THREE_QUARTERS, 0, 0, True, 1),
        (THREE_QUARTERS, 5, 8, True, 4),
        (THREE_QUARTERS, 6, 8, True, 0),
        (THREE_QUARTERS, 0, 1, True, 3),
    ],
)
def test_missing_worked_by_hand(share: Share, have: int, of: int, enlarge: bool, missing: int) -> None:
    assert share.missing(have, of, newcomers_enlarge=enlarge) == missing


@given(st.sampled_from(SHARES), st.integers(0, 300), st.integers(0, 300), st.booleans())
def test_missing_is_enough_and_least(share: Share, have: int, surplus: int, enlarge: bool) -> None:
    of = have + surplus

    def met(added: int) -> bool:
        part, whole = have + added, of + (added if enlarge else 0)
        if part == 0 or whole == 0:
            return False
        needed = Fraction(share.numerator, share.denominator)
        return Fraction(part, whole) > needed if share.exceed else Fraction(part, whole) >= needed

    missing = share.missing(have, of, newcomers_enlarge=enlarge)
    if of == 0 and not enlarge:
        assert missing == 1  # nobody can come to an electorate of nobody; one says that it is not met
    else:
        assert missing == next(added for added in range(1000) if met(added))
    assert share.met(have, of) == met(0)


@given(statutory, all_rules, choice_sums, weights, weights)
def test_nothing_is_missing_exactly_where_a_condition_is_met(
    matter: Matter, rules: CountingRules, choices: dict[str, Weight], silent: Weight, absent: Weight
) -> None:
    eligible = sum(choices.values(), silent + absent)
    tally = count(matter, rules, Sums(eligible, choices, silent))
    assert all((condition.missing == 0) == condition.met for condition in tally.conditions)


@given(statutory, choice_sums, weights)
def test_newcomers_who_vote_for_meet_what_was_missing(
    matter: Matter, choices: dict[str, Weight], absent: Weight
) -> None:
    plain = choices | {Option.FOLLOW: ZERO}
    eligible = sum(plain.values(), absent)
    before = by_gate(count(matter, RULES, Sums(eligible, plain)).conditions)
    for gate in Gate:
        area, heads = before[gate, Measure.AREA].missing, before[gate, Measure.HEADS].missing

        def after(added: Weight, gate: Gate = gate) -> dict[tuple[Gate, Measure], Condition]:
            grown = plain | {Option.FOR: plain[Option.FOR] + added}
            return by_gate(count(matter, RULES, Sums(eligible, grown)).conditions)

        if eligible.heads and eligible.area:
            assert after(Weight(heads, area))[gate, Measure.AREA].met
            assert after(Weight(heads, area))[gate, Measure.HEADS].met
        if area:
            assert not after(Weight(heads, area - 1))[gate, Measure.AREA].met
        if heads:
            assert not after(Weight(heads - 1, area))[gate, Measure.HEADS].met


@given(statutory, all_rules, choice_sums, weights, weights, st.data())
def test_turning_a_ballot_into_for_never_loses_a_resolution(
    matter: Matter,
    rules: CountingRules,
    choices: dict[str, Weight],
    silent: Weight,
    absent: Weight,
    data: st.DataObject,
) -> None:
    eligible = sum(choices.values(), silent + absent)
    before = count(matter, rules, Sums(eligible, choices, silent))
    source = data.draw(st.sampled_from([Option.AGAINST, Option.ABSTAIN, Option.FOLLOW]))
    own = choices[source]
    heads = data.draw(st.integers(0, own.heads))
    area = data.draw(st.integers(0, own.area))
    turned = choices | {
        source: Weight(own.heads - heads, own.area - area),
        Option.FOR: choices[Option.FOR] + Weight(heads, area),
    }
    after = count(matter, rules, Sums(eligible, turned, silent))
    assert after.participating == before.participating
    if before.outcome is Outcome.ADOPTED:
        assert after.outcome is Outcome.ADOPTED


@given(statutory, all_rules, choice_sums, weights)
def test_outcome_follows_from_the_conditions(
    matter: Matter, rules: CountingRules, choices: dict[str, Weight], silent: Weight
) -> None:
    tally = count(matter, rules, Sums(sum(choices.values(), silent), choices, silent))
    unmet = {condition.gate for condition in tally.conditions if not condition.met}
    assert (tally.outcome is Outcome.NO_QUORUM) == (Gate.PARTICIPATION in unmet)
    assert (tally.outcome is Outcome.ADOPTED) == (not unmet and tally.floor_met is not False)


@given(st.lists(st.tuples(st.sampled_from(Option), weights), max_size=30), st.integers(0, 30))
def test_sums_over_a_partition_are_the_sums_of_the_whole(
    ballots: list[tuple[Option, Weight]], cut: int
) -> None:
    def summed(part: list[tuple[Option, Weight]]) -> dict[str, Weight]:
        return {option: sum((w for chosen, w in part if chosen == option), ZERO) for option in Option}

    whole, one, other = summed(ballots), summed(ballots[:cut]), summed(ballots[cut:])
    joined: dict[str, Weight] = {option: one[option] + other[option] for option in Option}
    eligible = sum((weight for _, weight in ballots), ELIGIBLE)
    assert count(Matter.USE_FUND, RULES, Sums(eligible, joined)) == count(
        Matter.USE_FUND, RULES, Sums(eligible, whole)
    )


def test_a_leader_leads_in_heads_and_in_area() -> None:
    ahead, behind = Weight(3, 300), Weight(2, 200)
    assert find_leader({"FOR": ahead, "AGAINST": behind}) is Option.FOR
    assert find_leader({"AGAINST": ahead, "ABSTAIN": behind}) is Option.AGAINST
    assert find_leader({"ABSTAIN": ahead}) is Option.ABSTAIN
    assert find_leader({"FOR": ahead, "AGAINST": ahead}) is None
    assert find_leader({"FOR": Weight(3, 200), "AGAINST": Weight(2, 300)}) is None
    assert find_leader({"FOR": Weight(3, 300), "AGAINST": Weight(3, 200)}) is None
    assert find_leader({"FOLLOW": ahead}) is None
    assert find_leader({}) is None


def test_the_leader_is_told_even_where_nothing_may_join_it() -> None:
    rules = CountingRules(follow_majority=FollowMajority.ABSTAIN)
    tally = count(Matter.COVENANT, rules, sums(FOR=Weight(3, 300), FOLLOW=Weight(4, 400)))
    assert tally.leader is Option.FOR
    assert tally.agreeing == Weight(3, 300)


def test_a_vote_is_told_with_and_without_silence() -> None:
    rules = CountingRules(silence=Silence.FOLLOW_MAJORITY)
    cast = replace(sums(FOR=Weight(4, 400), AGAINST=Weight(1, 100)), silent_served=Weight(5, 500))
    with_silence = count(Matter.ENGAGE_PROVIDER, rules, cast)
    without = count(Matter.ENGAGE_PROVIDER, replace(rules, silence=Silence.ABSENT), cast)
    assert (with_silence.outcome, with_silence.agreeing) == (Outcome.ADOPTED, Weight(9, 900))
    assert (without.outcome, without.participating) == (Outcome.NO_QUORUM, Weight(5, 500))


@pytest.mark.parametrize(
    ("cast_for", "met"), [(Weight(5, 501), False), (Weight(6, 500), False), (Weight(6, 501), True)]
)
def test_the_floor_is_more_than_half_of_all_in_both(cast_for: Weight, met: bool) -> None:
    rules = CountingRules(silence=Silence.FOLLOW_MAJORITY, silence_floor=True)
    silent = Weight(10 - cast_for.heads, 1000 - cast_for.area)
    tally = count(Matter.ENGAGE_PROVIDER, rules, replace(sums(FOR=cast_for), silent_served=silent))
    assert all(condition.met for condition in tally.conditions)
    assert tally.floor_met is met
    assert tally.outcome is (Outcome.ADOPTED if met else Outcome.NOT_ADOPTED)


def test_a_survey_gives_its_participation_because_a_ballot_may_name_several_choices() -> None:
    survey = Sums(ELIGIBLE, {"A": Weight(3, 300), "B": Weight(2, 200)}, participating=Weight(4, 400))
    tally = count(Matter.CONSULTATION, RULES, survey)
    assert tally.participating == Weight(4, 400)
    assert (tally.outcome, tally.conditions, tally.leader, tally.floor_met) == (None, (), None, None)
    assert tally.choices == {"A": Weight(3, 300), "B": Weight(2, 200)}


def test_words_read_from_a_database_count_like_the_enums() -> None:
    words = CountingRules(follow_majority="RESOLVE", silence="FOLLOW_MAJORITY", silence_floor=True)  # type: ignore[arg-type]
    enums = CountingRules(silence=Silence.FOLLOW_MAJORITY, silence_floor=True)
    cast = replace(sums(FOR=Weight(4, 400), FOLLOW=Weight(1, 100)), silent_served=Weight(5, 500))
    assert count("REBUILD", words, cast) == count(Matter.REBUILD, enums, cast)  # type: ignore[arg-type]


def test_an_unknown_matter_is_never_taken_for_a_consultation() -> None:
    with pytest.raises(KeyError):
        count("NOTHING", RULES, sums())  # type: ignore[arg-type]
