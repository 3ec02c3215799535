"""Tables of the estate itself: community, profile, buildings, units, the parties that run it."""

from tortoise import fields
from tortoise.models import Model

from community.database.fields import Code, Instant, Key, To, Words
from community.places.rules import (
    LONGEST_ADDRESS,
    LONGEST_DOOR,
    LONGEST_NAME,
    LONGEST_SLUG,
    DeliveryStatus,
    OrganizationKind,
    UnitKind,
)


class Community(Model):
    """`demonstration`: made up by `meilin demo`; in these, and only in these, demonstration accounts have
    rights.
    """

    id = Key()
    slug = fields.CharField(max_length=LONGEST_SLUG, unique=True)
    name = Words(LONGEST_NAME)
    address = Words(LONGEST_ADDRESS)
    households = fields.IntField()
    residents = fields.IntField(null=True)
    owner_cards = fields.IntField(null=True)
    profile_version = fields.IntField(default=1)
    demonstration = fields.BooleanField(default=False, db_default=False)
    created_at = Instant()

    class Meta:
        table = "community"


class CommunityProfile(Model):
    """One version of the settings; never altered, a change adds the next version."""

    id = Key()
    community = To("Community")
    version = fields.IntField()
    public_reading = fields.BooleanField()
    time_zone = Words(64)
    notice_days = fields.IntField()
    window_days_least = fields.IntField()
    window_days_most = fields.IntField()
    since = Instant()

    class Meta:
        table = "community_profile"
        unique_together = (("community_id", "version"),)


class Building(Model):
    id = Key()
    community = To("Community")
    name = Words(LONGEST_DOOR)
    position = fields.IntField()

    class Meta:
        table = "building"
        unique_together = (("community_id", "name"),)


class Unit(Model):
    """An exclusive part (专有部分)."""

    id = Key()
    community = To("Community")
    building = To("Building")
    name = Words(LONGEST_DOOR)
    kind = Code(UnitKind)

    class Meta:
        table = "unit"
        unique_together = (("building_id", "name"),)


class UnitState(Model):
    """What a unit is from an instant on, until its next state; never altered. `area` in hundredths of m²."""

    id = Key()
    unit = To("Unit", index=False)
    since = Instant()
    area = fields.BigIntField()
    status = Code(DeliveryStatus)

    class Meta:
        table = "unit_state"
        unique_together = (("unit_id", "since"),)


class Organization(Model):
    """One of the four parties of a community, with the time it stood."""

    id = Key()
    community = To("Community")
    kind = Code(OrganizationKind)
    name = Words(LONGEST_NAME)
    since = Instant()
    until = Instant(null=True)

    class Meta:
        table = "organization"
