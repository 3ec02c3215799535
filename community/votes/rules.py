"""The count: what the law makes of the sums of a vote (民法典 278, 杭州市物业管理条例 16).

Heads are whole heads, areas are hundredths of a square metre, and shares are compared by multiplying
integers, so that exactly two thirds is two thirds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Matter(StrEnum):
    """What is decided; it alone fixes the thresholds (民法典 278, 杭州市物业管理条例 16).

    ELECT_COMMITTEE is the question of one candidate. OTHER_MATTER includes the rules on a committee's costs
    and every other matter of the assembly. A CONSULTATION has no thresholds and decides nothing.
    """

    RULES_OF_PROCEDURE = "RULES_OF_PROCEDURE"
    COVENANT = "COVENANT"
    ELECT_COMMITTEE = "ELECT_COMMITTEE"
    ENGAGE_PROVIDER = "ENGAGE_PROVIDER"
    USE_FUND = "USE_FUND"
    RAISE_FUND = "RAISE_FUND"
    REBUILD = "REBUILD"
    CHANGE_COMMON_PARTS = "CHANGE_COMMON_PARTS"
    SPEND_INCOME = "SPEND_INCOME"
    OTHER_MATTER = "OTHER_MATTER"
    CONSULTATION = "CONSULTATION"


class Option(StrEnum):
    """The choices of a resolution: 赞同, 反对, 弃权, 随多数."""

    FOR = "FOR"
    AGAINST = "AGAINST"
    ABSTAIN = "ABSTAIN"
    FOLLOW = "FOLLOW"


class Gate(StrEnum):
    """PARTICIPATION is measured against the whole roll, AGREEMENT against those who took part."""

    PARTICIPATION = "PARTICIPATION"
    AGREEMENT = "AGREEMENT"


class Measure(StrEnum):
    """Heads are whole, areas are in hundredths of m²; the two are never averaged."""

    HEADS = "HEADS"
    AREA = "AREA"


class Outcome(StrEnum):
    """NOT_ADOPTED is no resolution of the opposite; PENDING is what readers say while a vote is open,
    never a result of the count.
    """

    PENDING = "PENDING"
    ADOPTED = "ADOPTED"
    NOT_ADOPTED = "NOT_ADOPTED"
    NO_QUORUM = "NO_QUORUM"


class FollowMajority(StrEnum):
    """FOLLOW joins the leader (RESOLVE) or always counts as abstaining (ABSTAIN)."""

    RESOLVE = "RESOLVE"
    ABSTAIN = "ABSTAIN"


class Silence(StrEnum):
    """Parties that were served and cast nothing are absent, or take part and join the leader."""

    ABSENT = "ABSENT"
    FOLLOW_MAJORITY = "FOLLOW_MAJORITY"


@dataclass(frozen=True, slots=True)
class Weight:
    """Heads, and area in hundredths of m², side by side because both must reach every threshold."""

    heads: int
    area: int

    def __add__(self, other: "Weight") -> "Weight":
        return Weight(self.heads + other.heads, self.area + other.area)


ZERO = Weight(0, 0)

ANONYMOUS = Weight(1, 0)
"""What a ballot without a party weighs: nobody knows whose area it stands for."""


@dataclass(frozen=True, slots=True)
class CountingRules:
    """The choices the law leaves to the rules of procedure; the defaults are the cautious ones.

    With `silence_floor` the silent may not carry a resolution that the FOR ballots really cast do not carry
    past half of all heads and half of all area.
    """

    parking_counts: bool = False
    follow_majority: FollowMajority = FollowMajority.RESOLVE
    silence: Silence = Silence.ABSENT
    silence_floor: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A fraction to be reached, or to be exceeded where `exceed` is set (过半数 is more than half)."""

    numerator: int
    denominator: int
    exceed: bool = False

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"

    def met(self, have: int, of: int) -> bool:
        """Nothing never meets a share, not even of nothing: nobody is no quorum and no consent."""
        surplus = self.denominator * have - self.numerator * of
        return have > 0 and (surplus > 0 if self.exceed else surplus >= 0)

    def missing(self, have: int, of: int, *, newcomers_enlarge: bool) -> int:
        """The least amount to add to `have` – and to `of`, if `newcomers_enlarge` – to meet the share."""
        if self.met(have, of):
            return 0
        short = self.numerator * of - self.denominator * have
        gain = self.denominator - (self.numerator if newcomers_enlarge else 0)
        return short // gain + 1 if self.exceed else max(1, -(-short // gain))


