import pytest

from community.members.reads import PartySeat
from community.members.rules import NotRepresentative, PartyKind, SessionKind, check_representative


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
