import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.errors import Forbidden, NotFound, Unauthenticated
from community.permissions import (
    CITY,
    GRANTS,
    NOBODY,
    SYSTEM,
    AnyOf,
    Needs,
    Permission,
    Person,
    Post,
    Role,
    Scope,
    Tie,
    Tied,
    Viewer,
    belongs_to,
    for_visitors,
    may,
    may_know,
    may_see_own,
    organizations_for,
    permissions_in,
    require,
    rights_of,
    table_of_rights,
)  # fmt: skip
from tests.examples import of_all, permissions_of

HERE, ELSEWHERE = 7, 8
CLOSED, PUBLIC = Scope(HERE, public_reading=False), Scope(HERE, public_reading=True)
MADE_UP = Scope(HERE, public_reading=False, demonstration=True)
READING = {Permission.READ_BULLETIN, Permission.READ_LEDGER}

INHERENT = {Permission.SIGN_IN, Permission.SIGN_OUT, Permission.READ_ACCOUNT}
"""What belongs to whoever asks, wherever and by whatever token."""

ANYBODY = INHERENT | {Permission.READ_OWN, Permission.CAST_BALLOT}

WHO_MAY = {role: permissions_of(role) for role in Role}


def holder(
    role: Role,
    community: int = HERE,
    scopes: frozenset[Permission] | None = None,
    *,
    demonstration: bool = False,
) -> Person:
    roles = {community: frozenset({role})}
    return Person(1, "somebody", roles, scopes, demonstration=demonstration)


def allowed(viewer: Viewer, scope: Scope = CLOSED) -> set[Permission]:
    return {permission for permission in Permission if may(viewer, permission, scope)}


def ties_in(needs: Needs) -> set[Tie]:
    """Of which one alone is enough."""
    parts = needs.parts if isinstance(needs, AnyOf) else (needs,)
    return {part.tie for part in parts if isinstance(part, Tied)}


viewers = st.builds(
    Person,
    account=st.just(1),
    roles=st.dictionaries(
        st.sampled_from([CITY, HERE, ELSEWHERE]), st.frozensets(st.sampled_from(Role), min_size=1)
    ),
)


@pytest.mark.parametrize("permission", Permission)
def test_a_permission_has_its_sentences_and_somebody_who_has_it(permission: Permission) -> None:
    grant = GRANTS[permission]
    assert re.fullmatch("[\u4e00-\u9fff].+：.+。", grant.zh)
    assert re.fullmatch(r"[A-Z][^\u4e00-\u9fff]+: .+\.", grant.en)


def test_each_permission_is_of_a_topic() -> None:
    unsaid = set(Permission) - of_all(lambda topic: topic.permissions).keys()
    assert unsaid == set(), "`permissions` in tests/topics/<topic>.py says who has it"


@pytest.mark.parametrize("role", Role)
def test_who_may_do_what(role: Role) -> None:
    assert allowed(holder(role)) == WHO_MAY[role]


@pytest.mark.parametrize("role", Role)
def test_a_role_ends_at_the_edge_of_its_community(role: Role) -> None:
    assert allowed(holder(role, ELSEWHERE)) == ANYBODY
    assert allowed(holder(role, ELSEWHERE), PUBLIC) == ANYBODY | READING


@pytest.mark.parametrize("role", Role)
def test_a_role_of_the_city_holds_in_every_community(role: Role) -> None:
    assert allowed(holder(role, CITY)) == WHO_MAY[role]


def test_roles_add_up() -> None:
    both = Person(1, roles={HERE: frozenset({Role.OWNER}), CITY: frozenset({Role.PROPERTY_MANAGER})})
    assert both.roles_in(HERE) == {Role.OWNER, Role.PROPERTY_MANAGER}
    assert allowed(both) == WHO_MAY[Role.OWNER] | WHO_MAY[Role.PROPERTY_MANAGER]


def test_without_signing_in_one_reads_what_is_public_and_nothing_else() -> None:
    assert allowed(NOBODY) == {Permission.SIGN_IN}
    assert allowed(NOBODY, PUBLIC) == READING | {Permission.SIGN_IN}


def test_the_system_may_do_everything_everywhere() -> None:
    assert allowed(SYSTEM) == set(Permission)
    assert may(SYSTEM, Permission.OPERATE, Scope(CITY, public_reading=False))


@given(viewers)
def test_only_an_operator_operates(viewer: Viewer) -> None:
    assert may(viewer, Permission.OPERATE, PUBLIC) == (Role.OPERATOR in viewer.roles_in(HERE))


def test_an_operator_of_one_community_does_not_run_the_system() -> None:
    city = Scope(CITY, public_reading=False)
    assert not may(holder(Role.OPERATOR), Permission.OPERATE, city)
    assert may(holder(Role.OPERATOR, CITY), Permission.OPERATE, city)


