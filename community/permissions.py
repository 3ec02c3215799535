"""Who may do what: every permission once, with its sentence and what it needs of whoever asks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final, NamedTuple, TypeAlias

from community.errors import ErrorCode, Forbidden, NotFound, Unauthenticated


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
    SIGN_IN = "SIGN_IN"
    SIGN_OUT = "SIGN_OUT"
    READ_ACCOUNT = "READ_ACCOUNT"
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
    MANAGE_SESSIONS = "MANAGE_SESSIONS"
    OPERATE = "OPERATE"


# What a permission needs


class Tie(StrEnum):
    """What an account may be to a subject, beyond its roles. Whoever finds the subject finds the ties."""

    ONESELF = "ONESELF"
    OF_PARTY = "OF_PARTY"
    OF_HOUSEHOLD = "OF_HOUSEHOLD"
    OF_ORGANIZATION = "OF_ORGANIZATION"


@dataclass(frozen=True, slots=True)
class Anyone:
    """Visitors, too."""


@dataclass(frozen=True, slots=True)
class PublicReading:
    """Anyone, visitors too, where the community's profile says `public_reading`."""


@dataclass(frozen=True, slots=True)
class HasRole:
    """One of these roles, in the community of the subject or in the city; OPERATOR stands for any."""

    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Tied:
    """An account with this tie to the subject. `refused_as`: the word of the rule that looks for the tie
    where the door does not, such as the roll of a vote.
    """

    tie: Tie
    refused_as: ErrorCode | None = None


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: "tuple[Needs, ...]"


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: "tuple[Needs, ...]"


Needs: TypeAlias = Anyone | PublicReading | HasRole | Tied | AnyOf | AllOf


class Grant(NamedTuple):
    """What stands behind a permission.

    `inherent`: it belongs to the account itself and to no community, so that no scope of a token takes it
    away. `reads`: what a token narrowed to this permission may read besides, so that it is told what it did.
    """

    zh: str
    en: str
    needs: Needs
    inherent: bool = False
    reads: Permission | None = None


_COMMITTEES = frozenset({Role.COMMITTEE, Role.MANAGEMENT_COMMITTEE})
_CONVENERS = _COMMITTEES | {Role.GRID_WORKER}
_BOOKKEEPERS = _COMMITTEES | {Role.PROPERTY_MANAGER}
_ORGANIZERS = _CONVENERS | _BOOKKEEPERS | {Role.PARTY_BRANCH}
_HOUSEHOLDS = frozenset({Role.OWNER, Role.TENANT})
_REGULATORS = frozenset({Role.REGULATOR})
_READERS = _HOUSEHOLDS | _ORGANIZERS | _REGULATORS | {Role.CLERK, Role.INTEGRATOR}

_OWN = AnyOf((Tied(Tie.ONESELF), Tied(Tie.OF_PARTY), Tied(Tie.OF_HOUSEHOLD)))
_PUBLISHING = AllOf((HasRole(_ORGANIZERS), Tied(Tie.OF_ORGANIZATION, ErrorCode.INVALID_INPUT)))

