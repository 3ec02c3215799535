"""Who may correct what was published, and which corrections are refused."""

import pytest

from community.corrections import MOST_CORRECTIONS, check_correction, signer
from community.errors import InvalidInput

SAID = {"title": "停水", "body": "明天"}


def test_an_own_organization_among_those_that_signed_mends_it() -> None:
    assert signer([3, 5, 7], [7, 5], for_anybody=False) == 5


def test_whoever_acts_for_anybody_mends_it_in_the_name_of_the_first() -> None:
    assert signer([3, 5], [], for_anybody=True) == 3


def test_others_are_refused() -> None:
    with pytest.raises(InvalidInput, match="only the organization that signed it"):
        signer([3, 5], [4], for_anybody=False)


@pytest.mark.parametrize("words", [{}, {"title": "停水"}, SAID])
def test_a_correction_that_changes_nothing_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="says so already"):
        check_correction(SAID, words, 0)


def test_one_more_than_the_most_is_refused() -> None:
    check_correction(SAID, {"title": "停电"}, MOST_CORRECTIONS - 1)
    with pytest.raises(InvalidInput, match=f"corrected {MOST_CORRECTIONS} times"):
        check_correction(SAID, {"title": "停电"}, MOST_CORRECTIONS)
