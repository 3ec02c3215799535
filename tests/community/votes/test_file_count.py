import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.errors import ErrorCode
from community.places.rules import DeliveryStatus
from community.votes.file_count import CountedFile, RefusedBallot, count_file, result, two_decimals
from community.votes.files import FileBallot, VoteFile, parse, read
from community.votes.roll import RollUnit
from community.votes.rules import CountingRules, Matter, Option, Silence, Weight

VECTORS = sorted((Path(__file__).parents[2] / "vectors").glob("*.json"))
NAMES = "ABCDEF"

names = st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=2)
ballots = st.builds(
    FileBallot, by=names.map(lambda party: "+".join(sorted(party))), choice=st.sampled_from(Option)
)


def vote(owners: list[frozenset[str]], *cast: FileBallot, rules: CountingRules | None = None) -> VoteFile:
    units = tuple(RollUnit(str(index), party, 10000 + index) for index, party in enumerate(owners))
    return VoteFile("x", Matter.ENGAGE_PROVIDER, rules or CountingRules(), units, cast, tuple(NAMES))


def refused(counted: CountedFile) -> list[tuple[int, str]]:
    return [(ballot.ballot, ballot.code) for ballot in counted.refused]


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_worked_count(path: Path) -> None:
    expected = json.loads(path.read_text(encoding="utf-8"))["expect"]
    found = json.loads(json.dumps(result(count_file(read(path)))))
    conditions, wanted = found.pop("conditions"), expected.pop("conditions")
    assert {key: found[key] for key in expected} == expected
    assert [{key: got[key] for key in want} for got, want in zip(conditions, wanted, strict=True)] == wanted


def test_there_are_vectors_to_work_through() -> None:
    assert {path.stem[0] for path in VECTORS} == {"V", "W"}


def test_the_result_object_has_exactly_these_keys() -> None:
    found = result(
        count_file(vote([frozenset("A")], FileBallot("A", Option.FOR), FileBallot("Z", Option.FOR)))
    )
    assert json.dumps(found, ensure_ascii=False) == (
        '{"outcome": "ADOPTED", "eligible": {"heads": 1, "area": "100.00"}, '
        '"participating": {"heads": 1, "area": "100.00"}, "agreeing": {"heads": 1, "area": "100.00"}, '
        '"choices": {"FOR": {"heads": 1, "area": "100.00"}, "AGAINST": {"heads": 0, "area": "0.00"}, '
        '"ABSTAIN": {"heads": 0, "area": "0.00"}, "FOLLOW": {"heads": 0, "area": "0.00"}}, "conditions": ['
        '{"gate": "PARTICIPATION", "measure": "AREA", "need": "2/3", "clause": "民法典 278", '
        '"have": "100.00", "of": "100.00", "missing": "0.00", "met": true}, '
        '{"gate": "PARTICIPATION", "measure": "HEADS", "need": "2/3", "clause": "民法典 278", '
        '"have": "1.00", "of": "1.00", "missing": "0.00", "met": true}, '
        '{"gate": "AGREEMENT", "measure": "AREA", "need": "1/2", "clause": "民法典 278", '
        '"have": "100.00", "of": "100.00", "missing": "0.00", "met": true}, '
        '{"gate": "AGREEMENT", "measure": "HEADS", "need": "1/2", "clause": "民法典 278", '
        '"have": "1.00", "of": "1.00", "missing": "0.00", "met": true}], '
        '"refused": [{"ballot": 1, "code": "NOT_ON_ROLL"}]}'
    )


def test_a_refused_ballot_leaves_the_party_its_first_valid_one() -> None:
    pair = frozenset("AB")
    counted = count_file(
        vote(
            [pair],
            FileBallot("A+C", Option.FOR),
            FileBallot("B", Option.AGAINST),
            FileBallot("A", Option.FOR),
        )
    )
    assert refused(counted) == [(0, ErrorCode.NOT_ON_ROLL), (2, ErrorCode.ALREADY_CAST)]
    assert counted.tally.choices[Option.AGAINST] == Weight(1, 10000)


def test_some_of_several_co_owners_together_are_no_party() -> None:
    counted = count_file(vote([frozenset("ABC")], FileBallot("A+B", Option.FOR), FileBallot("C", Option.FOR)))
    assert counted.refused == (RefusedBallot(0, ErrorCode.NOT_ON_ROLL),)