GRANTS: Mapping[Permission, Grant] = {
    Permission.SIGN_IN: Grant(
        "登录：人人可以，也不必先有账号。",
        "Sign in: anybody, also a visitor.",
        Anyone(),
        inherent=True,
    ),
    Permission.SIGN_OUT: Grant(
        "退出自己的登录或令牌：本人。",
        "End one's own session or token: whoever holds it.",
        Tied(Tie.ONESELF),
        inherent=True,
    ),
    Permission.READ_ACCOUNT: Grant(
        "看自己的账号：本人。",
        "See who one is signed in as: any account itself.",
        Tied(Tie.ONESELF),
        inherent=True,
    ),
    Permission.READ_BULLETIN: Grant(
        "看表决、活动、公告：本小区的住户和工作人员，公开的小区人人可看。",
        "See votes, events and notices: members of the community, anybody where it is public.",
        AnyOf((PublicReading(), HasRole(_READERS))),
    ),
    Permission.READ_LEDGER: Grant(
        "看共有收入账：本小区的住户和工作人员，公开的小区人人可看。",
        "See the ledger: members of the community, anybody where it is public.",
        AnyOf((PublicReading(), HasRole(_READERS))),
    ),
    Permission.READ_OWN: Grant(
        "看自己的：登录的人看自己的名册条目、自己投的票、自己家的报名。",
        "See one's own: any account its roll entries, the ballots it cast and its household's sign-ups.",
        _OWN,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.CAST_BALLOT: Grant(
        "投票：登录的业主，名册里有您才算。",
        "Cast a ballot: any account; the roll of the vote decides.",
        Tied(Tie.OF_PARTY, ErrorCode.NOT_ON_ROLL),
        reads=Permission.READ_BULLETIN,
    ),
    Permission.SIGN_UP: Grant(
        "报名活动：本小区的业主、租户和工作人员。",
        "Sign up for events: owners, tenants and staff of the community.",
        HasRole(_HOUSEHOLDS | _ORGANIZERS),
        reads=Permission.READ_BULLETIN,
    ),
    Permission.PUBLISH_EVENT: Grant(
        "发布活动：社区、党支部、业委会（物管委）、物业。",
        "Publish events: the four parties of the community.",
        _PUBLISHING,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.PUBLISH_NOTICE: Grant(
        "发布公告：社区、党支部、业委会（物管委）、物业。",
        "Publish notices: the four parties of the community.",
        _PUBLISHING,
        reads=Permission.READ_BULLETIN,
    ),
    Permission.ANNOUNCE_VOTE: Grant(
        "发起表决：业委会（物管委）、社区。",
        "Announce votes: the committee or the residents' committee.",
        HasRole(_CONVENERS),
        reads=Permission.READ_BULLETIN,
    ),
    Permission.RECORD_ENTRY: Grant(
        "记账：业委会（物管委）、物业。",
        "Record in the ledger: the committee and the property manager.",
        HasRole(_BOOKKEEPERS),
        reads=Permission.READ_LEDGER,
    ),
    Permission.SETTLE_PROFILE: Grant(
        "改小区设置：业委会（物管委）。",
        "Settle the profile of the community: its committee.",
        HasRole(_COMMITTEES),
        reads=Permission.READ_BULLETIN,
    ),
    Permission.FOUND_COMMUNITY: Grant(
        "建立小区：市主管部门。",
        "Found communities: the regulator of the city.",
        HasRole(_REGULATORS),
    ),
    Permission.KEEP_REGISTER: Grant(
        "登记楼幢、房屋、业主和租户：市主管部门。",
        "Keep the register of buildings, units, owners and tenants: the regulator of the city.",
        HasRole(_REGULATORS),
        reads=Permission.READ_BULLETIN,
    ),
    Permission.APPOINT: Grant(
        "开立账户、登记组织、任命身份：市主管部门。",
        "Open accounts, enter organizations and give roles: the regulator of the city.",
        HasRole(_REGULATORS),
        reads=Permission.READ_BULLETIN,
    ),
    Permission.MANAGE_SESSIONS: Grant(
        "管理登录和令牌：管理员。",
        "Open and end the sessions of others: the operator of the system.",
        HasRole(frozenset({Role.OPERATOR})),
    ),
    Permission.OPERATE: Grant(
        "系统运行：管理员。",
        "Run the system: its operator, timers and imports.",
        HasRole(frozenset({Role.OPERATOR})),
    ),
}


READING = (Permission.READ_BULLETIN, Permission.READ_LEDGER)
"""Whoever has one of these in a community knows of it: its name, its buildings, its parties."""


class Scope(NamedTuple):
    """The community in which a permission is asked, as far as the check needs to know it.

    Not to be mixed up with `Person.scopes`, which is OAuth's word for what a token is narrowed to.
    `demonstration` is False, a real community, unless it is said.
    """

    id: int | City
    public_reading: bool
    demonstration: bool = False


# Who asks


class Post(NamedTuple):
    """A role that is held through an organization of the community."""

    community: int
    role: Role
    organization: int


Roles: TypeAlias = Mapping[int | City, frozenset[Role]]
"""By community id, or under CITY."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is signed in. `scopes` narrows a token, None narrows nothing; `posts`: the longest held first.

    `demonstration`: anybody who knows the name may sign in, so it has rights in demonstration communities
    only.
    """

    account: int
    name: str = ""
    roles: Roles = field(default_factory=dict)
    scopes: frozenset[Permission] | None = None
    session: int | None = None
    expires_at: datetime | None = None
    demonstration: bool = False
    posts: tuple[Post, ...] = ()

    def roles_in(self, community: int | City) -> frozenset[Role]:
        return roles_in(self.roles, community)


@dataclass(frozen=True, slots=True)
class Rights:
    """All persons at once who may do the same: for them one answer is made."""

    roles: Roles
    scopes: frozenset[Permission] | None
    demonstration: bool


class Visitor(Enum):
    NOBODY = "NOBODY"


class System(Enum):
    SYSTEM = "SYSTEM"


NOBODY: Final = Visitor.NOBODY
"""Whoever has not signed in."""

SYSTEM: Final = System.SYSTEM
"""Timers, imports and the command line on the machine itself."""

Actor: TypeAlias = Person | System | Visitor
"""Who does something."""

Viewer: TypeAlias = Actor | Rights
"""Who is shown something."""


def roles_in(roles: Roles, community: int | City) -> frozenset[Role]:
    return roles.get(community, frozenset()) | roles.get(CITY, frozenset())


def rights_of(viewer: Viewer) -> Rights | System | Visitor:
    """The viewer's rights and nothing else: equal for all who may do the same."""
    if isinstance(viewer, Person):
        return Rights(viewer.roles, viewer.scopes, viewer.demonstration)
    return viewer


def account_of(viewer: Viewer) -> int | None:
    """None where nobody in particular asks."""
    return viewer.account if isinstance(viewer, Person) else None


def organizations_for(viewer: Viewer, permission: Permission, community: int) -> list[int]:
    """Those through which the viewer holds a role that gives it this permission here, the longest held
    first.
    """
    if not isinstance(viewer, Person):
        return []
    roles = _roles_in(GRANTS[permission].needs)
    posts = [post for post in viewer.posts if post.community == community and post.role in roles]
    return list(dict.fromkeys(post.organization for post in posts))


def _roles_in(needs: Needs) -> frozenset[Role]:
    """Every role that the needs name."""
    match needs:
        case HasRole(roles):
            return roles
        case AnyOf(parts) | AllOf(parts):
            return frozenset().union(*map(_roles_in, parts))
        case _:
            return frozenset()


def is_operator(viewer: Viewer, community: int | City) -> bool:
    match viewer:
        case Person() | Rights():
            return Role.OPERATOR in roles_in(viewer.roles, community)
        case System():
            return True
        case Visitor():
            return False


# Whether they may

Ties: TypeAlias = Collection[Tie] | None
"""The ties of whoever asks to the subject; None: they are asked later, so that any account passes."""


def may(viewer: Viewer, permission: Permission, scope: Scope, ties: Ties = None) -> bool:
    return isinstance(viewer, System) or _meets(GRANTS[permission].needs, viewer, permission, scope, ties)


def _meets(needs: Needs, viewer: Viewer, permission: Permission, scope: Scope, ties: Ties) -> bool:
    match needs:
        case Anyone():
            return True
        case PublicReading():
            return scope.public_reading
        case HasRole(roles):
            return any(role in roles or role is Role.OPERATOR for role in _roles(viewer, permission, scope))
        case Tied(tie):
            return _admitted(viewer, permission, scope) and (ties is None or tie in ties)
        case AnyOf(parts):
            return any(_meets(part, viewer, permission, scope, ties) for part in parts)
        case AllOf(parts):
            return all(_meets(part, viewer, permission, scope, ties) for part in parts)


def _roles(viewer: Viewer, permission: Permission, scope: Scope) -> frozenset[Role]:
    """Those that count for the permission."""
    if isinstance(viewer, Person | Rights) and _admitted(viewer, permission, scope):
        return roles_in(viewer.roles, scope.id)
    return frozenset()


def _admitted(viewer: Viewer, permission: Permission, scope: Scope) -> bool:
    """Whether an account of the viewer's counts for anything here, and its token for this permission."""
    if not isinstance(viewer, Person | Rights):
        return False
    if GRANTS[permission].inherent:
        return True
    return (scope.demonstration or not viewer.demonstration) and (
        viewer.scopes is None or _covered(permission, viewer.scopes)
    )


def _covered(permission: Permission, scopes: frozenset[Permission]) -> bool:
    """Whether a token with these scopes has it, for itself or to read what it did."""
    return permission in scopes or any(GRANTS[granted].reads is permission for granted in scopes)


def permissions_in(viewer: Viewer, scope: Scope) -> list[Permission]:
    """What the viewer may do in a community; what belongs to its account everywhere is left out."""
    return [one for one in Permission if not GRANTS[one].inherent and may(viewer, one, scope)]


def may_know(viewer: Viewer, scope: Scope) -> bool:
    """Whether the viewer may learn that there is such a community, and what it is."""
    return any(may(viewer, permission, scope) for permission in READING)


def belongs_to(viewer: Viewer, scope: Scope) -> bool:
    """Whether the viewer knows of it by a role of its own, and not only as everybody does."""
    return may_know(viewer, scope._replace(public_reading=False))


def may_see_own(viewer: Viewer, permission: Permission, scope: Scope, tie: Tie) -> bool:
    """Whether the viewer may see what it did itself by this permission, to which it has the tie."""
    return may(viewer, permission, scope, {tie}) or may(viewer, Permission.READ_OWN, scope, {tie})


def for_visitors(permission: Permission) -> bool:
    """Whether it may be had anywhere without signing in."""
    return any(isinstance(part, Anyone | PublicReading) for part in _parts(GRANTS[permission].needs))


def _parts(needs: Needs) -> tuple[Needs, ...]:
    """The alternatives."""
    return needs.parts if isinstance(needs, AnyOf) else (needs,)


def _reveals(needs: Needs) -> bool:
    """Whether who has it knows of the community by that; a tie alone tells nothing of it."""
    match needs:
        case AnyOf(parts):
            return all(map(_reveals, parts))
        case AllOf(parts):
            return any(map(_reveals, parts))
        case _:
            return not isinstance(needs, Tied)


def require(
    viewer: Viewer,
    permission: Permission,
    scope: Scope,
    known_by: Permission | None = None,
    ties: Ties = None,
) -> None:
    """Raises Unauthenticated if nobody is signed in, NotFound if the viewer may not know of the subject, and
    Forbidden if it lacks the right.

    `known_by`: the permission without which nobody learns of the subject; None: the subject is the community
    itself.
    """
    grant = GRANTS[permission]
    allowed = may(viewer, permission, scope, ties)
    if allowed and _reveals(grant.needs):
        return
    if isinstance(viewer, Visitor):
        raise Unauthenticated
    known = may_know(viewer, scope) if known_by is None else may(viewer, known_by, scope)
    if not known and scope.id != CITY:
        raise NotFound
    if not allowed:
        raise Forbidden(sentence_zh=grant.zh, sentence_en=grant.en)


# In words


def in_words(needs: Needs) -> str:
    """What is needed, as docs/rights.md has it."""
    match needs:
        case Anyone():
            return "anyone"
        case PublicReading():
            return "anyone where reading is public"
        case HasRole(roles):
            return f"a role here or in the city: {', '.join(sorted(roles | {Role.OPERATOR}))}"
        case Tied(tie, refused_as):
            return _TIES[tie] + ("" if refused_as is None else f" (a rule looks, else {refused_as})")
        case AnyOf(parts):
            return "; or ".join(map(in_words, parts))
        case AllOf(parts):
            return "; and ".join(map(in_words, parts))


_TIES = {
    Tie.ONESELF: "being oneself",
    Tie.OF_PARTY: "being of the owner party",
    Tie.OF_HOUSEHOLD: "being of the household that signed up",
    Tie.OF_ORGANIZATION: "holding the role through an organization",
}


def table_of_rights() -> str:
    """Every permission with its needs, in Markdown."""
    lines = ["| permission | needs | with a narrowed token |", "|---|---|---|"]
    for permission, grant in GRANTS.items():
        narrowed = f"reads by {grant.reads}, too" if grant.reads else ""
        narrowed = "always held" if grant.inherent else narrowed
        lines.append(f"| {permission} | {in_words(grant.needs)} | {narrowed} |")
    return "\n".join(lines) + "\n"
