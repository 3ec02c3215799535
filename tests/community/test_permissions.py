import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.errors import Forbidden, Unauthenticated
from community.permissions import (
    CITY,
    GRANTS,
    NOBODY,
    SYSTEM,
    Permission,
    Place,
    Role,
    Viewer,
    may,
    require,
)

HERE, ELSEWHERE = 7, 8
CLOSED, PUBLIC = Place(HERE, public_reading=False), Place(HERE, public_reading=True)
READING = {Permission.READ_BULLETIN, Permission.READ_LEDGER}

_STAFF = READING | {
    Permission.CAST_BALLOT,
    Permission.SIGN_UP,
    Permission.PUBLISH_EVENT,
    Permission.PUBLISH_NOTICE,
}
_HOUSEHOLD = READING | {Permission.CAST_BALLOT, Permission.SIGN_UP}
_READER = READING | {Permission.CAST_BALLOT}
_COMMITTEE = _STAFF | {Permission.ANNOUNCE_VOTE, Permission.RECORD_ENTRY}

WHO_MAY = {
    Role.OWNER: _HOUSEHOLD,
    Role.TENANT: _HOUSEHOLD,
    Role.COMMITTEE: _COMMITTEE,
    Role.MANAGEMENT_COMMITTEE: _COMMITTEE,
    Role.PROPERTY_MANAGER: _STAFF | {Permission.RECORD_ENTRY},
    Role.GRID_WORKER: _STAFF | {Permission.ANNOUNCE_VOTE},
    Role.PARTY_BRANCH: _STAFF,
    Role.CLERK: _READER,
    Role.REGULATOR: _READER,
    Role.INTEGRATOR: _READER,
    Role.OPERATOR: set(Permission),
}


def holder(role: Role, community: int = HERE, scopes: frozenset[Permission] | None = None) -> Viewer:
    return Viewer(1, "somebody", {community: frozenset({role})}, scopes)


def allowed(viewer: Viewer, place: Place = CLOSED) -> set[Permission]:
    return {permission for permission in Permission if may(viewer, permission, place)}


viewers = st.builds(
    Viewer,
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
    assert grant.roles or grant.anybody


@pytest.mark.parametrize("role", Role)
def test_who_may_do_what(role: Role) -> None:
    assert allowed(holder(role)) == WHO_MAY[role]


@pytest.mark.parametrize("role", Role)
def test_a_role_ends_at_the_edge_of_its_community(role: Role) -> None:
    assert allowed(holder(role, ELSEWHERE)) == {Permission.CAST_BALLOT}
    assert allowed(holder(role, ELSEWHERE), PUBLIC) == {Permission.CAST_BALLOT} | READING


@pytest.mark.parametrize("role", Role)
def test_a_role_of_the_city_holds_in_every_community(role: Role) -> None:
    assert allowed(holder(role, CITY)) == WHO_MAY[role]


def test_roles_add_up() -> None:
    both = Viewer(1, roles={HERE: frozenset({Role.OWNER}), CITY: frozenset({Role.PROPERTY_MANAGER})})
    assert both.roles_in(HERE) == {Role.OWNER, Role.PROPERTY_MANAGER}
    assert allowed(both) == WHO_MAY[Role.OWNER] | WHO_MAY[Role.PROPERTY_MANAGER]


def test_without_signing_in_one_reads_what_is_public_and_nothing_else() -> None:
    assert allowed(NOBODY) == set()
    assert allowed(NOBODY, PUBLIC) == READING


def test_the_system_may_do_everything_everywhere() -> None:
    assert allowed(SYSTEM) == set(Permission)
    assert may(SYSTEM, Permission.OPERATE, Place(CITY, public_reading=False))


@given(viewers)
def test_only_an_operator_operates(viewer: Viewer) -> None:
    assert may(viewer, Permission.OPERATE, PUBLIC) == (Role.OPERATOR in viewer.roles_in(HERE))


def test_an_operator_of_one_community_does_not_run_the_system() -> None:
    city = Place(CITY, public_reading=False)
    assert not may(holder(Role.OPERATOR), Permission.OPERATE, city)
    assert may(holder(Role.OPERATOR, CITY), Permission.OPERATE, city)


@given(viewers, st.frozensets(st.sampled_from(Permission)))
def test_scopes_only_narrow(viewer: Viewer, scopes: frozenset[Permission]) -> None:
    narrow = Viewer(viewer.account, roles=viewer.roles, scopes=scopes)
    within = scopes | {GRANTS[scope].reads for scope in scopes}
    assert allowed(narrow) == allowed(viewer) & within
    assert allowed(narrow, PUBLIC) == (allowed(viewer, PUBLIC) & within) | READING


def test_who_may_write_with_a_token_reads_what_was_written() -> None:
    narrow = holder(Role.COMMITTEE, scopes=frozenset({Permission.RECORD_ENTRY}))
    assert allowed(narrow) == {Permission.RECORD_ENTRY, Permission.READ_LEDGER}
    assert all(grant.reads in {None, *READING} for grant in GRANTS.values())


def test_whoever_has_not_signed_in_is_asked_to_and_the_others_are_told_why_not() -> None:
    with pytest.raises(Unauthenticated):
        require(NOBODY, Permission.PUBLISH_NOTICE, PUBLIC)
    with pytest.raises(Forbidden) as refusal:
        require(holder(Role.OWNER), Permission.PUBLISH_NOTICE, PUBLIC)
    assert GRANTS[Permission.PUBLISH_NOTICE].zh in refusal.value.zh
    assert GRANTS[Permission.PUBLISH_NOTICE].en in refusal.value.en
    require(holder(Role.COMMITTEE), Permission.PUBLISH_NOTICE, CLOSED)
