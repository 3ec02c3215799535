"""Each bound of groups says its own number, and of what."""

import pytest

from community.errors import ErrorCode, LimitReached
from community.signals import Signal
from realtime import bounds
from realtime.bounds import GroupBounds, TooManyGroups, TooManyOfSubject

VOTE, OTHER, THIRD = (Signal("tally", key) for key in (1, 2, 3))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (
        ("MOST_OF_ADDRESS", 9), ("MOST_OF_SUBJECT", 8), ("MOST_OF_BOTH", 6), ("FEW", 2),
        ("MOST_ALONE_OF_ADDRESS", 3),
    ):  # fmt: skip
        monkeypatch.setattr(bounds, name, most)


def begun(counts: GroupBounds, address: str, watched: Signal, groups: int) -> None:
    for _ in range(groups):
        counts.begin(address, watched)


def test_an_address_has_so_many_of_one_subject() -> None:
    counts = GroupBounds()
    begun(counts, "a", VOTE, 6)
    with pytest.raises(TooManyOfSubject) as refused:
        counts.begin("a", VOTE)
    assert (refused.value.details, refused.value.code) == ({"most": 6}, ErrorCode.LIMIT_REACHED)


def test_where_a_subject_is_crowded_an_address_is_told_how_few_it_may_begin() -> None:
    counts = GroupBounds()
    begun(counts, "a", VOTE, 6)
    begun(counts, "b", VOTE, 2)
    begun(counts, "c", VOTE, 2)
    for address in ("b", "c"):
        with pytest.raises(TooManyOfSubject) as refused:
            counts.begin(address, VOTE)
        assert refused.value.details == {"most": 2}
    with pytest.raises(TooManyOfSubject) as refused:
        counts.begin("a", VOTE)  # which has more than that, from before
    assert refused.value.details == {"most": 6}


def test_an_address_has_so_many_of_all_subjects() -> None:
    counts = GroupBounds()
    begun(counts, "a", VOTE, 5)
    begun(counts, "a", OTHER, 4)
    with pytest.raises(TooManyGroups) as refused:
        counts.begin("a", THIRD)
    assert refused.value.details == {"most": 9}
    assert "of the same" not in refused.value.en
    assert "同一内容" not in refused.value.zh


def test_groups_of_one_are_counted_apart_and_what_ended_no_more() -> None:
    counts = GroupBounds()
    held = [counts.begin_alone("a") for _ in range(3)]
    held.append(counts.begin("a", VOTE))
    with pytest.raises(LimitReached) as refused:
        counts.begin_alone("a")
    assert refused.value.details == {"most": 3}
    counts.end(held.pop(0))
    held.append(counts.begin_alone("a"))
    for each in held:
        counts.end(each)
    assert not counts._counts
