"""Who somebody is: the viewer behind a session, with the roles held at an instant."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from tortoise.expressions import Q

from community.database.sql import instant, placeholders, select
from community.errors import NotFound, Unauthenticated
from community.members.models import Account, RoleGrant, Session
from community.members.rules import ExpiredToken, SessionKind, UnknownToken, may_be_secret
from community.permissions import (
    CITY,
    Actor,
    City,
    Permission,
    Person,
    Post,
    Role,
    Scope,
    Tie,
    Viewer,
    account_of,
    may_see_own,
)
from community.places.reads import scope_or_city, scope_where, scopes_of


def hash_of(secret: str) -> str:
    """Secrets are 256 random bits, so one plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


# What `who` holds: a role, an owner party, a tenancy.
_HELD = """
SELECT g.community_id AS community, g.role AS role, g.until AS until, g.organization_id AS organization,
       g.since AS since, g.id AS id
  FROM who JOIN role_grant g ON g.account_id = who.account
 WHERE g.since <= ? AND (g.until IS NULL OR g.until > ?)
UNION ALL
SELECT p.community_id, 'OWNER', o.until, NULL, o.since, o.id
  FROM who JOIN co_owner o ON o.account_id = who.account JOIN owner_party p ON p.id = o.party_id
 WHERE o.since <= ? AND (o.until IS NULL OR o.until > ?)
UNION ALL
SELECT u.community_id, 'TENANT', t.until, NULL, t.since, t.id
  FROM who JOIN tenancy t ON t.account_id = who.account JOIN unit u ON u.id = t.unit_id
 WHERE t.since <= ? AND (t.until IS NULL OR t.until > ?)
"""

_PERSON = f"""
WITH who AS (SELECT id AS account, name, demonstration FROM account WHERE id = ?), held AS ({_HELD})
SELECT account, name, demonstration, community, role, organization
  FROM who LEFT JOIN held ON 1 = 1 ORDER BY since, id
"""  # noqa: S608 - our own text

# One statement, so that a session and its roles belong to one snapshot.
_VIEWER = f"""
WITH who AS (
  SELECT s.id AS session, s.account_id AS account, a.name, a.demonstration, s.scopes, s.expires_at
    FROM session s JOIN account a ON a.id = s.account_id
   WHERE s.hash = ? AND s.revoked_at IS NULL AND s.expires_at > ?
),
held AS ({_HELD})
SELECT session, account, name, demonstration, scopes, expires_at, community, role, until, organization
  FROM who LEFT JOIN held ON 1 = 1 ORDER BY since, id
"""  # noqa: S608 - our own text


async def viewer_of(secret: str, now: datetime) -> Person | None:
    """Whoever is behind a cookie or token; None where it is unknown, over or revoked.

    It expires with the session or with the first of its roles: then somebody else has to be asked for.
    """
    if not may_be_secret(secret):
        return None
    rows = await select(_VIEWER, [hash_of(secret), *[now] * 7])
    if not rows:
        return None
    who, holds = rows[0], [row for row in rows if row["role"] is not None]
    until = [row["until"] for row in holds if row["until"] is not None]
    return Person(
        account=who["account"],
        name=who["name"],
        roles=_by_community(holds),
        scopes=None if who["scopes"] is None else frozenset(map(Permission, who["scopes"].split())),
        session=who["session"],
        expires_at=min(map(instant, [who["expires_at"], *until])),
        demonstration=bool(who["demonstration"]),
        posts=_posts(holds),
    )


