"""Who may do what: every permission once, with its sentence and the roles that have it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from community.errors import Forbidden, Unauthenticated

CITY = 0
"""The place of a role that holds in every community (regulator, integrator)."""


class Role(StrEnum):
    OWNER = "OWNER"
    TENANT = "TENANT"
    COMMITTEE = "COMMITTEE"
    MANAGEMENT_COMMITTEE = "MANAGEMENT_COMMITTEE"
    PROPERTY_MANAGER = "PROPERTY_MANAGER"
    GRID_WORKER = "GRID_WORKER"
    PARTY_BRANCH = "PARTY_BRANCH"
    CLERK = "CLERK"
    REGULATOR = "REGULATOR"
    INTEGRATOR = "INTEGRATOR"
    OPERATOR = "OPERATOR"


class Permission(StrEnum):
    READ_BULLETIN = "READ_BULLETIN"
    READ_LEDGER = "READ_LEDGER"
    CAST_BALLOT = "CAST_BALLOT"
    SIGN_UP = "SIGN_UP"
    PUBLISH_EVENT = "PUBLISH_EVENT"
    PUBLISH_NOTICE = "PUBLISH_NOTICE"
    ANNOUNCE_VOTE = "ANNOUNCE_VOTE"
    RECORD_ENTRY = "RECORD_ENTRY"
    OPERATE = "OPERATE"


class Grant(NamedTuple):
    """What stands behind a permission.

    `anybody`: every account, whatever its roles. `public`: without signing in where the
    community's profile says `public_reading`. `reads`: what a token narrowed to this permission
    may read besides, so that it is told what it did.
    """

    zh: str
    en: str
    roles: frozenset[Role] = frozenset()
    anybody: bool = False
    public: bool = False
    reads: Permission | None = None


_CONVENERS = frozenset({Role.COMMITTEE, Role.MANAGEMENT_COMMITTEE, Role.GRID_WORKER})
_BOOKKEEPERS = frozenset({Role.COMMITTEE, Role.MANAGEMENT_COMMITTEE, Role.PROPERTY_MANAGER})
_ORGANIZERS = _CONVENERS | _BOOKKEEPERS | {Role.PARTY_BRANCH}
_HOUSEHOLDS = frozenset({Role.OWNER, Role.TENANT})
_READERS = _HOUSEHOLDS | _ORGANIZERS | {Role.CLERK, Role.REGULATOR, Role.INTEGRATOR}

GRANTS: Mapping[Permission, Grant] = {
    Permission.READ_BULLETIN: Grant(
        "看表决、活动、公告：本小区的住户和工作人员，公开的小区人人可看。",
        "See votes, events and notices: members of the community, anybody where it is public.",
        _READERS,
        public=True,
    ),
    Permission.READ_LEDGER: Grant(
        "看共有收入账：本小区的住户和工作人员，公开的小区人人可看。",
        "See the ledger: members of the community, anybody where it is public.",
        _READERS,
        public=True,
    ),
    Permission.CAST_BALLOT: Grant(
        "投票：登录的业主，名册里有您才算。",
        "Cast a ballot: any account; the roll of the vote decides.",
        anybody=True,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.SIGN_UP: Grant(
        "报名活动：本小区的业主、租户和工作人员。",
        "Sign up for events: owners, tenants and staff of the community.",
        _HOUSEHOLDS | _ORGANIZERS,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.PUBLISH_EVENT: Grant(
        "发布活动：社区、党支部、业委会（物管委）、物业。",
        "Publish events: the four parties of the community.",
        _ORGANIZERS,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.PUBLISH_NOTICE: Grant(
        "发布公告：社区、党支部、业委会（物管委）、物业。",
        "Publish notices: the four parties of the community.",
        _ORGANIZERS,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.ANNOUNCE_VOTE: Grant(
        "发起表决：业委会（物管委）、社区。",
        "Announce votes: the committee or the residents' committee.",
        _CONVENERS,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.RECORD_ENTRY: Grant(
        "记账：业委会（物管委）、物业。",
        "Record in the ledger: the committee and the property manager.",
        _BOOKKEEPERS,
        reads=Permission.READ_LEDGER,
    ),
    Permission.OPERATE: Grant(
        "系统运行：管理员。",
        "Run the system: its operator, timers and imports.",
        frozenset({Role.OPERATOR}),
    ),
}


class Place(NamedTuple):
    """What a permission check needs to know of a community."""

    id: int
    public_reading: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `roles` by community id; `scopes` narrows a token, None narrows nothing."""

    account: int | None = None
    name: str = ""
    roles: Mapping[int, frozenset[Role]] = field(default_factory=dict)
    scopes: frozenset[Permission] | None = None
    session: int | None = None
    expires_at: datetime | None = None

    def roles_in(self, community: int) -> frozenset[Role]:
        return self.roles.get(community, frozenset()) | self.roles.get(CITY, frozenset())


NOBODY = Viewer()
"""Whoever has not signed in."""

SYSTEM = Viewer(account=0, name="system", roles={CITY: frozenset({Role.OPERATOR})})
"""Timers, imports and the command line on the machine itself."""


SOMEBODY = -1
"""The account of somebody signed in, whoever it is."""


def rights_of(viewer: Viewer) -> Viewer:
    """The same for all who may do the same: a viewer with these rights and nothing else."""
    account = None if viewer.account is None else SOMEBODY
    return Viewer(account=account, roles=viewer.roles, scopes=viewer.scopes)


def may(viewer: Viewer, permission: Permission, place: Place) -> bool:
    grant = GRANTS[permission]
    if viewer.scopes is not None and not _within(viewer.scopes, permission):
        return grant.public and place.public_reading
    if grant.public and place.public_reading:
        return True
    if viewer.account is None:
        return False
    roles = viewer.roles_in(place.id)
    return grant.anybody or Role.OPERATOR in roles or bool(grant.roles & roles)


def _within(scopes: frozenset[Permission], permission: Permission) -> bool:
    return permission in scopes or any(GRANTS[scope].reads is permission for scope in scopes)


def require(viewer: Viewer, permission: Permission, place: Place) -> None:
    """Raises Unauthenticated for nobody, Forbidden for somebody without the right."""
    if may(viewer, permission, place):
        return
    if viewer.account is None:
        raise Unauthenticated
    raise Forbidden(sentence_zh=GRANTS[permission].zh, sentence_en=GRANTS[permission].en)
