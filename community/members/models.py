"""Tables of people and what they hold: accounts, owner parties, ownership, tenancies, roles, sessions.

What somebody holds carries `since` and `until`; nothing is overwritten.
"""

from tortoise import fields
from tortoise.models import Model

from community.database.fields import Code, Instant, Key, To, Words
from community.members.rules import LONGEST_NAME, PartyKind, SessionKind
from community.permissions import Role


class Account(Model):
    """Somebody who can sign in; `name` is the handle, not a person's name.

    A demonstration account can be entered by whoever knows its name.
    """

    id = Key()
    name = fields.CharField(max_length=LONGEST_NAME, unique=True)
    demonstration = fields.BooleanField(default=False)
    created_at = Instant()

    class Meta:
        table = "account"


class OwnerParty(Model):
    """An owner as counted: one head however many units (HZ 17)."""

    id = Key()
    community = To("Community")
    kind = Code(PartyKind)

    class Meta:
        table = "owner_party"


class CoOwner(Model):
    """Somebody of an owner party; a single owner is a party with one co-owner."""

    id = Key()
    party = To("OwnerParty")
    account = To("Account", null=True)
    since = Instant()
    until = Instant(null=True)

    class Meta:
        table = "co_owner"


class Representative(Model):
    """The co-owner whom a party named to vote; while named, only that one casts (指导规则 25)."""

    id = Key()
    party = To("OwnerParty")
    co_owner = To("CoOwner")
    since = Instant()
    until = Instant(null=True)

    class Meta:
        table = "representative"


class Ownership(Model):
    """Who holds which unit, as a fraction."""

    id = Key()
    unit = To("Unit")
    party = To("OwnerParty")
    share = fields.IntField(default=1)
    share_of = fields.IntField(default=1)
    since = Instant()
    until = Instant(null=True)

    class Meta:
        table = "ownership"


class Tenancy(Model):
    id = Key()
    unit = To("Unit")
    account = To("Account")
    since = Instant()
    until = Instant(null=True)

    class Meta:
        table = "tenancy"


class RoleGrant(Model):
    """A role of an account in a community, or in the whole city where `community` is null."""

    id = Key()
    account = To("Account")
    community = To("Community", null=True)
    organization = To("Organization", null=True)
    role = Code(Role)
    since = Instant()
    until = Instant(null=True)

    class Meta:
        table = "role_grant"


class Session(Model):
    """A cookie or token, by the hash of its secret. `scopes`: permissions, spaced; null for all.

    One that was ended is removed. `revoked_at`: ended by an earlier version, which only marked it.
    """

    id = Key()
    hash = fields.CharField(max_length=64, unique=True)
    account = To("Account")
    kind = Code(SessionKind)
    scopes = Words(512, null=True)
    created_at = Instant()
    expires_at = Instant()
    revoked_at = Instant(null=True)

    class Meta:
        table = "session"
        indexes = (("expires_at",),)