def test_an_uncounted_parking_space_makes_no_name_ambiguous() -> None:
    text = (
        '{"title": "x", "matter": "COVENANT", "units": ['
        '{"unit": "1", "owners": ["A", "B"], "area": "90.00"},'
        '{"unit": "P", "owners": ["A"], "area": "12.50", "kind": "PARKING"}],'
        '"ballots": [{"by": "A", "choice": "FOR"}]}'
    )
    assert count_file(parse(text.encode())).tally.agreeing == Weight(1, 9000)


def test_the_buyer_of_an_undelivered_unit_does_not_vote_it() -> None:
    unit = RollUnit("1", frozenset("A"), 10000, status=DeliveryStatus.UNDELIVERED)
    cast = (FileBallot("A", Option.FOR), FileBallot("DEVELOPER", Option.AGAINST))
    counted = count_file(VoteFile("x", Matter.COVENANT, CountingRules(), (unit,), cast, ()))
    assert refused(counted) == [(0, ErrorCode.NOT_ON_ROLL)]
    assert counted.tally.choices[Option.AGAINST] == Weight(1, 10000)


@given(
    st.lists(names, min_size=1, max_size=8), st.lists(ballots, max_size=12), st.randoms(use_true_random=False)
)
def test_the_order_of_different_parties_does_not_matter(
    owners: list[frozenset[str]], cast: list[FileBallot], order: random.Random
) -> None:
    counted = count_file(vote(owners, *cast))
    repeated = {ballot.ballot for ballot in counted.refused if ballot.code == ErrorCode.ALREADY_CAST}
    first_ones = [ballot for index, ballot in enumerate(cast) if index not in repeated]
    order.shuffle(first_ones)
    assert count_file(vote(owners, *first_ones)).tally == counted.tally


@given(st.lists(names, min_size=1, max_size=8), st.lists(ballots, max_size=12))
def test_every_ballot_is_counted_or_refused_and_no_party_twice(
    owners: list[frozenset[str]], cast: list[FileBallot]
) -> None:
    counted = count_file(vote(owners, *cast))
    assert counted.tally.participating.heads == len(cast) - len(counted.refused)
    assert counted.tally.participating.heads <= counted.tally.eligible.heads
    assert counted.tally.participating.area <= counted.tally.eligible.area


@given(st.lists(names, min_size=1, max_size=8), st.lists(ballots, max_size=12), st.booleans())
def test_the_silent_and_the_cast_never_exceed_the_roll(
    owners: list[frozenset[str]], cast: list[FileBallot], floor: bool
) -> None:
    rules = CountingRules(silence=Silence.FOLLOW_MAJORITY, silence_floor=floor)
    tally = count_file(vote(owners, *cast, rules=rules)).tally
    assert tally.agreeing.heads <= tally.participating.heads <= tally.eligible.heads
    assert tally.agreeing.area <= tally.participating.area <= tally.eligible.area


@pytest.mark.parametrize(
    ("hundredths", "text"), [(0, "0.00"), (5, "0.05"), (8950, "89.50"), (10**12, "10000000000.00")]
)
def test_two_decimals(hundredths: int, text: str) -> None:
    assert two_decimals(hundredths) == text


def _estate(size: int) -> bytes:
    units = [{"unit": f"{i}", "owners": [f"业主{i % (size - 9)}"], "area": "89.50"} for i in range(size)]
    cast = [{"by": f"业主{i}", "choice": "FOR"} for i in range(size * 3 // 4)]
    return json.dumps({"title": "x", "matter": "REBUILD", "units": units, "ballots": cast}).encode()


def test_the_work_grows_with_the_estate_and_not_with_its_square() -> None:
    def seconds(data: bytes) -> float:
        start = time.perf_counter()
        count_file(parse(data))
        return time.perf_counter() - start

    small, large = _estate(2_000), _estate(16_000)
    pairs = [(seconds(small), seconds(large)) for _ in range(5)]
    # Eight times the estate; a square would be 64 times the work.
    assert min(pair[1] for pair in pairs) < 32 * min(pair[0] for pair in pairs)
    assert count_file(parse(large)).tally.participating.heads == 12_000