async def person_of(account: int, now: datetime) -> Person:
    """The account as if it were signed in, without a session. Raises NotFound."""
    rows = await select(_PERSON, [account, *[now] * 6])
    if not rows:
        raise NotFound
    who, holds = rows[0], [row for row in rows if row["role"] is not None]
    return Person(
        account=who["account"],
        name=who["name"],
        roles=_by_community(holds),
        demonstration=bool(who["demonstration"]),
        posts=_posts(holds),
    )


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A cookie or token as whoever looks after them sees it: never its secret. `scopes`: None for all."""

    id: int
    account: str
    kind: SessionKind
    scopes: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime


async def sessions_of(accounts: Collection[int], now: datetime) -> list[SessionRow]:
    """Those that stand, the oldest first."""
    standing = Session.filter(account_id__in=accounts, revoked_at=None, expires_at__gt=now)
    rows = await standing.order_by("created_at", "id").values(
        "id", "kind", "scopes", "created_at", "expires_at", account="account__name"
    )
    return [
        SessionRow(**row | {"scopes": None if row["scopes"] is None else tuple(row["scopes"].split())})
        for row in rows
    ]


async def why_nobody(secret: str) -> Unauthenticated:
    """What is wrong with a token behind which there is no viewer; one that was ended left no trace."""
    known = may_be_secret(secret) and await Session.exists(hash=hash_of(secret))
    return ExpiredToken() if known else UnknownToken()


def held(now: datetime) -> Q:
    """Whatever carries `since` and `until`, as far as it stands at `now`."""
    return Q(since__lte=now) & (Q(until=None) | Q(until__gt=now))


def _by_community(holds: Sequence[dict[str, Any]]) -> dict[int | City, frozenset[Role]]:
    roles: defaultdict[int | City, set[Role]] = defaultdict(set)
    for row in holds:
        roles[CITY if row["community"] is None else row["community"]].add(Role(row["role"]))
    return {community: frozenset(of) for community, of in roles.items()}


def _posts(holds: Sequence[dict[str, Any]]) -> tuple[Post, ...]:
    posts = [row for row in holds if row["organization"] is not None and row["community"] is not None]
    return tuple(Post(row["community"], Role(row["role"]), row["organization"]) for row in posts)


async def ties_to_session(viewer: Actor, secret: str) -> frozenset[Tie]:
    """A session is its account's; one that nobody has is nobody else's."""
    rows = await Session.filter(hash=hash_of(secret)).values("account_id")
    own = all(row["account_id"] == account_of(viewer) for row in rows)
    return frozenset({Tie.ONESELF} if own else ())


@dataclass(frozen=True, slots=True)
class Home:
    """The unit whose household an account belongs to, and since when. Of a unit that is let those who rent it
    are one household, and its owners another.
    """

    account: int
    community: int
    unit: int
    rented: bool
    since: datetime


# Nobody lives where the car stands. Whoever has several homes in one community belongs to one household: of
# the one that is rented, else of one that is not let, else of one that is; of several, of the one that its
# party has held longest, so that co-owners find the same one.
HOMES = """
SELECT account, community, unit, rented, since FROM (
  SELECT h.account, h.community, h.unit, h.choice = 1 AS rented, h.since, ROW_NUMBER() OVER (
           PARTITION BY h.account, h.community ORDER BY h.choice, h.held, h.unit) AS place
    FROM (
      SELECT t.account_id AS account, u.community_id AS community, u.id AS unit, t.since AS since,
             t.since AS held, 1 AS choice
        FROM tenancy t JOIN unit u ON u.id = t.unit_id
       WHERE t.account_id IN ({accounts}) AND u.kind <> 'PARKING'
         AND t.since <= ? AND (t.until IS NULL OR t.until > ?)
      UNION ALL
      SELECT c.account_id, u.community_id, u.id, CASE WHEN c.since > o.since THEN c.since ELSE o.since END,
             o.since, CASE WHEN EXISTS (SELECT 1 FROM tenancy t WHERE t.unit_id = u.id AND t.since <= ?
                                           AND (t.until IS NULL OR t.until > ?)) THEN 3 ELSE 2 END
        FROM co_owner c JOIN ownership o ON o.party_id = c.party_id JOIN unit u ON u.id = o.unit_id
       WHERE c.account_id IN ({accounts}) AND u.kind <> 'PARKING'
         AND c.since <= ? AND (c.until IS NULL OR c.until > ?)
         AND o.since <= ? AND (o.until IS NULL OR o.until > ?)
    ) h
) homes WHERE place = 1
"""
"""The one home of each account in each community; `accounts` are placeholders (`values_of_homes`)."""


def values_of_homes(accounts: Collection[int | None], now: datetime) -> list[Any]:
    return [*accounts, now, now, now, now, *accounts, *[now] * 4]


async def homes_of(accounts: Collection[int], community: int, now: datetime) -> dict[int, Home]:
    """By account; whoever has none is left out, such as staff."""
    homes = HOMES.format(accounts=placeholders(accounts))
    query = f"SELECT * FROM ({homes}) own WHERE community = ?"  # noqa: S608 - our own text
    rows = await select(query, [*values_of_homes(accounts, now), community])
    return {
        row["account"]: Home(**row | {"rented": bool(row["rented"]), "since": instant(row["since"])})
        for row in rows
    }


async def scope_of_party(party: int) -> Scope:
    """Raises NotFound."""
    return await scope_where("WHERE c.id = (SELECT p.community_id FROM owner_party p WHERE p.id = ?)", party)


async def scope_of_grant(grant: int) -> Scope:
    """Raises NotFound."""
    rows = await RoleGrant.filter(id=grant).values("community_id")
    if not rows:
        raise NotFound
    return await scope_or_city(CITY if rows[0]["community_id"] is None else rows[0]["community_id"])


@dataclass(frozen=True, slots=True)
class PartySeat:
    """A party the account belongs to, and the accounts it named to vote for it (empty: any of its own)."""

    party: int
    named: frozenset[int]

    def may_cast(self, account: int) -> bool:
        return not self.named or account in self.named


# A representative who left the party binds nobody; one without an account is still one.
_SEATS = """
SELECT p.community_id AS community, o.party_id AS party, c.account_id AS named,
       CASE WHEN c.until IS NULL OR c.until > ? THEN r.id END AS naming
  FROM co_owner o JOIN owner_party p ON p.id = o.party_id
  LEFT JOIN representative r ON r.party_id = o.party_id AND r.since <= ? AND (r.until IS NULL OR r.until > ?)
  LEFT JOIN co_owner c ON c.id = r.co_owner_id
 WHERE o.account_id = ? AND p.community_id IN (%s) AND o.since <= ? AND (o.until IS NULL OR o.until > ?)
 ORDER BY o.party_id
