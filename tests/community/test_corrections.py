"""Who may correct what was published, and which corrections are refused."""

import pytest

from community.corrections import MOST_CORRECTIONS, check_correction, signer, signers
from community.errors import InvalidInput
from community.permissions import NOBODY, SYSTEM, Permission, Person, Post, Role, Viewer

SAID = {"title": "停水", "body": "明天"}


HERE, ELSEWHERE = 1, 2


def member(*organizations: int, role: Role = Role.COMMITTEE, community: int = HERE) -> Person:
    posts = tuple(Post(community, role, organization) for organization in organizations)
    return Person(account=9, roles={HERE: frozenset({role})}, posts=posts)


def signs(viewer: Viewer, *signing: int) -> int:
    return signer(signers(viewer, Permission.PUBLISH_NOTICE, HERE, signing))


def test_an_own_organization_among_those_that_signed_mends_it() -> None:
    assert signs(member(7, 5), 3, 5, 7) == 5


def test_the_operator_mends_it_in_the_name_of_the_first() -> None:
    assert signs(SYSTEM, 3, 5) == 3
    assert signs(member(role=Role.OPERATOR), 3, 5) == 3


@pytest.mark.parametrize(
    "viewer", [member(4), member(), member(3, role=Role.CLERK), member(3, community=ELSEWHERE), NOBODY]
)
def test_others_are_refused(viewer: Viewer) -> None:
    with pytest.raises(InvalidInput, match="only the organization that signed it"):
        signs(viewer, 3, 5)


@pytest.mark.parametrize("words", [{}, {"title": "停水"}, SAID])
def test_a_correction_that_changes_nothing_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="says so already"):
        check_correction(SAID, words, 0)


def test_one_more_than_the_most_is_refused() -> None:
    check_correction(SAID, {"title": "停电"}, MOST_CORRECTIONS - 1)
    with pytest.raises(InvalidInput, match=f"corrected {MOST_CORRECTIONS} times"):
        check_correction(SAID, {"title": "停电"}, MOST_CORRECTIONS)
