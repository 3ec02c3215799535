"""Tables that no topic owns: the journal, the jobs that are due, and the idempotency records.

The column `deed` and the table `keyed_deed` are older names, of commands and their records.
"""

from tortoise import fields
from tortoise.models import Model

from community.database.fields import Instant, Key, OnlyOne, To, Words


class JournalRow(Model):
    """A fact of the catalogue, numbered in its community in commit order, without personal data.

    `community` is null for what happened in the city itself; `subject` is an id of the kind `subject_kind`.
    """

    id = Key()
    number = fields.BigIntField()
    community = To("Community", null=True, index=False)
    fact = Words(32)
    subject_kind = Words(32)
    subject = fields.BigIntField()
    at = Instant()

    class Meta:
        table = "journal"
        indexes = (("community_id", "fact", "number"),)


class JournalHead(Model):
    """The newest number of each community, and of the city itself, which is a row without one."""

    id = Key()
    community = OnlyOne("Community", null=True)
    number = fields.BigIntField()

    class Meta:
        table = "journal_head"


class Due(Model):
    """A job for one subject, or a message of the outbox; `done_at` is set by compare-and-set.

    `payload`: of a message, JSON, forgotten once it is sent; null of a job. `attempts`: how often it failed
    since it was planned or retried; `next_at`: when it is tried next, null: at `at`. `error`, `error_text`,
    `failed_at`: of its last failure, without personal data. `retries`: how often somebody took it up again.
    """

    id = Key()
    job = Words(32)
    subject = fields.BigIntField()
    at = Instant()
    done_at = Instant(null=True)
    attempts = fields.IntField(db_default=0)
    next_at = Instant(null=True)
    payload = fields.TextField(null=True)
    error = Words(100, null=True)
    error_text = Words(200, null=True)
    failed_at = Instant(null=True)
    retries = fields.IntField(db_default=0)

    class Meta:
        table = "due"
        unique_together = (("job", "subject"),)
        indexes = (("done_at", "at"),)


class IdempotencyRecord(Model):
    """What an account's idempotency key led to, so that a retry gets the first answer.

    `deed`: the command; `fingerprint`: of its arguments (community/database/commands.py), null if older.
    """

    id = Key()
    account = To("Account", index=False)
    deed = Words(32)
    key = Words(64)
    subject = fields.BigIntField()
    at = Instant()
    fingerprint = Words(64, null=True)

    class Meta:
        table = "keyed_deed"
        unique_together = (("account_id", "deed", "key"),)


class Installation(Model):
    """One row: marks this database's journal, so that a cursor of another one is refused."""

    id = Key()
    created_at = Instant()

    class Meta:
        table = "installation"


class Secret(Model):
    """One row, made by the migration: with it fingerprints are made. 32 bytes in hex, never logged."""

    id = Key()
    value = Words(64)

    class Meta:
        table = "secret"