@given(viewers, st.frozensets(st.sampled_from(Permission)))
def test_scopes_only_narrow(viewer: Viewer, scopes: frozenset[Permission]) -> None:
    narrow = Person(viewer.account, roles=viewer.roles, scopes=scopes)
    within = scopes | {GRANTS[scope].reads for scope in scopes}
    assert allowed(narrow) == (allowed(viewer) & within) | INHERENT
    assert allowed(narrow, PUBLIC) == (allowed(viewer, PUBLIC) & within) | READING | INHERENT


def test_who_may_write_with_a_token_reads_what_was_written() -> None:
    narrow = holder(Role.COMMITTEE, scopes=frozenset({Permission.RECORD_ENTRY}))
    assert allowed(narrow) == INHERENT | {Permission.RECORD_ENTRY, Permission.READ_LEDGER}
    assert all(grant.reads in {None, *READING} for grant in GRANTS.values())


def test_whoever_has_not_signed_in_is_asked_to_and_the_others_are_told_why_not() -> None:
    with pytest.raises(Unauthenticated):
        require(NOBODY, Permission.PUBLISH_NOTICE, PUBLIC)
    with pytest.raises(Forbidden) as refusal:
        require(holder(Role.OWNER), Permission.PUBLISH_NOTICE, PUBLIC)
    assert GRANTS[Permission.PUBLISH_NOTICE].zh in refusal.value.zh
    assert GRANTS[Permission.PUBLISH_NOTICE].en in refusal.value.en
    require(holder(Role.COMMITTEE), Permission.PUBLISH_NOTICE, CLOSED)


# Demonstration accounts, into which whoever knows a name may go


@pytest.mark.parametrize("scope", [HERE, CITY])
@pytest.mark.parametrize("role", Role)
def test_a_demonstration_account_has_rights_where_all_is_made_up(role: Role, scope: int) -> None:
    somebody = holder(role, scope, demonstration=True)
    assert allowed(somebody, MADE_UP) == WHO_MAY[role]


@pytest.mark.parametrize("scope", [HERE, CITY])
@pytest.mark.parametrize("role", Role)
def test_a_demonstration_account_is_a_stranger_where_people_live(role: Role, scope: int) -> None:
    somebody = holder(role, scope, demonstration=True)
    assert allowed(somebody, CLOSED) == INHERENT
    assert allowed(somebody, PUBLIC) == READING | INHERENT
    assert not may(somebody, Permission.OPERATE, Scope(CITY, public_reading=False))
    with pytest.raises(NotFound):
        require(somebody, Permission.CAST_BALLOT, CLOSED)
    with pytest.raises(Forbidden):
        require(somebody, Permission.CAST_BALLOT, PUBLIC)


def test_a_community_of_which_nobody_said_so_is_a_real_one() -> None:
    assert not Scope(HERE, public_reading=True).demonstration


@given(viewers, st.booleans())
def test_those_who_share_have_the_same_rights(viewer: Viewer, demonstration: bool) -> None:
    somebody = replace(viewer, demonstration=demonstration, name="somebody", session=5)
    shared = rights_of(somebody)
    assert shared == rights_of(replace(somebody, account=2, name="another", session=6))
    assert {"account", "name", "session", "expires_at"}.isdisjoint(shared.__slots__)
    for scope in (CLOSED, PUBLIC, MADE_UP):
        assert allowed(shared, scope) == allowed(replace(viewer, demonstration=demonstration), scope)


# What may not be known of is not there


@pytest.mark.parametrize("permission", [one for one in Permission if one not in INHERENT])
def test_of_what_somebody_may_not_know_nothing_is_forbidden(permission: Permission) -> None:
    for viewer in (Person(1), holder(Role.COMMITTEE, ELSEWHERE), holder(Role.OWNER, scopes=frozenset())):
        with pytest.raises(NotFound):
            require(viewer, permission, CLOSED)
    with pytest.raises(Unauthenticated):
        require(NOBODY, permission, CLOSED)


def test_a_right_by_a_role_is_enough_to_know() -> None:
    require(holder(Role.OPERATOR, scopes=frozenset({Permission.OPERATE})), Permission.OPERATE, CLOSED)


def test_the_city_is_no_secret() -> None:
    with pytest.raises(Forbidden):
        require(Person(1), Permission.OPERATE, Scope(CITY, public_reading=False))


def test_a_subject_may_be_less_known_than_its_community() -> None:
    bookkeeper = holder(Role.COMMITTEE, scopes=frozenset({Permission.READ_LEDGER}))
    assert may_know(bookkeeper, CLOSED)
    with pytest.raises(Forbidden):
        require(bookkeeper, Permission.SIGN_UP, CLOSED)
    with pytest.raises(NotFound):
        require(bookkeeper, Permission.SIGN_UP, CLOSED, known_by=Permission.READ_BULLETIN)


