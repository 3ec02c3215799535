"""Who somebody is: the viewer behind a session, with the roles held at a moment."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import Q

from community.members.models import Account, CoOwner, Representative, RoleGrant, Session, Tenancy
from community.permissions import CITY, Permission, Role, Viewer


def hash_of(secret: str) -> str:
    """Secrets are 256 random bits, so one plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def viewer_of(secret: str, now: datetime) -> Viewer | None:
    """The viewer of a cookie or token; None where it is unknown, over or revoked.

    It expires with the session or with the first of its roles: then somebody else has to be asked for.
    """
    rows = await Session.filter(hash=hash_of(secret), revoked_at=None, expires_at__gt=now).values(
        "id", "account_id", "account__name", "scopes", "expires_at"
    )
    if not rows:
        return None
    (row,) = rows
    roles, until = await _held_by(row["account_id"], now)
    return Viewer(
        account=row["account_id"],
        name=row["account__name"],
        roles=roles,
        scopes=None if row["scopes"] is None else frozenset(map(Permission, row["scopes"].split())),
        session=row["id"],
        expires_at=min([row["expires_at"], *until]),
    )


def held(now: datetime) -> Q:
    """Whatever carries `since` and `until`, as far as it stands at `now`."""
    return Q(since__lte=now) & (Q(until=None) | Q(until__gt=now))


async def roles_of(account: int, now: datetime) -> dict[int, frozenset[Role]]:
    """By community; city-wide roles under CITY."""
    roles, _ = await _held_by(account, now)
    return roles


async def _held_by(account: int, now: datetime) -> tuple[dict[int, frozenset[Role]], list[datetime]]:
    """The roles, and when one of them ends."""
    roles: defaultdict[int, set[Role]] = defaultdict(set)
    of = Q(held(now), account_id=account)
    grants = await RoleGrant.filter(of).values("community_id", "role", "until")
    owners = await CoOwner.filter(of).values("party__community_id", "until")
    tenants = await Tenancy.filter(of).values("unit__community_id", "until")
    for grant in grants:
        roles[CITY if grant["community_id"] is None else grant["community_id"]].add(grant["role"])
    for owner in owners:
        roles[owner["party__community_id"]].add(Role.OWNER)
    for tenant in tenants:
        roles[tenant["unit__community_id"]].add(Role.TENANT)
    until = [row["until"] for row in (*grants, *owners, *tenants) if row["until"] is not None]
    return {community: frozenset(held) for community, held in roles.items()}, until


@dataclass(frozen=True, slots=True)
class PartySeat:
    """A party the account belongs to, and the accounts it named to vote for it (empty: any of its own)."""

    party: int
    named: frozenset[int]

    def may_cast(self, account: int) -> bool:
        return not self.named or account in self.named


async def seats_of(account: int, community: int, now: datetime) -> list[PartySeat]:
    """The owner parties for which the account may speak in a community."""
    own = CoOwner.filter(held(now), account_id=account, party__community_id=community)
    parties = sorted({row["party_id"] for row in await own.values("party_id")})
    named: defaultdict[int, set[int]] = defaultdict(set)
    in_party = Q(co_owner__until=None) | Q(co_owner__until__gt=now)  # who left it binds nobody
    standing = Representative.filter(held(now), in_party, party_id__in=parties)
    for row in await standing.values("party_id", "co_owner__account_id"):
        named[row["party_id"]].add(row["co_owner__account_id"])
    return [PartySeat(party, frozenset(named[party])) for party in parties]


async def accounts_like(pattern: str) -> list[tuple[int, str]]:
    """Accounts by handle; a trailing `*` takes all that begin so, in the order of their numbers."""
    start = pattern.removesuffix("*")
    query = Account.filter(name=pattern) if start == pattern else Account.filter(name__startswith=start)
    rows = [(row["id"], row["name"]) for row in await query.values("id", "name")]
    exact = (row for row in rows if row[1].startswith(start))  # SQLite's LIKE takes a for A
    return sorted(exact, key=lambda row: (len(row[1]), row[1]))
