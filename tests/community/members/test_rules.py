import pytest

from community.members.reads import PartySeat
from community.members.rules import (
    LONGEST_SECRET,
    NotRepresentative,
    PartyKind,
    SessionKind,
    check_representative,
    may_be_secret,
)


def test_without_a_named_representative_any_co_owner_casts() -> None:
    check_representative([], 1)
    assert PartySeat(5, frozenset()).may_cast(1)


def test_only_the_named_representative_casts() -> None:
    check_representative([1], 1)
    assert PartySeat(5, frozenset({1})).may_cast(1)
    with pytest.raises(NotRepresentative):
        check_representative([1], 2)
    assert not PartySeat(5, frozenset({1})).may_cast(2)


def test_stored_words_are_their_own_names() -> None:
    assert all(word.name == word.value for words in (PartyKind, SessionKind) for word in words)


@pytest.mark.parametrize(
    ("given", "may"),
    [
        ("dfTSFO4tAmSEYohfSS0sXSD7V8gBqxGOwzEJ4qhLRoA", True), ("x", True), ("x" * LONGEST_SECRET, True),
        ("", False), ("x" * (LONGEST_SECRET + 1), False), ("é", False), ("\ud800", False),
    ],
)  # fmt: skip
def test_what_no_session_ever_had_is_no_secret(given: str, may: bool) -> None:
    assert may_be_secret(given) is may