"""


async def seats_in(account: int, communities: Collection[int], now: datetime) -> dict[int, list[PartySeat]]:
    """The owner parties for which the account may speak, by community."""
    query = _SEATS % placeholders(communities)
    named: defaultdict[int, dict[int, set[int]]] = defaultdict(dict)
    for row in await select(query, [now, now, now, account, *communities, now, now]):
        of = named[row["community"]].setdefault(row["party"], set())
        if row["naming"] is not None:
            of.add(row["named"])
    return {
        community: [PartySeat(party, frozenset(of)) for party, of in parties.items()]
        for community, parties in named.items()
    }


async def seats_of(account: int, community: int, now: datetime) -> list[PartySeat]:
    """The same of one community."""
    return (await seats_in(account, [community], now)).get(community, [])


class OwnPartyRow(NamedTuple):
    """An owner party, as one of its own sees it; `units`: the names of those it holds now."""

    id: int
    community: int
    units: tuple[str, ...]


_OWN_PARTIES = """
SELECT p.id AS id, p.community_id AS community, n.name AS unit
  FROM owner_party p JOIN co_owner o ON o.party_id = p.id
  LEFT JOIN ownership w ON w.party_id = p.id AND w.since <= ? AND (w.until IS NULL OR w.until > ?)
  LEFT JOIN unit n ON n.id = w.unit_id
 WHERE p.id IN ({parties}) AND o.account_id = ? AND o.since <= ? AND (o.until IS NULL OR o.until > ?)
 ORDER BY p.id, n.id
"""


async def own_parties_by_id(
    viewer: Viewer, parties: Collection[int], now: datetime
) -> dict[int, OwnPartyRow]:
    """Those to which the viewer belongs, as far as its token shows them."""
    if not isinstance(viewer, Person):
        return {}
    query = _OWN_PARTIES.format(parties=placeholders(parties))
    rows = await select(query, [now, now, *parties, viewer.account, now, now])
    scopes = await scopes_of({row["community"] for row in rows}) if rows else {}
    units: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for row in rows:
        if may_see_own(viewer, Permission.CAST_BALLOT, scopes[row["community"]], Tie.OF_PARTY):
            units[row["id"], row["community"]] += filter(None, [row["unit"]])
    return {party: OwnPartyRow(party, community, tuple(of)) for (party, community), of in units.items()}


async def accounts_like(pattern: str) -> list[tuple[int, str]]:
    """Accounts by handle; a trailing `*` takes all that begin so, in the order of their numbers."""
    start = pattern.removesuffix("*")
    query = Account.filter(name=pattern) if start == pattern else Account.filter(name__startswith=start)
    rows = [(row["id"], row["name"]) for row in await query.values("id", "name")]
    exact = (row for row in rows if row[1].startswith(start))  # SQLite's LIKE takes a for A
    return sorted(exact, key=lambda row: (len(row[1]), row[1]))
