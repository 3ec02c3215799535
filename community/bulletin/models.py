"""The table of notices; the feed itself is the journal's topic `bulletin`."""

from tortoise import fields
from tortoise.models import Model

from community.bulletin.rules import NoticeKind, NoticeStep
from community.database.corrections import SignedStepRecord, VersionRecord
from community.database.fields import Code, Instant, Key, To, Words


class Notice(Model):
    """`number` counts the notices of the community from 1; a trigger gives it, and it stays. So do the words,
    but for a correction. `last_step` and `steps` follow its steps.
    """

    id = Key()
    community = To("Community")
    number = fields.IntField(db_default=0)
    organization = To("Organization")
    kind = Code(NoticeKind)
    title = Words(120)
    body = fields.TextField()
    effective_from = Instant(null=True)
    effective_until = Instant(null=True)
    published_at = Instant()
    last_step = Code(NoticeStep, null=True)
    steps = fields.IntField(db_default=0)

    class Meta:
        table = "notice"
        indexes = (("community_id", "published_at"),)


class NoticeStepRecord(SignedStepRecord):
    subject = To("Notice", index=False)
    step = Code(NoticeStep)

    class Meta:
        table = "notice_step"
        unique_together = (("subject_id", "number"),)


class NoticeVersion(VersionRecord):
    subject = To("Notice", index=False)
    title = Words(120)
    body = fields.TextField()
    effective_from = Instant(null=True)
    effective_until = Instant(null=True)

    class Meta:
        table = "notice_version"
        unique_together = (("subject_id", "number"),)
