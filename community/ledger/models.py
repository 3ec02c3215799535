"""The table of the book: entries are added, never altered; a mistake is reversed by another entry."""

from tortoise import fields
from tortoise.models import Model

from community.database.fields import Code, Instant, Key, OnlyOne, To, Words
from community.ledger.rules import Category, Direction


class Entry(Model):
    """`amount` and `balance` in fen. A trigger holds number = last + 1 and balance = last ± amount."""

    id = Key()
    community = To("Community", index=False)
    number = fields.IntField()
    date = fields.DateField()
    direction = Code(Direction)
    category = Code(Category)
    item = Words(120)
    counterparty = Words(120, null=True)
    voucher = Words(64, null=True)
    amount = fields.BigIntField()
    balance = fields.BigIntField()
    authority_vote = To("Vote", null=True)
    authority_clause = Words(200, null=True)
    reverses = OnlyOne("Entry", null=True)
    recorded_by = To("Account", null=True)
    recorded_at = Instant()

    class Meta:
        table = "entry"
        unique_together = (("community_id", "number"),)
        indexes = (("community_id", "date"),)
