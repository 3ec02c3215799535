"""Who may do what: every permission once, with its sentence and the roles that have it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final, NamedTuple

from community.errors import Forbidden, NotFound, Unauthenticated


class City(Enum):
    """The scope above the communities: a role held there holds in every one (regulator, integrator)."""

    CITY = "CITY"


CITY: Final = City.CITY


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
    READ_OWN = "READ_OWN"
    CAST_BALLOT = "CAST_BALLOT"
    SIGN_UP = "SIGN_UP"
    PUBLISH_EVENT = "PUBLISH_EVENT"
    PUBLISH_NOTICE = "PUBLISH_NOTICE"
    ANNOUNCE_VOTE = "ANNOUNCE_VOTE"
    RECORD_ENTRY = "RECORD_ENTRY"
    SETTLE_PROFILE = "SETTLE_PROFILE"
    FOUND_COMMUNITY = "FOUND_COMMUNITY"
    KEEP_REGISTER = "KEEP_REGISTER"
    APPOINT = "APPOINT"
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


_COMMITTEES = frozenset({Role.COMMITTEE, Role.MANAGEMENT_COMMITTEE})
_CONVENERS = _COMMITTEES | {Role.GRID_WORKER}
_BOOKKEEPERS = _COMMITTEES | {Role.PROPERTY_MANAGER}
_ORGANIZERS = _CONVENERS | _BOOKKEEPERS | {Role.PARTY_BRANCH}
_HOUSEHOLDS = frozenset({Role.OWNER, Role.TENANT})
_REGULATORS = frozenset({Role.REGULATOR})
_READERS = _HOUSEHOLDS | _ORGANIZERS | _REGULATORS | {Role.CLERK, Role.INTEGRATOR}

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
    Permission.READ_OWN: Grant(
        "看自己的：登录的人看自己的名册条目、自己投的票、自己的报名。",
        "See one's own: any account its roll entries, the ballots it cast and its sign-ups.",
        anybody=True,
        reads=Permission.READ_BULLETIN,
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
    Permission.SETTLE_PROFILE: Grant(
        "改小区设置：业委会（物管委）。",
        "Settle the profile of the community: its committee.",
        _COMMITTEES,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.FOUND_COMMUNITY: Grant(
        "建立小区：市主管部门。",
        "Found communities: the regulator of the city.",
        _REGULATORS,
    ),
    Permission.KEEP_REGISTER: Grant(
        "登记楼幢、房屋、业主和租户：市主管部门。",
        "Keep the register of buildings, units, owners and tenants: the regulator of the city.",
        _REGULATORS,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.APPOINT: Grant(
        "开立账户、登记组织、任命身份：市主管部门。",
        "Open accounts, enter organizations and give roles: the regulator of the city.",
        _REGULATORS,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.OPERATE: Grant(
        "系统运行：管理员。",
        "Run the system: its operator, timers and imports.",
        frozenset({Role.OPERATOR}),
    ),
}


READING = (Permission.READ_BULLETIN, Permission.READ_LEDGER)
"""Whoever has one of these in a community knows of it: its name, its buildings, its parties."""


class Scope(NamedTuple):
    """The community in which a permission is asked, as far as the check needs to know it.

    Not to be mixed up with `Viewer.scopes`, which is OAuth's word for what a token is narrowed to.
    `demonstration` is False, a real community, unless it is said.
    """

    id: int | City
    public_reading: bool
    demonstration: bool = False


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `roles` by community id, or under CITY; `scopes` narrows a token, None narrows nothing.

    `demonstration`: anybody who knows the name may sign in, so it has rights in demonstration communities
    only. `somebody`: signed in, with the account left out, as `rights_of` makes it.
    """

    account: int | None = None
    name: str = ""
    roles: Mapping[int | City, frozenset[Role]] = field(default_factory=dict)
    scopes: frozenset[Permission] | None = None
    session: int | None = None
    expires_at: datetime | None = None
    demonstration: bool = False
    somebody: bool = False

    @property
    def signed_in(self) -> bool:
        return self.somebody or self.account is not None

    def roles_in(self, community: int | City) -> frozenset[Role]:
        return self.roles.get(community, frozenset()) | self.roles.get(CITY, frozenset())


NOBODY = Viewer()
"""Whoever has not signed in."""

SYSTEM = Viewer(account=0, name="system", roles={CITY: frozenset({Role.OPERATOR})})
"""Timers, imports and the command line on the machine itself."""


def rights_of(viewer: Viewer) -> Viewer:
    """A viewer with these rights and nothing else: equal for all who may do the same."""
    return replace(viewer, account=None, name="", session=None, expires_at=None, somebody=viewer.signed_in)


def may(viewer: Viewer, permission: Permission, scope: Scope) -> bool:
    grant = GRANTS[permission]
    return (grant.public and scope.public_reading) or _may_by_account(viewer, permission, scope)


def _may_by_account(viewer: Viewer, permission: Permission, scope: Scope) -> bool:
    """Whether the account gives the right, beyond what every stranger may."""
    if not viewer.signed_in or (viewer.demonstration and not scope.demonstration):
        return False
    if viewer.scopes is not None and not _covered(permission, viewer.scopes):
        return False
    grant, roles = GRANTS[permission], viewer.roles_in(scope.id)
    return grant.anybody or Role.OPERATOR in roles or bool(grant.roles & roles)


def _covered(permission: Permission, scopes: frozenset[Permission]) -> bool:
    """Whether a token with these scopes has it, for itself or to read what it did."""
    return permission in scopes or any(GRANTS[granted].reads is permission for granted in scopes)


def may_know(viewer: Viewer, scope: Scope) -> bool:
    """Whether the viewer may learn that there is such a community, and what it is."""
    return any(may(viewer, permission, scope) for permission in READING)


def belongs_to(viewer: Viewer, scope: Scope) -> bool:
    """Whether the viewer knows of it by a role of its own, and not only as everybody does."""
    return any(_may_by_account(viewer, permission, scope) for permission in READING)


def may_see_own(viewer: Viewer, permission: Permission, scope: Scope) -> bool:
    """Whether the viewer may see what it did itself by this permission."""
    return may(viewer, permission, scope) or may(viewer, Permission.READ_OWN, scope)


def require(viewer: Viewer, permission: Permission, scope: Scope, known_by: Permission | None = None) -> None:
    """Raises Unauthenticated if nobody is signed in, NotFound if the viewer may not know of the subject, and
    Forbidden if it lacks the right.

    `known_by`: the permission without which nobody learns of the subject; None: the subject is the community
    itself.
    """
    allowed = may(viewer, permission, scope)
    if allowed and not GRANTS[permission].anybody:
        return
    if not viewer.signed_in:
        raise Unauthenticated
    known = may_know(viewer, scope) if known_by is None else may(viewer, known_by, scope)
    if not known and scope.id != CITY:
        raise NotFound
    if not allowed:
        raise Forbidden(sentence_zh=GRANTS[permission].zh, sentence_en=GRANTS[permission].en)
