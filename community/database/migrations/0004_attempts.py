"""What is due remembers how often it failed, and when it is tried again."""

from tortoise import fields
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base


class Migration(Base):
    dependencies = [("meilin", "0003_fingerprints")]

    operations = [
        ops.AddField("Due", "attempts", fields.IntField(db_default=0)),
        ops.AddField("Due", "next_at", fields.DatetimeField(null=True)),
    ]