@pytest.mark.parametrize("scope", Permission)
def test_a_community_is_known_by_either_way_of_reading(scope: Permission) -> None:
    narrow = holder(Role.COMMITTEE, scopes=frozenset({scope}))
    reads = scope in READING or GRANTS[scope].reads is not None
    assert may_know(narrow, CLOSED) == belongs_to(narrow, CLOSED) == reads
    assert may_know(narrow, PUBLIC)
    assert belongs_to(narrow, PUBLIC) == reads
    assert not belongs_to(Person(1), PUBLIC)


@pytest.mark.parametrize("scope", Permission)
@pytest.mark.parametrize(
    ("permission", "tie"), [(Permission.CAST_BALLOT, Tie.OF_PARTY), (Permission.SIGN_UP, Tie.OF_HOUSEHOLD)]
)
def test_ones_own_is_seen_with_the_action_or_with_the_right_to_see_it(
    permission: Permission, tie: Tie, scope: Permission
) -> None:
    narrow = holder(Role.OWNER, scopes=frozenset({scope}))
    assert may_see_own(narrow, permission, CLOSED, tie) == (scope in {permission, Permission.READ_OWN})
    assert may_see_own(holder(Role.OWNER), permission, CLOSED, tie)
    assert not may_see_own(NOBODY, permission, PUBLIC, tie)


def test_who_moved_away_still_sees_their_own() -> None:
    assert may_see_own(Person(1), Permission.SIGN_UP, CLOSED, Tie.OF_HOUSEHOLD)


# Ties to the subject itself


@pytest.mark.parametrize("tie", Tie)
def test_a_tie_that_was_looked_for_and_not_found_refuses(tie: Tie) -> None:
    """Where nobody looked yet, any account passes: the rule behind the door looks."""
    for permission in {one for one in Permission if tie in ties_in(GRANTS[one].needs)}:
        assert may(Person(1), permission, CLOSED)
        assert may(Person(1), permission, CLOSED, {tie})
        assert not may(Person(1), permission, CLOSED, set())
        assert not may(NOBODY, permission, CLOSED, {tie})


def test_a_publisher_needs_both_the_role_and_its_organization() -> None:
    chair = holder(Role.COMMITTEE)
    assert may(chair, Permission.PUBLISH_EVENT, CLOSED, {Tie.OF_ORGANIZATION})
    assert not may(chair, Permission.PUBLISH_EVENT, CLOSED, set())
    assert not may(holder(Role.OWNER), Permission.PUBLISH_EVENT, CLOSED, {Tie.OF_ORGANIZATION})


def test_nobody_signs_another_out() -> None:
    city = Scope(CITY, public_reading=False)
    require(Person(1), Permission.SIGN_OUT, city, ties={Tie.ONESELF})
    require(SYSTEM, Permission.SIGN_OUT, city, ties=())
    with pytest.raises(Forbidden):
        require(holder(Role.OPERATOR, CITY), Permission.SIGN_OUT, city, ties=())
    with pytest.raises(Unauthenticated):
        require(NOBODY, Permission.SIGN_OUT, city, ties={Tie.ONESELF})
    require(NOBODY, Permission.SIGN_IN, city)
    assert [one for one in Permission if for_visitors(one)] == [Permission.SIGN_IN, *sorted(READING)]


def test_what_belongs_to_the_account_is_no_permission_of_a_community() -> None:
    assert set(permissions_in(holder(Role.OWNER), CLOSED)) == WHO_MAY[Role.OWNER] - INHERENT
    assert permissions_in(NOBODY, CLOSED) == []


def test_a_publisher_speaks_for_the_organizations_through_which_it_may() -> None:
    posts = (
        Post(HERE, Role.PARTY_BRANCH, 3), Post(HERE, Role.COMMITTEE, 2), Post(HERE, Role.COMMITTEE, 3),
        Post(ELSEWHERE, Role.COMMITTEE, 4), Post(HERE, Role.CLERK, 5),
    )  # fmt: skip
    somebody = Person(1, posts=posts)
    assert organizations_for(somebody, Permission.PUBLISH_NOTICE, HERE) == [3, 2]
    assert organizations_for(somebody, Permission.SETTLE_PROFILE, HERE) == [2, 3]
    assert organizations_for(somebody, Permission.READ_OWN, HERE) == []
    assert organizations_for(SYSTEM, Permission.PUBLISH_NOTICE, HERE) == []


# In words


def test_the_table_of_rights_is_printed_from_the_grants() -> None:
    written = (Path(__file__).parents[2] / "docs" / "rights.md").read_text(encoding="utf-8")
    assert table_of_rights() in written, "write what `table_of_rights` says into docs/rights.md"
