"""The table of notices; the feed itself is the journal's topic `bulletin`."""

from tortoise import fields
from tortoise.models import Model

from community.bulletin.rules import NoticeKind
from community.database.fields import Code, Instant, Key, To, Words


class Notice(Model):
    """`number` counts the notices of the community from 1; a trigger gives it, and it stays."""

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

    class Meta:
        table = "notice"
        indexes = (("community_id", "published_at"),)