TWO_THIRDS = Share(2, 3)
MAJORITY = Share(1, 2, exceed=True)
THREE_QUARTERS = Share(3, 4)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a matter needs of all and of those taking part, by heads and by area alike (article: `clause`)."""

    agreement: Share
    clause: str
    participation: Share = TWO_THIRDS


_ORDINARY = Thresholds(MAJORITY, "民法典 278")
_QUALIFIED = Thresholds(THREE_QUARTERS, "民法典 278")
# Spending common income is a matter of its own in Hangzhou only; the Civil Code leaves it among the others.
_LOCAL = Thresholds(MAJORITY, "杭州市物业管理条例 16")

THRESHOLDS: Mapping[Matter, Thresholds] = MappingProxyType(
    {
        Matter.RULES_OF_PROCEDURE: _ORDINARY,
        Matter.COVENANT: _ORDINARY,
        Matter.ELECT_COMMITTEE: _ORDINARY,
        Matter.ENGAGE_PROVIDER: _ORDINARY,
        Matter.USE_FUND: _ORDINARY,
        Matter.RAISE_FUND: _QUALIFIED,
        Matter.REBUILD: _QUALIFIED,
        Matter.CHANGE_COMMON_PARTS: _QUALIFIED,
        Matter.SPEND_INCOME: _LOCAL,
        Matter.OTHER_MATTER: _ORDINARY,
    }
)
"""Every matter but CONSULTATION, which needs nothing."""


class Part(StrEnum):
    """What of a vote is summed: by question and choice, by question, of the ballots together, by building, by
    the day in Asia/Shanghai on which they came, and of those by question that were served and cast nothing.
    """

    CHOICE = "CHOICE"
    QUESTION = "QUESTION"
    BALLOTS = "BALLOTS"
    BUILDING = "BUILDING"
    DAY = "DAY"
    SILENT = "SILENT"


@dataclass(frozen=True, slots=True)
class Sums:
    """All the count needs to know of a vote, wherever it was summed.

    `choices` weighs the ballots as marked. `silent_served` weighs the parties that were served and cast
    nothing; it matters only under Silence.FOLLOW_MAJORITY. `participating` weighs the ballots themselves and
    must be given where one ballot may carry several choices; None: the sum of `choices`.
    """

    eligible: Weight
    choices: Mapping[str, Weight]
    silent_served: Weight = ZERO
    participating: Weight | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the tests that must all be met; have, of and missing in whole heads or hundredths of m²."""

    gate: Gate
    measure: Measure
    need: str
    clause: str
    have: int
    of: int
    missing: int
    met: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """The result of a count.

    `choices` is as marked, before anything joined; `agreeing` is FOR and whatever joined it; `leader` is
    known whether or not the rules let anything join it. A consultation has outcome None and no conditions.
    `floor_met` is None unless the rules ask for the silence floor.
    """

    outcome: Outcome | None
    eligible: Weight
    participating: Weight
    agreeing: Weight
    leader: Option | None
    choices: dict[str, Weight]
    conditions: tuple[Condition, ...]
    floor_met: bool | None = None


def count(matter: Matter, rules: CountingRules, sums: Sums) -> Tally:
    """The one count of the house. To report a vote with and without silence, count twice with other rules."""
    leader = find_leader(sums.choices)
    silence_joins = rules.silence == Silence.FOLLOW_MAJORITY
    silent = sums.silent_served if silence_joins else ZERO
    participating = _cast(sums) + silent
    cast_for = _cast_for(rules, sums.choices, leader)
    agreeing = cast_for + silent if leader == Option.FOR else cast_for
    conditions: tuple[Condition, ...] = ()
    floor_met = None
    outcome: Outcome | None = None
    if matter != Matter.CONSULTATION:
        conditions = _conditions(THRESHOLDS[matter], sums.eligible, participating, agreeing)
        floor_met = _floor_met(cast_for, sums.eligible) if silence_joins and rules.silence_floor else None
        outcome = _outcome(conditions, floor_met)
    return Tally(
        outcome, sums.eligible, participating, agreeing, leader, dict(sums.choices), conditions, floor_met
    )


def find_leader(choices: Mapping[str, Weight]) -> Option | None:
    """The one of FOR, AGAINST, ABSTAIN that alone has the most heads and alone the most area.

    No law says what 随多数 means where heads and area disagree or tie; then nobody leads.
    """
    candidates = {
        option: choices.get(option, ZERO) for option in (Option.FOR, Option.AGAINST, Option.ABSTAIN)
    }
    for option, own in candidates.items():
        others = [weight for other, weight in candidates.items() if other != option]
        if all(own.heads > other.heads and own.area > other.area for other in others):
            return option
    return None


def _cast(sums: Sums) -> Weight:
    return sum(sums.choices.values(), ZERO) if sums.participating is None else sums.participating


def _cast_for(rules: CountingRules, choices: Mapping[str, Weight], leader: Option | None) -> Weight:
    follow_joins = rules.follow_majority == FollowMajority.RESOLVE and leader == Option.FOR
    following = choices.get(Option.FOLLOW, ZERO) if follow_joins else ZERO
    return choices.get(Option.FOR, ZERO) + following


def _floor_met(cast_for: Weight, eligible: Weight) -> bool:
    return MAJORITY.met(cast_for.area, eligible.area) and MAJORITY.met(cast_for.heads, eligible.heads)


def _conditions(
    thresholds: Thresholds, eligible: Weight, participating: Weight, agreeing: Weight
) -> tuple[Condition, ...]:
    """Four tests in the order in which people read them: participation first, area before heads."""
    tests = (
        (Gate.PARTICIPATION, thresholds.participation, participating, eligible),
        (Gate.AGREEMENT, thresholds.agreement, agreeing, participating),
    )
    return tuple(
        _condition(gate, measure, share, thresholds.clause, have, of)
        for gate, share, part, whole in tests
        for measure, have, of in (
            (Measure.AREA, part.area, whole.area),
            (Measure.HEADS, part.heads, whole.heads),
        )
    )


def _condition(gate: Gate, measure: Measure, share: Share, clause: str, have: int, of: int) -> Condition:
    """`missing` supposes newcomers who all vote FOR; what has joined the leader stays where it is now."""
    # A newcomer was on the roll before, so only the number of those taking part grows.
    missing = share.missing(have, of, newcomers_enlarge=gate is Gate.AGREEMENT)
    return Condition(gate, measure, str(share), clause, have, of, missing, share.met(have, of))


def _outcome(conditions: tuple[Condition, ...], floor_met: bool | None) -> Outcome:
    unmet = {condition.gate for condition in conditions if not condition.met}
    if Gate.PARTICIPATION in unmet:
        return Outcome.NO_QUORUM
    if Gate.AGREEMENT in unmet or floor_met is False:
        return Outcome.NOT_ADOPTED
    return Outcome.ADOPTED
