"""Tables of gatherings and who signed up for them."""

from tortoise import fields
from tortoise.models import Model

from community.database.corrections import SignedStepRecord, VersionRecord
from community.database.fields import Code, Instant, Key, To, Words
from community.events.rules import EventStep


class Event(Model):
    """`signed_up` and `version` are kept by triggers on sign_up; a CHECK holds `signed_up` ≤ `capacity`.

    `number` counts the events of the community from 1; a trigger gives it, and it stays. So do the words,
    but for a correction. `last_step` and `steps` follow its steps.
    """

    id = Key()
    community = To("Community")
    number = fields.IntField(db_default=0)
    title = Words(120)
    description = fields.TextField()
    place = Words(120)
    starts_at = Instant()
    ends_at = Instant()
    sign_up_closes_at = Instant()
    capacity = fields.IntField(null=True)
    max_party_size = fields.IntField()
    potluck = fields.BooleanField(default=False)
    signed_up = fields.IntField(default=0)
    version = fields.IntField(default=0)
    published_at = Instant()
    last_step = Code(EventStep, null=True)
    steps = fields.IntField(db_default=0)

    class Meta:
        table = "event"
        indexes = (("community_id", "starts_at"),)


class EventStepRecord(SignedStepRecord):
    subject = To("Event", index=False)
    step = Code(EventStep)

    class Meta:
        table = "event_step"
        unique_together = (("subject_id", "number"),)


class EventVersion(VersionRecord):
    subject = To("Event", index=False)
    title = Words(120)
    description = fields.TextField()
    place = Words(120)

    class Meta:
        table = "event_version"
        unique_together = (("subject_id", "number"),)


class EventOrganizer(Model):
    id = Key()
    event = To("Event", index=False)
    organization = To("Organization")

    class Meta:
        table = "event_organizer"
        unique_together = (("event_id", "organization_id"),)


class SignUp(Model):
    """One standing sign-up a household and event, and one an account and event (partial unique indexes); a
    cancelled one stays as a row.

    `household`: the unit whose household comes, those who rent it where `rented`, else its owners; null for
    an account that has none here. `doubled`: found beside another one of its household when households came
    in; it stands, and counts like any other.
    """

    id = Key()
    event = To("Event")
    account = To("Account")
    household = To("Unit", null=True)
    rented = fields.BooleanField(default=False, db_default=False)
    party_size = fields.IntField()
    dish = Words(40, null=True)
    signed_up_at = Instant()
    cancelled_at = Instant(null=True)
    doubled = fields.BooleanField(default=False, db_default=False)

    class Meta:
        table = "sign_up"
