"""A vote file counted: ballots resolved to owner parties, summed, and put through the one count."""

from collections.abc import Callable
from dataclasses import dataclass

from community.errors import ErrorCode
from community.votes.files import DEVELOPER, Party, VoteFile
from community.votes.roll import RollEntry, electorate, form_roll
from community.votes.rules import ZERO, Condition, Measure, Option, Sums, Tally, Weight, count


@dataclass(frozen=True, slots=True)
class RefusedBallot:
    """A ballot that does not count; `ballot` is its index from 0."""

    ballot: int
    code: ErrorCode


@dataclass(frozen=True, slots=True)
class CountedFile:
    """The sums are kept so that the same vote can be counted again under other rules."""

    sums: Sums
    tally: Tally
    refused: tuple[RefusedBallot, ...]


def count_file(vote: VoteFile) -> CountedFile:
    """A party's first ballot counts; its later ones and those of nobody on the roll are refused."""
    roll = form_roll(vote.units, DEVELOPER, parking_counts=vote.rules.parking_counts)
    party_of = _party_finder(roll)
    choices: dict[str, Weight] = dict.fromkeys(Option, ZERO)
    cast: set[Party] = set()
    refused: list[RefusedBallot] = []
    for index, ballot in enumerate(vote.ballots):
        party = party_of(ballot.by)
        if party is None:
            refused.append(RefusedBallot(index, ErrorCode.NOT_ON_ROLL))
        elif party in cast:
            refused.append(RefusedBallot(index, ErrorCode.ALREADY_CAST))
        else:
            cast.add(party)
            choices[ballot.choice] += roll[party].weight
    served = {party_of(by) for by in vote.served}
    silent = electorate(entry for party, entry in roll.items() if party in served and party not in cast)
    sums = Sums(electorate(roll.values()), choices, silent_served=silent)
    return CountedFile(sums, count(vote.matter, vote.rules, sums), tuple(refused))


def result(counted: CountedFile) -> dict[str, object]:
    """The result object: plain values for JSON, every amount a string with two decimals."""
    tally = counted.tally
    return {
        "outcome": tally.outcome,
        "eligible": _weight(tally.eligible),
        "participating": _weight(tally.participating),
        "agreeing": _weight(tally.agreeing),
        "choices": {option: _weight(weight) for option, weight in tally.choices.items()},
        "conditions": [_condition(condition) for condition in tally.conditions],
        "refused": [{"ballot": ballot.ballot, "code": ballot.code} for ballot in counted.refused],
    }


def two_decimals(hundredths: int) -> str:
    """Not negative: 20000 is written 200.00."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def amount(measure: Measure, value: int) -> str:
    """A condition's figure in m² or in heads; heads are written with two decimals too."""
    return two_decimals(value * 100 if measure is Measure.HEADS else value)


def _party_finder(roll: dict[Party, RollEntry[str, Party]]) -> Callable[[str], Party | None]:
    """Looks among the parties on the roll only, so a name's uncounted parking space confuses nothing."""
    parties_of: dict[str, list[Party]] = {}
    for party in roll:
        for name in party:
            parties_of.setdefault(name, []).append(party)

    def find(by: str) -> Party | None:
        exactly = frozenset(by.split("+"))
        if exactly in roll:
            return exactly
        parties = parties_of.get(by, [])
        return parties[0] if len(parties) == 1 else None

    return find


def _weight(weight: Weight) -> dict[str, object]:
    return {"heads": weight.heads, "area": two_decimals(weight.area)}


def _condition(condition: Condition) -> dict[str, object]:
    return {
        "gate": condition.gate,
        "measure": condition.measure,
        "need": condition.need,
        "clause": condition.clause,
        "have": amount(condition.measure, condition.have),
        "of": amount(condition.measure, condition.of),
        "missing": amount(condition.measure, condition.missing),
        "met": condition.met,
    }
